//! A store in memory with faults, a clock that only sleeps move, and processes that run one at a time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::id::{Generation, InfraId, Nonce, Revision, RunId};
use crate::machine::{
    Action, ActionId, Event, GetAnswer, HolderState, Io, ListAnswer, Listed, Machine, Now, PutAnswer, StoreKey,
};
use crate::stream::event::Holder;
use crate::stream::{Author, NewRun, Signer, Timing};

/// What happens to a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PutFault {
    None,
    /// It is written, and the answer is lost.
    LostAnswer,
    /// It is not written.
    LostRequest,
    /// It is written at the next put of any key, and now it is not known.
    Late,
    /// The store ignores the condition.
    Overwrite,
}

type Faults = Box<dyn FnMut(&StoreKey) -> PutFault>;

pub(super) struct World {
    pub objects: BTreeMap<String, (Vec<u8>, u64)>,
    pub ms: u64,
    pub faults: Faults,
    pub dead: BTreeSet<u32>,
    pub gets: u32,
    pub lists: u32,
    /// How many names were listed.
    pub listed: usize,
    pub puts: u32,
    late: Vec<(StoreKey, Vec<u8>)>,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            objects: BTreeMap::new(),
            ms: 1_000_000,
            faults: Box::new(|_| PutFault::None),
            dead: BTreeSet::new(),
            gets: 0,
            lists: 0,
            listed: 0,
            puts: 0,
            late: Vec::new(),
        }
    }

    pub(super) fn now(&self) -> Now {
        Now { boot_ms: self.ms, wall_ms: 1_700_000_000_000 + self.ms }
    }

    fn write(&mut self, key: StoreKey, bytes: Vec<u8>) -> PutAnswer {
        if self.objects.contains_key(&key.0) {
            return PutAnswer::Exists;
        }
        self.objects.insert(key.0, (bytes, self.ms));
        PutAnswer::Done
    }

    fn perform(&mut self, action: Action) -> Option<Event> {
        Some(match action {
            Action::Put { key, bytes } => {
                self.puts += 1;
                let fault = (self.faults)(&key);
                for (key, bytes) in std::mem::take(&mut self.late) {
                    self.write(key, bytes);
                }
                let lost = || PutAnswer::Unknown("the connection was cut".to_owned());
                Event::Put(match fault {
                    PutFault::None => self.write(key, bytes),
                    PutFault::LostAnswer => {
                        self.write(key, bytes);
                        lost()
                    }
                    PutFault::LostRequest => lost(),
                    PutFault::Late => {
                        self.late.push((key, bytes));
                        lost()
                    }
                    PutFault::Overwrite => {
                        self.objects.insert(key.0, (bytes, self.ms));
                        PutAnswer::Done
                    }
                })
            }
            Action::PutHint { key, bytes } => {
                self.objects.insert(key.0, (bytes, self.ms));
                Event::Put(PutAnswer::Done)
            }
            Action::Get { key } => {
                self.gets += 1;
                Event::Get(match self.objects.get(&key.0) {
                    Some((bytes, modified_ms)) => GetAnswer::Found { bytes: bytes.clone(), modified_ms: *modified_ms },
                    None => GetAnswer::Missing,
                })
            }
            Action::List { prefix, after } => {
                self.lists += 1;
                let below = self.objects.keys().filter_map(|key| key.strip_prefix(&prefix));
                let names: BTreeSet<_> = below
                    .map(|rest| match rest.split_once('/') {
                        Some((folder, _)) => Listed { name: folder.to_owned(), folder: true },
                        None => Listed { name: rest.to_owned(), folder: false },
                    })
                    .collect();
                let names = names.into_iter().filter(|listed| after.as_ref().is_none_or(|after| listed.name > *after));
                let names: Vec<_> = names.collect();
                self.listed += names.len();
                Event::List(ListAnswer::Names(names))
            }
            Action::ProbeHolder { holder } => {
                Event::Holder(if self.dead.contains(&holder.pid) { HolderState::Dead } else { HolderState::Unknown })
            }
            Action::Emit(_) => return None,
            other => panic!("streams do not ask for {other:?}"),
        })
    }

    /// Runs a protocol to its end.
    pub(super) fn run<T: Send + 'static, P>(&mut self, f: impl FnOnce(Io) -> P) -> T
    where
        P: Future<Output = T> + Send + 'static,
    {
        Process::new(f).run(self)
    }
}

