//! What became of each block, from what became of its actions and checks.

use std::collections::BTreeMap;

use super::report::{ActionReport, ActionResult, BlockReport, BlockResult, CheckReport, RunReport};
use super::scheduler::INTERRUPTED;
use crate::id::BlockAddr;
use crate::plan::{BlockPlan, Plan};
use crate::progress::CheckResult;
use crate::stream::event::RunOutcome;

/// What became of each block of the plan.
pub(super) fn block_reports(
    plan: &Plan,
    actions: &[ActionReport],
    checks: &[CheckReport],
) -> BTreeMap<BlockAddr, BlockReport> {
    let mut of_block: BTreeMap<&BlockAddr, (Vec<&ActionReport>, Vec<&CheckReport>)> = BTreeMap::new();
    for action in actions {
        of_block.entry(&action.resource.block).or_default().0.push(action);
    }
    for check in checks {
        of_block.entry(&check.block).or_default().1.push(check);
    }
    let reports = plan.blocks.iter().map(|(addr, block)| {
        let report = match block {
            BlockPlan::Refused { problem } => refused(problem),
            BlockPlan::Planned(_) => {
                let (actions, checks) = of_block.remove(addr).unwrap_or_default();
                block_report(&actions, &checks)
            }
        };
        (addr.clone(), report)
    });
    reports.collect()
}

impl RunReport {
    /// The report of a plan whose run did not begin: nothing was called. `cause` is what that is due to, where it is known:
    /// the address of a block.
    pub fn not_begun(plan: &Plan, why: &str, cause: Option<String>) -> Self {
        let touched = plan.touched();
        let skipped = BlockReport {
            started_ms: None,
            ended_ms: None,
            result: BlockResult::Skipped,
            reason: Some(why.to_owned()),
            cause,
        };
        let blocks = block_reports(plan, &[], &[]).into_iter().map(|(addr, report)| {
            let report = if touched.contains(&addr) { skipped.clone() } else { report };
            (addr, report)
        });
        Self {
            run: plan.run_id(),
            outcome: RunOutcome::Refused,
            actions: Vec::new(),
            checks: Vec::new(),
            blocks: blocks.collect(),
            problems: Vec::new(),
        }
    }
}

fn refused(problem: &str) -> BlockReport {
    BlockReport {
        started_ms: None,
        ended_ms: None,
        result: BlockResult::Refused,
        reason: Some(problem.to_owned()),
        cause: None,
    }
}

/// Something of a block that did not end well.
struct Trouble {
    kind: Kind,
    ended_ms: Option<u64>,
    reason: String,
    cause: Option<String>,
}

/// The kinds of trouble; where a block has several, the first of these is what it ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Failed,
    WaitedInVain,
    Interrupted,
}

fn block_report(actions: &[&ActionReport], checks: &[&CheckReport]) -> BlockReport {
    let began = actions.iter().filter_map(|action| action.began_ms).chain(checks.iter().map(|check| check.began_ms));
    let ended = actions.iter().filter_map(|action| action.ended_ms).chain(checks.iter().map(|check| check.ended_ms));
    let started_ms = began.min();
    let done = actions.iter().any(|action| action.result == ActionResult::Done);
    let troubles =
        actions.iter().filter_map(|action| of_action(action)).chain(checks.iter().filter_map(|check| of_check(check)));
    // The first one by its end; what was not begun has none and keeps its place.
    let first = troubles.min_by_key(|trouble| (trouble.kind, trouble.ended_ms));
    let result = match &first {
        None if done || !checks.is_empty() => BlockResult::Succeeded,
        None => BlockResult::Unchanged,
        Some(trouble) => match (trouble.kind, started_ms) {
            (Kind::Failed, _) => BlockResult::Failed,
            (Kind::WaitedInVain | Kind::Interrupted, None) => BlockResult::Skipped,
            // What it waited for was in another block, or it would have failed itself: it is left half done all the same.
            (Kind::WaitedInVain, Some(_)) => BlockResult::Failed,
            (Kind::Interrupted, Some(_)) => BlockResult::Interrupted,
        },
    };
    let (reason, cause) = first.map_or((None, None), |trouble| (Some(trouble.reason), trouble.cause));
    BlockReport { started_ms, ended_ms: ended.max(), result, reason, cause }
}

