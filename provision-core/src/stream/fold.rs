//! The pure fold of a block's stream: what its entries amount to, and which entries are not legal.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::arriving::Arrival;
use super::by_resource::ByResource;
use super::envelope::{Body, ClaimRef, Entry, Head};
use super::event::{BlockEvent, Holder, Intent, ObjectRecord};
use super::illegal::Illegal;
use super::moving::{Came, MovedOut};
use crate::call::Effect;
use crate::desired::{Channel, DesiredBlock};
use crate::id::{
    Digest, EnvName, Epoch, Generation, IntentNo, ObjectId, ProviderName, ResourceAddr, ResourceName, Revision, RunId,
    TypedId,
};
use crate::lookup::FoundObject;
use crate::mutant::{self, Mutant};
use crate::target::TargetId;
use crate::value::Fields;
use serde::{Deserialize, Serialize};

/// What the entries of a block's stream amount to: everything that is recorded of the block.
///
/// ```
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let engine = toy::engine(&toy::cloud());
/// # let plan = engine.plan(&provision_core::embed::PlanRequest::default()).finish().await?.plan;
/// # engine.apply(plan, provision_core::exec::Binding::Ceiling).finish().await?;
/// let recorded = engine.recorded().finish().await?;
/// let base = recorded[&"us-east.base".parse()?].as_ref().map_err(String::as_str)?;
///
/// // The objects that the block has, and what they were brought to.
/// let main = &base.resources[&"main".parse()?];
/// assert_eq!(main.applied.as_ref().map(|fields| &fields["cidr"]), Some(&"10.1.0.0/16".into()));
/// assert!(main.object.id.as_str().starts_with("network-"));
///
/// // And what is not finished: nobody holds it, every call is known to have landed or not, nothing is still to go or on its
/// // way to another block.
/// assert!(base.claim.is_none() && base.open.is_empty() && base.deposed.is_empty() && base.moved.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockState {
    /// The last entry.
    pub head: Option<Head>,
    /// The claim that is open.
    pub claim: Option<OpenClaim>,
    /// The epoch of the last claim, open or not; 0 before the first.
    pub epoch: Epoch,
    /// The generation of the last entry.
    pub generation: Generation,
    /// The revision of the last entry.
    pub revision: Option<Revision>,
    /// Who wrote the last entry, by the name of the key that signed it.
    pub writer: Option<String>,
    /// The definition that the block was last brought to, or towards: one of [`BlockState::definitions`].
    #[serde(skip)]
    pub definition: Option<Arc<DesiredBlock>>,
    /// That definition's digest.
    pub digest: Option<Digest>,
    /// The generation whose code last had the block: only a newer one destroys it for missing in the code.
    pub defined: Option<Generation>,
    /// The environment of the block's data centre.
    pub env: Option<EnvName>,
    /// Its channel.
    pub channel: Option<Channel>,
    /// Where each provider's calls go.
    pub targets: BTreeMap<ProviderName, TargetId>,
    /// What the lookups found that the definition has or uses, when the block was last brought to it.
    pub found: BTreeMap<ResourceAddr, FoundObject>,
    /// The resources that have an object.
    pub resources: BTreeMap<ResourceName, ResourceState>,
    /// Objects whose delete is due.
    pub deposed: ByResource<TypedId, Deposed>,
    /// Intents whose outcome is not recorded.
    pub open: ByResource<IntentNo, Intent>,
    /// Repeated requests that may still arrive a second time.
    pub arriving: BTreeMap<IntentNo, Arrival>,
    /// Objects that left for another address: on their way until the log there says that they came.
    pub moved: BTreeMap<TypedId, MovedOut>,
    /// Objects that came from another address, each with its last move.
    pub came: BTreeMap<TypedId, Came>,
    /// Objects that the run of the open claim is about to adopt, each with the resource that it is to be of.
    pub adopting: BTreeMap<ResourceName, ObjectId>,
    /// Whether the block's health was told since an object in it was last made or changed.
    pub health: Health,
    /// The number that the next intent gets at the least.
    pub next_intent: IntentNo,
    /// Definitions by digest: the one that the block was last brought to, and in a stream whose entries are all of format 1
    /// every one, since those name an earlier one by its digest alone.
    pub definitions: BTreeMap<Digest, Arc<DesiredBlock>>,
    /// How many events the stream holds.
    pub events: u64,
    /// How many it held when a checkpoint of it was last due: the entry that gave the block back then is where it stands.
    pub checkpoint: u64,
}

