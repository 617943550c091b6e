//! The lease: how long a run may believe that nobody has taken over its claims.
//!
//! # Guarantees
//! Times of two clocks are never compared. The holder counts from before it sent the renewing entry, on the larger of
//! boot time and wall clock, so that neither a suspended machine nor a wall clock that was set back lengthens it. A
//! lease that has lapsed never comes back, also if a renewal lands later: a successor may have judged in between.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use thiserror::Error;

use crate::machine::Now;
use crate::mutant::{self, Mutant};

/// The times of leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How long a lease lasts after each renewal.
    pub lease: Duration,
    /// How often it is renewed.
    pub renew_every: Duration,
    /// The holder stops this long before the lease ends, and a successor waits this much longer: what clocks may
    /// differ in their *rate*, and the grain of the store's stamps.
    pub margin: Duration,
}

impl Timing {
    /// A lease of this length, renewed three times as often; the margin is a tenth of it, at most two seconds.
    pub fn with_lease(lease: Duration) -> Self {
        Self { lease, renew_every: lease / 3, margin: (lease / 10).min(Duration::from_secs(2)) }
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self::with_lease(Duration::from_secs(30))
    }
}

/// The lease has ended: the run must make no further call.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the lease of this run has lapsed ({why}): it makes no further call; apply again to finish")]
pub struct LeaseLapsed {
    /// Why.
    pub why: String,
}

/// A run's lease. Clones share it.
#[derive(Debug, Clone)]
pub struct Lease {
    timing: Timing,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// Since the last entry that is known to stand was sent.
    since: Passed,
    /// Since the one that is on its way was sent.
    next: Passed,
    /// The clocks as they were seen last.
    seen: Now,
    lapsed: Option<String>,
}

/// How much time has passed, by two clocks of which either may stand still, and one may be set.
#[derive(Debug, Clone, Copy)]
struct Passed {
    from: Now,
    before: Duration,
}

impl Passed {
    fn from(from: Now) -> Self {
        Self { from, before: Duration::ZERO }
    }

    /// The larger of what the clocks say.
    fn by(&self, now: Now) -> Duration {
        let boot = now.boot_ms.saturating_sub(self.from.boot_ms);
        let wall = now.wall_ms.saturating_sub(self.from.wall_ms);
        self.before + Duration::from_millis(boot.max(wall))
    }

    /// The wall clock was set back: what it has shown until then is kept, or it would show nothing until it has caught up,
    /// and boot time alone would be left, which stands still while some machines are suspended.
    fn set_back(&mut self, seen: Now, now: Now) {
        self.before = self.by(seen);
        let meanwhile = now.boot_ms.saturating_sub(seen.boot_ms);
        self.from = Now { boot_ms: seen.boot_ms, wall_ms: now.wall_ms.saturating_sub(meanwhile) };
    }
}

impl State {
    fn see(&mut self, now: Now) {
        if now.wall_ms < self.seen.wall_ms {
            self.since.set_back(self.seen, now);
            self.next.set_back(self.seen, now);
        }
        self.seen = now;
    }
}

impl Lease {
    /// A lease that counts from before its first entry was sent.
    pub(super) fn new(timing: Timing, sent: Now) -> Self {
        let passed = Passed::from(sent);
        Self { timing, state: Arc::new(Mutex::new(State { since: passed, next: passed, seen: sent, lapsed: None })) }
    }

    /// Its times.
    pub fn timing(&self) -> Timing {
        self.timing
    }

    /// How long it is still good for.
    ///
    /// # Errors
    /// It has lapsed, now or before.
    pub fn check(&self, now: Now) -> Result<Duration, LeaseLapsed> {
        let mut state = self.state();
        self.check_locked(&mut state, now)
    }

    /// A renewing entry is about to be sent. There is one at a time.
    pub(super) fn sending(&self, now: Now) {
        let mut state = self.state();
        state.see(now);
        state.next = Passed::from(now);
    }

