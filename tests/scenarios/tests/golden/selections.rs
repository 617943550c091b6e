//! `--env`, `--dc`, `--block`: whole blocks, and only those.

use serde_json::{Value, json};

use crate::folder::Folder;

#[test]
fn a_block_alone_is_planned_and_applied() {
    let folder = Folder::new();
    let needs = folder.run("first", &["plan", "--simulate", "--block", "west.web"]);
    assert_eq!(needs.code, Some(1));
    insta::assert_snapshot!("a_block_without_what_it_uses", needs);

    let network = folder.run("first", &["apply", "--simulate", "--auto-approve", "--block", "west.network"]);
    assert_eq!((network.code, folder.cloud().len()), (Some(0), 2), "{network}");
    folder.apply("first");

    let plan = folder.run("other-port", &["plan", "--simulate", "--block", "west.web", "--dc", "west"]);
    insta::assert_snapshot!("plan_of_a_block", plan);
    let nothing = folder.run("other-port", &["plan", "--simulate", "--block", "west.network", "--detailed-exitcode"]);
    assert_eq!(nothing.code, Some(0), "{nothing}");
    let both = folder.run("other-port", &["plan", "--simulate", "--json", "--block", "west.web,west.network"]);
    let both: Value = serde_json::from_str(&both.out).unwrap();
    assert_eq!(both["provision"]["selection"]["blocks"], json!(["west.network", "west.web"]));
    assert_eq!(both["complete"], json!(false));
    let markdown = folder.run("other-port", &["plan", "--simulate", "--markdown", "--env", "staging"]).out;
    assert!(markdown.contains("Only the blocks of environment staging."), "{markdown}");

    let in_use = folder.run("first", &["destroy", "--simulate", "--auto-approve", "--block", "west.network"]);
    assert_eq!((in_use.code, folder.cloud().len()), (Some(0), 2), "{in_use}");
    insta::assert_snapshot!("destroy_of_a_block_in_use", in_use.did());
    let web = folder.run("first", &["destroy", "--simulate", "--auto-approve", "--block", "west.web"]);
    assert_eq!((web.code, folder.cloud().len()), (Some(0), 1), "{web}");
}

#[test]
fn a_name_that_selects_nothing_is_a_mistake() {
    let folder = Folder::new();
    let mut all = String::new();
    for select in [["--env", "stagin"], ["--dc", "east"], ["--block", "west.wep"], ["--block", "web"]] {
        let ended = folder.run("first", &[&["plan", "--simulate"][..], &select].concat());
        assert_eq!(ended.code, Some(1), "{ended}");
        all.extend(ended.err.lines().filter(|line| line.starts_with("error")).map(|line| format!("{line}\n")));
    }
    insta::assert_snapshot!("names_that_select_nothing", all);
    // Each is there; no block is both.
    let neither = folder.run("checked", &["plan", "--simulate", "--env", "prod", "--block", "west.site"]);
    assert_eq!(neither.code, Some(1), "{neither}");
    insta::assert_snapshot!("names_that_select_nothing_together", neither.err);
}

#[test]
fn a_move_needs_both_its_ends() {
    let folder = Folder::new();
    folder.apply("first");
    let half = folder.run("moved", &["plan", "--simulate", "--block", "west.edge"]);
    assert_eq!(half.code, Some(1));
    insta::assert_snapshot!("half_a_move", half.err);
    let neither = folder.run("moved", &["plan", "--simulate", "--block", "west.network", "--detailed-exitcode"]);
    assert_eq!(neither.code, Some(0), "{neither}");
    let both = folder.run("moved", &["plan", "--simulate", "--block", "west.edge,west.web", "--detailed-exitcode"]);
    assert_eq!(both.code, Some(2), "{both}");
    let comment = folder.run("moved", &["plan", "--simulate", "--markdown"]).out;
    assert!(comment.contains("<code>west.web</code>: no longer in the code</summary>"), "{comment}");
}
