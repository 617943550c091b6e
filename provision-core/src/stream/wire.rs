//! The bytes of an entry: a body and a seal, each one line of JSON.
//!
//! In format 1 a body holds everything. In format 2, which this build writes, it leaves out what the entries before it have
//! said: what of its heading is as in the entry before, and the parts of its events that `short` finds again. The seal names
//! no key: the heading has it.
//!
//! # Guarantees
//! Only the bytes that the writer wrote can be opened: a change of any bit, a cut or an insertion is an error. No input
//! panics.

use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Digest as _;

use super::envelope::{Body, ClaimRef, EntryProblem, FORMAT, Heading, Writer};
use super::key::{PublicKey, Purpose, Signer};
use super::name::StreamEvent;
use super::short::Short;
use crate::id::{Digest, Generation, InfraId, Nonce, Revision, Seq};
use crate::strict::{self, Strict};

/// The seal of format 1.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seal1 {
    key: PublicKey,
    /// In hex.
    sig: String,
}

/// The seal of format 2.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seal2 {
    /// In base64, without padding.
    sig: String,
}

/// The body of format 2.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<E> {
    v: u32,
    seq: Seq,
    nonce: Nonce,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prev: Option<Digest>,
    #[serde(default, skip_serializing_if = "Differs::is_nothing")]
    heading: Differs,
    /// Where events are short: the [`Sum`] of these as they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    whole: Option<String>,
    events: Vec<E>,
}

/// What of a heading is another one than in the entry before.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Differs {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stream: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    infra: Option<InfraId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    writer: Option<Writer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revision: Option<Revision>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    generation: Option<Generation>,
    /// Of a stream of runs no entry has one, of a block's every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claim: Option<ClaimRef>,
}

impl Differs {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    fn between(before: Option<&Heading>, now: Heading) -> Self {
        fn other<T: PartialEq>(before: Option<&T>, now: T) -> Option<T> {
            Some(now).filter(|now| before != Some(now))
        }
        let Heading { kind, stream, infra, writer, revision, generation, claim } = now;
        Self {
            kind: other(before.map(|before| &before.kind), kind),
            stream: other(before.map(|before| &before.stream), stream),
            infra: other(before.map(|before| &before.infra), infra),
            writer: other(before.map(|before| &before.writer), writer),
            revision: other(before.map(|before| &before.revision), revision),
            generation: other(before.map(|before| &before.generation), generation),
            claim: other(before.map(|before| &before.claim), claim).flatten(),
        }
    }

    /// The heading; `None` if something in it is said nowhere.
    fn after(self, before: Option<&Heading>) -> Option<Heading> {
        let Self { kind, stream, infra, writer, revision, generation, claim } = self;
        Some(Heading {
            kind: kind.or_else(|| Some(before?.kind.clone()))?,
            stream: stream.or_else(|| Some(before?.stream.clone()))?,
            infra: infra.or_else(|| Some(before?.infra.clone()))?,
            writer: writer.or_else(|| Some(before?.writer.clone()))?,
            revision: revision.or_else(|| Some(before?.revision.clone()))?,
            generation: generation.or_else(|| Some(before?.generation))?,
            claim: claim.or_else(|| before?.claim.clone()),
        })
    }
}

