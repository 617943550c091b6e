//! One node of the action graph: a resource is brought to its definition, or its objects are deleted.

use std::collections::{BTreeMap, BTreeSet};

use super::attempt::{Step, Subject, Tried};
use super::context::{ActionError, Exec, backoff};
use super::looking::computed;
use crate::call::{Call, Look, Mark, Observed, Readiness, ReadyCall, Wait};
use crate::desired::DesiredResource;
use crate::id::{ObjectId, ResourceAddr, TypedId};
use crate::mutant::{self, Mutant};
use crate::plan::{Current, Outcome, Presence, Reason, ReplaceOrder, ResourcePlan, Retirement, Wanted, decide};
use crate::progress::Verb;
use crate::provider::{Change, token};
use crate::stream::ResourceState;
use crate::stream::event::{BlockEvent, Landed, ObjectRecord};
use crate::value::{Fields, Value};

/// What an action did.
pub(super) struct Acted {
    pub(super) verb: Option<Verb>,
    pub(super) id: Option<ObjectId>,
}

/// How long an object is waited for that an earlier run had made and not waited for, in seconds.
const UNFINISHED_DEADLINE: u32 = 600;

impl Exec {
    /// Creates, updates or replaces the resource, whichever it turns out to need within the plan.
    pub(super) async fn apply(&self, addr: &ResourceAddr) -> Result<Acted, ActionError> {
        let planned = self.planned(addr)?;
        let desired = self
            .desired
            .blocks
            .get(&addr.block)
            .and_then(|block| block.resources.get(&addr.name))
            .ok_or_else(|| ActionError::Bug(format!("{addr} is not in the code")))?;
        if planned.allowed.contains(&Outcome::Adopt) {
            // A new definition says something of other resources, too: what is protected is the next apply's to say.
            if self.claim(&addr.block)?.state().definition.is_none() {
                self.define(&addr.block)?;
            }
            return self.adopt(addr, desired, planned).await;
        }
        self.define(&addr.block)?;
        let settled_any = self.settle_open(addr).await? || self.may_have_changed(addr);
        let wanted = self.resolve(desired)?;
        let mut record = self.record(addr)?;
        let mut observed = self.observe_again(addr, record.as_ref(), settled_any).await?;
        while let (Some(gone), None) = (&record, &observed)
            && self.another_copy(addr, gone).await?
        {
            record = self.record(addr)?;
            observed = self.observe_again(addr, record.as_ref(), true).await?;
        }

        let schema = self.providers.schema(&desired.provider, &desired.type_name);
        let schema = schema.ok_or_else(|| ActionError::Bug(format!("{}: no schema", desired.type_name)))?;
        let applied =
            self.claim(&addr.block)?.state().resources.get(&addr.name).and_then(|state| state.applied.clone());
        let ignored = &desired.lifecycle.ignore_changes;
        let decision = {
            let known = wanted.iter().map(|(field, value)| (field.clone(), Wanted::Known(value.clone()))).collect();
            match (&record, &observed) {
                (None, _) => decide(schema, &known, ignored, Current::None),
                (Some(record), None) => decide(schema, &known, ignored, Current::Gone { id: &record.id }),
                (Some(record), Some(observed)) => decide(
                    schema,
                    &known,
                    ignored,
                    Current::Present {
                        observed,
                        recorded: &record.fields,
                        applied: applied.as_ref(),
                        mark: record.mark.as_ref(),
                    },
                ),
            }
        };
        // A run that was cut off between the two halves of a replacement goes on with the second one.
        let other_type = record.as_ref().is_some_and(|record| record.type_name != desired.type_name);
        let outcome = if other_type { Outcome::Replace } else { sole(addr, &decision.allowed)? };
        self.within(addr, planned, outcome, &decision.fields)?;
        if outcome == Outcome::Replace && planned.order == ReplaceOrder::DeleteFirst {
            return Err(ActionError::OutsidePlan(format!("the old object of {addr} should have gone first")));
        }
        let changed: Vec<&'static str> =
            schema.fields.iter().map(|field| field.name).filter(|name| decision.fields.contains(*name)).collect();
        let depends_on = desired.depends_on();
        let subject = Subject { addr, target: &planned.target, version: schema.version, depends_on: &depends_on };
        match (outcome, record, observed) {
            (Outcome::NoOp, Some(record), Some(observed)) => {
                let inputs = self.ours(desired, &wanted, &record.fields, schema);
                let mut due = Vec::new();
                if matches!(observed.readiness, Readiness::Pending | Readiness::Failed(_)) {
                    let (until, mut seen) = (Wait::Ready(UNFINISHED_DEADLINE), Fields::new());
                    self.wait(&subject, &record.type_name, &record.id, until, &mut due, &mut seen).await?;
                }
                if applied.as_ref() != Some(&inputs) || record.depends_on != depends_on {
                    let outputs = computed(schema, &observed.fields);
                    due.push(BlockEvent::Applied { resource: addr.name.clone(), inputs, outputs, depends_on });
                    self.claim(&addr.block)?.append(due).await?;
                }
                self.publish(addr, Some(&observed));
                Ok(Acted { verb: None, id: Some(record.id) })
            }
            (Outcome::Create | Outcome::Replace, record, _) => {
                self.create(&subject, desired, planned, wanted, record, outcome == Outcome::Replace).await
            }
            (Outcome::Update, Some(record), Some(observed)) => {
                self.update(&subject, desired, wanted, record, observed, &changed).await
            }
            (outcome, _, _) => Err(ActionError::Bug(format!("{addr}: {outcome} of what is not there"))),
        }
    }

