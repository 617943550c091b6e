//! The event stream, line by line.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use provision_core::id::{Generation, Nonce};
use provision_core::plan::{BlockPlan, Inputs, Missing, Mode, Outcome, Plan, Selection, World, plan};
use provision_core::progress::{CheckResult, Progress, Verb};

use super::*;
use crate::report::samples;

/// The plan of a small infrastructure in empty clouds.
fn example() -> Plan {
    let desired = super::sample::infrastructure().finish().unwrap();
    plan(Inputs {
        desired: &desired,
        recorded: &BTreeMap::new(),
        world: &World::default(),
        providers: &crate::clouds::providers(),
        revision: &"abc123".parse().unwrap(),
        generation: Generation(1),
        nonce: Nonce([7; 16]),
        mode: Mode::Apply,
        missing: Missing::Keep,
        selection: &Selection::default(),
        adoptions: &BTreeMap::new(),
        simulated: true,
    })
}

fn lines(events: &[Event]) -> String {
    let at = SystemTime::UNIX_EPOCH;
    events
        .iter()
        .map(|event| event.line(at).replace(r#""@timestamp":"1970-01-01T00:00:00.000Z","#, "") + "\n")
        .collect()
}

#[test]
fn every_line_has_the_four_keys_and_a_type() {
    let line: Value = serde_json::from_str(&version().line(SystemTime::UNIX_EPOCH)).unwrap();
    let keys: Vec<&String> = line.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["@level", "@message", "@module", "@timestamp", "provision", "type", "ui"]);
    assert_eq!(line["@timestamp"], "1970-01-01T00:00:00.000Z");
}

#[test]
fn a_run_as_events() {
    let plan = example();
    let mut stream = Stream::new(Some(&plan));
    let (vpc, block) = ("us-east.network.main".parse().unwrap(), "us-east.network".parse().unwrap());
    let check: provision_core::id::CheckName = "http".parse().unwrap();
    let failed = CheckResult::Failed { reason: "503".to_owned() };
    let events = [
        Progress::Claimed { block, run: plan.run_id() },
        Progress::Started { resource: vpc, verb: Verb::Create },
        Progress::Waiting { resource: "us-east.network.main".parse().unwrap(), why: "throttled".to_owned() },
        Progress::Finished {
            resource: "us-east.network.main".parse().unwrap(),
            verb: Verb::Create,
            id: Some("vpc-1".to_owned()),
            took_ms: 3_900,
        },
        Progress::Started { resource: "us-east.network.main".parse().unwrap(), verb: Verb::Update },
        Progress::Failed {
            resource: "us-east.network.main".parse().unwrap(),
            verb: Verb::Update,
            error: "refused".to_owned(),
        },
        Progress::Skipped {
            resource: "us-east.bastion.host".parse().unwrap(),
            verb: Verb::Create,
            why: "us-east.network.main failed".to_owned(),
        },
        Progress::Checking { block: "us-east.app".parse().unwrap(), check: check.clone(), what: "GET /".to_owned() },
        Progress::Checking { block: "us-east.app".parse().unwrap(), check: check.clone(), what: "503".to_owned() },
        Progress::Checked {
            block: "us-east.app".parse().unwrap(),
            check,
            result: failed,
            simulated: true,
            took_ms: 10_000,
        },
    ];
    let seen = events.iter().zip(0..).flat_map(|(event, at)| stream.see(event, Duration::from_secs(at)));
    let text = lines(&seen.collect::<Vec<_>>()).replace(plan.run_id().as_str(), "[run]");
    insta::assert_snapshot!("run", text.replace(plan.run_id().short(), "[run]"));
}

#[test]
fn what_still_runs_is_told_of_every_ten_seconds() {
    let mut stream = Stream::new(None);
    let started = Progress::Started { resource: "dc.net.main".parse().unwrap(), verb: Verb::Delete };
    stream.see(&started, Duration::from_secs(5));
    let told: Vec<u64> = (0..50).filter(|at| !stream.tick(Duration::from_secs(*at)).is_empty()).collect();
    assert_eq!(told, [15, 25, 35, 45]);
    let line = lines(&stream.tick(Duration::from_secs(60)));
    assert!(line.contains("dc.net.main: Still deleting... [55s elapsed]"), "{line}");
    assert_eq!((stream.interrupt().len(), stream.interrupt().len()), (1, 0));
}

#[test]
fn a_plan_as_events() {
    let mut plan = example();
    let outcomes: [&[Outcome]; 4] =
        [&[Outcome::Update], &[Outcome::Replace, Outcome::NoOp], &[Outcome::Delete], &[Outcome::NoOp]];
    let Some(BlockPlan::Planned(change)) = plan.blocks.get_mut(&"us-east.network".parse().unwrap()) else {
        panic!("the network is planned")
    };
    for (resource, allowed) in change.resources.values_mut().zip(outcomes) {
        resource.allowed = allowed.iter().copied().collect::<BTreeSet<_>>();
        resource.reasons.clear();
    }
    let events = planned(&plan);
    let of_network: Vec<Event> =
        events.iter().filter(|event| event.message.starts_with("us-east.network")).cloned().collect();
    insta::assert_snapshot!("plan", lines(&of_network));
    insta::assert_snapshot!("plan_summary", lines(&events[events.len() - 1..]));
}

#[test]
fn the_end_of_a_run_holds_the_report() {
    let events = run_complete(&samples::account());
    assert_eq!(events.len(), 2);
    insta::assert_snapshot!("end_summary", lines(&events[..1]));
    let end: Value = serde_json::from_str(&events[1].line(SystemTime::UNIX_EPOCH)).unwrap();
    assert_eq!(end["type"], "run_complete");
    assert_eq!(end["report"], crate::report::json_document(&samples::account()));
}

#[test]
fn an_error_names_what_it_is_about() {
    let error = diagnostic(Severity::Error, "no room", Some("dc.net.main".to_owned()));
    let warning = diagnostic(Severity::Warning, "odd", None);
    insta::assert_snapshot!("diagnostics", lines(&[error, warning]));
}
