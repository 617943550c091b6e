//! Plans in which objects change their address, or go before their successors are made.

use std::sync::Arc;

use provision_core::desired::{Desired, Lifecycle};
use provision_core::exec::GenerationChoice;
use provision_core::id::ResourceAddr;
use provision_core::plan::Mode;
use provision_core::sim::Held;

use super::{VPC, defined, instant, network, res, slow, stages, story};
use crate::fault::{Fault, What};
use crate::infra::{Kind, Res};
use crate::lab::Lab;
use crate::process::{Job, Process};
use crate::sim::{Faults, Sim, Stuck};
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

/// The sealed plan of [`move_between_blocks`].
pub fn resume_move() -> Story {
    move_between_blocks().resumed("resume: move between blocks")
}

/// The sealed plan of [`old_ones_first`].
pub fn resume_old_ones_first() -> Story {
    old_ones_first().resumed("resume: old ones first")
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

/// A job of newer code, which no other run of these is.
fn newer(story: &Story, desired: &Arc<Desired>, mode: Mode, by: u64) -> Job {
    let generation = match story.first.generation {
        GenerationChoice::Given(generation) => {
            GenerationChoice::Given((0..by).fold(generation, |generation, _| generation.next()))
        }
        other => other,
    };
    Job { desired: desired.clone(), mode, generation, ..story.first.clone() }
}

fn groups(sim: &Sim) -> Vec<Held> {
    let objects = sim.world.objects();
    objects.into_iter().filter(|held| held.type_name.as_str() == "aws_security_group").collect()
}

/// Wherever a run is killed, what these jobs do then leaves the group where it is, if there is one by then.
fn stays_wherever_killed(story: &Story, then: &[Job]) -> Result<(), String> {
    let mut stayed = 0;
    for action in 0.. {
        let mut sim = story.sim(story.world.clone());
        let process = sim.world.started + 1;
        sim.faults = Faults::Listed(vec![Fault { process, action, what: What::Kill }]);
        sim.start(story.first.clone(), false);
        sim.run().map_err(|Stuck(why)| why)?;
        let over = sim.process(process).is_some_and(Process::is_good);
        let before = groups(&sim);
        for job in then {
            sim.pass_to(sim.world.ms + 60_000);
            sim.start(job.clone(), false);
            sim.run().map_err(|Stuck(why)| why)?;
        }
        let after = groups(&sim);
        if before.iter().any(|held| !after.iter().any(|other| other.id == held.id)) {
            return Err(format!("killed at action {action}: the protected group is gone"));
        }
        stayed += before.len();
        if over {
            break;
        }
    }
    if stayed == 0 { Err("there never was a group".to_owned()) } else { Ok(()) }
}

/// A protected group of which a call is open when its definition leaves the code, or when everything is destroyed.
pub(crate) fn what_is_protected_stays_half_made() -> Result<(), String> {
    let code = defined(&[&[res(VPC, 0)], &[Res { flag: true, ..res(Kind::Group, 2) }]]);
    let code = living(&code, "us-test.c101.group-2", |life| life.prevent_destroy = true);
    let story = crate::story::unbroken(|| story("", instant(), None, code.clone(), Mode::Apply)).with_fresh_memory();
    let without = defined(&[&[res(VPC, 0)]]);
    stays_wherever_killed(&story, &[newer(&story, &without, Mode::Apply, 1), newer(&story, &without, Mode::Apply, 2)])?;
    stays_wherever_killed(&story, &[newer(&story, &code, Mode::Destroy, 1)])
}

/// A protected group that changes its address, or goes back, when everything is destroyed.
pub(crate) fn what_is_protected_stays_half_moved() -> Result<(), String> {
    // Nothing else is done in the block that it goes to: what the log there says of it, it says when the object comes.
    let group = res(Kind::Group, 2);
    let before = defined(&[&[res(VPC, 0), group], &[res(Kind::Subnet, 3)]]);
    let after = defined(&[&[res(VPC, 0)], &[res(Kind::Subnet, 3), Res { uid: 5, ..group }]]);
    let after = moved(&after, "us-test.c101.group-5", "us-test.m100.group-2");
    let before = living(&before, "us-test.m100.group-2", |life| life.prevent_destroy = true);
    let after = living(&after, "us-test.c101.group-5", |life| life.prevent_destroy = true);
    let story = crate::story::unbroken(|| story("", instant(), Some(before.clone()), after.clone(), Mode::Apply));
    let story = story.with_fresh_memory();
    let none = defined(&[&[res(VPC, 0)]]);
    stays_wherever_killed(&story, &[newer(&story, &after, Mode::Destroy, 1)])?;
    stays_wherever_killed(&story, &[newer(&story, &none, Mode::Apply, 1), newer(&story, &none, Mode::Apply, 2)])
}

/// What is to go before its successor is made stays while the block before it is not healthy: else there would be neither.
pub(crate) fn what_goes_first_waits() -> Result<(), String> {
    let code = |flag, zone| {
        let all = defined(&[&[Res { flag, ..res(VPC, 0) }], &[Res { zone, ..res(Kind::Group, 2) }]]);
        let mut all = (*living(&all, "us-test.c101.group-2", |life| life.delete_before_replace = true)).clone();
        stages::check(&mut all, "us-test.m100.vpc-0", 1);
        Arc::new(all)
    };
    let story = || story("", instant(), Some(code(true, 0)), code(false, 1), Mode::Apply);
    let mut story = crate::story::unbroken(story).with_fresh_memory();
    story.world.cloud.make_unhealthy("us-test.m100".parse().unwrap());
    let mut sim = story.sim(story.world.clone());
    let before = groups(&sim);
    sim.start(story.first.clone(), false);
    sim.run().map_err(|Stuck(why)| why)?;
    if groups(&sim) == before { Ok(()) } else { Err("it went, and its successor could not be made".to_owned()) }
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