    /// The renewing entry that was sent last is known to stand.
    pub(super) fn renewed(&self, now: Now) -> Result<(), LeaseLapsed> {
        let mut state = self.state();
        if !mutant::on(Mutant::LapsedLeaseComesBack) {
            self.check_locked(&mut state, now)?;
        }
        state.since = state.next;
        Ok(())
    }

    /// Nothing renews it any more.
    pub(super) fn lose(&self, why: String) {
        self.state().lapsed.get_or_insert(why);
    }

    fn check_locked(&self, state: &mut State, now: Now) -> Result<Duration, LeaseLapsed> {
        if mutant::on(Mutant::LeaseNeverLapses) {
            return Ok(self.timing.lease);
        }
        if let Some(why) = &state.lapsed {
            return Err(LeaseLapsed { why: why.clone() });
        }
        state.see(now);
        let elapsed = state.since.by(now);
        let good = self.timing.lease.saturating_sub(self.timing.margin);
        match good.checked_sub(elapsed) {
            Some(left) if !left.is_zero() => Ok(left),
            _ => {
                let why = format!("it was renewed {} s ago", elapsed.as_secs());
                if !mutant::on(Mutant::LapsedLeaseComesBack) {
                    state.lapsed = Some(why.clone());
                }
                Err(LeaseLapsed { why })
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(boot_ms: u64, wall_ms: u64) -> Now {
        Now { boot_ms, wall_ms }
    }

    fn lease() -> Lease {
        let timing = Timing { margin: Duration::from_secs(1), ..Timing::with_lease(Duration::from_secs(10)) };
        Lease::new(timing, at(1_000, 50_000))
    }

    #[test]
    fn it_counts_on_the_larger_of_two_clocks() {
        assert_eq!(lease().check(at(2_000, 51_000)), Ok(Duration::from_secs(8)));
        assert!(lease().check(at(10_000, 51_000)).is_err(), "boot time has run");
        assert!(lease().check(at(2_000, 59_000)).is_err(), "the wall clock has run");
        assert!(lease().check(at(10_000, 1)).is_err(), "a wall clock that was set back lengthens nothing");
    }

    #[test]
    fn a_lapsed_lease_never_comes_back() {
        let lease = lease();
        assert!(lease.check(at(10_000, 59_000)).is_err());
        assert!(lease.check(at(2_000, 51_000)).is_err(), "a clock that was set back");
        lease.sending(at(9_999, 58_999));
        assert!(lease.renewed(at(10_001, 59_001)).is_err(), "a renewal that landed too late");
        assert!(lease.check(at(10_002, 59_002)).is_err());
    }

    #[test]
    fn a_renewal_counts_from_its_sending() {
        let lease = lease();
        lease.sending(at(3_000, 52_000));
        lease.renewed(at(9_000, 58_000)).unwrap();
        assert_eq!(lease.check(at(9_000, 58_000)), Ok(Duration::from_secs(3)));
    }

    #[test]
    fn a_wall_clock_that_was_set_back_still_shows_that_boot_time_stood_still() {
        let lease = lease();
        // Set back by 30 seconds, a second after the last entry was sent.
        assert_eq!(lease.check(at(2_000, 21_000)), Ok(Duration::from_secs(8)));
        assert!(lease.check(at(2_000, 41_000)).is_err(), "suspended for 20 seconds");

        let renewed = self::lease();
        renewed.sending(at(2_000, 51_000));
        assert_eq!(renewed.check(at(3_000, 22_000)), Ok(Duration::from_secs(7)));
        renewed.renewed(at(4_000, 23_000)).unwrap();
        assert_eq!(renewed.check(at(5_000, 24_000)), Ok(Duration::from_secs(6)), "since it was sent");
        assert!(renewed.check(at(5_000, 44_000)).is_err(), "suspended for 20 seconds");
    }
}
