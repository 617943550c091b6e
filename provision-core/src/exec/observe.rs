//! Reading what the clouds hold.
//!
//! One sweep per target and type for the whole run, filtered by our mark, plus one read by id for each recorded object
//! that the sweep did not return. What neither shows is read once more after the endpoint's visibility bound. Lookups are
//! asked at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use super::lookups::{Lookups, look_up, queries, take_given};
use super::reading::{Known, Of, ReadAll, Reader};
use crate::call::{Bounds, Observed, ServerTime};
use crate::desired::Desired;
use crate::id::{BlockAddr, InfraId, ObjectId, ResourceAddr, TypeName};
use crate::mutant::{self, Mutant};
use crate::plan::{BlockInput, Selection, World};
use crate::progress::Progress;
use crate::stream::BlockState;
use crate::target::TargetId;

/// What a plan needs to see.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// What the code asks for.
    pub(super) desired: &'a Desired,
    /// What each block's log says.
    pub(super) recorded: &'a BTreeMap<BlockAddr, BlockInput>,
    /// The blocks that the plan is about.
    pub(super) selection: &'a Selection,
    /// The objects that are to become a resource's.
    pub(super) adoptions: &'a BTreeMap<ResourceAddr, ObjectId>,
    /// Where the answers to lookups come from.
    pub(super) lookups: Lookups<'a>,
}

/// Reads everything that a plan needs to see.
pub(super) async fn observe(reader: Reader<'_>, wanted: &Wanted<'_>, bounds: &BTreeMap<TargetId, Bounds>) -> World {
    let mut queries = queries(wanted);
    queries.retain(|query| bounds.contains_key(&query.target));
    let sweeps = observe_types(reader, &wanted.desired.infra, objects_by_type(wanted), bounds);
    let (mut world, looked) = futures::join!(sweeps, look_up(reader, queries));
    for (query, looked) in looked {
        world.looked_up(query, looked);
    }
    if let Lookups::Given(given) = wanted.lookups {
        take_given(&mut world, given);
    }
    world
}

/// Sweeps these types, and looks for these objects of them.
pub(super) async fn observe_types(
    reader: Reader<'_>,
    infra: &InfraId,
    mut wanted: ObjectsByType<'_>,
    bounds: &BTreeMap<TargetId, Bounds>,
) -> World {
    wanted.retain(|(target, _), _| bounds.contains_key(target));
    let mut world = World::default();
    let sweeps: FuturesUnordered<_> = wanted
        .into_iter()
        .map(|((target, type_name), known)| {
            let visibility = bounds.get(&target).map_or(Duration::ZERO, |bounds| bounds.visibility);
            async move {
                let seen = sweep(reader, infra, (&target, &type_name), known, visibility).await;
                (target, type_name, seen)
            }
        })
        .collect();
    for (target, type_name, seen) in sweeps.collect::<Vec<_>>().await {
        match seen {
            Ok(seen) => {
                if let Some(at) = seen.server_time {
                    world.settle(
                        &target,
                        at.minus(bounds.get(&target).map_or(Duration::MAX, |bounds| bounds.visibility)),
                    );
                }
                for observed in seen.present {
                    world.saw(&target, &type_name, observed);
                }
                for id in seen.absent {
                    world.saw_absent(&target, &type_name, &id);
                }
            }
            Err(why) => world.unread(&target, &type_name, why),
        }
    }
    world
}

struct Seen {
    present: Vec<Observed>,
    absent: Vec<ObjectId>,
    /// When the list was read.
    server_time: Option<ServerTime>,
}

async fn sweep(
    reader: Reader<'_>,
    infra: &InfraId,
    of: Of<'_>,
    known: Known<'_>,
    visibility: Duration,
) -> Result<Seen, String> {
    let ReadAll { objects: mut present, server_time, reads: _ } = reader.ours(of, infra, &known).await?;
    let seen: BTreeSet<&ObjectId> = present.iter().map(|observed| &observed.id).collect();
    let missing: Vec<ObjectId> = known.ids.into_iter().filter(|id| !seen.contains(id)).collect();
    let mut absent = Vec::new();
    if missing.is_empty() {
        return Ok(Seen { present, absent, server_time });
    }
    let missing = by_id(reader, of, missing, &mut present).await?;
    if mutant::on(Mutant::AbsentAfterOneRead) {
        absent = missing;
    } else if !missing.is_empty() {
        let (target, type_name) = of;
        let what = format!(
            "{} {type_name} of {target} not found: looking again in {:.0?} before they count as gone",
            missing.len(),
            visibility
        );
        reader.io.emit(Progress::Phase { what });
        reader.io.sleep(visibility).await;
        absent = by_id(reader, of, missing, &mut present).await?;
    }
    Ok(Seen { present, absent, server_time })
}

