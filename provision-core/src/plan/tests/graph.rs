//! What waits for what.

use petgraph::algo::has_path_connecting;

use super::support::{With, addr, plan, resource};
use crate::plan::{ActionGraph, Node, Outcome, Plan, action_graph};

fn find(actions: &ActionGraph, node: &Node) -> petgraph::graph::NodeIndex {
    let found = actions.graph.node_indices().find(|index| actions.graph[*index] == *node);
    found.unwrap_or_else(|| panic!("{node:?} is no action"))
}

/// Whether the second node waits for the first one.
fn waits(plan: &Plan, first: &Node, then: &Node) -> bool {
    let actions = action_graph(plan).unwrap();
    has_path_connecting(&actions.graph, find(&actions, first), find(&actions, then), None)
}

fn apply(text: &str) -> Node {
    Node::Apply(addr(text))
}

fn retire(text: &str) -> Node {
    Node::Retire(addr(text))
}

#[test]
fn creates_go_down_the_refs_and_siblings_do_not_wait() {
    let user = || resource(&[Outcome::Create]).uses(&["dc.a.base"]);
    let plan = plan([("dc.a.base", resource(&[Outcome::Create])), ("dc.a.one", user()), ("dc.a.two", user())], &[]);
    assert!(waits(&plan, &apply("dc.a.base"), &apply("dc.a.one")));
    assert!(!waits(&plan, &apply("dc.a.one"), &apply("dc.a.base")));
    assert!(!waits(&plan, &apply("dc.a.one"), &apply("dc.a.two")));
}

#[test]
fn a_replaced_object_goes_when_its_users_in_whichever_block_have_changed_over() {
    let plan = plan(
        [
            ("dc.a.base", resource(&[Outcome::Replace]).users(&["dc.b.user", "dc.b.gone"])),
            ("dc.b.user", resource(&[Outcome::Update]).uses(&["dc.a.base"])),
            ("dc.b.gone", resource(&[Outcome::Delete])),
        ],
        &[("dc.b", "dc.a")],
    );
    assert!(waits(&plan, &apply("dc.a.base"), &apply("dc.b.user")));
    assert!(waits(&plan, &apply("dc.b.user"), &retire("dc.a.base")));
    assert!(waits(&plan, &retire("dc.b.gone"), &retire("dc.a.base")));
    assert!(waits(&plan, &apply("dc.a.base"), &retire("dc.a.base")), "the new one first");
    assert!(!waits(&plan, &apply("dc.a.base"), &retire("dc.b.gone")), "what leaves need not wait");
}

#[test]
fn a_block_waits_for_the_blocks_before_it_also_through_one_that_does_nothing() {
    let plan = plan(
        [
            ("dc.a.base", resource(&[Outcome::Create])),
            ("dc.b.same", resource(&[Outcome::NoOp])),
            ("dc.c.new", resource(&[Outcome::Create])),
            ("dc.d.new", resource(&[Outcome::Create])),
        ],
        &[("dc.b", "dc.a"), ("dc.c", "dc.b")],
    );
    assert!(waits(&plan, &apply("dc.a.base"), &apply("dc.c.new")));
    assert!(!waits(&plan, &apply("dc.a.base"), &apply("dc.d.new")), "it is not after it");
}

#[test]
fn production_waits_for_all_of_staging() {
    let plan = plan(
        [
            ("dc.a.base", resource(&[Outcome::Create])),
            ("dc.a.gone", resource(&[Outcome::Delete])),
            ("east.a.base", resource(&[Outcome::Update])),
            ("east.a.gone", resource(&[Outcome::Delete])),
        ],
        &[],
    );
    for before in [apply("dc.a.base"), retire("dc.a.gone")] {
        for then in [apply("east.a.base"), retire("east.a.gone")] {
            assert!(waits(&plan, &before, &then), "{before:?} {then:?}");
            assert!(!waits(&plan, &then, &before), "{before:?} {then:?}");
        }
    }
}

#[test]
fn what_does_nothing_is_no_action_and_what_may_be_replaced_is_two() {
    let both = [Outcome::NoOp, Outcome::Replace];
    let actions = action_graph(&plan([("dc.a.may", resource(&both)), ("dc.a.same", resource(&[Outcome::NoOp]))], &[]));
    let actions = actions.unwrap();
    let nodes: Vec<&Node> = actions.graph.node_weights().filter(|node| !is_point(node)).collect();
    assert_eq!(nodes, [&apply("dc.a.may"), &retire("dc.a.may")]);
}

fn is_point(node: &Node) -> bool {
    matches!(node, Node::Gate(_) | Node::Stage(_))
}

#[test]
fn a_circle_is_an_error() {
    let plan = plan(
        [
            ("dc.a.one", resource(&[Outcome::Create]).uses(&["dc.a.two"])),
            ("dc.a.two", resource(&[Outcome::Create]).uses(&["dc.a.one"])),
        ],
        &[],
    );
    let told = action_graph(&plan).unwrap_err().to_string();
    assert!(told.ends_with("would have to wait for itself"), "{told}");
}
