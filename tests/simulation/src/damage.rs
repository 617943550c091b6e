//! Logs that were damaged, forged or rolled back: no call for the block, a clear error, and the others unharmed.

use std::sync::Arc;

use provision_core::plan::Mode;
use provision_core::sim::SimConfig;

use crate::fault::{Fault, What};
use crate::infra::{BlockSpec, DcSpec, Kind, Res, Spec};
use crate::oracle;
use crate::process::{Job, Outcome, Process};
use crate::sim::{Faults, Sim, Stuck};
use crate::story::unbroken;
use crate::trace::{Bytes, Trace};
use crate::world::World;

/// What was done to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// A space was put in, as an editor would.
    Edited,
    /// Its second half is gone.
    Cut,
    /// It is gone, and later ones are there.
    Removed,
    /// It is gone, later ones are there, and the hint is from before it.
    RemovedAboveHint,
    /// Another valid entry, signed by a runner for this very place, stands there.
    Replaced,
    /// The entry before it stands there as well.
    Repeated,
    /// It claims to be of a newer format.
    Newer,
}

/// Every kind.
pub const ALL: [Damage; 7] = [
    Damage::Edited,
    Damage::Cut,
    Damage::Removed,
    Damage::RemovedAboveHint,
    Damage::Replaced,
    Damage::Repeated,
    Damage::Newer,
];

pub(crate) fn spec(tag: u8) -> Spec {
    let res = |kind, uid| Res { kind, uid, range: 0, zone: 0, flag: true, tag, picks: [0; 3] };
    // Two blocks that use nothing of each other.
    let blocks = vec![
        BlockSpec { uid: 100, resources: vec![res(Kind::Vpc, 0), res(Kind::Subnet, 1)] },
        BlockSpec { uid: 101, resources: vec![res(Kind::Vpc, 2)] },
    ];
    Spec { dcs: vec![DcSpec { name: "us-test", env: "staging", blocks }], next: 9, moved: Vec::new() }
}

pub(crate) fn job(tag: u8, generation: u64) -> Job {
    Job::new(Arc::new(spec(tag).desired()), Mode::Apply, generation)
}

pub(crate) fn apply(sim: &mut Sim, job: Job) -> Result<u32, String> {
    let number = sim.start(job, false);
    sim.run().map_err(|Stuck(why)| why)?;
    Ok(number)
}

/// Damages every entry of a block's log in this way, one after the other, and applies newer code. The log has no checkpoint:
/// all of it is read.
///
/// # Errors
/// What does not hold.
pub fn every_entry(damage: Damage) -> Result<u32, String> {
    let (mut world, other) = unbroken(two_histories)?;
    let checkpoints = |key: &String| key.starts_with("v1/hint/checkpoint/");
    world.store.retain(|key, _| !checkpoints(key));
    every_entry_of(&world, &other, damage, refused)
}

/// The same where the log has a checkpoint: what is damaged below it was verified by who made it. Either the damage is noticed,
/// or it does no harm.
///
/// # Errors
/// What does not hold.
pub fn every_entry_with_a_checkpoint(damage: Damage) -> Result<u32, String> {
    let (world, other) = unbroken(two_histories)?;
    if !world.store.contains_key(crate::checkpoints::KEY) {
        return Err("there is no checkpoint".to_owned());
    }
    every_entry_of(&world, &other, damage, |world| {
        refused(world.clone()).or_else(|noticed| {
            crate::checkpoints::is_brought_up_to_date(world).map(drop).map_err(|harm| format!("{noticed}; {harm}"))
        })
    })
}

fn every_entry_of(
    world: &World,
    other: &World,
    damage: Damage,
    ends_well: impl Fn(World) -> Result<(), String>,
) -> Result<u32, String> {
    let stream = |key: &&String| key.starts_with("v1/block/us-test.m100/");
    let keys: Vec<String> = world.store.keys().filter(stream).cloned().collect();
    let mut cases = 0;
    for (at, key) in keys.iter().enumerate() {
        let mut world = world.clone();
        if !strike(&mut world, other, &keys, at, damage) {
            continue;
        }
        cases += 1;
        ends_well(world).map_err(|wrong| format!("{damage:?} entry {key}: {wrong}"))?;
    }
    if cases == 0 { Err(format!("{damage:?}: no case")) } else { Ok(cases) }
}

