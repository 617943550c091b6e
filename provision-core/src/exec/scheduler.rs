//! Walking the action graph: what is ready runs at once, what depends on a failure is skipped, siblings go on.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::channel::mpsc;
use futures::future::{Either, select};
use petgraph::Direction;
use petgraph::graph::NodeIndex;
use serde::{Deserialize, Serialize};
use tracing::Instrument as _;

use super::action::Acted;
use super::context::{ActionError, Exec};
use crate::id::ResourceAddr;
use crate::plan::{ActionGraph, Node};
use crate::progress::{Progress, Verb};

/// What became of one action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionReport {
    /// The resource.
    pub resource: ResourceAddr,
    /// What was to be done.
    pub verb: Verb,
    /// What became of it.
    pub result: ActionResult,
}

/// What became of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionResult {
    /// It was done.
    Done,
    /// Nothing had to be done after all.
    Unneeded,
    /// It failed.
    Failed {
        /// Why.
        error: String,
    },
    /// It was not begun.
    Skipped {
        /// Why.
        why: String,
    },
}

#[derive(Clone)]
enum State {
    /// Waits for so many others.
    Waiting(usize),
    Running,
    Ended,
    /// Failed or skipped.
    Lost,
}

/// How the walk ended.
pub(super) struct Walked {
    pub(super) reports: Vec<ActionReport>,
    pub(super) interrupted: bool,
}

/// Runs every action of the graph.
pub(super) async fn walk(exec: Arc<Exec>, actions: &ActionGraph) -> Walked {
    let graph = &actions.graph;
    let mut states: BTreeMap<NodeIndex, State> = graph
        .node_indices()
        .map(|node| (node, State::Waiting(graph.neighbors_directed(node, Direction::Incoming).count())))
        .collect();
    let (sender, mut ended) = mpsc::unbounded::<(NodeIndex, Result<Acted, ActionError>)>();
    let mut reports = Vec::new();
    let mut running = 0_usize;
    let mut ready: Vec<NodeIndex> =
        graph.node_indices().filter(|node| matches!(states.get(node), Some(State::Waiting(0)))).collect();
    let mut drain_until = None;
    loop {
        // In the order of the nodes, so that the same events give the same actions.
        ready.sort_unstable();
        for node in std::mem::take(&mut ready) {
            match &graph[node] {
                Node::Gate(_) | Node::Stage(_) => {
                    end(graph, &mut states, &mut ready, node);
                }
                action @ (Node::Apply(_) | Node::Retire(_)) if exec.io.interrupts() == 0 => {
                    states.insert(node, State::Running);
                    running += 1;
                    start(&exec, action.clone(), node, sender.clone());
                }
                Node::Apply(_) | Node::Retire(_) => {
                    lose(&exec, graph, &mut states, &mut reports, node, "the run was interrupted");
                }
            }
        }
        if !ready.is_empty() {
            continue;
        }
        if running == 0 {
            break;
        }
        let next = if exec.io.interrupts() == 0 {
            match select(ended.next(), std::pin::pin!(exec.io.interrupted())).await {
                Either::Left((next, _)) => next,
                Either::Right(_) => continue,
            }
        } else {
            let now = exec.io.now().boot_ms;
            let drain = u64::try_from(exec.settings.drain.as_millis()).unwrap_or(u64::MAX);
            let until = *drain_until.get_or_insert(now.saturating_add(drain));
            let left = std::time::Duration::from_millis(until.saturating_sub(now));
            match select(ended.next(), std::pin::pin!(exec.io.sleep(left))).await {
                Either::Left((next, _)) => next,
                Either::Right(_) => break,
            }
        };
        let Some((node, result)) = next else { break };
        running -= 1;
        match result {
            Ok(acted) => {
                reports.extend(report(&graph[node], planned_verb(&exec, &graph[node]), acted));
                end(graph, &mut states, &mut ready, node);
            }
            Err(error) => {
                let error = full(&error);
                fail(&exec, graph, &mut states, &mut reports, node, &error);
            }
        }
    }
    // What still ran when the drain ended: its intents stay open, and the next run finds out.
    let left: Vec<NodeIndex> = states
        .iter()
        .filter(|(_, state)| matches!(state, State::Running | State::Waiting(_)))
        .map(|(node, _)| *node)
        .collect();
    for node in left {
        if matches!(states.get(&node), Some(State::Running | State::Waiting(_))) {
            lose(&exec, graph, &mut states, &mut reports, node, "the run was interrupted");
        }
    }
    Walked { reports, interrupted: exec.io.interrupts() > 0 }
}

type Graph = petgraph::graph::DiGraph<Node, ()>;

