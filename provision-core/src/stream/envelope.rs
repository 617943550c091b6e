//! The form of an entry: a body and a seal, each one line of JSON.
//!
//! # Guarantees
//! Only the bytes that the writer wrote can be decoded: a change of any bit, a cut or an insertion is an error, and so
//! is an entry that is read from another place than the one that it was written for. No input panics.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::key::{PublicKey, Signer};
use super::name::{StreamEvent, shown};
use crate::id::{Digest, Epoch, Generation, InfraId, Nonce, Revision, RunId, Seq};
use crate::machine::Memory;
use crate::mutant::{self, Mutant};
use crate::strict;

/// The format that this build writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body<E> {
    /// The format.
    pub v: u32,
    /// The kind of the stream.
    pub kind: String,
    /// The stream's id.
    pub stream: String,
    /// Its position.
    pub seq: Seq,
    /// Who wrote it.
    pub writer: Writer,
    /// Makes each attempt at writing different from every other, also of the same writer.
    pub nonce: Nonce,
    /// The digest of the entry before it, seal included; `None` for the first.
    pub prev: Option<Digest>,
    /// The infrastructure that the stream belongs to.
    pub infra: InfraId,
    /// What the writer was built from.
    pub revision: Revision,
    /// The revision's generation.
    pub generation: Generation,
    /// The claim under which it stands; every entry of a block's stream has one, none of a run's.
    pub claim: Option<ClaimRef>,
    /// What happened, in order. Never empty.
    pub events: Vec<E>,
}

/// A writer, as entries name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Writer {
    /// Its public key.
    pub key: PublicKey,
    /// Its name for people.
    pub name: String,
}

/// The claim under which an entry stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimRef {
    /// The run.
    pub run: RunId,
    /// The claim's epoch.
    pub epoch: Epoch,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seal {
    key: PublicKey,
    sig: String,
}

/// An entry that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<E> {
    /// What it says.
    pub body: Arc<Body<E>>,
    /// The digest of its bytes, which the next entry names.
    pub hash: Digest,
    /// When it was written, by the store's clock.
    pub modified_ms: u64,
}

/// The place of an entry: the last one that a stream has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its position.
    pub seq: Seq,
    /// The digest of its bytes.
    pub hash: Digest,
}

impl<E> Entry<E> {
    /// Its place.
    pub fn head(&self) -> Head {
        Head { seq: self.body.seq, hash: self.hash.clone() }
    }
}

/// An entry that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{stream}, entry {seq}: {problem}")]
pub struct EntryError {
    /// The stream: `block us-east.network`.
    pub stream: String,
    /// The position that was read.
    pub seq: Seq,
    /// What is wrong.
    pub problem: EntryProblem,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EntryProblem {
    /// The seal is missing, wholly or in part.
    #[error("it is truncated: its last line is not a complete seal; restore it from the store's earlier versions")]
    Truncated,
    /// A body without a seal.
    #[error("it is not signed; every entry is signed by its writer")]
    Unsigned,
    /// The signature does not fit.
    #[error("it was altered: the signature of {writer} does not fit; restore it from the store's earlier versions")]
    Altered {
        /// The key that the seal names.
        writer: String,
    },
    /// Body and seal name different keys.
    #[error("it names {named} as its writer, and is signed with {signed}")]
    WrongKey {
        /// By the body.
        named: PublicKey,
        /// By the seal.
        signed: PublicKey,
    },
    /// Written by a newer build.
    #[error("it has format {found}, this build reads up to {FORMAT}: use a newer build")]
    NewerFormat {
        /// Its format.
        found: u64,
    },
    /// Signed, but not an entry as this build knows them.
    #[error("it is signed, but not a valid entry: {0}")]
    Malformed(String),
    /// Of another infrastructure.
    #[error("it belongs to infrastructure `{found}`, and this is `{expected}`: use the store of `{expected}`")]
    OtherInfra {
        /// Which.
        found: InfraId,
        /// Which was expected.
        expected: InfraId,
    },
    /// Moved from another place.
    #[error("it was written as {found} and stands in the wrong place")]
    Misplaced {
        /// The place that it names.
        found: String,
    },
    /// The chain is broken.
    #[error("it does not follow the entry before it: one of the two was replaced")]
    BrokenChain,
}

/// What goes into every entry that this process writes.
#[derive(Debug)]
pub struct Author {
    /// The infrastructure.
    pub infra: InfraId,
    /// What the code was built from.
    pub revision: Revision,
    /// Its generation.
    pub generation: Generation,
    /// Who writes.
    pub signer: Signer,
    nonce: Nonce,
    attempts: std::sync::atomic::AtomicU64,
}

impl Author {
    /// A writer of entries. The nonce is drawn by the caller and used for one author only.
    pub fn new(infra: InfraId, revision: Revision, generation: Generation, signer: Signer, nonce: Nonce) -> Self {
        Self { infra, revision, generation, signer, nonce, attempts: Default::default() }
    }

