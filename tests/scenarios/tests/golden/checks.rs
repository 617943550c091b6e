//! Health checks, which the simulated cloud answers: later environments wait for them.

use serde_json::{Value, json};

use crate::folder::{Ended, Folder, ended};

const APPLY: &[&str] = &["apply", "--simulate", "--auto-approve", "--report", "r.json"];

fn lines_of(ended: &Ended, block: &str) -> String {
    let lines: Vec<&str> =
        ended.out.lines().filter(|line| line.starts_with(block) && !line.contains("skipped")).collect();
    lines.join("\n")
}

/// The last run, as `run show` tells it.
fn shown(folder: &Folder) -> Ended {
    let runs = folder.command("checked", &["run", "list", "--simulate", "--json"]).output().unwrap();
    let runs: Value = serde_json::from_slice(&runs.stdout).unwrap();
    folder.run("checked", &["run", "show", "--simulate", runs["runs"][0]["id"].as_str().unwrap()])
}

fn report(folder: &Folder) -> Value {
    serde_json::from_str(&folder.file("r.json")).unwrap()
}

#[test]
fn a_check_that_passes_lets_production_go_on() {
    let folder = Folder::new();
    let applied = folder.run("checked", APPLY);
    assert_eq!((applied.code, folder.cloud().len()), (Some(0), 2), "{applied}");
    insta::assert_snapshot!("check_that_passes", lines_of(&applied, "west.site: check"));
    let report = report(&folder);
    let check = &report["blocks"][1]["checks"][0];
    assert_eq!((&check["result"], &check["simulated"]), (&"passed".into(), &true.into()), "{report}");
    assert!(shown(&folder).out.contains("  check ssh: passed (simulated)\n"), "{}", shown(&folder));
}

#[test]
fn a_check_that_fails_keeps_production_as_it_is() {
    let folder = Folder::new();
    let mut command = folder.command("checked", APPLY);
    command.env("PROVISION_SIMULATE_UNHEALTHY", "west.site");
    let applied = ended(command.output().unwrap());
    assert_eq!((applied.code, folder.cloud().len()), (Some(1), 1), "{applied}");
    insta::assert_snapshot!("check_that_fails", lines_of(&applied, "west.site: check"));
    insta::assert_snapshot!("what_waits_for_it", lines_of(&applied, "central.site"));
    insta::assert_snapshot!("run_whose_check_failed", shown(&folder));
    let report = report(&folder);
    let results = ["central.site", "west.site"].map(|name| {
        let blocks = report["blocks"].as_array().unwrap();
        let block = blocks.iter().find(|block| block["name"] == name).unwrap();
        ["result", "cause"].map(|key| block[key].as_str().unwrap_or_default().to_owned())
    });
    let cause = "west.site, check ssh";
    assert_eq!(results, [["skipped", cause], ["failed", cause]], "{report}");
}

#[test]
fn an_adoption_asks_no_checks_and_is_done_without_them() {
    let folder = Folder::new();
    let fields = json!({"cidr": "10.0.0.0/16", "dns_support": true, "dns_hostnames": false, "tags": {}});
    let vpc = folder.make("aws_vpc", fields, None);
    let imported = folder.run("checked", &["import", "west.site.main", vpc.as_str(), "--simulate", "--auto-approve"]);
    assert_eq!(imported.code, Some(0), "{imported}");
    assert!(imported.out.contains("\nwest.site: done after "), "{imported}");
    assert!(!imported.out.contains("checked"), "{imported}");
}
