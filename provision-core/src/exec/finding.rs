//! Finding objects that may become a block's resources: reads the logs and the cloud, and changes nothing anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::error::RunError;
use super::limiter::{Limiter, Rates};
use super::logs::read_recorded;
use super::reading::Reader;
use crate::call::{Observed, Readiness, Scope};
use crate::desired::{Desired, DesiredResource};
use crate::id::{BlockAddr, ObjectId, ResourceAddr, TypeName};
use crate::machine::{Io, Verified};
use crate::plan::{BlockInput, Providers};
use crate::progress::Progress;
use crate::schema::{Field, OnChange, Reads, Schema};
use crate::stream::{list_blocks, look_at_store};
use crate::target::TargetId;
use crate::value::{Fields, OutputRef, Value};

/// The tag under which consoles show a name.
const NAME_TAG: &str = "Name";

/// By what objects are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clue {
    /// They carry all of these tags.
    Tags(BTreeMap<String, String>),
    /// Their name, or their tag `Name`, is that of the resource: the one that its definition gives, or else its own.
    Name,
}

/// A resource without an object, and the objects that may become its.
#[derive(Debug, Clone)]
pub struct Sought<'a> {
    /// Its address.
    pub addr: ResourceAddr,
    /// Its definition.
    pub desired: &'a DesiredResource,
    /// What its type says about its fields.
    pub schema: &'a Schema,
    /// The objects.
    pub candidates: Vec<Observed>,
}

/// What was found for a block's resources.
///
/// ```
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let cloud = toy::cloud();
/// # let engine = toy::engine(&cloud);
/// use provision_core::embed::PlanRequest;
/// use provision_core::exec::{Binding, Clue, Unmatched};
/// use provision_core::sim::{Tamper, wall_clock};
/// use provision_core::value::{Fields, Value};
///
/// // Somebody made a network by hand.
/// let target = engine.desired.dcs[&"us-east".parse()?].targets[&"toy".parse()?].clone();
/// let tags = Value::Map([("Name".to_owned(), "main".into())].into());
/// let by_hand = Tamper::Create {
///     target,
///     type_name: "toy_network".parse()?,
///     fields: Fields::from([("cidr".to_owned(), "10.1.0.0/16".into()), ("tags".to_owned(), tags)]),
///     mark: None,
///     name: None,
/// };
/// cloud.lock().unwrap().tamper(wall_clock()(), &by_hand)?;
///
/// let base = "us-east.base".parse()?;
/// let found = engine.find(&base, Clue::Name).finish().await?;
/// for (address, why) in &found.unmatched {
///     match why {
///         Unmatched::None { type_name } => println!("{address}: there is no such {type_name}"),
///         Unmatched::Several { ids, .. } => println!("{address}: which of these? {ids:?}"),
///         Unmatched::Shared { id, with } => println!("{address}: {id}, or is that for one of {with:?}?"),
///     }
/// }
/// // What was found becomes what the code calls `main`. Nothing is called for that.
/// let plan = engine.plan(&PlanRequest::adopt(found.matched)).finish().await?.plan;
/// engine.apply(plan, Binding::Ceiling).finish().await?;
/// assert!(engine.find(&base, Clue::Name).finish().await?.unmatched.is_empty(), "it has all that it needs");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The object of each resource that exactly one fits. No object stands here twice.
    pub matched: BTreeMap<ResourceAddr, ObjectId>,
    /// The others.
    pub unmatched: BTreeMap<ResourceAddr, Unmatched>,
}

/// Why no object was found for a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmatched {
    /// None fits.
    None {
        /// What was looked for.
        type_name: TypeName,
    },
    /// Several do.
    Several {
        /// What was looked for.
        type_name: TypeName,
        /// Which.
        ids: BTreeSet<ObjectId>,
    },
    /// One does, and it fits other resources as well.
    Shared {
        /// Which.
        id: ObjectId,
        /// The other resources.
        with: BTreeSet<ResourceAddr>,
    },
}

/// What objects are looked for with.
#[derive(Clone)]
pub struct FindSpec {
    /// What the code asks for.
    pub desired: Arc<Desired>,
    /// The pure halves.
    pub providers: Providers,
    /// How often a read that is not answered is repeated.
    pub read_attempts: u32,
}

