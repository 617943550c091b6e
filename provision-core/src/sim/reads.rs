//! Reads: pages of what is visible.

use serde::{Deserialize, Serialize};

use super::cloud::SimCloud;
use super::model::Object;
use super::rules::has_fields;
use crate::call::{Mark, Observed, Read, ReadAnswer, Readiness, Refusal, Scope, ServerTime};
use crate::id::{ObjectId, TypeName};
use crate::target::TargetId;
use crate::value::{Fields, Value};

/// An object as the cloud itself holds it, visible to reads or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// Where it is.
    pub target: TargetId,
    /// Its type.
    pub type_name: TypeName,
    /// Its id.
    pub id: ObjectId,
    /// Its mark, if it carries one.
    pub mark: Option<Mark>,
    /// All its fields.
    pub fields: Fields,
    /// Whether it can be used.
    pub readiness: Readiness,
}

impl SimCloud {
    /// Answers one page of a read.
    pub fn read(&self, now: ServerTime, target: &TargetId, read: &Read) -> ReadAnswer {
        if let Scope::Query(query) = &read.scope {
            return self.look_up(now, target, &read.type_name, query);
        }
        let from = match read.page.as_deref().map(page_number) {
            None => 0,
            Some(Some(number)) => number,
            Some(None) => {
                return ReadAnswer::Failed {
                    refusal: Some(Refusal::Invalid),
                    reason: "the page token is none of this cloud's".to_owned(),
                };
            }
        };
        let size = self.config().page_size.max(1);
        let mut found = self
            .model
            .of_type(now, target, &read.type_name, from)
            .filter(|object| object.visible_at <= now && in_scope(object, &read.scope));
        let objects = found.by_ref().take(size).map(|object| self.observed(object, now)).collect();
        let next = found.next().map(|object| page_token(object.number));
        ReadAnswer::Page { objects, next, server_time: Some(now) }
    }

    /// What a read shows of an object.
    pub(super) fn observed(&self, object: &Object, now: ServerTime) -> Observed {
        let unread = self.config().unread.get(&object.type_name);
        let shown = object.fields.iter().filter(|(name, _)| unread.is_none_or(|unread| !unread.contains(*name)));
        Observed {
            id: object.id.clone(),
            mark: object.mark.clone(),
            fields: shown.map(|(name, value)| (name.clone(), value.clone())).collect(),
            readiness: readiness(object, now),
        }
    }

    /// All that the cloud holds, in the order in which it came to be.
    pub fn objects(&self, now: ServerTime) -> Vec<Held> {
        let held = |object: &Object| Held {
            target: object.target.clone(),
            type_name: object.type_name.clone(),
            id: object.id.clone(),
            mark: object.mark.clone(),
            fields: object.fields.clone(),
            readiness: readiness(object, now),
        };
        self.model.all(now).into_iter().map(held).collect()
    }
}

fn in_scope(object: &Object, scope: &Scope) -> bool {
    match scope {
        Scope::Marked(infra) => object.mark.as_ref().is_some_and(|mark| mark.infra == *infra),
        Scope::Id(id) => object.id == *id,
        Scope::Mark(mark) => object.mark.as_ref() == Some(mark),
        Scope::Key(fields) => has_fields(&object.fields, fields),
        Scope::Detail { detail: _, objects } => objects.contains(&object.id),
        Scope::Tagged(tags) => {
            let has = object.fields.get("tags").and_then(Value::as_map);
            let carries = |(key, value): (&String, &String)| has.and_then(|has| has.get(key)?.as_text()) == Some(value);
            tags.iter().all(carries)
        }
        // A query is no property of one object: it was answered before.
        Scope::Query(_) => false,
    }
}

pub(super) fn readiness(object: &Object, now: ServerTime) -> Readiness {
    if !object.lives() {
        Readiness::Going
    } else if let Some(reason) = &object.failed {
        Readiness::Failed(reason.clone())
    } else if now < object.ready_at {
        Readiness::Pending
    } else {
        Readiness::Ready
    }
}

fn page_token(number: u64) -> String {
    format!("page-{number:016x}")
}

fn page_number(token: &str) -> Option<u64> {
    let digits = token.strip_prefix("page-").filter(|digits| digits.len() == 16)?;
    u64::from_str_radix(digits, 16).ok()
}
