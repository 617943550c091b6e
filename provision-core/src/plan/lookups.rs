//! What the lookups of the code found: refs to it are known when the plan is made.

use std::collections::{BTreeMap, BTreeSet};

use super::data::Outcome;
use super::decide::Decision;
use super::planner::Planner;
use super::reason::{Certainty, Reason};
use crate::desired::{DesiredBlock, DesiredLookup, DesiredResource};
use crate::id::{BlockAddr, ObjectId, ResourceAddr};
use crate::lookup::{FoundObject, Looked, Query};
use crate::schema::Role;
use crate::value::{OutputRef, Value};

/// How many of several objects are named.
const NAMED: usize = 5;
/// How much of a query is shown.
const MOST_OF_A_QUERY: usize = 300;

impl Planner<'_> {
    /// What the lookups found that blocks of the plan have or use.
    pub(super) fn found(&self) -> BTreeMap<ResourceAddr, FoundObject> {
        let blocks = self.inputs.desired.blocks.iter();
        let planned = blocks.filter(|(addr, _)| self.is_selected(addr) && self.definition(addr).is_some());
        let wanted: BTreeSet<ResourceAddr> = planned.flat_map(|(addr, block)| block.looks_up(addr)).collect();
        wanted.into_iter().filter_map(|addr| self.found_one(&addr).map(|found| (addr, found))).collect()
    }

    fn found_one(&self, addr: &ResourceAddr) -> Option<FoundObject> {
        let lookup = self.inputs.desired.lookup(addr)?;
        let query = self.inputs.desired.query(addr)?;
        let schema = self.inputs.providers.data_source(&lookup.provider, &lookup.type_name)?;
        let Looked::One { id, fields } = self.inputs.world.looked(&query)? else { return None };
        // What nobody can use is no part of the plan: it may change every day.
        let outputs = schema.fields.iter().filter(|field| field.role == Role::Computed && field.name != "id");
        let fields = outputs.filter_map(|field| {
            let mut value = fields.get(field.name)?.clone();
            field.normalise(&mut value);
            Some((field.name.to_owned(), value))
        });
        Some(FoundObject { fields: fields.collect(), id: id.clone(), query })
    }

    /// Why a block cannot have what it looks up, or what it uses of another block's lookups.
    pub(super) fn lookup_problem(&self, addr: &BlockAddr, block: &DesiredBlock) -> Option<String> {
        let name = |lookup: &ResourceAddr| {
            if lookup.block == *addr { lookup.name.to_string() } else { lookup.to_string() }
        };
        // Where the block that asks is planned too, it is refused itself, and this one with it.
        let asked_there =
            |lookup: &ResourceAddr| block.after.contains(&lookup.block) && self.is_selected(&lookup.block);
        let lookups = block.looks_up(addr).into_iter().filter(|lookup| !asked_there(lookup));
        let unanswered = lookups.into_iter().find_map(|lookup| {
            let Some(desired) = self.inputs.desired.lookup(&lookup) else {
                return Some(format!("uses the lookup {lookup}, which the code does not have"));
            };
            let problem = self.unanswered(&lookup, desired)?;
            Some(format!("{} ({}): {problem}", name(&lookup), desired.location))
        });
        unanswered.or_else(|| {
            block.uses_found().into_iter().find_map(|output| {
                let found = self.found.get(&output.resource)?;
                let location = &self.inputs.desired.lookup(&output.resource)?.location;
                found.output(&output.output).is_none().then(|| {
                    let (name, output) = (name(&output.resource), &output.output);
                    format!(
                        "{name} ({location}): {} {} has no `{output}`, which is used",
                        found.query.type_name, found.id
                    )
                })
            })
        })
    }

    fn unanswered(&self, addr: &ResourceAddr, lookup: &DesiredLookup) -> Option<String> {
        let DesiredLookup { type_name, provider, query: _, location: _ } = lookup;
        if self.inputs.providers.data_source(provider, type_name).is_none() {
            return Some(format!("this build has no provider for {type_name}"));
        }
        let Some(query) = self.inputs.desired.query(addr) else {
            return Some(format!("data centre {} has no {provider} target", addr.block.dc));
        };
        let asked = shown(&query);
        let target = &query.target;
        match self.inputs.world.looked(&query) {
            Some(Looked::One { .. }) => None,
            Some(Looked::None) => Some(format!(
                "no {type_name} of {target} has {asked}: exactly one has to; make one, or ask for another"
            )),
            Some(Looked::Several(ids)) => Some(format!(
                "{} {type_name} of {target} have {asked}: {}; ask for more, so that exactly one has it",
                ids.len(),
                listed(ids)
            )),
            Some(Looked::Unread(why)) => Some(format!("which {type_name} of {target} has {asked} is not known: {why}")),
            None => Some(format!("which {type_name} of {target} has {asked} was not asked")),
        }
    }

    /// Says of fields that change because of it that a lookup found something else than when the block was last applied.
    pub(super) fn say_what_was_found(&self, addr: &ResourceAddr, desired: &DesiredResource, decision: &mut Decision) {
        if decision.allowed.contains(&Outcome::Create) {
            return;
        }
        let Some(state) = self.state(&addr.block) else { return };
        let differs = decision.reasons.iter().filter_map(|reason| match reason {
            Reason::Field { field, differs: Certainty::Yes, .. } => Some(field),
            _ => None,
        });
        let other = |output: &OutputRef| {
            let (was, is) = (state.found.get(&output.resource)?, self.found.get(&output.resource)?);
            (was.output(&output.output) != is.output(&output.output)).then(|| (was.id.clone(), is.id.clone()))
        };
        let reasons: Vec<Reason> = differs
            .flat_map(|field| {
                desired.inputs.get(field).into_iter().flat_map(|expr| expr.found()).map(move |of| (field, of))
            })
            .filter_map(|(field, output)| {
                let (was, is): (ObjectId, ObjectId) = other(output)?;
                Some(Reason::FoundOther { field: field.clone(), lookup: output.resource.clone(), was, is })
            })
            .collect();
        decision.reasons.extend(reasons);
    }
}

/// The query as a reader has written it.
fn shown(query: &Query) -> String {
    let fields = query.fields.iter().filter(|(_, value)| !is_nothing(value));
    let fields: Vec<String> =
        fields.map(|(name, value)| format!("{name} = {}", String::from_utf8_lossy(&value.canonical()))).collect();
    let text = if fields.is_empty() { "nothing in particular".to_owned() } else { fields.join(", ") };
    match text.char_indices().nth(MOST_OF_A_QUERY) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// What asks for nothing: a default that is not set.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::List(items) => items.is_empty(),
        Value::Map(items) => items.is_empty(),
        Value::Bool(true) | Value::Int(_) | Value::Text(_) => false,
        Value::Symbol(never) => match *never {},
    }
}

fn listed(ids: &[ObjectId]) -> String {
    let named: Vec<&str> = ids.iter().take(NAMED).map(ObjectId::as_str).collect();
    let more = if ids.len() > NAMED { ", …" } else { "" };
    format!("{}{more}", named.join(", "))
}
