//! The report as JSON.

use provision_core::exec::{ActionReport, ActionResult, CheckReport};
use provision_core::progress::CheckResult;
use serde_json::{Value, json};

use super::account::took_ms;
use super::{Account, BlockAccount, utc};

/// The version of this format. A second number that rises adds something; the first one changes what there was.
const FORMAT_VERSION: &str = "1.0";

/// The report. Times are those of the runner, in UTC; durations are in seconds.
pub(crate) fn document(account: &Account) -> Value {
    let counts = account.counts();
    json!({
        "format_version": FORMAT_VERSION,
        "infra": account.infra,
        "revision": account.revision,
        "generation": account.generation,
        "mode": account.mode,
        "simulated": account.simulated,
        "run": account.run,
        "outcome": account.outcome,
        "reason": account.reason,
        "started": time(Some(account.times.started_ms)),
        "ended": time(Some(account.times.ended_ms)),
        "seconds": seconds(Some(account.times.started_ms), Some(account.times.ended_ms)),
        "changes": {
            "added": counts.added, "changed": counts.changed, "destroyed": counts.destroyed,
            "moved": counts.moved, "adopted": counts.adopted,
        },
        "blocks": account.blocks.iter().map(block).collect::<Vec<_>>(),
        "problems": account.problems,
    })
}

fn block(block: &BlockAccount) -> Value {
    let report = &block.report;
    json!({
        "name": block.addr,
        "env": block.env,
        "dc": block.addr.dc,
        "started": time(report.started_ms),
        "ended": time(report.ended_ms),
        "seconds": seconds(report.started_ms, report.ended_ms),
        "result": report.result,
        "reason": report.reason,
        "cause": report.cause,
        "actions": block.actions.iter().map(action).collect::<Vec<_>>(),
        "checks": block.checks.iter().map(check).collect::<Vec<_>>(),
    })
}

fn action(action: &ActionReport) -> Value {
    let (result, reason, cause) = match &action.result {
        ActionResult::Done => ("done", None, None),
        ActionResult::Unneeded => ("unneeded", None, None),
        ActionResult::Failed { error } => ("failed", Some(error), None),
        ActionResult::CutOff { made: _ } => ("interrupted", None, None),
        ActionResult::Skipped { why, cause } => ("skipped", Some(why), cause.as_ref()),
    };
    json!({
        "resource": action.resource,
        "action": action.verb,
        "started": time(action.began_ms),
        "ended": time(action.ended_ms),
        "seconds": seconds(action.began_ms, action.ended_ms),
        "result": result,
        "reason": reason,
        "cause": cause,
    })
}

fn check(check: &CheckReport) -> Value {
    let (result, reason) = match &check.result {
        CheckResult::Passed => ("passed", None),
        CheckResult::Failed { reason } => ("failed", Some(reason)),
        CheckResult::Interrupted => ("interrupted", None),
    };
    json!({
        "name": check.check,
        "started": time(Some(check.began_ms)),
        "ended": time(Some(check.ended_ms)),
        "seconds": seconds(Some(check.began_ms), Some(check.ended_ms)),
        "result": result,
        "reason": reason,
        "simulated": check.simulated,
    })
}

fn time(ms: Option<u64>) -> Option<String> {
    Some(utc(ms?)?.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a duration that is shown: a double holds 285,000 years of milliseconds"
)]
fn seconds(began: Option<u64>, ended: Option<u64>) -> Option<f64> {
    took_ms(began, ended).map(|ms| ms as f64 / 1_000.0)
}
