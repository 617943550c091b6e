//! `plan`: what an apply would do.

use provision_core::desired::Desired;
use provision_core::embed::Task;
use provision_core::exec::{Prepared, RunSpec, many_deletions, prepare};
use provision_core::machine::Memory;
use provision_core::plan::{Mode, Plan};

use crate::cli::{Cli, PlanArgs};
use crate::error::CliError;
use crate::render::plan::Held;
use crate::render::progress::Watcher;
use crate::setup::{self, Opening};
use crate::verbs::{plan_file, show};
use crate::{Exit, render, signals};

pub(crate) async fn run(cli: &Cli, args: &PlanArgs, desired: Desired) -> Result<Exit, CliError> {
    let mode = if args.destroy { Mode::Destroy } else { Mode::Apply };
    // Nothing is written, so nobody signs.
    let mut spec = setup::spec(cli, desired, mode, setup::no_signer()?)?;
    spec.selection = args.select.selection();
    let Planned { plan, held } = make(cli, &spec, Memory::default(), Opening::Plan).await?;
    if let Some(file) = &args.out {
        plan_file::write(file, &plan)?;
    }
    show::print(&plan, &args.form);
    held.iter().for_each(|held| render::line(&held.line()));
    if let (Mode::Apply, Some(many)) = (plan.mode, many_deletions(&plan)) {
        render::warning(&format!("an apply of this would be refused: {many}"));
    }
    if let Some(file) = &args.out {
        render::line(&render::plan::written(file));
    }
    Ok(match (plan.refusals().next(), plan.is_empty()) {
        (Some(_), _) => Exit::Failed,
        (None, false) if args.detailed_exitcode => Exit::Changes,
        (None, _) => Exit::Ok,
    })
}

/// A plan, and those of its blocks that other runs hold.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) held: Vec<Held>,
}

/// Reads and plans, with progress.
pub(crate) async fn make(cli: &Cli, spec: &RunSpec, memory: Memory, opening: Opening) -> Result<Planned, CliError> {
    let mut watcher = Watcher::new(None, false);
    let world = setup::world(cli, &spec.desired.custom_checks, opening).await?;
    let spec = spec.clone();
    let planning = Task::start(memory, world, |io| async move {
        let Prepared { plan, recorded, world: _ } = prepare(&io, &spec).await?;
        let mut held = Vec::new();
        for block in plan.touched() {
            let state = recorded.get(&block).and_then(|recorded| recorded.as_ref().ok());
            if let Some(claim) = state.and_then(|state| state.claim.clone()) {
                let process = io.probe_holder(claim.holder.clone()).await;
                held.push(Held { block, claim, process });
            }
        }
        Ok(Planned { plan, held })
    });
    let planned = signals::unless_interrupted(watcher.watch(planning)).await;
    watcher.end();
    Ok(planned??)
}
