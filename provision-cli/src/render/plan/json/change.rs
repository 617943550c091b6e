//! One entry of `resource_changes`.

use std::collections::BTreeSet;

use provision_core::id::{ObjectId, ProviderName, ResourceAddr, TypeName};
use provision_core::plan::{
    BlockChange, Certainty, Moved, Outcome, Plan, Reason, ReplaceOrder, ResourcePlan, Retirement,
};
use provision_core::target::TargetId;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::super::view::deposed;
use super::super::words;
use super::fields::{Images, images};

#[derive(Serialize)]
pub(super) struct ResourceChange<'a> {
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_address: Option<String>,
    module_address: String,
    mode: &'static str,
    #[serde(rename = "type")]
    type_name: &'a TypeName,
    name: String,
    provider_name: &'a ProviderName,
    #[serde(skip_serializing_if = "Option::is_none")]
    deposed: Option<&'a ObjectId>,
    change: Change,
    #[serde(skip_serializing_if = "Option::is_none")]
    action_reason: Option<&'static str>,
    provision: Extras<'a>,
}

#[derive(Serialize)]
struct Change {
    actions: &'static [&'static str],
    before: Option<Value>,
    after: Option<Value>,
    after_unknown: Value,
    before_sensitive: Value,
    after_sensitive: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replace_paths: Vec<[String; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    importing: Option<Value>,
}

/// What Terraform has no word for.
#[derive(Serialize)]
struct Extras<'a> {
    target: &'a TargetId,
    /// Every possible outcome.
    outcomes: Vec<String>,
    /// The fields that an update may touch.
    fields: Vec<&'a str>,
    /// Why, as data.
    reasons: Vec<&'a Reason>,
    /// Why, in words.
    because: Vec<String>,
}

/// The entries of a plan, in the order of their addresses.
pub(super) fn all(plan: &Plan) -> Vec<ResourceChange<'_>> {
    plan.changes()
        .flat_map(|(block, change)| {
            change.resources.iter().map(move |(name, resource)| (block.resource(name.clone()), change, resource))
        })
        .flat_map(|(addr, block, resource)| {
            let gone = deposed(resource).map(|retirement| of_deposed(&addr, retirement)).collect::<Vec<_>>();
            of_resource(&addr, block, resource).into_iter().chain(gone)
        })
        .collect()
}

/// The resources whose objects only go to another address: Terraform lists them there.
pub(super) fn moved_out(plan: &Plan) -> impl Iterator<Item = (ResourceAddr, &ResourceAddr)> {
    plan.resources().filter_map(|(addr, resource)| match &resource.moved {
        Some(Moved::Out { to }) => Some((addr, to)),
        Some(Moved::In { .. }) | None => None,
    })
}

fn of_resource<'a>(addr: &ResourceAddr, block: &BlockChange, resource: &'a ResourcePlan) -> Option<ResourceChange<'a>> {
    let outcome = most_drastic(resource);
    let only_deposed = resource.existing.is_none() && resource.allowed.is_empty();
    if outcome == Outcome::NoOp && (only_deposed || matches!(resource.moved, Some(Moved::Out { .. }))) {
        return None;
    }
    let Images { before, after, after_unknown } = images(resource, outcome);
    let fields = |replaces: fn(Certainty) -> bool| {
        let of = |reason: &Reason| match reason {
            Reason::Field { field, replaces: certainty, .. } if replaces(*certainty) => Some(field.clone()),
            _ => None,
        };
        resource.reasons.iter().filter_map(of).collect::<BTreeSet<String>>()
    };
    let forcing = if outcome == Outcome::Replace { fields(|certainty| certainty != Certainty::No) } else { [].into() };
    let adopts = resource.existing.as_ref().filter(|_| resource.allowed.contains(&Outcome::Adopt));
    Some(ResourceChange {
        address: addr.to_string(),
        previous_address: match &resource.moved {
            Some(Moved::In { from }) => Some(from.to_string()),
            Some(Moved::Out { .. }) | None => None,
        },
        module_address: addr.block.to_string(),
        mode: "managed",
        type_name: &resource.type_name,
        name: addr.name.to_string(),
        provider_name: &resource.target.provider,
        deposed: None,
        action_reason: action_reason(outcome, block, resource),
        change: Change {
            actions: actions(outcome, resource.order),
            before_sensitive: nothing_sensitive(before.as_ref()),
            after_sensitive: nothing_sensitive(after.as_ref()),
            before,
            after,
            after_unknown,
            replace_paths: forcing.into_iter().map(|field| [field]).collect(),
            importing: adopts.map(|existing| json!({ "id": existing.id })),
        },
        provision: Extras {
            target: &resource.target,
            outcomes: resource.allowed.iter().map(ToString::to_string).collect(),
            fields: resource.fields.iter().map(String::as_str).collect(),
            reasons: resource.reasons.iter().collect(),
            because: resource.reasons.iter().map(|reason| words::reason(reason, resource)).collect(),
        },
    })
}

