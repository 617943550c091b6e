//! What the code says about the life of an object: where it was before, that it stays, which of two goes first.

use crate::folder::Folder;

const PLAN: &[&str] = &["plan", "--simulate", "--detailed-exitcode"];

/// The plan without the lines about reading.
fn plan(folder: &Folder, code: &str) -> String {
    let plan = folder.run(code, PLAN).to_string();
    plan.lines().filter(|line| !line.ends_with(" …")).collect::<Vec<_>>().join("\n")
}

fn settled(folder: &Folder, code: &str) {
    let plan = folder.run(code, PLAN);
    assert_eq!(plan.code, Some(0), "{plan}");
}

#[test]
fn what_is_renamed_keeps_its_object() {
    let folder = Folder::new();
    folder.apply("first");
    let group = folder.held("aws_security_group").id;
    insta::assert_snapshot!("plan_of_a_new_name", plan(&folder, "renamed"));
    insta::assert_snapshot!("new_name", folder.apply("renamed").did());
    settled(&folder, "renamed");
    insta::assert_snapshot!("plan_of_a_move", plan(&folder, "first"));
    assert_eq!(folder.held("aws_security_group").id, group);
}

#[test]
fn what_moves_to_another_block_keeps_its_object() {
    let folder = Folder::new();
    folder.apply("first");
    let before = folder.held("aws_security_group");
    insta::assert_snapshot!("plan_of_another_block", plan(&folder, "moved"));
    insta::assert_snapshot!("another_block", folder.apply("moved").did());
    settled(&folder, "moved");
    let after = folder.held("aws_security_group");
    assert_eq!(after.id, before.id);
    assert_eq!(after.mark.unwrap().address.to_string(), "west.edge.group", "its mark says where it is");
}

#[test]
fn what_is_protected_stays_until_it_is_freed() {
    let folder = Folder::new();
    folder.apply("protected");
    insta::assert_snapshot!("replacement_of_what_is_protected", plan(&folder, "protected-other-description"));
    insta::assert_snapshot!("deletion_of_what_is_protected", plan(&folder, "no-web"));
    folder.apply("no-web");
    assert_eq!(folder.cloud().len(), 3);
    insta::assert_snapshot!("plan_of_freeing", plan(&folder, "first"));
    folder.apply("first");
    folder.apply("no-web");
    assert_eq!(folder.cloud().len(), 2);
}

#[test]
fn ignored_fields_are_left_alone() {
    let folder = Folder::new();
    folder.apply("ignoring");
    insta::assert_snapshot!("plan_of_an_ignored_field", plan(&folder, "ignoring-other-port"));
    settled(&folder, "ignoring-other-port");
}

#[test]
fn a_replacement_in_both_orders_with_a_user_in_another_block() {
    let folder = Folder::new();
    folder.apply("app");
    insta::assert_snapshot!("plan_of_create_first", plan(&folder, "app-other-description"));
    insta::assert_snapshot!("create_first", folder.apply("app-other-description").did());
    settled(&folder, "app-other-description");
    assert_eq!(folder.cloud().len(), 4);

    let folder = Folder::new();
    folder.apply("app");
    insta::assert_snapshot!("plan_of_delete_first", plan(&folder, "app-delete-first"));
    insta::assert_snapshot!("delete_first", folder.apply("app-delete-first").did());
    settled(&folder, "app-delete-first");
    assert_eq!(folder.cloud().len(), 4);
}

#[test]
fn fields_that_leave_the_code_are_given_up_or_restored() {
    let folder = Folder::new();
    folder.apply("fields-set");
    insta::assert_snapshot!("plan_of_fields_that_left", plan(&folder, "fields-unset"));
    folder.apply("fields-unset");
    settled(&folder, "fields-unset");
}
