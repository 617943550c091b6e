//! A claim: the right to write to a block's stream, and group commit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::channel::oneshot;

use super::checkpoint;
use super::envelope::{ClaimRef, Entry, Say};
use super::event::BlockEvent;
use super::fold::BlockState;
use super::log::{put_hint, refresh_block};
use super::name::shown;
use super::run::RunStream;
use super::short;
use super::write::{WriteError, Written, put_next, superseded};
use crate::id::{BlockAddr, Epoch};
use crate::machine::Io;
use crate::mutant::{self, Mutant};

/// A run's claim of a block: only through it can a block's stream be written. Clones share it.
///
/// # Guarantees
/// What was appended is durable, and part of [`Claim::state`], before [`Claim::append`] returns. No event is written
/// that the fold would refuse. After one write that failed nothing more is written: whoever superseded this run owns
/// the block.
///
/// # Caveats
/// Dropping the future of an append gives up the waiting, not the write. Appending does not ask the lease: what is
/// known is recorded as long as nobody took over. Calls need [`RunStream::lease`].
#[derive(Clone)]
#[must_use = "a claim that is dropped stays open until its run ends; release it"]
pub struct Claim {
    inner: Arc<Inner>,
}

struct Inner {
    io: Io,
    run: RunStream,
    addr: BlockAddr,
    epoch: Epoch,
    core: Mutex<Core>,
}

struct Core {
    /// What stands in the stream.
    durable: Arc<BlockState>,
    /// The same with all events that are queued or on their way.
    pending: BlockState,
    queue: Vec<Say<BlockEvent>>,
    /// What is on its way.
    writing: Vec<Say<BlockEvent>>,
    waiting: Vec<oneshot::Sender<Result<(), WriteError>>>,
    /// Whether a task is writing.
    busy: bool,
    dead: Option<WriteError>,
}

impl Claim {
    pub(super) fn new(run: RunStream, io: Io, addr: BlockAddr, epoch: Epoch, state: BlockState) -> Self {
        let core = Core {
            durable: Arc::new(state.clone()),
            pending: state,
            queue: Vec::new(),
            writing: Vec::new(),
            waiting: Vec::new(),
            busy: false,
            dead: None,
        };
        Self { inner: Arc::new(Inner { io, run, addr, epoch, core: Mutex::new(core) }) }
    }

    /// The block.
    pub fn addr(&self) -> &BlockAddr {
        &self.inner.addr
    }

    /// The claim's epoch.
    pub fn epoch(&self) -> Epoch {
        self.inner.epoch
    }

    /// The run that holds it.
    pub fn run(&self) -> &RunStream {
        &self.inner.run
    }

    /// What stands in the stream.
    pub fn state(&self) -> Arc<BlockState> {
        self.core().durable.clone()
    }

    /// Writes events; returns when they are durable. Events that are appended meanwhile share the next entry.
    ///
    /// # Errors
    /// The events are not legal (nothing is written), or the write failed (nothing more is ever written).
    pub async fn append(&self, events: Vec<BlockEvent>) -> Result<(), WriteError> {
        self.append_with(|_| Ok((events, ()))).await
    }

    /// Queues events that nobody waits for: they are written with, or before, what is appended next.
    ///
    /// # Errors
    /// The events are not legal (nothing is written), or an earlier write failed (nothing more is ever written).
    pub fn announce(&self, events: Vec<BlockEvent>) -> Result<(), WriteError> {
        self.queue(&mut self.core(), events).map(drop)
    }

    /// Writes the events that `make` makes of the state that they will follow, events on their way included: the place
    /// to take an intent's number from. `make` runs under the claim's lock and must not use the claim itself.
    ///
    /// # Errors
    /// Those of `make`, and those of [`Claim::append`].
    pub async fn append_with<T, E: From<WriteError>>(
        &self,
        make: impl FnOnce(&BlockState) -> Result<(Vec<BlockEvent>, T), E>,
    ) -> Result<T, E> {
        let (made, waiting) = {
            let mut core = self.core();
            let (events, made) = make(&core.pending)?;
            let unawaited = is_intent(events.last())
                && (mutant::on(Mutant::IntentNotAwaited) || mutant::on(Mutant::IntentAfterCall));
            // Were the last event not waited for, runs that nothing happens to would already notice.
            let early = mutant::on(Mutant::CommitAcknowledgedEarly) && events.last() != Some(&BlockEvent::Released {});
            let waiting = self.queue(&mut core, events)?.filter(|_| !unawaited && !early);
            if early {
                let head = core.durable.head.clone();
                core.durable = Arc::new(BlockState { head, ..core.pending.clone() });
            }
            (made, waiting)
        };
        if let Some(waiting) = waiting {
            // The writing task answers every waiter before it ends; without an answer nothing is known.
            waiting.await.unwrap_or_else(|_| Err(self.unanswered()))?;
        }
        Ok(made)
    }

    /// Gives the block back.
    ///
    /// # Errors
    /// The write failed: the claim then ends with the run.
    pub async fn release(&self) -> Result<(), WriteError> {
        self.append(vec![BlockEvent::Released {}]).await?;
        if let Some(head) = &self.state().head {
            put_hint::<BlockEvent>(&self.inner.io, &self.inner.addr, head.seq);
            checkpoint::put_if_due(&self.inner.io, self.inner.run.author(), &self.inner.addr, &self.state());
        }
        Ok(())
    }

    fn claim_ref(&self) -> ClaimRef {
        ClaimRef { run: self.inner.run.id().clone(), epoch: self.inner.epoch }
    }

