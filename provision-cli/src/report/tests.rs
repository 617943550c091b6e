//! What report files say.

use provision_core::exec::BlockResult;
use provision_core::stream::event::RunOutcome;
use roxmltree::{Document, Node};

use super::{ReportFile, json_document, junit, rfc3339, samples};

#[test]
fn only_known_endings_are_files() {
    for good in ["a.json", "dir/b.xml", "/x.y/z.json"] {
        assert!(good.parse::<ReportFile>().is_ok(), "{good} was refused");
    }
    for bad in ["", "a", "a.html", "json", "a.json/b", "a.JSON"] {
        assert!(bad.parse::<ReportFile>().unwrap_err().contains(".json"), "{bad} was accepted");
    }
}

#[test]
fn times_are_utc() {
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_millis(1_795_402_800_120);
    assert_eq!(rfc3339(at), "2026-11-23T03:00:00.120Z");
}

#[test]
fn the_report_as_json() {
    let document = json_document(&samples::account());
    // Everything but the blocks, and two of those.
    let mut head = document.clone();
    head["blocks"] = document["blocks"].as_array().unwrap().len().into();
    insta::assert_snapshot!("json_head", format!("{head:#}"));
    insta::assert_snapshot!("json_web", format!("{:#}", document["blocks"][3]));
    insta::assert_snapshot!("json_app", format!("{:#}", document["blocks"][4]));
}

/// A case: its name, what became of it, and the message.
fn cases(document: &str) -> Vec<String> {
    let document = Document::parse(document).unwrap();
    let result = |case: Node<'_, '_>| {
        let result = case.children().find(|child| ["failure", "error", "skipped"].contains(&child.tag_name().name()));
        result.map_or_else(
            || "ok".to_owned(),
            |result| format!("{}: {}", result.tag_name().name(), result.attribute("message").unwrap_or_default()),
        )
    };
    let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
    let attribute = |node: Node<'_, '_>, name| node.attribute(name).unwrap_or_default().to_owned();
    cases
        .map(|case| format!("{} {}: {}", attribute(case, "classname"), attribute(case, "name"), result(case)))
        .collect()
}

#[test]
fn the_report_as_junit() {
    let text = junit::document(&samples::account()).unwrap();
    let expected = [
        "eu-west bastion: ok",
        "eu-west bastion: check ssh: ok",
        "eu-west dns: ok",
        "eu-west queue: error: the run was interrupted",
        "eu-west web: failure: connection refused",
        "eu-west web: check http: failure: connection refused",
        "us-east app: skipped: us-east.network.main failed",
        "us-east database: error: its log is damaged: entry 7 is not signed",
        "us-east network: failure: CreateVpc was refused: VpcLimitExceeded: The maximum number of VPCs <5> has been \
         reached & no more",
    ];
    assert_eq!(cases(&text), expected);
    let document = Document::parse(&text).unwrap();
    let root = document.root_element();
    let counts = ["tests", "failures", "errors", "time"].map(|name| root.attribute(name).unwrap());
    assert_eq!(counts, ["9", "3", "2", "65.000"]);
    let suites: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testsuite")).collect();
    let times: Vec<_> =
        suites.iter().map(|suite| (suite.attribute("name").unwrap(), suite.attribute("time"))).collect();
    assert_eq!(times, [("eu-west", Some("62.500")), ("us-east", Some("1.234"))]);
    let environment = suites[0].descendants().find(|node| node.attribute("name") == Some("environment")).unwrap();
    assert_eq!(environment.attribute("value"), Some("prod"));
}

/// Consumers look for failures and errors: a run that did nothing at all must have some.
#[test]
fn a_refused_run_is_red() {
    let mut account = samples::account();
    account.outcome = RunOutcome::Refused;
    account.blocks.retain(|block| block.report.result == BlockResult::Skipped);
    assert_eq!(cases(&junit::document(&account).unwrap()), ["us-east app: error: us-east.network.main failed"]);
    account.blocks.clear();
    account.reason = Some("no store".to_owned());
    assert_eq!(cases(&junit::document(&account).unwrap()), [" run: error: no store"]);
}
