//! Plans as files: what was sealed comes back, and nothing else does.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::support::{With, addr, id, plan, resource, target};
use crate::id::Digest;
use crate::plan::{
    BlockPlan, Certainty, MOST_BYTES, Missing, Moved, NewName, Note, Outcome, Plan, Reason, ReplaceOrder, Retirement,
    SealedError, open, seal,
};
use crate::value::{OutputRef, Piece, Symbol, Tree, Value};

/// A plan with something of everything that a plan can hold.
fn rich() -> Plan {
    let output = OutputRef { resource: addr("dc.net.main"), output: "id".to_owned() };
    let text = Tree::Symbol(Symbol::Text(vec![Piece::Literal("at \"".to_owned()), Piece::Output(output.clone())]));
    let value: Value =
        Tree::Map(BTreeMap::from([("$ref".to_owned(), (-1).into()), ("é\u{1b}".to_owned(), Tree::Null)]));
    let field = |to, replaces| Reason::Field {
        field: "place".to_owned(),
        from: Some(value.clone()),
        to,
        replaces,
        differs: Certainty::Yes,
    };
    let (one, two) = (id("thing-1"), id("thing-2"));
    let mut web = resource(&[Outcome::NoOp, Outcome::Update, Outcome::Replace])
        .uses(&["dc.net.main"])
        .users(&["east.app.a"])
        .existing("thing-1")
        .fields(&["place", "size"]);
    web.reasons = vec![
        Reason::New,
        Reason::Gone { id: one.clone() },
        field(Tree::Symbol(Symbol::Output(Box::new(output))), Certainty::May),
        field(text, Certainty::No),
        Reason::MarkLost,
        Reason::NotReady,
        Reason::LeftCode,
        Reason::DestroyAsked,
        Reason::DeleteDue { id: two.clone() },
        Reason::OpenCall { api: "Make".to_owned() },
        Reason::MayBeMadeAgain { api: "Make".to_owned() },
        Reason::Kept { because: "used".to_owned() },
        Reason::MovedFrom { from: addr("dc.old.web") },
        Reason::MovedTo { to: addr("dc.new.web") },
        Reason::RefsMoved,
        Reason::Protection { prevent_destroy: true },
        Reason::Ignored { field: "size".to_owned(), is: None, defined: "small".into() },
        Reason::KeyTaken { fields: vec!["place".to_owned()] },
        Reason::UsesWhatGoesFirst { resource: addr("dc.net.main") },
        Reason::Adopted { id: one },
        Reason::NoLongerOurs { field: "hint".to_owned(), stays: true.into() },
    ];
    web.order = ReplaceOrder::DeleteFirst;
    web.moved = Some(Moved::In { from: addr("dc.old.web") });
    web.before = Some(BTreeMap::from([("place".to_owned(), value)]));
    web.after = Some(BTreeMap::from([("place".to_owned(), "south".into())]).into());
    web.new_name = Some(NewName { field: "name".to_owned(), name: "web-1".to_owned() });
    web.retire = vec![Retirement { id: two, type_name: "toy_thing".parse().unwrap(), target: target() }];
    let mut plan = plan([("dc.net.main", resource(&[Outcome::Create])), ("dc.web.web", web)], &[("dc.web", "dc.net")]);
    plan.blocks.insert("east.app".parse().unwrap(), BlockPlan::Refused { problem: "its log is damaged".to_owned() });
    if let Some(BlockPlan::Planned(change)) = plan.blocks.get_mut(&"dc.web".parse().unwrap()) {
        change.targets.insert("toy".parse().unwrap(), target());
        change.checks.insert("http".parse().unwrap());
        change.definition = Some(Digest::of(b"web"));
    }
    plan.selection.envs.insert("staging".parse().unwrap());
    plan.notes = vec![
        Note::Unmanaged { address: addr("dc.net.x"), type_name: "toy_thing".parse().unwrap(), id: id("thing-9") },
        Note::BlockKept { block: "dc.gone".parse().unwrap(), because: "older".to_owned() },
    ];
    plan
}

