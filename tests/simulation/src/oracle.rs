//! What must hold, computed from the definitions and from what the cloud itself holds: never from plan, log or report.

use std::collections::{BTreeMap, BTreeSet};

use provision_aws::Aws;
use provision_core::call::{Answer, Effect};
use provision_core::desired::{Desired, DesiredResource};
use provision_core::id::{BlockAddr, CheckName, ResourceAddr};
use provision_core::provider::Provider as _;
use provision_core::schema::Grain;
use provision_core::sim::Held;
use provision_core::value::{Fields, OutputRef, Tree, Value};

use crate::trace::{Called, Did, Trace};

/// What an oracle found to be wrong.
pub type Wrong = Result<(), String>;

/// Our objects by the address in their marks.
pub fn by_address(held: &[Held]) -> BTreeMap<ResourceAddr, Vec<&Held>> {
    let mut objects: BTreeMap<ResourceAddr, Vec<&Held>> = BTreeMap::new();
    for held in held {
        if let Some(mark) = &held.mark {
            objects.entry(mark.address.clone()).or_default().push(held);
        }
    }
    objects
}

/// Exactly one object per resource of the blocks, with its mark, its target and its fields; nothing else of ours.
///
/// # Errors
/// The first thing that is not so.
pub fn is_as_defined(desired: &Desired, held: &[Held]) -> Wrong {
    blocks_are_as_defined(desired, held, &BTreeSet::new())
}

/// The same, but for blocks that were refused: they count as they are, with all that they use.
///
/// # Errors
/// The first thing that is not so.
pub fn blocks_are_as_defined(desired: &Desired, held: &[Held], refused: &BTreeSet<BlockAddr>) -> Wrong {
    let objects = by_address(held);
    for (addr, resource) in resources(desired) {
        if refused.contains(&addr.block) {
            continue;
        }
        match objects.get(&addr).map_or(&[][..], Vec::as_slice) {
            [object] => fits(desired, &addr, resource, object, &objects)?,
            found => return Err(format!("{addr} has {} objects: {found:#?}", found.len())),
        }
    }
    let in_use = in_use_by(held, refused);
    for object in held {
        let Some(mark) = &object.mark else { return Err(format!("{} has no mark", object.id)) };
        let defined = resource_at(desired, &mark.address).is_some();
        if !defined && !refused.contains(&mark.address.block) && !in_use.contains(object.id.as_str()) {
            return Err(format!("{} of {} is left over", object.id, mark.address));
        }
    }
    Ok(())
}

/// The ids of all that objects of these blocks use, directly or not.
fn in_use_by(held: &[Held], blocks: &BTreeSet<BlockAddr>) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    let mut todo: Vec<&Held> = held
        .iter()
        .filter(|object| object.mark.as_ref().is_some_and(|mark| blocks.contains(&mark.address.block)))
        .collect();
    while let Some(object) = todo.pop() {
        for value in object.fields.values() {
            each_text(value, &mut |text| {
                if text != object.id.as_str() && texts.insert(text.to_owned()) {
                    todo.extend(held.iter().filter(|other| text.contains(other.id.as_str())));
                }
            });
        }
    }
    held.iter().map(|held| held.id.to_string()).filter(|id| texts.iter().any(|text| text.contains(id))).collect()
}

fn resources(desired: &Desired) -> impl Iterator<Item = (ResourceAddr, &DesiredResource)> {
    desired.blocks.iter().flat_map(|(block, definition)| {
        definition.resources.iter().map(move |(name, resource)| (block.resource(name.clone()), resource))
    })
}

fn resource_at<'a>(desired: &'a Desired, addr: &ResourceAddr) -> Option<&'a DesiredResource> {
    desired.blocks.get(&addr.block)?.resources.get(&addr.name)
}

