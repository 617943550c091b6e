//! Requests that were repeated, and what the other copies of them could still do.

use serde::{Deserialize, Serialize};

use super::event::{Intent, Landed};
use super::fold::BlockState;
use crate::call::{Recovery, ServerTime};
use crate::id::{IntentNo, ObjectId, TypedId};
use crate::value::Fields;

/// What may arrive a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Arriving {
    /// A create: the object must not go before, or a second one would come to be.
    Create,
    /// A set: the same fields must not be set to other values before, or these would be undone.
    Set,
}

/// A repeated request that may still arrive a second time, until its last instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrival {
    /// What it does then.
    pub what: Arriving,
    /// The object that it made or acted on.
    pub object: ObjectId,
    /// The request.
    pub intent: Intent,
}

impl Arrival {
    /// Whether it made or acted on this object.
    pub fn is_of(&self, object: &TypedId) -> bool {
        self.object == object.id && self.intent.call.type_name == object.type_name
    }
}

impl BlockState {
    /// A second removal by id has no effect at any time; neither has a token's repetition, because a token is only
    /// repeated where the API remembers it for as long as the first request can arrive.
    pub(super) fn may_arrive_again(&mut self, number: IntentNo, created: Option<&ObjectId>, how: Landed) {
        let Some(intent) = self.open.get(&number).filter(|_| how == Landed::Repeated) else { return };
        let Some(id) = created.or(intent.object.as_ref()) else { return };
        let what = match &intent.call.recovery {
            Recovery::Token { .. } | Recovery::Remove => return,
            Recovery::Name { .. } | Recovery::Tag | Recovery::NaturalKey { .. } => Arriving::Create,
            Recovery::Set => Arriving::Set,
        };
        self.arriving.insert(number, Arrival { what, object: id.clone(), intent: intent.clone() });
    }

    /// The create of the object, if it was repeated and may arrive again.
    pub fn create_arriving(&self, object: &TypedId) -> Option<&Arrival> {
        self.arriving.values().find(|arrival| arrival.what == Arriving::Create && arrival.is_of(object))
    }

    /// Until when sets that were repeated may arrive again and undo a set of one of these fields.
    pub fn sets_arriving(&self, object: &TypedId, fields: &Fields) -> Option<ServerTime> {
        let sets = self.arriving.values().filter(|arrival| arrival.what == Arriving::Set && arrival.is_of(object));
        let same = sets.filter(|arrival| {
            let set = arrival.intent.call.effect.fields();
            set.is_some_and(|set| set.keys().any(|field| fields.contains_key(field)))
        });
        same.map(|arrival| arrival.intent.last_instant).max()
    }
}
