//! Changes of the code: blocks that leave it, and a group that has to be replaced while another block uses it.

use end_to_end::cloud::instance_groups;
use end_to_end::pool::say;
use end_to_end::world::PLAN;
use end_to_end::{Ran, Variant, World};

const BINARY: &str = env!("CARGO_BIN_EXE_e2e-provision");

async fn apply(world: &World, variant: Variant, generation: &str) -> Ran {
    world.aws.reset_calls();
    world.run(variant, &["apply", "--auto-approve", "--generation", generation]).await.succeeded()
}

#[tokio::test]
async fn a_block_that_left_the_code_goes_by_a_newer_generation_alone() {
    let Some(world) = World::start(BINARY).await else { return };
    apply(&world, Variant::Base, "7").await;
    let there = world.held().await;

    // By the same generation: the code may be the older one.
    let same = apply(&world, Variant::NoHost, "7").await;
    assert!(same.out.contains("west.host is no longer in the code and is kept"), "{same:#?}");
    assert!(same.out.contains("only a newer one destroys it"), "{same:#?}");
    assert_eq!(world.ec2_changes(), [""; 0]);

    // By no generation, on a store that others share.
    world.aws.reset_calls();
    let none = world.run(Variant::NoHost, &["apply", "--auto-approve"]).await.succeeded();
    assert!(none.out.contains("This run was given no generation (--generation), and its store is shared"), "{none:#?}");
    assert!(none.out.contains("west.host is no longer in the code and is kept"), "{none:#?}");
    assert_eq!(world.mutating(), []);

    // By an older one nothing at all is done: the run would undo what the newer code did.
    let older = world.run(Variant::GroupReplaced, &["apply", "--auto-approve", "--generation", "6"]).await;
    older.refused_with(&["was last applied by generation 7, and this run has generation 6", "run the newer code"]);
    assert_eq!(world.ec2_changes(), [""; 0]);
    assert_eq!(world.held().await, there);

    // By a newer one: users before what they use.
    let plan = world.run(Variant::NetworkAlone, &["plan", "--detailed-exitcode", "--generation", "8"]).await;
    assert_eq!(plan.code(), Some(2), "{plan:#?}");
    assert!(plan.out.contains("Plan: 0 to add, 0 to change, 3 to destroy."), "{plan:#?}");
    let newer = apply(&world, Variant::NetworkAlone, "8").await;
    assert!(newer.out.contains("0 added, 0 changed, 3 destroyed"), "{newer:#?}");
    let calls = world.ec2_changes();
    assert_eq!(calls, ["TerminateInstances", "DeleteSecurityGroup", "DeleteSecurityGroup"]);
    let held = world.held().await;
    assert_eq!(held.counts(), [1, 2, 0, 0]);
    assert_eq!((held.vpcs, held.subnets), (there.vpcs, there.subnets));
    let plan = world.run(Variant::NetworkAlone, &["plan", "--detailed-exitcode", "--generation", "8"]).await;
    assert_eq!(plan.code(), Some(0), "{plan:#?}");

    // Back in the code: made anew.
    apply(&world, Variant::Base, "9").await;
    assert_eq!(world.held().await.counts(), [1, 2, 2, 1]);
}

#[tokio::test]
async fn a_group_that_another_block_uses_is_replaced_create_first() {
    let Some(world) = World::start(BINARY).await else { return };
    world.apply(Variant::Base).await;
    let there = world.held().await;
    let old = group_of(&world, there.instance()).await;

    let plan = world.run(Variant::GroupReplaced, &PLAN).await;
    assert_eq!(plan.code(), Some(2), "{plan:#?}");
    assert!(plan.out.contains("+/- app"), "{plan:#?}");
    assert!(plan.out.contains("description  \"applications\" -> \"applications, renamed\""), "{plan:#?}");
    apply(&world, Variant::GroupReplaced, "1").await;

    let held = world.held().await;
    assert_eq!(held.counts(), [1, 2, 2, 1]);
    assert_eq!((&held.vpcs, &held.subnets, &held.instances), (&there.vpcs, &there.subnets, &there.instances));
    let new = group_of(&world, there.instance()).await;
    assert!(new != old && held.groups.contains(&new) && !held.groups.contains(&old), "{old} {new} {held:?}");
    // The new one first, under a name of its own; then its user; then the old one goes.
    let calls: Vec<_> = world.mutating().into_iter().filter(|call| call.service == "ec2").collect();
    let names: Vec<&str> = calls.iter().map(|call| call.action.as_str()).collect();
    let (first, rules, last) = (names.first(), &names[1..names.len() - 2], &names[names.len() - 2..]);
    assert_eq!(first, Some(&"CreateSecurityGroup"), "{names:?}");
    assert!(rules.iter().all(|name| *name == "AuthorizeSecurityGroupIngress") && !rules.is_empty(), "{names:?}");
    assert_eq!(last, ["ModifyInstanceAttribute", "DeleteSecurityGroup"], "{names:?}");
    let name = &calls[0].params["GroupName"];
    assert!(name.starts_with("security-app-"), "{name}");
    assert_eq!(calls.last().map(|call| call.params["GroupId"].clone()), Some(old));
    world.plan_is_empty(Variant::GroupReplaced).await;
}

/// The one group of an instance.
async fn group_of(world: &World, instance: &str) -> String {
    let mut groups = instance_groups(&world.aws.raw_ec2("DescribeInstances", &[("InstanceId.1", instance)]).await);
    assert_eq!(groups.len(), 1, "{groups:?}");
    groups.remove(0)
}

/// A refresh costs a list per type and target, however many objects there are.
#[tokio::test]
async fn a_refresh_costs_one_list_a_type() {
    let Some(world) = World::start(BINARY).await else { return };
    let reads = async |variant: Variant, objects: [usize; 4]| {
        world.restart().await;
        world.apply(variant).await;
        assert_eq!(world.held().await.counts(), objects);
        world.aws.reset_calls();
        world.plan_is_empty(variant).await;
        let mut calls: Vec<String> =
            world.aws.calls().into_iter().filter(|call| call.service == "ec2").map(|call| call.action).collect();
        calls.sort();
        calls
    };
    let of_few = reads(Variant::OneEach, [1, 1, 1, 1]).await;
    let of_many = reads(Variant::Many, [1, 12, 6, 2]).await;
    say(&format!("a refresh of 4 objects: {of_few:?}; of 21 objects: {of_many:?}"));
    assert_eq!(of_many, of_few, "the same calls");
    let lists = |calls: &[String], name: &str| calls.iter().filter(|call| *call == name).count();
    for list in ["DescribeVpcs", "DescribeSubnets", "DescribeSecurityGroups", "DescribeInstances"] {
        assert_eq!(lists(&of_many, list), 1, "{list}");
    }
    // EC2 gives two attributes of a VPC in calls of their own.
    assert_eq!(lists(&of_many, "DescribeVpcAttribute"), 2);
    assert_eq!(of_many.len(), 6);
}
