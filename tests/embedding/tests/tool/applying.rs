//! Planning and applying two environments, with events; selecting one; destroying.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use embedding::cloud::Cloud;
use embedding::infra::OBJECTS;
use embedding::office::{Office, Problem, plan, plan_and_apply};
use provision_core::driver::{ObjectStoreBackend, World};
use provision_core::embed::{Engine, PlanRequest, Simulated};
use provision_core::exec::{ActionResult, Binding, BlockResult};
use provision_core::plan::{Mode, Outcome, Selection};
use provision_core::progress::Progress;
use provision_core::sim::{SimCloud, SimConfig};
use provision_core::stream::event::RunOutcome;

use crate::{addresses, code, ended};

#[tokio::test]
async fn two_environments_are_applied_one_after_the_other_and_events_tell_it() -> Result<(), Problem> {
    let office = Office::open()?;
    let engine = office.engine("alice", code(443)?)?;
    let plan_of_all = plan(&engine, &PlanRequest::default()).await?;
    assert_eq!(plan_of_all.touched().len(), 4);
    assert_eq!(plan_of_all.resources().filter(|(_, plan)| plan.allowed.contains(&Outcome::Create)).count(), OBJECTS);
    assert!(office.objects()?.is_empty(), "planning changes nothing");

    let mut run = engine.apply(plan_of_all, Binding::Ceiling);
    let (mut claimed, mut done) = (BTreeSet::new(), Vec::new());
    while let Some(event) = run.next_event().await {
        match event {
            Progress::Claimed { block, run: id } => {
                assert_eq!(id, *run.id());
                claimed.insert(block);
            }
            Progress::Finished { resource, .. } => done.push(resource),
            _ => {}
        }
    }
    let id = run.id().clone();
    let report = run.finish().await?;
    assert_eq!((&report.run, report.outcome), (&id, RunOutcome::Succeeded));
    assert!(report.problems.is_empty());
    assert!(report.blocks.values().all(|block| block.result == BlockResult::Succeeded));
    assert_eq!(ended(&report, |result| *result == ActionResult::Done).len(), OBJECTS);
    assert!(claimed.iter().eq(report.blocks.keys()));
    assert!(done.is_sorted_by_key(|resource| resource.block.dc.as_str() == "east"), "staging comes first: {done:?}");
    assert_eq!(done.iter().map(ToString::to_string).collect::<BTreeSet<_>>(), addresses(&office.objects()?));

    // Another process sees what this one has done.
    let bob = office.engine("bob", code(443)?)?;
    assert!(plan(&bob, &PlanRequest::default()).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn one_environment_is_selected_and_all_of_it_destroyed() -> Result<(), Problem> {
    let office = Office::open()?;
    plan_and_apply(&office.engine("alice", code(443)?)?, &PlanRequest::default()).await?;

    let engine = office.engine("alice", code(8443)?)?;
    let staging = Selection { envs: ["staging".parse()?].into(), ..Selection::default() };
    let staging = PlanRequest { selection: staging, ..PlanRequest::default() };
    let report = plan_and_apply(&engine, &staging).await?;
    let changed: Vec<_> = report.actions.iter().map(|action| action.resource.to_string()).collect();
    assert_eq!(changed, ["west.web.group"]);

    // A plan names what it is about; the run keeps to it.
    let nothing = PlanRequest { mode: Mode::Destroy, ..staging };
    plan_and_apply(&engine, &nothing).await?;
    assert!(office.objects()?.iter().all(|held| held.target.account == "222222222222"));
    plan_and_apply(&engine, &PlanRequest::of(Mode::Destroy)).await?;
    assert!(office.objects()?.is_empty());
    Ok(())
}

/// Nothing is global: engines with stores and clouds of their own know nothing of each other.
#[tokio::test]
async fn engines_in_one_process_are_strangers() -> Result<(), Problem> {
    let office = Office::open()?;
    let first = office.engine("alice", code(443)?)?;
    let cloud = Arc::new(Mutex::new(SimCloud::new(SimConfig::instant(2))));
    let world = World::new(Arc::new(ObjectStoreBackend::memory()), Arc::new(Cloud::new(Simulated::Memory(cloud))));
    let second = Engine { world, ..first.clone() };
    let everything = PlanRequest::default();
    let (here, there) = tokio::join!(plan_and_apply(&first, &everything), plan_and_apply(&second, &everything));
    let (here, there) = (here?, there?);
    assert_eq!((here.outcome, there.outcome), (RunOutcome::Succeeded, RunOutcome::Succeeded));
    assert_ne!(here.run, there.run);
    assert_eq!((here.actions.len(), there.actions.len()), (OBJECTS, OBJECTS));
    Ok(())
}
