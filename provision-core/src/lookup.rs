//! Lookups: what is there already and nobody here makes, found when a plan is made.
//!
//! A block asks by a *query*, all of it known when the code is written. Exactly one object has to answer. What it is
//! stands in the plan, which binds it (a run of the plan does not ask again), and in the logs of the blocks that use it.

use serde::{Deserialize, Serialize};

use crate::id::{ObjectId, TypeName};
use crate::target::TargetId;
use crate::value::{Fields, Value};

/// What a cloud is asked for. Two lookups that ask the same of one target are one query.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// Who is asked.
    pub target: TargetId,
    /// The data source: `aws_ami`.
    pub type_name: TypeName,
    /// Its fields that are set, defaults included.
    pub fields: Fields,
}

/// The one object that answers a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundObject {
    /// What was asked.
    pub query: Query,
    /// Its id.
    pub id: ObjectId,
    /// Its computed fields but the id, as far as the answer has them.
    pub fields: Fields,
}

/// What came of asking a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// Exactly one object answers it, with these fields.
    One {
        /// Its id.
        id: ObjectId,
        /// All that the answer showed.
        fields: Fields,
    },
    /// None does.
    None,
    /// Several do: these.
    Several(Vec<ObjectId>),
    /// It was not answered, for this reason: nothing is known.
    Unread(String),
}

impl FoundObject {
    /// What can be used of it, by name.
    pub fn outputs(&self) -> Fields {
        let mut fields = self.fields.clone();
        fields.insert("id".to_owned(), self.id.as_str().into());
        fields
    }

    /// One of them.
    pub fn output(&self, name: &str) -> Option<Value> {
        if name == "id" { Some(self.id.as_str().into()) } else { self.fields.get(name).cloned() }
    }
}
