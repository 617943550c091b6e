//! The account of a run: its report, and what its plan and its code say about the blocks.

use std::collections::BTreeMap;

use provision_core::desired::Desired;
use provision_core::exec::{ActionReport, ActionResult, BlockReport, BlockResult, CheckReport, RunReport};
use provision_core::id::{BlockAddr, EnvName, Generation, InfraId, Revision, RunId};
use provision_core::plan::{BlockPlan, Mode, Plan};
use provision_core::progress::Verb;
use provision_core::stream::event::RunOutcome;

/// The account of a run.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    /// Not known where the code gives it a name that is none.
    pub(crate) infra: Option<InfraId>,
    /// What the code was built from, where that is known.
    pub(crate) revision: Option<Revision>,
    /// Known with the plan.
    pub(crate) generation: Option<Generation>,
    pub(crate) mode: Mode,
    pub(crate) simulated: bool,
    /// Known with the plan.
    pub(crate) run: Option<RunId>,
    /// How far the command came.
    pub(crate) reached: Reached,
    pub(crate) outcome: RunOutcome,
    /// Why nothing was done, where the run was refused as a whole.
    pub(crate) reason: Option<String>,
    pub(crate) problems: Vec<String>,
    pub(crate) times: Times,
    /// In the order of their addresses.
    pub(crate) blocks: Vec<BlockAccount>,
}

/// How far a command came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reached {
    /// No run was begun.
    NoRun,
    /// A run was begun, whatever it did.
    Run,
}

/// What there is to say of a command that ended before there was a plan: nothing of the code was touched.
pub(crate) struct Unplanned<'a> {
    pub(crate) infra: Option<InfraId>,
    /// Of code without findings.
    pub(crate) desired: Option<&'a Desired>,
    pub(crate) revision: Option<Revision>,
    pub(crate) mode: Mode,
    pub(crate) simulated: bool,
    pub(crate) outcome: RunOutcome,
    /// What became of the blocks that it was about.
    pub(crate) blocks: BTreeMap<BlockAddr, BlockResult>,
    pub(crate) reason: Option<String>,
    pub(crate) problems: Vec<String>,
    pub(crate) times: Times,
}

/// When the command began and ended, in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) started_ms: u64,
    pub(crate) ended_ms: u64,
}

/// What became of a block.
#[derive(Debug, Clone)]
pub(crate) struct BlockAccount {
    pub(crate) addr: BlockAddr,
    pub(crate) env: Option<EnvName>,
    pub(crate) report: BlockReport,
    pub(crate) actions: Vec<ActionReport>,
    pub(crate) checks: Vec<CheckReport>,
}

/// How many resources were changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub(crate) added: usize,
    pub(crate) changed: usize,
    pub(crate) destroyed: usize,
    pub(crate) moved: usize,
    pub(crate) adopted: usize,
}

impl Account {
    /// Of this plan; `reason` says why a run of it was refused as a whole, where it was.
    pub(crate) fn new(
        plan: &Plan,
        desired: &Desired,
        report: RunReport,
        reached: Reached,
        reason: Option<String>,
        times: Times,
    ) -> Self {
        let RunReport { run, outcome, actions, checks, blocks, problems } = report;
        let blocks = blocks.into_iter().map(|(addr, report)| BlockAccount {
            env: env(Some(plan), desired, &addr),
            actions: actions.iter().filter(|action| action.resource.block == addr).cloned().collect(),
            checks: checks.iter().filter(|check| check.block == addr).cloned().collect(),
            addr,
            report,
        });
        Self {
            infra: Some(plan.infra.clone()),
            revision: Some(plan.revision.clone()),
            generation: Some(plan.generation),
            mode: plan.mode,
            simulated: plan.simulated,
            run: Some(run),
            reached,
            outcome,
            reason,
            problems,
            times,
            blocks: blocks.collect(),
        }
    }

