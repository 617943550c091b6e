//! The plans whose every single fault and every pair of faults is tried.

use std::sync::Arc;
use std::time::Duration;

use provision_core::desired::Desired;
use provision_core::plan::Mode;
use provision_core::sim::SimConfig;

use crate::infra::{BlockSpec, DcSpec, Kind, Res, Spec};
use crate::process::Job;
use crate::story::Story;
use crate::world::World;

const OLD: u64 = 1;
const NEW: u64 = 2;

fn res(kind: Kind, uid: u8) -> Res {
    Res { kind, uid, range: 0, zone: 0, flag: true, tag: 1, picks: [0; 3] }
}

fn spec(blocks: &[&[Res]]) -> Spec {
    let blocks = (100..).zip(blocks).map(|(uid, resources)| BlockSpec { uid, resources: resources.to_vec() }).collect();
    Spec { dcs: vec![DcSpec { name: "us-test", env: "staging", blocks }], next: 99 }
}

fn defined(blocks: &[&[Res]]) -> Arc<Desired> {
    Arc::new(spec(blocks).desired())
}

fn world(config: SimConfig) -> World {
    World::new(config)
}

fn instant() -> World {
    world(SimConfig::instant(7))
}

/// Objects take a while to be ready and gone.
fn slow() -> World {
    world(SimConfig { latency_percent: 100, ..SimConfig::instant(7) })
}

/// Objects are seen late, by reads and by calls.
fn late() -> World {
    world(SimConfig { lag: Duration::from_secs(1), lag_calls: true, ..SimConfig::instant(7) })
}

fn story(name: &'static str, world: World, before: Option<Arc<Desired>>, after: Arc<Desired>, mode: Mode) -> Story {
    let before = before.map(|before| Job::new(before, Mode::Apply, OLD));
    Story::new(name, world, before.as_ref(), Job::new(after, mode, NEW))
}

/// Plans of three to five actions.
pub fn small() -> Vec<fn() -> Story> {
    vec![
        create,
        create_seen_late,
        create_then_destroy,
        create_instances,
        update,
        replace_with_its_users,
        replace_across_blocks,
        delete_within_a_block,
        delete_across_blocks,
        a_block_leaves,
    ]
}

const VPC: Kind = Kind::Vpc;

fn network() -> [Res; 2] {
    [res(VPC, 0), res(Kind::Subnet, 1)]
}

/// Three creates in two blocks: found again by tag, natural key and name; all of several calls.
pub fn create() -> Story {
    story("create", instant(), None, defined(&[&network(), &[res(Kind::Group, 2)]]), Mode::Apply)
}

/// The same where objects are seen late, finished from another machine.
pub fn create_seen_late() -> Story {
    let all = defined(&[&network(), &[res(Kind::Group, 2)]]);
    story("create, seen late", late(), None, all, Mode::Apply).on_another_host()
}

/// The same; what was begun is then destroyed by newer code.
pub fn create_then_destroy() -> Story {
    let all = defined(&[&network(), &[res(Kind::Group, 2)]]);
    story("", instant(), None, all.clone(), Mode::Apply).then("create, then destroy", &all, Mode::Destroy)
}

/// Two instances, created with tokens and waited for, one of which uses the other; and an update.
pub fn create_instances() -> Story {
    let [vpc, subnet] = network();
    let (group, one, two) = (res(Kind::Group, 2), res(Kind::Instance, 3), Res { range: 2, ..res(Kind::Instance, 4) });
    let before = defined(&[&[vpc, subnet], &[group]]);
    let vpc = Res { flag: false, ..vpc };
    let after = defined(&[&[vpc, subnet], &[group, one, two]]);
    story("create instances", slow(), Some(before), after, Mode::Apply)
}

/// Three updates in two blocks, several calls each.
pub fn update() -> Story {
    let all = |flag, tag| {
        let [vpc, subnet] = network().map(|res| Res { flag, tag, ..res });
        defined(&[&[vpc, subnet], &[Res { flag, tag, ..res(Kind::Group, 2) }]])
    };
    story("update", instant(), Some(all(true, 1)), all(false, 2), Mode::Apply).on_another_host()
}

/// An instance is replaced and so is its user: both new ones first, then both old ones go.
pub fn replace_with_its_users() -> Story {
    let all = |zone| {
        let (one, two) = (Res { zone, ..res(Kind::Instance, 3) }, Res { range: 2, ..res(Kind::Instance, 4) });
        defined(&[&network(), &[res(Kind::Group, 2)], &[one, two]])
    };
    story("replace with its users", instant(), Some(all(0)), all(1), Mode::Apply)
}

/// A group is replaced, its user in another block updated, then the old group goes.
pub fn replace_across_blocks() -> Story {
    let all = |zone| {
        let [vpc, subnet] = network();
        defined(&[&[vpc, subnet, Res { zone, ..res(Kind::Group, 2) }], &[res(Kind::Instance, 3)]])
    };
    story("replace across blocks", instant(), Some(all(0)), all(1), Mode::Apply).on_another_host()
}

/// Two instances and their group leave one block.
pub fn delete_within_a_block() -> Story {
    let [vpc, subnet] = network();
    let before = defined(&[&[vpc, subnet, res(Kind::Group, 2), res(Kind::Instance, 3), res(Kind::Instance, 4)]]);
    let after = defined(&[&[vpc, subnet]]);
    story("delete within a block", slow(), Some(before), after, Mode::Apply).on_another_host()
}

/// Everything is destroyed, block after block.
pub fn delete_across_blocks() -> Story {
    let all = defined(&[&network(), &[res(Kind::Group, 2)]]);
    story("delete across blocks", instant(), Some(all.clone()), all, Mode::Destroy)
}

/// A block leaves the code while another one changes.
pub fn a_block_leaves() -> Story {
    let [vpc, subnet] = network();
    let before = defined(&[&[vpc, subnet], &[res(Kind::Group, 2), res(Kind::Instance, 3)]]);
    let after = defined(&[&[Res { flag: false, ..vpc }, subnet]]);
    story("a block leaves", instant(), Some(before), after, Mode::Apply)
}
