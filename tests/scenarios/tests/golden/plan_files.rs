//! Plans as documents: in a file, as JSON for policies, as Markdown for reviews.

use regorus::Engine;
use serde_json::{Value, json};

use crate::folder::{Ended, Folder, ended};

const POLICY: &str = include_str!("../../policies/blast_radius.rego");

/// What a policy engine that knows nothing of us says of a plan.
fn asked(plan: &Ended, rule: &str) -> Value {
    let mut engine = Engine::new();
    engine.add_policy("blast_radius.rego".to_owned(), POLICY.to_owned()).unwrap();
    engine.set_input(regorus::Value::from_json_str(&plan.out).unwrap());
    let answer = engine.eval_rule(format!("data.terraform.analysis.{rule}")).unwrap();
    serde_json::from_str(&answer.to_json_str().unwrap()).unwrap()
}

/// The score of a plan, and whether that is little enough.
fn judged(folder: &Folder, code: &str) -> (Ended, Value, Value) {
    let plan = folder.run(code, &["plan", "--simulate", "--json"]);
    assert_eq!(plan.code, Some(0), "{plan}");
    let (score, authz) = (asked(&plan, "score"), asked(&plan, "authz"));
    (plan, score, authz)
}

#[test]
fn a_policy_for_terraform_reads_a_plan() {
    let folder = Folder::new();
    let (new, score, authz) = judged(&folder, "first");
    // A VPC, a subnet and a security group: 10 + 5 + 12.
    assert_eq!((score, authz), (json!(27), json!(true)));
    assert_eq!(asked(&new, "deny"), json!([]), "the VPC of the group is not known yet, and said to be");
    folder.apply("first");
    let (_, score, authz) = judged(&folder, "first");
    assert_eq!((score, authz), (json!(0), json!(true)));
    let (updated, score, authz) = judged(&folder, "other-port");
    assert_eq!((score, authz, asked(&updated, "replaced")), (json!(1), json!(true), json!([])));
    let (replaced, score, authz) = judged(&folder, "other-description");
    assert_eq!((score, authz), (json!(32), json!(false)));
    assert_eq!(asked(&replaced, "replaced"), json!(["west.web.group"]));
    let (_, score, _) = judged(&folder, "no-web");
    assert_eq!(score, json!(20));
}

#[test]
fn a_plan_in_a_file_is_shown_anywhere_as_it_was() {
    let folder = Folder::new();
    let planned = folder.run("first", &["plan", "--simulate", "--out", "the first.plan"]);
    assert_eq!(planned.code, Some(0), "{planned}");
    insta::assert_snapshot!("where_the_plan_is", planned.out.lines().last().unwrap_or_default());

    // With definitions that are wrong, and without a store.
    let shown = folder.run("wrong", &["show", "the first.plan"]);
    assert_eq!((shown.code, shown.err.as_str()), (Some(0), ""));
    let (title, text) = shown.out.split_once("\n\n").unwrap();
    assert_eq!(title, "Plan [8 hex] of golden  generation 1, revision unversioned, simulated");
    assert!(planned.out.contains(text), "{text}");

    folder.apply("first");
    for form in ["--json", "--markdown"] {
        let document = folder.run("other-description", &["plan", "--simulate", form, "--out", "second.plan"]);
        assert_eq!(document.code, Some(0), "{document}");
        let shown = folder.run("wrong", &["show", form, "second.plan"]);
        assert_eq!((shown.code, &shown.out), (Some(0), &document.out));
        assert!(document.err.contains("reading the logs") && document.err.contains("The plan is in second.plan"));
    }
    let markdown = folder.run("", &["show", "second.plan", "--markdown"]).out;
    insta::assert_snapshot!("comment_on_a_replacement", markdown);
    let document: Value = serde_json::from_str(&folder.run("", &["show", "second.plan", "--json"]).out).unwrap();
    let group =
        document["resource_changes"].as_array().unwrap().iter().find(|change| change["name"] == "group").unwrap();
    insta::assert_snapshot!("json_of_a_replacement", serde_json::to_string_pretty(group).unwrap());
}

/// `/dev/full` takes nothing. Whoever goes away takes no more either, but nothing is lost on him.
#[test]
fn a_document_that_cannot_be_written_is_an_error() {
    let folder = Folder::new();
    assert_eq!(folder.run("first", &["plan", "--simulate", "--out", "my plan"]).code, Some(0));
    folder.apply("first");
    let documents: [&[&str]; 4] = [
        &["show", "--json", "my plan"],
        &["show", "--markdown", "my plan"],
        &["output", "--simulate", "--raw", "west.network.team"],
        &["state", "list", "--simulate"],
    ];
    for document in documents {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let lost = ended(folder.command("first", document).stdout(full).output().unwrap());
        assert_eq!(lost.code, Some(1), "{document:?}: {lost}");
        assert!(lost.err.contains("standard output can't be written: No space left"), "{document:?}: {lost}");
        let mut unread = folder.start("first", document);
        drop(unread.stdout.take());
        assert!(unread.wait().unwrap().success(), "{document:?}");
    }
}

#[test]
fn what_is_no_plan_is_refused() {
    let folder = Folder::new();
    folder.run("first", &["plan", "--simulate", "--out", "good.plan"]);
    let good = folder.file("good.plan");
    let half = good.get(..good.len() / 2).unwrap();
    folder.write("cut.plan", half);
    folder.write("altered.plan", &good.replace("10.0.1.0/24", "10.0.2.0/24"));
    folder.write("newer.plan", &good.replace(r#""version":1"#, r#""version":2"#));
    folder.write("other.plan", "{}");
    let mut all = String::new();
    for file in ["cut.plan", "altered.plan", "newer.plan", "other.plan", "none.plan", "."] {
        let shown = folder.run("first", &["show", file]);
        assert_eq!((shown.code, shown.out.as_str()), (Some(1), ""), "{file}");
        // Digests differ from run to run.
        all.extend(
            shown.err.split(' ').map(|word| if word.len() > 60 { "[digest] ".to_owned() } else { format!("{word} ") }),
        );
    }
    insta::assert_snapshot!("what_is_no_plan", all);
    // Nobody ever writes to the other end of the pipe.
    folder.make_pipe("pipe.plan");
    assert_eq!(folder.run("first", &["show", "pipe.plan"]).code, Some(1));
    let folder_given = folder.run("first", &["plan", "--simulate", "--out", "."]);
    assert_eq!(folder_given.code, Some(1), "{folder_given}");
    assert_eq!(folder.file("good.plan"), good);
    assert_eq!(folder.run("first", &["plan", "--json", "--markdown"]).code, Some(1));
}