    /// Of a command that ended before there was a plan.
    pub(crate) fn unplanned(unplanned: Unplanned<'_>) -> Self {
        let Unplanned { infra, desired, revision, mode, simulated, outcome, blocks, reason, problems, times } =
            unplanned;
        let blocks = blocks.into_iter().map(|(addr, result)| BlockAccount {
            env: desired.and_then(|desired| env(None, desired, &addr)),
            addr,
            report: BlockReport { started_ms: None, ended_ms: None, result, reason: reason.clone(), cause: None },
            actions: Vec::new(),
            checks: Vec::new(),
        });
        let blocks = blocks.collect();
        Self {
            infra,
            revision,
            generation: None,
            mode,
            simulated,
            run: None,
            reached: Reached::NoRun,
            outcome,
            reason,
            problems,
            times,
            blocks,
        }
    }

    /// How many resources were changed. A replacement adds one here, and destroys one where the old object went.
    pub(crate) fn counts(&self) -> Counts {
        let mut sum = Counts::default();
        for counts in self.blocks.iter().map(BlockAccount::counts) {
            sum.added += counts.added;
            sum.changed += counts.changed;
            sum.destroyed += counts.destroyed;
            sum.moved += counts.moved;
            sum.adopted += counts.adopted;
        }
        sum
    }

    /// How the run ended, in a few words.
    pub(crate) fn how(&self) -> String {
        let verb = match self.mode {
            Mode::Apply => "Apply",
            Mode::Destroy => "Destroy",
            Mode::Adopt => "Adoption",
        };
        match self.outcome {
            RunOutcome::Succeeded => format!("{verb} complete!"),
            RunOutcome::Failed => format!("{verb} failed."),
            RunOutcome::Interrupted => "Interrupted; the next run goes on from here.".to_owned(),
            RunOutcome::Refused => "Refused.".to_owned(),
        }
    }

    /// What was done, and by which run.
    pub(crate) fn what(&self) -> String {
        let Counts { added, changed, destroyed, moved, adopted } = self.counts();
        let some = |count: usize, what| if count > 0 { format!(", {count} {what}") } else { String::new() };
        let (moved, adopted) = (some(moved, "moved"), some(adopted, "taken over"));
        let run = self.run.as_ref().map(|run| format!(". Run {}", run.short())).unwrap_or_default();
        let cloud = if self.simulated { " (simulated)" } else { "" };
        format!("Resources: {added} added, {changed} changed, {destroyed} destroyed{moved}{adopted}{run}{cloud}.")
    }

    /// Both in one sentence.
    pub(crate) fn sentence(&self) -> String {
        format!("{} {}", self.how(), self.what())
    }
}

impl BlockAccount {
    /// How many of its resources were changed.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        let counts_for = |result: &ActionResult| match result {
            ActionResult::Done | ActionResult::CutOff { made: Some(_) } => true,
            ActionResult::Unneeded
            | ActionResult::Failed { .. }
            | ActionResult::Skipped { .. }
            | ActionResult::CutOff { made: None } => false,
        };
        for action in self.actions.iter().filter(|action| counts_for(&action.result)) {
            match action.verb {
                Verb::Create | Verb::Replace => counts.added += 1,
                Verb::Update => counts.changed += 1,
                Verb::Delete => counts.destroyed += 1,
                Verb::Move => counts.moved += 1,
                Verb::Adopt => counts.adopted += 1,
            }
        }
        counts
    }

    /// How long it took, in milliseconds, if it was begun.
    pub(crate) fn took_ms(&self) -> Option<u64> {
        took_ms(self.report.started_ms, self.report.ended_ms)
    }
}

/// The time between the two. The wall clock may have been set back meanwhile: then it is 0.
pub(super) fn took_ms(began: Option<u64>, ended: Option<u64>) -> Option<u64> {
    Some(ended?.saturating_sub(began?))
}

fn env(plan: Option<&Plan>, desired: &Desired, addr: &BlockAddr) -> Option<EnvName> {
    match plan.and_then(|plan| plan.blocks.get(addr)) {
        Some(BlockPlan::Planned(change)) => Some(change.env.clone()),
        Some(BlockPlan::Refused { .. }) | None => desired.dcs.get(&addr.dc).map(|dc| dc.env.clone()),
    }
}
