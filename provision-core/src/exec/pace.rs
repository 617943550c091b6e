//! The pace of the calls that share one limit: pure, by times that are handed in.
//!
//! # How the limit is found
//! Servers limit calls by token buckets, of which a client knows neither size nor flow. But a call that is throttled says
//! that the bucket was empty then. So between two throttling answers the server let through what flowed in meanwhile, give
//! or take one call: `n` calls in `t` seconds mean that the flow is at most `(n + 1) / t`. The pace is taken down to that,
//! and not below what the server took in the last second. When nothing was throttled for a while, higher paces are tried,
//! in steps that grow as long as they are good.
//!
//! # Why not as others do it
//! The AWS SDKs' adaptive mode multiplies its rate by 0.7 at a throttling answer and lets it grow again by a cubic function
//! of time, as TCP does (CUBIC, RFC 9438; botocore's `retries/adaptive.py` and `throttling.py`), and AIMD halves it and adds
//! a constant. Both find the limit by losing it again and again, because a lost packet tells TCP nothing but that there was
//! one too many: their mean rate is 85 to 95 % of the limit. A throttling answer tells more, so the bound is measured. With
//! buckets of five calls and more that comes within 1 % of the limit, while one call in twenty to fifty is throttled.
//!
//! # Where it ends
//! A bucket of a single call takes nothing in while it is full, so calls that arrive unevenly waste it: evenly sent ones
//! take 6 % longer than the limit says, and with a jitter of as much as their distance half as long again. A server that
//! fills its bucket once a second with no more than that costs 15 %. Several processes share a limit as it comes, not evenly.

use std::collections::VecDeque;
use std::time::Duration;

/// For how long calls are remembered, in milliseconds. The longer, the exacter is what they tell; but a limit that has
/// fallen is noticed that much later.
const WINDOW_MS: u64 = 2_000;
/// Over how long what the server took is counted, in milliseconds.
const TAKEN_MS: u64 = 1_000;
/// How much closer together two calls may have reached the server than they were sent, in milliseconds.
const JITTER_MS: u64 = 25;
/// What part of the measured bound is used: at the bound itself a bucket stays empty.
const PART: f64 = 0.97;
/// The pace is at most halved in such a time, in milliseconds: a short look at a server that fills its bucket in large
/// steps sees nothing flow.
const HALVING_MS: u64 = 250;
/// For how long nothing has to be throttled before a higher pace is tried, in milliseconds.
const PATIENCE_MS: u64 = 1_000;
/// How long each further trial has to be good, in milliseconds; and for a call at the least.
const TRIAL_MS: u64 = 500;
/// By what higher paces are tried, one after the other; by the last one again and again.
const TRIALS: [f64; 5] = [1.05, 1.1, 1.25, 1.5, 2.0];
/// With which of them is begun where nothing was measured yet.
const UNMEASURED: usize = 2;
/// What is added to each trial, in calls per second: whoever got little of a shared limit catches up.
const STEP: f64 = 1.0;
/// After so many good trials the limit is another one than what was measured.
const TRUST: usize = 3;
/// The pace after the first throttling answer, where the server has not taken more in the last second; in calls per
/// second. The buckets of EC2's API fill with 2 to 20 (developer guide, "Request throttling").
const FIRST: f64 = 20.0;
/// The lowest pace, in calls per second.
const LEAST: f64 = 0.5;
/// From this pace on there is none any more, in calls per second.
const MOST: f64 = 2_000.0;
/// How much calls that are behind their pace may make up for, in milliseconds: timers ring late.
const LATE_MS: f64 = 20.0;

/// The number of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sent(u64);

/// The pace of the calls that share one limit. It has none until something is throttled.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Calls per second.
    rate: Option<f64>,
    /// Before then nothing is sent.
    next_ms: f64,
    /// The calls of the last seconds, in the order in which they were sent.
    calls: VecDeque<Call>,
    /// How many were sent before those.
    forgotten: u64,
    /// What was throttled among calls before this one tells nothing about the limit as it is now.
    trusted: u64,
    /// Since when, and from what, the pace may be halved.
    halving: (u64, f64),
    /// When the pace was changed.
    changed_ms: u64,
    /// How many trials were good since something was throttled.
    trials: usize,
    /// Whether the pace has held a call up since it was changed: one that does not is not tried.
    held_up: bool,
}

#[derive(Debug)]
struct Call {
    at_ms: u64,
    fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Not answered yet: likely taken, as throttling answers come soon.
    Open,
    Taken,
    Throttled,
    /// Its turn came, and it was not sent.
    NotSent,
}

impl Pace {
    /// Whether there is one.
    pub(super) fn is_set(&self) -> bool {
        self.rate.is_some()
    }

    /// How long the next call has to wait. It asks again after that; at once, it may be [sent](Self::sent).
    pub(super) fn wait(&mut self, now_ms: u64) -> Option<Duration> {
        self.try_a_higher_one(now_ms);
        self.rate?;
        let wait = self.next_ms - float(now_ms);
        (wait > 0.0).then(|| {
            self.held_up = true;
            Duration::from_millis(whole(wait))
        })
    }

