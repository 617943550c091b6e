//! Reading what the clouds hold.
//!
//! One sweep per target and type for the whole run, filtered by our mark, plus one read by id for each recorded object
//! that the sweep did not return. What neither shows is read once more after the endpoint's visibility bound.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use super::context::backoff;
use super::limiter::Limiter;
use crate::call::{Bounds, Observed, Read, ReadAnswer, Refusal, Scope, ServerTime};
use crate::desired::Desired;
use crate::id::{BlockAddr, InfraId, ObjectId, ResourceAddr, TypeName};
use crate::machine::Io;
use crate::mutant::{self, Mutant};
use crate::plan::{BlockInput, Selection, World};
use crate::progress::Progress;
use crate::target::TargetId;

/// All pages of one scope, and the server's clock at the last one.
#[derive(Debug)]
pub(super) struct ReadAll {
    pub(super) objects: Vec<Observed>,
    pub(super) server_time: Option<ServerTime>,
}

/// Reads all pages of a scope; repeats what is not answered.
///
/// # Errors
/// What was seen instead of an answer: then nothing is known.
pub(super) async fn read_all(
    io: &Io,
    limiter: &Limiter,
    target: &TargetId,
    type_name: &TypeName,
    scope: &Scope,
    attempts: u32,
) -> Result<ReadAll, String> {
    let mut all = ReadAll { objects: Vec::new(), server_time: None };
    let mut page = None;
    let mut attempt = 0;
    loop {
        let permit = limiter.acquire(io, target).await;
        let read = Read { type_name: type_name.clone(), scope: scope.clone(), page: page.clone() };
        let answer = io.read(target.clone(), read).await;
        drop(permit);
        match answer {
            ReadAnswer::Page { objects, next, server_time } => {
                limiter.answered(target);
                all.objects.extend(objects);
                all.server_time = server_time.or(all.server_time);
                if mutant::on(Mutant::LastInstantByOwnClock) {
                    all.server_time = Some(ServerTime(io.now().wall_ms));
                }
                attempt = 0;
                match next {
                    Some(next) => page = Some(next),
                    None => return Ok(all),
                }
            }
            ReadAnswer::Throttled => {
                limiter.throttled(io, target);
                attempt += 1;
                // Throttling passes; the limiter slows down by itself.
                if attempt > attempts.saturating_mul(4) {
                    return Err("throttled all the time".to_owned());
                }
                io.sleep(backoff(attempt)).await;
            }
            ReadAnswer::Failed { refusal: Some(Refusal::Denied | Refusal::Invalid), reason } => return Err(reason),
            ReadAnswer::Failed { refusal: _, reason } => {
                attempt += 1;
                if attempt >= attempts {
                    return Err(reason);
                }
                io.sleep(backoff(attempt)).await;
            }
        }
    }
}

/// What a plan needs to see.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// What the code asks for.
    pub desired: &'a Desired,
    /// What each block's log says.
    pub recorded: &'a BTreeMap<BlockAddr, BlockInput>,
    /// The blocks that the plan is about.
    pub selection: &'a Selection,
    /// The objects that are to become a resource's.
    pub adoptions: &'a BTreeMap<ResourceAddr, ObjectId>,
}

/// Reads everything that a plan needs to see.
pub async fn observe(io: &Io, wanted: &Wanted<'_>, bounds: &BTreeMap<TargetId, Bounds>, attempts: u32) -> World {
    observe_types(io, &wanted.desired.infra, objects_by_type(wanted), bounds, attempts).await
}

