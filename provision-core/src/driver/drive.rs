//! The loop that performs a machine's actions.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::clients::{Clients, Connector};
use super::clock;
use super::holder;
use super::store::Store;
use crate::call::{Answer, ReadAnswer, Refusal};
use crate::check::{CheckAnswer, Checker};
use crate::machine::{Action, ActionId, Event, GetAnswer, HolderState, ListAnswer, Machine, PutAnswer, Verified};
use crate::progress::Progress;
use crate::stream::event::Holder;

/// How long hints that are still on their way are waited for when the machine has ended.
const HINTS_GRACE: Duration = Duration::from_secs(2);

/// What a machine's actions act on.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::sync::Arc;
///
/// use provision_core::driver::{ObjectStoreBackend, World};
/// use provision_core::provider::Client;
/// use provision_core::target::TargetId;
///
/// // A store that nothing outlives, and no cloud at all: for what reads logs alone.
/// let nowhere = BTreeMap::<TargetId, Arc<dyn Client>>::new();
/// let world = World::new(Arc::new(ObjectStoreBackend::memory()), Arc::new(nowhere));
/// // A process that cannot see the others must not judge them dead.
/// let world = World { me: None, ..world };
/// # let _ = world;
/// ```
#[derive(Clone)]
pub struct World {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The client halves.
    pub clients: Clients,
    /// Who asks health checks. Without one, an [`Engine`](crate::embed::Engine) chooses; a machine that is driven otherwise
    /// asks nobody, and each check fails.
    pub checker: Option<Arc<dyn Checker>>,
    /// This process, if it may judge others dead.
    pub me: Option<Holder>,
}

impl World {
    /// This store, and these clouds, as this process sees them.
    pub fn new(store: Arc<dyn Store>, connector: Arc<dyn Connector>) -> Self {
        Self { store, clients: Clients::new(connector), checker: None, me: holder::our_holder().ok() }
    }

    /// The same, with this one asking health checks, whatever they are about.
    #[must_use]
    pub fn checked_by(self, checker: Arc<dyn Checker>) -> Self {
        Self { checker: Some(checker), ..self }
    }
}

/// Runs a machine to its end.
///
/// Each action runs in a task of its own. `interrupts` brings one message per interrupt; the caller owns the signals.
/// Dropping the future kills the machine: tasks are aborted, what was sent may still land.
pub async fn drive<T: Send + 'static>(
    mut machine: Machine<T>,
    world: World,
    mut interrupts: mpsc::Receiver<()>,
    mut progress: impl FnMut(&Progress),
) -> T {
    let world = Arc::new(world);
    let mut tasks = JoinSet::new();
    let mut hints = JoinSet::new();
    let (sender, mut events) = mpsc::unbounded_channel();
    let mut asked = machine.step(clock::now(), None);
    let mut interruptible = true;
    loop {
        for (id, action) in asked.drain(..) {
            match action {
                Action::Emit(what) => progress(&what),
                action => {
                    let (world, answer) = (world.clone(), Answering::new(&sender, id, &action));
                    let hint = matches!(action, Action::PutHint { .. });
                    let task = async move { answer.with(perform(&world, action).await) };
                    if hint {
                        hints.spawn(task)
                    } else {
                        tasks.spawn(task)
                    };
                }
            }
        }
        if let Some(result) = machine.take_result() {
            // A hint that is not written costs its reader a listing, and this run a short wait at the most.
            let flushed = tokio::time::timeout(HINTS_GRACE, async { while hints.join_next().await.is_some() {} });
            flushed.await.unwrap_or_default();
            return result;
        }
        // Tasks that have ended are forgotten, so that a long run does not collect them.
        while tasks.try_join_next().is_some() {}
        while hints.try_join_next().is_some() {}
        asked = tokio::select! {
            event = events.recv() => machine.step(clock::now(), event),
            interrupt = interrupts.recv(), if interruptible => match interrupt {
                Some(()) => machine.interrupt(clock::now()),
                None => {
                    interruptible = false;
                    Vec::new()
                }
            },
        };
    }
}

