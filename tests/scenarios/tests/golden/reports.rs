//! What became of each block: the table at the end, and report files.

use std::io::{BufRead as _, BufReader, Read as _};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::folder::Folder;

const APPLY: &[&str] = &["apply", "--simulate", "--auto-approve", "--report", "r.json", "--report", "r.xml"];

impl Folder {
    fn report(&self) -> Value {
        serde_json::from_str(&self.file("r.json")).unwrap()
    }

    /// Name, result, and whose fault it is.
    fn blocks(&self) -> Vec<(String, String, Option<String>)> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let report = self.report();
        let blocks = report["blocks"].as_array().unwrap().iter();
        blocks
            .map(|block| (text(&block["name"]).unwrap(), text(&block["result"]).unwrap(), text(&block["cause"])))
            .collect()
    }

    /// `testcase` elements, and those of them with a failure, an error or neither but skipped.
    fn junit(&self) -> [usize; 4] {
        let text = self.file("r.xml");
        let document = roxmltree::Document::parse(&text).unwrap();
        ["testcase", "failure", "error", "skipped"]
            .map(|name| document.descendants().filter(|node| node.has_tag_name(name)).count())
    }
}

fn block(name: &str, result: &str, cause: Option<&str>) -> (String, String, Option<String>) {
    (name.to_owned(), result.to_owned(), cause.map(str::to_owned))
}

#[test]
fn of_a_run_that_succeeds_and_of_one_with_nothing_to_do() {
    let folder = Folder::new();
    let applied = folder.run("first", APPLY);
    assert_eq!(applied.code, Some(0), "{applied}");
    assert!(applied.out.contains("\nBlock         Result"), "{applied}");
    let report = folder.report();
    assert_eq!((&report["format_version"], &report["outcome"]), (&"1.0".into(), &"succeeded".into()));
    assert_eq!(report["changes"]["added"], 3);
    let web = &report["blocks"][1];
    assert_eq!((&web["env"], &web["dc"]), (&"staging".into(), &"west".into()));
    assert!(web["seconds"].as_f64().unwrap() > 0.0 && web["started"].as_str().unwrap().ends_with('Z'), "{web}");
    assert_eq!(web["actions"][0]["resource"], "west.web.group");
    assert_eq!(folder.junit(), [2, 0, 0, 0]);

    assert_eq!(folder.run("first", APPLY).code, Some(0));
    assert_eq!(folder.report()["outcome"], "succeeded");
    assert_eq!(folder.blocks(), [block("west.network", "unchanged", None), block("west.web", "unchanged", None)]);
    assert_eq!(folder.junit(), [2, 0, 0, 0]);
}

#[test]
fn of_a_run_that_fails() {
    let folder = Folder::new();
    let applied = folder.run("taken", APPLY);
    assert_eq!(applied.code, Some(1), "{applied}");
    let blocks = folder.blocks();
    let cause = blocks[0].2.clone().unwrap();
    // Whichever of the two came second.
    assert!(["west.network.public", "west.network.taken"].contains(&cause.as_str()), "{cause}");
    let cause = Some(cause.as_str());
    assert_eq!(blocks, [block("west.network", "failed", cause), block("west.web", "skipped", cause)]);
    assert_eq!(folder.junit(), [2, 1, 0, 1]);
    let table: Vec<&str> = applied.out.lines().skip_while(|line| !line.starts_with("Block ")).collect();
    assert!(table[1].starts_with("west.web      skipped"), "{applied}");
    assert!(table[2].starts_with("west.network  failed"), "{applied}");
    assert!(table.iter().any(|line| line.starts_with("Apply failed.")), "{applied}");
    assert!(table.iter().any(|line| line.ends_with("a new plan goes on from there.")), "{applied}");
}

#[test]
fn of_a_block_that_cannot_be_planned() {
    let folder = Folder::new();
    folder.apply("first");
    folder.spoil("west.web");
    let applied = folder.run("other-port", APPLY);
    assert_eq!(applied.code, Some(1), "{applied}");
    assert_eq!(folder.report()["outcome"], "refused");
    assert_eq!(folder.blocks(), [block("west.network", "unchanged", None), block("west.web", "refused", None)]);
    assert_eq!(folder.junit(), [2, 0, 1, 0]);
}

