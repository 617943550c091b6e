//! The whole example infrastructure, through the real SDK: applied, changed behind our back, repaired, destroyed.

use std::collections::BTreeSet;

use end_to_end::World;
use end_to_end::engine::State;
use infra_defs::company;
use infra_defs::params::{DcParams, EU_WEST, STAGING, US_EAST};
use provision_aws::Aws;
use provision_core::drift::Verdict;
use provision_core::embed::{Engine, PlanRequest};
use provision_core::exec::{Binding, RunReport};
use provision_core::id::ResourceAddr;
use provision_core::plan::Mode;
use provision_core::progress::Verb;
use provision_core::provider::Provider as _;
use provision_core::schema::Role;
use provision_core::stream::event::{ObjectRecord, RunOutcome};

const BINARY: &str = env!("CARGO_BIN_EXE_e2e-provision");
/// Where calls past the proxy go.
const ACCOUNT: &str = "123456789012";

async fn applied(engine: &Engine, request: PlanRequest) -> RunReport {
    let plan = engine.plan(&request).finish().await.unwrap_or_else(|error| panic!("{error}")).plan;
    assert_eq!(plan.refusals().collect::<Vec<_>>(), []);
    let report = engine.apply(plan, Binding::Ceiling).finish().await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.outcome, RunOutcome::Succeeded, "{:#?}", report.blocks);
    report
}

/// What is recorded once there is nothing to do.
async fn settled(engine: &Engine) -> Vec<(ResourceAddr, ObjectRecord)> {
    let prepared = engine.plan(&PlanRequest::default()).finish().await.unwrap_or_else(|error| panic!("{error}"));
    assert!(prepared.plan.is_empty(), "{:#?}", prepared.plan);
    let drift = engine.drift().finish().await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(drift.verdict(), Verdict::None, "{drift:#?}");
    let blocks = prepared.recorded.into_iter().flat_map(|(block, state)| {
        let resources = state.unwrap_or_else(|error| panic!("{error}")).resources.into_iter();
        resources.map(move |(name, resource)| (block.resource(name), resource.object))
    });
    blocks.collect()
}

/// Whether the object is one of EC2's, whose tags are all ours.
fn is_tagged(object: &ObjectRecord) -> bool {
    let others = ["aws_autoscaling", "aws_lb", "aws_iam", "aws_route53", "aws_s3"];
    let schema = Aws.schemas().iter().find(|schema| schema.type_name == object.type_name.as_str());
    let tags = schema.and_then(|schema| schema.field("tags"));
    tags.is_some_and(|tags| matches!(tags.role, Role::Default(_)))
        && others.iter().all(|other| !object.type_name.as_str().starts_with(other))
        && object.target.account == ACCOUNT
}

#[tokio::test]
async fn the_whole_example_is_applied_repaired_and_destroyed() {
    let Some(world) = World::start(BINARY).await else { return };
    let (aws, state) = (&world.aws, State::new(&world.aws));
    let before = aws.held().await;
    // Else a destroy would leave what is protected.
    let unprotected = |params| DcParams { protected: false, ..params };
    let engine = state.engine(company(&STAGING, &unprotected(US_EAST), &unprotected(EU_WEST)));
    applied(&engine, PlanRequest::default()).await;
    let made = settled(&engine).await;
    let there = aws.held().await;

    // Somebody writes a tag on everything, and terminates a machine.
    let mut tagged = BTreeSet::new();
    let mut terminated = None;
    for (addr, object) in &made {
        let (region, id) = (object.target.region.as_str(), object.id.as_str());
        if object.type_name.as_str() == "aws_instance" && terminated.is_none() {
            aws.raw_ec2_in(region, "TerminateInstances", &[("InstanceId.1", id)]).await;
            terminated = Some(addr.clone());
        } else if is_tagged(object) {
            let tag = [("ResourceId.1", id), ("Tag.1.Key", "somebody"), ("Tag.1.Value", "else")];
            aws.raw_ec2_in(region, "CreateTags", &tag).await;
            tagged.insert(addr.clone());
        }
    }
    assert!(!tagged.is_empty());
    let drift = engine.drift().finish().await.unwrap();
    let drifted: BTreeSet<_> = drift.dcs.values().flat_map(|dc| dc.drifted.keys().cloned()).collect();
    let missing: Vec<_> = drift.dcs.values().flat_map(|dc| dc.missing.keys().cloned()).collect();
    assert_eq!((drifted, missing), (tagged.clone(), terminated.iter().cloned().collect()));

    let repaired = applied(&engine, PlanRequest::default()).await;
    let of = |verb| repaired.actions.iter().filter(|action| action.verb == verb).count();
    assert!(of(Verb::Update) >= tagged.len() && of(Verb::Create) == terminated.iter().count(), "{repaired:#?}");
    assert_eq!(settled(&engine).await.len(), made.len());
    let sizes = |held: &std::collections::BTreeMap<String, BTreeSet<String>>| {
        held.iter().map(|(kind, ids)| (kind.clone(), ids.len())).collect::<Vec<_>>()
    };
    assert_eq!(sizes(&aws.held().await), sizes(&there));

    applied(&engine, PlanRequest::of(Mode::Destroy)).await;
    // A region that was not used before has kinds of its own by now, all of them empty.
    let left: Vec<_> = aws.held().await.into_iter().filter(|(kind, ids)| before.get(kind) != Some(ids)).collect();
    assert!(left.iter().all(|(_, ids)| ids.is_empty()), "{left:#?}");
}
