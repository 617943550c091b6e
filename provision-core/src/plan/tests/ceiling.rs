//! Whether a later plan lies inside an earlier one.

use super::support::{With, id, plan, resource, target};
use crate::plan::ceiling::{newly_refused, outside};
use crate::plan::{BlockPlan, Outcome, Plan, ResourcePlan, Retirement};

const MAIN: &str = "dc.net.main";

/// What is outside, in words; nothing where all is inside.
fn beyond(approved: ResourcePlan, later: ResourcePlan) -> Vec<String> {
    words(&plan([(MAIN, approved)], &[]), &plan([(MAIN, later)], &[]))
}

fn words(approved: &Plan, later: &Plan) -> Vec<String> {
    outside(approved, later).iter().map(ToString::to_string).collect()
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
    assert_eq!(newly_refused(&approved, &later).as_deref(), Some("dc.net: it is locked"));
    assert_eq!(newly_refused(&later, &later), None, "the approved plan said so already");
    assert_eq!(newly_refused(&approved, &approved), None);
}
