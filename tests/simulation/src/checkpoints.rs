//! Checkpoints that do not fit their logs: they are ignored, and what is read is what the log says.

use std::collections::BTreeMap;

use provision_core::sim::SimConfig;

use crate::damage::{apply, job, spec};
use crate::oracle;
use crate::process::{Outcome, Process, Shared};
use crate::sim::Sim;
use crate::story::unbroken;
use crate::trace::Bytes;
use crate::world::World;

/// Where the checkpoint of the first block stands.
pub const KEY: &str = "v1/hint/checkpoint/block/us-test.m100";
const OTHER: &str = "v1/hint/checkpoint/block/us-test.c101";
const LOG: &str = "v1/block/us-test.m100/";

/// What is wrong with a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// It is gone.
    Missing,
    /// It is an earlier one.
    Stale,
    /// Its second half is gone.
    Cut,
    /// It says something else, as an editor would.
    Edited,
    /// It is the other block's.
    Foreign,
    /// It claims to be of a newer format.
    Newer,
    /// The log was rolled back to before it, as by a restored copy.
    Ahead,
    /// The log was rolled back, and went on differently.
    OfAnotherHistory,
}

/// Every kind.
pub const ALL: [Wrong; 8] = [
    Wrong::Missing,
    Wrong::Stale,
    Wrong::Cut,
    Wrong::Edited,
    Wrong::Foreign,
    Wrong::Newer,
    Wrong::Ahead,
    Wrong::OfAnotherHistory,
];

/// A world in which both blocks were applied several times, at each moment when a run had ended.
fn moments() -> Result<Vec<World>, String> {
    let mut sim = Sim::new(World::new(SimConfig::instant(7)));
    let mut moments = Vec::new();
    for generation in 1..=5 {
        apply(&mut sim, job(u8::try_from(generation).unwrap_or_default() * 2, generation))?;
        moments.push(sim.world.clone());
    }
    Ok(moments)
}

type Store = BTreeMap<String, (Bytes, u64)>;

fn of(store: &Store, prefix: &str) -> Store {
    store.iter().filter(|(key, _)| key.starts_with(prefix)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The store with a checkpoint that is wrong like this; `None` where the world has none to begin with.
fn strike(moments: &[World], wrong: Wrong) -> Option<World> {
    let mut world = moments.last()?.clone();
    let (bytes, at) = world.store.get(KEY)?.clone();
    let earlier = moments.iter().filter_map(|earlier| earlier.store.get(KEY)).find(|(earlier, _)| *earlier != bytes);
    let mut put = |new: Bytes| {
        assert_ne!(new, bytes, "{wrong:?} does nothing");
        world.store.insert(KEY.to_owned(), (new, at));
    };
    let text =
        |from: &str, to: &str| -> Bytes { String::from_utf8_lossy(&bytes).replacen(from, to, 1).into_bytes().into() };
    match wrong {
        Wrong::Missing => drop(world.store.remove(KEY)),
        Wrong::Stale => put(earlier?.0.clone()),
        Wrong::Cut => put(bytes[..bytes.len() / 2].into()),
        Wrong::Edited => put(text("\"10.0.0.0/16\"", "\"10.9.0.0/16\"")),
        Wrong::Foreign => put(moments.iter().rev().find_map(|moment| moment.store.get(OTHER))?.0.clone()),
        Wrong::Newer => put(text("{\"v\":2,", "{\"v\":3,")),
        // The clouds, and what is known beside the logs, have gone on.
        Wrong::Ahead | Wrong::OfAnotherHistory => {
            world.store.retain(|key, _| !key.starts_with(LOG));
            world.store.extend(of(&moments.first()?.store, LOG));
        }
    }
    Some(world)
}

/// Newer code is applied where the checkpoint is wrong: all of it is done, and the log that was written is one that can be
/// read whole.
///
/// # Errors
/// What does not hold.
pub fn is_not_believed(wrong: Wrong) -> Result<(), String> {
    let moments = unbroken(moments)?;
    let mut world = unbroken(|| strike(&moments, wrong)).ok_or("there is no checkpoint")?;
    if wrong == Wrong::OfAnotherHistory {
        let checkpoint = world.store[KEY].clone();
        world = unbroken(|| {
            let mut sim = Sim::new(world.clone());
            (10..16).try_for_each(|n| apply(&mut sim, job(u8::try_from(n).unwrap_or_default(), n)).map(drop))?;
            Ok::<_, String>(sim.world)
        })?;
        world.store.insert(KEY.to_owned(), checkpoint);
    }
    is_brought_up_to_date(world).and_then(is_read_whole).map_err(|problem| format!("{wrong:?} checkpoint: {problem}"))
}

/// Newer code is applied, and everything is as it says.
///
/// # Errors
/// What does not hold.
pub(crate) fn is_brought_up_to_date(world: World) -> Result<Sim, String> {
    let mut sim = Sim::new(world);
    sim.world.shared = Shared::default();
    let number = apply(&mut sim, job(1, 90))?;
    let process = sim.process(number).ok_or("no such process")?;
    if !process.is_good() || !sim.processes.iter().all(Process::is_over) {
        return Err(format!("it was not applied: {:?}", process.outcome()));
    }
    oracle::is_as_defined(&spec(1).desired(), &sim.world.objects())?;
    Ok(sim)
}

/// Whoever reads the logs from their first entries on finds nothing to do.
fn is_read_whole(mut sim: Sim) -> Result<(), String> {
    sim.world.store.retain(|key, _| !key.starts_with("v1/hint/"));
    sim.world.shared = Shared::default();
    let number = unbroken(|| apply(&mut sim, job(1, 90)))?;
    let process = sim.process(number).ok_or("no such process")?;
    match process.outcome() {
        Some(Outcome::Nothing) if process.is_good() => Ok(()),
        other => Err(format!("who reads all of the logs finds this: {other:?}, {:?}", process.plan)),
    }
}
