//! The text for a terminal.

use anstream::adapter::strip_str;
use proptest::prelude::*;
use provision_core::plan::{
    BlockPlan, Certainty, Mode, Moved, NewName, Outcome, Plan, Reason, ReplaceOrder, ResourcePlan,
};
use provision_core::value::{Fields, Tree, Value};

use super::super::text::text;
use super::super::value;
use super::plans::{addr, any_plan, differs, found, later, leaving, map, plan, replaces, resource, retirement};

fn plain(plan: &Plan, columns: usize) -> String {
    strip_str(&text(plan, columns)).to_string()
}

/// The lines of one resource.
fn lines(resource: ResourcePlan) -> String {
    let text = plain(&plan([("west.web.app", resource)]), 80);
    text.lines().skip(3).take_while(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect()
}

fn words(reasons: Vec<Reason>) -> String {
    lines(resource(&[Outcome::NoOp], reasons))
}

fn update(from: Value, to: Value) -> String {
    lines(resource(&[Outcome::Update], vec![differs("field", from, to.widen())]))
}

#[test]
fn environments_come_as_they_are_applied_and_what_was_asked_once_stands_once() {
    let of = |addr: &str| (addr.to_owned(), resource(&[Outcome::Create], vec![Reason::New]));
    let all = [of("a-prod.web.app"), of("b-staging.web.app")];
    let mut plan = plan(all.each_ref().map(|(addr, resource)| (addr.as_str(), resource.clone())));
    for (addr, block) in &mut plan.blocks {
        let BlockPlan::Planned(change) = block else { panic!("{addr} is planned") };
        let env = addr.dc.as_str().rsplit('-').next().unwrap();
        change.env = env.parse().unwrap();
    }
    for (name, id) in [("a-prod.web.image", "ami-1"), ("b-staging.web.image", "ami-2"), ("b-staging.db.image", "ami-2")]
    {
        plan.lookups.insert(addr(name), found(id, Fields::new()));
    }
    let text = plain(&plan, 80);
    assert!(text.find("b-staging  staging") < text.find("a-prod  prod"), "{text}");
    assert!(text.contains("  a-prod.web.image  aws_ami ami-1\n"), "{text}");
    assert!(text.contains("  b-staging.db.image, b-staging.web.image  aws_ami ami-2\n"), "{text}");
}

#[test]
fn each_mark_and_what_is_not_certain() {
    let mut new = resource(&[Outcome::Create], vec![Reason::New]);
    new.after =
        Some(map([("image", "ami-1".into()), ("subnet", later("west.net.a")), ("tags", Tree::Map(map([])))]).into());
    let forced = || vec![replaces("image", "ami-1".into(), "ami-2".into(), Certainty::Yes)];
    let mut create_first = resource(&[Outcome::Replace], forced());
    create_first.new_name = Some(NewName { field: "name".to_owned(), name: "app-2".to_owned() });
    let mut delete_first = resource(&[Outcome::Replace], forced());
    delete_first.order = ReplaceOrder::DeleteFirst;
    delete_first.reasons.push(Reason::KeyTaken { fields: vec!["vpc".to_owned(), "cidr".to_owned()] });
    let may = replaces("subnet", "s-1".into(), later("west.net.a"), Certainty::May);
    let may = resource(&[Outcome::NoOp, Outcome::Replace], vec![may]);
    let mut moved = resource(&[Outcome::NoOp], vec![Reason::MovedFrom { from: addr("west.old.app") }]);
    moved.moved = Some(Moved::In { from: addr("west.old.app") });
    let mut due = resource(&[Outcome::NoOp], vec![Reason::DeleteDue { id: "i-0".parse().unwrap() }]);
    due.retire = vec![retirement("i-0")];
    let trusted = Reason::OnTrust { field: "user_data".to_owned() };
    let adopted = vec![Reason::Adopted { id: "i-1".parse().unwrap() }, trusted];
    let adopted = resource(&[Outcome::Adopt], adopted);
    insta::assert_snapshot!(plain(
        &plan([
            ("west.a.adopted", adopted),
            ("west.a.create-first", create_first),
            ("west.a.delete-first", delete_first),
            ("west.a.due", due),
            ("west.a.gone", leaving()),
            ("west.a.may", may),
            ("west.a.moved", moved),
            ("west.a.new", new),
            ("west.a.still", resource(&[Outcome::NoOp], Vec::new())),
        ]),
        80
    ));
}

#[test]
fn why_nothing_happens_is_said() {
    insta::assert_snapshot!(words(vec![
        Reason::Kept { because: "used by west.app.a, which this run does not change".to_owned() },
        Reason::Ignored { field: "size".to_owned(), is: Some("large".into()), defined: "small".into() },
        Reason::NoLongerOurs { field: "hint".to_owned(), stays: "theirs".into() },
        Reason::Protection { prevent_destroy: true },
        Reason::RefsMoved,
    ]));
}

/// Whether that run was cut off or still goes on is not known here.
#[test]
fn an_open_call_is_told_as_what_is_known() {
    let open = words(vec![Reason::OpenCall { api: "CreateSubnet".to_owned() }]);
    assert!(open.contains("CreateSubnet of a run that has not finished is open: apply first finds out"), "{open}");
}

#[test]
fn checks_are_asked_where_an_apply_makes_or_changes_something() {
    let checked = |resource, mode| {
        let mut plan = plan([("west.web.app", resource)]);
        plan.mode = mode;
        for block in plan.blocks.values_mut() {
            let BlockPlan::Planned(change) = block else { panic!("it is planned") };
            change.checks = ["http".parse().unwrap()].into();
        }
        plain(&plan, 80).contains("then checked: http")
    };
    let new = || resource(&[Outcome::Create], vec![Reason::New]);
    assert!(checked(new(), Mode::Apply));
    assert!(!checked(leaving(), Mode::Apply) && !checked(leaving(), Mode::Destroy));
    let adopted = resource(&[Outcome::Adopt], vec![Reason::Adopted { id: "i-1".parse().unwrap() }]);
    assert!(!checked(adopted, Mode::Adopt));
}

#[test]
fn of_maps_and_lists_only_what_differs() {
    let from = map([("a", "1".into()), ("b", "1".into()), ("c", "1".into()), ("same", "x".into())]);
    let to = map([("b", "2".into()), ("c", "1".into()), ("new key", "3".into()), ("same", "x".into())]);
    insta::assert_snapshot!(update(Tree::Map(from), Tree::Map(to)));
    let list = |items: &[&str]| Value::List(items.iter().map(|item| (*item).into()).collect());
    insta::assert_snapshot!(update(list(&["a", "b", "c"]), list(&["a", "c", "d"])));
}

#[test]
fn texts_of_many_lines_and_long_ones() {
    let script: String = (1..30).map(|n| format!("echo {n}\n")).collect();
    insta::assert_snapshot!(update(script.as_str().into(), script.replace("echo 15", "echo fifteen").into()));
    let long = "x".repeat(500);
    insta::assert_snapshot!(update(format!("{long}a").into(), format!("{long}b").into()));
}

#[test]
fn a_long_plan_says_first_what_it_comes_to() {
    let new = || resource(&[Outcome::Create], vec![Reason::New]);
    let summary = "Plan: 1 to add, 0 to change, 0 to destroy.";
    let mut short = plan([("west.a.a", new())]);
    assert!(!plain(&short, 80).starts_with(summary));
    if let Some(BlockPlan::Planned(change)) = short.blocks.values_mut().next() {
        for n in 0..50 {
            change.resources.insert(format!("r{n}").parse().unwrap(), new());
        }
    }
    let long = plain(&short, 80);
    let summary = "Plan: 51 to add, 0 to change, 0 to destroy.";
    assert!(long.starts_with(summary) && long.ends_with(summary), "{long}");
}

#[test]
fn what_is_not_known_says_where_it_comes_from() {
    let value = Tree::List(vec![later("dc.net.main"), "x".into()]);
    assert_eq!(value::line(&value, 80), r#"[(known after apply: id of dc.net.main), "x"]"#);
}

#[test]
fn what_a_terminal_obeys_is_escaped_and_the_rest_is_not() {
    let hostile = "a\u{1b}[2Jb\u{9b}c\u{202e}d\u{7f}\r\n\u{0}";
    let safe = value::safe(hostile);
    assert_eq!(safe, "a\\u{1b}[2Jb\\u{9b}c\\u{202e}d\\u{7f}\\r\\n\\0");
    assert_eq!(value::safe(&safe), safe);
    let fine = r#"é 漢字 🦀 "x" 'y' \z e"#;
    assert_eq!(value::safe(fine), fine);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_plan_reaches_the_terminal(plan in any_plan(), columns in 20_usize..200) {
        let text = text(&plan, columns);
        // Styles of ours are the only control sequences.
        for c in strip_str(&text).to_string().chars() {
            prop_assert!(c == '\n' || !(c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}')), "{c:?}");
        }
        let sequences = text.split('\u{1b}').skip(1);
        for sequence in sequences {
            prop_assert!(sequence.starts_with(['[']) && sequence.split('m').next().unwrap_or_default()[1..].chars().all(|c| c.is_ascii_digit() || c == ';'));
        }
    }
}
