//! Clouds that do not do what they are asked, and callers that cannot be served.

use embedding::cloud::Day;
use embedding::infra::OBJECTS;
use embedding::office::{Office, Problem, plan_and_apply};
use provision_core::embed::{Engine, PlanRequest};
use provision_core::exec::{ActionResult, BlockResult, RunError};
use provision_core::stream::event::RunOutcome;

use crate::{addresses, code, ended};

#[tokio::test]
async fn what_the_cloud_refuses_is_in_the_report_and_the_next_run_goes_on() -> Result<(), Problem> {
    let office = Office::open()?;
    let engine = office.engine("alice", code(443)?)?;
    office.cloud.is(Day::Denies("CreateSubnet"));
    let report = plan_and_apply(&engine, &PlanRequest::default()).await?;
    assert_eq!(report.outcome, RunOutcome::Failed);
    let failed = ended(&report, |result| matches!(result, ActionResult::Failed { .. }));
    assert_eq!(failed.iter().map(|action| action.resource.to_string()).collect::<Vec<_>>(), ["west.network.public"]);
    let block = &report.blocks[&"west.network".parse()?];
    assert_eq!((block.result, block.cause.as_deref()), (BlockResult::Failed, Some("west.network.public")));
    // Staging has failed, so production is left alone.
    let east = report.blocks.iter().filter(|(addr, _)| addr.dc.as_str() == "east");
    assert!(east.clone().count() == 2 && east.clone().all(|(_, block)| block.result == BlockResult::Skipped));

    office.cloud.is(Day::Good);
    let report = plan_and_apply(&engine, &PlanRequest::default()).await?;
    assert_eq!(report.outcome, RunOutcome::Succeeded);
    let objects = office.objects()?;
    assert_eq!((objects.len(), addresses(&objects).len()), (OBJECTS, OBJECTS));
    Ok(())
}

#[tokio::test]
async fn a_cloud_that_cannot_be_reached_is_an_error_that_names_it() -> Result<(), Problem> {
    let office = Office::open()?;
    let engine = office.engine("alice", code(443)?)?;
    office.cloud.is(Day::Unreachable);
    let error = engine.plan(&PlanRequest::default()).finish().await.err();
    let Some(RunError::Target { target, .. }) = error else { panic!("{error:?}") };
    assert!(engine.desired.dcs.values().any(|dc| dc.targets.values().any(|of_dc| *of_dc == target)));
    Ok(())
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() -> Result<(), Problem> {
    let office = Office::open()?;
    let engine = office.engine("alice", code(443)?)?;
    let planning = engine.plan(&PlanRequest::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let error = runtime.block_on(planning.finish()).err();
    assert!(matches!(error, Some(RunError::Driver(_))), "{error:?}");

    // Nor where the runtime goes away while it runs.
    office.cloud.is(Day::Unreachable);
    let running = runtime.block_on(async { engine.plan(&PlanRequest::default()) });
    drop(runtime);
    let other = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let error = other.block_on(running.finish()).err();
    assert!(matches!(error, Some(RunError::Driver(_))), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn without_random_numbers_nothing_is_begun() -> Result<(), Problem> {
    let office = Office::open()?;
    let engine = office.engine("alice", code(443)?)?;
    let none = || Err(provision_core::driver::KeyFileError::Random("none left".to_owned()));
    let engine = Engine { nonces: std::sync::Arc::new(none), ..engine };
    let error = engine.plan(&PlanRequest::default()).finish().await.err();
    assert!(matches!(error, Some(RunError::Driver(_))), "{error:?}");
    Ok(())
}