/// A machine that can be paused at an action.
pub(super) struct Process<T> {
    machine: Machine<T>,
    asked: VecDeque<(ActionId, Action)>,
    asleep: Vec<(u64, ActionId)>,
    begun: bool,
}

impl<T: Send + 'static> Process<T> {
    pub(super) fn new<P>(f: impl FnOnce(Io) -> P) -> Self
    where
        P: Future<Output = T> + Send + 'static,
    {
        Self { machine: Machine::new(f), asked: VecDeque::new(), asleep: Vec::new(), begun: false }
    }

    pub(super) fn run(&mut self, world: &mut World) -> T {
        self.run_to(world, |_| false).expect("nothing stops it")
    }

    /// Runs until an action is next that `stop` names: it is performed when the process goes on.
    pub(super) fn run_to(&mut self, world: &mut World, mut stop: impl FnMut(&Action) -> bool) -> Option<T> {
        let mut event = None;
        let mut first = self.begun;
        loop {
            if event.is_some() || !self.begun {
                self.begun = true;
                for (id, action) in self.machine.step(world.now(), event.take()) {
                    match action {
                        Action::Sleep { duration } => {
                            let wake = world.ms + u64::try_from(duration.as_millis()).unwrap();
                            self.asleep.push((wake, id));
                        }
                        action => self.asked.push_back((id, action)),
                    }
                }
                if let Some(result) = self.machine.take_result() {
                    // What was asked with the last step, hints above all, is still done.
                    for (_, action) in self.asked.drain(..) {
                        world.perform(action);
                    }
                    return Some(result);
                }
            }
            let resumed = std::mem::take(&mut first);
            if let Some((_, action)) = self.asked.front()
                && !resumed
                && stop(action)
            {
                return None;
            }
            if let Some((id, action)) = self.asked.pop_front() {
                event = world.perform(action).map(|event| (id, event));
                continue;
            }
            self.asleep.sort();
            assert!(!self.asleep.is_empty(), "the protocol waits for nothing");
            let (wake, id) = self.asleep.remove(0);
            world.ms = world.ms.max(wake);
            event = Some((id, Event::Woke));
        }
    }
}

pub(super) fn infra() -> InfraId {
    InfraId::new("wix").unwrap()
}

pub(super) fn author(n: u8) -> Arc<Author> {
    author_of(n, 7)
}

pub(super) fn author_of(n: u8, generation: u64) -> Arc<Author> {
    let signer = Signer::new(&[n; 32], &format!("user{n}@host"));
    let revision = Revision::new("abc123").unwrap();
    Arc::new(Author::new(infra(), revision, Generation(generation), signer, Nonce([n; 16])))
}

pub(super) fn holder(n: u8) -> Holder {
    Holder {
        name: format!("user{n}@host"),
        boot_id: "boot".to_owned(),
        pid_namespace: "pid:[1]".to_owned(),
        pid: n.into(),
        start_time: 5,
        since: "2026-01-31 09:05:00 UTC".to_owned(),
    }
}

pub(super) fn run_id(n: u8) -> RunId {
    RunId::new(format!("{n:02x}").repeat(32)).unwrap()
}

pub(super) fn new_run(n: u8) -> NewRun {
    NewRun {
        id: run_id(n),
        holder: holder(n),
        plan: crate::id::Digest::of(&[n]),
        blocks: BTreeSet::from(["us-east.network".parse().unwrap()]),
        simulated: true,
        timing: Timing::with_lease(Duration::from_secs(30)),
    }
}
