//! What the logs tell of the past: each event with what only earlier entries know, and what one run did in a block.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::call::Effect;
use crate::id::{IntentNo, ObjectId, ResourceAddr, ResourceName, RunId, TypeName};
use crate::stream::Entry;
use crate::stream::event::{BlockEvent, Intent};

/// An event, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told<'a> {
    /// The entry that it stands in.
    pub entry: &'a Entry<BlockEvent>,
    /// What happened.
    pub event: &'a BlockEvent,
    /// The resource that it concerns; `None` where it concerns the block.
    pub resource: Option<&'a ResourceName>,
    /// The intent that it announces or settles.
    pub intent: Option<&'a Intent>,
}

/// Every event of a block's log in order.
pub fn told(entries: &[Entry<BlockEvent>]) -> Vec<Told<'_>> {
    let mut intents: BTreeMap<IntentNo, &Intent> = BTreeMap::new();
    let mut out = Vec::new();
    for entry in entries {
        for event in &entry.body.events {
            let (resource, intent) = match event {
                BlockEvent::Claimed { .. }
                | BlockEvent::Released {}
                | BlockEvent::Applying { .. }
                | BlockEvent::Healthy {}
                | BlockEvent::Reserved { .. } => (None, None),
                BlockEvent::Intent(intent) => {
                    intents.insert(intent.number, intent);
                    (Some(&intent.resource), Some(&**intent))
                }
                BlockEvent::Done { intent, .. }
                | BlockEvent::Failed { intent, .. }
                | BlockEvent::Abandoned { intent } => {
                    let intent = intents.get(intent).copied();
                    (intent.map(|intent| &intent.resource), intent)
                }
                BlockEvent::Applied { resource, .. }
                | BlockEvent::Deposed { resource, .. }
                | BlockEvent::Gone { resource, .. }
                | BlockEvent::MovedOut { resource, .. }
                | BlockEvent::MovedIn { resource, .. }
                | BlockEvent::Adopting { resource, .. }
                | BlockEvent::Adopted { resource, .. } => (Some(resource), None),
            };
            out.push(Told { entry, event, resource, intent });
        }
    }
    out
}

/// Something that a run did in a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// For which resource.
    pub resource: ResourceName,
    /// What.
    #[serde(flatten)]
    pub did: Did,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "did", rename_all = "snake_case")]
pub enum Did {
    /// An object came to be. Calls that set fields of it afterwards, in the same run, belong to that.
    Created {
        /// Its type.
        type_name: TypeName,
        /// Its id.
        id: Option<ObjectId>,
    },
    /// An object was changed in place.
    Updated {
        /// Its type.
        type_name: TypeName,
        /// Its id.
        id: Option<ObjectId>,
        /// The fields that calls set.
        fields: BTreeSet<String>,
    },
    /// An object was removed.
    Deleted {
        /// Its type.
        type_name: TypeName,
        /// Its id.
        id: Option<ObjectId>,
    },
    /// A call was refused.
    Failed {
        /// The operation.
        api: String,
        /// The API's code.
        code: String,
        /// Its words.
        message: String,
    },
    /// A call was found not to have landed.
    DidNotLand {
        /// The operation.
        api: String,
    },
    /// The run recorded no outcome of a call that it announced: a later one finds out.
    LeftOpen {
        /// The operation.
        api: String,
    },
    /// An object was set aside, to be deleted later.
    Deposed {
        /// Its id.
        id: ObjectId,
    },
    /// An object was found to be gone, although no call of ours removed it.
    FoundGone {
        /// Its id.
        id: ObjectId,
    },
    /// The resource's object became that of another address.
    MovedOut {
        /// Which.
        to: ResourceAddr,
    },
    /// The resource got the object of another address.
    MovedIn {
        /// Which.
        from: ResourceAddr,
    },
    /// The resource took over an object that was there.
    Adopted {
        /// Its type.
        type_name: TypeName,
        /// Its id.
        id: ObjectId,
    },
}

