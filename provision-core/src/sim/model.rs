//! What the cloud holds, and the one fold by which it changes: live calls and journals go through the same code.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::ids::{each_text, is_id};
use crate::call::{Api, Mark, ServerTime};
use crate::id::{Digest, ObjectId, Token, TypeName};
use crate::target::TargetId;
use crate::value::{Fields, Value};

/// One object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Object {
    /// Its number: objects are counted over the cloud's whole life.
    pub(super) number: u64,
    pub(super) id: ObjectId,
    pub(super) target: TargetId,
    pub(super) type_name: TypeName,
    /// The name that is its alone, if its API refuses a second one of that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    pub(super) fields: Fields,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mark: Option<Mark>,
    /// Reads see it from then on.
    pub(super) visible_at: ServerTime,
    /// It is ready from then on.
    pub(super) ready_at: ServerTime,
    /// It is on its way out until then, and gone from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) gone_at: Option<ServerTime>,
    /// Why it will never be ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failed: Option<String>,
}

/// What the cloud remembers of a call with an idempotency token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Remembered {
    pub(super) api: Api,
    pub(super) token: Token,
    /// Of the request that the token came with.
    pub(super) request: Digest,
    pub(super) until: ServerTime,
    pub(super) id: ObjectId,
    pub(super) outputs: Fields,
}

/// One change of what the cloud holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Mutation {
    /// An object came to be.
    Created {
        object: Box<Object>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<Remembered>,
    },
    /// An object changed. `Null` unsets a field.
    Changed {
        id: ObjectId,
        #[serde(default, skip_serializing_if = "Fields::is_empty")]
        fields: Fields,
        #[serde(default, skip_serializing_if = "MarkChange::is_keep")]
        mark: MarkChange,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ready_at: Option<ServerTime>,
    },
    /// An object will never be ready.
    Failed { id: ObjectId, reason: String },
    /// An object went, or goes until then.
    Removed {
        id: ObjectId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gone_at: Option<ServerTime>,
    },
}

/// What becomes of an object's mark.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum MarkChange {
    /// It stays.
    #[default]
    Keep,
    /// It becomes this one.
    To(Mark),
    /// It is taken off.
    Off,
}

impl MarkChange {
    fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

/// A change and its time: a line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    pub(super) at: ServerTime,
    pub(super) did: Mutation,
}

/// A record that does not follow from those before it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum BadRecord {
    #[error("it creates {0}, which there is already")]
    Twice(ObjectId),
    #[error("it changes {0}, which there is not")]
    Missing(ObjectId),
}

/// All that the cloud holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Model {
    objects: BTreeMap<ObjectId, Object>,
    /// The objects of each type, in the order of their numbers.
    kinds: BTreeMap<TargetId, BTreeMap<TypeName, BTreeMap<u64, ObjectId>>>,
    /// Whose fields hold an id.
    users: BTreeMap<String, BTreeSet<ObjectId>>,
    /// What is on its way out, soonest first.
    going: BTreeSet<(ServerTime, ObjectId)>,
    tokens: BTreeMap<(TargetId, Api, Token), Remembered>,
    next: u64,
    latest: Option<ServerTime>,
}

impl Object {
    /// Whether it is there at all at that time, be it on its way out.
    pub(super) fn exists(&self, now: ServerTime) -> bool {
        self.gone_at.is_none_or(|gone| now < gone)
    }

    /// Whether it is there and stays.
    pub(super) fn lives(&self) -> bool {
        self.gone_at.is_none()
    }

    /// The ids in its fields, but for its own.
    fn refs(&self) -> BTreeSet<&str> {
        let mut refs = BTreeSet::new();
        for value in self.fields.values() {
            each_text(value, &mut |text| {
                if is_id(text) && text != self.id.as_str() {
                    refs.insert(text);
                }
            });
        }
        refs
    }
}

impl Model {
    /// The number that the next object gets.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// This time, or that of the last change where it is later.
    pub(super) fn not_before(&self, now: ServerTime) -> ServerTime {
        self.latest.map_or(now, |latest| latest.max(now))
    }

    /// The object with this id, if it is there at that time.
    pub(super) fn object(&self, now: ServerTime, id: &ObjectId) -> Option<&Object> {
        self.objects.get(id).filter(|object| object.exists(now))
    }

