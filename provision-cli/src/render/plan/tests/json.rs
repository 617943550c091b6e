//! The JSON in the shape of Terraform's.

use std::collections::BTreeMap;

use proptest::prelude::*;
use provision_core::plan::{Certainty, Moved, Outcome, Plan, Reason, ReplaceOrder, ResourcePlan};
use provision_core::value::{Fields, Tree};
use serde_json::{Value, json};

use super::super::json::json;
use super::plans::{addr, any_plan, later, leaving, map, plan, replaces, resource, retirement};

fn document(plan: &Plan) -> Value {
    serde_json::from_str(&json(plan)).unwrap()
}

/// The entries of one resource.
fn changes(resource: ResourcePlan) -> Vec<Value> {
    let document = document(&plan([("west.web.app", resource)]));
    document["resource_changes"].as_array().unwrap().clone()
}

fn actions(resource: ResourcePlan) -> String {
    let all = changes(resource);
    all.iter().map(|entry| entry["change"]["actions"].to_string()).collect::<Vec<_>>().join(" ")
}

#[test]
fn outcomes_are_terraforms_actions_and_the_most_drastic_one_counts() {
    let of = |allowed: &[Outcome]| actions(resource(allowed, Vec::new()));
    assert_eq!(of(&[Outcome::NoOp]), r#"["no-op"]"#);
    assert_eq!(of(&[Outcome::Create]), r#"["create"]"#);
    assert_eq!(of(&[Outcome::Update]), r#"["update"]"#);
    assert_eq!(of(&[Outcome::Adopt]), r#"["no-op"]"#);
    assert_eq!(of(&[Outcome::Replace]), r#"["create","delete"]"#);
    assert_eq!(of(&[Outcome::NoOp, Outcome::Update]), r#"["update"]"#);
    assert_eq!(of(&[Outcome::Update, Outcome::Replace]), r#"["create","delete"]"#);
    assert_eq!(of(&[Outcome::NoOp, Outcome::Delete]), r#"["delete"]"#);
    assert_eq!(of(&[Outcome::Create, Outcome::Delete]), r#"["create","delete"]"#);
    let mut first = resource(&[Outcome::Replace], Vec::new());
    first.order = ReplaceOrder::DeleteFirst;
    assert_eq!(actions(first), r#"["delete","create"]"#);
    assert_eq!(actions(leaving()), r#"["delete"]"#);
    // An object of it that was replaced earlier is an entry of its own, so that it is counted.
    let mut due = resource(&[Outcome::Update], Vec::new());
    due.retire = vec![retirement("i-0")];
    assert_eq!(actions(due), r#"["update"] ["delete"]"#);
}

#[test]
fn a_possible_replacement_in_full() {
    let forced = replaces("subnet", "s-1".into(), later("west.net.a"), Certainty::May);
    let mut resource = resource(&[Outcome::NoOp, Outcome::Replace], vec![forced]);
    resource.before = Some(map([("id", "i-1".into()), ("subnet", "s-1".into()), ("$odd", 1.into())]));
    let list = Tree::List(vec!["x".into(), later("west.net.a")]);
    resource.after = Some(map([("subnet", later("west.net.a")), ("groups", list), ("size", "small".into())]).into());
    let entry = &changes(resource)[0];
    assert_eq!(entry["change"]["before"], json!({ "id": "i-1", "subnet": "s-1", "$odd": 1 }));
    assert_eq!(entry["change"]["after"], json!({ "groups": ["x", null], "size": "small" }));
    assert_eq!(entry["change"]["after_unknown"], json!({ "groups": [false, true], "id": true, "subnet": true }));
    assert_eq!(entry["change"]["replace_paths"], json!([["subnet"]]));
    assert_eq!(entry["action_reason"], "replace_because_cannot_update");
    assert_eq!(entry["provision"]["outcomes"], json!(["no-op", "replace"]));
    assert_eq!(
        (&entry["address"], &entry["module_address"], &entry["type"], &entry["name"], &entry["provider_name"]),
        (&json!("west.web.app"), &json!("west.web"), &json!("aws_instance"), &json!("app"), &json!("aws"))
    );
}

#[test]
fn what_an_update_leaves_alone_stays_in_it() {
    let mut resource = resource(&[Outcome::Update], Vec::new());
    resource.before = Some(Fields::from([("id".to_owned(), "i-1".into()), ("size".to_owned(), "small".into())]));
    resource.after = Some(BTreeMap::from([("size".to_owned(), "large".into())]).into());
    let entry = &changes(resource)[0];
    assert_eq!(entry["change"]["after"], json!({ "id": "i-1", "size": "large" }));
    assert_eq!(entry["change"]["after_unknown"], json!({}));
}

#[test]
fn moves_and_adoptions() {
    let mut comes = resource(&[Outcome::NoOp], vec![Reason::MovedFrom { from: addr("west.old.app") }]);
    comes.moved = Some(Moved::In { from: addr("west.old.app") });
    let mut goes = resource(&[Outcome::NoOp], vec![Reason::MovedTo { to: addr("west.web.app") }]);
    goes.moved = Some(Moved::Out { to: addr("west.web.app") });
    let document = document(&plan([("west.old.app", goes), ("west.web.app", comes)]));
    assert_eq!(document["resource_changes"].as_array().unwrap().len(), 1);
    assert_eq!(document["resource_changes"][0]["previous_address"], "west.old.app");
    assert_eq!(document["provision"]["moved_out"], json!([{ "from": "west.old.app", "to": "west.web.app" }]));
    let adopted = resource(&[Outcome::Adopt], vec![Reason::Adopted { id: "i-1".parse().unwrap() }]);
    assert_eq!(changes(adopted)[0]["change"]["importing"], json!({ "id": "i-1" }));
}

#[test]
fn what_left_the_code_says_so_in_terraforms_words() {
    assert_eq!(changes(leaving())[0]["action_reason"], "delete_because_no_resource_config");
    let mut asked = leaving();
    asked.reasons = vec![Reason::DestroyAsked];
    assert_eq!(changes(asked)[0]["action_reason"], Value::Null);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_plan_is_json_that_no_terminal_obeys(plan in any_plan()) {
        let text = json(&plan);
        let obeyed = text.chars().find(|c| *c != '\n' && (c.is_control() || *c == '\u{202e}'));
        prop_assert_eq!(obeyed, None);
        let document: Value = serde_json::from_str(&text).unwrap();
        let entries = document["resource_changes"].as_array().unwrap();
        let deletes = entries.iter().filter(|entry| entry["change"]["actions"].as_array().unwrap().contains(&"delete".into()));
        let going: usize = plan.resources().filter(|(_, resource)| resource.retires()).count();
        prop_assert!(deletes.count() >= going, "a policy that counts deletions misses some");
    }
}
