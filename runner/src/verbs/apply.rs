//! `apply` and `destroy`: plan, ask, execute.

use std::io::{BufRead as _, IsTerminal as _};

use provision_core::desired::Desired;
use provision_core::driver::{draw_nonce, drive};
use provision_core::exec::{GenerationChoice, RunError, RunReport, RunSpec, execute};
use provision_core::machine::{Machine, Memory};
use provision_core::plan::Mode;
use provision_core::stream::event::RunOutcome;

use crate::cli::{ApplyArgs, Cli};
use crate::error::CliError;
use crate::render::progress::Watcher;
use crate::{Exit, render, setup, signals};

/// How often it is planned again because something changed between the plan and the claims: a call or an entry of a run
/// that was killed can still arrive in between. Each of these plans is shown, and approved as the first one was.
const MOST_PLANS: u32 = 3;

pub(crate) async fn run(cli: &Cli, args: &ApplyArgs, desired: Desired, mode: Mode) -> Result<Exit, CliError> {
    let mut spec = setup::spec(cli, desired, mode, args.allow_many_deletions)?;
    let memory = Memory::default();
    let mut plans = 1;
    loop {
        match once(cli, args, &spec, mode, &memory).await {
            Err(CliError::Run(RunError::Changed(what))) if plans < MOST_PLANS => {
                render::line(&format!("Something has changed since the plan was made ({what}); planning again."));
            }
            ended => return ended,
        }
        plans += 1;
        // Another plan and another run: nonces are used once.
        (spec.nonce, spec.writer_nonce) = (draw_nonce()?, draw_nonce()?);
    }
}

async fn once(cli: &Cli, args: &ApplyArgs, spec: &RunSpec, mode: Mode, memory: &Memory) -> Result<Exit, CliError> {
    let prepared = super::plan::make(cli, spec, memory.clone()).await?;
    let plan = prepared.plan;
    render::plan::show(&plan);
    if spec.generation == GenerationChoice::Highest && mode == Mode::Apply {
        render::line(
            "This run was given no generation (--generation), and its store is shared: blocks that the code does not have are kept.",
        );
    }
    if plan.refusals().next().is_some() && plan.touched().is_empty() {
        return Ok(Exit::Failed);
    }
    if plan.is_empty() {
        return Ok(Exit::Ok);
    }
    if !args.auto_approve && !approved(mode).await? {
        render::line("Not approved; nothing was done.");
        return Ok(Exit::Failed);
    }
    let refused = plan.refusals().next().is_some();
    let world = setup::world(cli).await?;
    let mut watcher = Watcher::new(plan.resources().filter(|(_, resource)| resource.acts()).count());
    let machine = Machine::with_memory(memory.clone(), {
        let spec = spec.clone();
        move |io| async move { execute(&io, &spec, &plan).await }
    });
    let report = drive(machine, world, signals::interrupts(), |progress| watcher.see(progress)).await;
    watcher.end();
    let report = report?;
    render::report::show(&report, mode, spec.simulated);
    Ok(exit(&report, refused))
}

fn exit(report: &RunReport, refused: bool) -> Exit {
    match report.outcome {
        RunOutcome::Succeeded if !refused && report.problems.is_empty() => Exit::Ok,
        RunOutcome::Succeeded | RunOutcome::Failed | RunOutcome::Refused => Exit::Failed,
        RunOutcome::Interrupted => Exit::Interrupted,
    }
}

/// Asks for a literal `yes`.
async fn approved(mode: Mode) -> Result<bool, CliError> {
    if !std::io::stdin().is_terminal() {
        return Err(CliError::NoTerminal);
    }
    render::prompt(match mode {
        Mode::Apply => "Apply this plan? Only `yes` is accepted: ",
        Mode::Adopt => "Take these over? Only `yes` is accepted: ",
        Mode::Destroy => "Destroy all of this? Only `yes` is accepted: ",
    });
    // In a thread of its own, so that an interrupt is heard while nothing is typed.
    let read = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).map(|_| answer)
    });
    let answer = signals::unless_interrupted(read).await?.map_err(std::io::Error::other).flatten();
    let answer = answer.map_err(|error| CliError::File("standard input".to_owned(), error))?;
    Ok(answer.trim_end_matches(['\r', '\n']) == "yes")
}
