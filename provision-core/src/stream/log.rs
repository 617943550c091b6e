//! Reading streams.
//!
//! # Guarantees
//! Every entry that is returned was decoded, its signature verified (or made) by this process, and its place in the chain
//! verified at this very read. A wrong hint or a listing that lags may cost calls, never an entry: reading ends only
//! where a get of the next key answers "missing".

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::beside::Beside;
use super::checkpoint::{self, Begin};
use super::envelope::{self, Entry, EntryError, Expected, Head, Unread};
use super::event::{BlockEvent, RunEvent};
use super::fold::BlockState;
use super::illegal::Illegal;
use super::name::{StreamEvent, entry_key, entry_name, hint_key, kind_folder, parse_entry_name, shown, stream_folder};
use super::run_state::RunState;
use crate::id::{BadName, BlockAddr, InfraId, RunId, Seq};
use crate::machine::{GetAnswer, Io, ListAnswer, Listed, StoreKey};
use crate::mutant::{self, Mutant};

/// How many entries of one stream are read at a time.
const WINDOW: u64 = 32;

/// How often a read that was not answered is repeated.
const READ_ATTEMPTS: u32 = 5;

/// A stream that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReadError {
    /// An entry cannot be used.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// An entry is missing although a later one is there.
    #[error("{stream}: entry {missing} is missing, and entry {found} is there: entries are never deleted; restore it")]
    Gap {
        /// The stream.
        stream: String,
        /// The one that is missing.
        missing: Seq,
        /// The one that is there.
        found: Seq,
    },
    /// An entry cannot follow those before it.
    #[error("{stream}, entry {seq}: {illegal}")]
    Illegal {
        /// The stream.
        stream: String,
        /// The entry.
        seq: Seq,
        /// Why.
        illegal: Illegal,
    },
    /// The store does not answer.
    #[error("the store cannot be read ({what}): {reason}")]
    Store {
        /// What was to be read.
        what: String,
        /// What was seen instead.
        reason: String,
    },
    /// A name in the store that no stream has.
    #[error("the store holds `{name}` where streams stand: {bad}")]
    NotAStream {
        /// The name.
        name: String,
        /// What is wrong with it.
        bad: BadName,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hint {
    seq: Seq,
}

/// How long to wait before the next attempt: doubled each time, at most two seconds.
pub(super) fn backoff(attempt: u32) -> Duration {
    Duration::from_millis((100_u64 << attempt.min(8)).min(2_000))
}

/// Gets a key; repeats what is not answered.
pub(super) async fn get(io: &Io, key: &StoreKey) -> Result<Option<(Vec<u8>, u64)>, ReadError> {
    let mut attempt = 0;
    loop {
        match io.get(key.clone()).await {
            GetAnswer::Found { bytes, modified_ms } => return Ok(Some((bytes, modified_ms))),
            GetAnswer::Missing => return Ok(None),
            GetAnswer::Failed(reason) if attempt + 1 >= READ_ATTEMPTS => {
                return Err(ReadError::Store { what: key.to_string(), reason });
            }
            GetAnswer::Failed(_) => io.sleep(backoff(attempt)).await,
        }
        attempt += 1;
    }
}

/// Lists a folder, or of it what comes after a name; repeats what is not answered.
async fn list(io: &Io, folder: &str, after: Option<String>) -> Result<Vec<Listed>, ReadError> {
    let mut attempt = 0;
    loop {
        match io.list(folder.to_owned(), after.clone()).await {
            ListAnswer::Names(names) => return Ok(names),
            ListAnswer::Failed(reason) if attempt + 1 >= READ_ATTEMPTS => {
                return Err(ReadError::Store { what: folder.to_owned(), reason });
            }
            ListAnswer::Failed(_) => io.sleep(backoff(attempt)).await,
        }
        attempt += 1;
    }
}

/// Overwrites a stream's hint with the head that is known now.
pub(super) fn put_hint<E: StreamEvent>(io: &Io, id: &E::Id, seq: Seq) {
    // A hint that is not written costs a listing.
    if let Ok(bytes) = serde_json::to_vec(&Hint { seq }) {
        io.put_hint(hint_key::<E>(id), bytes);
    }
}

/// Where the head probably is: as the hint says, and as a listing says; neither is believed. A hint may be from before a
/// crash, and a listing may lag.
async fn guess<E: StreamEvent>(io: &Io, id: &E::Id, beside: &Beside) -> Result<[Option<Seq>; 2], ReadError> {
    let hint = async { if beside.may_have_hint::<E>(id) { get(io, &hint_key::<E>(id)).await } else { Ok(None) } };
    let (hint, listed) = futures::future::join(hint, listed_top::<E>(io, id, None)).await;
    let hint = hint?.and_then(|(bytes, _)| serde_json::from_slice::<Hint>(&bytes).ok());
    Ok([hint.map(|hint| hint.seq), listed?])
}

/// The last entry that a listing shows, of those after one that is known: what was written before costs nothing. A listing
/// may lag.
pub(super) async fn listed_top<E: StreamEvent>(
    io: &Io,
    id: &E::Id,
    after: Option<Seq>,
) -> Result<Option<Seq>, ReadError> {
    let names = list(io, &stream_folder::<E>(id), after.map(entry_name)).await?;
    Ok(names.iter().filter_map(|listed| parse_entry_name(&listed.name)).max())
}

/// Reads a whole stream.
///
/// # Errors
/// An entry that cannot be used or cannot follow, or a store that does not answer.
pub async fn read_log<E: StreamEvent>(io: &Io, infra: &InfraId, id: &E::Id) -> Result<Vec<Entry<E>>, ReadError> {
    read_log_beside(io, infra, id, &Beside::default()).await
}

/// The same, of a stream of which it may be known what is beside it.
pub(super) async fn read_log_beside<E: StreamEvent>(
    io: &Io,
    infra: &InfraId,
    id: &E::Id,
    beside: &Beside,
) -> Result<Vec<Entry<E>>, ReadError> {
    let mut reading = Reading::<E>::new(io, infra, id, None, E::Said::default());
    reading.all(beside).await?;
    Ok(reading.entries)
}

/// A stream as far as it was read.
struct Reading<'a, E: StreamEvent> {
    io: &'a Io,
    infra: &'a InfraId,
    id: &'a E::Id,
    head: Option<Head>,
    /// What stands up to the head.
    said: E::Said,
    /// What was read here.
    entries: Vec<Entry<E>>,
}

