//! Claiming the blocks of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt as _;

use super::binding::{Binding, bound_state, last_writer, planned_state};
use super::error::RunError;
use super::run::RunSpec;
use crate::id::BlockAddr;
use crate::machine::Io;
use crate::mutant::{self, Mutant};
use crate::plan::Plan;
use crate::progress::Progress;
use crate::stream::event::BlockEvent;
use crate::stream::{BlockState, Claim, ClaimError, RunStream, claim_block, fold_block, read_block, read_log};

/// How many blocks are claimed at once. A claim takes three or four answers of the store, one after the other.
const AT_ONCE: usize = 16;
/// How often a block that another run holds is asked for.
const LOCK_RETRY: Duration = Duration::from_secs(2);

/// How patient a claim is with a block that another run holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    None,
    /// As much as the run has.
    Given,
}

/// Claims every block that the plan may change. What was claimed is in `claims`, also where it fails.
///
/// The first block alone: of two runs that need the same blocks one gets them all. Then several at once, as long as nobody
/// waits. While a block is waited for, only blocks before it are held, in the order of their addresses, so that no two runs
/// wait for each other.
pub(super) async fn claim_all(
    io: &Io,
    spec: &RunSpec,
    approved: &Plan,
    run: &RunStream,
    claims: &mut BTreeMap<BlockAddr, Claim>,
) -> Result<(), RunError> {
    let mut left = approved.touched();
    while let Some(next) = left.pop_first() {
        claim(io, spec, approved, run, &next, Patience::Given, claims).await?;
        let Some((held, error)) = at_once(io, spec, approved, run, left.clone(), claims).await else { return Ok(()) };
        let waits = matches!(&error, RunError::Claim(ClaimError::Refused(_))) && !spec.lock_timeout.is_zero();
        if !waits {
            return Err(error);
        }
        for (_, later) in claims.split_off(&held) {
            later.release().await.map_err(ClaimError::from)?;
        }
        left = left.split_off(&held);
    }
    Ok(())
}

/// Claims them all without waiting; the first one that could not be claimed, by its address, and why. Nothing is begun
/// after that, and what was begun is finished: a claim whose outcome nobody knows would stay until the run ends.
async fn at_once(
    io: &Io,
    spec: &RunSpec,
    approved: &Plan,
    run: &RunStream,
    blocks: BTreeSet<BlockAddr>,
    claims: &mut BTreeMap<BlockAddr, Claim>,
) -> Option<(BlockAddr, RunError)> {
    let stopped = &AtomicBool::new(false);
    let mut claiming = futures::stream::iter(blocks)
        .map(|addr| async move {
            let mut claimed = BTreeMap::new();
            if stopped.load(Ordering::Relaxed) {
                return (addr, claimed, Ok(()));
            }
            let ended = claim(io, spec, approved, run, &addr, Patience::None, &mut claimed).await;
            if ended.is_err() {
                stopped.store(true, Ordering::Relaxed);
            }
            (addr, claimed, ended)
        })
        .buffered(AT_ONCE);
    let mut first = None;
    while let Some((addr, claimed, ended)) = claiming.next().await {
        claims.extend(claimed);
        if let (Err(error), None) = (ended, &first) {
            first = Some((addr, error));
        }
    }
    first
}

async fn claim(
    io: &Io,
    spec: &RunSpec,
    approved: &Plan,
    run: &RunStream,
    addr: &BlockAddr,
    patience: Patience,
    claims: &mut BTreeMap<BlockAddr, Claim>,
) -> Result<(), RunError> {
    let infra = &spec.desired.infra;
    let (recorded, bound) = match (spec.binding, run.resumed()) {
        // What the run has written before is looked up in the log.
        (Binding::Sealed, Some(_)) => {
            let log = read_log::<BlockEvent>(io, infra, addr).await?;
            (fold_block(addr, &log)?, bound_state(approved, run.id(), addr, &log)?)
        }
        (Binding::Sealed, None) | (Binding::Ceiling, _) => {
            (read_block(io, infra, addr).await?, planned_state(approved, addr))
        }
    };
    let claim = patiently(io, spec, run, addr, recorded, patience).await?;
    io.emit(Progress::Claimed { block: addr.clone(), run: run.id().clone() });
    let state = claim.state();
    claims.insert(addr.clone(), claim);
    if spec.binding == Binding::Sealed && state.state_digest() != bound && !mutant::on(Mutant::StalePlanApplied) {
        // Whoever it was may have written while the block was waited for.
        let log = read_log::<BlockEvent>(io, &spec.desired.infra, addr).await?;
        return Err(RunError::Stale { by: last_writer(&log, run.id()), block: addr.clone() });
    }
    Ok(())
}

/// Claims a block; waits for whoever holds it as long as the run may.
async fn patiently(
    io: &Io,
    spec: &RunSpec,
    run: &RunStream,
    addr: &BlockAddr,
    mut state: BlockState,
    patience: Patience,
) -> Result<Claim, RunError> {
    let began = io.now().boot_ms;
    loop {
        let refused = match claim_block(io, run, addr, state).await {
            Ok(claim) => return Ok(claim),
            Err(ClaimError::Refused(refused)) => refused,
            Err(error) => return Err(error.into()),
        };
        let waited = Duration::from_millis(io.now().boot_ms.saturating_sub(began));
        if patience == Patience::None || waited >= spec.lock_timeout {
            return Err(ClaimError::Refused(refused).into());
        }
        if io.interrupts() > 0 {
            return Err(RunError::Interrupted(addr.clone()));
        }
        let left = spec.lock_timeout.saturating_sub(waited);
        let what = format!(
            "{addr} is held by {} (run {}): waiting for it, {} s at most",
            refused.holder.name,
            refused.run.short(),
            left.as_millis().div_ceil(1_000)
        );
        io.emit(Progress::Phase { what });
        let pause = std::pin::pin!(io.sleep(LOCK_RETRY.min(left)));
        let interrupted = std::pin::pin!(io.interrupted());
        futures::future::select(pause, interrupted).await;
        state = read_block(io, &spec.desired.infra, addr).await?;
    }
}
