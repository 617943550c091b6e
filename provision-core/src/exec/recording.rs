//! What an action writes into its block's log beside its intents, and what it makes known to other actions.

use super::attempt::Subject;
use super::context::{ActionError, Exec};
use super::settle::Settled;
use crate::call::{Effect, Observed};
use crate::id::{BlockAddr, ObjectId, ResourceAddr, ResourceName};
use crate::mutant::{self, Mutant};
use crate::progress::Progress;
use crate::stream::ResourceState;
use crate::stream::event::{BlockEvent, ObjectRecord};
use crate::value::Fields;

impl Exec {
    /// Records, once per block, what the block is brought to: before, or in the same entry as, whatever is done for that.
    pub(super) fn define(&self, block: &BlockAddr) -> Result<(), ActionError> {
        if !self.define_once(block) {
            return Ok(());
        }
        let (Some(definition), Some(dc)) = (self.desired.blocks.get(block), self.desired.dcs.get(&block.dc)) else {
            return Ok(());
        };
        let digest = definition.digest();
        let claim = self.claim(block)?;
        let state = claim.state();
        let found = definition.looks_up(block).into_iter();
        let found = found.filter_map(|addr| Some((addr.clone(), self.plan.lookups.get(&addr)?.clone()))).collect();
        let known = state.digest.as_ref() == Some(&digest);
        // What came here may be protected as it was there.
        let protects = |(name, state): (&ResourceName, &ResourceState)| {
            definition.resources.get(name).is_none_or(|desired| desired.lifecycle.prevent_destroy == state.protected)
        };
        if state.digest.as_ref() == Some(&digest)
            && state.defined == Some(self.plan.generation)
            && state.found == found
            && state.resources.iter().all(protects)
        {
            return Ok(());
        }
        let applying = BlockEvent::Applying {
            definition: (!known).then(|| Box::new(definition.without_locations())),
            digest,
            env: dc.env.clone(),
            channel: dc.channel,
            targets: dc.targets.clone(),
            found,
        };
        Ok(claim.announce(vec![applying])?)
    }

    /// The object that this run has made for the resource, if it has.
    pub(super) fn made(&self, addr: &ResourceAddr) -> Option<ObjectId> {
        let claim = self.claim(&addr.block).ok()?;
        let state = claim.state();
        let made = state.resources.get(&addr.name).filter(|made| made.maker.as_ref() == Some(claim.run().id()))?;
        Some(made.object.id.clone())
    }

    /// Finds out about every open intent of the resource. Says whether there was one.
    pub(super) async fn settle_open(&self, addr: &ResourceAddr) -> Result<bool, ActionError> {
        let state = self.claim(&addr.block)?.state();
        let open: Vec<_> = state.open.of(&addr.name).collect();
        for intent in open.iter().copied() {
            let settled = if mutant::on(Mutant::OpenIntentsForgotten) {
                Settled::NotLanded
            } else {
                self.settle(addr, intent, None).await?
            };
            let event = match settled {
                Settled::Landed { id, outputs, how } => BlockEvent::Done { intent: intent.number, id, outputs, how },
                Settled::NotLanded => BlockEvent::Abandoned { intent: intent.number },
            };
            let what = match &event {
                BlockEvent::Done { .. } => format!("{} had landed", intent.call.api),
                _ => format!("{} did not land", intent.call.api),
            };
            let creates = matches!(intent.call.effect, Effect::Create { .. });
            let landed = creates && matches!(event, BlockEvent::Done { .. });
            // What an older call than that of the present object made is deposed itself.
            let old = self.claim(&addr.block)?.state().resources.get(&addr.name).cloned();
            let old = old.filter(|old| landed && old.made < intent.number).map(|old| old.object);
            let deposed = old.map(|old| BlockEvent::Deposed { resource: addr.name.clone(), id: old.id });
            self.claim(&addr.block)?.append(deposed.into_iter().chain([event]).collect()).await?;
            self.io.emit(Progress::Recovered { resource: addr.clone(), what });
        }
        Ok(!open.is_empty())
    }

    /// The object is gone, and another copy of the request that made it may have arrived since: its call is open again, and
    /// found out about. Says whether there was one.
    pub(super) async fn another_copy(&self, addr: &ResourceAddr, object: &ObjectRecord) -> Result<bool, ActionError> {
        let claim = self.claim(&addr.block)?;
        if claim.state().create_arriving(&object.typed_id()).is_none() {
            return Ok(false);
        }
        claim.append(vec![BlockEvent::Gone { resource: addr.name.clone(), id: object.id.clone() }]).await?;
        self.settle_open(addr).await
    }

    /// Records that the resource is as defined.
    pub(super) async fn applied(
        &self,
        subject: &Subject<'_>,
        inputs: Fields,
        outputs: Fields,
        mut due: Vec<BlockEvent>,
    ) -> Result<(), ActionError> {
        due.push(BlockEvent::Applied {
            resource: subject.addr.name.clone(),
            inputs,
            outputs,
            depends_on: subject.depends_on.clone(),
        });
        self.claim(&subject.addr.block)?.append(due).await?;
        self.publish(subject.addr, None);
        Ok(())
    }

    /// What a failed action still knows is written before it ends: a landed call need not be looked for again.
    pub(super) async fn flush_if_failed(
        &self,
        addr: &ResourceAddr,
        result: Result<(), ActionError>,
        due: &mut Vec<BlockEvent>,
    ) -> Result<(), ActionError> {
        if result.is_err() && !due.is_empty() {
            // Where this fails too, the intent stays open and the next run finds out.
            self.claim(&addr.block)?.append(std::mem::take(due)).await.ok();
        }
        result
    }

    /// Makes the resource's outputs known to those that use them.
    pub(super) fn publish(&self, addr: &ResourceAddr, observed: Option<&Observed>) {
        if let Ok(Some(record)) = self.record(addr) {
            let mut fields = record.fields;
            fields.extend(observed.map(|observed| observed.fields.clone()).unwrap_or_default());
            fields.insert("id".to_owned(), record.id.as_str().into());
            self.set_outputs(addr, fields);
        }
    }

    pub(super) fn record(&self, addr: &ResourceAddr) -> Result<Option<ObjectRecord>, ActionError> {
        let state = self.claim(&addr.block)?.state();
        Ok(state.resources.get(&addr.name).map(|state| state.object.clone()))
    }
}