/// Two histories of the same run: in the second one an answer is lost, so that one of its entries says something else, and
/// could follow as well.
fn two_histories() -> Result<(World, World), String> {
    let mut sim = Sim::new(World::new(SimConfig::instant(7)));
    apply(&mut sim, job(0, 1))?;
    let mut other = Sim::new(sim.world.clone());
    let process = other.world.started + 1;
    apply(&mut sim, job(2, 2))?;
    let kinds = &sim.processes[1].kinds;
    let call = kinds.iter().position(|kind| *kind == crate::fault::Kind::Call).ok_or("no call")?;
    other.faults = Faults::Listed(vec![Fault { process, action: call, what: What::LoseAnswer }]);
    apply(&mut other, job(2, 2))?;
    sim.world.trace = Trace::default();
    Ok((sim.world, other.world))
}

/// Whether the damage can be done to that entry.
fn strike(world: &mut World, other: &World, keys: &[String], at: usize, damage: Damage) -> bool {
    let (key, last) = (&keys[at], at + 1 == keys.len());
    let Some((bytes, modified)) = world.store.get(key).cloned() else { return false };
    let text =
        |from: &str, to: &str| -> Bytes { String::from_utf8_lossy(&bytes).replacen(from, to, 1).into_bytes().into() };
    let new: Bytes = match damage {
        Damage::Edited => text("\"seq\":", "\"seq\": "),
        Damage::Cut => bytes[..bytes.len() / 2].into(),
        // A tail that is cut off whole is found by outside witnesses alone.
        Damage::Removed | Damage::RemovedAboveHint if last => return false,
        Damage::Removed => {
            world.store.remove(key);
            return true;
        }
        Damage::RemovedAboveHint => {
            let Some(before) = at.checked_sub(1) else { return false };
            world.store.remove(key);
            let hint = format!("{{\"seq\":{before}}}").into_bytes();
            world.store.insert("v1/hint/block/us-test.m100".to_owned(), (hint.into(), modified));
            return true;
        }
        Damage::Replaced => match other.store.get(key) {
            // The last one is followed by none that would tell.
            Some((theirs, _)) if *theirs != bytes && !last => theirs.clone(),
            _ => return false,
        },
        Damage::Repeated => match at.checked_sub(1).and_then(|before| world.store.get(&keys[before])) {
            Some((before, _)) => before.clone(),
            None => return false,
        },
        Damage::Newer => text("{\"v\":2,", "{\"v\":3,"),
    };
    assert_ne!(new, bytes, "{damage:?} does nothing");
    world.store.insert(key.clone(), (new, modified));
    true
}

/// Newer code is applied: the damaged block is refused and nothing happens to it, the other one is brought up to date.
fn refused(world: World) -> Result<(), String> {
    let (held, stored) = (world.objects(), world.store.clone());
    let mut sim = Sim::new(world);
    // What the healthy history knew does not count.
    sim.world.shared = crate::process::Shared::default();
    let number = apply(&mut sim, job(1, 3))?;
    let process = sim.process(number).ok_or("no such process")?;
    let plan = process.plan.as_ref().ok_or_else(|| format!("no plan: {:?}", process.outcome()))?;
    let block = |name: &str| -> Result<_, String> { name.parse().map_err(|bad| format!("{bad:?}")) };
    let (damaged, healthy) = (block("us-test.m100")?, block("us-test.c101")?);
    let refusals: Vec<_> = plan.refusals().collect();
    let [(which, problem)] = refusals[..] else { return Err(format!("refused: {refusals:?}")) };
    if *which != damaged || !problem.contains("entry") {
        return Err(format!("{which} is refused: {problem}"));
    }
    let damaged = std::collections::BTreeSet::from([damaged]);
    oracle::unchanged(&damaged, &held, &sim.world.objects())?;
    let of_it = |key: &&String| key.starts_with("v1/block/us-test.m100/");
    if sim.world.store.keys().filter(of_it).ne(stored.keys().filter(of_it)) {
        return Err("the damaged log was written".to_owned());
    }
    if !matches!(process.outcome(), Some(Outcome::Ran(_))) || !sim.processes.iter().all(Process::is_over) {
        return Err(format!("the other block was not applied: {:?}", process.outcome()));
    }
    let wanted = spec(1).desired();
    let objects: Vec<_> = sim
        .world
        .objects()
        .into_iter()
        .filter(|held| held.mark.as_ref().is_some_and(|mark| mark.address.block == healthy))
        .collect();
    let mut only = wanted.clone();
    only.blocks.retain(|block, _| *block == healthy);
    oracle::is_as_defined(&only, &objects)
}
