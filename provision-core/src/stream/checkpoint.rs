//! Checkpoints: what a block's entries amounted to at one of them, so that a reader need not begin at the first.
//!
//! A checkpoint stands beside the hints, where it is overwritten: derived, disposable, and never believed over the log.
//!
//! # Guarantees
//! A reader begins at a checkpoint only if the log holds, at the place that it names, the entry that it names by its hash,
//! and if that entry and the checkpoint are signed with the same key. So who can write hints and no entries can at most
//! take checkpoints away; who can forge one could have written the entry, and with it whatever the checkpoint says. In a store
//! that was rolled back or written anew its entry is missing or another one. What does not fit is ignored, and all entries
//! are read.
//!
//! # Caveats
//! Damage to entries below a checkpoint is not noticed by who begins there. What they said is known: whoever made the
//! checkpoint had verified them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::beside::Beside;
use super::envelope::{self, Author};
use super::event::BlockEvent;
use super::fold::BlockState;
use super::key::{PublicKey, Purpose};
use super::log::listed_top;
use super::name::{StreamEvent, checkpoint_key, entry_key};
use crate::id::{BlockAddr, Digest, InfraId, Seq};
use crate::machine::{GetAnswer, Io};
use crate::mutant::{self, Mutant};

/// The format of checkpoints; only this very one is read. It changes with the form of [`BlockState`], and also where the
/// fold comes to mean something else: what an older build folded is then not what this one would have.
const FORMAT: u32 = 2;

/// What is signed, on a line of its own.
#[derive(Serialize)]
struct Written<'a> {
    v: u32,
    kind: &'a str,
    stream: String,
    infra: &'a InfraId,
    state: &'a BlockState,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Found {
    v: u64,
    kind: String,
    stream: String,
    infra: InfraId,
    state: BlockState,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seal {
    key: PublicKey,
    sig: String,
}

/// Overwrites the block's checkpoint with this state, if one is due at its last entry. Nobody waits for it.
pub(super) fn put_if_due(io: &Io, author: &Author, addr: &BlockAddr, state: &BlockState) {
    if state.checkpoint == state.events && state.events > 0 {
        // One that is not written costs its readers calls.
        if let Some(bytes) = compose(author, addr, state) {
            io.put_hint(checkpoint_key::<BlockEvent>(addr), bytes);
        }
    }
}

/// The bytes of a checkpoint; `None` if they would not say what the state is.
fn compose(author: &Author, addr: &BlockAddr, state: &BlockState) -> Option<Vec<u8>> {
    let kind = BlockEvent::KIND;
    let written = Written { v: FORMAT, kind, stream: addr.to_string(), infra: &author.infra, state };
    let mut bytes = serde_json::to_vec(&written).ok()?;
    let sig = hex::encode(author.signer.sign(Purpose::Checkpoint, &bytes));
    let seal = serde_json::to_vec(&Seal { key: author.signer.public(), sig }).ok()?;
    let read = placed(parse(&bytes)?, &author.infra, addr)?;
    bytes.push(b'\n');
    bytes.extend(seal);
    bytes.push(b'\n');
    (read == *state).then_some(bytes)
}

/// What a reader begins with.
pub(super) struct Begin {
    /// The block's state as its checkpoint has it.
    pub(super) state: BlockState,
    /// The last entry that a listing shows, which may lag.
    pub(super) top: Option<Seq>,
}

/// The block's state as its checkpoint has it, if the log bears that out.
pub(super) async fn find(io: &Io, infra: &InfraId, addr: &BlockAddr, beside: &Beside) -> Option<Begin> {
    if !beside.may_have_checkpoint::<BlockEvent>(addr) {
        return None;
    }
    let GetAnswer::Found { bytes, modified_ms: _ } = io.get(checkpoint_key::<BlockEvent>(addr)).await else {
        return None;
    };
    let (found, signed) = open(io, &bytes)?;
    let state = placed(found, infra, addr)?;
    if mutant::on(Mutant::CheckpointTrusted) {
        return Some(Begin { state, top: None });
    }
    let head = state.head.as_ref()?;
    // Whoever goes on from here needs a listing of what comes after the entry. It begins at the entry itself: then a store
    // with a cache knows whether the copy that it has is still what stands there.
    let before = head.seq.0.checked_sub(1).map(Seq);
    let top = listed_top::<BlockEvent>(io, addr, before).await.ok()?;
    let GetAnswer::Found { bytes, modified_ms: _ } = io.get(entry_key::<BlockEvent>(addr, head.seq)).await else {
        return None;
    };
    (envelope::signed_by::<BlockEvent>(&bytes, infra, addr, head)? == signed).then_some(Begin { state, top })
}

/// What the bytes say, and who signed them. They are verified and parsed unless this process has seen them before.
fn open(io: &Io, bytes: &[u8]) -> Option<(Found, PublicKey)> {
    let hash = Digest::of(bytes);
    if let Some(known) = io.memory().recall::<(Found, PublicKey)>(&hash) {
        return Some(known.as_ref().clone());
    }
    let line_end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = bytes.split_at(line_end);
    let seal: Seal = serde_json::from_slice(rest).ok()?;
    let mut made = [0; 64];
    hex::decode_to_slice(&seal.sig, &mut made).ok()?;
    if !seal.key.verifies(Purpose::Checkpoint, line, &made) {
        return None;
    }
    let opened = (parse(line)?, seal.key);
    io.memory().remember(hash, bytes.len(), Arc::new(opened.clone()));
    Some(opened)
}

/// What a line says, if it has this format: one of another is ignored like one that is no checkpoint at all. Large ones are
/// what most of a plan's reading is, so it is gone through once, and not strictly: who signed it has nobody to deceive by a key
/// that stands twice, since nobody else reads it otherwise.
fn parse(line: &[u8]) -> Option<Found> {
    let mut found: Found = serde_json::from_slice(line).ok()?;
    if found.v != u64::from(FORMAT) {
        return None;
    }
    found.state.definition = match &found.state.digest {
        Some(digest) => Some(found.state.definitions.get(digest)?.clone()),
        None => None,
    };
    Some(found)
}

/// The state, if it is of this block.
fn placed(found: Found, infra: &InfraId, addr: &BlockAddr) -> Option<BlockState> {
    let Found { v: _, kind, stream, infra: of, state } = found;
    (kind == BlockEvent::KIND && stream == addr.to_string() && of == *infra).then_some(state)
}