/// What is known of a block's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Nothing was made or changed since its checks passed, or ever.
    #[default]
    Told,
    /// An object was made or changed since: what its checks said before tells nothing.
    Untold,
}

/// A claim that was not released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenClaim {
    /// The run.
    pub run: RunId,
    /// The epoch.
    pub epoch: Epoch,
    /// Who runs it.
    pub holder: Holder,
}

/// A resource that has an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceState {
    /// Its present object.
    pub object: ObjectRecord,
    /// The fields that are ours, once the object was brought to its definition; `None` while only some calls landed.
    pub applied: Option<Fields>,
    /// The number of the call that made the object; of one that was moved here, the next one at that time.
    pub made: IntentNo,
    /// The run that made the object, of an object that was made here.
    pub maker: Option<RunId>,
    /// Whether its definition, when the code last had one, says that the object is neither deleted nor replaced.
    pub protected: bool,
}

/// An object whose delete is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deposed {
    /// The resource that it was of.
    pub resource: ResourceName,
    /// The object.
    pub record: ObjectRecord,
}

/// After how many events a checkpoint is due at the earliest. It costs two calls, and saves one for each entry before it.
const CHECKPOINT_EVERY: u64 = 16;

fn shown_claim(claim: Option<(&RunId, Epoch)>) -> String {
    claim.map_or_else(|| "no claim".to_owned(), |(run, epoch)| format!("epoch {epoch} of run {}", run.short()))
}

impl BlockState {
    /// Takes one more entry in.
    ///
    /// # Errors
    /// An event that cannot follow; the state is then undefined and must be thrown away.
    pub fn apply(&mut self, entry: &Entry<BlockEvent>) -> Result<(), Illegal> {
        self.begin_entry(&entry.body)?;
        entry.body.events.iter().try_for_each(|event| self.apply_event(entry.body.claim.as_ref(), event))?;
        self.head = Some(entry.head());
        Ok(())
    }

    /// An entry, before its first event.
    pub(super) fn begin_entry(&mut self, body: &Body<BlockEvent>) -> Result<(), Illegal> {
        if body.generation < self.generation && !mutant::on(Mutant::OlderGenerationAccepted) {
            return Err(Illegal::Generation { found: body.generation, last: self.generation });
        }
        self.generation = body.generation;
        self.revision = Some(body.revision.clone());
        self.writer = Some(body.writer.name.clone());
        if body.v > 1 {
            self.definitions.retain(|known, _| self.digest.as_ref() == Some(known));
        }
        Ok(())
    }

    /// One event under a claim.
    pub(super) fn apply_event(&mut self, claim: Option<&ClaimRef>, event: &BlockEvent) -> Result<(), Illegal> {
        self.events = self.events.saturating_add(1);
        if let BlockEvent::Claimed { run, epoch, holder, took_over } = event {
            if claim.is_none_or(|claim| claim.run != *run || claim.epoch != *epoch) {
                return Err(self.not_the_claim(claim));
            }
            if *epoch != self.epoch.next() {
                return Err(Illegal::Epoch { found: *epoch, last: self.epoch });
            }
            match (&self.claim, took_over) {
                (Some(open), None) => return Err(Illegal::Held(open.run.clone())),
                (None, Some(_)) => return Err(Illegal::NothingToTakeOver),
                (Some(_), Some(_)) | (None, None) => {}
            }
            self.epoch = *epoch;
            self.claim = Some(OpenClaim { run: run.clone(), epoch: *epoch, holder: holder.clone() });
            self.adopting.clear();
            return Ok(());
        }
        let ours = match (&self.claim, claim) {
            (Some(open), Some(claim)) => open.run == claim.run && open.epoch == claim.epoch,
            _ => false,
        };
        if ours || mutant::on(Mutant::ClaimWithoutEpoch) {
            self.apply_claimed(event)
        } else {
            Err(self.not_the_claim(claim))
        }
    }

    /// After how many events the next checkpoint is due: as many as the block has objects, so that all checkpoints together
    /// are not more than a few times as long as the log.
    fn checkpoint_every(&self) -> u64 {
        let objects = self.resources.len().saturating_add(self.deposed.len());
        CHECKPOINT_EVERY.max(u64::try_from(objects).unwrap_or(u64::MAX))
    }

    fn not_the_claim(&self, found: Option<&ClaimRef>) -> Illegal {
        Illegal::NotTheClaim {
            found: shown_claim(found.map(|claim| (&claim.run, claim.epoch))),
            open: shown_claim(self.claim.as_ref().map(|open| (&open.run, open.epoch))),
        }
    }