/// An event as it is written.
#[derive(Serialize)]
#[serde(untagged)]
enum Form<'a, E> {
    Whole(&'a E),
    Short(&'a Value),
}

/// An entry whose events may still be short.
pub(super) struct Opened<E> {
    /// Without events.
    pub(super) body: Body<E>,
    pub(super) written: Written,
}

/// Events as they stand in the bytes. Never none.
pub(super) struct Written {
    pub(super) events: Vec<Value>,
    /// What the sum of those that are short has to be once they are whole.
    pub(super) whole: Option<String>,
}

/// A digest over events that does not depend on the order of keys: what a writer had and what a reader fills in are the same.
#[derive(Default)]
pub(super) struct Sum {
    digest: sha2::Sha256,
    /// What is to be digested next: many small texts at a time.
    text: String,
    any: bool,
}

impl Sum {
    /// Takes one more event in.
    pub(super) fn add(&mut self, event: &Value) {
        self.value(event);
        self.digest.update(&self.text);
        self.text.clear();
        self.any = true;
    }

    /// The first 32 digits of it; nothing if there was no event.
    pub(super) fn shown(self) -> String {
        let mut digits = if self.any { hex::encode(self.digest.finalize()) } else { String::new() };
        digits.truncate(32);
        digits
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => self.push('=', &value.to_string()),
            Value::String(text) => self.push('"', text),
            Value::Array(list) => {
                self.push('[', &list.len().to_string());
                list.iter().for_each(|item| self.value(item));
            }
            Value::Object(map) => {
                self.push('{', &map.len().to_string());
                let mut keys: Vec<_> = map.iter().collect();
                keys.sort_unstable_by_key(|(key, _)| *key);
                for (key, value) in keys {
                    self.push(':', key);
                    self.value(value);
                }
            }
        }
    }

    fn push(&mut self, kind: char, text: &str) {
        self.text.push(kind);
        self.text.push_str(&text.len().to_string());
        self.text.push(':');
        self.text.push_str(text);
    }
}

/// The bytes of an entry, where the one before it has this heading. `shorts` are the short forms of its events.
pub(super) fn write<E: Serialize>(
    body: &Body<E>,
    before: Option<&Heading>,
    shorts: &[Option<Arc<Short>>],
    signer: &Signer,
) -> Vec<u8> {
    let whole = shorts.iter().any(Option::is_some).then(|| {
        let mut sum = Sum::default();
        shorts.iter().flatten().for_each(|short| sum.add(&short.whole));
        sum.shown()
    });
    let events = body.events.iter().zip(shorts);
    let events = events
        .map(|(event, short)| short.as_ref().map_or(Form::Whole(event), |short| Form::Short(&short.written)))
        .collect();
    let heading = Differs::between(before, body.heading());
    let line = Line { v: body.v, seq: body.seq, nonce: body.nonce, prev: body.prev.clone(), heading, whole, events };
    // Writing structs, texts, numbers and maps with text keys to memory cannot fail; were it to, the empty body would
    // be refused by every reader.
    let mut bytes = serde_json::to_vec(&line).unwrap_or_default();
    let seal = Seal2 { sig: BASE64_STANDARD_NO_PAD.encode(signer.sign(Purpose::Entry, &bytes)) };
    bytes.push(b'\n');
    bytes.extend(serde_json::to_vec(&seal).unwrap_or_default());
    bytes.push(b'\n');
    bytes
}

/// What is done about an entry's signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Signature {
    /// It is checked.
    Checked,
    /// This process has just made it of these very bytes.
    JustMade,
}

/// What the bytes of an entry say, wherever they stand: signed by the writer that they or the entry before them name, and
/// parsed strictly.
///
/// # Errors
/// Whatever is wrong with them.
pub(super) fn open<E: StreamEvent>(
    bytes: &[u8],
    before: Option<&Heading>,
    signature: Signature,
) -> Result<Opened<E>, EntryProblem> {
    // The version is read before anything is judged by this version's rules, the seal included.
    #[derive(Deserialize)]
    struct Version {
        v: u64,
    }
    // In the same pass, of format 2: whose signature it is stands in what is signed, or in the entry before.
    #[derive(Deserialize)]
    struct Named {
        v: u64,
        #[serde(default)]
        heading: Option<Writes>,
    }
    #[derive(Deserialize)]
    struct Writes {
        writer: Option<Writer>,
    }
    let Some(line_end) = bytes.iter().position(|b| *b == b'\n') else {
        let whole = serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
        return Err(if whole { EntryProblem::Unsigned } else { EntryProblem::Truncated });
    };
    let (line, rest) = bytes.split_at(line_end);
    let (version, named) = match serde_json::from_slice(line) {
        Ok(Named { v, heading }) => (Some(v), Some(heading.and_then(|heading| heading.writer))),
        // Other formats have other headings.
        Err(_) => (serde_json::from_slice(line).ok().map(|Version { v }| v), None),
    };
    if let Some(found) = version.filter(|found| *found > u64::from(FORMAT)) {
        return Err(EntryProblem::NewerFormat { found });
    }
    let seal = match rest {
        [b'\n', seal @ .., b'\n'] => seal,
        [b'\n'] => return Err(EntryProblem::Unsigned),
        _ => return Err(EntryProblem::Truncated),
    };
    let opened = match version {
        Some(2) => open_2(line, seal, named, before, signature),
        Some(_) | None => open_1(line, seal, signature),
    }?;
    if opened.written.events.is_empty() {
        return Err(EntryProblem::Malformed("it holds no event".to_owned()));
    }
    Ok(opened)
}

