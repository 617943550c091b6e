//! Whether a later plan lies inside an earlier one.

use std::collections::BTreeMap;

use super::support::{With, id, plan, resource, target};
use crate::plan::{BlockPlan, Ceiling, Outcome, Plan, Reason, ReplaceOrder, ResourcePlan, Retirement};
use crate::value::{OutputRef, Symbol, Tree};

const MAIN: &str = "dc.net.main";

/// What is outside, in words; nothing where all is inside.
fn beyond(approved: ResourcePlan, later: ResourcePlan) -> Vec<String> {
    words(&plan([(MAIN, approved)], &[]), &plan([(MAIN, later)], &[]))
}

fn words(approved: &Plan, later: &Plan) -> Vec<String> {
    Ceiling::new(approved.clone()).outside(later).iter().map(ToString::to_string).collect()
}

#[test]
fn the_same_or_less_is_inside() {
    let approved = || resource(&[Outcome::NoOp, Outcome::Update, Outcome::Replace]).fields(&["place", "size"]);
    assert_eq!(beyond(approved(), approved()), [""; 0]);
    assert_eq!(beyond(approved(), resource(&[Outcome::Update]).fields(&["size"])), [""; 0]);
    assert_eq!(beyond(approved(), resource(&[Outcome::NoOp])), [""; 0]);
    assert_eq!(beyond(resource(&[Outcome::Create]), resource(&[Outcome::NoOp])), [""; 0], "nothing is always allowed");
    let nothing = plan([], &[]);
    assert_eq!(words(&plan([(MAIN, approved())], &[]), &nothing), [""; 0]);
}

#[test]
fn another_outcome_is_outside() {
    let update = || resource(&[Outcome::Update]).fields(&["size"]);
    for outcome in [Outcome::Create, Outcome::Replace, Outcome::Delete] {
        let told = format!("{MAIN}: would {outcome}, which the plan does not allow");
        assert_eq!(beyond(update(), resource(&[outcome])), [told]);
    }
}

#[test]
fn an_update_of_another_field_is_outside_and_a_replacement_for_another_reason_is_not() {
    let approved = || resource(&[Outcome::Update, Outcome::Replace]).fields(&["size"]);
    let told = format!("{MAIN}: would update `hint`, which the plan does not allow");
    assert_eq!(beyond(approved(), resource(&[Outcome::Update]).fields(&["hint"])), [told]);
    assert_eq!(beyond(approved(), resource(&[Outcome::Replace]).fields(&["hint"])), [""; 0]);
}

#[test]
fn another_object_is_outside() {
    let update = |object| resource(&[Outcome::Update]).existing(object);
    let told = format!("{MAIN}: was thing-1 when it was planned and is thing-2 now");
    assert_eq!(beyond(update("thing-1"), update("thing-2")), [told]);
    assert_eq!(beyond(update("thing-1"), update("thing-1")), [""; 0]);
}

#[test]
fn the_delete_of_an_object_that_was_not_named_is_outside() {
    let delete = |object| {
        let mut resource = resource(&[Outcome::Delete]);
        resource.retire.push(Retirement { id: id(object), type_name: "toy_thing".parse().unwrap(), target: target() });
        resource
    };
    assert_eq!(beyond(delete("thing-1"), delete("thing-1")), [""; 0]);
    let told = format!("{MAIN}: would delete thing-2, which the plan does not allow");
    assert_eq!(beyond(delete("thing-1"), delete("thing-2")), [told]);
}

#[test]
fn a_resource_that_was_not_planned_is_outside_if_it_acts() {
    let nothing = plan([], &[]);
    let told = format!("{MAIN}: was not in the plan");
    assert_eq!(words(&nothing, &plan([(MAIN, resource(&[Outcome::Create]))], &[])), [told]);
    assert_eq!(words(&nothing, &plan([(MAIN, resource(&[Outcome::NoOp]))], &[])), [""; 0]);
}

#[test]
fn a_block_that_is_refused_only_now_is_told() {
    let approved = plan([(MAIN, resource(&[Outcome::Update]))], &[]);
    let mut later = plan([], &[]);
    later.blocks.insert("dc.net".parse().unwrap(), BlockPlan::Refused { problem: "it is locked".to_owned() });
    assert_eq!(Ceiling::new(approved.clone()).newly_refused(&later).as_deref(), Some("dc.net: it is locked"));
    assert_eq!(Ceiling::new(later.clone()).newly_refused(&later), None, "the approved plan said so already");
    assert_eq!(Ceiling::new(approved.clone()).newly_refused(&approved), None);
}

/// A run that was cut off goes on: what it made may be finished, and what it was to replace may go.
#[test]
fn a_resumed_run_finishes_what_it_began_and_nothing_else() {
    let made = |object: &str| [(MAIN.parse().unwrap(), id(object))];
    let beyond = |approved: ResourcePlan, object: &str, later: ResourcePlan| {
        let ceiling = Ceiling::resumed(plan([(MAIN, approved)], &[]), made(object));
        ceiling.outside(&plan([(MAIN, later)], &[])).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let update = |object: &str| resource(&[Outcome::Update]).fields(&["size"]).existing(object);
    let create = || resource(&[Outcome::Create]);
    assert_eq!(beyond(create(), "thing-1", update("thing-1")), [""; 0], "it made it, and was cut off");
    let told = format!("{MAIN}: would update, which the plan does not allow");
    assert_eq!(beyond(create(), "thing-1", update("thing-2")), [told], "somebody else's");

    let replace = |order| ResourcePlan { order, ..resource(&[Outcome::Replace]).existing("thing-1") };
    let goes = |object: &str| {
        let mut resource = resource(&[Outcome::NoOp]).existing("thing-2");
        resource.retire.push(Retirement { id: id(object), type_name: "toy_thing".parse().unwrap(), target: target() });
        resource
    };
    assert_eq!(beyond(replace(ReplaceOrder::CreateFirst), "thing-2", goes("thing-1")), [""; 0]);
    let told = format!("{MAIN}: would delete thing-3, which the plan does not allow");
    assert_eq!(beyond(replace(ReplaceOrder::CreateFirst), "thing-2", goes("thing-3")), [told]);
    assert_eq!(beyond(replace(ReplaceOrder::DeleteFirst), "thing-2", create()), [""; 0], "the old one went first");
    let told = format!("{MAIN}: would create, which the plan does not allow");
    assert_eq!(beyond(update("thing-1"), "thing-2", create()), [told]);
}

/// What it uses, and what the plan is not about, has changed.
#[test]
fn another_value_than_the_plan_says_is_outside() {
    let update = |group: Tree<Symbol>| ResourcePlan {
        after: Some(BTreeMap::from([("size".to_owned(), "big".into()), ("hint".to_owned(), group)]).into()),
        ..resource(&[Outcome::Update]).fields(&["hint"])
    };
    let unknown = || {
        let output = OutputRef { resource: MAIN.parse().unwrap(), output: "id".to_owned() };
        Tree::Symbol(Symbol::Output(Box::new(output)))
    };
    let told = format!(r#"{MAIN}: would set `hint` to "thing-2", and the plan says "thing-1""#);
    assert_eq!(beyond(update("thing-1".into()), update("thing-2".into())), [told]);
    assert_eq!(beyond(update("thing-1".into()), update("thing-1".into())), [""; 0]);
    assert_eq!(beyond(update(unknown()), update("thing-1".into())), [""; 0], "it was not known");
    let mut open = update("thing-2".into());
    open.reasons.push(Reason::OpenCall { api: "Set".to_owned() });
    assert_eq!(beyond(update("thing-1".into()), open), [""; 0], "it is found out first");
}
