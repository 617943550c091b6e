//! A plan as events: what may happen to each resource, and how much that is.

use provision_core::id::{ProviderName, ResourceAddr, TypeName};
use provision_core::plan::{Certainty, Mode, Moved, Note, Outcome, Plan, Reason, ResourcePlan};
use serde_json::{Value, json};

use super::{Event, Severity, diagnostic};

/// A `planned_change` for each resource that may change, a `diagnostic` for each block that can't be planned, and the
/// `change_summary`.
pub(crate) fn planned(plan: &Plan) -> Vec<Event> {
    // A move is told of at the address that it leads to.
    let left =
        |resource: &ResourcePlan| matches!(resource.moved, Some(Moved::Out { .. })) && action(resource) == "noop";
    let changes = plan.resources().filter(|(_, resource)| resource.acts() && !left(resource));
    let mut events: Vec<Event> = changes.map(|(addr, resource)| change(&addr, resource)).collect();
    for note in &plan.notes {
        let (address, text) = match note {
            Note::Unmanaged { address, type_name, id } => {
                let text = format!("{type_name} {id} carries the mark of {address}, but no log knows it");
                (address.to_string(), text)
            }
            Note::ChecksDue { block, checks: _ } => {
                let text = format!("{block} was not found healthy since it was last changed: its checks are asked");
                (block.to_string(), text)
            }
            Note::BlockKept { block, because } => {
                (block.to_string(), format!("{block} is no longer in the code and is kept: {because}"))
            }
        };
        events.push(diagnostic(Severity::Warning, &text, Some(address)));
    }
    for (block, problem) in plan.refusals() {
        let text = format!("{block} can't be planned, so nothing in it is touched: {problem}");
        events.push(diagnostic(Severity::Error, &text, Some(block.to_string())));
    }
    events.push(summary(plan));
    events
}

fn change(addr: &ResourceAddr, plan: &ResourcePlan) -> Event {
    let action = action(plan);
    let mut body =
        json!({ "resource": resource(addr, Some((&plan.type_name, &plan.target.provider))), "action": action });
    if let Some(reason) = reason(plan) {
        body["reason"] = reason.into();
    }
    if let Some(Moved::In { from }) = &plan.moved {
        body["previous_resource"] = resource(from, Some((&plan.type_name, &plan.target.provider)));
    }
    // Terraform knows one action; which of several it will be is known after apply.
    if plan.allowed.len() > 1 {
        body["may"] = plan.allowed.iter().map(ToString::to_string).collect();
    }
    Event::info("planned_change", format!("{addr}: Plan to {action}"), [("change", body)])
}

/// The action in Terraform's words: of several that are possible, the one that changes most.
fn action(plan: &ResourcePlan) -> &'static str {
    let may = |outcome| plan.allowed.contains(&outcome);
    if may(Outcome::Replace) {
        "replace"
    } else if may(Outcome::Create) {
        "create"
    } else if may(Outcome::Update) {
        "update"
    } else if may(Outcome::Delete) || !plan.retire.is_empty() {
        "delete"
    } else if may(Outcome::Adopt) {
        "import"
    } else if matches!(plan.moved, Some(Moved::In { .. })) {
        "move"
    } else {
        "noop"
    }
}

/// The reason in Terraform's words, where it has some.
fn reason(plan: &ResourcePlan) -> Option<&'static str> {
    plan.reasons.iter().find_map(|reason| match reason {
        Reason::Field { replaces: Certainty::Yes | Certainty::May, .. } => Some("cannot_update"),
        Reason::LeftCode => Some("delete_because_no_resource_config"),
        _ => None,
    })
}

/// Counts what may happen at the most, so that nobody takes an unsure plan for an empty one.
fn summary(plan: &Plan) -> Event {
    let (mut add, mut change, mut import, mut remove) = (0, 0, 0, 0);
    for (_, resource) in plan.resources() {
        let action = action(resource);
        add += usize::from(matches!(action, "create" | "replace"));
        change += usize::from(action == "update");
        import += usize::from(action == "import");
        remove += resource.retire.len() + usize::from(action == "replace");
    }
    let operation = if plan.mode == Mode::Destroy { "destroy" } else { "plan" };
    let changes = json!({
        "add": add, "change": change, "import": import, "remove": remove, "operation": operation,
    });
    let unsure = plan.resources().filter(|(_, resource)| resource.allowed.len() > 1).count();
    let unsure = if unsure > 0 { format!(", at the most; {unsure} known after apply") } else { String::new() };
    let message = format!("Plan: {add} to add, {change} to change, {remove} to destroy{unsure}.");
    Event::info("change_summary", message, [("changes", changes)])
}

/// A resource as Terraform names one: the block is its module.
pub(super) fn resource(addr: &ResourceAddr, kind: Option<(&TypeName, &ProviderName)>) -> Value {
    let name = &addr.name;
    let (type_name, provider) = kind.map_or((String::new(), String::new()), |(t, p)| (t.to_string(), p.to_string()));
    json!({
        "addr": addr, "module": addr.block, "resource": format!("{type_name}.{name}"), "implied_provider": provider,
        "resource_type": type_name, "resource_name": name, "resource_key": null,
    })
}
