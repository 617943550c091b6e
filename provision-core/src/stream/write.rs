//! Writing one entry: put-if-absent at the next key, with read-back of unknown outcomes.

use thiserror::Error;

use super::envelope::{self, Author, ClaimRef, Entry, EntryProblem, Expected, Head, Say};
use super::illegal::Illegal;
use super::log::backoff;
use super::name::{StreamEvent, entry_key, shown};
use crate::id::Seq;
use crate::machine::{GetAnswer, Io, PutAnswer};
use crate::mutant::{self, Mutant};

/// How often a put whose outcome is unknown is sent again.
const PUT_ATTEMPTS: u32 = 8;

/// An entry that was not written, or of which it is not known.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WriteError {
    /// Another writer wrote the next entry: this one can never write to the stream again.
    #[error("{stream}: {by} wrote entry {seq} before us: this run was superseded and writes nothing more there")]
    Superseded {
        /// The stream.
        stream: String,
        /// The entry that is taken.
        seq: Seq,
        /// Who wrote it, as far as that can be read.
        by: String,
    },
    /// It could not be found out whether the entry was written. It may still come to be.
    #[error("{stream}: it is not known whether entry {seq} was written, nothing more is written there: {reason}")]
    Unresolved {
        /// The stream.
        stream: String,
        /// The entry.
        seq: Seq,
        /// What was seen instead of an answer.
        reason: String,
    },
    /// The entry would not be legal. A bug: nothing was written.
    #[error("bug: an entry for {stream} would not be legal: {illegal}")]
    Illegal {
        /// The stream.
        stream: String,
        /// Why.
        illegal: Illegal,
    },
    /// What would be written could not be read again. A bug: nothing was written.
    #[error("bug: {stream}: an entry could not be read again: {problem}")]
    Unreadable {
        /// The stream.
        stream: String,
        /// Why.
        problem: EntryProblem,
    },
    /// The claim was released, or the run ended, before.
    #[error("bug: an entry for {stream} after this run gave it back")]
    GivenBack {
        /// The stream.
        stream: String,
    },
}

/// How an attempt to write the next entry ended.
pub(super) enum Written<E> {
    /// It stands.
    Ours(Entry<E>),
    /// The key holds other bytes.
    Taken(Vec<u8>),
}

/// Writes the entry after `prev`.
///
/// # Errors
/// [`WriteError::Unresolved`]: the bytes are then neither known to stand nor known not to. [`WriteError::Unreadable`]:
/// nothing was sent.
pub(super) async fn put_next<E: StreamEvent>(
    io: &Io,
    author: &Author,
    id: &E::Id,
    prev: Option<&Head>,
    claim: Option<ClaimRef>,
    events: Vec<Say<E>>,
) -> Result<Written<E>, WriteError> {
    let shorts: Vec<_> = events.iter().map(|say| say.short.clone()).collect();
    let (body, mut bytes) = author.compose(id, prev, claim, events);
    // Entries are never deleted: one that cannot be read would close the stream for good.
    let expected = Expected { infra: &author.infra, id, seq: body.seq, prev };
    let read = envelope::reread(io.memory(), &bytes, &body, &shorts, &expected)
        .map_err(|problem| WriteError::Unreadable { stream: shown::<E>(id), problem })?;
    let key = entry_key::<E>(id, body.seq);
    let ours = |modified_ms| Ok(Written::Ours(Entry { modified_ms, ..read.clone() }));
    let mut attempt = 0;
    loop {
        let put = io.put(key.clone(), bytes.clone()).await;
        let unknown = matches!(put, PutAnswer::Unknown(_));
        if put == PutAnswer::Done || (unknown && mutant::on(Mutant::UnknownPutIsDone)) {
            return ours(0);
        }
        if put == PutAnswer::Exists && mutant::on(Mutant::ExistsIsNotReadBack) {
            return Ok(Written::Taken(Vec::new()));
        }
        // "Exists" may be our own first attempt, whose answer was lost.
        let mut reason = match io.get(key.clone()).await {
            GetAnswer::Found { bytes: found, modified_ms } if found == bytes => {
                return ours(modified_ms);
            }
            GetAnswer::Found { bytes: found, modified_ms: _ } => return Ok(Written::Taken(found)),
            GetAnswer::Missing => "the store does not show it".to_owned(),
            GetAnswer::Failed(reason) => format!("it cannot be read back: {reason}"),
        };
        if let PutAnswer::Unknown(unknown) = put {
            reason = format!("{unknown}; {reason}");
        }
        attempt += 1;
        if attempt >= PUT_ATTEMPTS {
            return Err(WriteError::Unresolved { stream: shown::<E>(id), seq: body.seq, reason });
        }
        if unknown && mutant::on(Mutant::PutRetriedWithOtherBytes) {
            let says = body.events.iter().cloned().map(Say::from).collect();
            let (other, bytes_of_it) = author.compose(id, prev, body.claim.clone(), says);
            bytes = bytes_of_it;
            drop(envelope::reread(io.memory(), &bytes, &other, &vec![None; shorts.len()], &expected));
        }
        io.sleep(backoff(attempt)).await;
    }
}

/// The error for a key that another writer took.
pub(super) fn superseded<E: StreamEvent>(author: &Author, id: &E::Id, prev: Option<&Head>, taken: &[u8]) -> WriteError {
    let seq = prev.map_or(Seq(0), |head| head.seq.next());
    let expected = Expected { infra: &author.infra, id, seq, prev };
    let by = envelope::written_by::<E>(taken, &expected).unwrap_or_else(|error| format!("somebody unknown ({error})"));
    WriteError::Superseded { stream: shown::<E>(id), seq, by }
}
