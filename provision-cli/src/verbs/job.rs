//! A command that makes a run: its reports are emptied before anything else, and however it ends, it is accounted for.

use std::time::SystemTime;

use provision_core::desired::Desired;
use provision_core::dsl::Infrastructure;
use provision_core::exec::{BlockResult, RunSpec};
use provision_core::plan::Mode;
use provision_core::stream::event::RunOutcome;

use super::validate;
use crate::cli::{Cli, RunArgs};
use crate::error::{CliError, chain};
use crate::report::{self, Account, Reached, Times, Unplanned};
use crate::{Exit, render, setup};

/// How a command ended, and what there is to account for.
pub(crate) type Ended = (Result<Exit, CliError>, Option<Account>);

/// A command that makes a run of code without findings.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) cli: &'a Cli,
    pub(crate) args: &'a RunArgs,
    pub(crate) desired: &'a Desired,
    /// What it is for; of a plan in a file only what the verb says.
    pub(crate) mode: Mode,
    /// When it began, in milliseconds since 1970.
    pub(crate) started_ms: u64,
}

impl Job<'_> {
    /// What its run is made of, before the verb says more.
    pub(crate) fn spec(&self, many_deletions: bool) -> Result<RunSpec, CliError> {
        let spec = setup::spec(self.cli, self.desired.clone(), self.mode, setup::signer()?)?;
        Ok(RunSpec { lock_timeout: self.args.lock_timeout.unwrap_or_default(), many_deletions, ..spec })
    }

    /// From its beginning to now.
    pub(crate) fn times(&self) -> Times {
        until_now(self.started_ms)
    }
}

/// Does the work of a verb that makes a run, and accounts for it however it ends: also where there was no plan, or no code
/// to make one of.
pub(crate) async fn accounted(
    cli: &Cli,
    args: &RunArgs,
    mode: Mode,
    infrastructure: fn() -> Infrastructure,
    work: impl AsyncFnOnce(&Job<'_>) -> Ended,
) -> Result<Exit, CliError> {
    let started_ms = report::millis(SystemTime::now());
    let created = report::create(&args.report);
    let is_created = created.is_ok();
    let code = infrastructure();
    let infra = code.name().ok();
    let finished = match mode {
        // What never must be is soon no more.
        Mode::Destroy => code.finish(),
        Mode::Apply | Mode::Adopt => super::finished(code),
    };
    let (ended, account) = match (created, &finished) {
        (Err(error), _) => (Err(error), None),
        (Ok(()), _) if args.json && !args.auto_approve => (Err(CliError::JsonAsks), None),
        (Ok(()), Err(findings)) => (Err(validate::refused(findings)), None),
        (Ok(()), Ok(desired)) => work(&Job { cli, args, desired, mode, started_ms }).await,
    };
    let exit = match &ended {
        Ok(exit) => *exit,
        Err(error) => {
            render::error(&chain(error));
            Exit::of(error)
        }
    };
    let account = account.unwrap_or_else(|| {
        let desired = finished.as_ref().ok();
        let blocks = desired.into_iter().flat_map(|desired| desired.blocks.keys().cloned());
        Account::unplanned(Unplanned {
            infra,
            desired,
            revision: cli.revision.clone(),
            mode,
            simulated: cli.simulate,
            outcome: if exit == Exit::Interrupted { RunOutcome::Interrupted } else { RunOutcome::Refused },
            blocks: blocks.map(|block| (block, BlockResult::Skipped)).collect(),
            reason: Some(ended.as_ref().err().map(|error| chain(error)).unwrap_or_default()),
            problems: finished.as_ref().err().into_iter().flatten().map(ToString::to_string).collect(),
            times: until_now(started_ms),
        })
    });
    // Before the account is shown, which ends the event stream. A file that could not be made has been told of.
    let written = report::write(&args.report, &account);
    let exit = match written {
        Err(error) if is_created => {
            render::error(&chain(&error));
            exit.and_failed()
        }
        Ok(()) | Err(_) => exit,
    };
    // Where nothing was run, everything has been said.
    if render::is_json() || account.reached == Reached::Run {
        render::report::show(&account);
    }
    if exit == Exit::Failed && account.outcome == RunOutcome::Failed {
        render::hint("What was done is recorded; once the cause is mended, a new plan goes on from there.");
    }
    Ok(exit)
}

fn until_now(started_ms: u64) -> Times {
    Times { started_ms, ended_ms: report::millis(SystemTime::now()) }
}
