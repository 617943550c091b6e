//! Events of a block as entries of format 2 write them: what the log has said already is named, not said again.
//!
//! | stands for | |
//! |---|---|
//! | `{"$defined":"tags"}` | the resource's input in the block's definition |
//! | `{"$recorded":"tags"}` | the field of the resource's object, as it is recorded |
//! | `{"$inputs":"defined"}`, `{"$inputs":"recorded"}` | all inputs of the resource, as in the block's definition, or as the fields of its object |
//! | `{"$uses":"defined"}` | the resources whose outputs the definition of the resource uses |
//! | `{"$target":"aws"}` | where the block's calls to that provider go |
//! | `{"$mark":"all"}`, `{"$mark":"address"}`, `{"$mark":"incarnation"}` | the intent's own mark, or a part of it |
//! | `{"$set":"tags"}`, `{"$base64":"user_data"}` | the field that the intent's own call sets, or that text in base64 |
//! | `{"$edit":edit}` | the block's definition, edited (see `edit`) |
//!
//! An event with such parts says `short` where others say `event`.
//!
//! # Guarantees
//! An event is written short only if the same process has just read its short form back as that very event. What is filled
//! in into one event is bounded in size and depth, so a few entries cannot be read as a text without end.
//!
//! # Caveats
//! What stands in for a part is looked up in the fold: the block's definition, targets and recorded fields. A build
//! that folds these otherwise cannot read what was written before; the entries say so (`wire::Sum`), and
//! `tests/shorts` holds a log that every build has to write and read like this.

use std::cell::Cell;
use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::{Deserialize as _, Serialize};
use serde_json::{Map, Value, json};

use super::edit;
use super::event::{BlockEvent, Intent, ObjectRecord};
use super::fold::BlockState;
use crate::desired::DesiredResource;
use crate::id::{ProviderName, ResourceName};
use crate::target::TargetId;
use crate::value::Fields;

const EVENT: &str = "event";
const SHORT: &str = "short";

/// About how many bytes are filled in into one event at most. An event that would take more is written whole. Fields may
/// be named in what they are recorded as, so without a bound each event could be twice as long as the one before.
pub(super) const FILLED: usize = 1 << 20;

/// How deep an event nests once it is whole: no entry that says all of it could be read if it were more.
const DEPTH: usize = 120;

/// A short form, and what it was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Short {
    /// As it is written.
    pub(super) written: Value,
    /// As it is read.
    pub(super) whole: Value,
}

impl Short {
    /// Whether an event is written short.
    pub(super) fn is(written: &Value) -> bool {
        written.get(SHORT).is_some()
    }
}

/// What there is to be looked up.
struct Known<'a> {
    defined: Option<&'a DesiredResource>,
    recorded: Option<&'a ObjectRecord>,
    targets: &'a BTreeMap<ProviderName, TargetId>,
    /// Of an intent, once they are filled in.
    mark: Option<Value>,
    set: Option<Map<String, Value>>,
    /// What is left of [`FILLED`].
    left: Cell<usize>,
}

impl<'a> Known<'a> {
    fn of_block(state: &'a BlockState) -> Self {
        let left = Cell::new(FILLED);
        Self { defined: None, recorded: None, targets: &state.targets, mark: None, set: None, left }
    }

    fn of(state: &'a BlockState, resource: &ResourceName) -> Self {
        Self {
            defined: state.definition.as_ref().and_then(|definition| definition.resources.get(resource)),
            recorded: state.resources.get(resource).map(|state| &state.object),
            ..Self::of_block(state)
        }
    }

    /// What a name stands for.
    fn get(&self, kind: &str, name: &str) -> Option<Value> {
        match kind {
            "$defined" => json(self.defined?.inputs.get(name)?),
            "$recorded" => json(self.recorded?.fields.get(name)?),
            "$inputs" if name == "defined" => json(&*self.defined?.inputs),
            "$inputs" if name == "recorded" => {
                let (inputs, fields) = (&self.defined?.inputs, &self.recorded?.fields);
                json(&fields.iter().filter(|(name, _)| inputs.contains_key(*name)).collect::<BTreeMap<_, _>>())
            }
            "$uses" => json(&self.defined?.depends_on()),
            "$target" => json(self.targets.get(&name.parse::<ProviderName>().ok()?)?),
            "$mark" if name == "all" => self.mark.clone(),
            "$mark" => self.mark.as_ref()?.get(name).cloned(),
            "$set" => self.set.as_ref()?.get(name).cloned(),
            "$base64" => Some(BASE64_STANDARD.encode(self.set.as_ref()?.get(name)?.as_str()?).into()),
            _ => None,
        }
    }

