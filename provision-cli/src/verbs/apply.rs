//! `apply` and `destroy`.

use provision_core::dsl::Infrastructure;
use provision_core::plan::Mode;

use super::execute::plan_and_execute;
use super::job::{Ended, Job, accounted};
use super::sealed;
use crate::Exit;
use crate::cli::{ApplyArgs, Cli, DestroyArgs, SelectArgs};
use crate::error::CliError;

pub(crate) async fn apply(
    cli: &Cli,
    args: &ApplyArgs,
    infrastructure: fn() -> Infrastructure,
) -> Result<Exit, CliError> {
    let ApplyArgs { file, select, allow_many_deletions, run } = args;
    let work = async |job: &Job<'_>| match file {
        Some(_) if !select.selection().is_all() => (Err(CliError::SelectsOfPlan), None),
        Some(file) => sealed::run(job, file, *allow_many_deletions).await,
        None => planned_now(job, select, *allow_many_deletions).await,
    };
    accounted(cli, run, Mode::Apply, infrastructure, work).await
}

pub(crate) async fn destroy(
    cli: &Cli,
    args: &DestroyArgs,
    infrastructure: fn() -> Infrastructure,
) -> Result<Exit, CliError> {
    let work = async |job: &Job<'_>| planned_now(job, &args.select, true).await;
    accounted(cli, &args.run, Mode::Destroy, infrastructure, work).await
}

async fn planned_now(job: &Job<'_>, select: &SelectArgs, many_deletions: bool) -> Ended {
    match job.spec(many_deletions) {
        Ok(mut spec) => {
            spec.selection = select.selection();
            plan_and_execute(job, spec).await
        }
        Err(error) => (Err(error), None),
    }
}
