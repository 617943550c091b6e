//! Claiming a block, and judging whether a claim that is still open may be superseded.

use std::time::Duration;

use thiserror::Error;

use super::commit::Claim;
use super::envelope::ClaimRef;
use super::event::{BlockEvent, Holder, TakeOver};
use super::fold::{BlockState, OpenClaim};
use super::lease::LeaseLapsed;
use super::log::{ReadError, illegal_entry, listed_top, put_hint, read_run, refresh_block};
use super::name::shown;
use super::run::{RunStream, StampError, patience};
use super::write::{WriteError, Written, put_next};
use crate::id::{BlockAddr, Generation, RunId, Seq};
use crate::machine::{HolderState, Io};
use crate::mutant::{self, Mutant};

/// How often a lost race for the next entry is judged again.
const CLAIM_ATTEMPTS: u32 = 16;

/// Another run holds the block.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "block {block} is held by {} (run {}, since {}): wait until it has ended; if its process is gone, \
     the block can be taken over {} s after its last sign of life",
    holder.name, run.short(), holder.since, wait.as_secs()
)]
pub struct ClaimRefused {
    /// The block.
    pub block: BlockAddr,
    /// Who holds it.
    pub holder: Holder,
    /// The run that holds it.
    pub run: RunId,
    /// How long the holder must have been silent.
    pub wait: Duration,
}

/// A block that was not claimed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClaimError {
    /// Another run holds it.
    #[error(transparent)]
    Refused(Box<ClaimRefused>),
    /// A newer generation has written to the block.
    #[error(
        "block {block} was last changed by generation {last}, this is {ours}: build from the newer code \
         (revision {revision})"
    )]
    OlderGeneration {
        /// The block.
        block: BlockAddr,
        /// Ours.
        ours: Generation,
        /// The block's last one.
        last: Generation,
        /// The revision of the block's last entry.
        revision: String,
    },
    /// Others wrote to the block again and again.
    #[error("block {block}: other runs were faster {CLAIM_ATTEMPTS} times; try again")]
    Busy {
        /// The block.
        block: BlockAddr,
    },
    /// The run that holds the block has no stream.
    #[error(
        "block {block} is held by run {run}, whose stream is not in the store: entries are never deleted; restore it"
    )]
    NoSuchRun {
        /// The block.
        block: BlockAddr,
        /// The run.
        run: RunId,
    },
    /// Our own lease has lapsed.
    #[error(transparent)]
    Lapsed(#[from] LeaseLapsed),
    /// A stream cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The claim could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl From<StampError> for ClaimError {
    fn from(error: StampError) -> Self {
        match error {
            StampError::Lapsed(lapsed) => Self::Lapsed(lapsed),
            StampError::Write(error) => Self::Write(error),
            StampError::Read(error) => Self::Read(error),
        }
    }
}

/// Claims a block for a run. `state` is what was read of the block's stream; it may be old.
///
/// # Errors
/// Another run holds the block and may not be superseded, or a stream cannot be read or written.
pub async fn claim_block(
    io: &Io,
    run: &RunStream,
    addr: &BlockAddr,
    mut state: BlockState,
) -> Result<Claim, ClaimError> {
    let author = run.author();
    for _ in 0..CLAIM_ATTEMPTS {
        if author.generation < state.generation && !mutant::on(Mutant::OlderGenerationAccepted) {
            return Err(ClaimError::OlderGeneration {
                block: addr.clone(),
                ours: author.generation,
                last: state.generation,
                revision: state.revision.map_or_else(String::new, |revision| revision.to_string()),
            });
        }
        let took_over = match &state.claim {
            Some(open) => match judge(io, run, addr, open).await {
                Ok(reason) => Some(reason),
                // It may have given the block back while we judged.
                Err(error) => {
                    let head = state.head.clone();
                    refresh_block(io, &author.infra, addr, &mut state).await?;
                    if state.head == head {
                        return Err(error);
                    }
                    continue;
                }
            },
            None => None,
        };
        // Reading ends at the first entry that is missing. If it was deleted, writing there would fork the stream.
        let head = state.head.clone();
        let seq = head.as_ref().map(|head| head.seq);
        if let Some(found) = listed_top::<BlockEvent>(io, addr, seq).await?.filter(|top| Some(*top) > seq)
            && !mutant::on(Mutant::GapNotNoticed)
        {
            refresh_block(io, &author.infra, addr, &mut state).await?;
            if state.head == head {
                let missing = seq.map_or(Seq(0), Seq::next);
                return Err(ReadError::Gap { stream: shown::<BlockEvent>(addr), missing, found }.into());
            }
            continue;
        }
        run.lease().check(io.now())?;
        let epoch = state.epoch.next();
        let event = BlockEvent::Claimed { run: run.id().clone(), epoch, holder: run.holder().clone(), took_over };
        let claim = ClaimRef { run: run.id().clone(), epoch };
        match put_next(io, author, addr, state.head.as_ref(), Some(claim), vec![event.into()]).await? {
            Written::Ours(entry) => {
                let seq = entry.body.seq;
                state.apply(&entry).map_err(|illegal| illegal_entry::<BlockEvent>(addr, seq, illegal))?;
                put_hint::<BlockEvent>(io, addr, seq);
                return Ok(Claim::new(run.clone(), io.clone(), addr.clone(), epoch, state));
            }
            Written::Taken(_) => refresh_block(io, &author.infra, addr, &mut state).await?,
        }
    }
    Err(ClaimError::Busy { block: addr.clone() })
}

/// Why the open claim may be superseded, or that it may not.
async fn judge(io: &Io, run: &RunStream, addr: &BlockAddr, open: &OpenClaim) -> Result<TakeOver, ClaimError> {
    if mutant::on(Mutant::TakesOverAlive) {
        return Ok(TakeOver::LeaseExpired);
    }
    // Our own run, by a process that this one has superseded in the run's stream already.
    if let (true, Some(took_over)) = (open.run == *run.id(), run.resumed()) {
        return Ok(took_over);
    }
    let infra = &run.author().infra;
    if read_run(io, infra, &open.run).await?.ended.is_some() {
        return Ok(TakeOver::RunEnded);
    }
    if io.probe_holder(open.holder.clone()).await == HolderState::Dead {
        return Ok(TakeOver::HolderDead);
    }
    // By the store's own clock: the stamp of an entry that we have just put, then the last one of the holder's. In this
    // order: a renewal that lands after our entry was sent by a holder whose lease had lapsed by then.
    let ours = if mutant::on(Mutant::ClocksCompared) { io.now().wall_ms } else { run.stamp().await? };
    let holder = read_run(io, infra, &open.run).await?;
    if holder.ended.is_some() {
        return Ok(TakeOver::RunEnded);
    }
    let Some(start) = holder.started else {
        return Err(ClaimError::NoSuchRun { block: addr.clone(), run: open.run.clone() });
    };
    let wait = patience(&start, run.lease().timing());
    let silent = Duration::from_millis(ours.saturating_sub(holder.modified_ms));
    if silent > wait && !mutant::on(Mutant::NeverTakesOver) {
        return Ok(TakeOver::LeaseExpired);
    }
    Err(ClaimError::Refused(Box::new(ClaimRefused {
        block: addr.clone(),
        holder: open.holder.clone(),
        run: open.run.clone(),
        wait,
    })))
}
