//! A machine, and the handle by which protocol code asks for actions.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::BoxFuture;

use super::action::{Action, ActionId, Event, GetAnswer, HolderState, ListAnswer, Now, PutAnswer, StoreKey, Verified};
use super::memory::Memory;
use crate::call::{Answer, Read, ReadAnswer, Sending};
use crate::check::{CheckAnswer, ReadyCheck};
use crate::mutant::{self, Mutant};
use crate::progress::Progress;
use crate::stream::event::Holder;
use crate::target::TargetId;

#[derive(Default)]
struct Shared {
    now: Now,
    next: u64,
    asked: VecDeque<(ActionId, Action)>,
    waiting: BTreeMap<ActionId, oneshot::Sender<Event>>,
    spawned: Vec<BoxFuture<'static, ()>>,
    interrupts: u32,
    watching: Vec<oneshot::Sender<()>>,
}

/// The handle by which protocol code asks for actions. Cheap to clone.
#[derive(Clone)]
pub struct Io {
    shared: Arc<Mutex<Shared>>,
    memory: Memory,
}

/// One protocol, run without a runtime.
pub struct Machine<T> {
    io: Io,
    main: Option<BoxFuture<'static, T>>,
    tasks: BTreeMap<u64, BoxFuture<'static, ()>>,
    next_task: u64,
    woken: Arc<Woken>,
    result: Option<T>,
}

/// The task numbers that were woken, in order; the protocol itself is number 0.
#[derive(Default)]
struct Woken(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    order: VecDeque<u64>,
    members: BTreeSet<u64>,
}

impl Woken {
    fn push(&self, task: u64) {
        let mut queue = lock(&self.0);
        if queue.members.insert(task) {
            queue.order.push_back(task);
        }
    }

    fn pop(&self) -> Option<u64> {
        let mut queue = lock(&self.0);
        let task = queue.order.pop_front()?;
        queue.members.remove(&task);
        Some(task)
    }
}

struct TaskWaker {
    task: u64,
    woken: Arc<Woken>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.woken.push(self.task);
    }
}

/// A lock that a panicking thread left is taken all the same: what it guards is changed in single steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Send + 'static> Machine<T> {
    /// A machine that will run the protocol that `f` makes from its handle.
    pub fn new<F, P>(f: F) -> Self
    where
        F: FnOnce(Io) -> P,
        P: Future<Output = T> + Send + 'static,
    {
        Self::with_memory(Memory::default(), f)
    }

    /// A machine that knows what others of this process have found out.
    pub fn with_memory<F, P>(memory: Memory, f: F) -> Self
    where
        F: FnOnce(Io) -> P,
        P: Future<Output = T> + Send + 'static,
    {
        let io = Io { shared: Arc::default(), memory };
        let main: BoxFuture<'static, T> = Box::pin(f(io.clone()));
        let woken = Arc::new(Woken::default());
        woken.push(0);
        Self { io, main: Some(main), tasks: BTreeMap::new(), next_task: 1, woken, result: None }
    }

    /// Tells the machine what happened (nothing, at the start) and returns what to do, in order.
    pub fn step(&mut self, now: Now, event: Option<(ActionId, Event)>) -> Vec<(ActionId, Action)> {
        let waiting = {
            let mut shared = lock(&self.io.shared);
            shared.now = now;
            event.and_then(|(id, event)| shared.waiting.remove(&id).map(|waiting| (waiting, event)))
        };
        if let Some((waiting, event)) = waiting {
            // A receiver that is gone belongs to a task that stopped waiting.
            drop(waiting.send(event));
        }
        self.run();
        lock(&self.io.shared).asked.drain(..).collect()
    }

    /// Tells the machine that it was interrupted: the first time to drain, the second time to stop.
    pub fn interrupt(&mut self, now: Now) -> Vec<(ActionId, Action)> {
        let watching = {
            let mut shared = lock(&self.io.shared);
            shared.interrupts += 1;
            std::mem::take(&mut shared.watching)
        };
        for watcher in watching {
            // A watcher that is gone no longer cares.
            watcher.send(()).unwrap_or_default();
        }
        self.step(now, None)
    }

    /// The protocol's result, once it has ended.
    pub fn take_result(&mut self) -> Option<T> {
        self.result.take()
    }

    fn run(&mut self) {
        loop {
            let spawned = std::mem::take(&mut lock(&self.io.shared).spawned);
            for task in spawned {
                self.tasks.insert(self.next_task, task);
                self.woken.push(self.next_task);
                self.next_task += 1;
            }
            let Some(number) = self.woken.pop() else { return };
            let waker = Waker::from(Arc::new(TaskWaker { task: number, woken: self.woken.clone() }));
            let mut context = Context::from_waker(&waker);
            if number == 0 {
                if let Some(main) = &mut self.main
                    && let Poll::Ready(result) = main.as_mut().poll(&mut context)
                {
                    self.result = Some(result);
                    self.main = None;
                }
            } else if let Some(task) = self.tasks.get_mut(&number)
                && task.as_mut().poll(&mut context).is_ready()
            {
                self.tasks.remove(&number);
            }
        }
    }
}

impl Io {
    fn ask(&self, action: Action) -> Pin<Box<dyn Future<Output = Event> + Send>> {
        let (sender, receiver) = oneshot::channel();
        {
            let mut shared = lock(&self.shared);
            let id = ActionId(shared.next);
            shared.next += 1;
            shared.waiting.insert(id, sender);
            shared.asked.push_back((id, action));
        }
        Box::pin(async move {
            match receiver.await {
                Ok(event) => event,
                // The machine was dropped: nothing polls this any more.
                Err(_) => std::future::pending().await,
            }
        })
    }

