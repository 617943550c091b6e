//! Two runners at once: one is refused; one that stood still for too long is superseded, and can do no more harm.
#![expect(clippy::disallowed_methods, reason = "tests wait for leases to end")]

use std::time::Duration;

use end_to_end::world::{APPLY, Running, puts};
use end_to_end::{Ran, Variant, World};
use rustix::process::Signal;
use testbed::aws::{Fault, Match, RecordedCall, Rule};
use tokio::time::sleep;

const BINARY: &str = env!("CARGO_BIN_EXE_e2e-provision");
/// The lease of the runs, in seconds, and how long after its end a successor may follow.
const LEASE: &str = "3";
const LEASE_IS_OVER: Duration = Duration::from_millis(5_500);

fn start(world: &World, user: &str) -> Running {
    let mut command = world.command(Variant::OneEach, &APPLY);
    command.env("USER", user).env("PROVISION_LEASE", LEASE);
    Running::of(command)
}

#[tokio::test]
async fn of_two_runners_the_second_is_told_who_holds_the_blocks() {
    let Some(world) = World::start(BINARY).await else { return };
    let held = world.aws.add_rule(Rule::new("CreateVpc", Fault::Hold));
    let first = start(&world, "alice");
    held.arrived(1).await;
    // Longer than the lease: it is renewed while the call is on its way. But within the bound of its stamp.
    let second = start(&world, "bob").ended().await;
    second.refused_with(&["is held by alice@", "since 20", "wait until it has ended"]);
    assert_eq!(world.ec2_changes(), ["CreateVpc"], "the second calls nothing");
    assert_eq!(world.held().await.counts(), [0; 4]);

    held.release();
    first.ended().await.succeeded();
    assert_eq!(world.held().await.counts(), [1; 4]);
    world.plan_is_empty(Variant::OneEach).await;
}

#[tokio::test]
async fn a_lease_that_is_renewed_is_not_taken_over() {
    let Some(world) = World::start(BINARY).await else { return };
    world.aws.set_delay("CreateVpc", LEASE_IS_OVER + Duration::from_secs(1));
    world.aws.set_stamp_bound(Duration::from_secs(900));
    let mut command = world.command(Variant::OneEach, &APPLY);
    command.env("PROVISION_LEASE", LEASE).env("PROVISION_AWS_STAMP_BOUND", "60");
    let first = Running::of(command);
    world.aws.arrived("CreateVpc", 1).await;
    sleep(LEASE_IS_OVER).await;
    start(&world, "bob").ended().await.refused_with(&["is held by tester@"]);
    first.ended().await.succeeded();
    assert_eq!(world.held().await.counts(), [1; 4]);
}

/// The runner stands still between the write of the intent and the call: it never makes the call.
#[tokio::test]
async fn a_runner_stopped_before_it_sends_never_sends() {
    let Some(world) = World::start(BINARY).await else { return };
    world.apply(Variant::OneEach).await;
    let key = world.bucket().key_of_intent("CreateSubnet").await;
    world.restart().await;

    let intent = world.aws.add_rule(Rule::new(puts(&key), Fault::HoldAnswer));
    let mut first = start(&world, "alice");
    let executed = |call: &RecordedCall| call.faulted.is_some() && call.result.is_some();
    world.aws.until(|calls| calls.iter().any(executed)).await;
    first.signal(Signal::STOP);
    intent.release();
    sleep(LEASE_IS_OVER).await;
    assert_eq!(world.aws.count("CreateSubnet"), 0);

    let second = start(&world, "bob").ended().await.succeeded();
    assert!(second.out.contains("CreateSubnet did not land"), "{second:#?}");
    assert_eq!(world.held().await.counts(), [1; 4]);
    let calls = world.ec2_changes();
    assert!(first.runs());
    first.signal(Signal::CONT);
    let first = first.ended().await;
    superseded(&first);
    assert_eq!(world.ec2_changes(), calls, "the first made no call any more: {first:#?}");
    world.plan_is_empty(Variant::OneEach).await;
}

/// The runner stands still with the call on its way: the server refuses it, whatever the runner's clock says.
#[tokio::test]
async fn a_call_that_comes_after_its_bound_is_refused() {
    let Some(world) = World::start(BINARY).await else { return };
    for create in ["CreateVpc", "CreateSecurityGroup"] {
        world.restart().await;
        let held = world.aws.add_rule(Rule::new(create, Fault::Hold));
        let first = start(&world, "alice");
        held.arrived(1).await;
        first.signal(Signal::STOP);
        sleep(LEASE_IS_OVER).await;

        let second = start(&world, "bob").ended().await.succeeded();
        assert!(second.out.contains(&format!("{create} did not land")), "{second:#?}");
        assert_eq!(world.held().await.counts(), [1; 4]);

        held.release();
        let refused =
            |call: &RecordedCall| call.faulted == Some(Fault::Hold) && call.result == Some(400) && !call.executed;
        world.aws.until(|calls| calls.iter().any(refused)).await;
        first.signal(Signal::CONT);
        superseded(&first.ended().await);
        let made = Match::action(create);
        assert_eq!((world.aws.count(made.clone()), world.aws.count_executed(made)), (2, 1), "{create}");
        assert_eq!(world.held().await.counts(), [1; 4]);
        world.plan_is_empty(Variant::OneEach).await;
    }
}

/// It says that it lost its lease or its block, and that is a failure.
fn superseded(first: &Ran) {
    assert_eq!(first.code(), Some(1), "{first:#?}");
    let said = format!("{}{}", first.out, first.err);
    assert!(said.contains("taken over by bob@") || said.contains("superseded"), "{first:#?}");
}
