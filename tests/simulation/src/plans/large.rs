//! Plans of eight to twelve actions, for every pair of faults by night.

use std::sync::Arc;

use provision_core::desired::Desired;
use provision_core::plan::Mode;

use super::{blocks, defined, instant, network, res, slow, story};
use crate::infra::{DcSpec, Kind, Res, Spec};
use crate::story::Story;

/// All of them.
pub fn all() -> Vec<fn() -> Story> {
    vec![
        create,
        create_in_two_data_centres,
        create_then_other,
        create_instances,
        update,
        replace_with_its_users,
        replace_a_network,
        delete_within_a_block,
        delete_across_blocks,
        some_of_everything,
    ]
}

fn instance(uid: u8) -> Res {
    res(Kind::Instance, uid)
}

fn group(uid: u8) -> Res {
    res(Kind::Group, uid)
}

/// Tells the address of an earlier one to the machine, so that it waits for that.
fn after_another(uid: u8) -> Res {
    Res { range: 2, ..instance(uid) }
}

/// Nine creates in three blocks: found again by tag, natural key, name and token.
pub fn create() -> Story {
    let [vpc, subnet] = network();
    let more = [res(Kind::Subnet, 4), Res { zone: 1, ..res(Kind::Subnet, 5) }];
    let all = defined(&[
        &[vpc, subnet, more[0], more[1]],
        &[group(2), group(3), Res { tag: 2, ..group(6) }],
        &[instance(7), after_another(8)],
    ]);
    story("large: create", slow(), None, all, Mode::Apply)
}

/// Eight creates, four in staging and then four in production.
pub fn create_in_two_data_centres() -> Story {
    let [vpc, subnet] = network();
    let dc = |name, env, first: u8| {
        let uid = |res: Res| Res { uid: res.uid + first, ..res };
        DcSpec { name, env, blocks: blocks(&[&[uid(vpc), uid(subnet)], &[uid(group(2)), uid(instance(3))]]) }
    };
    let all = Spec { dcs: vec![dc("us-test", "staging", 0), dc("us-east", "prod", 10)], next: 99, moved: Vec::new() };
    story("large: create in two data centres", instant(), None, Arc::new(all.desired()), Mode::Apply)
}

/// Eight creates; newer code has half of them, and others.
pub fn create_then_other() -> Story {
    let [vpc, subnet] = network();
    let all = defined(&[
        &[vpc, subnet, res(Kind::Subnet, 4), group(2)],
        &[group(3), instance(5), instance(6), after_another(7)],
    ]);
    let other = defined(&[&[vpc, subnet, group(2)], &[instance(5), group(8)]]);
    story("", instant(), None, all, Mode::Apply).then("large: create, then other", &other, Mode::Apply)
}

/// Eight instances in two blocks, some of which wait for others.
pub fn create_instances() -> Story {
    let [vpc, subnet] = network();
    let before = defined(&[&[vpc, subnet, group(2)], &[]]);
    let after = defined(&[
        &[vpc, subnet, group(2), instance(3), instance(4), after_another(5), after_another(6)],
        &[instance(7), instance(8), after_another(9), after_another(10)],
    ]);
    story("large: create instances", slow(), Some(before), after, Mode::Apply)
}

/// Eight updates in three blocks.
pub fn update() -> Story {
    let all = |flag, tag| -> Arc<Desired> {
        let with = |res: Res| Res { flag, tag, ..res };
        let [vpc, subnet] = network();
        defined(&[
            &[with(vpc), with(subnet), with(res(Kind::Subnet, 4))],
            &[with(group(2)), with(group(3)), with(group(5))],
            &[Res { tag, ..instance(6) }, Res { tag, ..instance(7) }],
        ])
    };
    story("large: update", instant(), Some(all(true, 1)), all(false, 2), Mode::Apply).on_another_host()
}

/// Five instances are replaced, two of which others use.
pub fn replace_with_its_users() -> Story {
    let all = |zone| {
        let with = |res: Res| Res { zone, ..res };
        let [vpc, subnet] = network();
        defined(&[
            &[vpc, subnet, group(2)],
            &[with(instance(3)), with(after_another(4)), with(instance(5))],
            &[with(instance(6)), with(after_another(7))],
        ])
    };
    story("large: replace with its users", instant(), Some(all(0)), all(1), Mode::Apply)
}

/// A network is replaced, and with it all that lies in it.
pub fn replace_a_network() -> Story {
    let all = |range| {
        let [vpc, subnet] = network();
        let (vpc, subnet) = (Res { range, ..vpc }, Res { range, ..subnet });
        defined(&[&[vpc, subnet], &[group(2), instance(3)]])
    };
    story("large: replace a network", instant(), Some(all(0)), all(1), Mode::Apply).on_another_host()
}

/// Eight objects leave one block.
pub fn delete_within_a_block() -> Story {
    let [vpc, subnet] = network();
    let gone = [group(2), group(3), Res { tag: 2, ..group(4) }];
    let machines = [instance(5), instance(6), after_another(7), instance(8), after_another(9)];
    let before = defined(&[&[&[vpc, subnet][..], &gone, &machines].concat()]);
    let after = defined(&[&[vpc, subnet]]);
    story("large: delete within a block", slow(), Some(before), after, Mode::Apply).on_another_host()
}

/// Everything is destroyed: nine objects in three blocks.
pub fn delete_across_blocks() -> Story {
    let [vpc, subnet] = network();
    let all = defined(&[
        &[vpc, subnet, res(Kind::Subnet, 4)],
        &[group(2), group(3), Res { tag: 2, ..group(5) }],
        &[instance(6), instance(7), after_another(8)],
    ]);
    story("large: delete across blocks", instant(), Some(all.clone()), all, Mode::Destroy)
}

/// Creates, updates, replaces and deletes, in three blocks and a fourth one that leaves.
pub fn some_of_everything() -> Story {
    let [vpc, subnet] = network();
    let before = defined(&[
        &[vpc, subnet, res(Kind::Subnet, 4)],
        &[group(2), group(3)],
        &[instance(5), after_another(6)],
        &[instance(7)],
    ]);
    let after = defined(&[
        &[Res { flag: false, ..vpc }, subnet, res(Kind::Subnet, 9)],
        &[group(2), Res { zone: 1, ..group(3) }],
        &[Res { zone: 1, ..instance(5) }, after_another(6), instance(8)],
    ]);
    story("large: some of everything", instant(), Some(before), after, Mode::Apply)
}
