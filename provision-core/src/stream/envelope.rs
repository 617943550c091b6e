//! Entries: what one says, and where it may stand. Their bytes are `wire`'s.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::event::{BlockEvent, RunEvent};
use super::illegal::Illegal;
use super::key::{PublicKey, Signer};
use super::name::{StreamEvent, shown};
use super::said::Said;
use super::short::Short;
use super::wire::{self, Opened, Signature, Written};
use crate::id::{Digest, Epoch, Generation, InfraId, Nonce, Revision, RunId, Seq};
use crate::machine::Memory;
use crate::mutant::{self, Mutant};

/// The format that this build writes, and the newest that it reads. It reads all earlier ones, and goes on with their logs.
pub const FORMAT: u32 = 2;

/// What an entry says: all of it, however little of that its bytes repeat.
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

/// What an entry says beside its events, and what mostly is as in the entry before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heading {
    /// The kind of the stream.
    pub kind: String,
    /// The stream's id.
    pub stream: String,
    /// The infrastructure that the stream belongs to.
    pub infra: InfraId,
    /// Who wrote it.
    pub writer: Writer,
    /// What the writer was built from.
    pub revision: Revision,
    /// The revision's generation.
    pub generation: Generation,
    /// The claim under which it stands.
    pub claim: Option<ClaimRef>,
}

impl<E> Body<E> {
    /// Its heading.
    pub(super) fn heading(&self) -> Heading {
        Heading {
            kind: self.kind.clone(),
            stream: self.stream.clone(),
            infra: self.infra.clone(),
            writer: self.writer.clone(),
            revision: self.revision.clone(),
            generation: self.generation,
            claim: self.claim.clone(),
        }
    }
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Its position.
    pub seq: Seq,
    /// The digest of its bytes.
    pub hash: Digest,
    /// Its heading, which the next entry has unless it says another one.
    pub heading: Arc<Heading>,
}

impl<E> Entry<E> {
    /// Its place.
    pub fn head(&self) -> Head {
        Head { seq: self.body.seq, hash: self.hash.clone(), heading: Arc::new(self.body.heading()) }
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
    /// Neither it nor the entry before it says whose it is.
    #[error("it does not say who wrote it: its body was altered; restore it from the store's earlier versions")]
    Nobody,
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
    /// What it leaves out is not what was before it when it was written.
    #[error(
        "what it leaves out cannot be filled in from the entries before it as its writer had it: one of them was replaced, or \
         this build reads them differently"
    )]
    OtherWhole,
    /// Of another infrastructure.
    #[error("it belongs to infrastructure `{found}`, and this is `{expected}`: use the store of `{expected}`")]
    OtherInfra {
        /// Which.
        found: InfraId,
        /// Which was expected.
        expected: InfraId,
    },
    /// Moved from another place.
    #[error("it was written as {found} and stands in the wrong place; restore it from the store's earlier versions")]
    Misplaced {
        /// The place that it names.
        found: String,
    },
    /// The chain is broken.
    #[error(
        "it does not follow the entry before it: one of the two was replaced or stands in the wrong place; restore both from the \
         store's earlier versions"
    )]
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
        events: Vec<Say<E>>,
    ) -> (Body<E>, Vec<u8>) {
        let (events, shorts): (Vec<E>, Vec<_>) = events.into_iter().map(|say| (say.event, say.short)).unzip();
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
        let bytes = wire::write(&body, prev.map(|head| &*head.heading), &shorts, &self.signer);
        (body, bytes)
    }
}

/// An event on its way into an entry.
#[derive(Debug, Clone)]
pub(super) struct Say<E> {
    pub(super) event: E,
    /// Its short form, where it has one: it holds right after the events that were queued before it.
    pub(super) short: Option<Arc<Short>>,
}

impl<E> From<E> for Say<E> {
    fn from(event: E) -> Self {
        Self { event, short: None }
    }
}

/// Where an entry was read from, and what must be before it.
pub(super) struct Expected<'a, E: StreamEvent> {
    pub infra: &'a InfraId,
    pub id: &'a E::Id,
    pub seq: Seq,
    /// The entry before it. `None` for the first.
    pub prev: Option<&'a Head>,
}

/// Decodes an entry that was read from a place, and takes it in to what its log has said. Its bytes are verified and parsed
/// unless this process has seen them before; its place is checked every time.
///
/// # Errors
/// Whatever is wrong with it. What the log has said is then undefined.
pub(super) fn read<E: StreamEvent>(
    memory: &Memory,
    bytes: &[u8],
    modified_ms: u64,
    expected: &Expected<'_, E>,
    said: &mut E::Said,
) -> Result<Entry<E>, Unread> {
    let wrong = |problem| Unread::Entry(at(expected, problem));
    let hash = Digest::of(bytes);
    if let Some(body) = memory.recall::<Body<E>>(&hash) {
        check_place(&body, expected).map_err(wrong)?;
        said.begin(&body).map_err(Unread::Illegal)?;
        let mut events = body.events.iter();
        events.try_for_each(|event| said.take_in(body.claim.as_ref(), event)).map_err(Unread::Illegal)?;
        let entry = Entry { body, hash, modified_ms };
        said.end(&entry);
        return Ok(entry);
    }
    let heading = expected.prev.map(|head| &*head.heading);
    let Opened { mut body, written } = wire::open::<E>(bytes, heading, Signature::Checked).map_err(wrong)?;
    check_place(&body, expected).map_err(wrong)?;
    said.begin(&body).map_err(Unread::Illegal)?;
    let Written { events, whole } = written;
    let mut sum = wire::Sum::default();
    for mut event in events {
        if body.v > 1 && Short::is(&event) {
            event = said.whole(event).map_err(|what| wrong(EntryProblem::Malformed(what)))?;
            sum.add(&event);
        }
        let event: E =
            serde_json::from_value(event).map_err(|error| wrong(EntryProblem::Malformed(error.to_string())))?;
        said.take_in(body.claim.as_ref(), &event).map_err(Unread::Illegal)?;
        body.events.push(event);
    }
    if whole.unwrap_or_default() != sum.shown() {
        return Err(wrong(EntryProblem::OtherWhole));
    }
    let entry = Entry { body: Arc::new(body), hash, modified_ms };
    memory.remember(entry.hash.clone(), bytes.len(), entry.body.clone());
    said.end(&entry);
    Ok(entry)
}

