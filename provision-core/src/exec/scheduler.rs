//! Walking the action graph: what is ready runs at once, what depends on a failure is skipped, siblings go on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::channel::mpsc;
use futures::future::{Either, select};
use petgraph::Direction;
use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};
use tracing::Instrument as _;

use super::action::Acted;
use super::context::{ActionError, Exec};
use super::limiter::Rank;
use super::report::{ActionReport, ActionResult, CheckReport};
use crate::id::{BlockAddr, EnvName, ResourceAddr};
use crate::plan::{ActionGraph, Node};
use crate::progress::{CheckResult, Progress, Verb};

#[derive(Clone)]
enum State {
    /// Waits for so many others.
    Waiting(usize),
    Running,
    Ended,
    /// Failed or skipped.
    Lost,
}

pub(super) const INTERRUPTED: &str = "the run was interrupted";

/// How the walk ended.
pub(super) struct Walked {
    pub(super) reports: Vec<ActionReport>,
    pub(super) checks: Vec<CheckReport>,
    /// Whether the checks of a block could not be asked.
    pub(super) failed_gate: bool,
    pub(super) interrupted: bool,
}

/// How something that runs beside the walk ended.
enum Ended {
    Action(Result<Acted, ActionError>),
    /// What the checks of a block told.
    Gate(Result<Vec<CheckReport>, ActionError>),
}

/// Whose calls go first where not all can at once: the further it is from there to the end of the run, the sooner.
pub(super) fn ranks(actions: &ActionGraph) -> BTreeMap<ResourceAddr, Rank> {
    let graph = &actions.graph;
    let mut left = vec![0_u32; graph.node_count()];
    let mut ranks = BTreeMap::new();
    // A graph of actions has no cycle.
    for node in toposort(graph, None).unwrap_or_default().into_iter().rev() {
        let after = graph.neighbors(node).filter_map(|next| left.get(next.index())).max().copied().unwrap_or_default();
        let own = subject(&graph[node]);
        let way = after.saturating_add(u32::from(own.is_some()));
        if let Some(slot) = left.get_mut(node.index()) {
            *slot = way;
        }
        if let Some(resource) = own {
            let rank = ranks.entry(resource.clone()).or_insert(Rank(way));
            *rank = (*rank).max(Rank(way));
        }
    }
    ranks
}

/// Runs every action of the graph.
pub(super) async fn walk(exec: Arc<Exec>, actions: &ActionGraph) -> Walked {
    let graph = &actions.graph;
    let waits_for = |node| graph.neighbors_directed(node, Direction::Incoming).count();
    let states: BTreeMap<NodeIndex, State> =
        graph.node_indices().map(|node| (node, State::Waiting(waits_for(node)))).collect();
    let ready = states.iter().filter(|(_, state)| matches!(state, State::Waiting(0))).map(|(node, _)| *node).collect();
    let (sender, mut ended) = mpsc::unbounded();
    let mut walk = Walk {
        exec,
        graph,
        states,
        ready,
        reports: Vec::new(),
        checks: Vec::new(),
        running: 0,
        failed_gate: false,
        began: BTreeMap::new(),
        sender,
    };
    let mut drain_until = None;
    loop {
        walk.begin_what_is_ready();
        if walk.running == 0 {
            break;
        }
        let io = walk.exec.io.clone();
        let next = if io.interrupts() == 0 {
            match select(ended.next(), std::pin::pin!(io.interrupted())).await {
                Either::Left((next, _)) => next,
                Either::Right(_) => continue,
            }
        } else {
            let now = io.now().boot_ms;
            let drain = u64::try_from(walk.exec.settings.drain.as_millis()).unwrap_or(u64::MAX);
            let until = *drain_until.get_or_insert(now.saturating_add(drain));
            // Interrupted again, nothing is waited for any more.
            let patience = if io.interrupts() > 1 { 0 } else { until.saturating_sub(now) };
            let drained = std::pin::pin!(io.sleep(Duration::from_millis(patience)));
            let stopped = std::pin::pin!(io.interrupted());
            match select(ended.next(), select(drained, stopped)).await {
                Either::Left((next, _)) => next,
                Either::Right(_) => break,
            }
        };
        let Some((node, result)) = next else { break };
        walk.running -= 1;
        let result = match result {
            Ended::Action(result) => result,
            Ended::Gate(result) => {
                walk.checked(node, result);
                continue;
            }
        };
        match result {
            Ok(acted) => walk.done(node, acted),
            // It did not fail: the next run goes on with it.
            Err(ActionError::Interrupted) => walk.cut_off(node),
            Err(error) => walk.failed(node, &error),
        }
    }
    // What still ran when the drain ended: its intents stay open, and the next run finds out.
    walk.give_up();
    Walked {
        failed_gate: walk.failed_gate,
        reports: walk.reports,
        checks: walk.checks,
        interrupted: walk.exec.io.interrupts() > 0,
    }
}