    /// The objects of a type from this number on, in order.
    pub(super) fn of_type<'a>(
        &'a self,
        now: ServerTime,
        target: &TargetId,
        type_name: &TypeName,
        from: u64,
    ) -> impl Iterator<Item = &'a Object> {
        let numbers = self.kinds.get(target).and_then(|kinds| kinds.get(type_name));
        numbers
            .into_iter()
            .flat_map(move |numbers| numbers.range(from..))
            .filter_map(move |(_, id)| self.object(now, id))
    }

    /// All objects, in the order of their numbers.
    pub(super) fn all(&self, now: ServerTime) -> Vec<&Object> {
        let mut all: Vec<&Object> = self.objects.values().filter(|object| object.exists(now)).collect();
        all.sort_by_key(|object| object.number);
        all
    }

    /// The first object that refers to this one, if there is any.
    pub(super) fn user_of(&self, now: ServerTime, id: &ObjectId) -> Option<&Object> {
        self.users.get(id.as_str())?.iter().find_map(|user| self.object(now, user))
    }

    /// What is remembered of a token.
    pub(super) fn token(&self, target: &TargetId, api: &Api, token: &Token) -> Option<&Remembered> {
        self.tokens.get(&(target.clone(), api.clone(), token.clone()))
    }

    /// Takes in a change.
    pub(super) fn apply(&mut self, record: Record) -> Result<(), BadRecord> {
        let Record { at, did } = record;
        self.latest = Some(self.not_before(at));
        self.purge(at);
        match did {
            Mutation::Created { object, token } => {
                let object = *object;
                if self.objects.contains_key(&object.id) {
                    return Err(BadRecord::Twice(object.id));
                }
                if let Some(remembered) = token {
                    let key = (object.target.clone(), remembered.api.clone(), remembered.token.clone());
                    self.tokens.insert(key, remembered);
                }
                self.next = self.next.max(object.number.saturating_add(1));
                self.insert(object);
            }
            Mutation::Changed { id, fields, mark, ready_at } => {
                let mut object = self.take(id)?;
                for (name, value) in fields {
                    set(&mut object.fields, name, value);
                }
                match mark {
                    MarkChange::Keep => {}
                    MarkChange::To(mark) => object.mark = Some(mark),
                    MarkChange::Off => object.mark = None,
                }
                object.ready_at = ready_at.unwrap_or(object.ready_at);
                self.insert(object);
            }
            Mutation::Failed { id, reason } => {
                let object = self.objects.get_mut(&id).ok_or(BadRecord::Missing(id))?;
                object.failed = Some(reason);
            }
            Mutation::Removed { id, gone_at } => {
                let mut object = self.take(id)?;
                if let Some(gone_at) = gone_at {
                    object.gone_at = Some(gone_at);
                    self.insert(object);
                }
            }
        }
        Ok(())
    }

    /// Forgets what is gone by then.
    fn purge(&mut self, at: ServerTime) {
        while let Some((gone_at, id)) = self.going.first().cloned() {
            if gone_at > at {
                return;
            }
            if self.take(id.clone()).is_err() {
                // Index and objects change together; an entry without its object only has to go.
                self.going.remove(&(gone_at, id));
            }
        }
    }

    fn insert(&mut self, object: Object) {
        for used in object.refs() {
            self.users.entry(used.to_owned()).or_default().insert(object.id.clone());
        }
        let kinds = self.kinds.entry(object.target.clone()).or_default();
        kinds.entry(object.type_name.clone()).or_default().insert(object.number, object.id.clone());
        if let Some(gone_at) = object.gone_at {
            self.going.insert((gone_at, object.id.clone()));
        }
        self.objects.insert(object.id.clone(), object);
    }

    fn take(&mut self, id: ObjectId) -> Result<Object, BadRecord> {
        let Some(object) = self.objects.remove(&id) else { return Err(BadRecord::Missing(id)) };
        for used in object.refs() {
            if let Some(users) = self.users.get_mut(used) {
                users.remove(&id);
                if users.is_empty() {
                    self.users.remove(used);
                }
            }
        }
        if let Some(numbers) = self.kinds.get_mut(&object.target).and_then(|kinds| kinds.get_mut(&object.type_name)) {
            numbers.remove(&object.number);
        }
        if let Some(gone_at) = object.gone_at {
            self.going.remove(&(gone_at, id));
        }
        Ok(object)
    }
}

/// Sets a field, or unsets it where the value is `Null`.
fn set(fields: &mut Fields, name: String, value: Value) {
    if value.is_null() {
        fields.remove(&name);
    } else {
        fields.insert(name, value);
    }
}