/// Sweeps these types, and looks for these objects of them.
pub(super) async fn observe_types(
    io: &Io,
    infra: &InfraId,
    mut wanted: ObjectsByType,
    bounds: &BTreeMap<TargetId, Bounds>,
    attempts: u32,
) -> World {
    let limiter = Limiter::default();
    wanted.retain(|(target, _), _| bounds.contains_key(target));
    let mut world = World::default();
    let sweeps: FuturesUnordered<_> = wanted
        .into_iter()
        .map(|((target, type_name), ids)| {
            let limiter = &limiter;
            let visibility = bounds.get(&target).map_or(Duration::ZERO, |bounds| bounds.visibility);
            async move {
                let scope = Scope::Marked(infra.clone());
                let seen = sweep(io, limiter, &target, &type_name, &scope, ids, visibility, attempts).await;
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

#[expect(clippy::too_many_arguments, reason = "one private helper of one caller")]
async fn sweep(
    io: &Io,
    limiter: &Limiter,
    target: &TargetId,
    type_name: &TypeName,
    scope: &Scope,
    ids: BTreeSet<ObjectId>,
    visibility: Duration,
    attempts: u32,
) -> Result<Seen, String> {
    let ReadAll { objects: mut present, server_time } =
        read_all(io, limiter, target, type_name, scope, attempts).await?;
    let seen: BTreeSet<&ObjectId> = present.iter().map(|observed| &observed.id).collect();
    let missing: Vec<ObjectId> = ids.into_iter().filter(|id| !seen.contains(id)).collect();
    let mut absent = Vec::new();
    if missing.is_empty() {
        return Ok(Seen { present, absent, server_time });
    }
    let missing = by_id(io, limiter, target, type_name, missing, &mut present, attempts).await?;
    if mutant::on(Mutant::AbsentAfterOneRead) {
        absent = missing;
    } else if !missing.is_empty() {
        let what = format!(
            "{} {type_name} of {target} not found: looking again in {:.0?} before they count as gone",
            missing.len(),
            visibility
        );
        io.emit(Progress::Phase { what });
        io.sleep(visibility).await;
        absent = by_id(io, limiter, target, type_name, missing, &mut present, attempts).await?;
    }
    Ok(Seen { present, absent, server_time })
}

/// Reads each of them by id; returns those that are not there.
async fn by_id(
    io: &Io,
    limiter: &Limiter,
    target: &TargetId,
    type_name: &TypeName,
    ids: Vec<ObjectId>,
    present: &mut Vec<Observed>,
    attempts: u32,
) -> Result<Vec<ObjectId>, String> {
    let reads: FuturesUnordered<_> = ids
        .into_iter()
        .map(|id| async move {
            let all = read_all(io, limiter, target, type_name, &Scope::Id(id.clone()), attempts).await;
            (id, all)
        })
        .collect();
    let mut missing = Vec::new();
    for (id, all) in reads.collect::<Vec<_>>().await {
        match all?.objects.into_iter().find(|observed| observed.id == id) {
            Some(observed) => present.push(observed),
            None => missing.push(id),
        }
    }
    Ok(missing)
}

/// Types by the target on which they are read, with the ids to look for.
pub(super) type ObjectsByType = BTreeMap<(TargetId, TypeName), BTreeSet<ObjectId>>;

/// Every target and type of the run, with the ids that the logs know.
pub(super) fn objects_by_type(wanted: &Wanted<'_>) -> ObjectsByType {
    let Wanted { desired, recorded, selection, adoptions } = wanted;
    let mut found = ObjectsByType::new();
    for (addr, block) in &desired.blocks {
        let Some(dc) = desired.dcs.get(&addr.dc).filter(|dc| selection.names(addr, Some(&dc.env))) else { continue };
        for (name, resource) in &block.resources {
            if let Some(target) = dc.targets.get(&resource.provider) {
                let ids = found.entry((target.clone(), resource.type_name.clone())).or_default();
                ids.extend(adoptions.get(&addr.resource(name.clone())).cloned());
            }
        }
    }
    for (addr, recorded) in recorded.iter() {
        let Ok(state) = recorded else { continue };
        let env = desired.dcs.get(&addr.dc).map(|dc| &dc.env).or(state.env.as_ref());
        if !selection.names(addr, env) {
            continue;
        }
        let present = state.resources.values().map(|resource| &resource.object);
        let deposed = state.deposed.values().map(|deposed| &deposed.record);
        let moving = state.on_their_way(addr, |other| wanted.recorded.get(other)?.as_ref().ok());
        for record in present.chain(deposed).chain(moving.map(|(_, moved)| &moved.state.object)) {
            let key = (record.target.clone(), record.type_name.clone());
            found.entry(key).or_default().insert(record.id.clone());
        }
        for intent in state.open.values() {
            found.entry((intent.target.clone(), intent.call.type_name.clone())).or_default();
        }
    }
    found
}

/// Every target that a run reads or calls.
pub(super) fn targets(wanted: &Wanted<'_>) -> BTreeSet<TargetId> {
    objects_by_type(wanted).into_keys().map(|(target, _)| target).collect()
}
