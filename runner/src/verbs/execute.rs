//! What all verbs share that make a run: plan, ask, execute, report.

use std::io::{BufRead as _, IsTerminal as _};
use std::time::SystemTime;

use provision_core::desired::Desired;
use provision_core::driver::{draw_nonce, drive};
use provision_core::exec::{GenerationChoice, RunError, RunReport, RunSpec, execute};
use provision_core::machine::{Machine, Memory};
use provision_core::plan::{Mode, Plan};
use provision_core::stream::ClaimError;
use provision_core::stream::event::RunOutcome;

use crate::cli::{Cli, RunArgs};
use crate::error::{CliError, chain};
use crate::render::progress::Watcher;
use crate::report::{self, Account, Times};
use crate::{Exit, events, render, setup, signals};

/// How often it is planned again because something changed between the plan and the claims: a call or an entry of a run
/// that was killed can still arrive in between. Each of these plans is shown, and approved as the first one was.
const MOST_PLANS: u32 = 3;

/// How a command ended, and what there is to account for.
pub(crate) type Ended = (Result<Exit, CliError>, Option<Account>);

/// A command that makes a run.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) cli: &'a Cli,
    pub(crate) args: &'a RunArgs,
    pub(crate) desired: &'a Desired,
    /// What it is for; of a plan in a file only what the verb says.
    pub(crate) mode: Mode,
}

impl Job<'_> {
    /// What its run is made of, before the verb says more.
    pub(crate) fn spec(&self, many_deletions: bool) -> Result<RunSpec, CliError> {
        let mut spec = setup::spec(self.cli, self.desired.clone(), self.mode, many_deletions)?;
        spec.lock_timeout = self.args.lock_timeout.unwrap_or_default();
        Ok(spec)
    }

    /// Does the work, which is given the time at which it begins, and accounts for it however it ends.
    pub(crate) async fn account_for(&self, work: impl AsyncFnOnce(u64) -> Ended) -> Result<Exit, CliError> {
        let Self { cli, args, desired, mode } = *self;
        if args.json && !args.auto_approve {
            return Err(CliError::JsonAsks);
        }
        report::create(&args.report)?;
        let started_ms = report::millis(SystemTime::now());
        let (ended, account) = work(started_ms).await;
        let exit = match &ended {
            Ok(exit) => *exit,
            Err(error) => {
                render::error(&chain(error));
                Exit::of(error)
            }
        };
        let account = account.unwrap_or_else(|| {
            let outcome = if exit == Exit::Interrupted { RunOutcome::Interrupted } else { RunOutcome::Refused };
            let reason = ended.as_ref().err().map(|error| chain(error)).unwrap_or_default();
            let times = until_now(started_ms);
            Account::without_plan(desired, cli.revision.clone(), mode, outcome, reason, cli.simulate, times)
        });
        // Where nothing was run, everything has been said.
        let ran = account.blocks.iter().any(|block| !block.actions.is_empty() || !block.checks.is_empty());
        if render::is_json() || ran {
            render::report::show(&account);
        }
        report::write(&args.report, &account)?;
        if exit == Exit::Failed && account.outcome == RunOutcome::Failed {
            render::hint("What was done is recorded; once the cause is mended, apply again to go on.");
        }
        Ok(exit)
    }
}

/// Plans, and executes that.
pub(crate) async fn plan_and_execute(job: &Job<'_>, mut spec: RunSpec, started_ms: u64) -> Ended {
    let memory = Memory::default();
    let mut plans = 1;
    loop {
        let mut account = None;
        let ended = match super::plan::make(job.cli, &spec, memory.clone()).await {
            Ok(prepared) => carry_out(job, &spec, &memory, &prepared.plan, started_ms, &mut account).await,
            Err(error) => Err(error),
        };
        match ended {
            Err(CliError::Run(RunError::Changed(what))) if plans < MOST_PLANS => {
                render::line(&format!("Something has changed since the plan was made ({what}); planning again."));
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
    started_ms: u64,
    account: &mut Option<Account>,
) -> Result<Exit, CliError> {
    let refused = plan.refusals().next().is_some();
    let mut tell = |report: RunReport, reason: Option<String>| {
        *account = Some(Account::new(plan, &spec.desired, report, reason, spec.simulated, until_now(started_ms)));
    };
    show(plan, spec);
    if plan.is_empty() {
        // Nothing to do is no failure, unless there are blocks of which nobody knows.
        let outcome = if refused { RunOutcome::Refused } else { RunOutcome::Succeeded };
        tell(RunReport { outcome, ..RunReport::not_begun(plan, "", None) }, None);
        return Ok(if refused { Exit::Failed } else { Exit::Ok });
    }
    match approved(job.args, spec.mode).await {
        Ok(true) => {}
        Ok(false) => {
            render::line("Not approved; nothing was done.");
            tell(RunReport::not_begun(plan, "not approved", None), Some("not approved".to_owned()));
            return Ok(Exit::Failed);
        }
        Err(error) => {
            let (why, outcome) = (chain(&error), outcome(&error));
            tell(RunReport { outcome, ..RunReport::not_begun(plan, &why, None) }, Some(why));
            return Err(error);
        }
    }
    match do_it(job, spec, memory, plan).await {
        Ok(report) => {
            let exit = exit(&report, refused);
            tell(report, None);
            Ok(exit)
        }
        Err(error) => {
            let why = chain(&error);
            tell(RunReport::not_begun(plan, &why, cause(&error)), Some(why));
            Err(error)
        }
    }
}

async fn do_it(job: &Job<'_>, spec: &RunSpec, memory: &Memory, plan: &Plan) -> Result<RunReport, CliError> {
    let world = setup::world(job.cli, &job.desired.custom_checks).await?;
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

fn until_now(started_ms: u64) -> Times {
    Times { started_ms, ended_ms: report::millis(SystemTime::now()) }
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
    let answer = signals::unless_interrupted(read).await?.map_err(std::io::Error::other).flatten();
    let answer = answer.map_err(|error| CliError::File("standard input".to_owned(), error))?;
    Ok(answer.trim_end_matches(['\r', '\n']) == "yes")
}
