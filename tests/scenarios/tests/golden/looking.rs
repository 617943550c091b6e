//! The verbs that look at the state alone: `state show`, `state history`, `output`, `run`; and `graph`.

use serde_json::Value;

use crate::folder::Folder;

/// What a command prints, nothing masked.
fn json(folder: &Folder, args: &[&str]) -> Value {
    let printed = folder.command("wrong", args).output().unwrap();
    assert!(printed.status.success(), "{printed:?}");
    serde_json::from_slice(&printed.stdout).unwrap()
}

#[test]
fn the_state_is_shown_whatever_the_code_says() {
    let folder = Folder::new();
    folder.apply("first");
    let run = |args: &[&str]| folder.run("wrong", &[args, &["--simulate"]].concat());
    insta::assert_snapshot!("state_show_block", run(&["state", "show", "west.web"]));
    insta::assert_snapshot!("state_show_resource", run(&["state", "show", "west.network.main"]));
    insta::assert_snapshot!("state_history", run(&["state", "history", "west.web.group"]));
    insta::assert_snapshot!("state_history_of_a_block", run(&["state", "history", "west.web"]));
    insta::assert_snapshot!("no_such_block", run(&["state", "show", "west.wbe"]).err);
    insta::assert_snapshot!("no_such_resource", run(&["state", "history", "west.web.main"]).err);
    insta::assert_snapshot!("no_address", run(&["state", "show", "west"]).err);

    let shown = json(&folder, &["state", "show", "west.network", "--json", "--simulate"]);
    assert_eq!(shown["used_by"], serde_json::json!(["west.web"]));
    assert_eq!(shown["resources"]["main"]["object"]["ours"]["cidr"], "10.0.0.0/16");
    let history = json(&folder, &["state", "history", "west.web", "--json", "--simulate"]);
    assert_eq!(history["entries"][0]["events"][0]["logged"]["event"], "claimed");
    let listed = json(&folder, &["state", "list", "--json", "--simulate"]);
    assert_eq!(listed["blocks"]["west.web"]["objects"][0]["address"], "west.web.group");
    let cloud = json(&folder, &["state", "list", "--cloud", "--json", "--simulate"]);
    assert_eq!(cloud["objects"].as_array().unwrap().len(), 3);
}

/// Who looks in the wrong place should not take it for an infrastructure of nothing, and leaves nothing there.
#[test]
fn where_there_is_no_state_there_is_nothing_to_look_at() {
    let folder = Folder::new();
    let looks: [&[&str]; 6] = [
        &["state", "list"],
        &["state", "show", "west.web"],
        &["state", "history", "west.web"],
        &["output"],
        &["run", "list"],
        &["drift"],
    ];
    for look in looks {
        let looked = folder.run("first", &[look, &["--simulate"]].concat());
        assert_eq!((looked.code, looked.out.as_str()), (Some(1), ""), "{look:?}: {looked}");
        let error = "error: there is no state in .provision/simulated/state yet: `apply --simulate` makes one\n";
        assert_eq!(looked.err, error, "{look:?}");
        let real = folder.run("first", &[look, &["--state", "tpyo/state"]].concat());
        assert_eq!(real.code, Some(1), "{look:?}: {real}");
        assert!(real.err.starts_with("error: there is no state in tpyo/state: look elsewhere"), "{look:?}: {real}");
    }
    // A plan looks too: there, nothing is something to go on from.
    let planned = folder.run("first", &["plan", "--simulate", "--detailed-exitcode"]);
    assert_eq!(planned.code, Some(2), "{planned}");
    assert!(!folder.has("tpyo") && !folder.has(".provision/simulated/state"));
    // A folder in which nothing was ever written is no state either.
    folder.make_folder("tpyo/state");
    let empty = folder.run("first", &["state", "list", "--state", "tpyo/state"]);
    assert_eq!((empty.code, empty.out.as_str()), (Some(1), ""), "{empty}");
}

#[test]
fn a_plan_needs_no_key() {
    let folder = Folder::new();
    assert_eq!(folder.run("first", &["plan", "--simulate"]).code, Some(0));
    assert!(!folder.has("key"), "whoever writes nothing signs nothing");
    let mut homeless = folder.command("first", &["plan", "--simulate"]);
    let planned = homeless.env_remove("PROVISION_KEY").output().unwrap();
    assert!(planned.status.success(), "{planned:?}");
}

