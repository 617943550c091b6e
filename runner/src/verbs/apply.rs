//! `apply` and `destroy`.

use provision_core::desired::Desired;
use provision_core::plan::Mode;

use super::execute::{Job, plan_and_execute};
use super::sealed;
use crate::Exit;
use crate::cli::{ApplyArgs, Cli, DestroyArgs, RunArgs, SelectArgs};
use crate::error::CliError;

pub(crate) async fn apply(cli: &Cli, args: &ApplyArgs, desired: Desired) -> Result<Exit, CliError> {
    let ApplyArgs { file, select, allow_many_deletions, run } = args;
    match file {
        Some(_) if !select.selection().is_all() => Err(CliError::SelectsOfPlan),
        Some(file) => {
            sealed::run(&Job { cli, args: run, desired: &desired, mode: Mode::Apply }, file, *allow_many_deletions)
                .await
        }
        None => planned_now(cli, run, select, &desired, Mode::Apply, *allow_many_deletions).await,
    }
}

pub(crate) async fn destroy(cli: &Cli, args: &DestroyArgs, desired: Desired) -> Result<Exit, CliError> {
    planned_now(cli, &args.run, &args.select, &desired, Mode::Destroy, true).await
}

async fn planned_now(
    cli: &Cli,
    args: &RunArgs,
    select: &SelectArgs,
    desired: &Desired,
    mode: Mode,
    many_deletions: bool,
) -> Result<Exit, CliError> {
    let job = Job { cli, args, desired, mode };
    let work = async |started_ms| match job.spec(many_deletions) {
        Ok(mut spec) => {
            spec.selection = select.selection();
            plan_and_execute(&job, spec, started_ms).await
        }
        Err(error) => (Err(error), None),
    };
    job.account_for(work).await
}
