//! The AWS client as a process of its own: an apply through it, and what becomes of a call whose process is killed.

use end_to_end::world::{APPLY, has_ended};
use end_to_end::{Running, Variant, World};
use rustix::process::{Signal, kill_process};
use testbed::aws::{Fault, Rule};

const BINARY: &str = env!("CARGO_BIN_EXE_e2e-provision");
const CLIENT: &str = env!("CARGO_BIN_EXE_e2e-aws-client");

fn apply(world: &World, client: &str) -> Running {
    let mut command = world.command(Variant::OneEach, &APPLY);
    command.env("PROVISION_AWS_CLIENT", client);
    Running::of(command)
}

/// Each object was made by exactly one call.
async fn all_is_there_once(world: &World) {
    assert_eq!(world.held().await.counts(), [1; 4]);
    for create in ["CreateVpc", "CreateSubnet", "CreateSecurityGroup", "RunInstances"] {
        let calls = world.aws.calls();
        let made = calls.iter().filter(|call| call.action == create && call.executed && call.result == Some(200));
        assert_eq!(made.count(), 1, "{create}");
    }
    world.plan_is_empty(Variant::OneEach).await;
}

#[tokio::test]
async fn an_apply_through_the_process_is_like_any_other_and_the_process_ends_with_it() {
    let Some(world) = World::start(BINARY).await else { return };
    let held = world.aws.add_rule(Rule::new("CreateVpc", Fault::Hold));
    let run = apply(&world, CLIENT);
    held.arrived(1).await;
    let client = run.started().expect("a process of its own");
    held.release();
    run.ended().await.succeeded();
    // Nobody tells it to: its input has ended.
    has_ended(client).await;
    all_is_there_once(&world).await;
}

/// The server did it, or never saw it; in both cases nobody heard. The same run finds out, with another process.
#[tokio::test]
async fn a_call_whose_process_is_killed_is_settled_by_the_same_run() {
    let Some(world) = World::start(BINARY).await else { return };
    for fault in [Fault::HoldAnswer, Fault::Hold] {
        world.restart().await;
        let held = world.aws.add_rule(Rule::new("CreateVpc", fault.clone()));
        let run = apply(&world, CLIENT);
        held.arrived(1).await;
        if fault == Fault::HoldAnswer {
            world.aws.executed("CreateVpc", 1).await;
        }
        let client = run.started().expect("a process of its own");
        kill_process(client, Signal::KILL).unwrap();
        // What was held comes when the run is over: too late to be executed.
        let ended = run.ended().await.succeeded();
        held.release();
        world.aws.until(|calls| calls.iter().all(|call| call.action != "CreateVpc" || call.result.is_some())).await;
        assert!(ended.out.contains("4 added"), "{ended:#?}");
        all_is_there_once(&world).await;
    }
}

#[tokio::test]
async fn a_process_that_is_none_is_told_with_what_to_do() {
    let Some(world) = World::start(BINARY).await else { return };
    let run = apply(&world, "/nowhere/provision-aws-client").ended().await;
    run.refused_with(&["/nowhere/provision-aws-client can't be started", "cargo build -p provision-aws-client"]);
    let run = apply(&world, "/bin/true").ended().await;
    run.refused_with(&["/bin/true ended before it said who it is", "cargo build -p provision-aws-client"]);
    assert_eq!(world.mutating(), [], "nothing was done");
}
