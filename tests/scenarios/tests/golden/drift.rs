//! `drift`: what somebody did behind our back, found without code and without changing anything.

use std::collections::BTreeMap;

use provision_core::call::Mark;
use provision_core::id::ObjectId;
use provision_core::sim::Tamper;
use serde_json::json;

use crate::folder::Folder;

const DRIFT: &[&str] = &["drift", "--simulate"];

#[test]
fn drift_is_found_field_by_field_and_nothing_is_changed() {
    let folder = Folder::new();
    folder.make_folder(".provision/simulated/state");
    insta::assert_snapshot!("drift_of_nothing", folder.run("first", DRIFT));
    folder.apply("first");
    let before = folder.files();
    let none = folder.run("first", DRIFT);
    assert_eq!(none.code, Some(0));
    assert_eq!(folder.files(), before, "it reads, and writes nothing anywhere");
    insta::assert_snapshot!("no_drift", none);

    let (vpc, subnet, group) = (folder.held("aws_vpc"), folder.held("aws_subnet"), folder.held("aws_security_group"));
    let set = |id: &ObjectId, field: &str, value: &str| Tamper::Set {
        id: id.clone(),
        fields: BTreeMap::from([(field.to_owned(), serde_json::from_str(value).unwrap())]),
    };
    folder.tamper(&set(&vpc.id, "tags", r#"{"team":"a\u001b[2Jb","\u009b1m":"x"}"#));
    folder.tamper(&set(&vpc.id, "dns_hostnames", "true"));
    folder.tamper(&Tamper::Mark { id: group.id.clone(), mark: None });
    folder.tamper(&Tamper::Remove { id: subnet.id.clone() });
    let mark = vpc.mark.clone().map(|mark| provision_core::call::Mark {
        incarnation: "0123456789abcdef0123456789abcdef".parse().unwrap(),
        ..mark
    });
    folder.tamper(&Tamper::Create {
        target: vpc.target.clone(),
        type_name: "aws_instance".parse().unwrap(),
        fields: BTreeMap::new(),
        mark,
        name: None,
    });

    let before = folder.files();
    let found = folder.run("first", DRIFT);
    assert_eq!(found.code, Some(2), "{found}");
    insta::assert_snapshot!("drift", found);
    let json = folder.run("first", &["drift", "--simulate", "--json"]);
    assert_eq!(json.code, Some(2));
    let report: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(report["dcs"]["west"]["drifted"]["west.network.main"]["fields"][0]["field"], "dns_hostnames");
    assert!(!json.out.contains(['\u{1b}', '\u{9b}']), "{json}");
    // Neither that the code has findings nor that a block has left it is in the way.
    assert_eq!(folder.run("wrong", DRIFT).out, found.out);
    assert_eq!(folder.run("no-web", DRIFT).out, found.out);
    assert_eq!(folder.files(), before, "it reads, and writes nothing anywhere");

    folder.apply("first");
    let rest = folder.run("first", DRIFT);
    assert_eq!(rest.code, Some(2), "{rest}");
    assert!(rest.out.contains("Drift: 0 changed, 0 missing, 1 unmanaged."), "{rest}");
}

#[test]
fn what_has_failed_is_drift_and_what_the_next_apply_sets_is_not() {
    let folder = Folder::new();
    folder.apply("no-web");
    let (vpc, subnet) = (folder.held("aws_vpc"), folder.held("aws_subnet"));
    // A group of ours that a log lost, under another name.
    let mark = vpc.mark.map(|mark| Mark { address: "west.web.old".parse().unwrap(), ..mark });
    let fields =
        json!({"vpc": vpc.id, "description": "the web", "name": "group", "ingress": [], "egress": [], "tags": {}});
    let group = folder.make("aws_security_group", fields, mark);
    let import = ["import", "west.web.group", group.as_str(), "--simulate", "--auto-approve"];
    assert_eq!(folder.run("first", &import).code, Some(0));
    let adopted = folder.run("first", DRIFT);
    assert_eq!(adopted.code, Some(0), "{adopted}");
    folder.tamper(&Tamper::Fail { id: subnet.id, reason: "the subnet is \u{1b}[2Jfailed".to_owned() });
    let found = folder.run("first", DRIFT);
    assert_eq!(found.code, Some(2), "{found}");
    insta::assert_snapshot!("drift_of_what_has_failed", found);
}

#[test]
fn objects_of_logs_that_are_lost_are_found_by_the_targets_of_the_code() {
    let folder = Folder::new();
    folder.apply("first");
    folder.lose_state();
    let found = folder.run("first", DRIFT);
    assert_eq!(found.code, Some(2), "{found}");
    assert!(found.out.contains("Drift: 0 changed, 0 missing, 3 unmanaged."), "{found}");
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let folder = Folder::new();
    folder.apply("first");
    folder.damage("block/west.web/00000000000000000002");
    let found = folder.run("first", DRIFT);
    assert_eq!(found.code, Some(1), "{found}");
    insta::assert_snapshot!("drift_beside_a_damaged_log", found);
}
