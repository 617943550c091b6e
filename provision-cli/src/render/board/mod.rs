//! What a run looks like while it goes on: what to print for each event, and what the live display shows now.
//!
//! Pure: events, times since the beginning and the terminal's size go in, lines come out.

mod block;
mod live;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use provision_core::id::BlockAddr;
use provision_core::plan::{Moved, Plan, ResourcePlan};
use provision_core::progress::{CheckResult, Progress};

use super::style::{RED, YELLOW};
use super::{plain, words};
use block::BlockNow;

/// How much is printed for good, beside the live display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// How each block ended, what failed, what took long, what an interrupted run had left.
    Blocks,
    /// How each resource ended, too.
    Resources,
    /// Everything that happens: there is no live display.
    Events,
}

/// A run as its events have told so far.
pub(crate) struct Board {
    detail: Detail,
    blocks: BTreeMap<BlockAddr, BlockNow>,
    phase: (String, Duration),
    claimed: usize,
    /// How many blocks are to be claimed.
    claims: usize,
    interrupted: Option<Duration>,
}

impl Board {
    /// Of a run of this plan; without one, of planning.
    pub(crate) fn new(plan: Option<&Plan>, detail: Detail) -> Self {
        let (mut blocks, mut claims) = (BTreeMap::new(), 0);
        if let Some(plan) = plan {
            claims = plan.touched().len();
            for (addr, change) in plan.changes() {
                let actions = change.resources.values().map(actions).sum();
                if actions > 0 {
                    let checks = if super::plan::is_checked(plan, change) { change.checks.len() } else { 0 };
                    blocks.insert(addr.clone(), BlockNow::new(actions, checks));
                }
            }
        }
        let phase = if plan.is_some() { "starting the run" } else { "opening the state" };
        let phase = (phase.to_owned(), Duration::ZERO);
        Self { detail, blocks, phase, claimed: 0, claims, interrupted: None }
    }

    /// Takes an event in. Returns what is printed for good.
    pub(crate) fn see(&mut self, progress: &Progress, now: Duration) -> Vec<String> {
        let (mut seen, mut block) = (Seen::Ordinary, None);
        match progress {
            Progress::Phase { what } => self.phase = (plain(what), now),
            Progress::Claimed { .. } => {
                self.claimed += 1;
                self.phase = (format!("claiming the blocks, {}/{}", self.claimed, self.claims.max(self.claimed)), now);
            }
            Progress::Started { resource, verb } => {
                self.block(&resource.block).started(resource, *verb, now);
            }
            Progress::Waiting { resource, why } => self.block(&resource.block).waiting(resource, why),
            Progress::Finished { resource, verb, .. } => {
                seen = self.block(&resource.block).finished(resource, *verb);
                block = Some(&resource.block);
            }
            Progress::Failed { resource, .. } => {
                self.block(&resource.block).failed(resource);
                (seen, block) = (Seen::Trouble, Some(&resource.block));
            }
            Progress::Skipped { resource, why, .. } => {
                self.block(&resource.block).skipped(resource, why);
                block = Some(&resource.block);
            }
            Progress::Moved { resource, .. } => {
                self.block(&resource.block).moved(now);
                block = Some(&resource.block);
            }
            Progress::Checking { block, check, what } => self.block(block).checking(check, what, now),
            Progress::Checked { block: of, check, result, .. } => {
                self.block(of).checked(check, result);
                if matches!(result, CheckResult::Failed { .. }) {
                    seen = Seen::Trouble;
                }
                block = Some(of);
            }
            Progress::Recovered { .. } => seen = Seen::Trouble,
        }
        let told = match self.detail {
            Detail::Events => true,
            Detail::Resources => !is_chatter(progress),
            Detail::Blocks => seen != Seen::Ordinary,
        };
        let mut lines = Vec::new();
        if told {
            lines.push(words::text(progress));
        }
        if let Some(addr) = block
            && let Some(block) = self.blocks.get_mut(addr)
            && block.is_over()
        {
            lines.extend(block.tell(addr, now));
        }
        lines
    }

    /// What has gone on for so long that it is worth a line, again when it has gone on for twice as long.
    pub(crate) fn slow(&mut self, now: Duration) -> Vec<String> {
        self.blocks.values_mut().flat_map(|block| block.slow(now)).collect()
    }

    /// The run was interrupted: it drains.
    pub(crate) fn interrupt(&mut self, now: Duration, again: bool) -> Vec<String> {
        if self.interrupted.is_some() {
            return Vec::new();
        }
        self.interrupted = Some(now);
        let hint = if again { " Interrupt again to stop at once." } else { "" };
        vec![format!(
            "{YELLOW}Interrupted:{YELLOW:#} nothing new is begun; calls on their way are waited for, 8 s at most.{hint}"
        )]
    }

    /// The run is over. Returns how the blocks ended that were begun and have not been told of.
    pub(crate) fn end(&mut self, now: Duration) -> Vec<String> {
        self.blocks.iter_mut().filter_map(|(addr, block)| block.tell(addr, now)).collect()
    }

    /// The live display: lines that are shorter than the width, fewer than the height.
    pub(crate) fn live(&self, now: Duration, width: usize, height: usize) -> Vec<String> {
        live::lines(self, now, width, height)
    }

    fn block(&mut self, addr: &BlockAddr) -> &mut BlockNow {
        self.blocks.entry(addr.clone()).or_insert_with(|| BlockNow::new(0, 0))
    }
}

/// How many actions are told of: the half of a move that leaves an address is not.
fn actions(resource: &ResourcePlan) -> usize {
    let moves = matches!(resource.moved, Some(Moved::In { .. }));
    [resource.applies(), resource.retires(), moves].into_iter().map(usize::from).sum()
}

/// How much an event matters beside the live display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Ordinary,
    /// It ends something that a line was printed about.
    Awaited,
    /// It failed, or it comes from a run that was interrupted.
    Trouble,
}

/// What the live display shows anyway.
fn is_chatter(progress: &Progress) -> bool {
    match progress {
        Progress::Phase { .. }
        | Progress::Started { .. }
        | Progress::Claimed { .. }
        | Progress::Waiting { .. }
        | Progress::Checking { .. } => true,
        Progress::Finished { .. }
        | Progress::Failed { .. }
        | Progress::Skipped { .. }
        | Progress::Moved { .. }
        | Progress::Checked { .. }
        | Progress::Recovered { .. } => false,
    }
}

/// `1 failed`, in red; nothing for none.
fn failures(count: usize) -> Option<String> {
    (count > 0).then(|| format!("{RED}{count} failed{RED:#}"))
}