fn start(
    exec: &Arc<Exec>,
    node: Node,
    index: NodeIndex,
    sender: mpsc::UnboundedSender<(NodeIndex, Result<Acted, ActionError>)>,
) {
    let exec_in = exec.clone();
    let span = match &node {
        Node::Apply(addr) => tracing::info_span!("apply", resource = %addr),
        Node::Retire(addr) => tracing::info_span!("retire", resource = %addr),
        Node::Gate(_) | Node::Stage(_) => tracing::Span::none(),
    };
    let action = async move {
        let exec = exec_in;
        let began = exec.io.now().boot_ms;
        let verb = planned_verb(&exec, &node);
        let (addr, result) = match &node {
            Node::Apply(addr) => {
                exec.io.emit(Progress::Started { resource: addr.clone(), verb });
                (addr, exec.apply(addr).await)
            }
            Node::Retire(addr) => {
                exec.io.emit(Progress::Started { resource: addr.clone(), verb });
                (addr, exec.retire(addr).await)
            }
            Node::Gate(_) | Node::Stage(_) => return,
        };
        let took_ms = exec.io.now().boot_ms.saturating_sub(began);
        match &result {
            Ok(acted) => exec.io.emit(Progress::Finished {
                resource: addr.clone(),
                verb: acted.verb.unwrap_or(verb),
                id: acted.id.as_ref().map(ToString::to_string),
                took_ms,
            }),
            Err(error) => {
                exec.io.emit(Progress::Failed { resource: addr.clone(), verb, error: full(error) });
            }
        }
        // The walk is gone only when the machine is.
        sender.unbounded_send((index, result)).ok();
    };
    exec.io.spawn(action.instrument(span));
}

/// What the plan says is most likely done: for progress and for reports of what was not done.
fn planned_verb(exec: &Exec, node: &Node) -> Verb {
    use crate::plan::Outcome;
    let Node::Apply(addr) = node else { return Verb::Delete };
    let allowed = exec.plan.resource(addr).map(|resource| resource.allowed.clone()).unwrap_or_default();
    if allowed.contains(&Outcome::Replace) {
        Verb::Replace
    } else if allowed.contains(&Outcome::Create) {
        Verb::Create
    } else {
        Verb::Update
    }
}

fn report(node: &Node, planned: Verb, acted: Acted) -> Option<ActionReport> {
    let (Node::Apply(resource) | Node::Retire(resource)) = node else { return None };
    let result = if acted.verb.is_some() { ActionResult::Done } else { ActionResult::Unneeded };
    Some(ActionReport { resource: resource.clone(), verb: acted.verb.unwrap_or(planned), result })
}

fn end(graph: &Graph, states: &mut BTreeMap<NodeIndex, State>, ready: &mut Vec<NodeIndex>, node: NodeIndex) {
    states.insert(node, State::Ended);
    for next in graph.neighbors(node) {
        if let Some(State::Waiting(left)) = states.get_mut(&next) {
            *left -= 1;
            if *left == 0 {
                ready.push(next);
            }
        }
    }
}

fn fail(
    exec: &Exec,
    graph: &Graph,
    states: &mut BTreeMap<NodeIndex, State>,
    reports: &mut Vec<ActionReport>,
    node: NodeIndex,
    error: &str,
) {
    if let Node::Apply(resource) | Node::Retire(resource) = &graph[node] {
        let verb = planned_verb(exec, &graph[node]);
        let result = ActionResult::Failed { error: error.to_owned() };
        reports.push(ActionReport { resource: resource.clone(), verb, result });
        states.insert(node, State::Lost);
        let cause = format!("{resource} failed");
        skip_after(exec, graph, states, reports, node, &cause);
    }
}

fn lose(
    exec: &Exec,
    graph: &Graph,
    states: &mut BTreeMap<NodeIndex, State>,
    reports: &mut Vec<ActionReport>,
    node: NodeIndex,
    why: &str,
) {
    skip(exec, graph, states, reports, node, why);
    skip_after(exec, graph, states, reports, node, why);
}

fn skip_after(
    exec: &Exec,
    graph: &Graph,
    states: &mut BTreeMap<NodeIndex, State>,
    reports: &mut Vec<ActionReport>,
    node: NodeIndex,
    why: &str,
) {
    let mut stack: Vec<NodeIndex> = graph.neighbors(node).collect();
    while let Some(next) = stack.pop() {
        if matches!(states.get(&next), Some(State::Waiting(_))) {
            skip(exec, graph, states, reports, next, why);
            stack.extend(graph.neighbors(next));
        }
    }
}

fn skip(
    exec: &Exec,
    graph: &Graph,
    states: &mut BTreeMap<NodeIndex, State>,
    reports: &mut Vec<ActionReport>,
    node: NodeIndex,
    why: &str,
) {
    states.insert(node, State::Lost);
    if let Node::Apply(resource) | Node::Retire(resource) = &graph[node] {
        let verb = planned_verb(exec, &graph[node]);
        exec.io.emit(Progress::Skipped { resource: resource.clone(), verb, why: why.to_owned() });
        let result = ActionResult::Skipped { why: why.to_owned() };
        reports.push(ActionReport { resource: resource.clone(), verb, result });
    }
}

/// An error with all its causes.
fn full(error: &ActionError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
