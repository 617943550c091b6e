//! Bad input: a clear error, exit code 1, nothing changed.

use crate::folder::Folder;

#[test]
fn definitions_are_checked_without_a_cloud() {
    let folder = Folder::new();
    insta::assert_snapshot!("valid", folder.run("first", &["validate"]));
    let wrong = folder.run("wrong", &["validate"]);
    assert_eq!(wrong.code, Some(1));
    insta::assert_snapshot!("findings", wrong);
    let applied = folder.run("wrong", &["apply", "--simulate", "--auto-approve"]);
    assert_eq!((applied.code, &applied.err), (Some(1), &wrong.err));
}

#[test]
fn what_nobody_confirms_is_not_done() {
    let folder = Folder::new();
    let applied = folder.run("first", &["apply", "--simulate"]);
    assert_eq!(applied.code, Some(1));
    insta::assert_snapshot!("no_terminal", applied.err);
    assert!(folder.cloud().is_empty());
}

#[test]
fn the_command_line_itself() {
    let folder = Folder::new();
    let unknown = folder.run("first", &["apply", "--frobnicate"]);
    assert_eq!(unknown.code, Some(1));
    insta::assert_snapshot!("unknown_flag", unknown.err);
    assert_eq!(folder.run("first", &["--help"]).code, Some(0));
    assert_eq!(folder.run("first", &["state", "list", "--cloud"]).code, Some(1));
    let none = folder.run("first", &["state", "list", "--simulate", "--cloud"]);
    assert_eq!(none.code, Some(1), "{none}");
    let other = folder.run("first", &["plan", "--generation", "no-number"]);
    assert_eq!(other.code, Some(1), "{other}");
    let maybe = folder.run("first", &["apply", "--simulate", "--input=maybe"]);
    assert_eq!(maybe.code, Some(1), "{maybe}");
    assert!(maybe.err.contains("write `true` or `false`"), "{maybe}");
}