    fn attempt_nonce(&self) -> Nonce {
        let attempt = self.attempts.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let digits = self.nonce.derive(&["entry", &attempt.to_string()]);
        // 32 hex digits are a nonce by construction.
        digits.parse().unwrap_or(self.nonce)
    }

    /// The entry after `prev`, and its bytes. A retry sends these bytes again, never newly made ones.
    pub(super) fn compose<E: StreamEvent>(
        &self,
        id: &E::Id,
        prev: Option<&Head>,
        claim: Option<ClaimRef>,
        events: Vec<E>,
    ) -> (Body<E>, Vec<u8>) {
        let body = Body {
            v: FORMAT,
            kind: E::KIND.to_owned(),
            stream: id.to_string(),
            seq: prev.map_or(Seq(0), |head| head.seq.next()),
            writer: Writer { key: self.signer.public(), name: self.signer.name().to_owned() },
            nonce: self.attempt_nonce(),
            prev: prev.map(|head| head.hash.clone()),
            infra: self.infra.clone(),
            revision: self.revision.clone(),
            generation: self.generation,
            claim,
            events,
        };
        let bytes = seal(&body, &self.signer);
        (body, bytes)
    }
}

/// The bytes of an entry.
pub(super) fn seal<E: Serialize>(body: &Body<E>, signer: &Signer) -> Vec<u8> {
    // Writing structs, texts, numbers and maps with text keys to memory cannot fail; were it to, the empty body would
    // be refused by every reader.
    let mut bytes = serde_json::to_vec(body).unwrap_or_default();
    let seal = Seal { key: signer.public(), sig: hex::encode(signer.sign(&bytes)) };
    bytes.push(b'\n');
    bytes.extend(serde_json::to_vec(&seal).unwrap_or_default());
    bytes.push(b'\n');
    bytes
}

/// Where an entry was read from, and what must be before it.
pub(super) struct Expected<'a, E: StreamEvent> {
    pub infra: &'a InfraId,
    pub id: &'a E::Id,
    pub seq: Seq,
    /// The entry before it, where that was read. `None` for the first.
    pub prev: Option<&'a Digest>,
}

/// Decodes an entry that was read from a place. Its bytes are verified and parsed unless this process has seen them
/// before; its place is checked every time.
///
/// # Errors
/// Whatever is wrong with it.
pub(super) fn read<E: StreamEvent>(
    memory: &Memory,
    bytes: &[u8],
    modified_ms: u64,
    expected: &Expected<'_, E>,
) -> Result<Entry<E>, EntryError> {
    take_in(memory, bytes, modified_ms, expected, Signature::Checked)
}

/// The entry that these bytes, which this process has just signed, will be read as.
///
/// # Errors
/// Whatever would be wrong with it.
pub(super) fn reread<E: StreamEvent>(
    memory: &Memory,
    bytes: &[u8],
    expected: &Expected<'_, E>,
) -> Result<Entry<E>, EntryError> {
    take_in(memory, bytes, 0, expected, Signature::JustMade)
}

