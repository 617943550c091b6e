//! What build servers use: the event stream, and variables instead of flags.

use serde_json::Value;

use crate::folder::{Ended, Folder, ended};

fn events(ended: &Ended) -> Vec<Value> {
    ended.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn standard_output_is_one_event_per_line_and_nothing_else() {
    let folder = Folder::new();
    let applied = folder.run("first", &["apply", "--simulate", "--auto-approve", "--json"]);
    assert_eq!((applied.code, applied.err.as_str()), (Some(0), ""), "{applied}");
    let events = events(&applied);
    for event in &events {
        for key in ["@level", "@message", "@module", "@timestamp", "type"] {
            assert!(event[key].is_string(), "{key} of {event}");
        }
    }
    let count = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
    let counts = ["version", "planned_change", "claimed", "apply_start", "apply_complete", "run_complete"].map(count);
    assert_eq!(counts, [1, 3, 2, 3, 3, 1]);
    let summaries: Vec<&str> = events
        .iter()
        .filter(|event| event["type"] == "change_summary")
        .filter_map(|event| event["changes"]["operation"].as_str())
        .collect();
    assert_eq!(summaries, ["plan", "apply"]);
    assert_eq!(events[0]["type"], "version");
    assert_eq!(events[events.len() - 1]["report"]["outcome"], "succeeded");
}

#[test]
fn errors_are_events_too() {
    let folder = Folder::new();
    let asked = folder.run("first", &["apply", "--simulate", "--json"]);
    assert_eq!((asked.code, asked.err.as_str()), (Some(1), ""), "{asked}");
    let asked = events(&asked);
    let [_, error, _, end] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((&error["type"], &error["@level"]), (&"diagnostic".into(), &"error".into()));
    assert!(error["diagnostic"]["summary"].as_str().unwrap().contains("--auto-approve"), "{error}");
    assert_eq!((&end["type"], &end["report"]["outcome"]), (&"run_complete".into(), &"refused".into()));

    let wrong = folder.run("wrong", &["apply", "--simulate", "--json", "--auto-approve"]);
    assert_eq!((wrong.code, wrong.err.as_str()), (Some(1), ""), "{wrong}");
    assert!(events(&wrong).iter().any(|event| event["@message"].as_str().unwrap().contains("field cidr")), "{wrong}");

    let failed = folder.run("taken", &["destroy", "--simulate", "--json", "--auto-approve"]);
    assert_eq!(failed.code, Some(0), "there is nothing to destroy: {failed}");
    let failed = folder.run("taken", &["apply", "--simulate", "--json", "--auto-approve"]);
    assert_eq!(failed.code, Some(1), "{failed}");
    let events = events(&failed);
    let errored = events.iter().find(|event| event["type"] == "apply_errored").unwrap();
    assert_eq!(errored["hook"]["resource"]["resource_type"], "aws_subnet");
    assert!(events.iter().any(|event| event["type"] == "diagnostic"), "{failed}");
    assert!(events.iter().any(|event| event["type"] == "apply_skipped"), "{failed}");
}

#[test]
fn variables_stand_in_for_flags() {
    let folder = Folder::new();
    let run = |variables: &[(&str, &str)]| {
        let mut command = folder.command("first", &["apply"]);
        command.envs(variables.iter().copied());
        ended(command.output().unwrap())
    };
    let simulate = ("PROVISION_SIMULATE", "1");
    let quiet = run(&[simulate, ("PROVISION_INPUT", "0")]);
    assert_eq!(quiet.code, Some(1));
    insta::assert_snapshot!("no_input", quiet.err);
    let empty =
        ["REPORT", "GENERATION", "REVISION", "LEASE", "INPUT", "CLI_ARGS"].map(|name| format!("PROVISION_{name}"));
    let empty: Vec<(&str, &str)> = empty.iter().map(|name| (name.as_str(), "")).chain([simulate]).collect();
    // Set to nothing is not set: it gets as far as to the question.
    let asked = run(&empty);
    assert!(asked.err.starts_with("error: nobody can be asked here"), "{asked}");
    let quote = run(&[simulate, ("PROVISION_CLI_ARGS", "--revision 'abc")]);
    assert_eq!(quote.code, Some(1));
    insta::assert_snapshot!("open_quote", quote.err);

    let args = ("PROVISION_CLI_ARGS_apply", "--auto-approve --revision 'abc123'");
    let applied = run(&[simulate, args, ("PROVISION_REPROT", "x.json"), ("PROVISION_IN_AUTOMATION", "1")]);
    assert_eq!(applied.code, Some(0), "{applied}");
    insta::assert_snapshot!("typo", applied.err);
    let listed = folder.run("first", &["state", "list", "--simulate"]);
    assert!(listed.out.contains("revision abc123"), "{listed}");
}
