//! Looking at what there is: outputs, drift.

use embedding::infra::OBJECTS;
use embedding::office::{Office, Problem, plan_and_apply};
use provision_core::drift::Verdict;
use provision_core::embed::{PlanRequest, Task};
use provision_core::id::BlockAddr;
use provision_core::outputs::{at, outputs};
use provision_core::sim::Tamper;
use provision_core::stream::event::RunOutcome;
use provision_core::stream::{list_runs, read_runs};
use provision_core::value::Fields;

use crate::code;

#[tokio::test]
async fn outputs_and_past_runs_are_read_from_the_store_alone() -> Result<(), Problem> {
    let office = Office::open()?;
    let engine = office.engine("alice", code(443)?)?;
    assert!(engine.recorded().finish().await?.is_empty());
    let report = plan_and_apply(&engine, &PlanRequest::default()).await?;
    office.cloud.is(embedding::cloud::Day::Unreachable);

    let recorded = engine.recorded().finish().await?;
    let network: BlockAddr = "east.network".parse()?;
    let offered = outputs(&network, &recorded).ok_or("it was applied")?;
    assert_eq!(at(&offered, "team")?.as_text(), Some("infra"));
    let vpc = at(&offered, "vpc")?.as_text().ok_or("it is known")?;
    assert!(office.objects()?.iter().any(|held| held.id.as_str() == vpc));

    // Whatever protocol the core has can be run.
    let infra = engine.desired.infra.clone();
    let runs = Task::start(engine.memory.clone(), engine.world.clone(), |io| async move {
        let runs = list_runs(&io).await?;
        Ok(read_runs(&io, &infra, runs).await)
    });
    let runs = runs.finish().await?;
    let ended: Vec<_> = runs.iter().filter_map(|(id, state)| Some((id, state.as_ref().ok()?.ended?))).collect();
    assert_eq!(ended, [(&report.run, RunOutcome::Succeeded)]);
    Ok(())
}

#[tokio::test]
async fn drift_is_data() -> Result<(), Problem> {
    let office = Office::open()?;
    let engine = office.engine("alice", code(443)?)?;
    plan_and_apply(&engine, &PlanRequest::default()).await?;
    let none = engine.drift().finish().await?;
    assert_eq!(none.verdict(), Verdict::None);
    assert_eq!(none.dcs.values().map(|dc| dc.as_applied).sum::<usize>(), OBJECTS);

    let objects = office.objects()?;
    let vpc = objects.iter().find(|held| held.target.region == "us-east-1" && held.type_name.as_str() == "aws_vpc");
    let vpc = vpc.ok_or("it is there")?;
    office.tamper(&Tamper::Set {
        id: vpc.id.clone(),
        fields: Fields::from([("dns_hostnames".to_owned(), true.into())]),
    })?;
    let drift = engine.drift().finish().await?;
    assert_eq!(drift.verdict(), Verdict::Drift);
    assert!(drift.dcs[&"west".parse()?].drifted.is_empty());
    let drifted = &drift.dcs[&"east".parse()?].drifted[&"east.network.main".parse()?];
    assert_eq!(drifted.object.id, vpc.id);
    let fields: Vec<_> = drifted
        .fields
        .iter()
        .map(|field| (field.field.as_str(), field.applied.as_bool(), field.observed.as_ref()))
        .collect();
    assert_eq!(fields, [("dns_hostnames", Some(false), Some(&true.into()))]);

    // A cloud that cannot be read is told apart from one that has not changed.
    office.cloud.is(embedding::cloud::Day::Unreachable);
    let unknown = engine.drift().finish().await?;
    assert_eq!(unknown.verdict(), Verdict::NotKnown);
    assert_eq!(unknown.unread.len(), 2);
    Ok(())
}
