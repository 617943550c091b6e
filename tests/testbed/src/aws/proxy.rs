//! The proxy's way for one request, from its arrival to what becomes of its connection.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use tokio::{
    sync::{Mutex as OrderedMutex, oneshot, watch},
    time::sleep,
};

use super::{
    answer::Answer,
    backend::{Backend, Execution, Terms},
    call::{Call, Request},
    consistency::Lag,
    record::RecordedCall,
    rules::{ActiveRule, Caller, Fault, applying},
    stamp::REAL_BOUND,
    throttle::Throttles,
};

/// What becomes of the connection on which a request came.
#[derive(Debug)]
pub(crate) enum Outcome {
    Answer(Answer),
    /// Closed without an answer.
    Close,
    /// Closed in the middle of this answer.
    Cut(Answer),
}

#[derive(Debug)]
pub(crate) struct Proxy {
    /// The lock that puts the calls in order.
    pub(crate) backend: OrderedMutex<Backend>,
    state: Mutex<State>,
    /// Ticks whenever a record changes.
    changed: watch::Sender<()>,
}

/// What a test sets and reads. Never locked across an await.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) calls: Vec<RecordedCall>,
    /// How many calls were forgotten, so that a sequence number is never used twice.
    pub(crate) forgotten: usize,
    pub(crate) rules: Vec<Arc<ActiveRule>>,
    pub(crate) throttles: Throttles,
    pub(crate) delays: BTreeMap<String, Duration>,
    pub(crate) stamp_bound: Duration,
    pub(crate) lag: Lag,
    pub(crate) settling: Duration,
    /// How far the service's clock is ahead of this machine's, in seconds.
    pub(crate) clock_ahead: i64,
}

impl State {
    fn new() -> Self {
        Self {
            calls: Vec::new(),
            forgotten: 0,
            rules: Vec::new(),
            throttles: Throttles::default(),
            delays: BTreeMap::new(),
            stamp_bound: REAL_BOUND,
            lag: Lag::default(),
            settling: Duration::ZERO,
            clock_ahead: 0,
        }
    }

    /// As new, but for the sequence numbers.
    pub(crate) fn restart(&mut self) {
        let forgotten = self.forgotten + self.calls.len();
        *self = Self { forgotten, ..Self::new() };
    }

    pub(crate) fn now(&self) -> SystemTime {
        let ahead = Duration::from_secs(self.clock_ahead.unsigned_abs());
        if self.clock_ahead < 0 { SystemTime::now() - ahead } else { SystemTime::now() + ahead }
    }

    fn terms(&self) -> Terms {
        Terms { now: self.now(), stamp_bound: self.stamp_bound, lag: self.lag, settling: self.settling }
    }
}

impl Proxy {
    pub(crate) fn new(backend: Backend) -> Self {
        Self { backend: OrderedMutex::new(backend), state: Mutex::new(State::new()), changed: watch::Sender::new(()) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked with the lock held left plain data behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until this holds of the calls.
    pub(crate) async fn until(&self, holds: impl Fn(&[RecordedCall]) -> bool) {
        let mut changed = self.changed.subscribe();
        while !holds(&self.state().calls) {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Carries a request through to its end, whether or not its caller is still there.
    pub(crate) async fn handle(&self, request: Request, caller: oneshot::Sender<Outcome>) {
        let call = Call::parse(&request);
        let arrival = self.arrive(&call);
        // Where the caller is gone, nobody hears the answer: that is not the service's concern.
        let tell = |outcome| {
            let _heard = caller.send(outcome);
        };
        if !arrival.admitted {
            let answer = Answer::throttled(&call);
            return tell(self.answered(arrival.seq, answer));
        }
        if let Some(delay) = arrival.delay {
            sleep(delay).await;
        }
        let Some(rule) = arrival.rule else {
            let answer = self.execute(arrival.seq, &call, request).await;
            return tell(self.answered(arrival.seq, answer));
        };
        let outcome = match rule.fault() {
            Fault::LoseRequest => Outcome::Close,
            Fault::LoseAnswer => {
                self.execute(arrival.seq, &call, request).await;
                Outcome::Close
            }
            Fault::ErrorAfter(status) => {
                self.execute(arrival.seq, &call, request).await;
                self.answered(arrival.seq, Answer::server_error(&call, *status))
            }
            Fault::Refuse { status, code } => {
                let answer = Answer::error(&call, *status, code, "Refused by a rule of the testbed.");
                self.answered(arrival.seq, answer)
            }
            Fault::DeliverLate { after, caller: Caller::Disconnected } => {
                tell(Outcome::Close);
                sleep(*after).await;
                self.execute(arrival.seq, &call, request).await;
                return;
            }
            Fault::DeliverLate { after, caller: Caller::Waits } => {
                sleep(*after).await;
                let answer = self.execute(arrival.seq, &call, request).await;
                self.answered(arrival.seq, answer)
            }
            Fault::CutConnection => Outcome::Cut(self.execute(arrival.seq, &call, request).await),
            Fault::Hold => {
                rule.pass_gate().await;
                let answer = self.execute(arrival.seq, &call, request).await;
                self.answered(arrival.seq, answer)
            }
            Fault::HoldAnswer => {
                let answer = self.execute(arrival.seq, &call, request).await;
                rule.pass_gate().await;
                self.answered(arrival.seq, answer)
            }
        };
        tell(outcome);
    }

    fn arrive(&self, call: &Call) -> Arrival {
        let mut state = self.state();
        let seq = state.forgotten + state.calls.len();
        let mut record = RecordedCall::new(seq, call);
        let admitted = state.throttles.admits(&call.service, &call.action, Instant::now());
        // A call that was throttled does not count for the rules: it comes again.
        let rule = if admitted { applying(&state.rules, call) } else { None };
        record.faulted = rule.as_ref().map(|rule| rule.fault().clone());
        state.calls.push(record);
        let delay = state.delays.get(&call.action).copied();
        drop(state);
        self.changed.send_replace(());
        Arrival { seq, admitted, rule, delay }
    }

    async fn execute(&self, seq: usize, call: &Call, request: Request) -> Answer {
        let mut backend = self.backend.lock().await;
        let terms = self.state().terms();
        let Execution { answer, executed } = backend.execute(call, request, terms).await;
        drop(backend);
        self.update(seq, |record| {
            record.executed = executed;
            record.result = Some(answer.status);
        });
        answer
    }

    fn answered(&self, seq: usize, answer: Answer) -> Outcome {
        self.update(seq, |record| record.status = Some(answer.status));
        Outcome::Answer(answer)
    }

    fn update(&self, seq: usize, change: impl FnOnce(&mut RecordedCall)) {
        let mut state = self.state();
        // One that came before the records were reset has none any more.
        let index = seq.checked_sub(state.forgotten);
        if let Some(record) = index.and_then(|index| state.calls.get_mut(index)) {
            change(record);
        }
        drop(state);
        self.changed.send_replace(());
    }

    pub(crate) async fn raw(&self, request: Request) -> io::Result<Answer> {
        self.backend.lock().await.send(request).await
    }
}

struct Arrival {
    seq: usize,
    admitted: bool,
    rule: Option<Arc<ActiveRule>>,
    delay: Option<Duration>,
}