fn of_action(action: &ActionReport) -> Option<Trouble> {
    let interrupted = INTERRUPTED.to_owned();
    let (kind, reason, cause) = match &action.result {
        ActionResult::Done | ActionResult::Unneeded => return None,
        ActionResult::Failed { error } => (Kind::Failed, error, Some(action.resource.to_string())),
        ActionResult::Skipped { why, cause: Some(cause) } => (Kind::WaitedInVain, why, Some(cause.clone())),
        ActionResult::Skipped { why, cause: None } => (Kind::Interrupted, why, None),
        ActionResult::CutOff { made: _ } => (Kind::Interrupted, &interrupted, None),
    };
    Some(Trouble { kind, ended_ms: action.ended_ms, reason: reason.clone(), cause })
}

fn of_check(check: &CheckReport) -> Option<Trouble> {
    let cause = format!("{}, check {}", check.block, check.check);
    let (kind, reason, cause) = match &check.result {
        CheckResult::Passed => return None,
        CheckResult::Failed { reason } => (Kind::Failed, reason.clone(), Some(cause)),
        CheckResult::Interrupted => (Kind::Interrupted, format!("check {} was interrupted", check.check), None),
    };
    Some(Trouble { kind, ended_ms: Some(check.ended_ms), reason, cause })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Verb;

    fn action(name: &str, result: ActionResult, times: Option<(u64, u64)>) -> ActionReport {
        ActionReport {
            resource: format!("dc.web.{name}").parse().unwrap(),
            verb: Verb::Create,
            result,
            began_ms: times.map(|(began, _)| began),
            ended_ms: times.map(|(_, ended)| ended),
        }
    }

    fn failed(error: &str) -> ActionResult {
        ActionResult::Failed { error: error.to_owned() }
    }

    fn interrupted() -> ActionResult {
        ActionResult::Skipped { why: "the run was interrupted".to_owned(), cause: None }
    }

    fn in_vain() -> ActionResult {
        ActionResult::Skipped { why: "dc.net.main failed".to_owned(), cause: Some("dc.net.main".to_owned()) }
    }

    fn check(result: CheckResult, times: (u64, u64)) -> CheckReport {
        CheckReport {
            block: "dc.web".parse().unwrap(),
            check: "http".parse().unwrap(),
            result,
            simulated: false,
            began_ms: times.0,
            ended_ms: times.1,
        }
    }

    fn report(actions: &[ActionReport], checks: &[CheckReport]) -> BlockReport {
        block_report(&actions.iter().collect::<Vec<_>>(), &checks.iter().collect::<Vec<_>>())
    }

    /// Result, reason and cause.
    fn how(actions: &[ActionReport], checks: &[CheckReport]) -> (BlockResult, Option<String>, Option<String>) {
        let report = report(actions, checks);
        (report.result, report.reason, report.cause)
    }

    fn expected(
        result: BlockResult,
        reason: &str,
        cause: Option<&str>,
    ) -> (BlockResult, Option<String>, Option<String>) {
        (result, Some(reason.to_owned()), cause.map(str::to_owned))
    }

    /// A block with something to do, one with nothing to do, and one that can't be planned.
    fn plan() -> Plan {
        serde_json::from_value(serde_json::json!({
            "format_version": "1", "infra": "wix", "revision": "r", "generation": 1, "nonce": "00".repeat(16),
            "mode": "apply", "selection": {"envs": [], "dcs": [], "blocks": []}, "simulated": true,
            "environments": ["prod"], "notes": [],
            "blocks": {
                "dc.idle": {"planned": change(serde_json::json!({}))},
                "dc.odd": {"refused": {"problem": "its log is damaged"}},
                "dc.web": {"planned": change(serde_json::json!({"a": {
                    "type_name": "toy", "target": {"provider": "toy", "account": "1", "region": "r"},
                    "allowed": ["create"], "fields": [], "reasons": [], "defined": true, "order": "create_first", "moved": null,
                    "existing": null, "before": null, "after": null, "new_name": null, "retire": [], "users": [],
                    "uses": [],
                }}))},
            },
        }))
        .unwrap()
    }

    fn change(resources: serde_json::Value) -> serde_json::Value {
        serde_json::json!({
            "env": "prod", "channel": "stable", "targets": {}, "after": [], "definition": null,
            "state": "0".repeat(64), "checks": [], "resources": resources,
        })
    }

    fn results(report: &RunReport) -> Vec<(String, BlockResult, Option<&str>)> {
        report.blocks.iter().map(|(addr, block)| (addr.to_string(), block.result, block.reason.as_deref())).collect()
    }

    #[test]
    fn every_block_of_the_plan_is_told_of() {
        let actions = [action("a", ActionResult::Done, Some((1, 2)))];
        let blocks = block_reports(&plan(), &actions, &[]);
        let results: Vec<_> = blocks.values().map(|block| block.result).collect();
        assert_eq!(results, [BlockResult::Unchanged, BlockResult::Refused, BlockResult::Succeeded]);
    }

    #[test]
    fn a_run_that_did_not_begin_skips_what_it_would_have_touched() {
        let report = RunReport::not_begun(&plan(), "dc.web is held", Some("dc.web".to_owned()));
        assert_eq!(report.outcome, RunOutcome::Refused);
        assert_eq!(report.run, plan().run_id());
        let expected = [
            ("dc.idle".to_owned(), BlockResult::Unchanged, None),
            ("dc.odd".to_owned(), BlockResult::Refused, Some("its log is damaged")),
            ("dc.web".to_owned(), BlockResult::Skipped, Some("dc.web is held")),
        ];
        assert_eq!(results(&report), expected);
    }

    #[test]
    fn it_lasts_from_the_first_begin_to_the_last_end() {
        let actions =
            [action("a", ActionResult::Done, Some((20, 50))), action("b", ActionResult::Done, Some((10, 30)))];
        let with_check = report(&actions, &[check(CheckResult::Passed, (50, 90))]);
        assert_eq!((with_check.started_ms, with_check.ended_ms), (Some(10), Some(90)));
        assert_eq!(report(&actions, &[]).ended_ms, Some(50));
        assert_eq!(with_check.result, BlockResult::Succeeded);
    }

    #[test]
    fn where_nothing_had_to_be_done_it_is_unchanged() {
        assert_eq!(report(&[], &[]).result, BlockResult::Unchanged);
        assert_eq!(report(&[action("a", ActionResult::Unneeded, Some((1, 2)))], &[]).result, BlockResult::Unchanged);
        assert_eq!(report(&[], &[check(CheckResult::Passed, (1, 2))]).result, BlockResult::Succeeded);
    }

    #[test]
    fn the_first_failure_is_the_reason() {
        let own = ActionResult::Skipped { why: "dc.web.a failed".to_owned(), cause: Some("dc.web.a".to_owned()) };
        let actions = [
            action("c", own, None),
            action("b", failed("second"), Some((1, 9))),
            action("a", failed("first"), Some((2, 5))),
        ];
        assert_eq!(how(&actions, &[]), expected(BlockResult::Failed, "first", Some("dc.web.a")));
    }

    #[test]
    fn a_check_that_fails_fails_the_block() {
        let done = [action("a", ActionResult::Done, Some((1, 2)))];
        let checks = [check(CheckResult::Failed { reason: "503".to_owned() }, (2, 9))];
        assert_eq!(how(&done, &checks), expected(BlockResult::Failed, "503", Some("dc.web, check http")));
        let checks = [check(CheckResult::Interrupted, (2, 9))];
        assert_eq!(how(&done, &checks), expected(BlockResult::Interrupted, "check http was interrupted", None));
    }

    #[test]
    fn what_waited_in_vain_names_whose_failure_it_was() {
        let reason = "dc.net.main failed";
        let skipped = [action("a", in_vain(), None)];
        assert_eq!(how(&skipped, &[]), expected(BlockResult::Skipped, reason, Some("dc.net.main")));
        // One part was done: the block is neither skipped nor done.
        let half = [action("a", in_vain(), None), action("b", ActionResult::Done, Some((1, 2)))];
        assert_eq!(how(&half, &[]), expected(BlockResult::Failed, reason, Some("dc.net.main")));
    }

    #[test]
    fn an_interrupt_skips_what_was_not_begun() {
        let reason = "the run was interrupted";
        assert_eq!(how(&[action("a", interrupted(), None)], &[]), expected(BlockResult::Skipped, reason, None));
        let begun = [action("a", ActionResult::Done, Some((1, 2))), action("b", interrupted(), None)];
        assert_eq!(how(&begun, &[]), expected(BlockResult::Interrupted, reason, None));
        // It had failed before: that is what matters.
        let failed = [action("a", interrupted(), None), action("b", failed("no"), Some((1, 2)))];
        assert_eq!(how(&failed, &[]), expected(BlockResult::Failed, "no", Some("dc.web.b")));
    }
}
