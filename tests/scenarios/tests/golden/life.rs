//! The life of an infrastructure: planned, made, changed, destroyed.

use crate::folder::Folder;

const PLAN: &[&str] = &["plan", "--simulate", "--detailed-exitcode"];

#[test]
fn from_nothing_to_nothing() {
    let folder = Folder::new();
    let plan = folder.run("first", PLAN);
    assert_eq!(plan.code, Some(2));
    insta::assert_snapshot!("plan_of_a_new_infrastructure", plan);

    insta::assert_snapshot!("apply", folder.apply("first").did());
    let cloud = folder.cloud();
    assert_eq!(cloud.len(), 3);
    insta::assert_snapshot!("state_list_cloud", cloud.join("\n"));
    let listed = folder.run("first", &["state", "list", "--simulate"]);
    // The lines of blocks name whoever runs the tests.
    let objects: Vec<&str> = listed.out.lines().filter(|line| !line.contains("  generation ")).collect();
    insta::assert_snapshot!("state_list", objects.join("\n"));

    let plan = folder.run("first", PLAN);
    assert_eq!(plan.code, Some(0));
    insta::assert_snapshot!("empty_plan", plan);
    assert_eq!(folder.apply("first").did(), "No changes. Your infrastructure matches the configuration.");

    insta::assert_snapshot!("plan_of_a_removed_block", folder.run("no-web", PLAN));
    insta::assert_snapshot!("apply_of_a_removed_block", folder.apply("no-web").did());
    assert_eq!(folder.cloud().len(), 2);

    let destroyed = folder.run("no-web", &["destroy", "--simulate", "--auto-approve"]);
    assert_eq!(destroyed.code, Some(0));
    insta::assert_snapshot!("destroy", destroyed.did());
    assert!(folder.cloud().is_empty());
}

/// Who is asked, or plans, is told before, and not after the answer.
#[test]
fn that_most_of_it_would_go_is_said_before_anybody_is_asked() {
    let folder = Folder::new();
    let some = folder.run("many", &["apply", "--simulate", "--auto-approve", "--block", "west.shard-04"]);
    assert_eq!(some.code, Some(0), "{some}");
    let plan = folder.run("first", PLAN);
    assert_eq!(plan.code, Some(2), "{plan}");
    insta::assert_snapshot!("plan_of_many_deletions", plan.err);
    insta::assert_snapshot!("apply_of_many_deletions", folder.run("first", &["apply", "--simulate"]).err);
    let allowed = folder.run("first", &["apply", "--simulate", "--allow-many-deletions"]);
    assert!(allowed.err.contains("nobody can be asked here"), "{allowed}");
}

#[test]
fn changes_in_place_by_a_new_object_and_not_at_all() {
    let folder = Folder::new();
    folder.apply("first");
    let before = folder.cloud();

    insta::assert_snapshot!("plan_of_an_update", folder.run("other-port", PLAN));
    insta::assert_snapshot!("update", folder.apply("other-port").did());
    assert_eq!(folder.cloud(), before, "an update makes no new object");

    insta::assert_snapshot!("plan_of_a_replacement", folder.run("other-description", PLAN));
    insta::assert_snapshot!("replacement", folder.apply("other-description").did());
    assert_eq!(folder.cloud().len(), 3);

    // The subnet keeps its range, so a new one can't stand beside it: the old one goes first.
    let plan = folder.run("other-zone", PLAN);
    assert_eq!(plan.code, Some(2));
    insta::assert_snapshot!("plan_of_a_replacement_that_deletes_first", plan);
    insta::assert_snapshot!("replacement_that_deletes_first", folder.apply("other-zone").did());
    assert_eq!(folder.cloud().len(), 3);
}
