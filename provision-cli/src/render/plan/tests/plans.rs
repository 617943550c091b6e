//! Plans by hand, and hostile ones of any size.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::select;
use provision_core::desired::Channel;
use provision_core::id::{Digest, Generation, Nonce, ResourceAddr, Revision};
use provision_core::lookup::{FoundObject, Query};
use provision_core::plan::{
    BlockChange, BlockPlan, Certainty, Existing, Mode, Moved, NewName, Note, Outcome, Plan, Reason, ReplaceOrder,
    ResourcePlan, Retirement, Selection,
};
use provision_core::target::TargetId;
use provision_core::value::{Expr, Exprs, Fields, OutputRef, Piece, Symbol, Tree, Value};

pub(super) fn addr(text: &str) -> ResourceAddr {
    text.parse().unwrap()
}

fn target() -> TargetId {
    TargetId { provider: "aws".parse().unwrap(), account: "123456789012".to_owned(), region: "us-west-2".to_owned() }
}

pub(super) fn retirement(id: &str) -> Retirement {
    Retirement { id: id.parse().unwrap(), type_name: "aws_instance".parse().unwrap(), target: target() }
}

/// What a lookup found.
pub(super) fn found(id: &str, asked: Fields) -> FoundObject {
    let query = Query { target: target(), type_name: "aws_ami".parse().unwrap(), fields: asked };
    FoundObject { query, id: id.parse().unwrap(), fields: Fields::new() }
}

/// A resource for which these outcomes are allowed, with an object unless it is new.
pub(super) fn resource(allowed: &[Outcome], reasons: Vec<Reason>) -> ResourcePlan {
    let new = reasons.contains(&Reason::New);
    ResourcePlan {
        type_name: "aws_instance".parse().unwrap(),
        target: target(),
        allowed: allowed.iter().copied().collect(),
        fields: BTreeSet::new(),
        reasons,
        defined: true,
        order: ReplaceOrder::CreateFirst,
        moved: None,
        existing: (!new).then(|| Existing { id: "i-1".parse().unwrap() }),
        before: None,
        after: None,
        new_name: None,
        retire: Vec::new(),
        users: BTreeSet::new(),
        uses: Vec::new(),
    }
}

/// One that has left the code.
pub(super) fn leaving() -> ResourcePlan {
    let mut resource = resource(&[Outcome::Delete], vec![Reason::LeftCode]);
    resource.retire = vec![retirement("i-1")];
    resource
}

pub(super) fn differs(field: &str, from: Value, to: Expr) -> Reason {
    let (replaces, differs) = (Certainty::No, Certainty::Yes);
    Reason::Field { field: field.to_owned(), from: Some(from), to, replaces, differs }
}

pub(super) fn replaces(field: &str, from: Value, to: Expr, replaces: Certainty) -> Reason {
    Reason::Field { field: field.to_owned(), from: Some(from), to, replaces, differs: replaces }
}

/// The id of another resource, which is not known yet.
pub(super) fn later(of: &str) -> Expr {
    Tree::Symbol(Symbol::Output(Box::new(OutputRef { resource: addr(of), output: "id".to_owned() })))
}

pub(super) fn map<S: Clone, const N: usize>(pairs: [(&str, Tree<S>); N]) -> BTreeMap<String, Tree<S>> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

pub(super) fn change(resources: BTreeMap<provision_core::id::ResourceName, ResourcePlan>) -> BlockChange {
    BlockChange {
        env: "staging".parse().unwrap(),
        channel: Channel::Stable,
        targets: BTreeMap::from([("aws".parse().unwrap(), target())]),
        after: BTreeSet::new(),
        definition: Some(Digest::of(b"")),
        state: Digest::of(b""),
        checks: BTreeSet::new(),
        checks_due: BTreeSet::new(),
        resources,
    }
}