/// Looks for objects that may become those of the block's resources which have none: see [`Found`].
///
/// # Errors
/// The code has no such block; the store or a target cannot be used, or a read is not answered: then nothing is known.
pub async fn find_candidates(io: &Io, spec: &FindSpec, block: &BlockAddr, clue: &Clue) -> Result<Found, RunError> {
    let desired = &spec.desired;
    if !desired.blocks.contains_key(block) {
        let known = desired.blocks.keys().map(ToString::to_string).collect();
        return Err(RunError::Selection { what: "a block".to_owned(), name: block.to_string(), known });
    }
    io.emit(Progress::Phase { what: "reading the logs".to_owned() });
    look_at_store(io, &desired.infra).await?;
    let mut blocks: BTreeSet<BlockAddr> = list_blocks(io).await?.into_iter().collect();
    blocks.extend(desired.blocks.keys().cloned());
    let recorded = read_recorded(io, &desired.infra, blocks).await?;
    let (outputs, owned) = known(&recorded);

    let seekers = without_object(desired, block, &outputs);
    let targets: BTreeSet<&TargetId> = seekers.iter().map(|(_, _, target)| *target).collect();
    for target in targets {
        if let Verified::No { problem } = io.verify(target.clone()).await {
            return Err(RunError::Target { target: target.clone(), problem });
        }
    }
    io.emit(Progress::Phase { what: "looking for what may be taken over".to_owned() });
    let limiter = Limiter::new(&Rates::default(), &spec.providers);
    let reader = Reader { io, limiter: &limiter, attempts: spec.read_attempts };
    let mut sought = Vec::new();
    let mut reads: Vec<(Asked<'_>, Vec<Observed>)> = Vec::new();
    for (addr, desired, target) in seekers {
        // What this build does not know, the planner refuses with the reason.
        let Some(schema) = spec.providers.schema(&desired.provider, &desired.type_name) else { continue };
        let mut candidates: BTreeMap<ObjectId, Observed> = BTreeMap::new();
        for scope in scopes(clue, &addr, desired, schema) {
            let asked = Asked { target, type_name: &desired.type_name, scope };
            if let Some((_, objects)) = reads.iter().find(|(known, _)| *known == asked) {
                candidates.extend(objects.iter().map(|observed| (observed.id.clone(), observed.clone())));
                continue;
            }
            let read = reader.all((target, &desired.type_name), &asked.scope).await;
            let unread = |why| RunError::Target {
                target: target.clone(),
                problem: format!("its {} objects can't be read: {why}", desired.type_name),
            };
            let is_free = |observed: &Observed| {
                observed.readiness != Readiness::Going
                    && !owned.contains(&(observed.id.clone(), desired.type_name.clone(), target.clone()))
            };
            let objects: Vec<Observed> = read.map_err(unread)?.objects.into_iter().filter(is_free).collect();
            candidates.extend(objects.iter().map(|observed| (observed.id.clone(), observed.clone())));
            reads.push((asked, objects));
        }
        sought.push(Sought { addr, desired, schema, candidates: candidates.into_values().collect() });
    }
    Ok(match_objects(&sought, outputs))
}

/// What was read, so that it is read once.
#[derive(PartialEq, Eq)]
struct Asked<'a> {
    target: &'a TargetId,
    type_name: &'a TypeName,
    scope: Scope,
}

/// Objects that a log knows.
type Owned = BTreeSet<(ObjectId, TypeName, TargetId)>;

/// The outputs of every recorded object, and all objects that a log knows.
fn known(recorded: &BTreeMap<BlockAddr, BlockInput>) -> (BTreeMap<ResourceAddr, Fields>, Owned) {
    let (mut outputs, mut owned) = (BTreeMap::new(), BTreeSet::new());
    for (block, state) in recorded.iter().filter_map(|(block, state)| Some((block, state.as_ref().ok()?))) {
        for (name, resource) in &state.resources {
            outputs.insert(block.resource(name.clone()), with_id(&resource.object.fields, &resource.object.id));
        }
        owned.extend(state.records().map(|it| (it.id.clone(), it.type_name.clone(), it.target.clone())));
    }
    (outputs, owned)
}

fn with_id(fields: &Fields, id: &ObjectId) -> Fields {
    let mut fields = fields.clone();
    fields.insert("id".to_owned(), id.as_str().into());
    fields
}

/// The block's resources that no log has an object for, neither here nor where they moved from.
fn without_object<'a>(
    desired: &'a Desired,
    block: &BlockAddr,
    outputs: &BTreeMap<ResourceAddr, Fields>,
) -> Vec<(ResourceAddr, &'a DesiredResource, &'a TargetId)> {
    let Some((definition, dc)) = desired.blocks.get(block).zip(desired.dcs.get(&block.dc)) else { return Vec::new() };
    let all = definition.resources.iter().filter_map(|(name, resource)| {
        let addr = block.resource(name.clone());
        let has_one =
            outputs.contains_key(&addr) || resource.lifecycle.moved_from.iter().any(|from| outputs.contains_key(from));
        let target = dc.targets.get(&resource.provider)?;
        (!has_one).then_some((addr, resource, target))
    });
    all.collect()
}