    /// What this process has found out about immutable bytes.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The clocks at this step.
    pub fn now(&self) -> Now {
        lock(&self.shared).now
    }

    /// Runs another task beside this one, until it ends or the machine is dropped.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        lock(&self.shared).spawned.push(Box::pin(task));
    }

    /// How often the run was interrupted.
    pub fn interrupts(&self) -> u32 {
        lock(&self.shared).interrupts
    }

    /// Resolves at the next interrupt.
    pub async fn interrupted(&self) {
        let (sender, receiver) = oneshot::channel();
        {
            let watching = &mut lock(&self.shared).watching;
            // Those who stopped waiting are forgotten now and then, so that a long run does not collect them.
            if watching.len() == watching.capacity() {
                watching.retain(|watcher| !watcher.is_canceled());
            }
            watching.push(sender);
        }
        if receiver.await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Tells whoever watches.
    pub fn emit(&self, progress: Progress) {
        let mut shared = lock(&self.shared);
        let id = ActionId(shared.next);
        shared.next += 1;
        shared.asked.push_back((id, Action::Emit(Box::new(progress))));
    }

    /// Waits.
    pub async fn sleep(&self, duration: Duration) {
        self.ask(Action::Sleep { duration }).await;
    }

    /// Writes an entry if its key is free.
    pub async fn put(&self, key: StoreKey, bytes: Vec<u8>) -> PutAnswer {
        // The first look at a store would notice; the fault is in entries.
        if mutant::on(Mutant::PlainPut) && !key.0.starts_with("v1/meta/") {
            self.ask(Action::PutHint { key, bytes }).await;
            return PutAnswer::Done;
        }
        match self.ask(Action::Put { key, bytes }).await {
            Event::Put(answer) => answer,
            other => PutAnswer::Unknown(mismatch(&other)),
        }
    }

    /// Overwrites a hint, without waiting for the outcome.
    pub fn put_hint(&self, key: StoreKey, bytes: Vec<u8>) {
        drop(self.ask(Action::PutHint { key, bytes }));
    }

    /// Overwrites a hint, and waits until the store has answered.
    pub async fn put_hint_and_wait(&self, key: StoreKey, bytes: Vec<u8>) {
        self.ask(Action::PutHint { key, bytes }).await;
    }

    /// Reads an entry or a hint.
    pub async fn get(&self, key: StoreKey) -> GetAnswer {
        match self.ask(Action::Get { key }).await {
            Event::Get(answer) => answer,
            other => GetAnswer::Failed(mismatch(&other)),
        }
    }

    /// Lists the names directly below a prefix, or those of them that come after a name.
    pub async fn list(&self, prefix: String, after: Option<String>) -> ListAnswer {
        match self.ask(Action::List { prefix, after }).await {
            Event::List(answer) => answer,
            other => ListAnswer::Failed(mismatch(&other)),
        }
    }

    /// Asks whether the process of another run is dead.
    pub async fn probe_holder(&self, holder: Holder) -> HolderState {
        match self.ask(Action::ProbeHolder { holder: Box::new(holder) }).await {
            Event::Holder(answer) => answer,
            _ => HolderState::Unknown,
        }
    }

    /// Asks an endpoint who we are.
    pub async fn verify(&self, target: TargetId) -> Verified {
        match self.ask(Action::Verify { target }).await {
            Event::Verify(answer) => answer,
            other => Verified::No { problem: mismatch(&other) },
        }
    }

    /// Sends one call, once.
    pub async fn call(&self, target: TargetId, sending: Sending) -> Answer {
        match self.ask(Action::Call { target, sending: Box::new(sending) }).await {
            Event::Call(answer) => answer,
            other => Answer::Unknown { reason: mismatch(&other) },
        }
    }

    /// Asks a health check, once.
    pub async fn check(&self, check: ReadyCheck) -> CheckAnswer {
        match self.ask(Action::Check { check: Box::new(check) }).await {
            Event::Check(answer) => answer,
            other => CheckAnswer { result: Err(mismatch(&other)), simulated: false },
        }
    }

    /// Sends one read, once.
    pub async fn read(&self, target: TargetId, read: Read) -> ReadAnswer {
        match self.ask(Action::Read { target, read }).await {
            Event::Read(answer) => answer,
            other => ReadAnswer::Failed { refusal: None, reason: mismatch(&other) },
        }
    }
}

/// A driver that answers an action with another kind of event has a bug; it is reported as "nothing is known".
fn mismatch(event: &Event) -> String {
    format!("the driver answered with another kind of event: {event:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_runs_by_its_events_alone() {
        let mut machine = Machine::new(|io| async move {
            io.spawn({
                let io = io.clone();
                async move { io.sleep(Duration::from_secs(9)).await }
            });
            let first = io.put(StoreKey("a".to_owned()), vec![1]).await;
            let second = io.get(StoreKey("a".to_owned())).await;
            (first, second, io.now().boot_ms)
        });
        let asked = machine.step(Now::default(), None);
        assert_eq!(asked.len(), 2, "{asked:?}");
        let asked = machine.step(Now { boot_ms: 5, wall_ms: 0 }, Some((asked[0].0, Event::Put(PutAnswer::Done))));
        assert_eq!(asked.len(), 1);
        assert!(machine.take_result().is_none());
        machine.step(Now { boot_ms: 7, wall_ms: 0 }, Some((asked[0].0, Event::Get(GetAnswer::Missing))));
        assert_eq!(machine.take_result(), Some((PutAnswer::Done, GetAnswer::Missing, 7)));
    }
}