pub(super) fn plan<const N: usize>(resources: [(&str, ResourcePlan); N]) -> Plan {
    let mut blocks = BTreeMap::new();
    for (text, resource) in resources {
        let addr = addr(text);
        let block = blocks.entry(addr.block).or_insert_with(|| BlockPlan::Planned(Box::new(change(BTreeMap::new()))));
        if let BlockPlan::Planned(change) = block {
            change.resources.insert(addr.name, resource);
        }
    }
    Plan {
        format_version: "1".to_owned(),
        infra: "wix".parse().unwrap(),
        revision: Revision::new("abc123").unwrap(),
        generation: Generation(7),
        nonce: Nonce([1; 16]),
        mode: Mode::Apply,
        selection: Selection::default(),
        simulated: false,
        environments: vec!["staging".parse().unwrap(), "prod".parse().unwrap()],
        lookups: BTreeMap::new(),
        blocks,
        notes: Vec::new(),
    }
}

/// Texts that try to end a code block, a tag, a line, a cell, or to reach a terminal or a person.
fn hostile(most: usize) -> impl Strategy<Value = String> {
    const PARTS: &[&str] = &[
        "```",
        "````````",
        "`",
        "\n",
        "\r\n",
        "</details>",
        "<details>",
        "</summary>",
        "<!--",
        "-->",
        "<script>",
        "@everyone",
        "|",
        "\\|",
        "\u{1b}[2J",
        "\u{9b}31m",
        "\u{202e}",
        "\u{0}",
        "\u{7f}",
        "\u{2028}",
        "![x](http://x)",
        "[x](y)",
        "# x",
        "---",
        "&lt;",
        "é",
        "漢字",
        "🦀",
        "a",
        "b c",
        "\t",
        "~~~",
        "\n```\n\n# out\n",
    ];
    let text = proptest::collection::vec(select(PARTS), 0..12).prop_map(|parts| parts.concat());
    (text, select(&[1_usize, 1, 1, 10, 1_000][..])).prop_map(move |(text, times)| text.repeat(times.min(most)))
}

fn expr(most: usize) -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::Bool),
        any::<i64>().prop_map(Tree::Int),
        hostile(most).prop_map(Tree::Text),
        Just(later("dc.net.main")),
        hostile(most).prop_map(|text| {
            let output = OutputRef { resource: addr("dc.net.main"), output: text.clone() };
            Tree::Symbol(Symbol::Text(vec![Piece::Literal(text), Piece::Output(output)]))
        }),
    ];
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Tree::List),
            proptest::collection::btree_map(hostile(most), inner, 0..6).prop_map(Tree::Map),
        ]
    })
}

fn value(most: usize) -> impl Strategy<Value = Value> {
    // What is not known is left out.
    expr(most).prop_map(|expr| {
        expr.try_map::<provision_core::value::Never, std::convert::Infallible>(&mut |_| Ok(Tree::Null)).unwrap()
    })
}

fn exprs(most: usize) -> impl Strategy<Value = Exprs> {
    proptest::collection::btree_map(hostile(most), expr(most), 0..5)
}

fn reason(most: usize) -> impl Strategy<Value = Reason> {
    let certainty = || select(&[Certainty::No, Certainty::May, Certainty::Yes][..]);
    let id = || select(&["i-1", "i-``````", "<b>@x</b>", "i|2"][..]).prop_map(|id| id.parse().unwrap());
    let field = (hostile(most), proptest::option::of(value(most)), expr(most), certainty(), certainty());
    prop_oneof![
        6 => field.prop_map(|(field, from, to, replaces, differs)| Reason::Field { field, from, to, replaces, differs }),
        1 => Just(Reason::New),
        1 => id().prop_map(|id| Reason::Gone { id }),
        1 => id().prop_map(|id| Reason::DeleteDue { id }),
        1 => hostile(most).prop_map(|api| Reason::OpenCall { api }),
        1 => hostile(most).prop_map(|because| Reason::Kept { because }),
        1 => proptest::collection::vec(hostile(most), 0..3).prop_map(|fields| Reason::KeyTaken { fields }),
        1 => (hostile(most), value(most)).prop_map(|(field, stays)| Reason::NoLongerOurs { field, stays }),
        1 => (hostile(most), expr(most)).prop_map(|(field, defined)| Reason::Ignored { field, is: None, defined }),
        1 => (hostile(most), id(), id())
            .prop_map(|(field, was, is)| Reason::FoundOther { field, lookup: addr("dc.images.linux"), was, is }),
    ]
}