/// What is read for a resource.
fn scopes(clue: &Clue, addr: &ResourceAddr, desired: &DesiredResource, schema: &Schema) -> Vec<Scope> {
    match clue {
        Clue::Tags(tags) => vec![Scope::Tagged(tags.clone())],
        Clue::Name => {
            let field = schema.name_field().map(|(field, _)| field.name);
            let given = field.and_then(|field| desired.inputs.get(field)?.resolve(&|_| None).ok());
            let name = given.as_ref().and_then(Value::as_text).unwrap_or(addr.name.as_str());
            let by_field = field.map(|field| Scope::Key(Fields::from([(field.to_owned(), name.into())])));
            let by_tag = Scope::Tagged(BTreeMap::from([(NAME_TAG.to_owned(), name.to_owned())]));
            by_field.into_iter().chain([by_tag]).collect()
        }
    }
}

/// Gives each resource the one object that fits it. What it uses is matched before it, so that refs to what is taken over
/// together are known.
///
/// An object fits if all known inputs agree whose change would need a new object.
///
/// # Guarantees
/// No object is given to two resources, and none that several fit, or that fits several whose turn it is.
pub fn match_objects(sought: &[Sought<'_>], mut outputs: BTreeMap<ResourceAddr, Fields>) -> Found {
    let mut found = Found::default();
    let mut taken: BTreeMap<ObjectId, ResourceAddr> = BTreeMap::new();
    let mut left: Vec<&Sought<'_>> = sought.iter().collect();
    while !left.is_empty() {
        let waiting: BTreeSet<&ResourceAddr> = left.iter().map(|sought| &sought.addr).collect();
        let (mut turn, mut later): (Vec<_>, Vec<_>) =
            left.iter().copied().partition(|it| !it.desired.depends_on().iter().any(|used| waiting.contains(used)));
        if turn.is_empty() {
            // Refs in a circle, which the DSL cannot write: none is known.
            (turn, later) = (later, Vec::new());
        }
        let fits: Vec<(&Sought<'_>, Vec<&Observed>)> = turn.iter().map(|it| (*it, fitting(it, &outputs))).collect();
        for (it, objects) in &fits {
            let type_name = it.desired.type_name.clone();
            let unmatched = match objects.as_slice() {
                [] => Unmatched::None { type_name },
                [object] => {
                    let others = fits.iter().filter(|(other, _)| other.addr != it.addr);
                    let rivals = others.filter(|(_, theirs)| theirs.iter().any(|theirs| theirs.id == object.id));
                    let mut with: BTreeSet<ResourceAddr> = rivals.map(|(other, _)| other.addr.clone()).collect();
                    with.extend(taken.get(&object.id).filter(|holder| **holder != it.addr).cloned());
                    if with.is_empty() {
                        taken.insert(object.id.clone(), it.addr.clone());
                        outputs.insert(it.addr.clone(), with_id(&object.fields, &object.id));
                        found.matched.insert(it.addr.clone(), object.id.clone());
                        continue;
                    }
                    Unmatched::Shared { id: object.id.clone(), with }
                }
                several => {
                    Unmatched::Several { type_name, ids: several.iter().map(|object| object.id.clone()).collect() }
                }
            };
            found.unmatched.insert(it.addr.clone(), unmatched);
        }
        left = later;
    }
    found
}

/// The candidates that would not have to be replaced, as far as is known.
fn fitting<'a>(sought: &'a Sought<'_>, outputs: &BTreeMap<ResourceAddr, Fields>) -> Vec<&'a Observed> {
    let Sought { addr: _, desired, schema, candidates } = sought;
    let lookup = |output: &OutputRef| outputs.get(&output.resource)?.get(&output.output).cloned();
    let tells = |field: &&Field| {
        let counts = field.on_change == OnChange::Replace && !desired.lifecycle.ignore_changes.contains(field.name);
        counts && field.reads == Reads::Shown
    };
    let replacing = schema.fields.iter().filter(tells);
    let known: Vec<_> = replacing
        .filter_map(|field| {
            let mut value = desired.inputs.get(field.name)?.resolve(&lookup).ok()?;
            field.normalise(&mut value);
            Some((field, value))
        })
        .collect();
    let fits = |object: &&Observed| {
        known.iter().all(|(field, value)| {
            let mut has = object.fields.get(field.name).cloned().unwrap_or(Value::Null);
            field.normalise(&mut has);
            has == *value
        })
    };
    candidates.iter().filter(fits).collect()
}

#[cfg(test)]
mod tests;