#[test]
fn outputs_come_from_the_store_alone() {
    let folder = Folder::new();
    let run = |args: &[&str]| folder.run("wrong", &[&["output", "--simulate"], args].concat());
    assert_eq!(run(&["west.network"]).code, Some(1));
    folder.apply("first");
    insta::assert_snapshot!("outputs", run(&[]));
    insta::assert_snapshot!("output_of_a_block_that_offers_nothing", run(&["west.web"]).err);
    insta::assert_snapshot!("output_that_is_not_there", run(&["west.network.vcp"]).err);
    let vpc = folder.held("aws_vpc").id;
    let raw = folder.command("wrong", &["output", "--simulate", "--raw", "west.network.vpc"]).output().unwrap();
    assert_eq!(String::from_utf8(raw.stdout).unwrap(), format!("{vpc}\n"));
    assert_eq!(run(&["--raw", "west.network"]).code, Some(1));
    assert!(json(&folder, &["output", "--json", "--simulate", "west.network.subnet"]).is_string());

    // Outputs are those of the definition that was last applied: other ones alone are nothing to be done.
    assert_eq!(folder.run("other-outputs", &["plan", "--simulate", "--detailed-exitcode"]).code, Some(0));
    assert_eq!(run(&["--raw", "west.network.team"]).out, "the web\n");

    folder.run("first", &["destroy", "--simulate", "--auto-approve"]);
    insta::assert_snapshot!("outputs_after_destroy", run(&[]));
    let gone = run(&["west.network.vpc", "--raw"]);
    assert_eq!((gone.code, gone.out.as_str()), (Some(1), ""));
    insta::assert_snapshot!("output_that_is_not_known", gone.err);
}

#[test]
fn runs_are_listed_and_shown() {
    let folder = Folder::new();
    folder.apply("first");
    folder.apply("other-port");
    let listed = json(&folder, &["run", "list", "--json", "--simulate"]);
    let runs = listed["runs"].as_array().unwrap();
    assert_eq!((runs.len(), &listed["count"]), (2, &2.into()));
    assert!(runs[0]["started_ms"].as_u64() > runs[1]["started_ms"].as_u64(), "the newest first");
    assert_eq!((&runs[0]["status"], &runs[0]["blocks"]), (&"succeeded".into(), &serde_json::json!(["west.web"])));

    let run = |args: &[&str]| folder.run("wrong", &[&["run"], args, &["--simulate"]].concat());
    insta::assert_snapshot!("run_list", run(&["list", "--limit", "1"]));
    let (newest, oldest) = (runs[0]["short"].as_str().unwrap(), runs[1]["id"].as_str().unwrap());
    insta::assert_snapshot!("run_show", run(&["show", newest]));
    let first = json(&folder, &["run", "show", oldest, "--json", "--simulate"]);
    assert_eq!(first["did"]["west.network"][0]["did"], "created");
    assert_eq!(first["did"]["west.network"].as_array().unwrap().len(), 2, "calls for one object are one deed");

    insta::assert_snapshot!("run_that_is_none", run(&["show", "west"]).err);
    insta::assert_snapshot!("run_that_is_not_there", run(&["show", "0000000000000000"]).err);
}

#[test]
fn an_ambiguous_run_is_not_guessed() {
    let folder = Folder::new();
    folder.apply("first");
    let listed = json(&folder, &["run", "list", "--json", "--simulate"]);
    let id = listed["runs"][0]["id"].as_str().unwrap();
    let other = format!("{}{}", &id[..10], "0".repeat(54));
    folder.copy_run(id, &other);
    let asked = folder.run("first", &["run", "show", "--simulate", &id[..10]]);
    assert_eq!(asked.code, Some(1));
    assert!(asked.err.contains("begins the ids of") && asked.err.contains("write more of it"), "{asked}");
    // What was copied is damaged: it is told, and the others are shown all the same.
    let listed = folder.run("first", &["run", "list", "--simulate"]);
    assert_eq!(listed.code, Some(1), "{listed}");
    assert!(listed.out.contains("succeeded after") && listed.err.contains("stands in the wrong place"), "{listed}");
}

#[test]
fn drawings_come_from_the_code() {
    let folder = Folder::new();
    let run = |args: &[&str]| folder.run("first", &[&["graph"], args].concat());
    insta::assert_snapshot!("graph_of_blocks", run(&[]));
    insta::assert_snapshot!("graph_of_a_block", run(&["west.web"]));
    insta::assert_snapshot!("graph_in_mermaid", run(&["west.web", "--format", "mermaid"]));
    insta::assert_snapshot!("graph_of_no_block", run(&["west.x"]).err);
    assert_eq!(folder.run("wrong", &["graph"]).code, Some(1));
}
