//! Thousands of resources: no cost may grow with the square.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use provision_core::desired::{Channel, Desired, DesiredBlock, DesiredDc};
use provision_core::id::{BlockAddr, ResourceAddr};
use provision_core::plan::Mode;
use provision_core::target::TargetId;
use provision_core::value::{Expr, Exprs, Tree, Value};
use simulation::infra::{Kind, output, resource};
use simulation::lab::Lab;
use simulation::oracle;

/// So many blocks, each with a network of its own, nine subnets, and so many groups and instances; all but the first use
/// a group of the first.
fn large(blocks: usize, of_each: usize) -> Desired {
    let provider: provision_core::id::ProviderName = "aws".parse().unwrap();
    let target = TargetId { provider: provider.clone(), account: "123456789012".to_owned(), region: "r".to_owned() };
    let targets = BTreeMap::from([(provider, target)]);
    let dc = DesiredDc { env: "prod".parse().unwrap(), channel: Channel::Stable, targets };
    let first: ResourceAddr = "dc.b0.group-0".parse().unwrap();
    let mut desired = Desired {
        infra: "wix".parse().unwrap(),
        environments: vec!["prod".parse().unwrap()],
        dcs: BTreeMap::from([("dc".parse().unwrap(), dc)]),
        blocks: BTreeMap::new(),
        custom_checks: Default::default(),
        nevers: Vec::new(),
    };
    for number in 0..blocks {
        let addr: BlockAddr = format!("dc.b{number}").parse().unwrap();
        let of = |name: String| output(&addr.resource(name.parse().unwrap()), "id");
        let inputs = |entries: Vec<(&str, Expr)>| -> Exprs {
            entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
        };
        let vpc = || ("vpc", of("vpc".to_owned()));
        let mut resources = BTreeMap::new();
        let mut put = |name: String, kind, entries| {
            resources.insert(name.parse().unwrap(), resource(kind, inputs(entries), 1));
        };
        put("vpc".to_owned(), Kind::Vpc, vec![("cidr", "10.0.0.0/16".into())]);
        for n in 0..9 {
            let cidr = format!("10.0.{n}.0/24").into();
            put(format!("subnet-{n}"), Kind::Subnet, vec![vpc(), ("zone", "zone-a".into()), ("cidr", cidr)]);
        }
        for n in 0..of_each {
            let group = format!("group-{n}");
            put(group.clone(), Kind::Group, vec![vpc(), ("description", "a group".into())]);
            let shared = if number == 0 { of(group.clone()) } else { output(&first, "id") };
            let entries = vec![
                ("subnet", of(format!("subnet-{}", n % 9))),
                ("ami", "ami-12c6146b".into()),
                ("instance_type", "t3.micro".into()),
                ("security_groups", Tree::List(vec![of(group), shared])),
            ];
            put(format!("instance-{n}"), Kind::Instance, entries);
        }
        let after = (number > 0).then(|| first.block.clone()).into_iter().collect();
        desired.blocks.insert(
            addr,
            DesiredBlock {
                function: "b".to_owned(),
                params: Value::Null,
                after,
                resources,
                outputs: Tree::Null,
                checks: BTreeMap::new(),
                lookups: BTreeMap::new(),
                crossings: BTreeMap::new(),
            },
        );
    }
    desired
}

#[expect(clippy::disallowed_methods, reason = "it measures real time")]
/// How long plan, apply and plan again take, and how many actions the apply needs.
fn measure(blocks: usize, of_each: usize) -> (Duration, Duration, Duration, usize) {
    let (desired, mut lab) = (large(blocks, of_each), Lab::new());
    let timed = |lab: &mut Lab| {
        let began = Instant::now();
        let plan = lab.plan(&desired, Mode::Apply).plan;
        (plan, began.elapsed())
    };
    let (_, first) = timed(&mut lab);
    let began = Instant::now();
    let ran = lab.apply(&desired);
    let apply = began.elapsed();
    assert!(ran.is_good(), "{:?} {:?}", ran.error, ran.report);
    oracle::is_as_defined(&desired, &lab.world.objects()).unwrap();
    let (plan, again) = timed(&mut lab);
    assert!(plan.is_empty());
    let (each, actions) = (10 + 2 * of_each, ran.actions);
    println!("{blocks} blocks of {each}: plan {first:.1?}, apply {apply:.1?} ({actions} actions), plan {again:.1?}");
    (first, apply, again, ran.actions)
}

#[test]
fn two_thousand_resources_in_forty_blocks() {
    let (.., few) = measure(10, 20);
    let (plan, apply, again, many) = measure(40, 20);
    // Four times as much: the same actions per block, give or take what a run needs once.
    assert!(many <= few * 4 + 100, "{few} actions for 10 blocks, {many} for 40");
    // Generous, for a debug build on a busy machine: what grows with the square takes minutes.
    assert!(plan + apply + again < Duration::from_secs(90), "plan {plan:?}, apply {apply:?}, plan {again:?}");
}

/// A block is meant to be small, but a large one must not stand still.
#[test]
fn five_hundred_resources_in_one_block() {
    measure(1, 60);
    let (plan, apply, again, _) = measure(1, 245);
    assert!(plan + apply + again < Duration::from_secs(60), "plan {plan:?}, apply {apply:?}, plan {again:?}");
}
