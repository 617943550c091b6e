//! The example infrastructure, as the README shows it. Its whole life is a test of `infra-defs`.

use std::collections::BTreeMap;

use provision_core::sim::Tamper;

use crate::folder::{Ended, Folder};

#[test]
fn the_example_is_valid_and_closed_to_the_world() {
    let folder = Folder::new();
    insta::assert_snapshot!("validate", folder.run("company", &["validate"]));
    insta::assert_snapshot!("what_must_never_be", folder.run("company-open", &["plan", "--simulate"]));
    let reach = |from: &str, to: &str| folder.run("company", &["reach", from, to]).to_string();
    insta::assert_snapshot!(
        "reach",
        [
            reach("internet", "us-east.dispatchers.balancer:443"),
            reach("us-east.bastion.host", "eu-west.dispatchers.fleet:22"),
        ]
        .join("\n\n")
    );
}

/// Production waits for staging: a test that waited for it, too, would take a quarter of a minute.
#[test]
fn staging_is_applied_edited_and_repaired() {
    let folder = Folder::new();
    let staging = |code: &str, verb: &str, more: &[&str]| -> Ended {
        folder.run(code, &[&[verb, "--simulate", "--env", "staging"], more].concat())
    };
    let applied = staging("company", "apply", &["--auto-approve"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    insta::assert_snapshot!("table_of_blocks", without_times(&applied.out));
    let none = staging("company", "plan", &["--detailed-exitcode"]);
    assert_eq!(none.code, Some(0), "{none}");
    insta::assert_snapshot!("plan_of_an_edit", staging("company-larger", "plan", &[]));

    let group = folder.held_at("staging.security.bastion");
    let open = r#"[{"protocol":"tcp","from_port":22,"to_port":22,"cidr":"0.0.0.0/0"}]"#;
    let fields = BTreeMap::from([("ingress".to_owned(), serde_json::from_str(open).unwrap())]);
    folder.tamper(&Tamper::Set { id: group.id, fields });
    insta::assert_snapshot!("drift_of_a_group", folder.run("company", &["drift", "--simulate"]));
    insta::assert_snapshot!("plan_of_a_repair", staging("company", "plan", &[]));
}

/// The last table of a run, without the column of times.
fn without_times(out: &str) -> String {
    let table = out.lines().skip_while(|line| !line.starts_with("Block "));
    let cells =
        |line: &str| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect();
    let rows = table.map(|line| {
        let cells: Vec<String> = cells(line);
        match &cells[..] {
            [block, result, _, changes] => format!("{block:20} {result:10} {changes}"),
            _ => line.to_owned(),
        }
    });
    rows.collect::<Vec<_>>().join("\n")
}
