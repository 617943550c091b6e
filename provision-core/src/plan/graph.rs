//! The graph over the actions of all blocks of a plan.

use petgraph::algo::{has_path_connecting, toposort};
use petgraph::graph::{DiGraph, NodeIndex};
use thiserror::Error;

use super::data::{Moved, Plan};
use crate::fast::{FastMap, FastSet};
use crate::id::{BlockAddr, EnvName, ResourceAddr};
use crate::mutant::{self, Mutant};

/// One action, or a point that actions wait for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// The object of this address leaves for another one.
    MoveOut(ResourceAddr),
    /// The resource takes in the object that left another address.
    MoveIn(ResourceAddr),
    /// Create, update or replace the resource, whichever it turns out to be.
    Apply(ResourceAddr),
    /// Delete the resource's object, or the objects that were deposed.
    Retire(ResourceAddr),
    /// The block's creates and updates are done, and it is healthy.
    Gate(BlockAddr),
    /// The environment is done.
    Stage(EnvName),
}

/// What has to be done, with an edge from each action to those that wait for it.
#[derive(Debug)]
pub struct ActionGraph {
    /// The graph. It has no cycle.
    pub graph: DiGraph<Node, ()>,
}

/// Actions that wait for each other: a bug, or a history that only another plan can untangle.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} would have to wait for itself")]
pub struct Cycle(pub Node);

/// The graph of a plan.
///
/// - Creates and updates go down the refs.
/// - The delete of what was replaced or removed waits for the updates or deletes of everything that used it.
/// - What goes before its successor is made waits for its users to go; the successor waits for it.
/// - What goes first goes once its successor could be made, unless what that waits for waits for it.
/// - Objects change their addresses before anything is done at either.
/// - A block's creates and updates wait for the gates of the blocks that it depends on.
/// - An environment waits for the one before it.
///
/// # Errors
/// A cycle.
pub fn action_graph(plan: &Plan) -> Result<ActionGraph, Cycle> {
    let mut build = Build::default();
    for (addr, resource) in plan.resources() {
        if resource.applies() {
            build.node(Node::Apply(addr.clone()));
        }
        if resource.retires() || resource.finds_out() {
            build.node(Node::Retire(addr.clone()));
        }
        if let Some(Moved::In { from }) = &resource.moved {
            build.node(Node::MoveOut(from.clone()));
            build.node(Node::MoveIn(addr));
        }
    }
    for (addr, resource) in plan.resources() {
        let (apply, retire) = (Node::Apply(addr.clone()), Node::Retire(addr.clone()));
        for used in &resource.uses {
            build.edge(&Node::Apply(used.clone()), &apply);
        }
        if let Some(Moved::In { from }) = &resource.moved {
            let (out, into) = (Node::MoveOut(from.clone()), Node::MoveIn(addr.clone()));
            build.edge(&out, &into);
            build.edge(&Node::MoveOut(addr.clone()), &into);
            for node in [&apply, &retire, &Node::Apply(from.clone()), &Node::Retire(from.clone())] {
                build.edge(&into, node);
            }
        }
        let goes_first = resource.goes_first();
        if goes_first && !mutant::on(Mutant::SuccessorBeforeItGoes) {
            build.edge(&retire, &apply);
            // Whether it goes at all may depend on what others become.
            for used in resource.uses.iter().filter(|_| resource.may_stay()) {
                build.edge(&Node::Apply(used.clone()), &retire);
            }
        } else {
            build.edge(&apply, &retire);
        }
        for user in resource.users.iter().filter(|_| !mutant::on(Mutant::DeleteBeforeItsUsersUpdate)) {
            // A user that goes along is made anew after what it uses.
            if !goes_first || !plan.resource(user).is_some_and(|user| user.goes_with(&addr)) {
                build.edge(&Node::Apply(user.clone()), &retire);
            }
            build.edge(&Node::Retire(user.clone()), &retire);
        }
    }
    for (block, change) in plan.changes() {
        let gate = build.node(Node::Gate(block.clone()));
        for name in change.resources.keys() {
            if let Some(apply) = build.find(&Node::Apply(block.resource(name.clone()))) {
                build.connect(apply, gate);
            }
        }
    }
    for (block, change) in plan.changes() {
        for before in change.after.iter().filter(|_| !mutant::on(Mutant::GateIgnored)) {
            let before = Node::Gate(before.clone());
            build.edge(&before, &Node::Gate(block.clone()));
            for name in change.resources.keys() {
                build.edge(&before, &Node::Apply(block.resource(name.clone())));
            }
        }
    }
    if !mutant::on(Mutant::GateIgnored) {
        build.stages(plan);
        build.ends_wait_as_beginnings(plan);
    }
    match toposort(&build.graph, None) {
        Ok(_) => Ok(ActionGraph { graph: build.graph }),
        Err(cycle) => Err(Cycle(build.graph[cycle.node_id()].clone())),
    }
}