    fn apply_claimed(&mut self, event: &BlockEvent) -> Result<(), Illegal> {
        match event {
            // A claim was taken in before; a reservation changes nothing yet.
            BlockEvent::Claimed { .. } | BlockEvent::Reserved { run: _ } => {}
            BlockEvent::Released {} => {
                self.claim = None;
                self.adopting.clear();
                if self.events.saturating_sub(self.checkpoint) >= self.checkpoint_every() {
                    self.checkpoint = self.events;
                }
            }
            BlockEvent::Applying { digest, definition, env, channel, targets, found } => {
                let definition = self.define(digest, definition.as_deref())?;
                for (name, state) in &mut self.resources {
                    // What is not in the code any more stays as protected as it was.
                    if let Some(desired) = definition.resources.get(name) {
                        state.protected = desired.lifecycle.prevent_destroy;
                    }
                }
                self.definition = Some(definition);
                self.digest = Some(digest.clone());
                self.defined = Some(self.generation);
                self.env = Some(env.clone());
                self.channel = Some(*channel);
                self.targets.clone_from(targets);
                self.found.clone_from(found);
            }
            BlockEvent::Intent(intent) => self.intend(intent)?,
            BlockEvent::Done { intent, id, outputs, how } => {
                self.may_arrive_again(*intent, id.as_ref(), *how);
                self.done(*intent, id.as_ref(), outputs)?;
            }
            BlockEvent::Failed { intent, code: _, message: _ } | BlockEvent::Abandoned { intent } => {
                self.open.remove(intent).ok_or(Illegal::NotOpen(*intent))?;
            }
            BlockEvent::Applied { resource, inputs, outputs, depends_on } => {
                let id = self.present(resource, None)?.object.id.clone();
                self.settled(resource, Some(&id))?;
                let state = self.present(resource, Some(&id))?;
                state.applied = Some(inputs.clone());
                merge(&mut state.object.fields, outputs);
                state.object.depends_on.clone_from(depends_on);
            }
            BlockEvent::Deposed { resource, id } => {
                self.present(resource, Some(id))?;
                self.unused(resource, id)?;
                let Some(ResourceState { object: record, applied: _, made: _, maker: _, protected: _ }) =
                    self.resources.remove(resource)
                else {
                    return Err(no_object(resource, Some(id)));
                };
                if !mutant::on(Mutant::DeposedForgotten) {
                    self.deposed.insert(record.typed_id(), Deposed { resource: resource.clone(), record });
                }
            }
            BlockEvent::Gone { resource, id } => {
                let gone = match self.deposed_of(resource, id) {
                    Some(deposed) => {
                        let gone = deposed.record.typed_id();
                        self.unused(resource, id)?;
                        self.deposed.remove(&gone);
                        gone
                    }
                    None => self.leave(resource, Some(id))?.object.typed_id(),
                };
                // Somebody removed it, so another copy of its create is not refused any more: that call is open again.
                if let Some(number) = self.create_arriving(&gone).map(|arrival| arrival.intent.number)
                    && let Some(arrival) = self.arriving.remove(&number)
                {
                    self.open.insert(number, arrival.intent);
                }
            }
            BlockEvent::MovedOut { resource, to } => self.move_out(resource, to)?,
            BlockEvent::MovedIn { resource, from, epoch, record, applied, protected } => {
                let object = record.typed_id();
                self.moved.remove(&object);
                self.came.insert(object, Came { resource: resource.clone(), from: from.clone(), epoch: *epoch });
                self.take_over(resource, record, applied.clone(), *protected)?;
            }
            BlockEvent::Adopting { resource, id } => {
                self.adopting.insert(resource.clone(), id.clone());
            }
            BlockEvent::Adopted { resource, record, inputs, protected } => {
                self.adopting.remove(resource);
                self.take_over(resource, record, Some(inputs.clone()), *protected)?;
            }
            BlockEvent::Healthy {} => self.health = Health::Told,
        }
        Ok(())
    }

    fn define(&mut self, digest: &Digest, definition: Option<&DesiredBlock>) -> Result<Arc<DesiredBlock>, Illegal> {
        match (self.definitions.get(digest), definition) {
            (None, None) => Err(Illegal::NoDefinition(digest.clone())),
            (Some(seen), Some(given)) if **seen != *given => Err(Illegal::OtherDefinition(digest.clone())),
            (Some(seen), _) => Ok(seen.clone()),
            (None, Some(given)) => {
                let given = Arc::new(given.clone());
                self.definitions.insert(digest.clone(), given.clone());
                Ok(given)
            }
        }
    }

