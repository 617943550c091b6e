//! What is there already is found through the real SDK, and what was found is what is used.

use end_to_end::World;
use end_to_end::engine::State;
use end_to_end::infra::West;
use provision_aws::prelude::*;
use provision_aws::{Ami, FindZone, HostedZone, LaunchTemplate, Record, RecordType};
use provision_core::embed::{Engine, PlanRequest};
use provision_core::exec::Binding;
use provision_core::prelude::*;
use provision_core::stream::event::RunOutcome;

const BINARY: &str = env!("CARGO_BIN_EXE_e2e-provision");

/// Somebody else's zone, and one whose name begins with the same.
fn company<D: AwsDc>(b: &Block<D>, (): ()) {
    b.put("zone", HostedZone { name: "example.com" });
    b.put("longer", HostedZone { name: "example.com.au" });
}

fn ours<D: AwsDc>(b: &Block<D>, (): ()) {
    let zone = b.find("company", FindZone { name: "example.com" }).private(false);
    b.put("www", Record { zone, name: "www.example.com", record_type: RecordType::A }).ttl(60).values(["192.0.2.1"]);
    let image = b.find("image", Ami { owner: "137112412989" }).name("al202*-ami-202*-kernel-*-x86_64").newest(true);
    b.put("template", LaunchTemplate { ami: image, instance_type: "t3.micro" });
}

async fn applied(engine: &Engine) {
    let plan = engine.plan(&PlanRequest::default()).finish().await.unwrap_or_else(|error| panic!("{error}")).plan;
    assert_eq!(plan.refusals().collect::<Vec<_>>(), []);
    let report = engine.apply(plan, Binding::Ceiling).finish().await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.outcome, RunOutcome::Succeeded, "{:#?}", report.blocks);
    let again = engine.plan(&PlanRequest::default()).finish().await.unwrap_or_else(|error| panic!("{error}")).plan;
    assert!(again.is_empty(), "{again:#?}");
}

#[tokio::test]
async fn a_zone_and_an_image_are_found() {
    let Some(world) = World::start(BINARY).await else { return };
    let infra = Infrastructure::new("ours");
    infra.dc(West).block("web", ours, ());
    let mine = State::new(&world.aws);
    let engine = mine.engine(infra);
    let plan = engine.plan(&PlanRequest::default()).finish().await.unwrap_or_else(|error| panic!("{error}")).plan;
    let refused: Vec<_> = plan.refusals().map(|(_, problem)| problem.to_owned()).collect();
    assert!(refused.len() == 1 && refused[0].contains("company"), "there is no zone yet: {refused:#?}");

    let theirs = Infrastructure::new("company");
    theirs.dc(West).block("dns", company, ());
    applied(&State::new(&world.aws).engine(theirs)).await;
    applied(&engine).await;
}
