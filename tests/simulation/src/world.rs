//! The cloud, the store and the clock that processes act on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use provision_core::call::{Answer, Effect, Read, ReadAnswer, Readiness, Recovery, Sending, ServerTime};
use provision_core::check::{CheckAnswer, ReadyCheck};
use provision_core::id::{ObjectId, ResourceAddr, TypeName};
use provision_core::machine::{ActionId, GetAnswer, ListAnswer, Listed, PutAnswer};
use provision_core::plan::Plan;
use provision_core::sim::{Held, SimCloud, SimConfig, Tamper};
use provision_core::stream::recalled;
use provision_core::target::TargetId;
use provision_core::value::Fields;

use crate::fault::Drift;
use crate::process::{Shared, providers};
use crate::trace::{Bytes, Did, Step, Trace, events, hash};

/// When virtual time begins, by a right wall clock, in milliseconds since 1970.
pub const EPOCH_MS: u64 = 1_700_000_000_000;

/// The cloud, the store and the clock. They outlive processes.
#[derive(Clone)]
pub struct World {
    /// The cloud.
    pub cloud: SimCloud,
    /// The store: what each key holds, and when it was written by the store's clock.
    pub store: BTreeMap<String, (Bytes, u64)>,
    /// Virtual time in milliseconds.
    pub ms: u64,
    /// How much time each action takes.
    pub tick_ms: u64,
    /// How far the store's clock is ahead.
    pub store_skew_ms: i64,
    /// All that happened.
    pub trace: Trace,
    /// Whether what runs say goes into the trace.
    pub verbose: bool,
    /// The processes that died, by number.
    pub dead: BTreeSet<u32>,
    /// How many processes were started.
    pub started: u32,
    /// What third parties made, and take away again when the process that it is in the way of has ended.
    pub squatters: Vec<ObjectId>,
    /// What each process planned.
    pub plans: BTreeMap<u32, Arc<Plan>>,
    /// What all processes share.
    pub shared: Shared,
    /// Calls and puts on their way, by the time at which they land and the order in which they were sent.
    flights: BTreeMap<(u64, u64), Flight>,
    sent: u64,
    /// Stands for all changes so far, with their times: two worlds that share it are the same.
    history: u64,
    pub(crate) run: u32,
}

/// A call or a put on its way.
#[derive(Debug, Clone)]
pub(crate) struct Flight {
    pub(crate) run: u32,
    pub(crate) request: Request,
    /// Who is told, and how long after it landed.
    pub(crate) tell: Option<(ActionId, u64)>,
}

/// What can be on its way.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    Call { target: TargetId, sending: Arc<Sending> },
    Put { key: String, bytes: Bytes },
}

impl World {
    /// An empty cloud and an empty store.
    pub fn new(config: SimConfig) -> Self {
        Self {
            cloud: SimCloud::new(SimConfig {
                unread: providers().unread(),
                data_sources: providers().data_sources(),
                ..config
            }),
            store: BTreeMap::new(),
            ms: 1_000_000,
            tick_ms: 1,
            store_skew_ms: 0,
            trace: Trace::default(),
            verbose: true,
            dead: BTreeSet::new(),
            started: 0,
            squatters: Vec::new(),
            plans: BTreeMap::new(),
            shared: Shared::default(),
            flights: BTreeMap::new(),
            sent: 0,
            history: 0,
            run: 0,
        }
    }

    /// The cloud's clock.
    pub fn server_now(&self) -> ServerTime {
        ServerTime(EPOCH_MS + self.ms)
    }

    fn store_now(&self) -> u64 {
        (EPOCH_MS + self.ms).saturating_add_signed(self.store_skew_ms)
    }

    /// Stands for all changes so far and their times: two worlds of one beginning that share it are the same.
    pub fn history(&self) -> u64 {
        self.history
    }

    /// Something changed.
    pub(crate) fn changed(&mut self, what: &[&[u8]]) {
        let mut text = self.history.to_le_bytes().to_vec();
        text.extend(self.ms.to_le_bytes());
        for part in what {
            text.extend(*part);
            text.push(0);
        }
        self.history = hash(&text);
    }

    /// Lets time pass, and what is on its way land where nobody waits for it.
    pub fn pass_to(&mut self, ms: u64) {
        while let Some(at) = self.next_landing().filter(|at| *at <= ms) {
            self.ms = self.ms.max(at);
            self.land();
        }
        self.ms = self.ms.max(ms);
    }

    /// When the next call or put lands.
    pub(crate) fn next_landing(&self) -> Option<u64> {
        self.flights.first_key_value().map(|((at, _), _)| *at)
    }

    /// Whether entries that were sent have not arrived yet.
    pub fn has_puts_on_their_way(&self) -> bool {
        self.flights.values().any(|flight| matches!(flight.request, Request::Put { .. }))
    }

