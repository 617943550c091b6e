//! One block while its run goes on.

use std::collections::BTreeMap;
use std::time::Duration;

use provision_core::id::{BlockAddr, CheckName, ResourceAddr};
use provision_core::progress::{CheckResult, Verb};

use super::super::plain;
use super::super::style::{DIM, GREEN, RED, YELLOW};
use super::super::words::{doing, done, elapsed, took};
use super::Seen;

/// How long something goes on before that is worth a line.
const SLOW: Duration = Duration::from_secs(20);

/// One block while its run goes on.
pub(super) struct BlockNow {
    /// How many actions it has; 0 where that is not known.
    actions: usize,
    /// How many checks it has.
    checks: usize,
    began: Option<Duration>,
    running: BTreeMap<ResourceAddr, Running>,
    checking: BTreeMap<CheckName, (String, Duration)>,
    done: BTreeMap<Verb, usize>,
    failed: usize,
    skipped: usize,
    passed: usize,
    failed_checks: usize,
    interrupted_checks: usize,
    /// Why something was skipped.
    why: Option<String>,
    told: bool,
}

struct Running {
    verb: Verb,
    since: Duration,
    wait: Option<String>,
    /// How long it lasts when the next line about it is due.
    slow_at: Duration,
}

/// How far a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) ended: usize,
    pub(super) actions: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
}

impl BlockNow {
    pub(super) fn new(actions: usize, checks: usize) -> Self {
        Self {
            actions,
            checks,
            began: None,
            running: BTreeMap::new(),
            checking: BTreeMap::new(),
            done: BTreeMap::new(),
            failed: 0,
            skipped: 0,
            passed: 0,
            failed_checks: 0,
            interrupted_checks: 0,
            why: None,
            told: false,
        }
    }

    pub(super) fn started(&mut self, resource: &ResourceAddr, verb: Verb, now: Duration) {
        self.began.get_or_insert(now);
        self.running.insert(resource.clone(), Running { verb, since: now, wait: None, slow_at: SLOW });
    }

    pub(super) fn waiting(&mut self, resource: &ResourceAddr, why: &str) {
        if let Some(running) = self.running.get_mut(resource) {
            running.wait = Some(plain(why));
        }
    }

    pub(super) fn finished(&mut self, resource: &ResourceAddr, verb: Verb) -> Seen {
        let slow = self.running.remove(resource).is_some_and(|running| running.slow_at > SLOW);
        *self.done.entry(verb).or_default() += 1;
        if slow { Seen::Awaited } else { Seen::Ordinary }
    }

    /// An object came from another address: that has no beginning to be told of.
    pub(super) fn moved(&mut self, now: Duration) {
        self.began.get_or_insert(now);
        *self.done.entry(Verb::Move).or_default() += 1;
    }

    pub(super) fn failed(&mut self, resource: &ResourceAddr) {
        self.running.remove(resource);
        self.failed += 1;
    }

    pub(super) fn skipped(&mut self, resource: &ResourceAddr, why: &str) {
        self.running.remove(resource);
        self.skipped += 1;
        self.why.get_or_insert_with(|| plain(why));
    }

    pub(super) fn checking(&mut self, check: &CheckName, what: &str, now: Duration) {
        self.began.get_or_insert(now);
        self.checking.entry(check.clone()).or_insert_with(|| (String::new(), now)).0 = plain(what);
    }

    pub(super) fn checked(&mut self, check: &CheckName, result: &CheckResult) {
        self.checking.remove(check);
        match result {
            CheckResult::Passed => self.passed += 1,
            CheckResult::Failed { .. } => self.failed_checks += 1,
            CheckResult::Interrupted => self.interrupted_checks += 1,
        }
    }

    /// Whether nothing more comes, as far as can be told: checks are not begun where something went wrong.
    pub(super) fn is_over(&self) -> bool {
        let Counts { ended, actions, failed, skipped } = self.counts();
        let checked = self.passed + self.failed_checks + self.interrupted_checks;
        self.running.is_empty()
            && self.checking.is_empty()
            && ended >= actions
            && (checked >= self.checks || failed + skipped > 0)
    }

    pub(super) fn counts(&self) -> Counts {
        let ended = self.done.values().sum::<usize>() + self.failed + self.skipped;
        let failed = self.failed + self.failed_checks;
        Counts { ended, actions: self.actions.max(ended + self.running.len()), failed, skipped: self.skipped }
    }

    /// Whether something of it goes on now, and since when.
    pub(super) fn runs_since(&self) -> Option<Duration> {
        if self.running.is_empty() && self.checking.is_empty() { None } else { self.began }
    }

    /// How many calls and checks of it are on their way.
    pub(super) fn on_their_way(&self) -> usize {
        self.running.len() + self.checking.len()
    }

    /// What goes on now: what has run longest and how many others, and what that waits for.
    pub(super) fn now(&self) -> (String, String) {
        let actions = self.running.iter().map(|(addr, running)| {
            let doing = doing(running.verb);
            let wait = running.wait.clone().unwrap_or_default();
            (running.since, format!("{doing} {}", addr.name), wait)
        });
        let checks =
            self.checking.iter().map(|(name, (what, since))| (*since, format!("checking {name}"), what.clone()));
        let Some((_, what, wait)) = actions.chain(checks).min() else { return Default::default() };
        let others = self.on_their_way() - 1;
        let others = if others == 0 { String::new() } else { format!(" +{others}") };
        (format!("{what}{others}"), wait)
    }

    pub(super) fn slow(&mut self, now: Duration) -> Vec<String> {
        let mut lines = Vec::new();
        for (addr, running) in &mut self.running {
            let lasts = now.saturating_sub(running.since);
            if lasts >= running.slow_at {
                running.slow_at = lasts * 2;
                let wait = running.wait.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
                let doing = doing(running.verb);
                lines.push(format!("{DIM}{addr}: still {doing} after {}{wait}{DIM:#}", elapsed(lasts)));
            }
        }
        lines
    }

    /// How the block ended: once, and only if something was to be done.
    pub(super) fn tell(&mut self, addr: &BlockAddr, now: Duration) -> Option<String> {
        let counts = self.counts();
        let nothing = self.began.is_none() && counts.ended == 0;
        if self.told || nothing {
            return None;
        }
        self.told = true;
        let Some(began) = self.began else {
            let why = self.why.as_deref().unwrap_or_default();
            return Some(format!("{YELLOW}{addr}: not begun:{YELLOW:#} {why}"));
        };
        let (style, how) = if counts.failed > 0 {
            (RED, "failed")
        } else if counts.skipped + self.interrupted_checks > 0 || !self.is_over() {
            (YELLOW, "not finished")
        } else {
            (GREEN, "done")
        };
        let time = took(u64::try_from(now.saturating_sub(began).as_millis()).unwrap_or(u64::MAX));
        let list = self.list();
        let list = if list.is_empty() { String::new() } else { format!(" ({list})") };
        Some(format!("{style}{addr}: {how}{style:#} after {time}{list}"))
    }

    fn list(&self) -> String {
        let count = |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}"));
        let checks = |number: usize, how: &str| {
            count(number, &format!("{} {how}", if number == 1 { "check" } else { "checks" }))
        };
        let done = self.done.iter().filter_map(|(verb, number)| count(*number, done(*verb)));
        let rest = [
            count(self.failed, "failed"),
            count(self.skipped, "not done"),
            checks(self.passed, "passed"),
            checks(self.failed_checks, "failed"),
            checks(self.interrupted_checks, "interrupted"),
        ];
        done.chain(rest.into_iter().flatten()).collect::<Vec<_>>().join(", ")
    }
}