struct Walk<'a> {
    exec: Arc<Exec>,
    graph: &'a DiGraph<Node, ()>,
    states: BTreeMap<NodeIndex, State>,
    ready: Vec<NodeIndex>,
    reports: Vec<ActionReport>,
    checks: Vec<CheckReport>,
    running: usize,
    /// Whether the checks of a block could not be asked, or what they told not be written.
    failed_gate: bool,
    /// When actions began, by the wall clock.
    began: BTreeMap<NodeIndex, u64>,
    sender: mpsc::UnboundedSender<(NodeIndex, Ended)>,
}

impl Walk<'_> {
    /// In the order of the nodes, so that the same events give the same actions.
    fn begin_what_is_ready(&mut self) {
        while !self.ready.is_empty() {
            self.ready.sort_unstable();
            for node in std::mem::take(&mut self.ready) {
                match &self.graph[node] {
                    Node::Gate(block) if self.must_pass(node, block) => {
                        let block = block.clone();
                        if self.exec.io.interrupts() > 0 {
                            self.lose(node, INTERRUPTED);
                            continue;
                        }
                        self.states.insert(node, State::Running);
                        self.running += 1;
                        ask(&self.exec, block, node, self.sender.clone());
                    }
                    Node::Stage(env) => match self.refused_in(&env.clone()) {
                        Some(block) => {
                            let why =
                                format!("{block} can't be planned, and what comes after its environment waits for it");
                            self.states.insert(node, State::Lost);
                            self.skip_after(node, &why, Some(&block.to_string()));
                        }
                        None => self.end(node),
                    },
                    Node::Gate(_) => self.end(node),
                    action @ (Node::Apply(_) | Node::Retire(_) | Node::MoveOut(_) | Node::MoveIn(_))
                        if self.exec.io.interrupts() == 0 =>
                    {
                        self.states.insert(node, State::Running);
                        self.running += 1;
                        self.began.insert(node, self.exec.io.now().wall_ms);
                        start(&self.exec, action.clone(), node, self.sender.clone());
                    }
                    Node::Apply(_) | Node::Retire(_) | Node::MoveOut(_) | Node::MoveIn(_) => {
                        self.lose(node, INTERRUPTED);
                    }
                }
            }
        }
    }

    /// Whether the block's health counts: it has checks, and they are due, or something was done in it or waits for it.
    fn must_pass(&self, gate: NodeIndex, block: &BlockAddr) -> bool {
        let acts = |node: NodeIndex| subject(&self.graph[node]).is_some();
        self.exec.has_checks(block)
            && (self.exec.checks_due(block)
                || self.graph.neighbors_directed(gate, Direction::Incoming).any(acts)
                || self.something_waits(gate))
    }

    /// Whether an action waits for the node, directly or not.
    fn something_waits(&self, node: NodeIndex) -> bool {
        let mut seen = BTreeSet::new();
        let mut stack: Vec<NodeIndex> = self.graph.neighbors(node).collect();
        while let Some(next) = stack.pop() {
            if subject(&self.graph[next]).is_some() {
                return true;
            }
            if seen.insert(next) {
                stack.extend(self.graph.neighbors(next));
            }
        }
        false
    }

    /// A block of the environment that could not be planned: nobody knows whether the environment is as it should be.
    fn refused_in(&self, env: &EnvName) -> Option<BlockAddr> {
        let dcs = &self.exec.desired.dcs;
        let mut refused = self.exec.plan.refusals().map(|(block, _)| block);
        refused.find(|block| dcs.get(&block.dc).is_some_and(|dc| dc.env == *env)).cloned()
    }

    /// A block's checks have told.
    fn checked(&mut self, node: NodeIndex, result: Result<Vec<CheckReport>, ActionError>) {
        let Node::Gate(block) = self.graph[node].clone() else { return };
        let reports = match result {
            Ok(reports) => reports,
            Err(error) => {
                self.states.insert(node, State::Lost);
                self.skip_after(
                    node,
                    &format!("the checks of {block} failed: {}", full(&error)),
                    Some(&block.to_string()),
                );
                self.failed_gate = true;
                return;
            }
        };
        let failed = reports.iter().find_map(|report| match &report.result {
            CheckResult::Failed { reason } => Some((report.check.clone(), reason.clone())),
            CheckResult::Passed | CheckResult::Interrupted => None,
        });
        let interrupted = reports.iter().any(|report| report.result == CheckResult::Interrupted);
        self.checks.extend(reports);
        match failed {
            Some((check, reason)) => {
                self.states.insert(node, State::Lost);
                let why = format!("{block} is not healthy: check {check}: {reason}");
                self.skip_after(node, &why, Some(&format!("{block}, check {check}")));
            }
            None if interrupted => self.lose(node, INTERRUPTED),
            None => self.end(node),
        }
    }

    fn done(&mut self, node: NodeIndex, acted: Acted) {
        // That it left is half a move, and told with the other half.
        if matches!(self.graph[node], Node::MoveOut(_)) {
            self.end(node);
            return;
        }
        let planned = planned_verb(&self.exec, &self.graph[node]);
        let result = if acted.verb.is_some() { ActionResult::Done } else { ActionResult::Unneeded };
        self.report(node, acted.verb.unwrap_or(planned), result);
        self.end(node);
    }

    fn failed(&mut self, node: NodeIndex, error: &ActionError) {
        let verb = planned_verb(&self.exec, &self.graph[node]);
        self.report(node, verb, ActionResult::Failed { error: full(error) });
        self.states.insert(node, State::Lost);
        if let Some(resource) = subject(&self.graph[node]) {
            self.skip_after(node, &format!("{resource} failed"), Some(&resource.to_string()));
        }
    }

    fn give_up(&mut self) {
        for node in self.graph.node_indices() {
            match self.states.get(&node) {
                Some(State::Running) => self.cut_off(node),
                Some(State::Waiting(_)) => self.lose(node, INTERRUPTED),
                Some(State::Ended | State::Lost) | None => {}
            }
        }
    }

    /// It was begun, and is not done.
    fn cut_off(&mut self, node: NodeIndex) {
        self.states.insert(node, State::Lost);
        let verb = planned_verb(&self.exec, &self.graph[node]);
        if let Some(resource) = subject(&self.graph[node]) {
            let made = self.exec.made(resource);
            let why = made.as_ref().map_or_else(
                || INTERRUPTED.to_owned(),
                |made| format!("{INTERRUPTED} after {made} was made: the next run goes on from there"),
            );
            self.exec.io.emit(Progress::Skipped { resource: resource.clone(), verb, why });
            self.report(node, verb, ActionResult::CutOff { made });
        }
        self.skip_after(node, INTERRUPTED, None);
    }

    fn end(&mut self, node: NodeIndex) {
        self.states.insert(node, State::Ended);
        for next in self.graph.neighbors(node) {
            if let Some(State::Waiting(left)) = self.states.get_mut(&next) {
                *left -= 1;
                if *left == 0 {
                    self.ready.push(next);
                }
            }
        }
    }

    fn lose(&mut self, node: NodeIndex, why: &str) {
        self.skip(node, why, None);
        self.skip_after(node, why, None);
    }

    /// Everything that waits for the node, directly or not.
    fn skip_after(&mut self, node: NodeIndex, why: &str, cause: Option<&str>) {
        let mut stack: Vec<NodeIndex> = self.graph.neighbors(node).collect();
        while let Some(next) = stack.pop() {
            if matches!(self.states.get(&next), Some(State::Waiting(_))) {
                self.skip(next, why, cause);
                stack.extend(self.graph.neighbors(next));
            }
        }
    }

    fn skip(&mut self, node: NodeIndex, why: &str, cause: Option<&str>) {
        self.states.insert(node, State::Lost);
        let verb = planned_verb(&self.exec, &self.graph[node]);
        if let Some(resource) = subject(&self.graph[node]) {
            self.exec.io.emit(Progress::Skipped { resource: resource.clone(), verb, why: why.to_owned() });
        }
        self.report(node, verb, ActionResult::Skipped { why: why.to_owned(), cause: cause.map(str::to_owned) });
    }

    fn report(&mut self, node: NodeIndex, verb: Verb, result: ActionResult) {
        if let Some(resource) = subject(&self.graph[node]) {
            let began_ms = self.began.get(&node).copied();
            let ended_ms = began_ms.map(|_| self.exec.io.now().wall_ms);
            self.reports.push(ActionReport { resource: resource.clone(), verb, result, began_ms, ended_ms });
        }
    }
}

