//! Health checks: who asks them, and what they reach.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use embedding::infra::watched_company;
use embedding::office::{Office, Problem, plan_and_apply};
use provision_core::check::{CheckAnswer, Checker, ReadyCheck};
use provision_core::desired::Desired;
use provision_core::driver::LocalDialer;
use provision_core::embed::{Engine, PlanRequest};
use provision_core::exec::RunReport;
use provision_core::progress::CheckResult;
use provision_core::stream::event::RunOutcome;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

fn code(customers: i64) -> Result<Desired, Problem> {
    watched_company(customers).map_err(|findings| format!("{findings:?}").into())
}

/// What each check told, and whether the simulated cloud did.
fn told(report: &RunReport) -> Vec<(String, CheckResult, bool)> {
    report.checks.iter().map(|check| (check.check.to_string(), check.result.clone(), check.simulated)).collect()
}

fn passed(simulated: bool) -> Vec<(String, CheckResult, bool)> {
    ["there", "used"].map(|check| (check.to_owned(), CheckResult::Passed, simulated)).into()
}

/// Nobody has to say so: what is simulated has no servers that could be asked.
#[tokio::test]
async fn a_simulated_cloud_answers_by_itself_and_nothing_is_dialled() -> Result<(), Problem> {
    let office = Office::open()?;
    let engine = office.engine("alice", code(1_000)?)?;
    // It reaches nothing at all.
    let engine = Engine { dialer: Arc::new(LocalDialer::default()), ..engine };
    let report = plan_and_apply(&engine, &PlanRequest::default()).await?;
    assert_eq!((report.outcome, told(&report)), (RunOutcome::Succeeded, passed(true)));
    Ok(())
}

/// The functions that checks call come with the code.
#[tokio::test]
async fn checks_of_real_clouds_go_through_the_dialler_and_call_the_codes_functions() -> Result<(), Problem> {
    let server = TcpListener::bind("127.0.0.1:0").await?;
    let dialer = LocalDialer(BTreeMap::from([(("web.company".to_owned(), 443), server.local_addr()?)]));
    let mut servers = JoinSet::new();
    servers.spawn(async move {
        while let Ok((mut customer, _)) = server.accept().await {
            customer.write_all(b"1200").await.unwrap_or_default();
        }
    });
    let office = Office::open()?;
    let engine = office.engine("alice", code(1_000)?)?;
    // To provision these clouds are real ones.
    let engine = Engine { simulated: false, dialer: Arc::new(dialer), ..engine };
    let report = plan_and_apply(&engine, &PlanRequest::default()).await?;
    assert_eq!((report.outcome, told(&report)), (RunOutcome::Succeeded, passed(false)));
    Ok(())
}

/// A checker of a tool's own.
struct Sunday;

#[async_trait]
impl Checker for Sunday {
    async fn check(&self, check: &ReadyCheck) -> CheckAnswer {
        CheckAnswer { result: Err(format!("nobody asks {} on a Sunday", check.check)), simulated: true }
    }
}

#[tokio::test]
async fn who_is_given_asks_in_place_of_all_others() -> Result<(), Problem> {
    let office = Office::open()?;
    let engine = office.engine("alice", code(1_000)?)?;
    let engine = Engine { world: engine.world.clone().checked_by(Arc::new(Sunday)), ..engine };
    let report = plan_and_apply(&engine, &PlanRequest::default()).await?;
    assert_eq!(report.outcome, RunOutcome::Failed);
    let told = told(&report);
    assert!(
        matches!(&told[0].1, CheckResult::Failed { reason } if reason.starts_with("nobody asks there on a Sunday"))
    );
    Ok(())
}
