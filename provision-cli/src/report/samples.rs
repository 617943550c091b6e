//! An account of a run in which everything happened.

use provision_core::exec::{ActionReport, ActionResult, BlockReport, BlockResult, CheckReport};
use provision_core::id::Generation;
use provision_core::plan::Mode;
use provision_core::progress::{CheckResult, Verb};
use provision_core::stream::event::RunOutcome;

use super::{Account, BlockAccount, Reached, Times};

/// 2026-11-23T03:00:00Z.
const START: u64 = 1_795_402_800_000;

fn block(
    addr: &str,
    result: BlockResult,
    times: Option<(u64, u64)>,
    why: Option<(&str, Option<&str>)>,
) -> BlockAccount {
    BlockAccount {
        addr: addr.parse().unwrap(),
        env: Some("prod".parse().unwrap()),
        report: BlockReport {
            started_ms: times.map(|(began, _)| START + began),
            ended_ms: times.map(|(_, ended)| START + ended),
            result,
            reason: why.map(|(reason, _)| reason.to_owned()),
            cause: why.and_then(|(_, cause)| cause).map(str::to_owned),
        },
        actions: Vec::new(),
        checks: Vec::new(),
    }
}

fn action(resource: &str, verb: Verb, result: ActionResult, times: Option<(u64, u64)>) -> ActionReport {
    ActionReport {
        resource: resource.parse().unwrap(),
        verb,
        result,
        began_ms: times.map(|(began, _)| START + began),
        ended_ms: times.map(|(_, ended)| START + ended),
    }
}

fn check(block: &str, check: &str, result: CheckResult, times: (u64, u64)) -> CheckReport {
    CheckReport {
        block: block.parse().unwrap(),
        check: check.parse().unwrap(),
        result,
        simulated: true,
        began_ms: START + times.0,
        ended_ms: START + times.1,
    }
}

/// An account of a run in which everything happened.
pub(crate) fn account() -> Account {
    let refusal =
        "CreateVpc was refused: VpcLimitExceeded: The maximum number of VPCs <5> has been reached & \u{1b}[31mno\nmore";
    let in_vain = "us-east.network.main failed";
    let mut bastion = block("eu-west.bastion", BlockResult::Succeeded, Some((1_000, 62_500)), None);
    bastion.actions = vec![
        action("eu-west.bastion.host", Verb::Replace, ActionResult::Done, Some((1_000, 50_000))),
        action("eu-west.bastion.group", Verb::Update, ActionResult::Done, Some((1_000, 2_000))),
        action("eu-west.bastion.host", Verb::Delete, ActionResult::Done, Some((50_000, 52_000))),
        action("eu-west.bastion.rule", Verb::Create, ActionResult::Unneeded, Some((2_000, 2_100))),
    ];
    bastion.checks = vec![check("eu-west.bastion", "ssh", CheckResult::Passed, (52_000, 62_500))];
    let unhealthy = Some(("connection refused", Some("eu-west.web, check http")));
    let mut web = block("eu-west.web", BlockResult::Failed, Some((0, 30_000)), unhealthy);
    let failed = CheckResult::Failed { reason: "connection refused".to_owned() };
    web.checks = vec![check("eu-west.web", "http", failed, (1_000, 30_000))];
    let cause = Some("us-east.network.main");
    let mut network = block("us-east.network", BlockResult::Failed, Some((0, 1_234)), Some((refusal, cause)));
    let failed = ActionResult::Failed { error: refusal.to_owned() };
    network.actions = vec![action("us-east.network.main", Verb::Create, failed, Some((0, 1_234)))];
    let mut app = block("us-east.app", BlockResult::Skipped, None, Some((in_vain, cause)));
    let skipped = ActionResult::Skipped { why: in_vain.to_owned(), cause: cause.map(str::to_owned) };
    app.actions = vec![action("us-east.app.host", Verb::Create, skipped, None)];
    let damaged = Some(("its log is damaged: entry 7 is not signed", None));
    let interrupted = Some(("the run was interrupted", None));
    Account {
        infra: Some("wix".parse().unwrap()),
        revision: Some("abc123".parse().unwrap()),
        generation: Some(Generation(42)),
        mode: Mode::Apply,
        simulated: true,
        run: Some("0123456789abcdef".parse().unwrap()),
        reached: Reached::Run,
        outcome: RunOutcome::Failed,
        reason: None,
        problems: vec!["the claim of us-east.app could not be given back".to_owned()],
        times: Times { started_ms: START, ended_ms: START + 65_000 },
        blocks: vec![
            bastion,
            block("eu-west.dns", BlockResult::Unchanged, None, None),
            block("eu-west.queue", BlockResult::Interrupted, Some((0, 500)), interrupted),
            web,
            app,
            block("us-east.database", BlockResult::Refused, None, damaged),
            network,
        ],
    }
}