impl<'a, E: StreamEvent> Reading<'a, E> {
    /// From this head on, up to which the stream said that.
    fn new(io: &'a Io, infra: &'a InfraId, id: &'a E::Id, head: Option<Head>, said: E::Said) -> Self {
        Self { io, infra, id, head, said, entries: Vec::new() }
    }

    /// Reads all of it.
    async fn all(&mut self, beside: &Beside) -> Result<(), ReadError> {
        let tops = guess::<E>(self.io, self.id, beside).await?;
        self.up_to(&tops).await
    }

    /// Reads what stands after the head. The stream probably ends at one of these; that a later entry is there while an
    /// earlier one is missing is an error.
    async fn up_to(&mut self, tops: &[Option<Seq>]) -> Result<(), ReadError> {
        self.window(tops.iter().flatten().max().copied()).await?;
        let found = self.head.as_ref().map(|head| head.seq);
        // Further up there is nothing, or entries in between are missing.
        let above =
            tops.iter().flatten().copied().filter(|top| Some(*top) > found && !mutant::on(Mutant::GapNotNoticed));
        for top in above.collect::<BTreeSet<_>>() {
            if get(self.io, &entry_key::<E>(self.id, top)).await?.is_some() {
                let missing = found.map_or(Seq(0), Seq::next);
                // Between the two gets another writer may have put both.
                if get(self.io, &entry_key::<E>(self.id, missing)).await?.is_none() {
                    return Err(ReadError::Gap { stream: shown::<E>(self.id), missing, found: top });
                }
                self.window(Some(top)).await?;
            }
        }
        Ok(())
    }

    /// Reads from the head on, in windows up to and past `top`, until an entry is missing.
    async fn window(&mut self, top: Option<Seq>) -> Result<(), ReadError> {
        loop {
            let next = self.head.as_ref().map_or(0, |head| head.seq.0.saturating_add(1));
            // One more than is expected: that one says that the head is reached.
            let count = top.map_or(1, |top| top.0.saturating_add(2).saturating_sub(next)).clamp(1, WINDOW);
            let keys: Vec<_> = (0..count).map(|n| entry_key::<E>(self.id, Seq(next.saturating_add(n)))).collect();
            let answers = join_all(keys.iter().map(|key| get(self.io, key))).await;
            for (seq, answer) in (next..).map(Seq).zip(answers) {
                let Some((bytes, modified_ms)) = answer? else { return Ok(()) };
                let expected = Expected { infra: self.infra, id: self.id, seq, prev: self.head.as_ref() };
                let read = envelope::read(self.io.memory(), &bytes, modified_ms, &expected, &mut self.said);
                let entry = read.map_err(|unread| match unread {
                    Unread::Entry(error) => ReadError::Entry(error),
                    Unread::Illegal(illegal) => illegal_entry::<E>(self.id, seq, illegal),
                })?;
                self.head = Some(entry.head());
                self.entries.push(entry);
            }
        }
    }
}

