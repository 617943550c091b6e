//! What a piece of work took.

use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};

use crate::count::Counts;

/// What a piece of work took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Took {
    /// CPU time, user and system, of all its threads.
    pub(crate) cpu: Duration,
    /// Time by the clock: on a machine where others work too, this says little.
    pub(crate) wall: Duration,
    /// The most memory that the process had, in bytes, whatever it was for.
    pub(crate) peak: u64,
    /// What it did to the store; none of a peer.
    pub(crate) store: Option<Counts>,
}

/// Whose usage is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// This process'.
    Own,
    /// That of the processes that it has started and waited for.
    Children,
}

/// A measurement that goes on.
pub(crate) struct Meter {
    whose: Whose,
    cpu: Duration,
    began: Instant,
}

impl Meter {
    /// Begins.
    ///
    /// # Errors
    /// The kernel does not tell.
    pub(crate) fn begin(whose: Whose) -> nix::Result<Self> {
        Ok(Self { whose, cpu: usage(whose)?.0, began: Instant::now() })
    }

    /// Ends.
    ///
    /// # Errors
    /// The kernel does not tell.
    pub(crate) fn end(self, store: Option<Counts>) -> nix::Result<Took> {
        let wall = self.began.elapsed();
        let (cpu, peak) = usage(self.whose)?;
        Ok(Took { cpu: cpu.saturating_sub(self.cpu), wall, peak, store })
    }
}

fn usage(whose: Whose) -> nix::Result<(Duration, u64)> {
    let usage = getrusage(match whose {
        Whose::Own => UsageWho::RUSAGE_SELF,
        Whose::Children => UsageWho::RUSAGE_CHILDREN,
    })?;
    let time = |time: nix::sys::time::TimeVal| {
        let micros = time.tv_sec().saturating_mul(1_000_000).saturating_add(time.tv_usec());
        Duration::from_micros(u64::try_from(micros).unwrap_or_default())
    };
    // Linux counts it in KiB.
    let peak = u64::try_from(usage.max_rss()).unwrap_or_default().saturating_mul(1024);
    Ok((time(usage.user_time()) + time(usage.system_time()), peak))
}