    /// Puts in what is named, at any depth below this one.
    fn fill(&self, value: &mut Value, depth: usize) -> Result<(), String> {
        match value {
            Value::Object(map) => {
                if let Some((kind, Value::String(name))) = sole(map)
                    && kind.starts_with('$')
                    && !kind.starts_with("$$")
                {
                    let found = self.get(kind, name).ok_or_else(|| {
                        format!("it names {} `{}`, which is not known", kind.escape_debug(), name.escape_debug())
                    })?;
                    self.spend(&found, depth)?;
                    *value = found;
                    return Ok(());
                }
                map.values_mut().try_for_each(|value| self.fill(value, depth + 1))
            }
            Value::Array(list) => list.iter_mut().try_for_each(|value| self.fill(value, depth + 1)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }
}

impl Known<'_> {
    /// Takes off what this value takes at that depth.
    fn spend(&self, value: &Value, depth: usize) -> Result<(), String> {
        if depth > DEPTH {
            return Err(format!("what it names would nest deeper than {DEPTH} levels"));
        }
        let own = match value {
            Value::String(text) => text.len(),
            Value::Object(map) => map.keys().map(String::len).sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => 0,
        };
        // Quotes and commas, or a number.
        let left = self.left.get().checked_sub(own.saturating_add(8));
        self.left.set(left.ok_or_else(|| format!("what it names takes more than {FILLED} bytes"))?);
        match value {
            Value::Object(map) => map.values().try_for_each(|value| self.spend(value, depth + 1)),
            Value::Array(list) => list.iter().try_for_each(|value| self.spend(value, depth + 1)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }
}

fn sole(map: &Map<String, Value>) -> Option<(&String, &Value)> {
    if map.len() == 1 { map.iter().next() } else { None }
}

fn json(what: &impl Serialize) -> Option<Value> {
    serde_json::to_value(what).ok()
}

/// The event that this is the short form of.
///
/// # Errors
/// What it leaves out is not known.
pub(super) fn whole(state: &BlockState, mut written: Value) -> Result<Value, String> {
    let Some(event) = written.as_object_mut() else { return Err("an event is an object".to_owned()) };
    let Some(kind) = event.remove(SHORT) else { return Err("it is not short".to_owned()) };
    if event.insert(EVENT.to_owned(), kind.clone()).is_some() {
        return Err("an event is short or not".to_owned());
    }
    match kind.as_str() {
        Some("applying") => {
            let edit = event.get("definition").and_then(|definition| definition.get("$edit"));
            let before = state.definition.as_ref().and_then(json);
            let (Some(edit), Some(before)) = (edit, before) else {
                return Err("it edits a definition, and there is none".to_owned());
            };
            let definition = edit::apply(&before, edit)?;
            event.insert("definition".to_owned(), definition);
            if let Some(targets) = event.get_mut("targets") {
                Known::of_block(state).fill(targets, 1)?;
            }
        }
        Some("intent" | "applied") => {
            let resource = event.get("resource").and_then(Value::as_str).and_then(|name| name.parse().ok());
            let mut known = Known::of(state, &resource.ok_or("it is of no resource")?);
            known.mark = event.get("mark").cloned();
            let late: Vec<_> = ["request", "recovery"]
                .into_iter()
                .filter_map(|key| Some((key, event.get_mut("call")?.get_mut(key)?.take())))
                .collect();
            event.values_mut().try_for_each(|value| known.fill(value, 1))?;
            known.set = event.get("call").and_then(set_by).cloned();
            for (key, mut value) in late {
                known.fill(&mut value, 2)?;
                if let Some(at) = event.get_mut("call").and_then(|call| call.get_mut(key)) {
                    *at = value;
                }
            }
        }
        _ => return Err("there is no short form of such an event".to_owned()),
    }
    Ok(written)
}

/// The fields that a call sets.
fn set_by(call: &Value) -> Option<&Map<String, Value>> {
    let effect = call.get("effect")?;
    effect.get("create").or_else(|| effect.get("set"))?.get("fields")?.as_object()
}

/// The short form of an event that is next; `None` where it has none, or would not be shorter.
pub(super) fn shorten(state: &BlockState, event: &BlockEvent) -> Option<Short> {
    let (mut written, left_out) = match event {
        BlockEvent::Applying { definition: Some(new), .. } => {
            let (before, after) = (json(state.definition.as_ref()?)?, json(new)?);
            let edit = edit::between(&before, &after);
            if bytes(&edit) >= bytes(&after) {
                return None;
            }
            let mut short = json(event)?;
            *short.get_mut("definition")? = json!({ "$edit": edit });
            let mut names = Names::default();
            for (provider, target) in &state.targets {
                names.add("$target", provider.as_str(), json(target));
            }
            names.put(short.get_mut("targets")?);
            (short, true)
        }
        BlockEvent::Intent(intent) => intent_of(state, intent, json(event)?)?,
        BlockEvent::Applied { resource, inputs, outputs, depends_on: _ } => {
            let known = Known::of(state, resource);
            let mut names = Names::default();
            names.of_inputs(&known);
            names.of_fields(&known, inputs);
            names.of_fields(&known, outputs);
            names.add("$uses", "defined", known.get("$uses", "defined"));
            if names.0.is_empty() {
                return None;
            }
            let mut short = json(event)?;
            let keys = ["inputs", "outputs", "depends_on"];
            let left_out = keys.map(|key| short.get_mut(key).is_some_and(|value| names.put(value)));
            (short, left_out.contains(&true))
        }
        BlockEvent::Claimed { .. }
        | BlockEvent::Released {}
        | BlockEvent::Applying { definition: None, .. }
        | BlockEvent::Done { .. }
        | BlockEvent::Failed { .. }
        | BlockEvent::Abandoned { .. }
        | BlockEvent::Deposed { .. }
        | BlockEvent::Gone { .. }
        | BlockEvent::MovedOut { .. }
        | BlockEvent::MovedIn { .. }
        | BlockEvent::Adopting { .. }
        | BlockEvent::Adopted { .. }
        | BlockEvent::Healthy {}
        | BlockEvent::Reserved { .. } => return None,
    };
    if !left_out {
        return None;
    }
    let kind = written.as_object_mut()?.remove(EVENT)?;
    written.as_object_mut()?.insert(SHORT.to_owned(), kind);
    // Nothing is written that is not read back as what it was.
    let whole = whole(state, written.clone()).ok()?;
    BlockEvent::deserialize(&whole).is_ok_and(|read| read == *event).then_some(Short { written, whole })
}

fn intent_of(state: &BlockState, intent: &Intent, mut short: Value) -> Option<(Value, bool)> {
    let mut known = Known::of(state, &intent.resource);
    let provider = intent.target.provider.as_str();
    let mut left_out = false;

    let mut names = Names::default();
    names.add("$target", provider, known.get("$target", provider));
    names.add("$uses", "defined", known.get("$uses", "defined"));
    left_out |= names.put(short.get_mut("target")?);
    left_out |= names.put(short.get_mut("depends_on")?);

    known.mark = short.get("mark").filter(|mark| !mark.is_null()).cloned();
    known.set = short.get("call").and_then(set_by).cloned();
    let mut names = Names::default();
    if let Some(fields) = intent.call.effect.fields() {
        names.of_inputs(&known);
        names.of_fields(&known, fields);
    }
    names.add("$mark", "all", known.mark.clone());
    left_out |= names.put(short.get_mut("call")?.get_mut("effect")?);

    for part in ["address", "incarnation"] {
        names.add("$mark", part, known.get("$mark", part));
    }
    for (name, value) in known.set.iter().flatten() {
        names.add("$set", name, Some(value.clone()));
        if value.as_str().is_some_and(|text| text.len() > SHORT_TEXT) {
            names.add("$base64", name, known.get("$base64", name));
        }
    }
    for key in ["request", "recovery"] {
        left_out |= names.put(short.get_mut("call")?.get_mut(key)?);
    }
    Some((short, left_out))
}

/// No name is shorter than a text of so many bytes.
const SHORT_TEXT: usize = 16;

/// Names, and what they stand for: only those that are shorter than that.
#[derive(Default)]
struct Names(Vec<(Value, Value)>);

impl Names {
    fn add(&mut self, kind: &str, name: &str, value: Option<Value>) {
        let Some(value) = value else { return };
        // The quotes, colon and braces around the two.
        if bytes(&value) > kind.len() + name.len() + 7 && !self.0.iter().any(|(_, known)| *known == value) {
            self.0.push((json!({ kind: name }), value));
        }
    }

    /// All inputs of the resource at once.
    fn of_inputs(&mut self, known: &Known<'_>) {
        for of in ["recorded", "defined"] {
            self.add("$inputs", of, known.get("$inputs", of));
        }
    }

    /// Those of these fields that are as they were defined or recorded.
    fn of_fields(&mut self, known: &Known<'_>, fields: &Fields) {
        for (name, value) in fields {
            if value.as_bool().is_some()
                || value.as_int().is_some()
                || value.as_text().is_some_and(|text| text.len() <= SHORT_TEXT)
            {
                continue;
            }
            let Some(value) = json(value) else { continue };
            for kind in ["$defined", "$recorded"] {
                if known.get(kind, name).is_some_and(|known| known == value) {
                    self.add(kind, name, Some(value));
                    break;
                }
            }
        }
    }

    /// Puts names in place of what they stand for, at any depth. Says whether there was something.
    fn put(&self, value: &mut Value) -> bool {
        if self.0.is_empty() {
            return false;
        }
        if let Some((name, _)) = self.0.iter().find(|(_, known)| known == value) {
            *value = name.clone();
            return true;
        }
        match value {
            Value::Object(map) => map.values_mut().fold(false, |any, value| self.put(value) | any),
            Value::Array(list) => list.iter_mut().fold(false, |any, value| self.put(value) | any),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
    }
}

/// How many bytes a value takes.
fn bytes(value: &Value) -> usize {
    match value {
        Value::String(text) if text.len() <= SHORT_TEXT => text.len() + 2,
        value => serde_json::to_vec(value).map_or(0, |bytes| bytes.len()),
    }
}
