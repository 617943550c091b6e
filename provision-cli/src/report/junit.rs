//! The report as JUnit XML: a suite for each data centre, a case for each block and one for each of its checks.

use std::time::Duration;

use provision_core::exec::{BlockResult, CheckReport};
use provision_core::id::DcName;
use provision_core::progress::CheckResult;
use provision_core::stream::event::RunOutcome;
use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::account::took_ms;
use super::{Account, BlockAccount, Times, utc};

/// The report.
pub(super) fn document(account: &Account) -> Result<String, SerializeError> {
    let mut report = Report::new(account.infra.as_ref().map_or("", |infra| infra.as_str()));
    let Times { started_ms, ended_ms } = account.times;
    report.set_time(duration(Some(started_ms), Some(ended_ms)).unwrap_or_default());
    if let Some(time) = utc(started_ms) {
        report.set_timestamp(time);
    }
    for blocks in account.blocks.chunk_by(|a, b| a.addr.dc == b.addr.dc) {
        if let Some(first) = blocks.first() {
            report.add_test_suite(suite(account, &first.addr.dc, blocks));
        }
    }
    // The run as a whole is a case where no block could carry the news.
    if let (true, Some(reason)) = (account.blocks.is_empty(), &account.reason) {
        let mut suite = TestSuite::new("run");
        suite.add_test_case(TestCase::new("run", unsuccessful(NonSuccessKind::Error, "refused", reason)));
        report.add_test_suite(suite);
    }
    report.to_string()
}

fn suite(account: &Account, dc: &DcName, blocks: &[BlockAccount]) -> TestSuite {
    let mut suite = TestSuite::new(dc.as_str());
    if let Some(env) = blocks.iter().find_map(|block| block.env.as_ref()) {
        suite.add_property(("environment", env.as_str()));
    }
    if let Some(revision) = &account.revision {
        suite.add_property(("revision", revision.as_str()));
    }
    if let Some(run) = &account.run {
        suite.add_property(("run", run.as_str()));
    }
    let began = blocks.iter().filter_map(|block| block.report.started_ms).min();
    let ended = blocks.iter().filter_map(|block| block.report.ended_ms).max();
    if let Some(time) = began.and_then(utc) {
        suite.set_timestamp(time);
    }
    if let Some(time) = duration(began, ended) {
        suite.set_time(time);
    }
    for block in blocks {
        suite.add_test_case(case(account, block));
        for check in &block.checks {
            suite.add_test_case(check_case(block, check));
        }
    }
    suite
}

fn case(account: &Account, block: &BlockAccount) -> TestCase {
    let reason = block.report.reason.as_deref().unwrap_or_default();
    let status = match block.report.result {
        BlockResult::Unchanged | BlockResult::Succeeded => TestCaseStatus::success(),
        BlockResult::Failed => unsuccessful(NonSuccessKind::Failure, "failed", reason),
        BlockResult::Interrupted => unsuccessful(NonSuccessKind::Error, "interrupted", reason),
        BlockResult::Refused => unsuccessful(NonSuccessKind::Error, "refused", reason),
        // Where the whole run was refused nothing has failed in a block: a run of skipped cases alone would look green.
        BlockResult::Skipped if account.outcome == RunOutcome::Refused => {
            unsuccessful(NonSuccessKind::Error, "refused", reason)
        }
        BlockResult::Skipped => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason);
            status
        }
    };
    let mut case = TestCase::new(block.addr.block.as_str(), status);
    case.set_classname(block.addr.dc.as_str());
    if let Some(time) = duration(block.report.started_ms, block.report.ended_ms) {
        case.set_time(time);
    }
    if let Some(time) = block.report.started_ms.and_then(utc) {
        case.set_timestamp(time);
    }
    if let Some(cause) = &block.report.cause {
        case.add_property(("cause", cause.as_str()));
    }
    case
}

fn check_case(block: &BlockAccount, check: &CheckReport) -> TestCase {
    let status = match &check.result {
        CheckResult::Passed => TestCaseStatus::success(),
        CheckResult::Failed { reason } => unsuccessful(NonSuccessKind::Failure, "check failed", reason),
        CheckResult::Interrupted => unsuccessful(NonSuccessKind::Error, "interrupted", "the run was interrupted"),
    };
    let mut case = TestCase::new(format!("{}: check {}", block.addr.block, check.check), status);
    case.set_classname(block.addr.dc.as_str());
    case.set_time(duration(Some(check.began_ms), Some(check.ended_ms)).unwrap_or_default());
    if check.simulated {
        case.add_property(("simulated", "true"));
    }
    case
}

fn unsuccessful(kind: NonSuccessKind, what: &str, reason: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    // Some readers show the message, others the text.
    status.set_type(what).set_message(reason).set_description(reason);
    status
}

fn duration(began: Option<u64>, ended: Option<u64>) -> Option<Duration> {
    took_ms(began, ended).map(Duration::from_millis)
}
