//! What a lookup finds in a simulated cloud.

use super::cloud::SimCloud;
use super::ids::{is_id, mix, placeholder};
use super::model::Object;
use crate::call::{Observed, ReadAnswer, Readiness, Refusal, ServerTime};
use crate::id::{ObjectId, TypeName};
use crate::schema::{Field, Kind, Role, Schema};
use crate::target::TargetId;
use crate::value::{Fields, Value};

impl SimCloud {
    /// Answers a query.
    ///
    /// Where the cloud holds objects of the data source's type in the target, those of them fit that have what the query
    /// says: in a text `*` stands for anything. A `true` that an object has no field for is an option like `newest`: of
    /// several that fit, the one that was made last is meant. Where it holds none, one is made up, and nothing is
    /// stored: its id and fields derive from the query alone.
    pub(super) fn look_up(
        &self,
        now: ServerTime,
        target: &TargetId,
        type_name: &TypeName,
        query: &Fields,
    ) -> ReadAnswer {
        let all: Vec<&Object> =
            self.model.of_type(now, target, type_name, 0).filter(|object| object.visible_at <= now).collect();
        let objects = if all.is_empty() {
            let Some(schema) = self.config().data_sources.get(type_name) else {
                let reason = format!("the simulated cloud does not know the data source {type_name}");
                return ReadAnswer::Failed { refusal: Some(Refusal::Invalid), reason };
            };
            made_up(target, schema, query).into_iter().collect()
        } else {
            let fit: Vec<&Object> = all.into_iter().filter(|object| fits(&object.fields, query)).collect();
            let option = |object: &&Object| {
                query.iter().any(|(name, value)| *value == Value::Bool(true) && !object.fields.contains_key(name))
            };
            let one = fit.last().is_some_and(option);
            let from = if one { fit.len().saturating_sub(1) } else { 0 };
            fit.iter().skip(from).map(|object| self.observed(object, now)).collect()
        };
        ReadAnswer::Page { objects, next: None, server_time: Some(now) }
    }
}

fn fits(has: &Fields, query: &Fields) -> bool {
    query.iter().all(|(name, asked)| match (asked, has.get(name)) {
        (Value::Text(pattern), Some(Value::Text(text))) => matches(pattern, text),
        (Value::Map(asked), Some(Value::Map(has))) => asked.iter().all(|(key, value)| has.get(key) == Some(value)),
        (asked, Some(has)) => asked == has,
        // Nothing was asked, or an option.
        (Value::Null | Value::Bool(_), None) => true,
        (Value::List(items), None) => items.is_empty(),
        (Value::Map(items), None) => items.is_empty(),
        (Value::Int(_) | Value::Text(_), None) => false,
        (Value::Symbol(never), None) => match *never {},
    })
}

/// Whether the text is like the pattern, in which `*` stands for any characters.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = text.find(part) else { return false };
        text = text.get(at + part.len()..).unwrap_or_default();
    }
    text.ends_with(last)
}

/// An object that the query could have found.
fn made_up(target: &TargetId, schema: &Schema, query: &Fields) -> Option<Observed> {
    let place = target.to_string();
    let asked = Value::Map(query.clone()).canonical();
    let parts = [place.as_bytes(), schema.type_name.as_bytes(), asked.as_slice()];
    let id = match schema.field("id").map(|field| field.kind) {
        Some(Kind::Id(kind)) => id_of(kind, &parts),
        Some(_) | None => id_of(schema.type_name, &parts),
    };
    let id = ObjectId::new(id).ok()?;
    let computed = schema.fields.iter().filter(|field| field.role == Role::Computed && field.name != "id");
    let fields = computed.map(|field| (field.name.to_owned(), made_up_value(field, &id))).collect();
    Some(Observed { id, mark: None, fields, readiness: Readiness::Ready })
}

/// `AmiId` gives `ami-` and 17 hex digits, none of which is an id of an object that this cloud made.
fn id_of(kind: &str, parts: &[&[u8]]) -> String {
    let mut prefix = String::new();
    for c in kind.strip_suffix("Id").unwrap_or(kind).chars() {
        if c.is_ascii_uppercase() && !prefix.is_empty() {
            prefix.push('-');
        }
        prefix.extend(c.to_lowercase());
    }
    let digits = |seed| format!("{prefix}-{:016x}{:x}", mix(seed, parts), seed & 0xf);
    (1..).map(digits).find(|id| !is_id(id)).unwrap_or(prefix)
}

fn made_up_value(field: &Field, id: &ObjectId) -> Value {
    match field.kind {
        Kind::Bool => false.into(),
        Kind::Int => 1.into(),
        Kind::Text => placeholder(0, id, field.name),
        Kind::Net => "10.0.0.0/16".into(),
        Kind::Id(kind) => id_of(kind, &[id.as_str().as_bytes(), field.name.as_bytes()]).into(),
        Kind::List(_) => Value::List(Vec::new()),
        Kind::Map | Kind::Object => Value::Map(Default::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text) in [("a*", "a"), ("a*", "abc"), ("*c", "abc"), ("a*b*c", "a-b-b-c"), ("*", ""), ("a", "a")]
        {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a*", "ba"), ("*c", "cb"), ("a*b*c", "acb"), ("a", "ab"), ("a*a", "a")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