fn fits(
    desired: &Desired,
    addr: &ResourceAddr,
    resource: &DesiredResource,
    object: &Held,
    objects: &BTreeMap<ResourceAddr, Vec<&Held>>,
) -> Wrong {
    let target = &desired.dcs[&addr.block.dc].targets[&resource.provider];
    if object.type_name != resource.type_name || object.target != *target {
        return Err(format!("{addr} is {} in {}", object.type_name, object.target));
    }
    let lookup = |output: &OutputRef| objects.get(&output.resource)?.first()?.fields.get(&output.output).cloned();
    for (name, expr) in &*resource.inputs {
        let mut wanted = expr.resolve(&lookup).map_err(|output| format!("{addr}: there is no {output}"))?;
        let mut has = object.fields.get(name).cloned().unwrap_or_default();
        if is_set(resource, name) {
            sort(&mut wanted);
            sort(&mut has);
        }
        if wanted != has {
            return Err(format!("{addr}: {name} of {} should be {wanted:?} and is {has:?}", object.id));
        }
    }
    Ok(())
}

fn is_set(resource: &DesiredResource, field: &str) -> bool {
    let schema = Aws.schemas().iter().find(|schema| schema.type_name == resource.type_name.as_str());
    schema.and_then(|schema| schema.field(field)).is_some_and(|field| field.grain == Grain::Set)
}

fn sort(value: &mut Value) {
    if let Tree::List(items) = value {
        items.sort();
        items.dedup();
    }
}

fn each_text(value: &Value, f: &mut impl FnMut(&str)) {
    match value {
        Tree::Text(text) => f(text),
        Tree::List(items) => items.iter().for_each(|item| each_text(item, f)),
        Tree::Map(map) => map.values().for_each(|item| each_text(item, f)),
        Tree::Null | Tree::Bool(_) | Tree::Int(_) => {}
        Tree::Symbol(never) => match *never {},
    }
}

/// Blocks whose definition is the same before and after, and that of all that they wait for too: nothing happens there.
pub fn untouched(before: &Desired, after: &Desired) -> BTreeSet<BlockAddr> {
    fn same(before: &Desired, after: &Desired, addr: &BlockAddr) -> bool {
        match (before.blocks.get(addr), after.blocks.get(addr)) {
            (Some(old), Some(new)) => old == new && new.after.iter().all(|used| same(before, after, used)),
            _ => false,
        }
    }
    after.blocks.keys().filter(|addr| same(before, after, addr)).cloned().collect()
}

/// The objects of these blocks are the same, byte for byte.
///
/// # Errors
/// The first one that is not.
pub fn unchanged(blocks: &BTreeSet<BlockAddr>, before: &[Held], after: &[Held]) -> Wrong {
    let of = |held: &[Held]| -> Vec<Held> {
        let ours = held.iter().filter(|held| held.mark.as_ref().is_some_and(|m| blocks.contains(&m.address.block)));
        ours.cloned().collect()
    };
    let (before, after) = (of(before), of(after));
    if before == after { Ok(()) } else { Err(format!("changed: {before:#?}\nto: {after:#?}")) }
}

/// No entry was written to the streams of these blocks.
///
/// # Errors
/// The first one that was.
pub fn unwritten(blocks: &BTreeSet<BlockAddr>, trace: &Trace) -> Wrong {
    let folders: Vec<String> = blocks.iter().map(|block| format!("v1/block/{block}/")).collect();
    match trace.puts().find(|key| folders.iter().any(|folder| key.starts_with(folder.as_str()))) {
        Some(key) => Err(format!("{key} was written")),
        None => Ok(()),
    }
}

/// A block that waits for a refused one is refused too.
///
/// # Errors
/// The first one that is not.
pub fn dependants_are_refused(desired: &Desired, refused: &BTreeSet<BlockAddr>) -> Wrong {
    for (block, definition) in &desired.blocks {
        if let Some(cause) = definition.after.iter().find(|before| refused.contains(before))
            && !refused.contains(block)
        {
            return Err(format!("{block} waits for {cause}, which is refused"));
        }
    }
    Ok(())
}