fn open_1<E>(line: &[u8], seal_line: &[u8], signature: Signature) -> Result<Opened<E>, EntryProblem> {
    let seal: Seal1 = serde_json::from_slice(seal_line).map_err(|_| EntryProblem::Truncated)?;
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
    if signature == Signature::Checked && !seal.key.verifies(Purpose::Entry, line, &made) {
        return Err(altered());
    }
    let body: Body<Value> = strict::from_slice(line).map_err(|error| EntryProblem::Malformed(error.to_string()))?;
    if body.v != 1 {
        return Err(EntryProblem::Malformed(format!("there is no format {}", body.v)));
    }
    if body.writer.key != seal.key {
        return Err(EntryProblem::WrongKey { named: body.writer.key, signed: seal.key });
    }
    let written = Written { events: body.events, whole: None };
    let body = Body {
        v: body.v,
        kind: body.kind,
        stream: body.stream,
        seq: body.seq,
        writer: body.writer,
        nonce: body.nonce,
        prev: body.prev,
        infra: body.infra,
        revision: body.revision,
        generation: body.generation,
        claim: body.claim,
        events: Vec::new(),
    };
    Ok(Opened { body, written })
}

fn open_2<E>(
    line: &[u8],
    seal_line: &[u8],
    named: Option<Option<Writer>>,
    before: Option<&Heading>,
    signature: Signature,
) -> Result<Opened<E>, EntryProblem> {
    let seal: Seal2 = serde_json::from_slice(seal_line).map_err(|_| EntryProblem::Truncated)?;
    let writer = named.ok_or(EntryProblem::Nobody)?.or_else(|| Some(before?.writer.clone()));
    let key = writer.ok_or(EntryProblem::Nobody)?.key;
    let altered = || EntryProblem::Altered { writer: key.to_string() };
    // One seal, one form: no spaces, no padding, nothing before or after it.
    if serde_json::to_vec(&seal).ok().as_deref() != Some(seal_line) {
        return Err(altered());
    }
    let made = BASE64_STANDARD_NO_PAD.decode(&seal.sig).ok().and_then(|made| <[u8; 64]>::try_from(made).ok());
    let made = made.ok_or_else(altered)?;
    if signature == Signature::Checked && !key.verifies(Purpose::Entry, line, &made) {
        return Err(altered());
    }
    // Structs take no field twice, and `Strict` no key: so one pass is strict. Another one only words what is wrong.
    let line: Line<Strict> = serde_json::from_slice(line).map_err(|error| {
        let error = strict::from_slice::<serde::de::IgnoredAny>(line).err().unwrap_or(error);
        EntryProblem::Malformed(error.to_string())
    })?;
    let Line { v, seq, nonce, prev, heading, whole, events } = line;
    let heading = heading.after(before).ok_or(EntryProblem::Nobody)?;
    let Heading { kind, stream, infra, writer, revision, generation, claim } = heading;
    let body =
        Body { v, kind, stream, seq, writer, nonce, prev, infra, revision, generation, claim, events: Vec::new() };
    Ok(Opened { body, written: Written { events: events.into_iter().map(|Strict(event)| event).collect(), whole } })
}