    fn intend(&mut self, intent: &Intent) -> Result<(), Illegal> {
        let mismatch = |problem| Illegal::Mismatch { intent: intent.number, problem };
        if let Some(open) = self.open.get_mut(&intent.number) {
            // The same call, sent again: only its stamp and last instant may be later.
            let later = intent.stamp >= open.stamp && intent.last_instant >= open.last_instant;
            let same = Intent { stamp: open.stamp, last_instant: open.last_instant, ..intent.clone() } == *open;
            if !later || !same {
                return Err(mismatch("it is sent again, and is not the same call with a later last instant"));
            }
            (open.stamp, open.last_instant) = (intent.stamp, intent.last_instant);
            return Ok(());
        }
        if intent.number < self.next_intent {
            return Err(Illegal::IntentNumber { found: intent.number, least: self.next_intent });
        }
        self.settled(&intent.resource, intent.object.as_ref())?;
        match (&intent.call.effect, &intent.object) {
            // The object that it replaces, if there is one, is deposed when the new one is there: until then it is the
            // resource's object, and a create that fails changes nothing.
            (Effect::Create { .. }, None) => {}
            (Effect::Create { .. }, Some(_)) => return Err(mismatch("it creates an object and acts on one")),
            (Effect::Set { .. } | Effect::Remove, None) => return Err(mismatch("it acts on no object")),
            (Effect::Set { .. } | Effect::Remove, Some(id)) => {
                self.record(&intent.resource, id)?;
            }
        }
        match intent.call.effect {
            Effect::Create { .. } | Effect::Set { .. } => self.health = Health::Untold,
            // What goes is not waited for by the block's checks.
            Effect::Remove => {}
        }
        self.next_intent = intent.number.next();
        self.open.insert(intent.number, intent.clone());
        Ok(())
    }

    fn done(&mut self, number: IntentNo, id: Option<&ObjectId>, outputs: &Fields) -> Result<(), Illegal> {
        let intent = self.open.remove(&number).ok_or(Illegal::NotOpen(number))?;
        let mismatch = |problem| Illegal::Mismatch { intent: number, problem };
        match (&intent.call.effect, &intent.object) {
            (Effect::Create { fields, mark, computed: _ }, _) => {
                let id = id.ok_or_else(|| mismatch("it created an object, and has no id of it"))?;
                let mut record = ObjectRecord {
                    type_name: intent.call.type_name,
                    version: intent.version,
                    target: intent.target,
                    id: id.clone(),
                    mark: mark.clone().or(intent.mark),
                    fields: Fields::new(),
                    depends_on: intent.depends_on,
                };
                merge(&mut record.fields, fields);
                merge(&mut record.fields, outputs);
                let resource = intent.resource;
                let protected = self.defines_protected(&resource);
                match self.resources.get(&resource) {
                    None => {
                        let maker = self.claim.as_ref().map(|claim| claim.run.clone());
                        let state = ResourceState { object: record, applied: None, made: number, maker, protected };
                        self.resources.insert(resource, state);
                    }
                    // A copy of a create whose object was replaced and then removed by somebody: it goes like that.
                    Some(present) if present.made > number => {
                        self.deposed.insert(record.typed_id(), Deposed { resource, record });
                    }
                    Some(_) => return Err(Illegal::HasObject(resource)),
                }
            }
            (Effect::Set { .. } | Effect::Remove, None) => return Err(mismatch("it acts on no object")),
            (Effect::Set { fields, mark }, Some(object)) => {
                let record = self.record(&intent.resource, object)?;
                merge(&mut record.fields, fields);
                merge(&mut record.fields, outputs);
                if mark.is_some() {
                    record.mark.clone_from(mark);
                }
                record.version = intent.version;
                record.depends_on.extend(intent.depends_on);
            }
            (Effect::Remove, Some(object)) => {
                let gone = self.record(&intent.resource, object)?.typed_id();
                self.arriving.retain(|_, arrival| !arrival.is_of(&gone));
                if self.deposed_of(&intent.resource, object).is_none() {
                    self.resources.remove(&intent.resource);
                } else {
                    self.deposed.remove(&gone);
                }
            }
        }
        Ok(())
    }

    /// Whether the definition that the block was last brought to protects the resource.
    pub fn defines_protected(&self, resource: &ResourceName) -> bool {
        let definition = self.definition.as_ref().and_then(|definition| definition.resources.get(resource));
        definition.is_some_and(|desired| desired.lifecycle.prevent_destroy)
    }

