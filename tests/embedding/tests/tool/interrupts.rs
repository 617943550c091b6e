//! Runs that do not come to their end, and those that finish what they began.

use std::time::Duration;

use embedding::cloud::Day;
use embedding::infra::OBJECTS;
use embedding::office::{Office, Problem, plan, plan_and_apply};
use provision_core::embed::{Engine, PlanRequest, Task};
use provision_core::exec::{ActionResult, Binding, Settings};
use provision_core::id::ObjectId;
use provision_core::stream::event::RunOutcome;
use provision_core::stream::{Timing, read_run};
use tokio::time::timeout;

use crate::{addresses, code, ended};

/// Whoever comes next finishes it: everything is there, and once.
async fn finished_by_another(office: &Office) -> Result<(), Problem> {
    office.cloud.is(Day::Good);
    let next = Engine { lock_timeout: Duration::from_secs(120), ..office.engine("bob", code(443)?)? };
    let report = plan_and_apply(&next, &PlanRequest::default()).await?;
    assert_eq!(report.outcome, RunOutcome::Succeeded, "{report:?}");
    let objects = office.objects()?;
    assert_eq!((objects.len(), addresses(&objects).len()), (OBJECTS, OBJECTS));
    assert!(plan(&next, &PlanRequest::default()).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn an_interrupted_run_drains_and_another_one_finishes() -> Result<(), Problem> {
    let office = Office::open()?;
    let engine = office.engine("alice", code(443)?)?;
    let approved = plan(&engine, &PlanRequest::default()).await?;
    office.cloud.is(Day::Busy("CreateSubnet"));
    let run = engine.apply(approved, Binding::Ceiling);
    office.cloud.is_waited_for().await;
    run.interrupt();
    office.cloud.is(Day::Good);
    let report = run.finish().await?;
    assert_eq!(report.outcome, RunOutcome::Interrupted);
    // What was on its way was waited for and recorded; nothing else was begun.
    let done = ended(&report, |result| *result == ActionResult::Done);
    let done: Vec<_> = done.iter().map(|action| action.resource.to_string()).collect();
    assert_eq!(done, ["west.network.main", "west.network.public"]);
    assert_eq!(ended(&report, |result| matches!(result, ActionResult::Skipped { .. })).len(), OBJECTS - 2);
    assert_eq!(office.objects()?.len(), 2);
    finished_by_another(&office).await
}

/// Interrupts a run more than once while the cloud is busy with this operation; what was cut off, each with what it had made.
async fn interrupted_at(busy: &'static str) -> Result<Vec<(String, Option<ObjectId>)>, Problem> {
    let office = Office::open()?;
    let engine = office.engine("alice", code(443)?)?;
    let forever = Settings { drain: Duration::from_secs(3600), ..engine.settings };
    let engine = Engine { settings: forever, ..engine };
    let approved = plan(&engine, &PlanRequest::default()).await?;
    office.cloud.is(Day::Busy(busy));
    let run = engine.apply(approved, Binding::Ceiling);
    office.cloud.is_waited_for().await;
    // And any number more.
    (0..9).for_each(|_| run.interrupt());
    // A guard, so that a run that drains for ever fails and does not hang.
    let report = timeout(Duration::from_secs(100), run.finish()).await??;
    assert_eq!(report.outcome, RunOutcome::Interrupted);
    let cut_off: Vec<_> = report
        .actions
        .iter()
        .filter_map(|action| match &action.result {
            ActionResult::CutOff { made } => Some((action.resource.to_string(), made.clone())),
            _ => None,
        })
        .collect();
    let made: Vec<_> = cut_off.iter().filter_map(|(_, made)| made.clone()).collect();
    let there: Vec<_> = office.objects()?.into_iter().map(|held| held.id).collect();
    assert_eq!(made, there);
    finished_by_another(&office).await?;
    Ok(cut_off)
}

#[tokio::test]
async fn a_run_that_is_interrupted_twice_waits_for_nothing() -> Result<(), Problem> {
    assert_eq!(interrupted_at("CreateVpc").await?, [("west.network.main".to_owned(), None)]);
    Ok(())
}

/// The object is there and recorded, and was not brought to its definition.
#[tokio::test]
async fn what_was_made_and_cut_off_is_told() -> Result<(), Problem> {
    let cut_off = interrupted_at("ModifyVpcAttribute").await?;
    assert!(matches!(&cut_off[..], [(main, Some(_))] if main == "west.network.main"), "{cut_off:?}");
    Ok(())
}

#[tokio::test]
async fn a_run_that_is_dropped_is_killed_and_another_one_finishes() -> Result<(), Problem> {
    let office = Office::open()?;
    let alice = office.engine("alice", code(443)?)?;
    // Whoever drops runs has short leases, else others wait for long.
    let alice = Engine { timing: Timing::with_lease(Duration::from_secs(1)), ..alice };
    let approved = plan(&alice, &PlanRequest::default()).await?;
    office.cloud.is(Day::Busy("CreateVpc"));
    let run = alice.apply(approved, Binding::Ceiling);
    office.cloud.is_waited_for().await;
    let id = run.id().clone();
    drop(run);
    finished_by_another(&office).await?;
    // It did nothing more, and will not: not even say that it has ended.
    let infra = alice.desired.infra.clone();
    let killed = Task::start(alice.memory, alice.world, |io| async move { Ok(read_run(&io, &infra, &id).await?) });
    assert_eq!(killed.finish().await?.ended, None);
    Ok(())
}
