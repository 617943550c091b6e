//! The loop that performs a machine's actions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::clock;
use super::holder;
use super::store::Store;
use crate::call::{Answer, ReadAnswer, Refusal};
use crate::machine::{Action, ActionId, Event, HolderState, Machine, PutAnswer, Verified};
use crate::progress::Progress;
use crate::provider::Client;
use crate::stream::event::Holder;
use crate::target::TargetId;

/// How long hints that are still on their way are waited for when the machine has ended.
const HINTS_GRACE: Duration = Duration::from_secs(2);

/// What a machine's actions act on.
#[derive(Clone)]
pub struct World {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The client halves, by target.
    pub clients: BTreeMap<TargetId, Arc<dyn Client>>,
    /// This process, if it may judge others dead.
    pub me: Option<Holder>,
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
                action @ Action::PutHint { .. } => {
                    let (world, sender) = (world.clone(), sender.clone());
                    hints.spawn(async move { report(&sender, id, perform(&world, action).await) });
                }
                action => {
                    let (world, sender) = (world.clone(), sender.clone());
                    tasks.spawn(async move { report(&sender, id, perform(&world, action).await) });
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

/// The receiver lives as long as the machine; when it is gone nobody waits for the event.
fn report(sender: &mpsc::UnboundedSender<(ActionId, Event)>, id: ActionId, event: Event) {
    sender.send((id, event)).unwrap_or_default();
}

async fn perform(world: &World, action: Action) -> Event {
    match action {
        Action::Put { key, bytes } => Event::Put(world.store.put_if_absent(&key, bytes).await),
        Action::PutHint { key, bytes } => {
            world.store.put_hint(&key, bytes).await;
            Event::Put(PutAnswer::Done)
        }
        Action::Get { key } => Event::Get(world.store.get(&key).await),
        Action::List { prefix } => Event::List(world.store.list(&prefix).await),
        Action::Verify { target } => Event::Verify(match world.clients.get(&target) {
            None => Verified::No { problem: no_client(&target) },
            Some(client) => match client.verify(&target).await {
                Ok(()) => Verified::Yes { bounds: client.bounds() },
                Err(error) => Verified::No { problem: error.problem },
            },
        }),
        Action::Call { target, sending } => Event::Call(match world.clients.get(&target) {
            Some(client) => client.call(&sending).await,
            None => Answer::Refused {
                refusal: Refusal::Invalid,
                code: "NoClient".to_owned(),
                message: no_client(&target),
                server_time: None,
            },
        }),
        Action::Read { target, read } => Event::Read(match world.clients.get(&target) {
            Some(client) => client.read(&read).await,
            None => ReadAnswer::Failed { refusal: Some(Refusal::Invalid), reason: no_client(&target) },
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

fn no_client(target: &TargetId) -> String {
    format!("this build has no client for target {target}")
}
