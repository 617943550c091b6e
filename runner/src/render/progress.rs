//! Progress: a live display on a terminal, plain lines elsewhere.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use provision_core::id::ResourceAddr;
use provision_core::progress::{CheckResult, Progress, Verb};

use super::style::{DIM, GREEN, RED, YELLOW};

/// Shows what a run reports. On a terminal one line at the bottom says what runs now.
pub(crate) struct Watcher {
    bar: Option<ProgressBar>,
    running: BTreeSet<ResourceAddr>,
    done: usize,
    total: usize,
    phase: String,
    line: fn(&str),
}

impl Watcher {
    /// A watcher of so many actions (0: not known, as while planning).
    pub(crate) fn new(total: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            // A constant template; were it wrong, the default one would do.
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self { bar, running: BTreeSet::new(), done: 0, total, phase: String::new(), line: super::line }
    }

    /// The same with its lines on standard error: standard output is a document.
    pub(crate) fn beside_a_document(total: usize) -> Self {
        Self { line: super::aside, ..Self::new(total) }
    }

    /// Takes one event in.
    pub(crate) fn see(&mut self, progress: &Progress) {
        match progress {
            Progress::Started { resource, .. } => {
                self.running.insert(resource.clone());
            }
            Progress::Finished { resource, .. }
            | Progress::Failed { resource, .. }
            | Progress::Skipped { resource, .. } => {
                self.running.remove(resource);
                self.done += 1;
            }
            Progress::Phase { what } => self.phase.clone_from(what),
            Progress::Claimed { .. }
            | Progress::Waiting { .. }
            | Progress::Moved { .. }
            | Progress::Checking { .. }
            | Progress::Checked { .. }
            | Progress::Recovered { .. } => {}
        }
        match (&self.bar, text(progress)) {
            (Some(bar), Some(line)) if !is_chatter(progress) => bar.suspend(|| (self.line)(&line)),
            (None, Some(line)) => (self.line)(&line),
            (Some(_) | None, _) => {}
        }
        if let Some(bar) = &self.bar {
            bar.set_message(self.now());
        }
    }

    /// Takes the live line away.
    pub(crate) fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn now(&self) -> String {
        if self.running.is_empty() {
            return self.phase.clone();
        }
        let names: Vec<String> = self.running.iter().map(ToString::to_string).collect();
        format!("{}/{} {}", self.done, self.total.max(self.done), names.join(", "))
    }
}

/// What the live line shows anyway.
fn is_chatter(progress: &Progress) -> bool {
    matches!(progress, Progress::Phase { .. } | Progress::Started { .. } | Progress::Claimed { .. })
}

/// A line for an event, where one is worth it.
pub(crate) fn text(progress: &Progress) -> Option<String> {
    Some(match progress {
        Progress::Phase { what } => format!("{DIM}{what} …{DIM:#}"),
        Progress::Claimed { block, run } => format!("{DIM}{block}: claimed by run {}{DIM:#}", run.short()),
        Progress::Started { resource, verb } => format!("{DIM}{resource}: {} …{DIM:#}", doing(*verb)),
        Progress::Waiting { resource, why } => format!("{DIM}{resource}: waiting: {why}{DIM:#}"),
        Progress::Finished { resource, verb, id, took_ms } => {
            let id = id.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
            format!("{GREEN}{resource}: {}{GREEN:#}{id} after {}", done(*verb), seconds(*took_ms))
        }
        Progress::Failed { resource, error, .. } => format!("{RED}{resource}: failed:{RED:#} {error}"),
        Progress::Skipped { resource, why, .. } => format!("{YELLOW}{resource}: not done:{YELLOW:#} {why}"),
        Progress::Moved { resource, from } => format!("{GREEN}{resource}: moved{GREEN:#} from {from}"),
        Progress::Checking { block, check, what } => format!("{DIM}{block}: check {check}: {what}{DIM:#}"),
        Progress::Checked { block, check, result, simulated, took_ms } => {
            let by = if *simulated { " (simulated)" } else { "" };
            let took = seconds(*took_ms);
            match result {
                CheckResult::Passed => format!("{GREEN}{block}: check {check} passed{by}{GREEN:#} after {took}"),
                CheckResult::Failed { reason } => {
                    format!("{RED}{block}: check {check} failed{by}:{RED:#} {reason}")
                }
                CheckResult::Interrupted => format!("{YELLOW}{block}: check {check}{YELLOW:#} was interrupted"),
            }
        }
        Progress::Recovered { resource, what } => format!("{resource}: of an interrupted run: {what}"),
    })
}

fn doing(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "creating",
        Verb::Update => "updating",
        Verb::Replace => "replacing",
        Verb::Delete => "deleting",
    }
}

fn done(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "created",
        Verb::Update => "updated",
        Verb::Replace => "replaced",
        Verb::Delete => "deleted",
    }
}

fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
}
