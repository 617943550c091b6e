//! A run as events, while it goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use provision_core::id::{BlockAddr, CheckName, ObjectId, ProviderName, ResourceAddr, TypeName};
use provision_core::plan::Plan;
use provision_core::progress::{CheckResult, Progress, Verb};
use serde_json::{Value, json};

use super::plan::resource;
use super::{Event, Severity, diagnostic, log};
use crate::render::words;

/// How often what still runs is told of.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Makes events of what a run reports. Times are those since its beginning.
pub(crate) struct Stream {
    /// What the plan says about each resource.
    known: BTreeMap<ResourceAddr, Known>,
    running: BTreeMap<ResourceAddr, Running>,
    checking: BTreeSet<(BlockAddr, CheckName)>,
    interrupted: bool,
}

struct Known {
    type_name: TypeName,
    provider: ProviderName,
    id: Option<ObjectId>,
}

struct Running {
    verb: Verb,
    since: Duration,
    /// How long it lasts when the next event about it is due.
    due: Duration,
}

impl Stream {
    /// Of a run of this plan; without one, of planning.
    pub(crate) fn new(plan: Option<&Plan>) -> Self {
        let known = plan.into_iter().flat_map(Plan::resources).map(|(addr, resource)| {
            let type_name = resource.type_name.clone();
            let id = resource.existing.as_ref().map(|existing| existing.id.clone());
            (addr, Known { type_name, provider: resource.target.provider.clone(), id })
        });
        let known = known.collect();
        Self { known, running: BTreeMap::new(), checking: BTreeSet::new(), interrupted: false }
    }

    /// Takes what happened in.
    pub(crate) fn see(&mut self, progress: &Progress, now: Duration) -> Vec<Event> {
        match progress {
            Progress::Phase { what } => vec![log(what)],
            Progress::Claimed { block, run } => {
                let message = format!("{block}: Claimed by run {}", run.short());
                vec![Event::info("claimed", message, [("hook", json!({ "block": block, "run": run }))])]
            }
            Progress::Started { resource, verb } => {
                self.running.insert(resource.clone(), Running { verb: *verb, since: now, due: HEARTBEAT });
                let mut hook = self.hook(resource, *verb);
                let mut id = String::new();
                if let Some(known) = self.known.get(resource).and_then(|known| known.id.as_ref()) {
                    id = format!(" [id={known}]");
                    add_id(&mut hook, known.as_str());
                }
                vec![event("apply_start", format!("{resource}: {}...{id}", doing(*verb)), hook)]
            }
            Progress::Waiting { resource, why } => self.still(resource, Some(why), now).into_iter().collect(),
            Progress::Finished { resource, verb, id, took_ms } => {
                self.running.remove(resource);
                let mut hook = with_elapsed(self.hook(resource, *verb), *took_ms);
                let mut shown = String::new();
                if let Some(id) = id {
                    shown = format!(" [id={id}]");
                    add_id(&mut hook, id);
                }
                let message = format!("{resource}: {} complete after {}s{shown}", noun(*verb), took_ms / 1_000);
                vec![event("apply_complete", message, hook)]
            }
            Progress::Failed { resource, verb, error } => {
                let took = self.running.remove(resource).map_or(0, |running| millis(now.saturating_sub(running.since)));
                let hook = with_elapsed(self.hook(resource, *verb), took);
                let message = format!("{resource}: {} errored after {}s", noun(*verb), took / 1_000);
                let why = diagnostic(Severity::Error, error, Some(resource.to_string()));
                vec![event("apply_errored", message, hook), why]
            }
            Progress::Skipped { resource, verb, why } => {
                self.running.remove(resource);
                let mut hook = self.hook(resource, *verb);
                hook["reason"] = why.as_str().into();
                vec![event("apply_skipped", format!("{resource}: {} skipped: {why}", noun(*verb)), hook)]
            }
            Progress::Moved { resource: to, from } => {
                let hook = json!({ "resource": self.resource(to), "previous_resource": resource(from, self.kind(to)) });
                vec![event("moved", format!("{to}: Moved from {from}"), hook)]
            }
            Progress::Checking { block, check, what } => {
                let first = self.checking.insert((block.clone(), check.clone()));
                let kind = if first { "check_start" } else { "check_progress" };
                let hook = json!({ "block": block, "check": check, "what": what });
                vec![event(kind, format!("{block}: Check {check}: {what}"), hook)]
            }
            Progress::Checked { block, check, result, simulated, took_ms } => {
                self.checking.remove(&(block.clone(), check.clone()));
                checked(block, check, result, *simulated, *took_ms)
            }
            Progress::Recovered { resource, what } => {
                let hook = json!({ "resource": self.resource(resource), "what": what });
                vec![event("recovered", format!("{resource}: Of an interrupted run: {what}"), hook)]
            }
        }
    }

