//! `import` and `adopt`: objects that somebody else made become ours as they are; the next plan shows the true difference.

use provision_core::call::Mark;
use provision_core::id::ObjectId;
use serde_json::{Value, json};

use crate::folder::{Ended, Folder};

const PLAN: &[&str] = &["plan", "--simulate", "--detailed-exitcode"];

fn vpc(folder: &Folder, tags: Value) -> ObjectId {
    let fields = json!({"cidr": "10.0.0.0/16", "dns_support": true, "dns_hostnames": false, "tags": tags});
    folder.make("aws_vpc", fields, None)
}

fn subnet(folder: &Folder, vpc: &ObjectId, tags: Value) -> ObjectId {
    let fields = json!({"vpc": vpc, "zone": "us-west-2a", "cidr": "10.0.1.0/24", "public_ip": true, "tags": tags});
    folder.make("aws_subnet", fields, None)
}

fn group(folder: &Folder, vpc: &ObjectId) -> ObjectId {
    let ingress = json!([{"cidr": "192.0.2.0/24", "from_port": 443, "protocol": "tcp", "to_port": 443}]);
    let egress = json!([{"cidr": "0.0.0.0/0", "protocol": "all"}]);
    let fields = json!({"vpc": vpc, "description": "the web", "name": "group", "ingress": ingress, "egress": egress, "tags": {}});
    folder.make("aws_security_group", fields, None)
}

fn run(folder: &Folder, args: &[&str]) -> Ended {
    folder.run("first", &[args, &["--simulate", "--auto-approve"]].concat())
}

/// What there is to say of something that is refused.
fn refused(folder: &Folder, args: &[&str]) -> String {
    let ended = run(folder, args);
    assert_eq!(ended.code, Some(1), "{ended}");
    ended.err
}

#[test]
fn objects_that_are_named_are_taken_over_as_they_are() {
    let folder = Folder::new();
    let vpc = vpc(&folder, json!({}));
    let subnet = subnet(&folder, &vpc, json!({}));
    let (main, public) = (format!("main={vpc}"), format!("public={subnet}"));
    let before = folder.cloud();
    // The subnet refers to a VPC that is taken over with it.
    let adopted = run(&folder, &["adopt", "west.network", &main, &public]);
    assert_eq!((adopted.code, folder.cloud()), (Some(0), before), "nothing is called: {adopted}");
    insta::assert_snapshot!(
        "adopt",
        adopted.out.lines().take_while(|line| !line.contains("claimed")).collect::<Vec<_>>().join("\n")
    );
    insta::assert_snapshot!("adopted", adopted.did());

    let group = group(&folder, &vpc);
    let imported = run(&folder, &["import", "west.web.group", group.as_str()]);
    assert_eq!(imported.code, Some(0), "{imported}");
    insta::assert_snapshot!("plan_after_adopting", folder.run("first", PLAN));
    folder.apply("first");
    assert_eq!((folder.run("first", PLAN).code, folder.cloud().len()), (Some(0), 3));
    let destroyed = run(&folder, &["destroy"]);
    assert_eq!((destroyed.code, folder.cloud().len()), (Some(0), 0), "{destroyed}");
}

#[test]
fn objects_are_found_by_their_tags() {
    let folder = Folder::new();
    let team = json!({"team": "old", "site": "a"});
    let ours = vpc(&folder, team.clone());
    vpc(&folder, json!({"team": "other", "site": "a"}));
    let adopt: &[&str] = &["adopt", "west.network", "--tag", "team=old", "--tag", "site=a"];
    // Only one of two resources is there.
    insta::assert_snapshot!("not_all_are_found", run(&folder, adopt));
    assert!(!folder.run("first", &["state", "list", "--simulate"]).out.contains("main"), "nothing was taken over");

    let elsewhere = vpc(&folder, team.clone());
    subnet(&folder, &elsewhere, team.clone());
    subnet(&folder, &ours, team);
    insta::assert_snapshot!("several_fit", run(&folder, adopt));
    folder.tamper(&provision_core::sim::Tamper::Set {
        id: elsewhere,
        fields: serde_json::from_value(json!({"cidr": "10.9.0.0/16"})).unwrap(),
    });
    // Of two subnets, the one in the VPC that is taken over too.
    let adopted = run(&folder, adopt);
    assert_eq!(adopted.code, Some(0), "{adopted}");
    let listed = folder.run("first", &["state", "list", "--simulate"]);
    assert!(listed.out.contains("west.network.public"), "{listed}");
    insta::assert_snapshot!("plan_after_finding", folder.run("first", &[PLAN, &["--block", "west.network"]].concat()));
    insta::assert_snapshot!("nothing_left_to_find", run(&folder, &[adopt, &["--report", "r.json"]].concat()));
    // That is what was to be reached.
    let report: Value = serde_json::from_str(&folder.file("r.json")).unwrap();
    assert_eq!((&report["outcome"], &report["blocks"][0]["result"]), (&json!("succeeded"), &json!("unchanged")));
    let end = run(&folder, &[adopt, &["--json"]].concat()).out;
    let end: Value = serde_json::from_str(end.lines().last().unwrap()).unwrap();
    let message = "Adoption complete! Resources: 0 added, 0 changed, 0 destroyed (simulated).";
    assert_eq!(end["@message"], message);
}

