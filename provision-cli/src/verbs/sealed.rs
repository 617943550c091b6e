//! `apply FILE`: the plan in a file, as it is and once. A run of it that was cut off is gone on with.

use std::path::Path;

use provision_core::exec::{Binding, GenerationChoice, RunSpec, fits};
use provision_core::machine::Memory;
use provision_core::plan::Plan;
use provision_core::stream::{RunStart, earlier_run};

use super::execute::carry_out;
use super::job::{Ended, Job};
use super::plan_file;
use crate::error::CliError;
use crate::report::Account;
use crate::{Exit, render, store};

pub(crate) async fn run(job: &Job<'_>, file: &Path, many_deletions: bool) -> Ended {
    let mut account = None;
    let ended = once(job, file, many_deletions, &mut account).await;
    (ended, account)
}

async fn once(
    job: &Job<'_>,
    file: &Path,
    many_deletions: bool,
    account: &mut Option<Account>,
) -> Result<Exit, CliError> {
    let plan = plan_file::read(file)?;
    match (plan.simulated, job.cli.simulate) {
        (true, false) => return Err(CliError::PlanIsSimulated),
        (false, true) => return Err(CliError::PlanIsReal),
        (true, true) | (false, false) => {}
    }
    let spec = of_plan(job.spec(many_deletions)?, &plan, job);
    // What is wrong is said before anybody is asked. The core looks at all of it again.
    fits(&spec, &plan)?;
    let resumed = resumed(job, &spec, &plan).await?;
    render::line(&format!("{}\n", render::plan::title(&plan)));
    if let Some(resumed) = resumed {
        render::line(&format!("{resumed}\n"));
    }
    carry_out(job, &spec, &Memory::default(), &plan, account).await
}

/// What the flags do not say, the plan does.
fn of_plan(spec: RunSpec, plan: &Plan, job: &Job<'_>) -> RunSpec {
    RunSpec {
        revision: job.cli.revision.clone().unwrap_or_else(|| plan.revision.clone()),
        generation: GenerationChoice::Given(job.cli.generation.unwrap_or(plan.generation)),
        nonce: plan.nonce,
        mode: plan.mode,
        selection: plan.selection.clone(),
        binding: Binding::Sealed,
        ..spec
    }
}

/// Whose run this goes on with, in words, if it was begun and cut off.
async fn resumed(job: &Job<'_>, spec: &RunSpec, plan: &Plan) -> Result<Option<String>, CliError> {
    let (run, timing) = (plan.run_id(), spec.timing);
    let earlier = store::read_before_run(job.cli, plan.infra.clone(), {
        let run = run.clone();
        move |io, infra| async move { Ok(earlier_run(&io, &infra, &run, timing).await?) }
    });
    let start = earlier.await?.and_then(|state| state.started);
    Ok(start.map(|RunStart { holder, .. }| {
        format!(
            "Resuming run {}, begun by {} at {}.",
            run.short(),
            render::plain(&holder.name),
            render::plain(&holder.since)
        )
    }))
}