fn of_deposed<'a>(addr: &ResourceAddr, retirement: &'a Retirement) -> ResourceChange<'a> {
    let Retirement { id, type_name, target } = retirement;
    ResourceChange {
        address: addr.to_string(),
        previous_address: None,
        module_address: addr.block.to_string(),
        mode: "managed",
        type_name,
        name: addr.name.to_string(),
        provider_name: &target.provider,
        deposed: Some(id),
        action_reason: None,
        change: Change {
            actions: &["delete"],
            before: Some(json!({ "id": id })),
            after: None,
            after_unknown: Value::Object(Map::new()),
            before_sensitive: Value::Object(Map::new()),
            after_sensitive: false.into(),
            replace_paths: Vec::new(),
            importing: None,
        },
        provision: Extras {
            target,
            outcomes: vec![Outcome::Delete.to_string()],
            fields: Vec::new(),
            reasons: Vec::new(),
            because: vec!["replaced earlier: it is still to be deleted".to_owned()],
        },
    }
}

/// Of everything that may happen, what a policy has to be most careful about.
fn most_drastic(resource: &ResourcePlan) -> Outcome {
    let may = |outcome: &Outcome| resource.allowed.contains(outcome);
    if may(&Outcome::Delete) && may(&Outcome::Create) {
        return Outcome::Replace;
    }
    let present = resource.existing.as_ref().map(|existing| &existing.id);
    if !may(&Outcome::Replace) && resource.retire.iter().any(|retirement| Some(&retirement.id) == present) {
        return Outcome::Delete;
    }
    let drastic = [Outcome::Replace, Outcome::Delete, Outcome::Update, Outcome::Create, Outcome::Adopt];
    drastic.into_iter().find(may).unwrap_or(Outcome::NoOp)
}

fn actions(outcome: Outcome, order: ReplaceOrder) -> &'static [&'static str] {
    match (outcome, order) {
        // What is adopted is not changed: Terraform says so beside `importing`.
        (Outcome::NoOp | Outcome::Adopt, _) => &["no-op"],
        (Outcome::Create, _) => &["create"],
        (Outcome::Update, _) => &["update"],
        (Outcome::Delete, _) => &["delete"],
        (Outcome::Replace, ReplaceOrder::DeleteFirst) => &["delete", "create"],
        (Outcome::Replace, ReplaceOrder::CreateFirst) => &["create", "delete"],
    }
}

/// Terraform's word for why, where it has one.
fn action_reason(outcome: Outcome, block: &BlockChange, resource: &ResourcePlan) -> Option<&'static str> {
    let forces = |reason: &Reason| matches!(reason, Reason::Field { replaces, .. } if *replaces != Certainty::No);
    match outcome {
        Outcome::Replace if resource.reasons.iter().any(forces) => Some("replace_because_cannot_update"),
        Outcome::Delete if !resource.reasons.contains(&Reason::LeftCode) => None,
        Outcome::Delete if block.definition.is_none() => Some("delete_because_no_module"),
        Outcome::Delete => Some("delete_because_no_resource_config"),
        Outcome::Replace | Outcome::NoOp | Outcome::Create | Outcome::Update | Outcome::Adopt => None,
    }
}

/// Terraform writes an object of the fields that are, or `false` where there are no fields.
fn nothing_sensitive(fields: Option<&Value>) -> Value {
    fields.map_or(Value::Bool(false), |_| Value::Object(Map::new()))
}
