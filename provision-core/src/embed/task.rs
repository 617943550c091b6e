//! Something that goes on by itself, and the handle of whoever waits for it.

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::driver::{World, drive};
use crate::exec::{Prepared, RunError};
use crate::machine::{Io, Machine, Memory};
use crate::progress::Progress;

/// How many interrupts can be on their way: there are no more than two that mean something.
const INTERRUPTS: usize = 2;

/// A plan that is being made.
pub type Planning = Task<Prepared>;

/// A protocol that runs in a task of its own, and ends with a `T`.
///
/// # Guarantees
/// Events that nobody takes do not hold it up.
///
/// # Caveats
/// Dropping the handle kills it: what was sent may still land. For what only reads that is of no consequence.
/// [`Run`](super::Run) says what it means for a run.
///
/// ```
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let engine = toy::engine(&toy::cloud());
/// use provision_core::embed::Task;
/// use provision_core::stream::list_runs;
///
/// // Any protocol of the core can be run so; an engine has those that most need.
/// let mut runs = Task::start(engine.memory.clone(), engine.world.clone(), |io| async move { Ok(list_runs(&io).await?) });
/// assert_eq!(runs.next_event().await, None, "reading a list tells nothing");
/// assert!(runs.finish().await?.is_empty());
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping it kills it"]
pub struct Task<T> {
    /// Without bound, so that whoever does not look does not hold it up: a run has some events for each resource, and one
    /// for each retry.
    events: mpsc::UnboundedReceiver<Progress>,
    interrupts: mpsc::Sender<()>,
    /// The one task, which goes away with this. None where there was no runtime.
    task: JoinSet<Result<T, RunError>>,
}

impl<T: Send + 'static> Task<T> {
    /// Starts a protocol. Outside of a tokio runtime it does not begin, and [`finish`](Self::finish) says so.
    pub fn start<F, P>(memory: Memory, world: World, protocol: F) -> Self
    where
        F: FnOnce(Io) -> P,
        P: Future<Output = Result<T, RunError>> + Send + 'static,
    {
        let (tell, events) = mpsc::unbounded_channel();
        let (interrupts, interrupted) = mpsc::channel(INTERRUPTS);
        let mut task = JoinSet::new();
        if let Ok(runtime) = Handle::try_current() {
            let machine = Machine::with_memory(memory, protocol);
            let driven = async move {
                // Whoever dropped the receiver does not want to know.
                drive(machine, world, interrupted, |progress| tell.send(progress.clone()).unwrap_or_default()).await
            };
            task.spawn_on(driven, &runtime);
        }
        Self { events, interrupts, task }
    }

    /// The next thing that happens; `None` once it has ended. Giving up the wait loses no event.
    pub async fn next_event(&mut self) -> Option<Progress> {
        self.events.recv().await
    }

    /// Asks it to end: the first time to drain (nothing new is begun, calls on their way are waited for), the second time
    /// to stop. What only reads takes no notice: drop it.
    pub fn interrupt(&self) {
        // One that does not fit comes after two that nobody has heard yet; after the end there is nobody to hear it.
        self.interrupts.try_send(()).unwrap_or_default();
    }

    /// Waits for its end. Events that were not taken are dropped.
    ///
    /// # Errors
    /// Its own; and [`RunError::Driver`] where it was not driven to its end.
    ///
    /// # Caveats
    /// Dropping the future drops the handle. Who waits for an interrupt at the same time takes events until there are no
    /// more, and calls this then.
    pub async fn finish(mut self) -> Result<T, RunError> {
        match self.task.join_next().await {
            Some(Ok(result)) => result,
            Some(Err(died)) => Err(RunError::Driver(format!("the task of the run ended before the run: {died}"))),
            None => Err(RunError::Driver("there is no tokio runtime here: call this from async code".to_owned())),
        }
    }
}
