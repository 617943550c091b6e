//! How many bytes the log takes: at most twice what a change changes, and 600 for each event.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use provision_core::desired::Desired;
use provision_core::id::ResourceAddr;
use provision_core::sim::Held;
use provision_core::value::{Expr, Tree, Value};
use simulation::infra::{BlockSpec, DcSpec, Edit, Kind, Res, Spec, edits, output, resource, specs};
use simulation::lab::{Lab, Order};
use simulation::sim::Sim;
use simulation::world::World;

use super::limits::{job, networks};

/// What may stand in the log for each event, envelopes and signatures included.
const PER_EVENT: usize = 600;

/// The log of all blocks and runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Log {
    bytes: usize,
    events: usize,
}

impl Log {
    fn of(world: &World) -> Self {
        let mut log = Self { bytes: 0, events: 0 };
        for (key, (bytes, _)) in &world.store {
            if key.starts_with("v1/block/") || key.starts_with("v1/run/") {
                let line = bytes.split(|byte| *byte == b'\n').next().unwrap();
                let body: serde_json::Value = serde_json::from_slice(line).unwrap();
                log.bytes += bytes.len();
                log.events += body["events"].as_array().unwrap().len();
            }
        }
        log
    }

    fn since(self, before: Self) -> Self {
        Self { bytes: self.bytes - before.bytes, events: self.events - before.events }
    }

    /// Whether it is within the bound.
    fn is_bounded(self, changed: usize) -> Result<(), String> {
        let most = 2 * changed + PER_EVENT * self.events;
        if self.bytes <= most { Ok(()) } else { Err(format!("{self:?} for {changed} changed bytes: {most} at most")) }
    }
}

type Parts = BTreeMap<ResourceAddr, BTreeMap<String, serde_json::Value>>;

fn defined(desired: &Desired) -> Parts {
    let resources = desired.blocks.iter().flat_map(|(block, it)| it.resources.iter().map(move |of| (block, of)));
    let json = |(name, value): (&String, &Expr)| (name.clone(), serde_json::to_value(value).unwrap());
    resources.map(|(block, (name, it))| (block.resource(name.clone()), it.inputs.iter().map(json).collect())).collect()
}

fn held(objects: &[Held]) -> Parts {
    let json = |(name, value): (&String, &Value)| (name.clone(), serde_json::to_value(value).unwrap());
    let of = |held: &Held| Some((held.mark.as_ref()?.address.clone(), held.fields.iter().map(json).collect()));
    objects.iter().filter_map(of).collect()
}

/// The changed bytes: of each resource, the fields that have another value afterwards than before, with these values, as
/// canonical JSON. As the definition has them or as the cloud has them, whichever is more: a ref is longer than an id, and
/// a new object has all its fields anew although its definition changed in one of them. What goes counts nothing.
fn changed(definitions: [&Desired; 2], objects: [&[Held]; 2]) -> usize {
    let differ = |before: &Parts, after: &Parts| -> BTreeMap<ResourceAddr, usize> {
        let of = |(addr, after): (&ResourceAddr, &BTreeMap<String, serde_json::Value>)| {
            let before = before.get(addr);
            let mut changed = after.clone();
            changed.retain(|name, value| before.and_then(|before| before.get(name)) != Some(value));
            let bytes = if changed.is_empty() { 0 } else { serde_json::to_vec(&changed).unwrap().len() };
            (addr.clone(), bytes)
        };
        after.iter().map(of).collect()
    };
    // An object that was made anew is another one.
    let stayed: Vec<Held> =
        objects[0].iter().filter(|held| objects[1].iter().any(|now| now.id == held.id)).cloned().collect();
    let defined = differ(&defined(definitions[0]), &defined(definitions[1]));
    let mut all = differ(&held(&stayed), &held(objects[1]));
    for (addr, bytes) in defined {
        let most = all.entry(addr).or_default();
        *most = bytes.max(*most);
    }
    all.values().sum()
}

/// Applies one after the other: the log of each is within the bound.
fn bounded(lab: &mut Lab, before: &Desired, after: &Desired) -> Result<Log, String> {
    let (log, objects) = (Log::of(&lab.world), lab.world.objects());
    lab.apply(after);
    let log = Log::of(&lab.world).since(log);
    log.is_bounded(changed([before, after], [&objects, &lab.world.objects()]))?;
    Ok(log)
}