/// Answers an action exactly once: with its outcome, or, should the task die before it has one, with "nothing is known".
struct Answering {
    sender: mpsc::UnboundedSender<(ActionId, Event)>,
    id: ActionId,
    event: Option<Event>,
}

impl Answering {
    fn new(sender: &mpsc::UnboundedSender<(ActionId, Event)>, id: ActionId, action: &Action) -> Self {
        Self { sender: sender.clone(), id, event: Some(unknown(action)) }
    }

    fn with(mut self, event: Event) {
        self.event = Some(event);
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if let Some(event) = self.event.take() {
            // The receiver lives as long as the machine; when it is gone nobody waits for the event.
            self.sender.send((self.id, event)).unwrap_or_default();
        }
    }
}

fn unknown(action: &Action) -> Event {
    let reason = "bug: the task of the action died".to_owned();
    match action {
        Action::Put { .. } | Action::PutHint { .. } => Event::Put(PutAnswer::Unknown(reason)),
        Action::Get { .. } => Event::Get(GetAnswer::Failed(reason)),
        Action::List { .. } => Event::List(ListAnswer::Failed(reason)),
        Action::Verify { .. } => Event::Verify(Verified::No { problem: reason }),
        Action::Call { .. } => Event::Call(Answer::Unknown { reason }),
        Action::Read { .. } => Event::Read(ReadAnswer::Failed { refusal: None, reason }),
        Action::Check { .. } => Event::Check(CheckAnswer { result: Err(reason), simulated: false }),
        Action::ProbeHolder { .. } => Event::Holder(HolderState::Unknown),
        Action::Sleep { .. } | Action::Emit(_) => Event::Woke,
    }
}

async fn perform(world: &World, action: Action) -> Event {
    match action {
        Action::Put { key, bytes } => Event::Put(world.store.put_if_absent(&key, bytes).await),
        Action::PutHint { key, bytes } => {
            world.store.put_hint(&key, bytes).await;
            Event::Put(PutAnswer::Done)
        }
        Action::Get { key } => Event::Get(world.store.get(&key).await),
        Action::List { prefix, after: None } => Event::List(world.store.list(&prefix).await),
        Action::List { prefix, after: Some(after) } => Event::List(world.store.list_after(&prefix, &after).await),
        Action::Verify { target } => Event::Verify(match world.clients.get(&target).await {
            Err(problem) => Verified::No { problem },
            Ok(client) => match client.verify(&target).await {
                Ok(()) => Verified::Yes { bounds: client.bounds() },
                Err(error) => Verified::No { problem: error.problem },
            },
        }),
        Action::Call { target, sending } => Event::Call(match world.clients.get(&target).await {
            Ok(client) => client.call(&sending).await,
            // Nothing was sent.
            Err(message) => {
                let code = "NoClient".to_owned();
                Answer::Refused { refusal: Refusal::Invalid, code, message, server_time: None }
            }
        }),
        Action::Read { target, read } => Event::Read(match world.clients.get(&target).await {
            Ok(client) => client.read(&read).await,
            Err(reason) => ReadAnswer::Failed { refusal: Some(Refusal::Invalid), reason },
        }),
        Action::Check { check } => Event::Check(match &world.checker {
            Some(checker) => checker.check(&check).await,
            None => CheckAnswer { result: Err("nobody asks health checks here".to_owned()), simulated: false },
        }),
        Action::ProbeHolder { holder } => Event::Holder(match &world.me {
            Some(me) => holder::probe(&holder, me),
            None => HolderState::Unknown,
        }),
        Action::Sleep { duration } => {
            tokio::time::sleep(duration).await;
            Event::Woke
        }
        // Told above; no event answers it.
        Action::Emit(_) => Event::Woke,
    }
}