#[derive(Default)]
struct Build {
    graph: DiGraph<Node, ()>,
    index: FastMap<Node, NodeIndex>,
    edges: FastSet<(NodeIndex, NodeIndex)>,
}

impl Build {
    fn node(&mut self, node: Node) -> NodeIndex {
        *self.index.entry(node.clone()).or_insert_with(|| self.graph.add_node(node))
    }

    fn find(&self, node: &Node) -> Option<NodeIndex> {
        self.index.get(node).copied()
    }

    /// An edge where both ends are part of the plan: what does not change is not waited for.
    fn edge(&mut self, from: &Node, to: &Node) {
        if let (Some(from), Some(to)) = (self.find(from), self.find(to)) {
            self.connect(from, to);
        }
    }

    /// An edge, once: to look for it among all that leave a node would take as long as there are.
    fn connect(&mut self, from: NodeIndex, to: NodeIndex) {
        if self.edges.insert((from, to)) {
            self.graph.add_edge(from, to, ());
        }
    }

    /// What goes before its successor is made goes once the successor could be made, so that no failure before leaves
    /// neither: except where what it waits for waits for it.
    fn ends_wait_as_beginnings(&mut self, plan: &Plan) {
        if mutant::on(Mutant::GoesBeforeItsGates) {
            return;
        }
        for (block, change) in plan.changes() {
            for (name, resource) in change.resources.iter().filter(|(_, resource)| resource.goes_first()) {
                let addr = block.resource(name.clone());
                let Some(retire) = self.find(&Node::Retire(addr)) else { continue };
                let used = resource.uses.iter().map(|used| Node::Apply(used.clone()));
                let gates = change.after.iter().map(|before| Node::Gate(before.clone()));
                let before: Vec<NodeIndex> = used.chain(gates).filter_map(|node| self.find(&node)).collect();
                for before in before {
                    if !has_path_connecting(&self.graph, retire, before, None) {
                        self.connect(before, retire);
                    }
                }
            }
        }
    }

    /// Staging is applied and checked before production's first call.
    fn stages(&mut self, plan: &Plan) {
        let mut before: Option<NodeIndex> = None;
        for env in &plan.environments {
            let stage = self.node(Node::Stage(env.clone()));
            if let Some(before) = before {
                self.connect(before, stage);
            }
            for (block, change) in plan.changes().filter(|(_, change)| change.env == *env) {
                let nodes = change.resources.keys().flat_map(|name| {
                    let addr = block.resource(name.clone());
                    [
                        Node::Apply(addr.clone()),
                        Node::Retire(addr.clone()),
                        Node::MoveOut(addr.clone()),
                        Node::MoveIn(addr),
                    ]
                });
                for node in
                    nodes.chain([Node::Gate(block.clone())]).filter_map(|node| self.find(&node)).collect::<Vec<_>>()
                {
                    self.connect(node, stage);
                    if let Some(before) = before {
                        self.connect(before, node);
                    }
                }
            }
            before = Some(stage);
        }
    }
}
