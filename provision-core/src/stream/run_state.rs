//! The pure fold of a run's stream.

use std::collections::BTreeSet;

use super::envelope::{Entry, Head};
use super::event::{Holder, RunEvent, RunOutcome, TakeOver};
use super::illegal::Illegal;
use crate::id::{BlockAddr, CheckName, Digest, Generation, Revision};
use crate::progress::CheckResult;

/// What the entries of a run's stream amount to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunState {
    /// The last entry.
    pub head: Option<Head>,
    /// When the first entry was written, by the store's clock.
    pub began_ms: u64,
    /// When the last entry was written, by the store's clock.
    pub modified_ms: u64,
    /// How it began; `None` for a stream without entries.
    pub started: Option<RunStart>,
    /// How it ended.
    pub ended: Option<RunOutcome>,
    /// Why another process went on with it, each time.
    pub resumed: Vec<TakeOver>,
    /// What health checks told, in order.
    pub checks: Vec<Checked>,
}

/// What a health check told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Whose health.
    pub block: BlockAddr,
    /// Its name.
    pub check: CheckName,
    /// What it told.
    pub result: CheckResult,
    /// Whether the simulated cloud answered: such a result counts for nothing outside a simulated store.
    pub simulated: bool,
}

/// How a run began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunStart {
    /// Who runs it: whoever resumed it last.
    pub holder: Holder,
    /// How long the lease lasts after each renewal, in milliseconds.
    pub lease_ms: u64,
    /// The digest of the plan.
    pub plan: Digest,
    /// What the plan was made of.
    pub revision: Revision,
    /// Its generation.
    pub generation: Generation,
    /// The blocks that it may change.
    pub blocks: BTreeSet<BlockAddr>,
    /// Whether it runs in a simulated cloud.
    pub simulated: bool,
}

impl RunState {
    /// Takes one more entry in.
    ///
    /// # Errors
    /// An event that cannot follow; the state is then undefined and must be thrown away.
    pub fn apply(&mut self, entry: &Entry<RunEvent>) -> Result<(), Illegal> {
        if let Some(claim) = &entry.body.claim {
            let found = format!("epoch {} of run {}", claim.epoch, claim.run.short());
            return Err(Illegal::NotTheClaim { found, open: "no claim, as in all streams of runs".to_owned() });
        }
        for event in &entry.body.events {
            match (event, &mut self.started, self.ended) {
                (RunEvent::Started { holder, lease_ms, plan, revision, generation, blocks, simulated }, None, None) => {
                    self.started = Some(RunStart {
                        holder: holder.clone(),
                        lease_ms: *lease_ms,
                        plan: plan.clone(),
                        revision: revision.clone(),
                        generation: *generation,
                        blocks: blocks.clone(),
                        simulated: *simulated,
                    });
                }
                // One that was refused had called nothing, and may be tried again.
                (RunEvent::Resumed { holder, lease_ms, took_over }, Some(start), None | Some(RunOutcome::Refused)) => {
                    self.ended = None;
                    (start.holder, start.lease_ms) = (holder.clone(), *lease_ms);
                    self.resumed.push(*took_over);
                }
                (RunEvent::Checked { block, check, result, simulated }, Some(start), None) => {
                    if *simulated && !start.simulated {
                        return Err(Illegal::SimulatedCheck(block.clone()));
                    }
                    self.checks.push(Checked {
                        block: block.clone(),
                        check: check.clone(),
                        result: result.clone(),
                        simulated: *simulated,
                    });
                }
                (RunEvent::Renewed {}, Some(_), None) => {}
                (RunEvent::Ended { outcome }, Some(_), None) => self.ended = Some(*outcome),
                _ => return Err(Illegal::RunOrder),
            }
        }
        if self.head.is_none() {
            self.began_ms = entry.modified_ms;
        }
        self.head = Some(entry.head());
        self.modified_ms = entry.modified_ms;
        Ok(())
    }
}
