//! Plans in which objects change their address, or go before their successors are made.

use std::sync::Arc;

use provision_core::desired::{Desired, Lifecycle};
use provision_core::id::ResourceAddr;
use provision_core::plan::Mode;
use provision_core::sim::Held;

use super::{VPC, defined, instant, network, res, slow, story};
use crate::infra::{Kind, Res};
use crate::lab::Lab;
use crate::story::Story;

/// The same code, but for what it says about an object's life.
fn living(desired: &Desired, addr: &str, change: impl FnOnce(&mut Lifecycle)) -> Arc<Desired> {
    let mut desired = desired.clone();
    let addr: ResourceAddr = addr.parse().unwrap();
    let resource = desired.blocks.get_mut(&addr.block).and_then(|block| block.resources.get_mut(&addr.name));
    change(&mut resource.unwrap().lifecycle);
    Arc::new(desired)
}

fn moved(desired: &Desired, to: &str, from: &str) -> Arc<Desired> {
    living(desired, to, |life| life.moved_from.push(from.parse().unwrap()))
}

/// A network gets another name, and so its user another one to refer to.
pub fn rename() -> Story {
    let [vpc, subnet] = network();
    let before = defined(&[&[vpc, subnet]]);
    let after = defined(&[&[res(VPC, 9), subnet]]);
    let after = moved(&after, "us-test.m100.vpc-9", "us-test.m100.vpc-0");
    story("rename", instant(), Some(before), after, Mode::Apply)
}

/// A group goes into another block and changes there; in its place comes another one.
pub fn move_between_blocks() -> Story {
    let (before, after) = between_blocks();
    story("move between blocks", instant(), Some(before), after, Mode::Apply).on_another_host()
}

fn between_blocks() -> (Arc<Desired>, Arc<Desired>) {
    let group = res(Kind::Group, 2);
    let before = defined(&[&[res(VPC, 0), group], &[res(Kind::Group, 3)]]);
    let after = defined(&[&[res(VPC, 0)], &[res(Kind::Group, 3), Res { flag: false, uid: 5, ..group }]]);
    (before, moved(&after, "us-test.c101.group-5", "us-test.m100.group-2"))
}

/// The same; newer code, which comes before it is finished or right after, has everything where it was.
pub fn move_then_back() -> Story {
    let (before, after) = between_blocks();
    story("", instant(), Some(before.clone()), after, Mode::Apply).then("move, then back", &before, Mode::Apply)
}

/// The same; what was begun is then destroyed.
pub fn move_then_destroy() -> Story {
    let (before, after) = between_blocks();
    story("", instant(), Some(before), after.clone(), Mode::Apply).then("move, then destroy", &after, Mode::Destroy)
}

/// Everything is made; newer code, which comes before it is finished or right after, has the group in the other block.
pub fn create_then_move() -> Story {
    let (before, after) = between_blocks();
    story("", instant(), None, before, Mode::Apply).then("create, then move", &after, Mode::Apply)
}

/// A group is updated; newer code, which comes before it is finished or right after, has it in the other block.
pub fn update_then_move() -> Story {
    let (before, after) = between_blocks();
    let group = Res { flag: false, tag: 2, ..res(Kind::Group, 2) };
    let updated = defined(&[&[res(VPC, 0), group], &[res(Kind::Group, 3)]]);
    story("", instant(), Some(before), updated, Mode::Apply).then("update, then move", &after, Mode::Apply)
}

/// Two groups change places.
pub fn swap() -> Story {
    let all = |two, three| {
        let two = Res { zone: two, ..res(Kind::Group, 2) };
        defined(&[&[res(VPC, 0), two], &[Res { zone: three, ..res(Kind::Group, 3) }]])
    };
    let after = moved(&all(1, 0), "us-test.m100.group-2", "us-test.c101.group-3");
    let after = moved(&after, "us-test.c101.group-3", "us-test.m100.group-2");
    story("swap", instant(), Some(all(0, 1)), after, Mode::Apply)
}

/// A subnet keeps its range and gets another zone, so the old one goes first, and the instance in it before.
pub fn old_ones_first() -> Story {
    let all = |zone| {
        let [vpc, subnet] = network();
        defined(&[&[vpc, Res { zone, ..subnet }, res(Kind::Group, 2)], &[res(Kind::Instance, 3)]])
    };
    story("old ones first", slow(), Some(all(0)), all(1), Mode::Apply).on_another_host()
}

/// A group that is to be deleted before its successor is made, and another one whose rules name it.
pub fn old_ones_first_by_wish() -> Story {
    let all = |zone| {
        let named = Res { tag: 1, ..res(Kind::Group, 3) };
        let all = defined(&[&[res(VPC, 0), Res { zone, tag: 0, ..res(Kind::Group, 2) }, named]]);
        living(&all, "us-test.m100.group-2", |life| life.delete_before_replace = true)
    };
    story("old ones first by wish", instant(), Some(all(0)), all(1), Mode::Apply)
}

/// Whether the group is there, with the same id, after each of these codes was applied.
fn stays(codes: &[Arc<Desired>], good: bool) -> Result<Vec<Held>, String> {
    let mut lab = Lab::new();
    let group = |lab: &Lab| {
        let objects = lab.world.objects();
        objects.into_iter().find(|held| held.type_name.as_str() == "aws_security_group").ok_or("the group is gone")
    };
    let mut seen = Vec::new();
    for code in codes {
        let ran = lab.apply(code);
        if !ran.is_good() && good {
            return Err(format!("{:?} {:?}", ran.report, ran.error));
        }
        seen.push(group(&lab)?);
    }
    let same = seen.windows(2).all(|pair| pair[0].id == pair[1].id);
    if same { Ok(seen) } else { Err(format!("another group: {seen:?}")) }
}

/// What is protected stays when its definition leaves the code, and so does what it uses; when it would have to be
/// replaced, its block is refused. Once it is not protected any more it goes.
pub(crate) fn what_is_protected_stays() -> Result<(), String> {
    let protected = |zone| {
        let all = defined(&[&[res(VPC, 0)], &[Res { zone, ..res(Kind::Group, 2) }]]);
        living(&all, "us-test.c101.group-2", |life| life.prevent_destroy = true)
    };
    let without = defined(&[&[res(VPC, 9)]]);
    stays(&[protected(0), without.clone()], true)?;
    stays(&[protected(0), protected(1)], false)?;
    let free = defined(&[&[res(VPC, 0)], &[res(Kind::Group, 2)]]);
    match stays(&[protected(0), free, without], true) {
        Err(gone) if gone == "the group is gone" => Ok(()),
        other => Err(format!("it should have gone: {other:?}")),
    }
}

/// A field whose changes are ignored is set when the object is made, and keeps its value afterwards.
pub(crate) fn ignored_fields_stay() -> Result<(), String> {
    let ignoring = |flag| {
        let all = defined(&[&[res(VPC, 0)], &[Res { flag, ..res(Kind::Group, 2) }]]);
        living(&all, "us-test.c101.group-2", |life| {
            life.ignore_changes = ["ingress".to_owned()].into();
        })
    };
    let seen = stays(&[ignoring(true), ignoring(false)], true)?;
    let ingress = |held: &Held| held.fields.get("ingress").cloned();
    match seen.windows(2).all(|pair| ingress(&pair[0]) == ingress(&pair[1])) {
        true => Ok(()),
        false => Err(format!("the ignored field was set: {seen:?}")),
    }
}