    /// What is on its way next lands; says who is told what, and how much later.
    pub(crate) fn land(&mut self) -> Option<(u32, ActionId, u64, provision_core::machine::Event)> {
        use provision_core::machine::Event;
        let (_, Flight { run, request, tell }) = self.flights.pop_first()?;
        let acting = std::mem::replace(&mut self.run, run);
        let event = match request {
            Request::Call { target, sending } => {
                let answer = self.execute(&target, &sending);
                self.note(Did::Landed { sending, answer: answer.clone() });
                Event::Call(answer)
            }
            Request::Put { key, bytes } => {
                let answer = self.put(&key, &bytes);
                let whole = self.whole(&bytes);
                self.note(Did::PutLanded { key, whole, answer: answer.clone() });
                Event::Put(answer)
            }
        };
        self.run = acting;
        tell.map(|(id, later)| (run, id, later, event))
    }

    /// Sends a call or a put that lands later.
    pub(crate) fn send(&mut self, later: u64, flight: Flight) {
        let what = match &flight.request {
            Request::Call { sending, .. } => sending.call.api.clone(),
            Request::Put { key, .. } => key.clone(),
        };
        self.changed(&[b"sent", what.as_bytes(), &later.to_le_bytes()]);
        self.sent += 1;
        self.flights.insert((self.ms + later, self.sent), flight);
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
        self.changed(&[b"tamper", format!("{tamper:?}").as_bytes()]);
        self.cloud.tamper(now, tamper).unwrap();
    }

    pub(crate) fn note(&mut self, did: Did) {
        self.trace.steps.push(Step { ms: self.ms, run: self.run, did });
    }

    /// An entry with nothing left out; other bytes as they are. Who wrote it remembers it.
    pub(crate) fn whole(&self, bytes: &Bytes) -> Bytes {
        recalled(&self.shared.memory, bytes).map_or_else(|| bytes.clone(), Bytes::from)
    }

    /// Puts an entry if its key is free.
    pub(crate) fn put(&mut self, key: &str, bytes: &Bytes) -> PutAnswer {
        if self.store.contains_key(key) {
            return PutAnswer::Exists;
        }
        self.changed(&[b"put", key.as_bytes(), bytes]);
        self.store.insert(key.to_owned(), (bytes.clone(), self.store_now()));
        let not_ready = self.applied_and_not_ready(&self.whole(bytes));
        if !not_ready.is_empty() {
            self.note(Did::NotReady(not_ready));
        }
        PutAnswer::Done
    }

    /// The resources that an entry calls applied while their objects are not ready.
    fn applied_and_not_ready(&self, bytes: &[u8]) -> Vec<ResourceAddr> {
        const APPLIED: &[u8] = b"\"event\":\"applied\"";
        if self.cloud.config().latency_percent == 0 || memchr::memmem::find(bytes, APPLIED).is_none() {
            return Vec::new();
        }
        let events = events(bytes);
        let applied = |name: &str| {
            events.iter().any(|event| event["event"] == "applied" && event["resource"].as_str() == Some(name))
        };
        let pending = self.objects().into_iter().filter(|held| held.readiness == Readiness::Pending);
        let pending = pending.filter_map(|held| held.mark).map(|mark| mark.address);
        pending.filter(|address| applied(address.name.as_str())).collect()
    }

    /// Overwrites a key.
    pub(crate) fn overwrite(&mut self, key: String, bytes: Vec<u8>) {
        self.changed(&[b"hint", key.as_bytes(), &bytes]);
        let before = self.store.insert(key.clone(), (bytes.into(), self.store_now()));
        let overwrote = before.is_some_and(|(before, _)| before != self.store[&key].0);
        self.note(Did::Hint { key, overwrote });
    }

    pub(crate) fn get(&mut self, key: String) -> GetAnswer {
        let found = self.store.get(&key).cloned();
        self.note(Did::Get { key, found: found.as_ref().map(|(bytes, _)| hash(bytes)) });
        match found {
            Some((bytes, modified_ms)) => GetAnswer::Found { bytes: bytes.to_vec(), modified_ms },
            None => GetAnswer::Missing,
        }
    }

    /// Lists what is directly below a prefix, or what of it comes after a name; without the last name, where the listing lags.
    pub(crate) fn list(&mut self, prefix: &str, after: Option<&str>, lags: bool) -> ListAnswer {
        let below = self.store.range(prefix.to_owned()..).map_while(|(key, _)| key.strip_prefix(prefix));
        let mut names: BTreeSet<Listed> = below
            .map(|rest| match rest.split_once('/') {
                Some((folder, _)) => Listed { name: folder.to_owned(), folder: true },
                None => Listed { name: rest.to_owned(), folder: false },
            })
            .collect();
        names.retain(|listed| after.is_none_or(|after| listed.name.as_str() > after));
        if lags {
            names.pop_last();
        }
        self.note(Did::Look(format!("list {prefix}")));
        ListAnswer::Names(names.into_iter().collect())
    }

    /// Answers a health check.
    pub(crate) fn check(&self, check: &ReadyCheck, fails: bool) -> CheckAnswer {
        if fails {
            return CheckAnswer { result: Err("the connection was cut".to_owned()), simulated: true };
        }
        self.cloud.check(self.server_now(), check)
    }

