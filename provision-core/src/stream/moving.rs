//! Objects that change their address, within a block or between two.
//!
//! A move is two entries: the log that has the object says that it leaves, then the log where it goes says that it came.
//! In between, and after a crash there, the first log still knows the object, so it is never without an owner, and never
//! has two.

use serde::{Deserialize, Serialize};

use super::event::ObjectRecord;
use super::fold::{BlockState, ResourceState};
use super::illegal::Illegal;
use crate::id::{BlockAddr, Epoch, ResourceAddr, ResourceName};
use crate::value::Fields;

/// An object that left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MovedOut {
    /// The resource that it was of.
    pub resource: ResourceName,
    /// Where it goes.
    pub to: ResourceAddr,
    /// The epoch of the claim under which it left.
    pub epoch: Epoch,
    /// What was known of it.
    pub state: ResourceState,
}

/// How an object came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Came {
    /// To which resource.
    pub resource: ResourceName,
    /// Where from.
    pub from: ResourceAddr,
    /// The epoch of the claim under which it left there.
    pub epoch: Epoch,
}

impl BlockState {
    /// The resource's present object leaves for another address.
    pub(super) fn move_out(&mut self, resource: &ResourceName, to: &ResourceAddr) -> Result<(), Illegal> {
        let state = self.leave(resource, None)?;
        let object = state.object.typed_id();
        // What could still arrive was waited for: a copy that comes now would be nobody's.
        self.arriving.retain(|_, arrival| !arrival.is_of(&object));
        let moved = MovedOut { resource: resource.clone(), to: to.clone(), epoch: self.epoch, state };
        self.moved.insert(object, moved);
        Ok(())
    }

    /// An object becomes the present one of a resource that has none.
    pub(super) fn take_over(
        &mut self,
        resource: &ResourceName,
        record: &ObjectRecord,
        applied: Option<Fields>,
        protected: bool,
    ) -> Result<(), Illegal> {
        self.vacant(resource)?;
        self.settled(resource, None)?;
        let (made, protected) = (self.next_intent, protected || self.defines_protected(resource));
        let state = ResourceState { object: record.clone(), applied, made, maker: None, protected };
        self.resources.insert(resource.clone(), state);
        Ok(())
    }

    /// The objects that left this block and have not come where they go. `log` gives the state of other blocks' logs.
    pub fn on_their_way<'a, 'b, 'c, F: Fn(&BlockAddr) -> Option<&'b Self>>(
        &'a self,
        own: &'c BlockAddr,
        log: F,
    ) -> impl Iterator<Item = &'a MovedOut> + use<'a, 'b, 'c, F> {
        let not_come = self.moved.iter().filter(move |(object, moved)| {
            let from = own.resource(moved.resource.clone());
            let came = log(&moved.to.block).and_then(|there| there.came.get(*object));
            came.is_none_or(|came| came.from != from || came.epoch != moved.epoch)
        });
        not_come.map(|(_, moved)| moved)
    }
}
