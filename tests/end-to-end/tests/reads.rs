//! What a refresh costs, and what comes of a server that throttles.
#![expect(clippy::disallowed_methods, reason = "how long it took is told")]

use std::time::{Duration, Instant};

use end_to_end::pool::say;
use end_to_end::world::APPLY;
use end_to_end::{Variant, World};
use testbed::aws::{Match, Throttle};

const BINARY: &str = env!("CARGO_BIN_EXE_e2e-provision");

/// The tags of an object that carries our mark and that no log knows: `Tag.1.Key`, and so on.
fn ours(prefix: &str, n: usize) -> Vec<(String, String)> {
    let address = format!("west.other.one-{n}");
    let incarnation = format!("{n:032x}");
    let tags = [("infra", "end-to-end"), ("address", &address), ("incarnation", &incarnation)];
    let pairs = tags.into_iter().enumerate().flat_map(|(i, (key, value))| {
        let at = format!("{prefix}.{}", i + 1);
        [(format!("{at}.Key"), format!("provision:{key}")), (format!("{at}.Value"), value.to_owned())]
    });
    pairs.collect()
}

fn given<'a>(fixed: &[(&'a str, &'a str)], tags: &'a [(String, String)]) -> Vec<(&'a str, &'a str)> {
    fixed.iter().copied().chain(tags.iter().map(|(key, value)| (key.as_str(), value.as_str()))).collect()
}

/// 3,000 objects of an EC2 type, whose lists carry tags, and 300 of Elastic Load Balancing, whose lists do not.
#[tokio::test]
async fn a_refresh_takes_as_many_calls_as_the_table_of_types_says() {
    let Some(world) = World::start(BINARY).await else { return };
    world.apply(Variant::OneEach).await;
    let vpc = world.held().await.vpc().to_owned();
    for n in 0..3_000 {
        let (name, tags) = (format!("group-{n}"), ours("TagSpecification.1.Tag", n));
        let of = ("TagSpecification.1.ResourceType", "security-group");
        let fixed = [("GroupName", name.as_str()), ("GroupDescription", "one of many"), ("VpcId", &vpc), of];
        let answer = world.aws.raw_ec2("CreateSecurityGroup", &given(&fixed, &tags)).await;
        assert!(answer.contains("<groupId>"), "{answer}");
    }
    for n in 0..300 {
        let (name, tags) = (format!("targets-{n}"), ours("Tags.member", n));
        let fixed = [("Name", name.as_str()), ("Protocol", "HTTP"), ("Port", "80"), ("VpcId", &vpc)];
        let answer = world.aws.raw_elbv2("CreateTargetGroup", &given(&fixed, &tags)).await;
        assert!(answer.contains("<TargetGroupArn>"), "{answer}");
    }
    // The server answers one call at a time: on a slow machine some wait longer than their stamps are good, and are repeated.
    world.aws.set_stamp_bound(Duration::from_secs(600));
    world.aws.reset_calls();
    let began = Instant::now();
    let drift = world.run(Variant::OneEach, &["drift"]).await;
    assert_eq!(drift.code(), Some(2), "what carries our mark and is in no log is drift: {drift:#?}");
    let took = began.elapsed();
    let count = |action: &str| world.aws.count(Match::action(action));
    let (groups, targets) = (count("DescribeSecurityGroups"), count("DescribeTargetGroups"));
    let calls = world.aws.calls();
    let of_targets = |call: &&testbed::aws::RecordedCall| {
        call.params.get("ResourceArns.member.1").is_some_and(|arn| arn.contains(":targetgroup/"))
    };
    let tags = calls.iter().filter(|call| call.action == "DescribeTags").filter(of_targets).count();
    say(&format!("3,001 groups: {groups} calls; 300 target groups: {targets} and {tags} for tags; {took:.1?} in all"));
    assert_eq!(groups, 4, "3,001 in pages of 1,000");
    assert_eq!(targets, 1, "300 in pages of 400");
    assert_eq!(tags, 15, "300 in batches of 20");
    assert_eq!(count("DescribeTargetGroupAttributes"), 0, "of what is in no log, nobody has set anything");
    for action in ["DescribeTargetHealth", "DescribeSecurityGroupRules"] {
        assert_eq!(count(action), 0, "{action}");
    }
}

/// 20 creates a second: nothing fails, nothing is made twice, and what is refused on the way stays few.
#[tokio::test]
async fn five_hundred_creates_at_twenty_a_second() {
    let Some(world) = World::start(BINARY).await else { return };
    let limit = Throttle { burst: 50, per_second: 20.0 };
    world.aws.set_throttle("AllocateAddress", Some(limit));
    world.aws.reset_calls();
    let began = Instant::now();
    let applied = world.run(Variant::Wide, &APPLY).await.succeeded();
    let took = began.elapsed();
    assert!(applied.out.contains("Resources: 500 added, 0 changed, 0 destroyed."), "{}", applied.out);
    let calls = world.aws.calls();
    let creates: Vec<_> = calls.iter().filter(|call| call.action == "AllocateAddress").collect();
    let made = creates.iter().filter(|call| call.executed).count();
    // From the first of them to the last, as the server saw it.
    let at = |call: Option<&&testbed::aws::RecordedCall>| call.map(|call| call.at);
    let span = at(creates.last()).zip(at(creates.first())).and_then(|(last, first)| last.duration_since(first).ok());
    let bound = f64::from(500 - limit.burst) / limit.per_second;
    let ratio = span.map(|span| span.as_secs_f64() / bound).unwrap_or_default();
    say(&format!(
        "500 creates at 20 a second: {} sent, {span:.1?} at the server, {ratio:.2} of what the limit takes; {took:.1?} in all",
        creates.len()
    ));
    assert_eq!(made, 500);
    assert!(creates.len() < 750, "{} were refused", creates.len() - made);
    world.plan_is_empty(Variant::Wide).await;
}
