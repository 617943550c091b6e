//! `plan`: what an apply would do.

use provision_core::desired::Desired;
use provision_core::embed::Task;
use provision_core::exec::{Prepared, RunSpec, prepare};
use provision_core::machine::Memory;
use provision_core::plan::Mode;

use crate::cli::{Cli, PlanArgs};
use crate::error::CliError;
use crate::render::progress::Watcher;
use crate::verbs::{plan_file, show};
use crate::{Exit, render, setup, signals};

pub(crate) async fn run(cli: &Cli, args: &PlanArgs, desired: Desired) -> Result<Exit, CliError> {
    let mode = if args.destroy { Mode::Destroy } else { Mode::Apply };
    let mut spec = setup::spec(cli, desired, mode, true)?;
    spec.selection = args.select.selection();
    let prepared = make(cli, &spec, Memory::default()).await?;
    if let Some(file) = &args.out {
        plan_file::write(file, &prepared.plan)?;
    }
    show::print(&prepared.plan, &args.form);
    if let Some(file) = &args.out {
        render::line(&render::plan::written(file));
    }
    Ok(match (prepared.plan.refusals().next(), prepared.plan.is_empty()) {
        (Some(_), _) => Exit::Failed,
        (None, false) if args.detailed_exitcode => Exit::Changes,
        (None, _) => Exit::Ok,
    })
}

/// Reads and plans, with progress.
pub(crate) async fn make(cli: &Cli, spec: &RunSpec, memory: Memory) -> Result<Prepared, CliError> {
    let mut watcher = Watcher::new(None, false);
    let world = setup::world(cli, &spec.desired.custom_checks).await?;
    let spec = spec.clone();
    let planning = Task::start(memory, world, |io| async move { prepare(&io, &spec).await });
    let prepared = signals::unless_interrupted(watcher.watch(planning)).await;
    watcher.end();
    Ok(prepared??)
}
