//! The cloud, the store and the clock that runs act on.

use std::collections::{BTreeMap, BTreeSet};

use provision_core::call::{Answer, ReadAnswer, Sending, ServerTime};
use provision_core::machine::{
    Action, Event, GetAnswer, HolderState, ListAnswer, Listed, Now, PutAnswer, StoreKey, Verified,
};
use provision_core::sim::{Held, SimCloud, SimConfig, Tamper};
use provision_core::target::TargetId;

use crate::fault::{Fate, Schedule};
use crate::trace::{Did, Step, Trace, hash};

/// The cloud, the store and the clock. They outlive runs.
#[derive(Clone)]
pub struct World {
    /// The cloud.
    pub cloud: SimCloud,
    /// The store: what each key holds, and when it was written.
    pub store: BTreeMap<String, (Vec<u8>, u64)>,
    /// Virtual time in milliseconds.
    pub ms: u64,
    /// How much time each action takes.
    pub tick_ms: u64,
    /// All that happened.
    pub trace: Trace,
    /// The processes that died, by number.
    pub dead: BTreeSet<u32>,
    /// Calls on their way: when they land, where, and what.
    late: Vec<(u64, TargetId, Sending)>,
    pub(crate) run: u32,
}

/// What came of an action.
pub(crate) enum Performed {
    Answer(Event),
    Died,
}

impl World {
    /// An empty cloud and an empty store.
    pub fn new(config: SimConfig) -> Self {
        Self {
            cloud: SimCloud::new(config),
            store: BTreeMap::new(),
            ms: 1_000_000,
            tick_ms: 1,
            trace: Trace::default(),
            dead: BTreeSet::new(),
            late: Vec::new(),
            run: 0,
        }
    }

    /// A runner's clocks.
    pub fn now(&self) -> Now {
        Now { boot_ms: self.ms, wall_ms: 1_700_000_000_000 + self.ms }
    }

    /// The cloud's clock.
    pub fn server_now(&self) -> ServerTime {
        ServerTime(self.now().wall_ms)
    }

    /// Lets time pass, and late calls land.
    pub fn pass_to(&mut self, ms: u64) {
        self.ms = self.ms.max(ms);
        let mut due: Vec<_> = std::mem::take(&mut self.late);
        due.sort_by_key(|(at, ..)| *at);
        for (at, target, sending) in due {
            if at > self.ms {
                self.late.push((at, target, sending));
                continue;
            }
            let answer = self.cloud.call(self.server_now(), &target, &sending);
            self.note(Did::Landed { sending: Box::new(sending), answer });
        }
    }

    /// All that the cloud holds.
    pub fn objects(&self) -> Vec<Held> {
        self.cloud.objects(self.server_now())
    }

    /// Does something behind the runners' back.
    ///
    /// # Panics
    /// Where the cloud refuses it.
    pub fn tamper(&mut self, tamper: &Tamper) {
        let now = self.server_now();
        self.cloud.tamper(now, tamper).unwrap();
    }

    pub(crate) fn note(&mut self, did: Did) {
        self.trace.steps.push(Step { ms: self.ms, run: self.run, did });
    }

    fn put(&mut self, key: &StoreKey, bytes: &[u8]) -> PutAnswer {
        if self.store.contains_key(&key.0) {
            return PutAnswer::Exists;
        }
        self.store.insert(key.0.clone(), (bytes.to_vec(), self.ms));
        PutAnswer::Done
    }

    /// Performs an action.
    pub(crate) fn perform(&mut self, action: Action, schedule: &mut Schedule) -> Performed {
        self.pass_to(self.ms + self.tick_ms);
        Performed::Answer(match action {
            Action::Put { key, bytes } => {
                let lost = || PutAnswer::Unknown("the connection was cut".to_owned());
                let answer = match schedule.put() {
                    Fate::Unknown { written: false } => lost(),
                    Fate::Unknown { written: true } => {
                        self.put(&key, &bytes);
                        lost()
                    }
                    _ => self.put(&key, &bytes),
                };
                self.note(Did::Put { key: key.0, bytes, answer: answer.clone() });
                Event::Put(answer)
            }
            Action::PutHint { key, bytes } => {
                self.note(Did::Hint { key: key.0.clone() });
                self.store.insert(key.0, (bytes, self.ms));
                Event::Put(PutAnswer::Done)
            }
            Action::Get { key } => {
                let found = self.store.get(&key.0).map(|(bytes, _)| hash(bytes));
                self.note(Did::Get { key: key.0.clone(), found });
                Event::Get(match self.store.get(&key.0) {
                    Some((bytes, modified_ms)) => GetAnswer::Found { bytes: bytes.clone(), modified_ms: *modified_ms },
                    None => GetAnswer::Missing,
                })
            }
            Action::List { prefix } => {
                self.note(Did::Look(format!("list {prefix}")));
                Event::List(ListAnswer::Names(self.list(&prefix)))
            }
            Action::Verify { target } => {
                self.note(Did::Look(format!("verify {target}")));
                Event::Verify(Verified::Yes { bounds: self.cloud.config().bounds() })
            }
            Action::ProbeHolder { holder } => {
                self.note(Did::Look(format!("probe {}", holder.pid)));
                let dead = self.dead.contains(&holder.pid);
                Event::Holder(if dead { HolderState::Dead } else { HolderState::Unknown })
            }
            Action::Read { target, read } => {
                let now = self.server_now();
                let answer = if self.cloud.admit_read(now, &target, &read) {
                    self.cloud.read(now, &target, &read)
                } else {
                    ReadAnswer::Throttled
                };
                self.note(Did::Read(read));
                Event::Read(answer)
            }
            Action::Call { target, sending } => return self.call(target, sending, schedule),
            Action::Sleep { .. } | Action::Emit(_) => Event::Woke,
        })
    }

    fn list(&self, prefix: &str) -> Vec<Listed> {
        let below = self.store.range(prefix.to_owned()..).map_while(|(key, _)| key.strip_prefix(prefix));
        let names: BTreeSet<Listed> = below
            .map(|rest| match rest.split_once('/') {
                Some((folder, _)) => Listed { name: folder.to_owned(), folder: true },
                None => Listed { name: rest.to_owned(), folder: false },
            })
            .collect();
        names.into_iter().collect()
    }

    fn call(&mut self, target: TargetId, sending: Box<Sending>, schedule: &mut Schedule) -> Performed {
        let lost = Answer::Unknown { reason: "the connection was cut".to_owned() };
        let now = self.server_now();
        let mut died = false;
        let answer = match schedule.call() {
            Fate::LostRequest => lost,
            Fate::LostAnswer => {
                let answer = self.cloud.call(now, &target, &sending);
                self.note(Did::Landed { sending: sending.clone(), answer });
                lost
            }
            fate @ (Fate::Late(by) | Fate::DieLate(by)) => {
                let at = self.ms + u64::try_from(by.as_millis()).unwrap();
                self.late.push((at, target.clone(), (*sending).clone()));
                died = matches!(fate, Fate::DieLate(_));
                lost
            }
            Fate::Normal | Fate::Unknown { .. } => self.cloud.call(now, &target, &sending),
        };
        self.note(Did::Call { target, sending, answer: answer.clone() });
        if died { Performed::Died } else { Performed::Answer(Event::Call(answer)) }
    }
}