    pub(crate) fn read(&mut self, target: &TargetId, read: Read, hide: bool) -> ReadAnswer {
        let now = self.server_now();
        let answer = if !self.cloud.admit_read(now, target, &read) {
            ReadAnswer::Throttled
        } else if hide {
            ReadAnswer::Page { objects: Vec::new(), next: None, server_time: Some(now) }
        } else {
            self.cloud.read(now, target, &read)
        };
        self.note(Did::Read(read));
        answer
    }

    /// The cloud executes a call.
    pub(crate) fn execute(&mut self, target: &TargetId, sending: &Sending) -> Answer {
        let answer = self.cloud.call(self.server_now(), target, sending);
        if matches!(answer, Answer::Done { .. }) {
            let object = sending.object.as_ref().map_or("", ObjectId::as_str);
            let request = sending.call.request.canonical();
            self.changed(&[b"call", sending.call.api.as_bytes(), object.as_bytes(), &request]);
        }
        answer
    }

    /// A third party does something; `about` is the call that is about to be made.
    pub(crate) fn drift(&mut self, drift: Drift, about: Option<(&TargetId, &Sending)>) {
        let now = self.server_now();
        let did = match (drift, about) {
            (Drift::Remove, _) => {
                let youngest = self.objects().into_iter().rev().filter(|held| held.mark.is_some());
                let ids: Vec<ObjectId> = youngest.map(|held| held.id).collect();
                let gone =
                    ids.into_iter().find(|id| self.cloud.tamper(now, &Tamper::Remove { id: id.clone() }).is_ok());
                gone.map(|id| format!("removes {id}"))
            }
            (Drift::Set, _) => self.objects().into_iter().find(|held| held.mark.is_some()).and_then(|held| {
                let fields = Fields::from([("tags".to_owned(), provision_core::value::Tree::Map(BTreeMap::new()))]);
                let set = self.cloud.tamper(now, &Tamper::Set { id: held.id.clone(), fields });
                set.ok().map(|_| format!("takes the tags of {}", held.id))
            }),
            (Drift::Squat, Some((target, sending))) => self.squat(target, sending),
            (Drift::Swap, about) => self.swap(about.map(|(_, sending)| sending)),
            (Drift::Squat, None) => None,
        };
        let did = did.unwrap_or_else(|| "does nothing".to_owned());
        self.changed(&[b"drift", did.as_bytes()]);
        let acting = std::mem::replace(&mut self.run, 0);
        self.note(Did::Drifted(did));
        self.run = acting;
    }

    fn squat(&mut self, target: &TargetId, sending: &Sending) -> Option<String> {
        let Effect::Create { fields, .. } = &sending.call.effect else { return None };
        let name = if let Recovery::Name { name } = &sending.call.recovery { Some(name.clone()) } else { None };
        self.make_foreign(target, sending.call.type_name.clone(), fields.clone(), name)
    }

    /// The object of the call; without one, the youngest that can be removed and has a name or key.
    fn swap(&mut self, about: Option<&Sending>) -> Option<String> {
        let now = self.server_now();
        let about = about.and_then(|sending| sending.object.clone());
        let named = ["aws_security_group", "aws_subnet"];
        let mut candidates = self.objects().into_iter().rev().filter(|held| match &about {
            Some(id) => held.id == *id,
            None => held.mark.is_some() && named.contains(&held.type_name.as_str()),
        });
        let mut cloud = self.cloud.clone();
        let held = candidates.find(|held| cloud.tamper(now, &Tamper::Remove { id: held.id.clone() }).is_ok())?;
        self.cloud.tamper(now, &Tamper::Remove { id: held.id }).ok()?;
        let mut fields = held.fields;
        fields.remove("id");
        self.make_foreign(&held.target, held.type_name, fields, None)
    }

    fn make_foreign(
        &mut self,
        target: &TargetId,
        type_name: TypeName,
        fields: Fields,
        name: Option<String>,
    ) -> Option<String> {
        let create = Tamper::Create { target: target.clone(), type_name, fields, mark: None, name };
        let id = self.cloud.tamper(self.server_now(), &create).ok()??;
        self.squatters.push(id.clone());
        Some(format!("makes {id}"))
    }

    /// Third parties take away what is in the way.
    ///
    /// # Errors
    /// What they had made is not there any more, or not as it was.
    pub fn clear_squatters(&mut self) -> Result<(), String> {
        if !self.squatters.is_empty() {
            // Not before they see it themselves.
            self.pass_to(self.ms + 1_100);
        }
        for id in std::mem::take(&mut self.squatters) {
            let there = self.objects().into_iter().find(|held| held.id == id);
            if there.is_none_or(|held| held.mark.is_some()) {
                return Err(format!("{id}, which a third party had made, was taken or removed"));
            }
            let now = self.server_now();
            self.changed(&[b"cleared", id.as_str().as_bytes()]);
            self.cloud.tamper(now, &Tamper::Remove { id }).map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}
