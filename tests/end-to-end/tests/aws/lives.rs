//! What becomes of objects: moves, replacements that delete first, protection, health checks between environments.

#![expect(clippy::disallowed_methods, reason = "a server of the test's own")]

use end_to_end::cloud::texts;
use end_to_end::infra::PORT;
use end_to_end::pool::say;
use end_to_end::{Ran, Running, Variant, World};
use tokio::net::TcpListener;

const BINARY: &str = env!("CARGO_BIN_EXE_e2e-provision");

async fn apply(world: &World, variant: Variant, generation: &str) -> Ran {
    world.aws.reset_calls();
    world.run(variant, &["apply", "--auto-approve", "--generation", generation]).await.succeeded()
}

async fn plan_is_empty(world: &World, variant: Variant, generation: &str) {
    let plan = world.run(variant, &["plan", "--detailed-exitcode", "--generation", generation]).await;
    assert_eq!(plan.code(), Some(0), "the plan is not empty: {plan:#?}");
    assert!(!plan.out.contains("note:"), "{plan:#?}");
}

/// A VPC gets another name, and a group goes into another block: the same objects, with other marks.
#[tokio::test]
async fn objects_move_within_a_block_and_between_two() {
    let Some(world) = World::start(BINARY).await else { return };
    apply(&world, Variant::Base, "1").await;
    let there = world.held().await;

    let moved = apply(&world, Variant::Moved, "2").await;
    assert!(moved.out.contains("west.network.core: moved from west.network.main"), "{moved:#?}");
    assert!(moved.out.contains("west.network.admin: moved from west.security.admin-1"), "{moved:#?}");
    assert_eq!(world.ec2_changes(), ["CreateTags", "CreateTags"]);
    assert_eq!(world.held().await, there, "the same objects");
    let tags = texts(&world.aws.raw_ec2("DescribeTags", &[]).await, "value");
    assert!(
        tags.contains(&"west.network.core".to_owned()) && tags.contains(&"west.network.admin".to_owned()),
        "{tags:?}"
    );
    assert!(
        !tags.contains(&"west.network.main".to_owned()) && !tags.contains(&"west.security.admin-1".to_owned()),
        "{tags:?}"
    );
    plan_is_empty(&world, Variant::Moved, "2").await;
}

/// A subnet keeps its range and gets another zone: the instance in it goes, then the subnet; then both are made anew. The
/// instance is in another block.
#[tokio::test]
async fn what_cannot_stand_beside_its_successor_goes_first_with_its_users() {
    let Some(world) = World::start(BINARY).await else { return };
    apply(&world, Variant::Base, "1").await;
    let there = world.held().await;
    let plan = world.run(Variant::ZoneChanged, &["plan", "--generation", "2"]).await.succeeded();
    assert!(plan.out.contains("-/+"), "{plan:#?}");

    apply(&world, Variant::ZoneChanged, "2").await;
    let calls = world.ec2_changes();
    let order = ["TerminateInstances", "DeleteSubnet", "CreateSubnet", "RunInstances"];
    let of_order: Vec<&str> = calls.iter().map(String::as_str).filter(|call| order.contains(call)).collect();
    assert_eq!(of_order, order, "{calls:?}");
    let held = world.held().await;
    assert_eq!(held.counts(), there.counts());
    assert_eq!(held.subnets.intersection(&there.subnets).count(), 1, "the other subnet stays");
    assert_ne!(held.instance(), there.instance());
    plan_is_empty(&world, Variant::ZoneChanged, "2").await;
}

/// A protected group stays when its block leaves the code, and the VPC that it lies in with it.
#[tokio::test]
async fn what_is_protected_stays_when_its_code_is_deleted() {
    let Some(world) = World::start(BINARY).await else { return };
    apply(&world, Variant::Protected, "1").await;
    let group = world.held().await.groups;

    let without = apply(&world, Variant::NetworkAlone, "2").await;
    assert!(without.out.contains("it is protected"), "{without:#?}");
    let held = world.held().await;
    assert_eq!(
        held.counts(),
        [1, 2, 2, 0],
        "the instance went, and the group that the protected one names stays with it"
    );
    assert_eq!(held.groups, group);
    let destroyed = world.run(Variant::NetworkAlone, &["destroy", "--auto-approve", "--generation", "3"]).await;
    assert_eq!(world.held().await.counts(), [1, 0, 2, 0], "{destroyed:#?}");

    apply(&world, Variant::Base, "4").await;
    world.run(Variant::Base, &["destroy", "--auto-approve", "--generation", "5"]).await.succeeded();
    assert_eq!(world.held().await.counts(), [0; 4], "once it is not protected any more it goes");
}

/// A health check over the real network: while staging is not healthy nothing is called for production, also not by the next
/// run, which finds nothing to do in staging.
#[tokio::test]
async fn a_failing_check_stops_production() {
    let Some(world) = World::start(BINARY).await else { return };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap_or_else(|error| panic!("{error}"));
    let port = listener.local_addr().map(|address| address.port()).unwrap_or_default();
    drop(listener);
    let run = async |generation: &str| {
        let mut command = world.command(Variant::Checked, &["apply", "--auto-approve", "--generation", generation]);
        command.env(PORT, port.to_string());
        Running::of(command).ended().await
    };
    for generation in ["1", "2"] {
        let failed = run(generation).await;
        assert_eq!(failed.code(), Some(1), "{failed:#?}");
        assert!(failed.out.contains("check open failed"), "{failed:#?}");
        assert_eq!(world.held().await.counts(), [1, 0, 0, 0], "staging alone");
    }
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap_or_else(|error| panic!("{error}"));
    let accepting = tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let good = run("3").await.succeeded();
    say(good.out.lines().find(|line| line.contains("check open")).unwrap_or_default());
    assert!(good.out.contains("check open passed"), "{good:#?}");
    assert_eq!(world.held().await.counts(), [2, 0, 0, 0]);
    accepting.abort();
}