    async fn create(
        &self,
        subject: &Subject<'_>,
        desired: &DesiredResource,
        planned: &ResourcePlan,
        mut wanted: Fields,
        old: Option<ObjectRecord>,
        replaces: bool,
    ) -> Result<Acted, ActionError> {
        let addr = subject.addr;
        if let Some(name) = &planned.new_name {
            wanted.insert(name.field.clone(), name.name.as_str().into());
        }
        let provider = self.provider(desired)?;
        let mut due = Vec::new();
        let mut deposed = None;
        match old {
            Some(old) if replaces && planned.users.is_empty() && mutant::on(Mutant::DeleteBeforeItsSuccessor) => {
                self.remove(addr, &old).await?;
            }
            Some(old) if replaces => {
                deposed = Some(BlockEvent::Deposed { resource: addr.name.clone(), id: old.id });
            }
            Some(old) => due.push(BlockEvent::Gone { resource: addr.name.clone(), id: old.id }),
            None => {}
        }
        // Under which limit it waits for its turn is known only by what it compiles to; its mark is made when it is sent.
        let mark = self.new_mark(addr);
        let calls = provider.compile(&desired.type_name, &Change::Create { desired: &wanted, mark: &mark })?;
        let api = calls.first().map(|call| call.api.clone()).unwrap_or_default();
        let mut attempts = 0;
        let (calls, id, mut outputs) = loop {
            if let Some(first) = calls.first() {
                self.key_is_free(subject, first).await?;
            }
            let looked = self.look_up(subject, calls.first()).await?;
            let make = |number| {
                let mark = Mark {
                    infra: self.plan.infra.clone(),
                    address: addr.clone(),
                    incarnation: token(&self.plan.nonce, addr, number),
                };
                let calls = provider.compile(&desired.type_name, &Change::Create { desired: &wanted, mark: &mark })?;
                let first = calls.first().ok_or_else(|| ActionError::Bug(format!("{addr}: a create without calls")))?;
                let call = ready(first, None, &Fields::new(), &looked)?;
                let mark = call.effect.mark().cloned();
                Ok((Step { object: None, mark, call }, calls))
            };
            match self.attempt(subject, (&api, None), &mut due, make).await? {
                (Tried::Landed { id: Some(id), outputs, event }, calls) => {
                    due.extend(deposed.take());
                    due.push(event);
                    break (calls, id, outputs);
                }
                (Tried::Landed { id: None, .. }, _) => {
                    return Err(ActionError::Bug(format!("{addr}: a create answered without an id")));
                }
                (Tried::Again { why }, _) => {
                    attempts += 1;
                    self.again(&api, attempts, why).await?;
                }
                (Tried::TooLate, _) => {}
            }
        };
        let first_wait = calls.first().map_or(Wait::No, |call| call.wait);
        let rest = async {
            self.wait(subject, &desired.type_name, &id, first_wait, &mut due, &mut outputs).await?;
            self.follow(subject, desired, &id, calls.get(1..).unwrap_or_default(), &mut due, &mut outputs).await
        };
        let rest = rest.await;
        self.flush_if_failed(addr, rest, &mut due).await?;
        wanted.retain(|field, _| !desired.lifecycle.ignore_changes.contains(field));
        self.applied(subject, wanted, outputs, due).await?;
        let verb = if replaces { Verb::Replace } else { Verb::Create };
        Ok(Acted { verb: Some(verb), id: Some(id) })
    }

