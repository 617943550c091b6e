//! What binds a run to the plan that was approved: the code it was made of, the state it was made from.

use std::collections::BTreeMap;

use super::error::RunError;
use super::run::{GenerationChoice, RunSpec};
use crate::desired::DesiredBlock;
use crate::id::{BlockAddr, Digest, ObjectId, ResourceAddr, RunId};
use crate::plan::{BlockInput, BlockPlan, Mode, Plan};
use crate::stream::event::BlockEvent;
use crate::stream::{Entry, ReadError, fold_block};

/// How strictly an approved plan binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// What is done lies inside the plan; the logs may have moved on since it was made.
    Ceiling,
    /// The logs, too, are those that the plan was made from, or that its own run has written since.
    Sealed,
}

/// Whether the plan was made by this code, for this infrastructure.
///
/// # Errors
/// What of it was made of something else than the spec.
pub fn fits(spec: &RunSpec, approved: &Plan) -> Result<(), RunError> {
    let other = |what: String| Err(RunError::OtherPlan(what));
    let desired = &spec.desired;
    if approved.infra != desired.infra {
        return other(format!("is of infrastructure `{}`, and this is `{}`", approved.infra, desired.infra));
    }
    if approved.simulated != spec.simulated {
        let of = |simulated| if simulated { "for the simulated cloud" } else { "for the clouds themselves" };
        return other(format!("was made {}, and this is a run {}", of(approved.simulated), of(spec.simulated)));
    }
    if approved.revision != spec.revision {
        return other(format!("was made of revision {}, and this is {}", approved.revision, spec.revision));
    }
    if let GenerationChoice::Given(generation) = spec.generation
        && generation != approved.generation
    {
        return other(format!("was made with generation {}, and this is {generation}", approved.generation));
    }
    if approved.nonce != spec.nonce {
        return Err(RunError::OtherPlan("has another nonce than its run".to_owned()));
    }
    for (addr, change) in approved.changes() {
        let now = desired.blocks.get(addr).filter(|_| approved.mode != Mode::Destroy).map(DesiredBlock::digest);
        if now != change.definition {
            return other(format!("was made with another definition of {addr} than this build has"));
        }
    }
    Ok(())
}

/// The digest of the state that the plan may find in a block: the one that it was made from, or, if its run has written
/// there, the one that the run left.
pub(super) fn bound_state(
    approved: &Plan,
    run: &RunId,
    addr: &BlockAddr,
    log: &[Entry<BlockEvent>],
) -> Result<Digest, ReadError> {
    // A claim that came to nothing leaves what others wrote as it is.
    let says_more = |event: &BlockEvent| !matches!(event, BlockEvent::Claimed { .. } | BlockEvent::Released {});
    let ours = |entry: &Entry<BlockEvent>| {
        entry.body.claim.as_ref().is_some_and(|claim| claim.run == *run) && entry.body.events.iter().any(says_more)
    };
    if let Some(last) = log.iter().rposition(ours) {
        return Ok(fold_block(addr, log.get(..=last).unwrap_or_default())?.state_digest());
    }
    Ok(planned_state(approved, addr))
}

/// The digest of the state that the plan was made from.
pub(super) fn planned_state(approved: &Plan, addr: &BlockAddr) -> Digest {
    match approved.blocks.get(addr) {
        Some(BlockPlan::Planned(change)) => change.state.clone(),
        Some(BlockPlan::Refused { .. }) | None => Digest::of(b""),
    }
}

/// Who wrote last to a block, this run aside, as the end of an error.
pub(super) fn last_writer(log: &[Entry<BlockEvent>], but: &RunId) -> String {
    let last = log.iter().rev().find_map(|entry| {
        let claim = entry.body.claim.as_ref().filter(|claim| claim.run != *but)?;
        Some((claim, &entry.body))
    });
    last.map_or_else(String::new, |(claim, body)| {
        format!(": run {}, by {}, revision {}", claim.run.short(), body.writer.name, body.revision)
    })
}

/// The objects that the run made before it was cut off.
pub(super) fn made_by(run: &RunId, recorded: &BTreeMap<BlockAddr, BlockInput>) -> Vec<(ResourceAddr, ObjectId)> {
    let mut made = Vec::new();
    for (block, recorded) in recorded {
        let Ok(state) = recorded else { continue };
        let ours = state.resources.iter().filter(|(_, state)| state.maker.as_ref() == Some(run));
        made.extend(ours.map(|(name, state)| (block.resource(name.clone()), state.object.id.clone())));
    }
    made
}