/// Reads each of them by id; returns those that are not there.
async fn by_id(
    reader: Reader<'_>,
    of: Of<'_>,
    ids: Vec<ObjectId>,
    present: &mut Vec<Observed>,
) -> Result<Vec<ObjectId>, String> {
    let reads: FuturesUnordered<_> = ids
        .into_iter()
        .map(|id| async move {
            let seen = reader.one(of, &id).await;
            (id, seen)
        })
        .collect();
    let mut missing = Vec::new();
    for (id, seen) in reads.collect::<Vec<_>>().await {
        match seen? {
            Some(observed) => present.push(observed),
            None => missing.push(id),
        }
    }
    Ok(missing)
}

/// Types by the target on which they are read, with the objects to look for.
pub(super) type ObjectsByType<'a> = BTreeMap<(TargetId, TypeName), Known<'a>>;

/// Every target and type of the run, with what the logs know.
pub(super) fn objects_by_type<'a>(wanted: &Wanted<'a>) -> ObjectsByType<'a> {
    let Wanted { desired, recorded, selection, adoptions, lookups: _ } = *wanted;
    let mut found = recorded_by_type(recorded, |addr, state| {
        let env = desired.dcs.get(&addr.dc).map(|dc| &dc.env).or(state.env.as_ref());
        selection.names(addr, env)
    });
    for (addr, block) in &desired.blocks {
        let Some(dc) = desired.dcs.get(&addr.dc).filter(|dc| selection.names(addr, Some(&dc.env))) else { continue };
        // Types, not resources: of those there are few.
        let kinds: BTreeSet<_> = block.resources.values().map(|of| (&of.provider, &of.type_name)).collect();
        for (provider, type_name) in kinds {
            if let Some(target) = dc.targets.get(provider) {
                found.entry((target.clone(), type_name.clone())).or_default();
            }
        }
    }
    for (addr, id) in adoptions {
        let dc = desired.dcs.get(&addr.block.dc).filter(|dc| selection.names(&addr.block, Some(&dc.env)));
        let resource = desired.blocks.get(&addr.block).and_then(|block| block.resources.get(&addr.name));
        let (Some(dc), Some(resource)) = (dc, resource) else { continue };
        if let Some(target) = dc.targets.get(&resource.provider) {
            found.entry((target.clone(), resource.type_name.clone())).or_default().ids.insert(id.clone());
        }
    }
    found
}

/// Every target and type that the logs of some blocks know, with what they know.
pub(super) fn recorded_by_type(
    recorded: &BTreeMap<BlockAddr, BlockInput>,
    chosen: impl Fn(&BlockAddr, &BlockState) -> bool,
) -> ObjectsByType<'_> {
    let mut found = ObjectsByType::new();
    for (addr, state) in recorded {
        let Some(state) = state.as_ref().ok().filter(|state| chosen(addr, state)) else { continue };
        let present = state.resources.values().map(|resource| &resource.object);
        let deposed = state.deposed.values().map(|deposed| &deposed.record);
        let moving = state.on_their_way(addr, |other| recorded.get(other)?.as_ref().ok());
        for record in present.chain(deposed).chain(moving.map(|moved| &moved.state.object)) {
            let key = (record.target.clone(), record.type_name.clone());
            let known = found.entry(key).or_default();
            known.ids.insert(record.id.clone());
            known.records.push(record);
        }
        for intent in state.open.values() {
            found.entry((intent.target.clone(), intent.call.type_name.clone())).or_default();
        }
    }
    found
}

/// Every target that a run reads or calls.
pub(super) fn targets(wanted: &Wanted<'_>) -> BTreeSet<TargetId> {
    let asked = queries(wanted).into_iter().map(|query| query.target);
    objects_by_type(wanted).into_keys().map(|(target, _)| target).chain(asked).collect()
}
