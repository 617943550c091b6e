//! Things that somebody changed behind our back: the plan shows them, an apply repairs them, the next plan is empty.

use end_to_end::cloud::texts;
use end_to_end::world::PLAN;
use end_to_end::{Held, Variant, World};

const BINARY: &str = env!("CARGO_BIN_EXE_e2e-provision");

/// The plan shows this and an apply calls just that.
async fn repaired(world: &World, shows: &[&str], calls: &[&str]) -> Held {
    let plan = world.run(Variant::Base, &PLAN).await;
    assert_eq!(plan.code(), Some(2), "{plan:#?}");
    for text in shows {
        assert!(plan.out.contains(text), "`{text}` is missing: {plan:#?}");
    }
    world.aws.reset_calls();
    world.apply(Variant::Base).await;
    assert_eq!(world.ec2_changes(), calls);
    world.plan_is_empty(Variant::Base).await;
    world.held().await
}

#[tokio::test]
async fn what_was_changed_behind_our_back_is_repaired() {
    let Some(world) = World::start(BINARY).await else { return };
    world.apply(Variant::Base).await;
    let there = world.held().await;
    let (vpc, aws) = (there.vpc().to_owned(), &world.aws);

    // An attribute.
    aws.raw_ec2("ModifyVpcAttribute", &[("VpcId", &vpc), ("EnableDnsHostnames.Value", "false")]).await;
    let asked = [("VpcId", vpc.as_str()), ("Attribute", "enableDnsHostnames")];
    let shown = async || texts(&aws.raw_ec2("DescribeVpcAttribute", &asked).await, "value");
    assert_eq!(shown().await, ["false"]);
    let shows = ["~ main", "dns_hostnames  false -> true", "0 to add, 1 to change, 0 to destroy"];
    assert_eq!(repaired(&world, &shows, &["ModifyVpcAttribute"]).await, there);
    assert_eq!(shown().await, ["true"]);

    // A tag that is ours is gone, and one that is not has come: ours comes back, the other is ours to remove.
    aws.raw_ec2("DeleteTags", &[("ResourceId.1", &vpc), ("Tag.1.Key", "team")]).await;
    let shows = ["~ main", "tags", "1 to change"];
    assert_eq!(repaired(&world, &shows, &["CreateTags"]).await, there);
    let filter = [("Filter.1.Name", "tag:team"), ("Filter.1.Value.1", "infra")];
    assert_eq!(texts(&aws.raw_ec2("DescribeVpcs", &filter).await, "vpcId"), std::slice::from_ref(&vpc));

    // A rule was taken away.
    let group = texts(&aws.raw_ec2("DescribeSecurityGroups", &named("security-admin-1")).await, "groupId").remove(0);
    let rule = [
        ("GroupId", group.as_str()),
        ("IpPermissions.1.IpProtocol", "tcp"),
        ("IpPermissions.1.FromPort", "22"),
        ("IpPermissions.1.ToPort", "22"),
        ("IpPermissions.1.IpRanges.1.CidrIp", "192.0.2.0/24"),
    ];
    aws.raw_ec2("RevokeSecurityGroupIngress", &rule).await;
    let ranges = async || {
        let groups = aws.raw_ec2("DescribeSecurityGroups", &[("GroupId.1", &group)]).await;
        let mut ranges = texts(&groups, "cidrIp");
        ranges.sort();
        ranges
    };
    assert_eq!(ranges().await, ["0.0.0.0/0"]);
    repaired(&world, &["~ admin-1", "ingress"], &["AuthorizeSecurityGroupIngress"]).await;
    assert_eq!(ranges().await, ["0.0.0.0/0", "192.0.2.0/24"]);

    // A rule was let in that nobody asked for.
    let open: Vec<_> = rule
        .iter()
        .map(|(name, value)| if *value == "192.0.2.0/24" { (*name, "0.0.0.0/0") } else { (*name, *value) })
        .collect();
    aws.raw_ec2("AuthorizeSecurityGroupIngress", &open).await;
    assert_eq!(ranges().await, ["0.0.0.0/0", "0.0.0.0/0", "192.0.2.0/24"]);
    repaired(&world, &["~ admin-1", "ingress"], &["RevokeSecurityGroupIngress"]).await;
    assert_eq!(ranges().await, ["0.0.0.0/0", "192.0.2.0/24"]);
}

fn named(name: &str) -> [(&str, &str); 2] {
    [("Filter.1.Name", "group-name"), ("Filter.1.Value.1", name)]
}

#[tokio::test]
async fn what_was_deleted_behind_our_back_is_made_again() {
    let Some(world) = World::start(BINARY).await else { return };
    world.apply(Variant::Base).await;
    let there = world.held().await;
    // The same drift, repaired twice: the second time is a plan of its own, with a token of its own.
    let mut instances = vec![there.instance().to_owned()];
    for _ in 0..2 {
        let last = instances.last().cloned().unwrap_or_default();
        world.aws.raw_ec2("TerminateInstances", &[("InstanceId.1", &last)]).await;
        assert_eq!(world.held().await.counts(), [1, 2, 2, 0]);
        let shows = ["+ host-0", &format!("{last} is no longer there"), "1 to add, 0 to change, 0 to destroy"];
        let held = repaired(&world, &shows, &["RunInstances"]).await;
        assert_eq!((&held.vpcs, &held.subnets, &held.groups), (&there.vpcs, &there.subnets, &there.groups));
        assert!(!instances.iter().any(|old| old == held.instance()), "a new one");
        instances.push(held.instance().to_owned());
    }
    let list = world.run(Variant::Base, &["state", "list"]).await.succeeded();
    assert!(list.out.contains(&instances[2]) && !list.out.contains(&instances[0]), "{list:#?}");
}

/// Somebody's own things beside ours are nobody's drift.
#[tokio::test]
async fn what_is_not_ours_is_left_alone() {
    let Some(world) = World::start(BINARY).await else { return };
    let theirs = world.aws.raw_ec2("CreateVpc", &[("CidrBlock", "10.7.0.0/16")]).await;
    let theirs = texts(&theirs, "vpcId").remove(0);
    world.apply(Variant::Base).await;
    assert_eq!(world.held().await.vpcs.len(), 2);
    world.plan_is_empty(Variant::Base).await;
    world.run(Variant::Base, &["destroy", "--auto-approve", "--generation", "1"]).await.succeeded();
    assert_eq!(world.held().await.ids().into_iter().collect::<Vec<_>>(), [theirs]);
}