    fn queue(
        &self,
        core: &mut Core,
        events: Vec<BlockEvent>,
    ) -> Result<Option<oneshot::Receiver<Result<(), WriteError>>>, WriteError> {
        if let Some(dead) = &core.dead {
            return Err(dead.clone());
        }
        let stream = || shown::<BlockEvent>(&self.inner.addr);
        if core.pending.claim.is_none() && !mutant::on(Mutant::ClaimWithoutEpoch) {
            return Err(WriteError::GivenBack { stream: stream() });
        }
        if events.is_empty() {
            return Ok(None);
        }
        let claim = self.claim_ref();
        let mut says = Vec::with_capacity(events.len());
        let taken = events.into_iter().try_for_each(|event| {
            // What stands before it when it is written is what is pending now.
            let short = short::shorten(&core.pending, &event).map(Arc::new);
            core.pending.apply_event(Some(&claim), &event)?;
            says.push(Say { event, short });
            Ok(())
        });
        if let Err(illegal) = taken {
            let error = WriteError::Illegal { stream: stream(), illegal };
            // All or nothing: an event that is refused takes those before it back. Copies are made here alone, so that
            // an append costs what its events do, whatever the block holds.
            let mut pending = core.durable.as_ref().clone();
            let mut legal = core.writing.iter().chain(&core.queue);
            if legal.try_for_each(|say| pending.apply_event(Some(&claim), &say.event)).is_err() {
                core.dead = Some(error.clone());
            }
            core.pending = pending;
            return Err(error);
        }
        core.queue.extend(says);
        let (sender, receiver) = oneshot::channel();
        core.waiting.push(sender);
        // The outcome takes the intent along.
        let later = is_intent(core.queue.last().map(|say| &say.event)) && mutant::on(Mutant::IntentAfterCall);
        if !core.busy && !later {
            core.busy = true;
            self.inner.io.spawn(self.clone().write_queue());
        }
        Ok(Some(receiver))
    }

    /// Writes what is queued, one entry after the other, until nothing is. Runs in a task of its own, so that nobody who
    /// stops waiting can stop it halfway.
    async fn write_queue(self) {
        let (io, author, addr) = (&self.inner.io, self.inner.run.author(), &self.inner.addr);
        loop {
            let (events, waiting, head) = {
                let mut core = self.core();
                if core.queue.is_empty() {
                    core.busy = false;
                    return;
                }
                let head = core.durable.head.clone();
                let events = std::mem::take(&mut core.queue);
                core.writing.clone_from(&events);
                (events, std::mem::take(&mut core.waiting), head)
            };
            let written = put_next(io, author, addr, head.as_ref(), Some(self.claim_ref()), events).await;
            if matches!(written, Ok(Written::Taken(_)))
                && mutant::on(Mutant::ClaimWithoutEpoch)
                && self.go_on_after_another().await
            {
                self.core().waiting.extend(waiting);
                continue;
            }
            let result = match written {
                Ok(Written::Ours(entry)) => self.take_in(&entry),
                Ok(Written::Taken(taken)) => Err(superseded::<BlockEvent>(author, addr, head.as_ref(), &taken)),
                Err(error) => Err(error),
            };
            let stop = result.is_err();
            let late = result.as_ref().err().map(|error| self.die(error)).unwrap_or_default();
            for waiter in waiting.into_iter().chain(late) {
                // A waiter that is gone does not care.
                waiter.send(result.clone()).unwrap_or_default();
            }
            if stop {
                return;
            }
        }
    }

    /// For [`Mutant::ClaimWithoutEpoch`]: reads what another writer wrote, and queues what was on its way once more.
    async fn go_on_after_another(&self) -> bool {
        let (author, mut state) = (self.inner.run.author(), self.state().as_ref().clone());
        let read = refresh_block(&self.inner.io, &author.infra, &self.inner.addr, &mut state).await;
        let mut core = self.core();
        let events = [core.writing.clone(), core.queue.clone()].concat();
        // What they leave out may have become something else.
        let events: Vec<Say<_>> = events.into_iter().map(|say| say.event.into()).collect();
        let mut pending = state.clone();
        let legal = events.iter().try_for_each(|say| pending.apply_event(Some(&self.claim_ref()), &say.event));
        if read.is_err() || legal.is_err() || state.generation > author.generation {
            return false;
        }
        (core.durable, core.pending, core.queue) = (Arc::new(state), pending, events);
        core.writing.clear();
        true
    }

    fn take_in(&self, entry: &Entry<BlockEvent>) -> Result<(), WriteError> {
        let mut core = self.core();
        core.writing.clear();
        if mutant::on(Mutant::CommitAcknowledgedEarly) {
            core.durable = Arc::new(BlockState { head: Some(entry.head()), ..core.pending.clone() });
            return Ok(());
        }
        let taken = Arc::make_mut(&mut core.durable).apply(entry);
        taken.map_err(|illegal| WriteError::Illegal { stream: shown::<BlockEvent>(&self.inner.addr), illegal })
    }

    /// From here on nothing is written; returns those who wait for what was queued.
    fn die(&self, error: &WriteError) -> Vec<oneshot::Sender<Result<(), WriteError>>> {
        let mut core = self.core();
        core.dead = Some(error.clone());
        core.queue.clear();
        std::mem::take(&mut core.waiting)
    }

    fn unanswered(&self) -> WriteError {
        let core = self.core();
        WriteError::Unresolved {
            stream: shown::<BlockEvent>(&self.inner.addr),
            seq: core.durable.head.as_ref().map_or_else(Default::default, |head| head.seq.next()),
            reason: "the writing task ended".to_owned(),
        }
    }

    fn core(&self) -> MutexGuard<'_, Core> {
        self.inner.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_intent(event: Option<&BlockEvent>) -> bool {
    matches!(event, Some(BlockEvent::Intent(_)))
}
