//! `apply FILE`: what was written to a file is what happens, once.

use rustix::process::{Pid, Signal, kill_process};

use crate::folder::{Ended, Folder};

const APPLY: &[&str] = &["apply", "--simulate", "--auto-approve"];

/// Plans into `p.plan`.
fn planned(folder: &Folder, code: &str) {
    let planned = folder.run(code, &["plan", "--simulate", "--out", "p.plan"]);
    assert_eq!(planned.code, Some(0), "{planned}");
}

fn applied(folder: &Folder, code: &str, more: &[&str]) -> Ended {
    folder.run(code, &[APPLY, &["p.plan"], more].concat())
}

#[test]
fn a_plan_in_a_file_is_applied_once() {
    let folder = Folder::new();
    planned(&folder, "first");
    let shown = folder.run("", &["show", "p.plan"]).out;
    let first = applied(&folder, "first", &["--report", "r.json"]);
    assert_eq!(first.code, Some(0), "{first}");
    assert!(first.out.contains(shown.trim_end()), "what is shown is what the file holds:\n{first}");
    insta::assert_snapshot!("apply_of_a_file", first.did());
    assert!(folder.file("r.json").contains(r#""outcome": "succeeded""#), "{}", folder.file("r.json"));
    assert_eq!(folder.cloud().len(), 3);

    let again = applied(&folder, "first", &[]);
    assert_eq!(again.code, Some(1), "{again}");
    insta::assert_snapshot!("second_apply_of_a_file", again);
    let json = applied(&folder, "first", &["--json"]);
    assert!(json.out.lines().all(|line| line.starts_with('{')) && json.out.contains("already applied"), "{json}");
    assert_eq!(folder.cloud().len(), 3);
}

#[test]
fn a_block_that_left_the_code_goes_by_a_file_too() {
    let folder = Folder::new();
    folder.apply("first");
    planned(&folder, "no-web");
    let gone = applied(&folder, "no-web", &[]);
    assert_eq!((gone.code, folder.cloud().len()), (Some(0), 2), "{gone}");
}

#[test]
fn an_empty_plan_can_be_applied_and_does_nothing() {
    let folder = Folder::new();
    folder.apply("first");
    planned(&folder, "first");
    let before = folder.files();
    let applied = applied(&folder, "first", &[]);
    assert_eq!(applied.code, Some(0), "{applied}");
    assert!(applied.out.ends_with("No changes. Your infrastructure matches the configuration.\n"), "{applied}");
    assert_eq!(folder.files(), before);
}

#[test]
fn a_plan_of_something_else_is_refused_and_stays_good() {
    let folder = Folder::new();
    planned(&folder, "first");
    let mut all = String::new();
    let mut refused = |what: &str, ended: Ended| {
        assert_eq!(ended.code, Some(1), "{ended}");
        all.push_str(&format!("{what}: {}", ended.err));
    };
    refused("another definition", applied(&folder, "other-port", &[]));
    refused("another revision", applied(&folder, "first", &["--revision", "2"]));
    refused("another generation", applied(&folder, "first", &["--generation", "7"]));
    refused("a selection", applied(&folder, "first", &["--block", "west.web"]));
    refused("no cloud", folder.run("first", &["apply", "--auto-approve", "p.plan"]));
    refused("nobody to ask", folder.run("first", &["apply", "--simulate", "p.plan"]));
    let good = folder.file("p.plan");
    folder.write("p.plan", &good.replace(r#""update""#, r#""replace""#).replace("10.0.1.0/24", "10.0.2.0/24"));
    let altered = applied(&folder, "first", &[]);
    assert_eq!(altered.code, Some(1), "{altered}");
    assert!(altered.err.contains("the plan file was altered"), "{altered}");
    insta::assert_snapshot!("plans_of_something_else", all);
    folder.write("p.plan", &good);
    assert_eq!(applied(&folder, "first", &[]).code, Some(0));
}

#[test]
fn a_plan_is_stale_once_another_run_changed_its_blocks() {
    let folder = Folder::new();
    folder.apply("first");
    planned(&folder, "other-port");
    let other = folder.run("other-description", &[APPLY, &["--revision", "abc"]].concat());
    assert_eq!(other.code, Some(0), "{other}");
    let before = folder.cloud();
    let stale = applied(&folder, "other-port", &[]);
    assert_eq!((stale.code, folder.cloud()), (Some(1), before));
    insta::assert_snapshot!("a_stale_plan", stale.err);
}

#[test]
fn a_plan_whose_run_failed_is_used() {
    let folder = Folder::new();
    planned(&folder, "taken");
    assert_eq!(applied(&folder, "taken", &[]).code, Some(1));
    let again = applied(&folder, "taken", &[]);
    insta::assert_snapshot!("a_plan_whose_run_failed", again);
}

#[test]
fn a_run_that_was_killed_is_resumed_by_its_file() {
    let folder = Folder::new();
    planned(&folder, "first");
    let (mut child, out) = folder.start_until("first", &[APPLY, &["p.plan"]].concat(), "west.network.main: creating");
    child.kill().unwrap();
    child.wait().unwrap();
    drop(out);
    assert!(folder.cloud().len() < 3);

    let resumed = applied(&folder, "first", &[]);
    assert_eq!(resumed.code, Some(0), "{resumed}");
    let lines: Vec<&str> = resumed.out.lines().take(3).collect();
    insta::assert_snapshot!("a_resumed_run", lines.join("\n"));
    assert_eq!(folder.cloud().len(), 3, "one object each");
    assert!(applied(&folder, "first", &[]).err.contains("already applied"));
    assert_eq!(folder.run("first", &["plan", "--simulate", "--detailed-exitcode"]).code, Some(0));
}

/// The first run stands still, so it holds its blocks until it is told to go on.
#[test]
fn a_block_that_is_held_is_refused_or_waited_for() {
    let folder = Folder::new();
    let (mut child, out) = folder.start_until("first", APPLY, "west.network.main: creating");
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let refused = folder.run("first", APPLY);
    let planned = folder.run("first", &["plan", "--simulate"]);
    // Who is told to stop while it waits was interrupted, and nothing else.
    let report: &[&str] = &["--lock-timeout", "200s", "--report", "r.json"];
    let (mut impatient, told) = folder.start_until("first", &[APPLY, report].concat(), "waiting for it");
    kill_process(Pid::from_raw(i32::try_from(impatient.id()).unwrap()).unwrap(), Signal::INT).unwrap();
    std::io::read_to_string(told).unwrap();
    assert_eq!(impatient.wait().unwrap().code(), Some(130));
    assert!(folder.file("r.json").contains(r#""outcome": "interrupted""#), "{}", folder.file("r.json"));
    let (mut waiting, rest) =
        folder.start_until("first", &[APPLY, &["--lock-timeout", "20s"]].concat(), "waiting for it");
    // Whoever is waited for prints to somebody.
    let printed = std::thread::spawn(move || std::io::copy(&mut { out }, &mut std::io::sink()));
    kill_process(pid, Signal::CONT).unwrap();
    let waited = std::thread::spawn(move || std::io::read_to_string(rest));
    assert!(child.wait().unwrap().success());
    assert!(waiting.wait().unwrap().success());
    printed.join().unwrap().unwrap();
    // There was nothing left to do, and it says so.
    let waited = waited.join().unwrap().unwrap();
    let last = waited.lines().last().unwrap_or_default();
    assert!(last.starts_with("Apply complete! Resources: 0 added, 0 changed, 0 destroyed."), "{waited}");
    assert_eq!(refused.code, Some(1), "{refused}");
    insta::assert_snapshot!("a_block_that_is_held", refused.err);
    let notes: Vec<&str> = planned.out.lines().filter(|line| line.contains("note: ")).collect();
    insta::assert_snapshot!("plan_of_a_block_that_is_held", notes.join("\n"));
    assert_eq!(folder.cloud().len(), 3);
}
