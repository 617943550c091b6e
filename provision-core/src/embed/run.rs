//! A run that goes on, as a handle.

use super::task::Task;
use crate::exec::{RunError, RunReport};
use crate::id::RunId;
use crate::progress::Progress;

/// A run of an approved plan, which goes on in a task of its own.
///
/// # Guarantees
/// Events that nobody takes do not hold it up.
///
/// # Caveats
/// Dropping it kills the run, as if its process had died: nothing more is begun, and of what was under way, calls and entries
/// of the logs alike, each may still land or not, even after the next run has looked. That one finds out, and goes on. That is safe, but not swift: as this process lives, others cannot see
/// that the run does not, and wait until its lease is over (half a minute, unless [`Timing`](crate::stream::Timing) says
/// otherwise). Whoever wants it to end soon calls [`interrupt`](Self::interrupt), then [`finish`](Self::finish).
///
/// ```
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let engine = toy::engine(&toy::cloud());
/// use provision_core::embed::PlanRequest;
/// use provision_core::exec::Binding;
/// use provision_core::progress::Progress;
/// use provision_core::stream::event::RunOutcome;
///
/// let plan = engine.plan(&PlanRequest::default()).finish().await?.plan;
/// let mut run = engine.apply(plan, Binding::Ceiling);
/// // Something else has become more important.
/// run.interrupt();
/// let mut claimed = 0;
/// while let Some(event) = run.next_event().await {
///     claimed += usize::from(matches!(event, Progress::Claimed { .. }));
/// }
/// assert_eq!(claimed, 2);
/// assert_eq!(run.finish().await?.outcome, RunOutcome::Interrupted);
///
/// // Its blocks are free, and what it did not do is still to be done.
/// let plan = engine.plan(&PlanRequest::default()).finish().await?.plan;
/// assert_eq!(engine.apply(plan, Binding::Ceiling).finish().await?.outcome, RunOutcome::Succeeded);
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping it kills the run"]
pub struct Run {
    id: RunId,
    task: Task<RunReport>,
}

impl Run {
    pub(super) fn new(id: RunId, task: Task<RunReport>) -> Self {
        Self { id, task }
    }

    /// Its id, which is that of its plan.
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// The next thing that happens; `None` once the run has ended. Giving up the wait loses no event.
    pub async fn next_event(&mut self) -> Option<Progress> {
        self.task.next_event().await
    }

    /// Asks the run to end: the first time to drain, the second time to stop.
    ///
    /// A run that drains begins nothing, waits for calls in flight ([`Settings::drain`](crate::exec::Settings) at most) and
    /// gives its blocks back. One that stops waits for nothing: what it does not know, the next run finds out.
    pub fn interrupt(&self) {
        self.task.interrupt();
    }

    /// Waits for the end of the run. Events that were not taken are dropped.
    ///
    /// # Errors
    /// Nothing was called: a block could not be claimed, the world has changed since the plan was made, and all else that
    /// [`RunError`] names. Only after [`RunError::Driver`] calls may have been made. A call that failed is no error: it is
    /// in the report.
    ///
    /// # Caveats
    /// Dropping the future drops the run. Who waits for an interrupt at the same time takes events until there are no more,
    /// and calls this then.
    pub async fn finish(self) -> Result<RunReport, RunError> {
        self.task.finish().await
    }
}