fn any_resource(most: usize) -> impl Strategy<Value = ResourcePlan> {
    const OUTCOMES: &[Outcome] =
        &[Outcome::NoOp, Outcome::Create, Outcome::Update, Outcome::Replace, Outcome::Delete, Outcome::Adopt];
    let allowed = proptest::collection::btree_set(select(OUTCOMES), 0..3);
    let images = (proptest::option::of(exprs(most)), proptest::option::of(hostile(most)), value(most));
    let objects = (any::<bool>(), proptest::collection::vec(select(&["i-1", "i-2", "i-```"][..]), 0..3), any::<bool>());
    (allowed, proptest::collection::vec(reason(most), 0..4), images, objects).prop_map(
        |(allowed, reasons, (after, name, before), (exists, retire, moved))| {
            let mut resource = resource(&[], reasons);
            resource.allowed = allowed;
            resource.after = after.map(Into::into);
            resource.before = Some(Fields::from([("x".to_owned(), before)]));
            resource.new_name = name.map(|name| NewName { field: name.clone(), name });
            resource.existing = exists.then(|| Existing { id: "i-1".parse().unwrap() });
            resource.retire = retire.into_iter().map(retirement).collect();
            resource.moved = moved.then(|| Moved::In { from: addr("dc.old.one") });
            resource
        },
    )
}

/// A plan of up to several thousand resources of a few kinds, or of a few resources with long values.
pub(super) fn any_plan() -> impl Strategy<Value = Plan> {
    prop_oneof![plans(10, &[0, 1, 60, 700]), plans(1_000, &[1, 3])]
}

fn plans(most: usize, blocks: &'static [usize]) -> impl Strategy<Value = Plan> {
    let kinds = proptest::collection::vec(any_resource(most), 1..5);
    let size = (select(blocks), select(&[0_usize, 1, 2, 6][..]));
    let refused = (select(&[0_usize, 1, 400][..]), hostile(most));
    let notes = (select(&[0_usize, 1, 600][..]), hostile(most));
    let asked = proptest::collection::btree_map(hostile(most), value(most), 0..4);
    let lookups = (select(&[0_usize, 0, 1, 400][..]), asked, select(&["ami-1", "i-``````", "<b>@x</b>"][..]));
    (kinds, size, refused, notes, lookups, any::<bool>()).prop_map(
        |(kinds, (blocks, each), (refused, problem), (notes, because), (lookups, asked, id), in_code)| {
            let mut plan = plan([]);
            let found = (0..lookups).map(|n| (addr(&format!("dc.images.linux-{n}")), found(id, asked.clone())));
            plan.lookups = found.collect();
            let mut kinds = kinds.iter().cycle();
            for number in 0..blocks {
                let resources =
                    (0..each).map(|n| (format!("r{n}").parse().unwrap(), kinds.next().unwrap().clone())).collect();
                let mut change = change(resources);
                change.definition = change.definition.filter(|_| in_code);
                let addr = format!("dc{}.block-{number}", number % 3).parse().unwrap();
                plan.blocks.insert(addr, BlockPlan::Planned(Box::new(change)));
            }
            for number in 0..refused {
                let problem = problem.clone();
                plan.blocks.insert(format!("dc.refused-{number}").parse().unwrap(), BlockPlan::Refused { problem });
            }
            let note = |number| Note::BlockKept {
                block: format!("dc.kept-{number}").parse().unwrap(),
                because: because.clone(),
            };
            plan.notes = (0..notes).map(note).collect();
            plan
        },
    )
}
