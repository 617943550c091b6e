//! Fields in JSON: what is known, and which of them are not known yet, as Terraform writes both.

use provision_core::plan::{Outcome, ResourcePlan};
use provision_core::value::{Expr, Exprs, Fields, Tree, Value as Known};
use serde_json::{Map, Value};

/// Fields before and after.
pub(super) struct Images {
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
    pub(super) after_unknown: Value,
}

/// The images of a resource, where the most drastic of its outcomes happens.
pub(super) fn images(resource: &ResourcePlan, outcome: Outcome) -> Images {
    let before = resource.before.as_ref();
    let makes = matches!(outcome, Outcome::Create | Outcome::Replace);
    let after = resource.after.as_ref().filter(|_| outcome != Outcome::Delete).map(|after| {
        if makes {
            return after.as_ref().clone();
        }
        // What the definition does not set stays as it is.
        let mut all: Exprs = before.into_iter().flatten().map(|(name, value)| (name.clone(), value.widen())).collect();
        all.extend(after.as_ref().clone());
        all
    });
    let mut after_unknown = after.as_ref().map(unknown_fields).unwrap_or_default();
    if makes && after.is_some() {
        after_unknown.insert("id".to_owned(), true.into());
    }
    Images {
        // Terraform says of what comes to be that there was nothing, also where an object has gone by itself.
        before: before.filter(|_| outcome != Outcome::Create).map(known_fields),
        after: after.as_ref().map(|after| Value::Object(known_parts(after))),
        after_unknown: Value::Object(after_unknown),
    }
}

/// Known fields, as they are: keys with `$` too, which logs write otherwise.
fn known_fields(fields: &Fields) -> Value {
    Value::Object(fields.iter().map(|(name, value)| (name.clone(), known(value))).collect())
}

fn known(value: &Known) -> Value {
    plain(&value.widen()).unwrap_or_default()
}

/// What is known of some fields. What is not is left out of maps, and null in lists, so that places keep their numbers.
fn known_parts(fields: &Exprs) -> Map<String, Value> {
    fields.iter().filter_map(|(name, value)| Some((name.clone(), plain(value)?))).collect()
}

fn plain(value: &Expr) -> Option<Value> {
    Some(match value {
        Tree::Null => Value::Null,
        Tree::Bool(b) => (*b).into(),
        Tree::Int(n) => (*n).into(),
        Tree::Text(text) => text.as_str().into(),
        Tree::List(list) => list.iter().map(|item| plain(item).unwrap_or_default()).collect(),
        Tree::Map(map) => Value::Object(known_parts(map)),
        Tree::Symbol(_) => return None,
    })
}

/// `true` for each field that is not known yet; fields of which everything is known are left out.
fn unknown_fields(fields: &Exprs) -> Map<String, Value> {
    fields.iter().filter_map(|(name, value)| Some((name.clone(), unknown(value)?))).collect()
}

/// `None` where everything is known.
fn unknown(value: &Expr) -> Option<Value> {
    match value {
        Tree::Null | Tree::Bool(_) | Tree::Int(_) | Tree::Text(_) => None,
        Tree::Symbol(_) => Some(true.into()),
        Tree::List(list) => {
            let items: Vec<Option<Value>> = list.iter().map(unknown).collect();
            let any = items.iter().any(Option::is_some);
            any.then(|| items.into_iter().map(|item| item.unwrap_or(Value::Bool(false))).collect())
        }
        Tree::Map(map) => Some(unknown_fields(map)).filter(|fields| !fields.is_empty()).map(Value::Object),
    }
}
