//! `adopt` and `import`: what somebody made by hand becomes ours as it is, and the next plan shows what differs.

use end_to_end::cloud::texts;
use end_to_end::{Variant, World};

const BINARY: &str = env!("CARGO_BIN_EXE_e2e-provision");

/// Makes an object past the proxy, with tags; its id.
async fn made(world: &World, action: &str, id: &str, params: &[(&str, &str)], tags: &[(&str, &str)]) -> String {
    let answer = world.aws.raw_ec2(action, params).await;
    let made = texts(&answer, id).into_iter().next().unwrap_or_else(|| panic!("{action}: {answer}"));
    for (key, value) in tags {
        let tag = [("ResourceId.1", made.as_str()), ("Tag.1.Key", key), ("Tag.1.Value", value)];
        world.aws.raw_ec2("CreateTags", &tag).await;
    }
    made
}

/// A network as [`Variant::Base`] has it, made by hand, but that its first subnet gives hosts no public address.
async fn network(world: &World, tags: &[(&str, &str)]) -> [String; 3] {
    let vpc = made(world, "CreateVpc", "vpcId", &[("CidrBlock", "10.7.0.0/16")], tags).await;
    world.aws.raw_ec2("ModifyVpcAttribute", &[("VpcId", &vpc), ("EnableDnsHostnames.Value", "true")]).await;
    let mut subnets = Vec::new();
    for cidr in ["10.7.0.0/24", "10.7.1.0/24"] {
        let params = [("VpcId", vpc.as_str()), ("CidrBlock", cidr), ("AvailabilityZone", "us-east-1a")];
        subnets.push(made(world, "CreateSubnet", "subnetId", &params, tags).await);
    }
    let public = [("SubnetId", subnets[1].as_str()), ("MapPublicIpOnLaunch.Value", "true")];
    world.aws.raw_ec2("ModifySubnetAttribute", &public).await;
    let [first, second] = subnets.try_into().unwrap_or_else(|subnets| panic!("{subnets:?}"));
    [vpc, first, second]
}

#[tokio::test]
async fn what_was_made_by_hand_is_taken_over_as_it_is() {
    let Some(world) = World::start(BINARY).await else { return };
    let tags = [("owner", "platform*"), ("team", "infra")];
    let [vpc, first, second] = network(&world, &tags).await;
    // The same network once more, of another owner, and one whose owner `platform*` would fit as a pattern.
    network(&world, &[("owner", "others"), ("team", "infra")]).await;
    network(&world, &[("owner", "platform-2"), ("team", "infra")]).await;
    let group = [("VpcId", vpc.as_str()), ("GroupName", "app by hand"), ("GroupDescription", "applications")];
    let group = made(&world, "CreateSecurityGroup", "groupId", &group, &[]).await;
    let there = world.held().await;

    let adopt = ["adopt", "west.network", "--tag", "owner=platform*", "--tag", "team=infra"];
    let adopted = world.run(Variant::Base, &[&adopt[..], &["--auto-approve"]].concat()).await.succeeded();
    for (id, name) in [(&vpc, "main"), (&first, "subnet-0"), (&second, "subnet-1")] {
        let line = adopted.out.lines().find(|line| line.contains(id.as_str()) && line.contains(name));
        assert!(line.is_some_and(|line| line.contains('=')), "{name} {id}: {adopted:#?}");
    }
    let imported =
        world.run(Variant::Base, &["import", "west.security.app", &group, "--auto-approve"]).await.succeeded();
    assert!(world.ec2_changes().is_empty(), "nothing is called: {imported:#?}");
    assert_eq!(world.held().await, there);

    // The true difference, and nothing else.
    let plan = world.run(Variant::Base, &["plan", "--detailed-exitcode", "--generation", "1"]).await;
    assert_eq!(plan.code(), Some(2), "{plan:#?}");
    assert!(plan.out.contains("public_ip  false -> true"), "{plan:#?}");
    assert!(plan.out.contains("Plan: 2 to add"), "the second group and the instance: {plan:#?}");

    world.run(Variant::Base, &["apply", "--auto-approve", "--generation", "1"]).await.succeeded();
    let held = world.held().await;
    assert!(held.ids().is_superset(&there.ids()), "what was there is kept");
    assert_eq!(held.ids().len(), there.ids().len() + 2);
    world.plan_is_empty(Variant::Base).await;

    // It is ours now: it goes with the rest.
    world.run(Variant::Base, &["destroy", "--auto-approve", "--generation", "2"]).await.succeeded();
    let left = world.held().await;
    assert_eq!(left.counts(), [2, 4, 0, 0]);
    assert!(!left.ids().contains(&vpc) && !left.ids().contains(&group));
}

#[tokio::test]
async fn what_is_somebody_elses_is_not_taken_over() {
    let Some(world) = World::start(BINARY).await else { return };
    world
        .run(Variant::OtherInfra, &["apply", "--auto-approve", "--generation", "1", "--state", "theirs"])
        .await
        .succeeded();
    let vpc = world.held().await.vpc().to_owned();
    let import = ["import", "west.network.main", &vpc, "--auto-approve"];
    world.run(Variant::Base, &import).await.refused_with(&["somebody-else"]);
    let import = ["import", "west.network.main", "vpc-0123456789abcdef0", "--auto-approve"];
    world.run(Variant::Base, &import).await.refused_with(&["vpc-0123456789abcdef0"]);
}
