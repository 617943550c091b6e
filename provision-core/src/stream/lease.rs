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
    sent: Now,
    lapsed: Option<String>,
}

impl Lease {
    /// A lease that counts from before its first entry was sent.
    pub(super) fn new(timing: Timing, sent: Now) -> Self {
        Self { timing, state: Arc::new(Mutex::new(State { sent, lapsed: None })) }
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

    /// A renewing entry that was sent at `sent` is known to stand.
    pub(super) fn renewed(&self, sent: Now, now: Now) -> Result<(), LeaseLapsed> {
        let mut state = self.state();
        if !mutant::on(Mutant::LapsedLeaseComesBack) {
            self.check_locked(&mut state, now)?;
        }
        state.sent = sent;
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
        let elapsed = elapsed(state.sent, now);
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

/// The larger of what two clocks say has passed.
fn elapsed(since: Now, now: Now) -> Duration {
    let boot = now.boot_ms.saturating_sub(since.boot_ms);
    let wall = now.wall_ms.saturating_sub(since.wall_ms);
    Duration::from_millis(boot.max(wall))
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
        assert!(lease.renewed(at(9_999, 58_999), at(10_001, 59_001)).is_err(), "a renewal that landed too late");
        assert!(lease.check(at(10_002, 59_002)).is_err());
    }

    #[test]
    fn a_renewal_counts_from_its_sending() {
        let lease = lease();
        lease.renewed(at(3_000, 52_000), at(9_000, 58_000)).unwrap();
        assert_eq!(lease.check(at(9_000, 58_000)), Ok(Duration::from_secs(3)));
    }
}