    /// A call is sent.
    pub(super) fn sent(&mut self, now_ms: u64) -> Sent {
        while self.calls.front().is_some_and(|call| now_ms.saturating_sub(call.at_ms) > WINDOW_MS) {
            self.calls.pop_front();
            self.forgotten += 1;
        }
        let number = self.next_number();
        self.calls.push_back(Call { at_ms: now_ms, fate: Fate::Open });
        if let Some(rate) = self.rate {
            self.next_ms = self.next_ms.max(float(now_ms) - LATE_MS) + 1_000.0 / rate;
        }
        Sent(number)
    }

    /// The call was answered. What was throttled stays so.
    pub(super) fn taken(&mut self, call: Sent) {
        if let Some(call) = self.index(call).and_then(|index| self.calls.get_mut(index))
            && call.fate == Fate::Open
        {
            call.fate = Fate::Taken;
        }
    }

    /// The call was not sent after all: it tells nothing, and the next one goes in its place.
    pub(super) fn not_sent(&mut self, call: Sent) {
        if let Some(call) = self.index(call).and_then(|index| self.calls.get_mut(index))
            && call.fate == Fate::Open
        {
            call.fate = Fate::NotSent;
            self.next_ms -= self.rate.map_or(0.0, |rate| 1_000.0 / rate);
        }
    }

    /// The call was throttled.
    pub(super) fn throttled(&mut self, call: Sent, now_ms: u64) {
        let Some(index) = self.index(call) else { return };
        let Some(found) = self.calls.get_mut(index) else { return };
        found.fate = Fate::Throttled;
        let at_ms = found.at_ms;
        // How carefully a higher pace is tried: one that was not measured may be far off.
        let mut trials = 0;
        let rate = match self.rate {
            None => {
                trials = UNMEASURED;
                let rate = self.taken_before(now_ms, |fate| fate == Fate::Taken).max(FIRST);
                self.next_ms = float(now_ms);
                self.halving = (now_ms, rate);
                self.trusted = call.0;
                rate
            }
            // It was sent at another pace.
            Some(_) if call.0 < self.trusted => return,
            Some(rate) => rate,
        };
        if now_ms.saturating_sub(self.halving.0) >= HALVING_MS {
            self.halving = (now_ms, rate);
        }
        let mut bound = self.bound(index, at_ms) * PART;
        if self.calls.front().is_some_and(|first| at_ms.saturating_sub(first.at_ms) >= TAKEN_MS) {
            bound = bound.max(self.taken_before(at_ms, |fate| matches!(fate, Fate::Open | Fate::Taken)) * PART);
        }
        self.change(rate.min(bound).max(self.halving.1 / 2.0).max(LEAST), now_ms);
        self.trials = trials;
    }

    /// The most that the limit can be, by the throttled calls before this one.
    fn bound(&self, index: usize, at_ms: u64) -> f64 {
        let (mut taken, mut bound) = (0.0, f64::INFINITY);
        let first = usize::try_from(self.trusted.saturating_sub(self.forgotten)).unwrap_or(usize::MAX);
        for call in self.calls.range(first.min(index)..index).rev() {
            match call.fate {
                Fate::NotSent => {}
                Fate::Open | Fate::Taken => taken += 1.0,
                Fate::Throttled => {
                    let span = at_ms.saturating_sub(call.at_ms).saturating_sub(JITTER_MS);
                    if span > 0 {
                        bound = f64::min(bound, (taken + 1.0) * 1_000.0 / float(span));
                    }
                }
            }
        }
        bound
    }

    /// How many calls of this fate were sent in the second before then.
    fn taken_before(&self, at_ms: u64, is: impl Fn(Fate) -> bool) -> f64 {
        let recent = self.calls.iter().filter(|call| call.at_ms <= at_ms && at_ms - call.at_ms < TAKEN_MS);
        float(recent.filter(|call| is(call.fate)).count().try_into().unwrap_or(u64::MAX))
    }

    fn try_a_higher_one(&mut self, now_ms: u64) {
        let Some(rate) = self.rate.filter(|_| self.held_up) else { return };
        let patience = if self.trials == 0 { PATIENCE_MS } else { TRIAL_MS };
        if now_ms.saturating_sub(self.changed_ms) < patience.max(whole(1_000.0 / rate)) {
            return;
        }
        let more = rate * TRIALS.get(self.trials).or(TRIALS.last()).unwrap_or(&1.0) + STEP;
        self.trials += 1;
        if self.trials == TRUST {
            self.trusted = self.next_number();
        }
        self.next_ms = self.next_ms.min(float(now_ms) + 1_000.0 / more);
        self.change(more, now_ms);
    }

    fn change(&mut self, rate: f64, now_ms: u64) {
        self.rate = (rate < MOST).then_some(rate);
        self.changed_ms = now_ms;
        self.held_up = false;
    }

    fn next_number(&self) -> u64 {
        self.forgotten.saturating_add(self.calls.len().try_into().unwrap_or(u64::MAX))
    }

    fn index(&self, call: Sent) -> Option<usize> {
        usize::try_from(call.0.checked_sub(self.forgotten)?).ok()
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since boot and numbers of calls fit a double")]
fn float(number: u64) -> f64 {
    number as f64
}

/// Rounded up: a timer that rings too early asks twice.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and waits are short")]
fn whole(number: f64) -> u64 {
    number.ceil() as u64
}

#[cfg(test)]
mod tests;
