//! The comparison: pure, from logs and reads to a report.

use std::collections::{BTreeMap, BTreeSet};

use super::data::{
    DcDrift, DriftReport, Drifted, FieldDrift, MarkDrift, NotKnown, ObjectAt, Unfinished, UnfinishedWhat, Unmanaged,
    Unread,
};
use crate::call::{Effect, Mark, Observed, Readiness};
use crate::id::{BlockAddr, InfraId, ResourceAddr, TypeName};
use crate::plan::{BlockInput, Presence, Providers, World};
use crate::schema::{Field, Role, Schema};
use crate::stream::event::{Intent, ObjectRecord};
use crate::stream::{BlockState, ResourceState};
use crate::target::TargetId;
use crate::value::{Fields, Value};

/// Everything that a drift report depends on.
#[derive(Clone, Copy)]
pub struct DriftInputs<'a> {
    /// The infrastructure.
    pub infra: &'a InfraId,
    /// What each block's log says, or why it can't be read.
    pub recorded: &'a BTreeMap<BlockAddr, BlockInput>,
    /// What the clouds hold.
    pub world: &'a World,
    /// The pure halves: what is ours of a type, and how its fields compare.
    pub providers: &'a Providers,
    /// Which types were to be read, and where.
    pub asked: &'a BTreeSet<(TargetId, TypeName)>,
    /// The targets that cannot be used at all, and why.
    pub unusable: &'a BTreeMap<TargetId, String>,
}

/// Compares what was applied with what there is.
pub fn drift(inputs: DriftInputs<'_>) -> DriftReport {
    let mut report = DriftReport {
        format_version: "1".to_owned(),
        infra: inputs.infra.clone(),
        dcs: BTreeMap::new(),
        unread: unread(inputs),
    };
    for (addr, recorded) in inputs.recorded {
        match recorded {
            Ok(state) if state.head.is_none() => {}
            Ok(state) => block(inputs, addr, state, report.dcs.entry(addr.dc.clone()).or_default()),
            Err(problem) => {
                report.dcs.entry(addr.dc.clone()).or_default().damaged.insert(addr.clone(), problem.clone());
            }
        }
    }
    for (target, type_name, observed, mark) in inputs.world.marked() {
        if mark.infra == *inputs.infra && !is_known(inputs.recorded, type_name, observed, mark) {
            report.dcs.entry(mark.address.block.dc.clone()).or_default().unmanaged.push(Unmanaged {
                address: mark.address.clone(),
                object: ObjectAt { type_name: type_name.clone(), id: observed.id.clone(), target: target.clone() },
            });
        }
    }
    report
}

fn unread(inputs: DriftInputs<'_>) -> Vec<Unread> {
    let targets = inputs.unusable.iter().map(|(target, why)| Unread {
        target: target.clone(),
        type_name: None,
        why: why.clone(),
    });
    let usable = inputs.asked.iter().filter(|(target, _)| !inputs.unusable.contains_key(target));
    let types = usable.filter_map(|(target, type_name)| {
        let why = inputs.world.unread_reason(target, type_name)?.to_owned();
        Some(Unread { target: target.clone(), type_name: Some(type_name.clone()), why })
    });
    targets.chain(types).collect()
}

fn block(inputs: DriftInputs<'_>, addr: &BlockAddr, state: &BlockState, dc: &mut DcDrift) {
    if state.env.is_some() {
        dc.env.clone_from(&state.env);
    }
    let mut unfinished = |what| dc.unfinished.push(Unfinished { block: addr.clone(), what });
    if let Some(claim) = &state.claim {
        unfinished(UnfinishedWhat::Claimed { run: claim.run.clone(), holder: claim.holder.name.clone() });
    }
    for intent in state.open.values() {
        let (resource, api) = (addr.resource(intent.resource.clone()), intent.call.api.clone());
        unfinished(UnfinishedWhat::OpenCall { resource, api });
    }
    for deposed in state.deposed.values() {
        let (resource, object) = (addr.resource(deposed.resource.clone()), at(&deposed.record));
        unfinished(UnfinishedWhat::DeleteDue { resource, object });
    }
    for (name, resource) in &state.resources {
        let address = addr.resource(name.clone());
        if count(dc, &address, resource, compare(inputs, state, &address, resource)) {
            dc.as_applied += 1;
        }
    }
    for moved in state.on_their_way(addr, |other| inputs.recorded.get(other)?.as_ref().ok()) {
        let from = addr.resource(moved.resource.clone());
        let compared = compare(inputs, state, &from, &moved.state);
        // A new object may have been made where it was.
        let listed = if state.resources.contains_key(&moved.resource) { &moved.to } else { &from };
        count(dc, listed, &moved.state, compared);
        let what = UnfinishedWhat::Moving { resource: from, to: moved.to.clone(), object: at(&moved.state.object) };
        dc.unfinished.push(Unfinished { block: addr.clone(), what });
    }
}