#[test]
fn of_a_run_that_nobody_approved() {
    let folder = Folder::new();
    let asked = folder.run("first", &["apply", "--simulate", "--report", "r.json,r.xml"]);
    assert_eq!(asked.code, Some(1));
    let report = folder.report();
    assert_eq!(report["outcome"], "refused");
    assert!(report["reason"].as_str().unwrap().starts_with("nobody can be asked here"), "{report}");
    assert_eq!(folder.blocks(), [block("west.network", "skipped", None), block("west.web", "skipped", None)]);
    assert_eq!(folder.junit(), [2, 0, 2, 0]);
}

#[test]
fn of_a_refused_claim_and_of_an_interrupted_run() {
    let folder = Folder::new();
    let mut first = folder.start("first", APPLY);
    let mut out = BufReader::new(first.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("creating") {
        line.clear();
        assert_ne!(out.read_line(&mut line).unwrap(), 0, "it ended before it was stopped");
    }
    let pid = Pid::from_raw(i32::try_from(first.id()).unwrap()).unwrap();
    // It holds its blocks and does nothing.
    kill_process(pid, Signal::STOP).unwrap();
    let second = folder.run("first", &["apply", "--simulate", "--auto-approve", "--report", "second.json"]);
    kill_process(pid, Signal::INT).unwrap();
    kill_process(pid, Signal::CONT).unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(first.wait().unwrap().code(), Some(130), "{rest}");

    assert_eq!(second.code, Some(1), "{second}");
    let report: Value = serde_json::from_str(&folder.file("second.json")).unwrap();
    assert_eq!(report["outcome"], "refused");
    let reason = report["reason"].as_str().unwrap();
    assert!(reason.starts_with("block west.network is held by "), "{reason}");
    for block in report["blocks"].as_array().unwrap() {
        assert_eq!((&block["result"], &block["cause"]), (&"skipped".into(), &"west.network".into()));
    }

    assert_eq!(folder.report()["outcome"], "interrupted");
    let results: Vec<String> = folder.blocks().into_iter().map(|(_, result, _)| result).collect();
    assert_eq!(results, ["interrupted", "skipped"]);
    assert_eq!(folder.junit(), [2, 0, 1, 1]);
}

/// A report of an earlier run must not stand in for that of one that was refused.
#[test]
fn of_a_command_that_is_refused_before_there_is_a_plan() {
    let folder = Folder::new();
    assert_eq!(folder.run("first", APPLY).code, Some(0));
    let before = folder.file("r.json");
    let refused: [(&str, &[&str], &str); 5] = [
        ("wrong", &["apply"], "1 problem in the definitions"),
        ("first", &["apply", "p.plan", "--block", "west.web"], "leave out --env"),
        ("first", &["import", "west.web.grop", "sg-1"], "did you mean group?"),
        ("first", &["adopt", "west.wep", "group=sg-1"], "did you mean west.web?"),
        ("first", &["adopt", "west.web", "--tag", "a=1", "--tag", "a=2"], "give one of them"),
    ];
    let always: &[&str] = &["--simulate", "--auto-approve", "--report", "r.json,r.xml"];
    for (code, args, why) in refused {
        folder.write("r.json", &before);
        let ended = folder.run(code, &[args, always].concat());
        assert_eq!(ended.code, Some(1), "{ended}");
        let report = folder.report();
        assert_eq!(report["outcome"], "refused", "{args:?}");
        assert!(report["reason"].as_str().unwrap().contains(why) && ended.err.contains(why), "{report}: {ended}");
        assert!(folder.junit()[2] > 0, "{args:?}: {}", folder.file("r.xml"));
        // The stream ends with the report too.
        let json = folder.run(code, &[args, always, &["--json"]].concat());
        let last: Value = serde_json::from_str(json.out.lines().last().unwrap()).unwrap();
        assert_eq!((&last["type"], &last["report"]["reason"]), (&"run_complete".into(), &report["reason"]), "{json}");
    }
    folder.write("r.json", &before);
    assert_eq!(folder.run("wrong", APPLY).code, Some(1));
    assert_eq!(folder.report()["problems"].as_array().unwrap().len(), 1, "what is wrong with the definitions");
}

#[test]
fn a_file_that_cannot_be_written_is_noticed_before_anything_runs() {
    let folder = Folder::new();
    let html = folder.run("first", &["apply", "--simulate", "--auto-approve", "--report", "r.html"]);
    assert_eq!(html.code, Some(1));
    insta::assert_snapshot!("bad_ending", html.err);
    let nowhere = folder.run("first", &["apply", "--simulate", "--auto-approve", "--report", "no/such/r.json"]);
    assert_eq!(nowhere.code, Some(1));
    insta::assert_snapshot!("bad_folder", nowhere);
    assert!(folder.run("", &["state", "list", "--simulate", "--cloud"]).out.is_empty());
}