/// What a run did in a block, in the order in which it was recorded: from the entries under its claim.
pub fn deeds(entries: &[Entry<BlockEvent>], run: &RunId) -> Vec<Deed> {
    let mut deeds: Vec<Deed> = Vec::new();
    let mut open: BTreeMap<IntentNo, &Intent> = BTreeMap::new();
    let all = told(entries);
    let of_run = all.iter().filter(|told| told.entry.body.claim.as_ref().is_some_and(|claim| claim.run == *run));
    for told in of_run {
        let Some(resource) = told.resource else { continue };
        let did = match (told.event, told.intent) {
            (BlockEvent::Intent(intent), _) => {
                open.insert(intent.number, intent);
                continue;
            }
            (BlockEvent::Done { intent: number, id, .. }, Some(intent)) => {
                open.remove(number);
                landed(intent, id.as_ref())
            }
            (BlockEvent::Failed { intent: number, code, message }, Some(intent)) => {
                open.remove(number);
                Did::Failed { api: intent.call.api.clone(), code: code.clone(), message: message.clone() }
            }
            (BlockEvent::Abandoned { intent: number }, Some(intent)) => {
                open.remove(number);
                Did::DidNotLand { api: intent.call.api.clone() }
            }
            (BlockEvent::Deposed { id, .. }, _) => Did::Deposed { id: id.clone() },
            (BlockEvent::Gone { id, .. }, _) => Did::FoundGone { id: id.clone() },
            (BlockEvent::MovedOut { to, .. }, _) => Did::MovedOut { to: to.clone() },
            (BlockEvent::MovedIn { from, .. }, _) => Did::MovedIn { from: from.clone() },
            (BlockEvent::Adopted { record, .. }, _) => {
                Did::Adopted { type_name: record.type_name.clone(), id: record.id.clone() }
            }
            // That a resource is as defined follows from its calls; an outcome without its intent is in no legal log.
            (BlockEvent::Applied { .. }, _)
            | (BlockEvent::Done { .. } | BlockEvent::Failed { .. } | BlockEvent::Abandoned { .. }, None)
            | (BlockEvent::Claimed { .. } | BlockEvent::Released {}, _)
            | (BlockEvent::Applying { .. } | BlockEvent::Healthy {} | BlockEvent::Reserved { .. }, _)
            | (BlockEvent::Adopting { .. }, _) => continue,
        };
        add(&mut deeds, Deed { resource: resource.clone(), did });
    }
    let left = open
        .values()
        .map(|intent| Deed { resource: intent.resource.clone(), did: Did::LeftOpen { api: intent.call.api.clone() } });
    deeds.extend(left);
    deeds
}

fn landed(intent: &Intent, created: Option<&ObjectId>) -> Did {
    let type_name = intent.call.type_name.clone();
    let id = created.or(intent.object.as_ref()).cloned();
    match &intent.call.effect {
        Effect::Create { .. } => Did::Created { type_name, id },
        Effect::Set { fields, .. } => Did::Updated { type_name, id, fields: fields.keys().cloned().collect() },
        Effect::Remove => Did::Deleted { type_name, id },
    }
}

/// Several calls for one object are one deed.
fn add(deeds: &mut Vec<Deed>, deed: Deed) {
    if let Did::Updated { id, fields, .. } = &deed.did {
        for earlier in deeds.iter_mut().rev().filter(|earlier| earlier.resource == deed.resource) {
            match &mut earlier.did {
                Did::Created { id: made, .. } if made == id => return,
                Did::Updated { id: changed, fields: before, .. } if changed == id => {
                    before.extend(fields.iter().cloned());
                    return;
                }
                Did::Created { .. }
                | Did::Updated { .. }
                | Did::Deleted { .. }
                | Did::Failed { .. }
                | Did::DidNotLand { .. }
                | Did::LeftOpen { .. }
                | Did::Deposed { .. }
                | Did::FoundGone { .. }
                | Did::MovedOut { .. }
                | Did::MovedIn { .. }
                | Did::Adopted { .. } => {}
            }
        }
    }
    deeds.push(deed);
}
