//! One limiter per target and API family, for all blocks of a run.
//!
//! It starts without a rate and learns one from throttling answers: halved at each (at most once a second), raised
//! slowly by success, as TCP does. The number of calls in flight is always bounded.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::channel::oneshot;

use crate::machine::Io;
use crate::target::TargetId;

/// The most calls in flight per target.
const IN_FLIGHT: usize = 32;
/// The rate assumed at the first throttling answer where too few calls were made to tell, in calls per second.
const FIRST_RATE: f64 = 20.0;
/// The lowest rate.
const LEAST_RATE: f64 = 0.5;

/// Calls per target.
#[derive(Clone, Default)]
pub(super) struct Limiter {
    lanes: Arc<Mutex<BTreeMap<TargetId, Lane>>>,
}

#[derive(Default)]
struct Lane {
    in_flight: usize,
    waiting: VecDeque<oneshot::Sender<()>>,
    rate: Option<f64>,
    /// When the next call may be sent, in boot milliseconds.
    next_ms: f64,
    last_cut_ms: u64,
    recent: VecDeque<u64>,
}

/// The right to have one call in flight; given back when dropped.
pub(super) struct Permit {
    limiter: Limiter,
    target: TargetId,
}

impl Limiter {
    fn lane<T>(&self, target: &TargetId, f: impl FnOnce(&mut Lane) -> T) -> T {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        f(lanes.entry(target.clone()).or_default())
    }

    /// Waits until a call may be sent.
    pub(super) async fn acquire(&self, io: &Io, target: &TargetId) -> Permit {
        loop {
            let wait = self.lane(target, |lane| {
                if lane.in_flight < IN_FLIGHT {
                    lane.in_flight += 1;
                    return None;
                }
                let (sender, receiver) = oneshot::channel();
                lane.waiting.push_back(sender);
                Some(receiver)
            });
            let Some(receiver) = wait else { break };
            // A sender that is gone means that the machine ends.
            if receiver.await.is_err() {
                std::future::pending::<()>().await;
            }
        }
        let permit = Permit { limiter: self.clone(), target: target.clone() };
        let now = io.now().boot_ms;
        let delay = self.lane(target, |lane| {
            lane.recent.push_back(now);
            while lane.recent.front().is_some_and(|at| now.saturating_sub(*at) > 1_000) {
                lane.recent.pop_front();
            }
            lane.rate.map(|rate| {
                #[expect(clippy::cast_precision_loss, reason = "milliseconds since boot fit a double")]
                let now = now as f64;
                let at = lane.next_ms.max(now);
                lane.next_ms = at + 1_000.0 / rate;
                at - now
            })
        });
        if let Some(ms) = delay.filter(|ms| *ms >= 1.0) {
            io.sleep(Duration::from_secs_f64(ms / 1_000.0)).await;
        }
        permit
    }

    /// A call was throttled.
    pub(super) fn throttled(&self, io: &Io, target: &TargetId) {
        let now = io.now().boot_ms;
        self.lane(target, |lane| {
            if lane.rate.is_some() && now.saturating_sub(lane.last_cut_ms) < 1_000 {
                return;
            }
            lane.last_cut_ms = now;
            #[expect(clippy::cast_precision_loss, reason = "a handful of calls")]
            let seen = lane.recent.len() as f64;
            lane.rate = Some((lane.rate.unwrap_or(seen.max(FIRST_RATE)) / 2.0).max(LEAST_RATE));
        });
    }

    /// A call was answered.
    pub(super) fn answered(&self, target: &TargetId) {
        self.lane(target, |lane| {
            if let Some(rate) = &mut lane.rate {
                *rate += 0.1;
            }
        });
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limiter.lane(&self.target, |lane| {
            lane.in_flight = lane.in_flight.saturating_sub(1);
            while let Some(next) = lane.waiting.pop_front() {
                if next.send(()).is_ok() {
                    break;
                }
            }
        });
    }
}