    /// What still runs is told of again and again.
    pub(crate) fn tick(&mut self, now: Duration) -> Vec<Event> {
        let due: Vec<ResourceAddr> = self
            .running
            .iter()
            .filter(|(_, running)| now.saturating_sub(running.since) >= running.due)
            .map(|(addr, _)| addr.clone())
            .collect();
        due.iter().filter_map(|addr| self.still(addr, None, now)).collect()
    }

    /// The run was interrupted: it drains.
    pub(crate) fn interrupt(&mut self) -> Vec<Event> {
        if std::mem::replace(&mut self.interrupted, true) {
            return Vec::new();
        }
        let message = "Interrupted: nothing new is begun; calls on their way are waited for".to_owned();
        vec![Event::info("interrupted", message, [])]
    }

    fn still(&mut self, addr: &ResourceAddr, why: Option<&str>, now: Duration) -> Option<Event> {
        let running = self.running.get_mut(addr)?;
        let lasts = now.saturating_sub(running.since);
        running.due = lasts + HEARTBEAT;
        let verb = running.verb;
        let mut hook = with_elapsed(self.hook(addr, verb), millis(lasts));
        let mut message =
            format!("{addr}: Still {}... [{}s elapsed]", doing(verb).to_ascii_lowercase(), lasts.as_secs());
        if let Some(why) = why {
            message.push_str(&format!(": {why}"));
            hook["waiting_for"] = why.into();
        }
        Some(event("apply_progress", message, hook))
    }

    fn kind(&self, addr: &ResourceAddr) -> Option<(&TypeName, &ProviderName)> {
        self.known.get(addr).map(|known| (&known.type_name, &known.provider))
    }

    fn resource(&self, addr: &ResourceAddr) -> Value {
        resource(addr, self.kind(addr))
    }

    fn hook(&self, addr: &ResourceAddr, verb: Verb) -> Value {
        let action = match verb {
            Verb::Create => "create",
            Verb::Update => "update",
            Verb::Replace => "replace",
            Verb::Delete => "delete",
            Verb::Move => "move",
            Verb::Adopt => "import",
        };
        json!({ "resource": self.resource(addr), "action": action })
    }
}

fn checked(block: &BlockAddr, check: &CheckName, result: &CheckResult, simulated: bool, took_ms: u64) -> Vec<Event> {
    let (word, reason) = match result {
        CheckResult::Passed => ("passed", None),
        CheckResult::Failed { reason } => ("failed", Some(reason)),
        CheckResult::Interrupted => ("interrupted", None),
    };
    let mut hook = json!({ "block": block, "check": check, "result": word, "simulated": simulated });
    hook = with_elapsed(hook, took_ms);
    if let Some(reason) = reason {
        hook["reason"] = reason.as_str().into();
    }
    let by = if simulated { " (simulated)" } else { "" };
    let message = format!("{block}: Check {check} {word}{by} after {}s", took_ms / 1_000);
    let diagnostic = reason.map(|reason| {
        let text = format!("check {check} failed: {reason}");
        diagnostic(Severity::Error, &text, Some(block.to_string()))
    });
    [event("check_complete", message, hook)].into_iter().chain(diagnostic).collect()
}

fn event(kind: &'static str, message: String, hook: Value) -> Event {
    Event::info(kind, message, [("hook", hook)])
}

fn add_id(hook: &mut Value, id: &str) {
    hook["id_key"] = "id".into();
    hook["id_value"] = id.into();
}

fn with_elapsed(mut hook: Value, ms: u64) -> Value {
    hook["elapsed_seconds"] = (ms / 1_000).into();
    hook
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// `Creating`, as Terraform begins its messages.
fn doing(verb: Verb) -> String {
    let word = words::doing(verb);
    let mut chars = word.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

fn noun(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "Creation",
        Verb::Update => "Modifications",
        Verb::Replace => "Replacement",
        Verb::Delete => "Destruction",
        Verb::Move => "Move",
        Verb::Adopt => "Import",
    }
}
