//! `apply` and `destroy`: plan, ask, execute, report.

use std::io::{BufRead as _, IsTerminal as _};
use std::time::SystemTime;

use provision_core::desired::Desired;
use provision_core::embed::{Engine, PlanRequest};
use provision_core::exec::{Binding, GenerationChoice, RunError, RunReport};
use provision_core::plan::{Mode, Plan};
use provision_core::stream::ClaimError;
use provision_core::stream::event::RunOutcome;

use crate::cli::{ApplyArgs, Cli};
use crate::error::{CliError, chain};
use crate::render::progress::Watcher;
use crate::report::{self, Account, Times};
use crate::{Exit, events, render, setup, signals};

/// How often it is planned again because something changed between the plan and the claims: a call or an entry of a run
/// that was killed can still arrive in between. Each of these plans is shown, and approved as the first one was.
const MOST_PLANS: u32 = 3;

pub(crate) async fn run(cli: &Cli, args: &ApplyArgs, desired: Desired, mode: Mode) -> Result<Exit, CliError> {
    if args.json && !args.auto_approve {
        return Err(CliError::JsonAsks);
    }
    report::create(&args.report)?;
    let started_ms = report::millis(SystemTime::now());
    let (ended, account) = match setup::engine(cli, desired.clone(), args.allow_many_deletions).await {
        Ok(engine) => plan_and_execute(args, &engine, mode, started_ms).await,
        Err(error) => (Err(error), None),
    };
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
        Account::without_plan(&desired, cli.revision.clone(), mode, outcome, reason, cli.simulate, times)
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

async fn plan_and_execute(
    args: &ApplyArgs,
    engine: &Engine,
    mode: Mode,
    started_ms: u64,
) -> (Result<Exit, CliError>, Option<Account>) {
    let mut plans = 1;
    loop {
        let mut account = None;
        match once(args, engine, mode, started_ms, &mut account).await {
            Err(CliError::Run(RunError::Changed(what))) if plans < MOST_PLANS => {
                render::line(&format!("Something has changed since the plan was made ({what}); planning again."));
            }
            ended => return (ended, account),
        }
        plans += 1;
    }
}

/// Plans once, and executes that. What there is to account for is left in `account`, however it ends.
async fn once(
    args: &ApplyArgs,
    engine: &Engine,
    mode: Mode,
    started_ms: u64,
    account: &mut Option<Account>,
) -> Result<Exit, CliError> {
    let plan = super::plan::make(engine, &PlanRequest::of(mode)).await?.plan;
    let refused = plan.refusals().next().is_some();
    let mut tell = |report: RunReport, reason: Option<String>| {
        *account = Some(Account::new(&plan, &engine.desired, report, reason, engine.simulated, until_now(started_ms)));
    };
    show(&plan, engine);
    if plan.is_empty() {
        // Nothing to do is no failure, unless there are blocks of which nobody knows.
        let outcome = if refused { RunOutcome::Refused } else { RunOutcome::Succeeded };
        tell(RunReport { outcome, ..RunReport::not_begun(&plan, "", None) }, None);
        return Ok(if refused { Exit::Failed } else { Exit::Ok });
    }
    match approved(args, mode).await {
        Ok(true) => {}
        Ok(false) => {
            render::line("Not approved; nothing was done.");
            tell(RunReport::not_begun(&plan, "not approved", None), Some("not approved".to_owned()));
            return Ok(Exit::Failed);
        }
        Err(error) => {
            let (why, outcome) = (chain(&error), outcome(&error));
            tell(RunReport { outcome, ..RunReport::not_begun(&plan, &why, None) }, Some(why));
            return Err(error);
        }
    }
    match do_it(args, engine, &plan).await {
        Ok(report) => {
            let exit = exit(&report, refused);
            tell(report, None);
            Ok(exit)
        }
        Err(error) => {
            let why = chain(&error);
            tell(RunReport::not_begun(&plan, &why, cause(&error)), Some(why));
            Err(error)
        }
    }
}

async fn do_it(args: &ApplyArgs, engine: &Engine, plan: &Plan) -> Result<RunReport, CliError> {
    let mut watcher = Watcher::new(Some(plan), args.verbose);
    let mut run = engine.apply(plan.clone(), Binding::Ceiling);
    let mut interrupts = signals::interrupts(watcher.screen());
    loop {
        tokio::select! {
            event = run.next_event() => match event {
                Some(event) => watcher.see(&event),
                None => break,
            },
            Some(()) = interrupts.recv() => run.interrupt(),
        }
    }
    let report = run.finish().await;
    watcher.end();
    Ok(report?)
}

fn show(plan: &Plan, engine: &Engine) {
    if render::is_json() {
        events::planned(plan).iter().for_each(render::event);
    } else {
        render::plan::show(plan);
    }
    if engine.generation == GenerationChoice::Highest && plan.mode == Mode::Apply {
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
    let CliError::Run(RunError::Claim(error)) = error else { return None };
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
async fn approved(args: &ApplyArgs, mode: Mode) -> Result<bool, CliError> {
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