/// Adds what the comparison of an object gave. Says whether all of it is as it was applied.
fn count(dc: &mut DcDrift, addr: &ResourceAddr, resource: &ResourceState, compared: Compared) -> bool {
    dc.resources += 1;
    match compared {
        Compared::There { drifted, unfinished } => {
            let as_applied = drifted.is_none() && unfinished.is_empty();
            dc.drifted.extend(drifted.map(|drifted| (addr.clone(), *drifted)));
            dc.unfinished.extend(unfinished.into_iter().map(|what| Unfinished { block: addr.block.clone(), what }));
            return as_applied;
        }
        Compared::Missing => drop(dc.missing.insert(addr.clone(), at(&resource.object))),
        Compared::NotKnown(why) => {
            dc.unknown.insert(addr.clone(), NotKnown { object: at(&resource.object), why });
        }
        // The open call is listed by itself.
        Compared::Leaving => {}
    }
    false
}

/// What the comparison of one object gives.
enum Compared {
    /// It is there: what somebody else did to it, and what is a run's own doing.
    There {
        drifted: Option<Box<Drifted>>,
        unfinished: Vec<UnfinishedWhat>,
    },
    Missing,
    NotKnown(String),
    /// It is not there, and a call of ours that removes it is open.
    Leaving,
}

fn compare(inputs: DriftInputs<'_>, state: &BlockState, addr: &ResourceAddr, resource: &ResourceState) -> Compared {
    let object = &resource.object;
    let open: Vec<&Intent> = state.open.values().filter(|intent| intent.object.as_ref() == Some(&object.id)).collect();
    let observed = match inputs.world.presence(&object.target, &object.type_name, &object.id) {
        Presence::Present(observed) => observed,
        Presence::Absent if open.iter().any(|intent| intent.call.effect == Effect::Remove) => return Compared::Leaving,
        Presence::Absent => return Compared::Missing,
        Presence::Unknown(why) => {
            let target = inputs.unusable.get(&object.target).map(String::as_str);
            return Compared::NotKnown(target.or(why).unwrap_or("no read showed it").to_owned());
        }
    };
    let schema = inputs.providers.schema(&object.target.provider, &object.type_name);
    let provider = inputs.providers.get(&object.target.provider);
    let (Some(schema), Some(provider)) = (schema, provider) else {
        return Compared::NotKnown(format!("this build has no provider for {}", object.type_name));
    };
    // Fields of an older schema are compared as what they mean now.
    let lift = |fields: &Fields| provider.lift(&object.type_name, object.version, fields.clone());
    // Of what was cut off before it was as defined: what those calls set that landed.
    let applied = resource.applied.as_ref().unwrap_or(&object.fields);
    let (applied, recorded) = match (lift(applied), lift(&object.fields)) {
        (Ok(applied), Ok(recorded)) => (applied, recorded),
        (Err(error), _) | (_, Err(error)) => return Compared::NotKnown(error.to_string()),
    };
    let ignored = state.definition.as_ref().and_then(|definition| definition.resources.get(&addr.name));
    let ignored = |field: &str| ignored.is_some_and(|desired| desired.lifecycle.ignore_changes.contains(field));
    let (mut fields, mut half) = (Vec::new(), BTreeSet::new());
    for field in ours(schema, &applied).filter(|field| !ignored(field.name)) {
        let wanted = normal(field, applied.get(field.name)).unwrap_or_default();
        // What reads do not show is as it was recorded, as for a plan.
        let is = field.of(&observed.fields, &recorded);
        let recorded = normal(field, recorded.get(field.name));
        if is.as_ref().unwrap_or(&Value::Null) == &wanted {
            continue;
        }
        let set_by = |intent: &&Intent| intent.call.effect.fields().is_some_and(|set| set.contains_key(field.name));
        let by_call = open.iter().filter(|intent| set_by(intent)).any(|intent| {
            let set = intent.call.effect.fields().and_then(|set| set.get(field.name));
            normal(field, set).unwrap_or_default() == is.clone().unwrap_or_default()
        });
        if is == recorded || by_call {
            half.insert(field.name.to_owned());
        } else {
            fields.push(FieldDrift { field: field.name.to_owned(), applied: wanted, observed: is });
        }
    }
    let mut unfinished = Vec::new();
    if resource.applied.is_none() || !half.is_empty() {
        unfinished.push(UnfinishedWhat::HalfApplied { resource: addr.clone(), fields: half });
    }
    let mut mark = mark(object, observed, &open);
    if let Some(carries) = mark.as_ref().and_then(|mark| due(resource, mark)) {
        unfinished.push(UnfinishedWhat::MarkDue { resource: addr.clone(), carries });
        mark = None;
    }
    let failed = match &observed.readiness {
        Readiness::Failed(why) => Some(why.clone()),
        Readiness::Ready | Readiness::Pending | Readiness::Going => None,
    };
    let differs = !fields.is_empty() || mark.is_some() || failed.is_some();
    let drifted = differs.then(|| Box::new(Drifted { object: at(object), fields, mark, failed }));
    Compared::There { drifted, unfinished }
}