/// The calls of one run went down the refs, block after block, environment after environment. `before` is what the cloud
/// held when it began.
///
/// # Errors
/// The first call that was too early.
pub fn order_respects_refs(desired: &Desired, before: &[Held], trace: &Trace) -> Wrong {
    let mut whose: BTreeMap<String, ResourceAddr> = BTreeMap::new();
    for (addr, objects) in by_address(before) {
        let addr = moved_to(desired, &addr);
        whose.extend(objects.into_iter().map(|object| (object.id.to_string(), addr.clone())));
    }
    let mut fields: BTreeMap<String, Fields> =
        before.iter().map(|held| (held.id.to_string(), held.fields.clone())).collect();
    let mut applied: Vec<(usize, BlockAddr)> = Vec::new();
    let mut environments: Vec<(usize, usize)> = Vec::new();
    for Called { at, sending, answer, .. } in trace.calls() {
        let api = &sending.call.api;
        let Answer::Done { id, .. } = answer else {
            return Err(format!("{api} was not done at once, so it came too early: {answer:?}"));
        };
        for (name, value) in sending.call.effect.fields().into_iter().flatten() {
            let mut missing = None;
            each_text(value, &mut |text| {
                if provision_core::sim::SimCloud::made_id(text) && !fields.contains_key(text) {
                    missing = Some(text.to_owned());
                }
            });
            if let Some(missing) = missing {
                return Err(format!("{api} uses {missing} in {name} before it is there"));
            }
        }
        let object = id.as_ref().or(sending.object.as_ref()).map(ToString::to_string).unwrap_or_default();
        match &sending.call.effect {
            Effect::Create { fields: new, mark, .. } => {
                let Some(mark) = mark else { return Err(format!("{api} sets no mark")) };
                whose.insert(object.clone(), mark.address.clone());
                fields.insert(object.clone(), new.clone());
            }
            Effect::Set { fields: new, .. } => fields.entry(object.clone()).or_default().extend(new.clone()),
            Effect::Remove => {
                fields.remove(&object);
                let mut user = None;
                for (other, held) in &fields {
                    held.values().for_each(|value| {
                        each_text(value, &mut |text| {
                            if text == object {
                                user = Some(other.clone());
                            }
                        });
                    });
                }
                if let Some(user) = user {
                    return Err(format!("{api} removes {object}, which {user} uses"));
                }
            }
        }
        let Some(addr) = whose.get(&object) else { return Err(format!("{api} acts on {object}: whose is it?")) };
        if !matches!(sending.call.effect, Effect::Remove) {
            applied.push((at, addr.block.clone()));
        }
        let env = desired.dcs.get(&addr.block.dc).map(|dc| &dc.env);
        if let Some(env) = env.and_then(|env| desired.environments.iter().position(|other| other == env)) {
            environments.push((at, env));
        }
    }
    for (block, definition) in &desired.blocks {
        let first = applied.iter().find(|(_, of)| of == block);
        let last = applied.iter().rfind(|(_, of)| definition.after.contains(of));
        if let (Some((first, _)), Some((last, before))) = (first, last)
            && last > first
        {
            return Err(format!("{block} began before {before} had ended"));
        }
    }
    match environments.windows(2).find(|pair| pair[0].1 > pair[1].1) {
        Some(pair) => Err(format!("an earlier environment was called after a later one: {pair:?}")),
        None => Ok(()),
    }
}

/// Every block in which something was made or changed was found healthy afterwards: each of its checks passed as often in
/// a row as it has to.
///
/// # Errors
/// The first block that was not.
pub fn health_is_told(desired: &Desired, before: &[Held], trace: &Trace) -> Wrong {
    let mut whose: BTreeMap<String, ResourceAddr> = BTreeMap::new();
    for (addr, objects) in by_address(before) {
        let addr = moved_to(desired, &addr);
        whose.extend(objects.into_iter().map(|object| (object.id.to_string(), addr.clone())));
    }
    let mut changed: BTreeSet<BlockAddr> = BTreeSet::new();
    let mut passed: BTreeMap<(u32, BlockAddr, CheckName), u32> = BTreeMap::new();
    for step in &trace.steps {
        match &step.did {
            Did::Check { check, answer } => {
                let key = (step.run, check.block.clone(), check.check.clone());
                let in_a_row = passed.entry(key).or_default();
                *in_a_row = if answer.result.is_ok() { *in_a_row + 1 } else { 0 };
            }
            Did::Call { sending, answer, .. } | Did::Landed { sending, answer } => {
                let addr = match &sending.call.effect {
                    Effect::Create { mark: Some(mark), .. } => Some(mark.address.clone()),
                    Effect::Create { mark: None, .. } | Effect::Set { .. } => {
                        sending.object.as_ref().and_then(|id| whose.get(id.as_str()).cloned())
                    }
                    Effect::Remove => None,
                };
                let Some(addr) = addr else { continue };
                if let Answer::Done { id: Some(id), .. } = answer {
                    whose.insert(id.to_string(), addr.clone());
                }
                // Whoever goes on waits for what may still land, or finds that it did.
                let sent = matches!(step.did, Did::Call { .. }) && !matches!(answer, Answer::Refused { .. });
                if sent {
                    passed.retain(|(_, block, _), _| *block != addr.block);
                    changed.insert(addr.block);
                }
            }
            _ => {}
        }
    }
    for block in changed {
        let checks = desired.blocks.get(&block).into_iter().flat_map(|definition| &definition.checks);
        for (name, check) in checks {
            let most =
                passed.iter().filter(|((_, of, other), _)| *of == block && other == name).map(|(_, times)| *times);
            if most.max().unwrap_or(0) < check.passes {
                return Err(format!("{name} of {block} has not passed {} times since its last call", check.passes));
            }
        }
    }
    Ok(())
}