fn take_in<E: StreamEvent>(
    memory: &Memory,
    bytes: &[u8],
    modified_ms: u64,
    expected: &Expected<'_, E>,
    signature: Signature,
) -> Result<Entry<E>, EntryError> {
    let hash = Digest::of(bytes);
    let known = memory.recall::<Body<E>>(&hash);
    let body = match &known {
        Some(body) => Ok(body.clone()),
        None => open(bytes, signature).map(Arc::new),
    };
    let body = body.and_then(|body| check_place(&body, expected).map(|()| body)).map_err(|problem| EntryError {
        stream: shown::<E>(expected.id),
        seq: expected.seq,
        problem,
    })?;
    if known.is_none() {
        memory.remember(hash.clone(), bytes.len(), body.clone());
    }
    Ok(Entry { body, hash, modified_ms })
}

/// What is done about an entry's signature.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signature {
    /// It is checked.
    Checked,
    /// This process has just made it of these very bytes.
    JustMade,
}

/// What the bytes of an entry say, wherever they stand: signed by the writer that they name, and parsed strictly.
fn open<E: StreamEvent>(bytes: &[u8], signature: Signature) -> Result<Body<E>, EntryProblem> {
    // The version is read before anything is judged by this version's rules, the seal included.
    #[derive(Deserialize)]
    struct Version {
        v: u64,
    }
    let Some(line_end) = bytes.iter().position(|b| *b == b'\n') else {
        let whole = serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
        return Err(if whole { EntryProblem::Unsigned } else { EntryProblem::Truncated });
    };
    let (body, rest) = bytes.split_at(line_end);
    if let Ok(Version { v: found }) = serde_json::from_slice(body)
        && found > u64::from(FORMAT)
    {
        return Err(EntryProblem::NewerFormat { found });
    }
    let seal_line = match rest {
        [b'\n', seal @ .., b'\n'] => seal,
        [b'\n'] => return Err(EntryProblem::Unsigned),
        _ => return Err(EntryProblem::Truncated),
    };
    let seal: Seal = serde_json::from_slice(seal_line).map_err(|_| EntryProblem::Truncated)?;
    let altered = || EntryProblem::Altered { writer: seal.key.to_string() };
    // One seal, one form: no spaces, no capital digits, nothing before or after it.
    if serde_json::to_vec(&seal).ok().as_deref() != Some(seal_line) {
        return Err(altered());
    }
    let mut made = [0; 64];
    hex::decode_to_slice(&seal.sig, &mut made).map_err(|_| altered())?;
    if seal.sig.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(altered());
    }
    if signature == Signature::Checked && !seal.key.verifies(body, &made) {
        return Err(altered());
    }
    let body: Body<E> = strict::from_slice(body).map_err(|error| EntryProblem::Malformed(error.to_string()))?;
    if body.v != FORMAT {
        return Err(EntryProblem::Malformed(format!("there is no format {}", body.v)));
    }
    if body.writer.key != seal.key {
        return Err(EntryProblem::WrongKey { named: body.writer.key, signed: seal.key });
    }
    Ok(body)
}

fn check_place<E: StreamEvent>(body: &Body<E>, expected: &Expected<'_, E>) -> Result<(), EntryProblem> {
    if body.infra != *expected.infra {
        return Err(EntryProblem::OtherInfra { found: body.infra.clone(), expected: expected.infra.clone() });
    }
    if body.kind != E::KIND || body.stream != expected.id.to_string() || body.seq != expected.seq {
        let found: String = format!("{} {}, entry {}", body.kind, body.stream, body.seq);
        return Err(EntryProblem::Misplaced { found: found.escape_debug().to_string() });
    }
    if body.prev.as_ref() != expected.prev && !mutant::on(Mutant::ChainNotVerified) {
        return Err(EntryProblem::BrokenChain);
    }
    if body.events.is_empty() {
        return Err(EntryProblem::Malformed("it holds no event".to_owned()));
    }
    Ok(())
}