    /// The resource's present object leaves.
    pub(super) fn leave(&mut self, resource: &ResourceName, id: Option<&ObjectId>) -> Result<ResourceState, Illegal> {
        let id = self.present(resource, id)?.object.id.clone();
        self.settled(resource, Some(&id))?;
        match self.resources.remove(resource) {
            Some(state) => Ok(state),
            None => Err(no_object(resource, Some(&id))),
        }
    }

    fn present(&mut self, resource: &ResourceName, id: Option<&ObjectId>) -> Result<&mut ResourceState, Illegal> {
        match self.resources.get_mut(resource) {
            Some(state) if id.is_none_or(|id| state.object.id == *id) => Ok(state),
            _ => Err(no_object(resource, id)),
        }
    }

    /// The object of the resource with this id, present or deposed.
    fn record(&mut self, resource: &ResourceName, id: &ObjectId) -> Result<&mut ObjectRecord, Illegal> {
        let deposed = self.deposed_of(resource, id).map(|deposed| deposed.record.typed_id());
        let record = match deposed {
            Some(deposed) => self.deposed.get_mut(&deposed).map(|deposed| &mut deposed.record),
            None => self.resources.get_mut(resource).map(|state| &mut state.object).filter(|object| object.id == *id),
        };
        record.ok_or_else(|| no_object(resource, Some(id)))
    }

    /// The object of the resource with this id, if its delete is due.
    pub fn deposed_of(&self, resource: &ResourceName, id: &ObjectId) -> Option<&Deposed> {
        self.deposed.of(resource).find(|deposed| deposed.record.id == *id)
    }

    pub(super) fn vacant(&self, resource: &ResourceName) -> Result<(), Illegal> {
        if self.resources.contains_key(resource) { Err(Illegal::HasObject(resource.clone())) } else { Ok(()) }
    }

    /// No intent is open for this object of the resource, nor a create of the resource.
    pub(super) fn settled(&self, resource: &ResourceName, object: Option<&ObjectId>) -> Result<(), Illegal> {
        match object {
            Some(id) if self.deposed_of(resource, id).is_some() => self.unused(resource, id),
            _ => self.no_open(resource, |open| open.is_none() || open == object),
        }
    }

    fn unused(&self, resource: &ResourceName, id: &ObjectId) -> Result<(), Illegal> {
        self.no_open(resource, |open| open == Some(id))
    }

    fn no_open(&self, resource: &ResourceName, on: impl Fn(Option<&ObjectId>) -> bool) -> Result<(), Illegal> {
        let open = self.open.of(resource).find(|open| on(open.object.as_ref()));
        open.map_or(Ok(()), |open| Err(Illegal::StillOpen { resource: resource.clone(), open: open.number }))
    }

    /// What a plan binds: objects, what is due, and what is open or may arrive again; neither positions nor claims.
    pub fn state_digest(&self) -> Digest {
        let moves = (&self.moved, &self.came);
        let state = (&self.digest, &self.resources, &self.deposed, &self.open, &self.arriving, self.next_intent, moves);
        // Writing structs and maps with text keys to memory cannot fail.
        Digest::of(&serde_json::to_vec(&state).unwrap_or_default())
    }

    /// Every object that the log knows: present ones, those whose delete is due, and those that left for another address.
    pub fn records(&self) -> impl Iterator<Item = &ObjectRecord> {
        let present = self.resources.values().map(|state| &state.object);
        let deposed = self.deposed.values().map(|deposed| &deposed.record);
        present.chain(deposed).chain(self.moved.values().map(|moved| &moved.state.object))
    }

    /// Every resource whose outputs something in this block uses.
    pub fn uses(&self) -> impl Iterator<Item = &ResourceAddr> {
        let present = self.resources.values().map(|state| &state.object);
        let records = present.chain(self.deposed.values().map(|deposed| &deposed.record));
        records.flat_map(|record| &record.depends_on).chain(self.open.values().flat_map(|intent| &intent.depends_on))
    }
}

fn no_object(resource: &ResourceName, id: Option<&ObjectId>) -> Illegal {
    let id = id.map_or_else(String::new, |id| id.as_str().to_owned());
    Illegal::NoObject { resource: resource.clone(), id }
}

/// `Null` unsets.
fn merge(into: &mut Fields, from: &Fields) {
    for (name, value) in from {
        if value.is_null() {
            into.remove(name);
        } else {
            into.insert(name.clone(), value.clone());
        }
    }
}