/// Where the code says that the object of an address is.
fn moved_to(desired: &Desired, addr: &ResourceAddr) -> ResourceAddr {
    let to = resources(desired).find(|(_, resource)| resource.lifecycle.moved_from.contains(addr));
    to.map_or_else(|| addr.clone(), |(to, _)| to)
}

/// Of the resources of which a new object was made, those whose old one goes before that: where the definition says so,
/// where a subnet keeps its range, and what uses one of these.
fn old_ones_first(desired: &Desired, before: &[Held], trace: &Trace) -> BTreeSet<ResourceAddr> {
    let made: BTreeSet<&ResourceAddr> = trace
        .calls()
        .filter_map(|called| match &called.sending.call.effect {
            Effect::Create { mark: Some(mark), .. } => Some(&mark.address),
            _ => None,
        })
        .collect();
    let objects = by_address(before);
    let keeps_its_range = |addr: &ResourceAddr, resource: &DesiredResource| {
        let cidr = resource.inputs.get("cidr").and_then(Tree::as_text);
        let old = objects.get(addr).and_then(|objects| objects.first()?.fields.get("cidr")?.as_text());
        resource.type_name.as_str() == "aws_subnet" && cidr.is_some() && cidr == old
    };
    let mut first: BTreeSet<ResourceAddr> = resources(desired)
        .filter(|(addr, resource)| {
            made.contains(addr) && (resource.lifecycle.delete_before_replace || keeps_its_range(addr, resource))
        })
        .map(|(addr, _)| addr)
        .collect();
    loop {
        let more: Vec<ResourceAddr> = resources(desired)
            .filter(|(addr, resource)| {
                !first.contains(addr) && resource.depends_on().iter().any(|used| first.contains(used))
            })
            .map(|(addr, _)| addr)
            .collect();
        if more.is_empty() {
            return first;
        }
        first.extend(more);
    }
}

/// No object was removed before the object that takes its place was made, unless it is to go first; and then it did.
///
/// # Errors
/// The first one that was.
pub fn successors_come_first(desired: &Desired, before: &[Held], trace: &Trace) -> Wrong {
    let first = old_ones_first(desired, before, trace);
    let old: BTreeMap<String, ResourceAddr> = before
        .iter()
        .filter_map(|held| held.mark.as_ref().map(|mark| (held.id.to_string(), mark.address.clone())))
        .collect();
    let mut removed: BTreeSet<ResourceAddr> = BTreeSet::new();
    for Called { sending, .. } in trace.calls() {
        match (&sending.call.effect, &sending.object) {
            (Effect::Remove, Some(id)) => removed.extend(old.get(id.as_str()).cloned()),
            (Effect::Create { mark: Some(mark), .. }, _) => {
                let had = old.values().any(|addr| *addr == mark.address);
                let goes_first =
                    resource_at(desired, &mark.address).is_some_and(|it| it.lifecycle.delete_before_replace);
                if had && goes_first && !removed.contains(&mark.address) {
                    return Err(format!("the new object of {} was made before the old one was removed", mark.address));
                }
                if first.contains(&mark.address) || !removed.contains(&mark.address) {
                    continue;
                }
                return Err(format!("the old object of {} was removed before the new one was made", mark.address));
            }
            _ => {}
        }
    }
    Ok(())
}