/// The sealed plan with a part of its text replaced.
fn with(part: &str, other: &str) -> Result<Plan, SealedError> {
    let text = String::from_utf8(seal(&rich())).unwrap();
    assert!(text.contains(part), "{part} is not in {text}");
    open(text.replacen(part, other, 1).as_bytes())
}

/// The document of a plan that no planner makes, with the right digest.
fn made(change: impl FnOnce(&mut Plan)) -> String {
    let mut plan = rich();
    change(&mut plan);
    match open(&seal(&plan)) {
        Err(SealedError::Inconsistent(what)) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_sealed_comes_back() {
    assert_eq!(open(&seal(&rich())), Ok(rich()));
    assert_eq!(open(&seal(&plan([], &[]))), Ok(plan([], &[])));
}

#[test]
fn a_file_that_is_cut_off_is_no_plan() {
    let sealed = seal(&rich());
    for end in 1..sealed.len() - 1 {
        assert_eq!(open(&sealed[..end]), Err(SealedError::Truncated), "{end} of {} bytes", sealed.len());
    }
    assert_eq!(open(b""), Err(SealedError::NotAPlan));
}

#[test]
fn a_byte_that_was_changed_is_noticed_or_changes_nothing() {
    let (sealed, plan) = (seal(&rich()), rich());
    let mut same = 0;
    for place in 0..sealed.len() {
        let mut bytes = sealed.clone();
        for other in
            [0, b' ', b'"', b'0', b'7', b'{', b'}', b',', b'a', b'z', 0xff, sealed[place] ^ 1, sealed[place] ^ 32]
        {
            bytes[place] = other;
            match open(&bytes) {
                Ok(opened) => {
                    assert_eq!(opened, plan, "byte {place} as {other}");
                    same += usize::from(other != sealed[place]);
                }
                Err(_) => assert_ne!(other, sealed[place]),
            }
        }
    }
    assert!(same < 20, "{same} changes made no difference: white space and the case of the nonce's digits alone may");
}

#[test]
fn each_way_to_be_no_plan_has_its_words() {
    let json = br#"{"format_version":"1.2","resource_changes":[]}"#;
    for other in [json.as_slice(), b"PK\x03\x04", b"[]", b"7", br#"{"format":"other","version":1}"#] {
        assert_eq!(open(other), Err(SealedError::NotAPlan));
    }
    assert_eq!(with(r#""version":1"#, r#""version":2"#), Err(SealedError::Newer { found: "2".to_owned() }));
    assert!(matches!(with(r#""version":1"#, r#""version":0"#), Err(SealedError::Malformed(_))));
    let altered = with(r#""generation":1"#, r#""generation":2"#);
    assert!(matches!(altered, Err(SealedError::Altered { .. })), "{altered:?}");
    assert_eq!(open(&vec![b' '; MOST_BYTES + 1]), Err(SealedError::TooLarge));
}

#[test]
fn unknown_keys_and_keys_that_stand_twice_are_refused_wherever_they_are() {
    let twice = [
        (r#""infra":"wix""#, r#""infra":"wix","infra":"wix""#),
        (r#""dc.net":{"#, r#""dc.net":{"refused":{"problem":""}},"dc.net":{"#),
        (r#""$$ref":-1"#, r#""$$ref":-1,"$$ref":-1"#),
        (r#""digest":"#, r#""digest":"","digest":"#),
    ];
    let unknown = [
        (r#""infra":"wix""#, r#""infra":"wix","x":1"#),
        (r#"{"api":"Make"}"#, r#"{"api":"Make","x":1}"#),
        (r#"{"problem":"#, r#"{"x":1,"problem":"#),
        (r#"{"from":"dc.old.web"}"#, r#"{"from":"dc.old.web","x":1}"#),
        (r#""because":"older""#, r#""because":"older","x":1"#),
        (r#""name":"web-1""#, r#""name":"web-1","x":1"#),
        (r#"{"format""#, r#"{"x":1,"format""#),
    ];
    for (part, other) in twice.into_iter().chain(unknown) {
        let opened = with(part, other);
        assert!(matches!(opened, Err(SealedError::Malformed(_))), "{part} as {other}: {opened:?}");
    }
}

#[test]
fn deep_nesting_and_many_values_are_refused() {
    let text = String::from_utf8(seal(&rich())).unwrap();
    for (open_one, close_one) in [("[", "]"), (r#"{"a":"#, "}"), (r#"{"$text":["#, "]}")] {
        let deep = [&open_one.repeat(200_000), "1", &close_one.repeat(200_000)].concat();
        for document in [text.replacen(r#""defined":"small""#, &format!(r#""defined":{deep}"#), 1), deep] {
            assert!(open(document.as_bytes()).is_err());
        }
    }
    let many = "{},".repeat(3 << 20);
    let many = text.replacen(r#""defined":"small""#, &format!(r#""defined":[{many}1]"#), 1);
    assert!(matches!(open(many.as_bytes()), Err(SealedError::Malformed(what)) if what.contains("more in it")));
}

#[test]
fn a_plan_that_contradicts_itself_is_refused_though_its_digest_is_right() {
    let twice = made(|plan| plan.environments.push("staging".parse().unwrap()));
    assert_eq!(twice, "environment staging stands twice in the order");
    let going = made(|plan| {
        let retirement = plan.resource(&addr("dc.web.web")).unwrap().retire[0].clone();
        let Some(BlockPlan::Planned(change)) = plan.blocks.get_mut(&"dc.net".parse().unwrap()) else { return };
        change.resources.get_mut(&"main".parse().unwrap()).unwrap().retire = vec![retirement];
    });
    assert_eq!(going, "toy_thing thing-2 goes twice: dc.net.main and dc.web.web");
    let web = |plan: &mut Plan, change: fn(&mut crate::plan::BlockChange)| {
        if let Some(BlockPlan::Planned(web)) = plan.blocks.get_mut(&"dc.web".parse().unwrap()) {
            change(web);
        }
    };
    let itself = made(|plan| {
        web(plan, |web| {
            web.resources.get_mut(&"web".parse().unwrap()).unwrap().moved =
                Some(Moved::In { from: addr("dc.web.web") });
        });
    });
    assert_eq!(itself, "dc.web.web moves to where it is");
    let after = made(|plan| web(plan, |web| web.after = BTreeSet::from(["dc.web".parse().unwrap()])));
    assert_eq!(after, "dc.web waits for itself");
    let target = made(|plan| {
        web(plan, |web| {
            web.targets.insert("other".parse().unwrap(), target());
        });
    });
    assert_eq!(target, "dc.web: toy:1:r stands for other");
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(open(&bytes).is_err());
    }

    /// Parts of a real plan, put together otherwise.
    #[test]
    fn no_patchwork_is_another_plan(cuts in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..6)) {
        let sealed = seal(&rich());
        let mut bytes = Vec::new();
        for (a, b) in cuts {
            let (a, b) = (a.index(sealed.len()), b.index(sealed.len()));
            bytes.extend(&sealed[a.min(b)..a.max(b)]);
        }
        if let Ok(opened) = open(&bytes) {
            prop_assert_eq!(opened, rich());
        }
    }
}

#[test]
fn a_plan_keeps_blocks_that_left_the_code_unless_it_deletes_something_there() {
    let with = |allowed: &[Outcome], in_code: bool| {
        let mut plan = plan([("dc.net.web", resource(allowed))], &[]);
        for block in plan.blocks.values_mut() {
            let BlockPlan::Planned(change) = block else { continue };
            change.definition = in_code.then(|| Digest::of(b"it"));
        }
        plan.missing()
    };
    assert_eq!(with(&[Outcome::Delete], false), Missing::DestroyOlder);
    assert_eq!(with(&[Outcome::Delete], true), Missing::Keep);
    assert_eq!(with(&[Outcome::NoOp], false), Missing::Keep);
}
