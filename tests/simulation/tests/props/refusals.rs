//! What cannot be done is refused with all that waits for it, whatever the blocks are called.

use std::collections::{BTreeMap, BTreeSet};

use provision_core::desired::{Desired, DesiredBlock};
use provision_core::id::BlockAddr;
use provision_core::sim::Tamper;
use provision_core::value::{Expr, Value};
use simulation::infra::{Kind, output, resource};
use simulation::lab::Lab;
use simulation::oracle;

use crate::samples::one_of_each;

fn empty() -> Desired {
    let mut desired = one_of_each().desired();
    desired.blocks.clear();
    desired
}

fn put(desired: &mut Desired, addr: &str, kind: Kind, inputs: &[(&str, Expr)]) {
    let addr: provision_core::id::ResourceAddr = addr.parse().unwrap();
    let inputs = inputs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let fresh = DesiredBlock {
        function: addr.block.block.to_string(),
        params: Value::Null,
        after: BTreeSet::new(),
        resources: BTreeMap::new(),
        outputs: Expr::Null,
        checks: BTreeMap::new(),
        lookups: BTreeMap::new(),
        crossings: BTreeMap::new(),
    };
    let block = desired.blocks.entry(addr.block.clone()).or_insert(fresh);
    let resource = resource(kind, inputs, 1);
    block.after.extend(resource.depends_on().into_iter().map(|used| used.block).filter(|used| *used != addr.block));
    block.resources.insert(addr.name, resource);
}

fn vpc(desired: &mut Desired, addr: &str, range: u8) {
    put(desired, addr, Kind::Vpc, &[("cidr", format!("10.{range}.0.0/16").into())]);
}

fn subnet(desired: &mut Desired, addr: &str, vpc: &str, zone: &str) {
    let vpc = output(&vpc.parse().unwrap(), "id");
    put(desired, addr, Kind::Subnet, &[("vpc", vpc), ("cidr", "10.0.1.0/24".into()), ("zone", zone.into())]);
    // A change of the zone would replace it.
    let addr: provision_core::id::ResourceAddr = addr.parse().unwrap();
    let resource = desired.blocks.get_mut(&addr.block).and_then(|block| block.resources.get_mut(&addr.name));
    resource.unwrap().lifecycle.prevent_destroy = true;
}

fn after(desired: &mut Desired, block: &str, before: &str) {
    let block = desired.blocks.get_mut(&block.parse::<BlockAddr>().unwrap()).unwrap();
    block.after.insert(before.parse().unwrap());
}

/// Applies both; exactly these blocks are refused and stay as they are, and the rest is as defined.
fn refused(before: &Desired, then: &Desired, expected: &[&str]) {
    let mut lab = Lab::new();
    assert!(lab.apply(before).is_good());
    let held = lab.world.objects();
    let ran = lab.apply(then);
    let plan = ran.plan.unwrap();
    let refused: BTreeSet<BlockAddr> = plan.refusals().map(|(block, _)| block.clone()).collect();
    let names: Vec<String> = refused.iter().map(ToString::to_string).collect();
    assert_eq!(names, expected, "{:#?}", plan.refusals().collect::<Vec<_>>());
    oracle::unchanged(&refused, &held, &lab.world.objects()).unwrap();
    oracle::blocks_are_as_defined(then, &lab.world.objects(), &refused).unwrap();
    assert!(ran.error.is_none() && ran.report.is_none_or(|report| report.problems.is_empty()));
}

#[test]
fn what_waits_for_a_refused_block_is_refused_down_the_line() {
    let world = |zone: &str, range: u8| {
        let mut desired = empty();
        vpc(&mut desired, "us-test.zoo.net", 0);
        subnet(&mut desired, "us-test.zoo.sub", "us-test.zoo.net", zone);
        for (block, before) in [("us-test.mid", "us-test.zoo"), ("us-test.all", "us-test.mid")] {
            vpc(&mut desired, &format!("{block}.net"), range);
            after(&mut desired, block, before);
        }
        vpc(&mut desired, "us-test.beside.net", range);
        desired
    };
    refused(&world("zone-a", 0), &world("zone-b", 1), &["us-test.all", "us-test.mid", "us-test.zoo"]);
}

#[test]
fn what_a_refused_block_uses_is_not_replaced_and_what_waits_for_that_waits() {
    let world = |zone: &str, range: u8| {
        let mut desired = empty();
        vpc(&mut desired, "us-test.shared.net", range);
        vpc(&mut desired, "us-test.stuck.net", 0);
        subnet(&mut desired, "us-test.stuck.own", "us-test.stuck.net", zone);
        subnet(&mut desired, "us-test.stuck.user", "us-test.shared.net", "zone-a");
        vpc(&mut desired, "us-test.later.net", range);
        after(&mut desired, "us-test.later", "us-test.shared");
        vpc(&mut desired, "us-test.beside.net", range);
        desired
    };
    refused(&world("zone-a", 0), &world("zone-b", 1), &["us-test.later", "us-test.shared", "us-test.stuck"]);
}

/// Somebody else's subnet keeps a network from being deleted: that is tried for a while, not for ever.
#[test]
fn what_is_in_use_for_ever_is_given_up() {
    let mut lab = Lab::new();
    let mut desired = empty();
    vpc(&mut desired, "us-test.zoo.net", 0);
    assert!(lab.apply(&desired).is_good());
    let held = lab.world.objects().remove(0);
    let fields = [("vpc".to_owned(), held.id.to_string().into()), ("cidr".to_owned(), "10.0.1.0/24".into())];
    lab.world.tamper(&Tamper::Create {
        target: held.target,
        type_name: "aws_subnet".parse().unwrap(),
        fields: fields.into(),
        mark: None,
        name: None,
    });
    let ran = lab.destroy(&desired);
    assert!(!ran.is_good());
    assert!((2..100).contains(&ran.calls), "{} calls", ran.calls);
    assert_eq!(lab.world.objects().len(), 2, "both are there");
}