/// Why an entry was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unread {
    /// It cannot be used.
    Entry(EntryError),
    /// It cannot follow what stands before it.
    Illegal(Illegal),
}

/// The entry that these bytes, which this process has just made of the body and signed, will be read as.
///
/// # Errors
/// Whatever would be wrong with it.
pub(super) fn reread<E: StreamEvent>(
    memory: &Memory,
    bytes: &[u8],
    body: &Body<E>,
    shorts: &[Option<Arc<Short>>],
    expected: &Expected<'_, E>,
) -> Result<Entry<E>, EntryProblem> {
    let heading = expected.prev.map(|head| &*head.heading);
    let Opened { body: mut found, written } = wire::open::<E>(bytes, heading, Signature::JustMade)?;
    check_place(&found, expected)?;
    if written.events.len() != shorts.len() {
        return Err(EntryProblem::Malformed("it reads differently".to_owned()));
    }
    for ((read, short), event) in written.events.into_iter().zip(shorts).zip(&body.events) {
        let same = match short {
            // That a short form says what it stands for was tried when it was made.
            Some(short) => short.written == read,
            None => serde_json::from_value::<E>(read).is_ok_and(|read| read == *event),
        };
        if !same {
            return Err(EntryProblem::Malformed("it reads differently".to_owned()));
        }
        found.events.push(event.clone());
    }
    if found != *body {
        return Err(EntryProblem::Malformed("it reads differently".to_owned()));
    }
    let entry = Entry { body: Arc::new(found), hash: Digest::of(bytes), modified_ms: 0 };
    memory.remember(entry.hash.clone(), bytes.len(), entry.body.clone());
    Ok(entry)
}

/// Who signed the entry at this head, if these bytes are it: its events are not looked at.
pub(super) fn signed_by<E: StreamEvent>(bytes: &[u8], infra: &InfraId, id: &E::Id, head: &Head) -> Option<PublicKey> {
    if Digest::of(bytes) != head.hash {
        return None;
    }
    let Opened { body, written: _ } = wire::open::<E>(bytes, Some(&head.heading), Signature::Checked).ok()?;
    let here = body.infra == *infra && body.kind == E::KIND && body.stream == id.to_string() && body.seq == head.seq;
    here.then_some(body.writer.key)
}

/// The name of who wrote an entry, if it can stand at that place; its events are not looked at.
///
/// # Errors
/// Whatever is wrong with the rest.
pub(super) fn written_by<E: StreamEvent>(bytes: &[u8], expected: &Expected<'_, E>) -> Result<String, EntryError> {
    let heading = expected.prev.map(|head| &*head.heading);
    let opened = wire::open::<E>(bytes, heading, Signature::Checked).and_then(|Opened { body, written: _ }| {
        check_place(&body, expected)?;
        Ok(body.writer.name)
    });
    opened.map_err(|problem| at(expected, problem))
}

/// An entry as one line of JSON that leaves nothing out, if these bytes were written or read with this memory: for tests that
/// judge what a log says by more than the reader's word.
pub fn recalled(memory: &Memory, bytes: &[u8]) -> Option<Vec<u8>> {
    let hash = Digest::of(bytes);
    let block = memory.recall::<Body<BlockEvent>>(&hash).map(|body| serde_json::to_vec(&*body));
    let run = || memory.recall::<Body<RunEvent>>(&hash).map(|body| serde_json::to_vec(&*body));
    block.or_else(run)?.ok()
}

fn at<E: StreamEvent>(expected: &Expected<'_, E>, problem: EntryProblem) -> EntryError {
    EntryError { stream: shown::<E>(expected.id), seq: expected.seq, problem }
}

fn check_place<E: StreamEvent>(body: &Body<E>, expected: &Expected<'_, E>) -> Result<(), EntryProblem> {
    if body.infra != *expected.infra {
        return Err(EntryProblem::OtherInfra { found: body.infra.clone(), expected: expected.infra.clone() });
    }
    if body.kind != E::KIND || body.stream != expected.id.to_string() || body.seq != expected.seq {
        let found: String = format!("{} {}, entry {}", body.kind, body.stream, body.seq);
        return Err(EntryProblem::Misplaced { found: found.escape_debug().to_string() });
    }
    if body.prev.as_ref() != expected.prev.map(|head| &head.hash) && !mutant::on(Mutant::ChainNotVerified) {
        return Err(EntryProblem::BrokenChain);
    }
    Ok(())
}
