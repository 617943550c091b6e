//! Objects that change their address, and objects that become ours: what is written for them. Nothing is called.

use super::action::Acted;
use super::attempt::Subject;
use super::context::{ActionError, Exec};
use crate::call::Mark;
use crate::desired::DesiredResource;
use crate::id::ResourceAddr;
use crate::mutant::{self, Mutant};
use crate::plan::{Moved, Presence, ResourcePlan, on_trust};
use crate::progress::{Progress, Verb};
use crate::provider::token;
use crate::schema::Role;
use crate::stream::MovedOut;
use crate::stream::event::{BlockEvent, ObjectRecord};
use crate::value::OutputRef;

impl Exec {
    /// The log that has the object says that it leaves. Whatever a call could still do to it is found out, or waited for,
    /// before: the log that it goes to knows nothing of these calls.
    pub(super) async fn move_out(&self, from: &ResourceAddr) -> Result<Acted, ActionError> {
        let nothing = Acted { verb: None, id: None };
        let to = self.moves.get(from).ok_or_else(|| ActionError::Bug(format!("{from} moves nowhere")))?;
        if !mutant::on(Mutant::MovesWithOpenCalls) && self.settle_open(from).await? {
            self.must_look_again(to);
        }
        let claim = self.claim(&from.block)?;
        loop {
            let state = claim.state();
            // In a run that was cut off it left already, or the call that could have made it did not land.
            let Some(resource) = state.resources.get(&from.name) else { return Ok(nothing) };
            let record = &resource.object;
            let object = record.typed_id();
            let arriving = state.arriving.values().filter(|arrival| arrival.is_of(&object));
            let until = arriving.map(|arrival| arrival.intent.last_instant).max();
            let subject =
                Subject { addr: from, target: &record.target, version: record.version, depends_on: &record.depends_on };
            self.until_nothing_arrives(&subject, &record.type_name, &record.id, until).await?;
            let gone = matches!(self.world.presence(&record.target, &record.type_name, &record.id), Presence::Absent);
            // Somebody removed it, and a copy of the call that made it may have made another one.
            if gone && self.another_copy(from, record).await? {
                self.must_look_again(to);
                continue;
            }
            let id = Some(record.id.clone());
            let out = BlockEvent::MovedOut { resource: from.name.clone(), to: to.clone() };
            if mutant::on(Mutant::MovedOutForgotten) {
                claim.append(vec![BlockEvent::Gone { resource: from.name.clone(), id: record.id.clone() }]).await?;
            } else {
                claim.append(vec![out]).await?;
            }
            return Ok(Acted { verb: None, id });
        }
    }

    /// The log that the object goes to says that it came.
    pub(super) async fn move_in(&self, to: &ResourceAddr) -> Result<Acted, ActionError> {
        let nothing = Acted { verb: None, id: None };
        let Some(Moved::In { from }) = &self.planned(to)?.moved else {
            return Err(ActionError::Bug(format!("nothing moves to {to}")));
        };
        let claim = self.claim(&to.block)?;
        let (there, here) = (self.claim(&from.block)?.state(), claim.state());
        let comes = |moved: &&MovedOut| moved.resource == from.name && moved.to == *to;
        let comes_back = |moved: &&MovedOut| moved.resource == to.name && moved.to == *from;
        let mut forward = there.on_their_way(&from.block, |block| (*block == to.block).then_some(&*here));
        let mut back = here.on_their_way(&to.block, |block| (*block == from.block).then_some(&*there));
        let moved = forward.find(comes).or_else(|| back.find(comes_back));
        // The call that could have made it did not land.
        let Some(moved) = moved else { return Ok(nothing) };
        let mut record = moved.state.object.clone();
        if let Some(mark) = &mut record.mark {
            mark.address = to.clone();
        }
        let id = record.id.clone();
        let came = BlockEvent::MovedIn {
            resource: to.name.clone(),
            from: from.clone(),
            epoch: moved.epoch,
            record: Box::new(record),
            applied: moved.state.applied.clone(),
            protected: moved.state.protected,
        };
        claim.append(vec![came]).await?;
        self.publish(to, None);
        self.io.emit(Progress::Moved { resource: to.clone(), from: from.clone() });
        Ok(Acted { verb: Some(Verb::Move), id: Some(id) })
    }

    /// An object that is there becomes the resource's, as it is.
    pub(super) async fn adopt(
        &self,
        addr: &ResourceAddr,
        desired: &DesiredResource,
        planned: &ResourcePlan,
    ) -> Result<Acted, ActionError> {
        let existing = planned.existing.as_ref();
        let id = &existing.ok_or_else(|| ActionError::Bug(format!("{addr} adopts nothing")))?.id;
        let Presence::Present(observed) = self.world.presence(&planned.target, &planned.type_name, id) else {
            return Err(ActionError::OutsidePlan(format!("{addr}: {id} is not there any more")));
        };
        let schema = self.providers.schema(&desired.provider, &desired.type_name);
        let schema = schema.ok_or_else(|| ActionError::Bug(format!("{}: no schema", desired.type_name)))?;
        let ours = schema.fields.iter().filter(|field| {
            field.role != Role::Computed
                && desired.inputs.contains_key(field.name)
                && !desired.lifecycle.ignore_changes.contains(field.name)
        });
        let lookup = |output: &OutputRef| self.output(output);
        let mut fields = observed.fields.clone();
        fields.extend(on_trust(schema, desired, |expr| expr.resolve(&lookup).ok()));
        let inputs = ours.filter_map(|field| Some((field.name.to_owned(), fields.get(field.name)?.clone()))).collect();
        let record = ObjectRecord {
            type_name: desired.type_name.clone(),
            version: schema.version,
            target: planned.target.clone(),
            id: id.clone(),
            // A mark that names another address is set anew by the next apply; one without any gets one with its next update.
            mark: observed.mark.clone().map(|mark| Mark { address: addr.clone(), ..mark }),
            fields,
            depends_on: desired.depends_on(),
        };
        let adopted = BlockEvent::Adopted {
            resource: addr.name.clone(),
            record: Box::new(record),
            inputs,
            protected: desired.lifecycle.prevent_destroy,
        };
        if !mutant::on(Mutant::AdoptedForgotten) {
            self.claim(&addr.block)?.append(vec![adopted]).await?;
        }
        self.publish(addr, Some(observed));
        Ok(Acted { verb: Some(Verb::Adopt), id: Some(id.clone()) })
    }

    /// A mark for an object that has none.
    pub(super) fn new_mark(&self, addr: &ResourceAddr) -> Mark {
        let number = self.claim(&addr.block).map(|claim| claim.state().next_intent).unwrap_or_default();
        let incarnation = token(&self.plan.nonce, addr, number);
        Mark { infra: self.plan.infra.clone(), address: addr.clone(), incarnation }
    }
}