/// The address in the mark of an object that no call of ours made here: it was moved or taken over, which calls nothing, and
/// the next apply sets the mark.
fn due(resource: &ResourceState, mark: &MarkDrift) -> Option<ResourceAddr> {
    let MarkDrift { recorded, observed: Some(observed) } = mark else { return None };
    let is_ours = observed.infra == recorded.infra && observed.incarnation == recorded.incarnation;
    (is_ours && resource.maker.is_none()).then(|| observed.address.clone())
}

/// The fields that were ours when the object was last applied. What only the server gives is never drift.
fn ours<'a>(schema: &'static Schema, applied: &'a Fields) -> impl Iterator<Item = &'static Field> + use<'a> {
    schema.fields.iter().filter(|field| match field.role {
        Role::Required | Role::Default(_) | Role::Optional | Role::Name { .. } | Role::GlobalName { .. } => {
            applied.contains_key(field.name)
        }
        Role::Computed => false,
    })
}

fn normal(field: &Field, value: Option<&Value>) -> Option<Value> {
    let mut value = value?.clone();
    field.normalise(&mut value);
    Some(value)
}

/// The mark, if it is neither the recorded one nor one that an open call of ours sets.
fn mark(object: &ObjectRecord, observed: &Observed, open: &[&Intent]) -> Option<MarkDrift> {
    let recorded = object.mark.as_ref()?;
    let by_call = |intent: &&Intent| match &intent.call.effect {
        Effect::Create { mark, .. } | Effect::Set { mark, .. } => mark.is_some() && *mark == observed.mark,
        Effect::Remove => false,
    };
    let differs = observed.mark.as_ref() != Some(recorded) && !open.iter().any(by_call);
    differs.then(|| MarkDrift { recorded: recorded.clone(), observed: observed.mark.clone() })
}

/// Whether a log knows the object, or might: nobody can say what a damaged log knows.
fn is_known(
    recorded: &BTreeMap<BlockAddr, BlockInput>,
    type_name: &TypeName,
    observed: &Observed,
    mark: &Mark,
) -> bool {
    if matches!(recorded.get(&mark.address.block), Some(Err(_))) {
        return true;
    }
    let is_it = |record: &ObjectRecord| record.id == observed.id && record.type_name == *type_name;
    recorded.iter().filter_map(|(block, recorded)| Some((block, recorded.as_ref().ok()?))).any(|(block, state)| {
        let mut moving = state.on_their_way(block, |other| recorded.get(other)?.as_ref().ok());
        state.resources.values().any(|resource| is_it(&resource.object))
            || state.deposed.values().any(|deposed| is_it(&deposed.record))
            || moving.any(|moved| is_it(&moved.state.object))
            || state.open.values().any(|intent| intent.mark.as_ref() == Some(mark))
            || state.arriving.values().any(|arrival| arrival.intent.mark.as_ref() == Some(mark))
    })
}

fn at(record: &ObjectRecord) -> ObjectAt {
    ObjectAt { type_name: record.type_name.clone(), id: record.id.clone(), target: record.target.clone() }
}