fn nothing() -> Desired {
    networks(0, 0, 0)
}

/// A lab to which this was applied.
fn with(desired: &Desired) -> Lab {
    let mut lab = Lab::new();
    assert!(lab.apply(desired).is_good());
    lab
}

/// Sets an input.
fn set(desired: &mut Desired, addr: &str, field: &str, value: impl Into<Expr>) {
    let addr: ResourceAddr = addr.parse().unwrap();
    let resource = desired.blocks.get_mut(&addr.block).unwrap().resources.get_mut(&addr.name).unwrap();
    Arc::make_mut(&mut resource.inputs).insert(field.to_owned(), value.into());
}

fn tags(value: &str) -> Expr {
    Tree::Map(BTreeMap::from([("team".to_owned(), value.into())]))
}

/// Networks with a host whose user data is this.
fn host(user_data: impl Into<Expr>) -> Desired {
    let mut desired = networks(0, 1, 1);
    let block = desired.blocks.values_mut().next().unwrap();
    let of = |name: &str| output(&format!("dc.b0.{name}").parse().unwrap(), "id");
    let group = [("vpc", of("vpc")), ("description", "a group".into())];
    let host = [
        ("subnet", of("subnet-0")),
        ("ami", "ami-12c6146b".into()),
        ("instance_type", "t3.micro".into()),
        ("security_groups", Tree::List(vec![of("group")])),
        ("user_data", user_data.into()),
    ];
    let mut put = |name: &str, kind, inputs: &[(&str, Expr)]| {
        let inputs = inputs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        block.resources.insert(name.parse().unwrap(), resource(kind, inputs, 1));
    };
    put("group", Kind::Group, &group);
    put("host", Kind::Instance, &host);
    desired
}

/// 16 KB that no two lines of are the same.
fn script(salt: usize) -> String {
    let mut text = "#!/bin/sh\n".to_owned();
    let mut n = salt;
    while text.len() < 16_000 {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(&format!("echo {n:x}\n"));
    }
    text
}

#[test]
fn a_thousand_resources_are_made_edited_and_removed() {
    let made = networks(0, 1, 1_000);
    let mut lab = Lab::new();
    let mut before = nothing();
    let mut next = |after: &Desired, at_most: usize| {
        let log = bounded(&mut lab, &before, after).unwrap();
        assert!(log.bytes < at_most, "{log:?}");
        before = after.clone();
        lab.world.objects().len()
    };
    assert_eq!(next(&made, usize::MAX), 1_001);

    let mut edited = made.clone();
    set(&mut edited, "dc.b0.subnet-7", "tags", tags("infra"));
    next(&edited, 4_000);
    // The definition is one that the log had before.
    next(&made, 4_000);
    for n in 0..1_000 {
        set(&mut edited, &format!("dc.b0.subnet-{n}"), "tags", tags("infra"));
    }
    next(&edited, usize::MAX);

    let block = edited.blocks.values_mut().next().unwrap();
    block.resources.remove(&"subnet-7".parse().unwrap());
    assert_eq!(next(&edited, 4_000), 1_000);
    assert_eq!(next(&nothing(), usize::MAX), 0);
}

#[test]
fn a_thousand_new_resources_whose_events_come_one_by_one() {
    let desired = networks(0, 1, 1_000);
    let mut sim = Sim::new(super::limits::world(super::limits::per_second(1, 50)));
    sim.start(job(&desired), false);
    sim.run().unwrap();
    let objects = sim.world.objects();
    assert_eq!(objects.len(), 1_001);
    let changed = changed([&nothing(), &desired], [&[], &objects]);
    Log::of(&sim.world).is_bounded(changed).unwrap();
}

#[test]
fn one_new_resource() {
    bounded(&mut Lab::new(), &nothing(), &networks(0, 1, 0)).unwrap();
}