    async fn update(
        &self,
        subject: &Subject<'_>,
        desired: &DesiredResource,
        wanted: Fields,
        record: ObjectRecord,
        observed: Observed,
        changed: &[&'static str],
    ) -> Result<Acted, ActionError> {
        let addr = subject.addr;
        // One that was adopted gets a mark with its first update.
        let mark = record.mark.clone().unwrap_or_else(|| self.new_mark(addr));
        let lost_mark = Some(&mark).filter(|mark| observed.mark.as_ref() != Some(mark));
        let change = Change::Update { id: &record.id, observed: &observed, desired: &wanted, changed, mark: lost_mark };
        let calls = self.provider(desired)?.compile(&desired.type_name, &change)?;
        let schema = self.providers.schema(&desired.provider, &desired.type_name);
        let mut outputs = schema.map(|schema| computed(schema, &observed.fields)).unwrap_or_default();
        let mut due = Vec::new();
        let followed = self.follow(subject, desired, &record.id, &calls, &mut due, &mut outputs).await;
        self.flush_if_failed(addr, followed, &mut due).await?;
        let inputs =
            schema.map_or_else(|| wanted.clone(), |schema| self.ours(desired, &wanted, &record.fields, schema));
        self.applied(subject, inputs, outputs, due).await?;
        Ok(Acted { verb: Some(Verb::Update), id: Some(record.id) })
    }

    /// A repeated set that may still arrive must not undo what the call is about to set.
    async fn until_no_set_arrives(
        &self,
        subject: &Subject<'_>,
        call: &Call,
        id: &ObjectId,
        due: &mut Vec<BlockEvent>,
    ) -> Result<(), ActionError> {
        let claim = self.claim(&subject.addr.block)?;
        if due.iter().any(|event| matches!(event, BlockEvent::Done { how: Landed::Repeated, .. })) {
            claim.append(std::mem::take(due)).await?;
        }
        let object = TypedId { type_name: call.type_name.clone(), id: id.clone() };
        let until = call.effect.fields().and_then(|fields| claim.state().sets_arriving(&object, fields));
        self.until_nothing_arrives(subject, &call.type_name, id, until).await
    }

    /// The calls on an object that exists, one after the other.
    async fn follow(
        &self,
        subject: &Subject<'_>,
        desired: &DesiredResource,
        id: &ObjectId,
        calls: &[Call],
        due: &mut Vec<BlockEvent>,
        outputs: &mut Fields,
    ) -> Result<(), ActionError> {
        for call in calls {
            let mut attempts = 0;
            self.until_no_set_arrives(subject, call, id, due).await?;
            loop {
                let mark = call.effect.mark().cloned();
                let looked = self.look_up(subject, Some(call)).await?;
                let step = Step { object: Some(id.clone()), mark, call: ready(call, Some(id), outputs, &looked)? };
                match self.attempt(subject, (&call.api, Some(id)), due, |_| Ok((step, ()))).await?.0 {
                    Tried::Landed { outputs: more, event, .. } => {
                        due.push(event);
                        outputs.extend(more);
                        break;
                    }
                    Tried::Again { why } => {
                        attempts += 1;
                        self.again(&call.api, attempts, why).await?;
                    }
                    Tried::TooLate => {}
                }
            }
            self.wait(subject, &desired.type_name, id, call.wait, due, outputs).await?;
        }
        Ok(())
    }

    /// Deletes the resource's objects that are to go: all that were deposed, and the present one where it left the code.
    pub(super) async fn retire(&self, addr: &ResourceAddr) -> Result<Acted, ActionError> {
        let planned = self.planned(addr)?;
        let settled_any = self.settle_open(addr).await?;
        let goes_first = self.goes_before_its_successor(addr, planned, settled_any).await?;
        if goes_first
            && !mutant::on(Mutant::CeilingIgnored)
            && let Some(what) = self.ceiling.forbids(addr, Outcome::Replace, &BTreeSet::new(), false)
        {
            return Err(ActionError::OutsidePlan(format!("{addr} would need to {what}")));
        }
        let leaves = planned.allowed.contains(&Outcome::Delete) || goes_first;
        let known: BTreeSet<ObjectId> = self.due_to_go(addr, leaves)?.into_iter().map(|record| record.id).collect();
        let mut seen = BTreeSet::new();
        let mut last = None;
        // Where one of them is gone and a copy of it arrived, that is what the plan means if nothing is to stay; else the
        // next plan says what becomes of it.
        let is_next = |record: &ObjectRecord, seen: &BTreeSet<ObjectId>| {
            !seen.contains(&record.id) && (leaves || known.contains(&record.id))
        };
        while let Some(record) = self.due_to_go(addr, leaves)?.into_iter().find(|record| is_next(record, &seen)) {
            seen.insert(record.id.clone());
            if known.contains(&record.id) {
                self.allowed_to_go(addr, planned, &record)?;
            }
            if !self.gone_and_made_again(addr, &record).await? {
                self.remove(addr, &record).await?;
                last = Some(record.id);
            }
        }
        Ok(Acted { verb: last.is_some().then_some(Verb::Delete), id: last })
    }

    /// Whether the present object is deleted before a new one is made.
    async fn goes_before_its_successor(
        &self,
        addr: &ResourceAddr,
        planned: &ResourcePlan,
        settled_any: bool,
    ) -> Result<bool, ActionError> {
        if !planned.goes_first() || !planned.may_stay() {
            return Ok(planned.goes_first());
        }
        let desired = self.desired.blocks.get(&addr.block).and_then(|block| block.resources.get(&addr.name));
        let desired = desired.ok_or_else(|| ActionError::Bug(format!("{addr} is not in the code")))?;
        let schema = self.providers.schema(&desired.provider, &desired.type_name);
        let schema = schema.ok_or_else(|| ActionError::Bug(format!("{}: no schema", desired.type_name)))?;
        let Some(record) = self.record(addr)? else { return Ok(false) };
        let Some(observed) = self.observe_again(addr, Some(&record), settled_any).await? else { return Ok(false) };
        let wanted = self.resolve(desired)?.into_iter().map(|(field, value)| (field, Wanted::Known(value))).collect();
        let current = Current::Present {
            observed: &observed,
            recorded: &record.fields,
            applied: None,
            mark: record.mark.as_ref(),
        };
        let decision = decide(schema, &wanted, &desired.lifecycle.ignore_changes, current);
        Ok(record.type_name != desired.type_name || decision.allowed.contains(&Outcome::Replace))
    }

    /// The objects of the resource that were deposed, and the present one if nothing is to stay. What is protected and has
    /// left the code stays, also where that was found out with an open call.
    fn due_to_go(&self, addr: &ResourceAddr, leaves: bool) -> Result<Vec<ObjectRecord>, ActionError> {
        let state = self.claim(&addr.block)?.state();
        let defined = self.planned(addr)?.defined;
        let deposed = state.deposed.of(&addr.name);
        let may_go =
            |state: &&ResourceState| leaves && (defined || !state.protected || mutant::on(Mutant::ProtectionForgotten));
        let present = state.resources.get(&addr.name).filter(may_go).map(|state| state.object.clone());
        Ok(deposed.map(|deposed| deposed.record.clone()).chain(present).collect())
    }

    /// Whether another copy of the object's create may have arrived and somebody removed the object meanwhile: then its
    /// call was found out about anew.
    async fn gone_and_made_again(&self, addr: &ResourceAddr, record: &ObjectRecord) -> Result<bool, ActionError> {
        let state = self.claim(&addr.block)?.state();
        let Some(arrival) = state.create_arriving(&record.typed_id()) else { return Ok(false) };
        let subject = Subject { addr, target: &record.target, version: record.version, depends_on: &record.depends_on };
        let until = Some(arrival.intent.last_instant);
        self.until_nothing_arrives(&subject, &record.type_name, &record.id, until).await?;
        match self.observe_again(addr, Some(record), true).await? {
            Some(_) => Ok(false),
            None => self.another_copy(addr, record).await,
        }
    }

    async fn remove(&self, addr: &ResourceAddr, record: &ObjectRecord) -> Result<(), ActionError> {
        let subject = Subject { addr, target: &record.target, version: record.version, depends_on: &record.depends_on };
        let provider = self.providers.get(&record.target.provider);
        let provider = provider.ok_or_else(|| ActionError::Bug(format!("no provider {}", record.target.provider)))?;
        let observed = match self.world.presence(&record.target, &record.type_name, &record.id) {
            Presence::Present(observed) => Some(observed),
            Presence::Absent | Presence::Unknown(_) => None,
        };
        let change = Change::Delete { id: &record.id, recorded: &record.fields, observed };
        let (mut due, mut outputs) = (Vec::new(), Fields::new());
        for call in provider.compile(&record.type_name, &change)? {
            let mut attempts = 0;
            loop {
                let looked = self.look_up(&subject, Some(&call)).await?;
                let call = ready(&call, Some(&record.id), &record.fields, &looked)?;
                let api = call.api.clone();
                let step = Step { object: Some(record.id.clone()), mark: record.mark.clone(), call };
                match self.attempt(&subject, (&api, Some(&record.id)), &mut due, |_| Ok((step, ()))).await?.0 {
                    Tried::Landed { event, .. } => {
                        due.push(event);
                        break;
                    }
                    Tried::Again { why } => {
                        attempts += 1;
                        self.again(&api, attempts, why).await?;
                    }
                    Tried::TooLate => {}
                }
            }
            self.wait(&subject, &record.type_name, &record.id, call.wait, &mut due, &mut outputs).await?;
        }
        if due.is_empty() { Ok(()) } else { Ok(self.claim(&addr.block)?.append(due).await?) }
    }

    pub(super) fn planned(&self, addr: &ResourceAddr) -> Result<&ResourcePlan, ActionError> {
        self.plan.resource(addr).ok_or_else(|| ActionError::Bug(format!("{addr} is not in the plan")))
    }

    fn provider(&self, desired: &DesiredResource) -> Result<&dyn crate::provider::Provider, ActionError> {
        let provider = self.providers.get(&desired.provider);
        provider.map(AsRef::as_ref).ok_or_else(|| ActionError::Bug(format!("no provider {}", desired.provider)))
    }

    pub(super) fn resolve(&self, desired: &DesiredResource) -> Result<Fields, ActionError> {
        let lookup = |output: &crate::value::OutputRef| self.output(output);
        let resolved = desired.inputs.iter().map(|(field, expr)| Ok((field.clone(), expr.resolve(&lookup)?)));
        resolved.collect::<Result<Fields, _>>().map_err(ActionError::Unresolved)
    }

    /// The fields that are ours: what the definition says, and the name that the engine gave.
    fn ours(
        &self,
        desired: &DesiredResource,
        wanted: &Fields,
        recorded: &Fields,
        schema: &crate::schema::Schema,
    ) -> Fields {
        let mut inputs = wanted.clone();
        // What is left alone once the object is there is not ours any more.
        inputs.retain(|field, _| !desired.lifecycle.ignore_changes.contains(field));
        if let Some((field, _)) = schema.name_field()
            && let (false, Some(name)) = (inputs.contains_key(field.name), recorded.get(field.name))
        {
            inputs.insert(field.name.to_owned(), name.clone());
        }
        inputs
    }

    fn within(
        &self,
        addr: &ResourceAddr,
        planned: &ResourcePlan,
        outcome: Outcome,
        fields: &BTreeSet<String>,
    ) -> Result<(), ActionError> {
        if mutant::on(Mutant::CeilingIgnored) {
            return Ok(());
        }
        let claim = self.claim(&addr.block)?;
        let maker = claim.state().resources.get(&addr.name).and_then(|state| state.maker.clone());
        let unfinished = maker.as_ref() == Some(claim.run().id());
        if let Some(what) = self.ceiling.forbids(addr, outcome, fields, unfinished) {
            return Err(ActionError::OutsidePlan(format!("{addr} would need to {what}")));
        }
        // The second half of a replacement whose first one deleted the old object.
        let second_half = outcome == Outcome::Create && planned.goes_first();
        if outcome != Outcome::NoOp && !second_half && !planned.allowed.contains(&outcome) {
            return Err(ActionError::OutsidePlan(format!("{addr} would need to {outcome}")));
        }
        if outcome == Outcome::Update
            && let Some(field) = fields.difference(&planned.fields).next()
        {
            return Err(ActionError::OutsidePlan(format!("{addr} would need an update of `{field}`")));
        }
        Ok(())
    }

    /// Only what the plan names goes: what it lists, what this run replaced, and what an open call turned out to be.
    fn allowed_to_go(
        &self,
        addr: &ResourceAddr,
        planned: &ResourcePlan,
        record: &ObjectRecord,
    ) -> Result<(), ActionError> {
        let gone =
            Retirement { id: record.id.clone(), type_name: record.type_name.clone(), target: record.target.clone() };
        let listed = planned.retire.contains(&gone);
        let replaced = planned.allowed.contains(&Outcome::Replace)
            && planned.existing.as_ref().is_some_and(|existing| existing.id == record.id);
        let open = planned.reasons.iter().any(Reason::is_open_call);
        if listed || replaced || open || mutant::on(Mutant::CeilingIgnored) {
            Ok(())
        } else {
            Err(ActionError::OutsidePlan(format!("{addr}: {} would be deleted", record.id)))
        }
    }

    async fn again(&self, api: &str, attempts: u32, reason: String) -> Result<(), ActionError> {
        if attempts >= self.settings.call_attempts {
            return Err(ActionError::GaveUp { api: api.to_owned(), attempts, reason });
        }
        self.pause(backoff(attempts)).await
    }
}

fn ready(
    call: &Call,
    id: Option<&ObjectId>,
    outputs: &Fields,
    looked: &BTreeMap<Look, Value>,
) -> Result<ReadyCall, ActionError> {
    let unknown = |own| ActionError::Bug(format!("{} needs {own:?}, which is not known", call.api));
    call.ready(id, outputs, looked).map_err(unknown)
}

fn sole(addr: &ResourceAddr, allowed: &BTreeSet<Outcome>) -> Result<Outcome, ActionError> {
    match allowed.iter().collect::<Vec<_>>()[..] {
        [outcome] => Ok(*outcome),
        _ => Err(ActionError::Bug(format!("{addr}: everything is known, and {allowed:?} are still possible"))),
    }
}
