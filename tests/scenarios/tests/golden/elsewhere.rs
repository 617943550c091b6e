//! What comes from elsewhere: lookups, and refs of another data centre.

use provision_core::id::ObjectId;
use provision_core::sim::Tamper;
use serde_json::json;

use crate::folder::Folder;

const PLAN: &[&str] = &["plan", "--simulate"];

/// Somebody offers an image.
fn image(folder: &Folder, name: &str) -> ObjectId {
    folder.make("aws_ami", json!({"owner": "099720109477", "name": name}), None)
}

#[test]
fn a_lookup_is_part_of_the_plan_and_of_the_log() {
    let folder = Folder::new();
    let planned = folder.run("image", PLAN);
    assert_eq!(planned.code, Some(0), "{planned}");
    insta::assert_snapshot!("plan_with_a_lookup", planned.out);
    insta::assert_snapshot!(
        "plan_with_a_lookup_as_markdown",
        folder.run("image", &[PLAN, &["--markdown"]].concat()).out
    );
    let json = folder.run("image", &[PLAN, &["--json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let found = &json["provision"]["lookups"]["west.images.linux"];
    assert_eq!(found["query"]["type_name"], "aws_ami");
    assert_eq!(found["id"], "ami-[id]");
    let host = json["resource_changes"].as_array().unwrap().iter().find(|change| change["name"] == "host").unwrap();
    assert_eq!(host["change"]["after"]["ami"], "ami-[id]", "it is known");

    folder.apply("image");
    assert_eq!(folder.run("image", &[PLAN, &["--detailed-exitcode"]].concat()).code, Some(0));
    let shown = folder.run("", &["state", "show", "west.machine", "--simulate"]);
    let found: Vec<&str> = shown.out.lines().filter(|line| line.contains("found")).collect();
    insta::assert_snapshot!("what_a_block_found", found.join("\n"));
    assert_eq!(folder.run("image", &["drift", "--simulate"]).code, Some(0), "nothing has to be looked up for it");
    let graph = folder.run("image", &["graph", "west.machine"]);
    assert!(graph.out.contains(r#""west.machine.host" -> "west.images.linux";"#), "{graph}");
    // What goes needs no image.
    let gone = folder.run("image", &["destroy", "--simulate", "--auto-approve"]);
    assert_eq!(gone.code, Some(0), "{gone}");
}

#[test]
fn a_plan_in_a_file_keeps_its_answers() {
    let folder = Folder::new();
    let first = image(&folder, "linux-1");
    let planned = folder.run("image", &[PLAN, &["--out", "p.plan"]].concat());
    assert_eq!(planned.code, Some(0), "{planned}");
    // A newer image comes before the plan is applied.
    let second = image(&folder, "linux-2");
    let applied = folder.run("image", &["apply", "--simulate", "--auto-approve", "p.plan"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    let ami = || folder.held("aws_instance").fields["ami"].as_text().map(str::to_owned);
    assert_eq!(ami().as_deref(), Some(first.as_str()), "what was approved is done");

    let planned = folder.run("image", PLAN);
    assert!(planned.out.contains(second.as_str()) || planned.out.contains("ami-[id]"), "{planned}");
    insta::assert_snapshot!("plan_of_another_answer", planned.out);
    folder.apply("image");
    let history = folder.run("", &["state", "history", "west.machine", "--simulate"]);
    let found: Vec<&str> = history.out.lines().filter(|line| line.contains(" found ami-")).collect();
    assert_eq!(found.len(), 2, "which image it was when:\n{history}");
    insta::assert_snapshot!("history_of_a_lookup", found.join("\n"));
}

#[test]
fn a_lookup_that_is_not_one_object_is_refused() {
    let folder = Folder::new();
    let bsd = image(&folder, "bsd-1");
    let none = folder.run("image", PLAN);
    assert_eq!(none.code, Some(1), "{none}");
    insta::assert_snapshot!("lookup_that_finds_none", none);
    // Both have a field of the name, so the newest of them is not asked for.
    for id in [bsd, image(&folder, "linux-2")] {
        let fields = [("name".to_owned(), "linux-2".into()), ("newest".to_owned(), true.into())].into();
        folder.tamper(&Tamper::Set { id, fields });
    }
    let several = folder.run("image", PLAN);
    insta::assert_snapshot!("lookup_that_finds_several", several.err);
}

#[test]
fn a_crossing_is_in_the_order_the_graph_and_the_log() {
    let folder = Folder::new();
    let planned = folder.run("crossing", PLAN);
    insta::assert_snapshot!("plan_of_a_crossing", planned.out);
    folder.apply("crossing");
    let (west, east) = (folder.run("", &["output", "west.network.vpc", "--raw", "--simulate"]), folder.cloud());
    assert_eq!(west.code, Some(0), "{west}");
    assert_eq!(east.len(), 3);
    insta::assert_snapshot!("graph_of_a_crossing", folder.run("crossing", &["graph", "--format", "mermaid"]).out);
    insta::assert_snapshot!(
        "block_with_a_crossing",
        folder.run("", &["state", "show", "east.network", "--simulate"]).out
    );
    // What is used goes last, in the other data centre too.
    let narrow = folder.run("crossing", &["destroy", "--simulate", "--auto-approve", "--dc", "west"]);
    assert!(narrow.out.contains("kept: used by east.network.main, which this run does not change"), "{narrow}");
    let gone = folder.run("crossing", &["destroy", "--simulate", "--auto-approve"]);
    assert_eq!(gone.code, Some(0), "{gone}");
}