#[test]
fn objects_are_found_by_their_names() {
    let folder = Folder::new();
    let vpc = vpc(&folder, json!({"Name": "main"}));
    group(&folder, &vpc);
    let partial = run(&folder, &["adopt", "west.network", "--by-name", "--partial"]);
    assert_eq!(partial.code, Some(0), "{partial}");
    assert!(partial.out.contains("west.network.public: no aws_subnet fits\n"), "{partial}");
    // What it uses has an object already, so its id is known.
    let subnet = subnet(&folder, &vpc, json!({}));
    let imported = run(&folder, &["import", "west.network.public", subnet.as_str()]);
    assert!(imported.code == Some(0) && !imported.out.contains("may force"), "{imported}");
    // By the field, not by a tag.
    let adopted = run(&folder, &["adopt", "west.web", "--by-name"]);
    assert_eq!(adopted.code, Some(0), "{adopted}");
    assert_eq!(folder.run("first", &[PLAN, &["--block", "west.web"]].concat()).code, Some(0));
}

/// They carry our marks, and are not left alone.
#[test]
fn what_a_lost_log_had_is_taken_over_anew() {
    let folder = Folder::new();
    folder.apply("no-web");
    let named =
        [("main", "aws_vpc"), ("public", "aws_subnet")].map(|(name, kind)| format!("{name}={}", folder.held(kind).id));
    folder.lose_state();
    let [main, public] = &named;
    // One of the two stays behind.
    let half = run(&folder, &["adopt", "west.network", main]);
    assert_eq!(half.code, Some(0), "{half}");
    let notes: Vec<&str> = half.out.lines().filter(|line| line.starts_with("note:")).collect();
    insta::assert_snapshot!("notes_on_what_stays_behind", notes.join("\n"));
    let rest = run(&folder, &["adopt", "west.network", public]);
    assert!(rest.code == Some(0) && !rest.out.contains("left alone"), "{rest}");
}

/// Nobody knows what stands in the log, so the mark is believed.
#[test]
fn what_a_damaged_log_may_have_is_not_taken_over() {
    let folder = Folder::new();
    let both = folder.run("app", &["apply", "--simulate", "--auto-approve", "--block", "west.network,west.web"]);
    assert_eq!(both.code, Some(0), "{both}");
    folder.spoil("west.web");
    let group = folder.held("aws_security_group").id;
    let refused = folder.run("app", &["import", "west.app.inside", group.as_str(), "--simulate", "--auto-approve"]);
    assert_eq!(refused.code, Some(1), "{refused}");
    insta::assert_snapshot!("what_a_damaged_log_may_have", refused.err);
}

#[test]
fn what_cannot_be_taken_over_is_refused_with_the_reason() {
    let folder = Folder::new();
    folder.apply("no-web");
    let (vpc, mark) = { (folder.held("aws_vpc").id, folder.held("aws_vpc").mark) };
    let group = group(&folder, &vpc);
    let theirs = mark.map(|mark| Mark { infra: "theirs".parse().unwrap(), ..mark });
    let foreign = folder.make("aws_security_group", json!({"vpc": vpc, "description": "the web"}), theirs);
    let mut all = String::new();
    let import = |id: &str| refused(&folder, &["import", "west.web.group", id]);
    all.push_str(&import(vpc.as_str()));
    all.push_str(&import("sg-none"));
    all.push_str(&import(foreign.as_str()));
    all.push_str(&refused(&folder, &["import", "west.network.main", group.as_str()]));
    assert_eq!(run(&folder, &["import", "west.web.group", group.as_str()]).code, Some(0));
    let again = run(&folder, &["import", "west.web.group", group.as_str()]);
    assert!(again.code == Some(0) && again.out.contains("There is nothing to take over."), "{again}");
    all.push_str(&import(vpc.as_str()));
    all.push_str(&refused(&folder, &["import", "west.web.grop", "sg-1"]));
    all.push_str(&refused(&folder, &["import", "west.wep.group", "sg-1"]));
    all.push_str(&refused(&folder, &["adopt", "west.network", "main=x-1", "public=x-1"]));
    all.push_str(&refused(&folder, &["adopt", "west.network", "--tag", "a=1", "--tag", "a=2"]));
    let errors: Vec<&str> = all.lines().filter(|line| line.starts_with("error")).collect();
    insta::assert_snapshot!("what_cannot_be_taken_over", errors.join("\n"));
}