/// Folds a block's entries.
///
/// # Errors
/// An entry that cannot follow.
pub fn fold_block(addr: &BlockAddr, entries: &[Entry<BlockEvent>]) -> Result<BlockState, ReadError> {
    let mut state = BlockState::default();
    for entry in entries {
        state.apply(entry).map_err(|illegal| illegal_entry::<BlockEvent>(addr, entry.body.seq, illegal))?;
    }
    Ok(state)
}

pub(super) fn illegal_entry<E: StreamEvent>(id: &E::Id, seq: Seq, illegal: Illegal) -> ReadError {
    ReadError::Illegal { stream: shown::<E>(id), seq, illegal }
}

/// Reads a block's stream and folds it: from its checkpoint on, where it has one that its log bears out.
///
/// # Errors
/// A stream that cannot be read.
pub async fn read_block(io: &Io, infra: &InfraId, addr: &BlockAddr) -> Result<BlockState, ReadError> {
    read_block_beside(io, infra, addr, &Beside::default()).await
}

/// The same, of a block of which it may be known what is beside its stream.
pub(super) async fn read_block_beside(
    io: &Io,
    infra: &InfraId,
    addr: &BlockAddr,
    beside: &Beside,
) -> Result<BlockState, ReadError> {
    if let Some(begin) = checkpoint::find(io, infra, addr, beside).await {
        match go_on(io, infra, addr, begin).await {
            // What is wrong is found and told by who reads all of it.
            Err(ReadError::Entry(_) | ReadError::Illegal { .. } | ReadError::Gap { .. }) => {}
            other => return other,
        }
    }
    let mut reading = Reading::<BlockEvent>::new(io, infra, addr, None, BlockState::default());
    reading.all(beside).await?;
    Ok(reading.said)
}

/// Reads what stands after a state and folds it.
async fn go_on(io: &Io, infra: &InfraId, addr: &BlockAddr, begin: Begin) -> Result<BlockState, ReadError> {
    let Begin { state, top } = begin;
    if state.head.is_none() {
        return Ok(state);
    }
    let mut reading = Reading::<BlockEvent>::new(io, infra, addr, state.head.clone(), state);
    reading.up_to(&[top]).await?;
    Ok(reading.said)
}

/// Reads what has been written to a block's stream since the state was read.
///
/// # Errors
/// A stream that cannot be read; the state is then undefined and must be thrown away.
pub async fn refresh_block(
    io: &Io,
    infra: &InfraId,
    addr: &BlockAddr,
    state: &mut BlockState,
) -> Result<(), ReadError> {
    let mut reading = Reading::<BlockEvent>::new(io, infra, addr, state.head.clone(), std::mem::take(state));
    reading.window(None).await?;
    *state = reading.said;
    Ok(())
}

/// Reads a run's stream and folds it. A stream without entries gives a state that has not started.
///
/// # Errors
/// A stream that cannot be read.
pub async fn read_run(io: &Io, infra: &InfraId, run: &RunId) -> Result<RunState, ReadError> {
    read_run_beside(io, infra, run, &Beside::default()).await
}

/// The same, of a run of which it may be known what is beside its stream.
pub(super) async fn read_run_beside(
    io: &Io,
    infra: &InfraId,
    run: &RunId,
    beside: &Beside,
) -> Result<RunState, ReadError> {
    let mut state = RunState::default();
    for entry in read_log_beside::<RunEvent>(io, infra, run, beside).await? {
        state.apply(&entry).map_err(|illegal| illegal_entry::<RunEvent>(run, entry.body.seq, illegal))?;
    }
    Ok(state)
}

/// The blocks that have a stream.
///
/// # Errors
/// A store that does not answer, or that holds a name which is no block's.
pub async fn list_blocks(io: &Io) -> Result<Vec<BlockAddr>, ReadError> {
    list_streams::<BlockEvent>(io).await
}

/// The runs that have a stream.
///
/// # Errors
/// A store that does not answer, or that holds a name which is no run's.
pub async fn list_runs(io: &Io) -> Result<Vec<RunId>, ReadError> {
    list_streams::<RunEvent>(io).await
}

async fn list_streams<E: StreamEvent>(io: &Io) -> Result<Vec<E::Id>, ReadError> {
    let names = list(io, &kind_folder::<E>(), None).await?;
    let ids = names.into_iter().map(|listed| {
        listed.name.parse().map_err(|bad| ReadError::NotAStream { name: listed.name.escape_debug().to_string(), bad })
    });
    ids.collect()
}
