//! The pure fold of a run's stream.

use std::collections::BTreeSet;

use super::envelope::{Entry, Head};
use super::event::{Holder, RunEvent, RunOutcome};
use super::fold::Illegal;
use crate::id::{BlockAddr, Digest, Generation, Revision};

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
}

/// How a run began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunStart {
    /// Who runs it.
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
            match (event, self.started.is_some(), self.ended) {
                (
                    RunEvent::Started { holder, lease_ms, plan, revision, generation, blocks, simulated },
                    false,
                    None,
                ) => {
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
                (RunEvent::Renewed {}, true, None) => {}
                (RunEvent::Ended { outcome }, true, None) => self.ended = Some(*outcome),
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
