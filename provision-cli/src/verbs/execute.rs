//! What all verbs share that make a run: plan, ask, execute.

use std::io::{BufRead as _, IsTerminal as _};

use provision_core::driver::{draw_nonce, drive};
use provision_core::exec::{GenerationChoice, RunError, RunReport, RunSpec, execute, many_deletions};
use provision_core::machine::{Machine, Memory};
use provision_core::plan::{Mode, Plan};
use provision_core::stream::ClaimError;
use provision_core::stream::event::RunOutcome;

use super::job::{Ended, Job};
use crate::cli::RunArgs;
use crate::error::{CliError, chain};
use crate::render::progress::Watcher;
use crate::report::{Account, Reached};
use crate::setup::{self, Opening};
use crate::{Exit, events, render, signals};

/// How often it is planned again because something changed between the plan and the claims: a call or an entry of a run
/// that was killed can still arrive in between. Each of these plans is shown, and approved as the first one was.
const MOST_PLANS: u32 = 3;

/// Plans, and executes that.
pub(crate) async fn plan_and_execute(job: &Job<'_>, mut spec: RunSpec) -> Ended {
    let memory = Memory::default();
    let mut plans = 1;
    loop {
        let mut account = None;
        let ended = match super::plan::make(job.cli, &spec, memory.clone(), Opening::Run).await {
            Ok(planned) => carry_out(job, &spec, &memory, &planned.plan, &mut account).await,
            Err(error) => Err(error),
        };
        match ended {
            Err(CliError::Run(RunError::Changed(what))) if plans < MOST_PLANS => {
                render::line(&format!(
                    "Something has changed since the plan was made ({}); planning again.",
                    render::plain(&what)
                ));
            }
            ended => return (ended, account),
        }
        plans += 1;
        // Another plan and another run: nonces are used once.
        match (draw_nonce(), draw_nonce()) {
            (Ok(nonce), Ok(writer_nonce)) => (spec.nonce, spec.writer_nonce) = (nonce, writer_nonce),
            (Err(error), _) | (_, Err(error)) => return (Err(error.into()), account),
        }
    }
}

/// Shows a plan, asks, and executes it. What there is to account for is left in `account`, however it ends.
pub(crate) async fn carry_out(
    job: &Job<'_>,
    spec: &RunSpec,
    memory: &Memory,
    plan: &Plan,
    account: &mut Option<Account>,
) -> Result<Exit, CliError> {
    let refused = plan.refusals().next().is_some();
    let mut tell = |report: RunReport, reached: Reached, reason: Option<String>| {
        *account = Some(Account::new(plan, &spec.desired, report, reached, reason, job.times()));
    };
    show(plan, spec);
    if plan.is_empty() {
        // Nothing to do is no failure, unless there are blocks of which nobody knows.
        let outcome = if refused { RunOutcome::Refused } else { RunOutcome::Succeeded };
        tell(RunReport { outcome, ..RunReport::not_begun(plan, "", None) }, Reached::NoRun, None);
        return Ok(if refused { Exit::Failed } else { Exit::Ok });
    }
    // Nobody is asked for what would be refused then.
    let approval = match many_deletions(plan).filter(|_| !spec.many_deletions) {
        Some(many) => Err(many.into()),
        None => approved(job.args, spec.mode).await,
    };
    match approval {
        Ok(true) => {}
        Ok(false) => {
            render::line("Not approved; nothing was done.");
            tell(RunReport::not_begun(plan, "not approved", None), Reached::NoRun, Some("not approved".to_owned()));
            return Ok(Exit::Failed);
        }
        Err(error) => {
            let (why, outcome) = (chain(&error), outcome(&error));
            tell(RunReport { outcome, ..RunReport::not_begun(plan, &why, None) }, Reached::NoRun, Some(why));
            return Err(error);
        }
    }
    match do_it(job, spec, memory, plan).await {
        Ok(report) => {
            let exit = exit(&report, refused);
            report.problems.iter().for_each(|problem| render::error(problem));
            tell(report, Reached::Run, None);
            Ok(exit)
        }
        Err(error) => {
            let (why, outcome) = (chain(&error), outcome(&error));
            let report = RunReport { outcome, ..RunReport::not_begun(plan, &why, cause(&error)) };
            tell(report, Reached::NoRun, Some(why));
            Err(error)
        }
    }
}

async fn do_it(job: &Job<'_>, spec: &RunSpec, memory: &Memory, plan: &Plan) -> Result<RunReport, CliError> {
    let world = setup::world(job.cli, &job.desired.custom_checks, Opening::Run).await?;
    let mut watcher = Watcher::new(Some(plan), job.args.verbose);
    let machine = Machine::with_memory(memory.clone(), {
        let (spec, plan) = (spec.clone(), plan.clone());
        move |io| async move { execute(&io, &spec, &plan).await }
    });
    let interrupts = signals::interrupts(watcher.screen());
    let report = drive(machine, world, interrupts, |progress| watcher.see(progress)).await;
    watcher.end();
    Ok(report?)
}

fn show(plan: &Plan, spec: &RunSpec) {
    if render::is_json() {
        events::planned(plan).iter().for_each(render::event);
    } else {
        render::plan::show(plan);
    }
    if spec.generation == GenerationChoice::Highest && spec.mode == Mode::Apply {
        render::line(
            "This run was given no generation (--generation), and its store is shared: blocks that the code does not have are kept.",
        );
    }
}

fn exit(report: &RunReport, refused: bool) -> Exit {
    match report.outcome {
        RunOutcome::Succeeded if !refused && report.problems.is_empty() => Exit::Ok,
        RunOutcome::Succeeded | RunOutcome::Failed | RunOutcome::Refused => Exit::Failed,
        RunOutcome::Interrupted => Exit::Interrupted,
    }
}

fn outcome(error: &CliError) -> RunOutcome {
    match Exit::of(error) {
        Exit::Interrupted => RunOutcome::Interrupted,
        Exit::Ok | Exit::Failed | Exit::Changes => RunOutcome::Refused,
    }
}

/// The block that a refused run is due to.
fn cause(error: &CliError) -> Option<String> {
    let error = match error {
        CliError::Run(RunError::Stale { block, .. }) => return Some(block.to_string()),
        CliError::Run(RunError::Claim(error)) => error,
        _ => return None,
    };
    let block = match error {
        ClaimError::Refused(refused) => &refused.block,
        ClaimError::OlderGeneration { block, .. }
        | ClaimError::Busy { block }
        | ClaimError::NoSuchRun { block, .. } => block,
        ClaimError::Lapsed(_) | ClaimError::Read(_) | ClaimError::Write(_) => return None,
    };
    Some(block.to_string())
}

/// Asks for a literal `yes`, unless that was given.
async fn approved(args: &RunArgs, mode: Mode) -> Result<bool, CliError> {
    if args.auto_approve {
        return Ok(true);
    }
    if !args.input {
        return Err(CliError::NoInput);
    }
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
    let answer = signals::unless_interrupted(read).await;
    // Nobody ended the line: an interrupt, or the end of the input.
    if !matches!(&answer, Ok(Ok(Ok(answer))) if answer.ends_with('\n')) {
        render::line("");
    }
    let answer = answer?.map_err(std::io::Error::other).flatten();
    let answer = answer.map_err(|error| CliError::File("standard input".to_owned(), error))?;
    Ok(answer.trim_end_matches(['\r', '\n']) == "yes")
}