#[test]
fn large_fields_of_a_new_resource_and_small_edits_of_it() {
    let before = networks(0, 1, 1);
    // As it is, and with an output in its middle: then the definition does not say what it will be.
    let (first, second) = (script(1), script(2));
    let vpc: ResourceAddr = "dc.b0.vpc".parse().unwrap();
    let vpc = provision_core::value::OutputRef { resource: vpc, output: "id".to_owned() };
    let half = first.len() / 2;
    let pieces = [Tree::from(&first[..half]), Tree::from(&first[half..])];
    let [front, back] = pieces.map(|piece: Expr| piece.as_text().unwrap().to_owned());
    let pieces = vec![
        provision_core::value::Piece::Literal(front),
        provision_core::value::Piece::Output(vpc),
        provision_core::value::Piece::Literal(back),
    ];
    for data in [Expr::from(first.as_str()), Tree::Symbol(provision_core::value::Symbol::Text(pieces))] {
        let with_host = host(data);
        let mut lab = with(&before);
        bounded(&mut lab, &before, &with_host).unwrap();
        let mut tagged = with_host.clone();
        set(&mut tagged, "dc.b0.host", "tags", tags("infra"));
        let small = bounded(&mut lab, &with_host, &tagged).unwrap();
        assert!(small.bytes < 5_000, "{small:?}");
        // Another script is another host.
        let mut other = tagged.clone();
        set(&mut other, "dc.b0.host", "user_data", second.as_str());
        bounded(&mut lab, &tagged, &other).unwrap();
    }
}

#[test]
fn a_replacement() {
    let before = networks(0, 1, 20);
    let mut lab = with(&before);
    let mut after = before.clone();
    set(&mut after, "dc.b0.subnet-7", "zone", "other");
    bounded(&mut lab, &before, &after).unwrap();
}

#[test]
fn a_call_that_fails() {
    let before = networks(0, 1, 1);
    let mut lab = with(&before);
    let mut after = networks(0, 1, 2);
    // Two subnets of a network cannot have the same addresses.
    set(&mut after, "dc.b0.subnet-1", "cidr", "10.0.0.0/24");
    let log = bounded(&mut lab, &before, &after).unwrap();
    assert_eq!((lab.world.objects().len(), log.events > 4), (2, true));
}

#[test]
fn runs_that_change_nothing() {
    let desired = networks(0, 1, 20);
    let mut lab = with(&desired);
    for _ in 0..3 {
        assert_eq!(bounded(&mut lab, &desired, &desired).unwrap(), Log { bytes: 0, events: 0 });
    }
}

/// Applies the infrastructure and then edit after edit.
fn history(spec: &Spec, edits: &[Edit], seed: u64) -> Result<(), TestCaseError> {
    let mut lab = Lab::new();
    lab.order = Order::Shuffled(seed);
    let (mut spec, mut before) = (spec.clone(), nothing());
    for edit in std::iter::once(None).chain(edits.iter().map(Some)) {
        if let Some(edit) = edit {
            spec = spec.edited(edit);
        }
        let after = spec.desired();
        bounded(&mut lab, &before, &after).map_err(TestCaseError::fail)?;
        before = after;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn random_histories(spec in specs(), edits in edits(), seed: u64) {
        history(&spec, &edits, seed)?;
    }
}

/// Little is changed, and much is said of it: who it is, what it waits for, and what it was made of.
#[test]
fn a_small_instance_in_a_block_of_its_own() {
    let res = |kind, uid, tag| Res { kind, uid, range: 0, zone: 0, flag: false, tag, picks: [0; 3] };
    let block = |uid, resources| BlockSpec { uid, resources };
    let network = block(100, vec![res(Kind::Vpc, 0, 0)]);
    let inside = block(101, vec![res(Kind::Subnet, 1, 0), res(Kind::Group, 2, 1)]);
    let host = block(102, vec![Res { picks: [39, 171, 62], range: 1, ..res(Kind::Instance, 3, 2) }]);
    let [before, after] = [vec![network.clone(), inside.clone()], vec![network, inside, host]].map(|blocks| {
        Spec { dcs: vec![DcSpec { name: "us-test", env: "staging", blocks }], next: 4, moved: Vec::new() }.desired()
    });
    bounded(&mut with(&before), &before, &after).unwrap();
}

#[test]
fn a_group_with_many_rules_is_moved_and_changed() {
    let res = |kind, uid| Res { kind, uid, range: 2, zone: 0, flag: true, tag: 2, picks: [1, 2, 3] };
    let blocks = vec![BlockSpec { uid: 100, resources: vec![res(Kind::Vpc, 0), res(Kind::Group, 1)] }];
    let dcs = vec![DcSpec { name: "us-test", env: "staging", blocks }];
    history(&Spec { dcs, next: 9, moved: Vec::new() }, &[], 1).unwrap();
}