fn ask(exec: &Arc<Exec>, block: BlockAddr, index: NodeIndex, sender: mpsc::UnboundedSender<(NodeIndex, Ended)>) {
    let exec_in = exec.clone();
    let span = tracing::info_span!("check", block = %block);
    let asking = async move {
        let result = exec_in.ask_checks(&block).await;
        // The walk is gone only when the machine is.
        sender.unbounded_send((index, Ended::Gate(result))).ok();
    };
    exec.io.spawn(asking.instrument(span));
}

fn start(exec: &Arc<Exec>, node: Node, index: NodeIndex, sender: mpsc::UnboundedSender<(NodeIndex, Ended)>) {
    let exec_in = exec.clone();
    let span = match &node {
        Node::Apply(addr) => tracing::info_span!("apply", resource = %addr),
        Node::Retire(addr) => tracing::info_span!("retire", resource = %addr),
        Node::MoveOut(addr) | Node::MoveIn(addr) => tracing::info_span!("move", resource = %addr),
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
            Node::MoveOut(addr) => (addr, exec.move_out(addr).await),
            Node::MoveIn(addr) => (addr, exec.move_in(addr).await),
            Node::Gate(_) | Node::Stage(_) => return,
        };
        let took_ms = exec.io.now().boot_ms.saturating_sub(began);
        match &result {
            // Told by itself.
            Ok(_) if matches!(node, Node::MoveOut(_) | Node::MoveIn(_)) => {}
            Ok(acted) => exec.io.emit(Progress::Finished {
                resource: addr.clone(),
                verb: acted.verb.unwrap_or(verb),
                id: acted.id.as_ref().map(ToString::to_string),
                took_ms,
            }),
            // The walk says that it was not done.
            Err(ActionError::Interrupted) => {}
            Err(error) => {
                exec.io.emit(Progress::Failed { resource: addr.clone(), verb, error: full(error) });
            }
        }
        // The walk is gone only when the machine is.
        sender.unbounded_send((index, Ended::Action(result))).ok();
    };
    exec.io.spawn(action.instrument(span));
}

/// Whose action it is.
fn subject(node: &Node) -> Option<&ResourceAddr> {
    match node {
        Node::Apply(addr) | Node::Retire(addr) | Node::MoveOut(addr) | Node::MoveIn(addr) => Some(addr),
        Node::Gate(_) | Node::Stage(_) => None,
    }
}

/// What the plan says is most likely done: for progress and for reports of what was not done.
fn planned_verb(exec: &Exec, node: &Node) -> Verb {
    use crate::plan::Outcome;
    let addr = match node {
        Node::Apply(addr) => addr,
        Node::MoveOut(_) | Node::MoveIn(_) => return Verb::Move,
        Node::Retire(_) | Node::Gate(_) | Node::Stage(_) => return Verb::Delete,
    };
    let allowed = |outcome| exec.plan.resource(addr).is_some_and(|resource| resource.allowed.contains(&outcome));
    if allowed(Outcome::Adopt) {
        Verb::Adopt
    } else if allowed(Outcome::Replace) {
        Verb::Replace
    } else if allowed(Outcome::Create) {
        Verb::Create
    } else {
        Verb::Update
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
