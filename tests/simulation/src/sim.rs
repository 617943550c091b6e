//! Processes in a world: a discrete-event loop on one thread, in virtual time.

use std::collections::BTreeMap;
use std::sync::Arc;

use provision_core::call::{Answer, ReadAnswer, Refusal};
use provision_core::machine::{Action, ActionId, Event, GetAnswer, HolderState, ListAnswer, PutAnswer, Verified};
use provision_core::stream::event::Holder;

use crate::dice::Dice;
use crate::fault::{Fault, Frozen, Kind, Rival, What};
use crate::process::{Job, Outcome, Process, State};
use crate::trace::Did;
use crate::world::{Flight, Request, World};

/// Where faults come from.
#[derive(Debug, Clone)]
pub enum Faults {
    /// These.
    Listed(Vec<Fault>),
    /// As dice say, so many times of a thousand actions; those that struck are kept.
    Drawn {
        /// Draws them.
        dice: Dice,
        /// How many of a thousand actions suffer one.
        per_mille: u64,
        /// Those that struck.
        struck: Vec<Fault>,
    },
}

/// The order of what could happen at once, and how long things take.
#[derive(Debug, Clone, Default)]
pub struct Chance {
    /// In which order processes and actions take turns; in turn where there are none.
    pub order: Option<Dice>,
    /// How long calls, puts and reads take, up to so many milliseconds; nothing where there are none.
    pub delays: Option<(Dice, u64)>,
}

/// Processes in a world.
pub struct Sim {
    /// The world.
    pub world: World,
    /// All processes, by number from the first one of this simulation.
    pub processes: Vec<Process>,
    /// What goes wrong.
    pub faults: Faults,
    /// Order and delays.
    pub chance: Chance,
    /// What a rival with the same definitions is started with, and one with older ones.
    pub rivals: (Option<Job>, Option<Job>),
    /// How many events there may be: a history that takes more does not end.
    pub limit: usize,
    timers: BTreeMap<(u64, u64), Timer>,
    armed: u64,
}

struct Timer {
    process: usize,
    /// Which of the process' machines: ids are counted anew in each.
    planned: bool,
    what: Due,
}

enum Due {
    Tell(ActionId, Event),
    Resume,
}

/// A simulation that does not come to an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck(pub String);

/// What a step did.
enum Stepped {
    Went,
    /// No process is running.
    Idle,
}

impl Sim {
    /// No process yet.
    pub fn new(world: World) -> Self {
        Self {
            world,
            processes: Vec::new(),
            faults: Faults::Listed(Vec::new()),
            chance: Chance::default(),
            rivals: (None, None),
            limit: 2_000_000,
            timers: BTreeMap::new(),
            armed: 0,
        }
    }

    /// Starts a process; its number.
    pub fn start(&mut self, job: Job, plans_only: bool) -> u32 {
        let number = self.number();
        let shared = self.world.shared.clone();
        self.begin(Process::new(number, job, plans_only, shared))
    }

    /// Starts a process that executes an approved plan.
    pub fn start_approved(&mut self, job: Job, plan: Arc<provision_core::plan::Plan>) -> u32 {
        let number = self.number();
        let shared = self.world.shared.clone();
        self.begin(Process::approved(number, job, plan, shared))
    }

    fn number(&mut self) -> u32 {
        self.world.started += 1;
        self.world.started
    }

    fn begin(&mut self, mut process: Process) -> u32 {
        let number = process.number;
        let acting = std::mem::replace(&mut self.world.run, number);
        self.world.note(Did::Began { what: process.job.shown() });
        if let Some(plan) = &process.plan {
            self.world.plans.insert(number, plan.clone());
        }
        let asked = process.machine.step(process.now(self.world.ms), None);
        self.processes.push(process);
        self.take_in(self.processes.len() - 1, asked);
        self.world.run = acting;
        number
    }

    /// A process, by its number.
    pub fn process(&self, number: u32) -> Option<&Process> {
        self.processes.iter().find(|process| process.number == number)
    }

    /// Goes on until no process is running: all have ended, or stand still.
    ///
    /// # Errors
    /// It does not come to an end.
    pub fn run(&mut self) -> Result<(), Stuck> {
        for _ in 0..self.limit {
            if let Stepped::Idle = self.step()? {
                return Ok(());
            }
        }
        Err(Stuck(format!("it does not end: {} events", self.limit)))
    }

    /// The same, and lets those that stand still go on, until all have ended or that time has come.
    ///
    /// # Errors
    /// It does not come to an end.
    pub fn run_until(&mut self, ms: u64) -> Result<(), Stuck> {
        for _ in 0..self.limit {
            if self.world.ms >= ms {
                return Ok(());
            }
            if let Stepped::Idle = self.step()? {
                let resumes = self.next_due().filter(|_| self.processes.iter().any(Process::is_paused));
                match resumes.filter(|at| *at < ms) {
                    Some(at) => self.world.ms = self.world.ms.max(at),
                    None => {
                        self.pass_to(ms);
                        return Ok(());
                    }
                }
            }
        }
        Err(Stuck(format!("it does not end: {} events", self.limit)))
    }

    /// Lets time pass while no process is running.
    pub fn pass_to(&mut self, ms: u64) {
        self.world.pass_to(ms);
    }

    fn next_due(&self) -> Option<u64> {
        let timer = self.timers.first_key_value().map(|((at, _), _)| *at);
        timer.into_iter().chain(self.world.next_landing()).min()
    }

    fn step(&mut self) -> Result<Stepped, Stuck> {
        if self.deliver_one() {
            return Ok(Stepped::Went);
        }
        let ready = |process: &&Process| process.is_running() && !process.asked.is_empty();
        let ready: Vec<usize> = (0..self.processes.len()).filter(|index| ready(&&self.processes[*index])).collect();
        if ready.is_empty() {
            if !self.processes.iter().any(Process::is_running) {
                return Ok(Stepped::Idle);
            }
            let Some(at) = self.next_due() else { return Err(Stuck("a run waits for nothing".to_owned())) };
            self.world.ms = self.world.ms.max(at);
            return Ok(Stepped::Went);
        }
        let process = match &mut self.chance.order {
            Some(dice) => ready[dice.index(ready.len())],
            // In turn.
            None => ready.into_iter().min_by_key(|index| self.processes[*index].acted).unwrap_or(0),
        };
        self.act(process);
        Ok(Stepped::Went)
    }

    /// What is due by now happens, the earliest first; false if nothing is.
    fn deliver_one(&mut self) -> bool {
        let now = self.world.ms;
        let timer = self.timers.first_key_value().map(|((at, _), _)| *at).filter(|at| *at <= now);
        let landing = self.world.next_landing().filter(|at| *at <= now);
        match (timer, landing) {
            (None, None) => false,
            (Some(timer), landing) if landing.is_none_or(|landing| timer < landing) => {
                if let Some((key, timer)) = self.timers.pop_first() {
                    self.ring(key.0, timer);
                }
                true
            }
            (_, _) => {
                if let Some((run, id, later, event)) = self.world.land() {
                    let process = self.processes.iter().position(|process| process.number == run);
                    // Calls and puts are made while a plan is executed alone.
                    if let Some(process) = process {
                        self.arm(later, Timer { process, planned: true, what: Due::Tell(id, event) });
                    }
                }
                true
            }
        }
    }

    fn arm(&mut self, later: u64, timer: Timer) {
        self.arm_at(self.world.ms + later, timer);
    }

    fn arm_at(&mut self, at: u64, timer: Timer) {
        self.armed += 1;
        self.timers.insert((at, self.armed), timer);
    }

    fn ring(&mut self, at: u64, timer: Timer) {
        let process = &mut self.processes[timer.process];
        match (&process.state, timer.what) {
            (State::Paused { until, .. }, what @ Due::Tell(..)) => {
                let at = at.max(*until);
                self.arm_at(at, Timer { what, ..timer });
            }
            (State::Paused { .. }, Due::Resume) => process.resume(),
            (State::Running, Due::Tell(id, event)) if process.plan.is_some() == timer.planned => {
                self.tell(timer.process, id, event);
            }
            (State::Running | State::Ended(_), _) => {}
        }
    }

    fn tell(&mut self, index: usize, id: ActionId, event: Event) {
        let process = &mut self.processes[index];
        let asked = process.machine.step(process.now(self.world.ms), Some((id, event)));
        self.take_in(index, asked);
    }

    /// Takes in what a machine asks for, and its end.
    fn take_in(&mut self, index: usize, asked: Vec<(ActionId, Action)>) {
        let mut asked = asked;
        loop {
            let acting = std::mem::replace(&mut self.world.run, self.processes[index].number);
            for (id, action) in asked {
                match action {
                    Action::Sleep { duration } => {
                        let later = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1);
                        let planned = self.processes[index].plan.is_some();
                        self.arm(later, Timer { process: index, planned, what: Due::Tell(id, Event::Woke) });
                    }
                    Action::Emit(said) => {
                        if self.world.verbose {
                            self.world.note(Did::Said(format!("{said:?}")));
                        }
                    }
                    action => self.processes[index].asked.push_back((id, action)),
                }
            }
            self.world.run = acting;
            let process = &mut self.processes[index];
            let Some(stage) = process.machine.take_result() else { return };
            // Hints that were asked for are still written, as the driver does.
            let hints: Vec<Action> = process.asked.drain(..).map(|(_, action)| action).collect();
            let (number, before) = (process.number, process.plan.is_some());
            process.staged(stage);
            if let Some(plan) = &process.plan {
                self.world.plans.insert(number, plan.clone());
            }
            let acting = std::mem::replace(&mut self.world.run, number);
            for hint in hints {
                if let Action::PutHint { key, bytes } = hint {
                    self.world.overwrite(key.0, bytes);
                }
            }
            let process = &mut self.processes[index];
            if let State::Ended(outcome) = &process.state {
                let how = shown(outcome);
                self.gone(number, Did::Ended { how });
                self.world.run = acting;
                return;
            }
            self.world.run = acting;
            if before {
                return;
            }
            asked = process.machine.step(process.now(self.world.ms), None);
        }
    }

    fn gone(&mut self, number: u32, did: Did) {
        let acting = std::mem::replace(&mut self.world.run, number);
        self.world.dead.insert(number);
        self.world.changed(&[b"gone", &number.to_le_bytes()]);
        self.world.note(did);
        self.world.run = acting;
    }

    /// A process performs its next action, unless something goes wrong before.
    fn act(&mut self, index: usize) {
        self.world.run = self.processes[index].number;
        let process = &mut self.processes[index];
        let at = match &mut self.chance.order {
            Some(dice) => dice.index(process.asked.len()),
            None => 0,
        };
        let Some((id, action)) = process.asked.remove(at) else { return };
        let Some(kind) = Kind::of(&action) else { return };
        let (number, position, skip) = (process.number, process.kinds.len(), process.struck);
        let (before, at) = self.faults_at(number, position, kind);
        for what in before.into_iter().skip(skip) {
            self.processes[index].struck += 1;
            self.world.note(Did::Fault(what));
            let goes_on = self.strike(index, what, &action);
            if !goes_on {
                self.processes[index].asked.push_front((id, action));
                return;
            }
        }
        let process = &mut self.processes[index];
        process.struck = 0;
        if let Some(what) = at {
            self.world.note(Did::Fault(what));
            if what == What::Kill {
                return self.die(index);
            }
        }
        process.kinds.push(kind);
        process.acted = self.world.ms;
        let event = self.perform(index, id, action, at);
        self.world.ms += self.world.tick_ms;
        if let Some((event, later)) = event {
            if later == 0 {
                self.tell(index, id, event);
            } else {
                let planned = self.processes[index].plan.is_some();
                self.arm(later, Timer { process: index, planned, what: Due::Tell(id, event) });
            }
        }
    }

    fn die(&mut self, index: usize) {
        let process = &mut self.processes[index];
        process.state = State::Ended(Outcome::Died);
        process.asked.clear();
        let number = process.number;
        self.gone(number, Did::Died);
    }

    /// What goes wrong before and at an action.
    fn faults_at(&mut self, number: u32, position: usize, kind: Kind) -> (Vec<What>, Option<What>) {
        match &mut self.faults {
            Faults::Listed(faults) => {
                let here = || faults.iter().filter(|fault| fault.process == number && fault.action == position);
                let before = here().map(|fault| fault.what).filter(|what| what.is_before()).collect();
                (before, here().map(|fault| fault.what).find(|what| !what.is_before()))
            }
            Faults::Drawn { dice, per_mille, struck } => {
                let fresh = self.processes.iter().any(|process| process.number == number && process.struck == 0);
                if !fresh || !dice.per_mille(*per_mille) {
                    return (Vec::new(), None);
                }
                let what = crate::random::draw(dice, kind);
                struck.push(Fault { process: number, action: position, what });
                if what.is_before() { (vec![what], None) } else { (Vec::new(), Some(what)) }
            }
        }
    }

    /// Something befalls a process; false if its action has to wait.
    fn strike(&mut self, index: usize, what: What, action: &Action) -> bool {
        let now = self.world.ms;
        match what {
            What::Pause { ms, frozen } => {
                let lost = match frozen {
                    Frozen::None => (0, 0),
                    Frozen::Boot => (ms, 0),
                    Frozen::Wall => (0, ms),
                    Frozen::Both => (ms, ms),
                };
                self.processes[index].state = State::Paused { until: now + ms, lost };
                self.arm(ms, Timer { process: index, planned: false, what: Due::Resume });
                false
            }
            What::Jump { ms } => {
                self.processes[index].jump(ms);
                true
            }
            What::Interrupt => {
                let process = &mut self.processes[index];
                let asked = process.machine.interrupt(process.now(now));
                self.take_in(index, asked);
                false
            }
            What::Drift(drift) => {
                let about = match action {
                    Action::Call { target, sending } => Some((target, &**sending)),
                    _ => None,
                };
                self.world.drift(drift, about);
                true
            }
            What::Rival(rival) => {
                self.rival(index, rival);
                false
            }
            What::Kill
            | What::KillLate { .. }
            | What::LoseRequest
            | What::LoseAnswer
            | What::Late { .. }
            | What::Slow { .. }
            | What::Throttle
            | What::Fail
            | What::Hide => true,
        }
    }

    fn rival(&mut self, index: usize, rival: Rival) {
        let acting = self.world.run;
        match (rival, self.rivals.clone(), self.processes[index].plan.clone()) {
            (Rival::Same, (Some(job), _), _) | (Rival::Older, (_, Some(job)), _) => drop(self.start(job, false)),
            (Rival::Twin, _, Some(plan)) => {
                let job = self.processes[index].job.clone();
                self.start_approved(job, plan);
            }
            (Rival::Same | Rival::Older | Rival::Twin, ..) => {}
        }
        self.world.run = acting;
    }

    /// Performs an action; its event and how much later it is told, unless the process died or is told otherwise.
    fn perform(&mut self, index: usize, id: ActionId, action: Action, fault: Option<What>) -> Option<(Event, u64)> {
        let cut = || "the connection was cut".to_owned();
        let read_delay = self.delay();
        let world = &mut self.world;
        let fails = fault == Some(What::Fail);
        Some(match action {
            Action::Put { key, bytes } => {
                let request = Request::Put { key: key.0, bytes: bytes.into() };
                return self.mutate(index, id, request, fault);
            }
            Action::Call { target, sending } => {
                let request = Request::Call { target, sending: Arc::new(*sending) };
                return self.mutate(index, id, request, fault);
            }
            Action::PutHint { key, bytes } => {
                world.overwrite(key.0, bytes);
                (Event::Put(PutAnswer::Done), 0)
            }
            Action::Get { .. } if fails => (Event::Get(GetAnswer::Failed(cut())), 0),
            Action::Get { key } => (Event::Get(world.get(key.0)), read_delay),
            Action::List { .. } if fails => (Event::List(ListAnswer::Failed(cut())), 0),
            Action::List { prefix } => (Event::List(world.list(&prefix, fault == Some(What::Hide))), read_delay),
            Action::Verify { .. } if fails => (Event::Verify(Verified::No { problem: cut() }), 0),
            Action::Verify { target } => {
                world.note(Did::Look(format!("verify {target}")));
                (Event::Verify(Verified::Yes { bounds: world.cloud.config().bounds() }), read_delay)
            }
            Action::Read { .. } if fails => (Event::Read(ReadAnswer::Failed { refusal: None, reason: cut() }), 0),
            Action::Read { .. } if fault == Some(What::Throttle) => (Event::Read(ReadAnswer::Throttled), 0),
            Action::Read { target, read } => {
                (Event::Read(world.read(&target, read, fault == Some(What::Hide))), read_delay)
            }
            Action::ProbeHolder { holder } => {
                world.note(Did::Look(format!("probes whether {} lives", holder.name)));
                (Event::Holder(self.probe(index, &holder)), 0)
            }
            Action::Sleep { .. } | Action::Emit(_) => (Event::Woke, 0),
        })
    }

    fn delay(&mut self) -> u64 {
        self.chance.delays.as_mut().map_or(0, |(dice, most)| dice.below(*most + 1))
    }

    /// A process sees those of its own machine alone.
    fn probe(&self, index: usize, holder: &Holder) -> HolderState {
        if holder.boot_id != format!("boot-{}", self.processes[index].job.host) {
            HolderState::Unknown
        } else if self.world.dead.contains(&holder.pid) {
            HolderState::Dead
        } else {
            HolderState::Alive
        }
    }

    /// A call or a put.
    fn mutate(&mut self, index: usize, id: ActionId, request: Request, fault: Option<What>) -> Option<(Event, u64)> {
        let run = self.world.run;
        let unknown = match &request {
            Request::Call { .. } => Event::Call(Answer::Unknown { reason: "the connection was cut".to_owned() }),
            Request::Put { .. } => Event::Put(PutAnswer::Unknown("the connection was cut".to_owned())),
        };
        let (there, back) = (self.delay(), self.delay());
        // When it lands, unless it is performed at once; whether its sender is told.
        let (lands, told) = match fault {
            None if there + back == 0 => (None, true),
            None => (Some(there), true),
            Some(What::LoseRequest) => {
                self.sent(&request, &unknown);
                return Some((unknown, 0));
            }
            Some(What::LoseAnswer) => (Some(0), false),
            Some(What::Late { ms } | What::KillLate { ms }) => (Some(ms), false),
            Some(What::Slow { .. }) => (Some(0), true),
            Some(What::Throttle) => {
                let message = "too many calls: slow down".to_owned();
                let code = "RequestLimitExceeded".to_owned();
                let server_time = Some(self.world.server_now());
                let refused = Event::Call(Answer::Refused { refusal: Refusal::Throttled, code, message, server_time });
                self.sent(&request, &refused);
                return Some((refused, 0));
            }
            Some(_) => (None, true),
        };
        let Some(lands) = lands else {
            let event = match request {
                Request::Call { target, sending } => {
                    let answer = self.world.execute(&target, &sending);
                    self.world.note(Did::Call { target, sending, answer: answer.clone() });
                    Event::Call(answer)
                }
                Request::Put { key, bytes } => {
                    let answer = self.world.put(&key, &bytes);
                    self.world.note(Did::Put { key, bytes, answer: answer.clone() });
                    Event::Put(answer)
                }
            };
            return Some((event, 0));
        };
        self.sent(&request, &unknown);
        let back = if let Some(What::Slow { ms }) = fault { ms } else { back };
        self.world.send(lands, Flight { run, request, tell: told.then_some((id, back)) });
        if lands == 0 {
            // At once, but for what landed before at the same time.
            self.deliver_landings();
        }
        match fault {
            Some(What::KillLate { .. }) => {
                self.die(index);
                None
            }
            _ if told => None,
            _ => Some((unknown, 0)),
        }
    }

    fn deliver_landings(&mut self) {
        while self.world.next_landing().is_some_and(|at| at <= self.world.ms) {
            if let Some((run, id, later, event)) = self.world.land() {
                let process = self.processes.iter().position(|process| process.number == run);
                if let Some(process) = process {
                    self.arm(later, Timer { process, planned: true, what: Due::Tell(id, event) });
                }
            }
        }
    }

    /// What its sender is told at once.
    fn sent(&mut self, request: &Request, told: &Event) {
        let did = match (request.clone(), told.clone()) {
            (Request::Call { target, sending }, Event::Call(answer)) => Did::Call { target, sending, answer },
            (Request::Put { key, bytes }, Event::Put(answer)) => Did::Put { key, bytes, answer },
            (Request::Call { .. } | Request::Put { .. }, _) => return,
        };
        self.world.note(did);
    }

    /// Every fault that struck, where they were drawn.
    pub fn struck(&self) -> &[Fault] {
        match &self.faults {
            Faults::Listed(listed) => listed,
            Faults::Drawn { struck, .. } => struck,
        }
    }
}

fn shown(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Nothing => "nothing to do".to_owned(),
        Outcome::Planned => "planned".to_owned(),
        Outcome::Ran(report) => format!("{:?}", report.outcome),
        Outcome::Refused(error) => error.to_string(),
        Outcome::Died => "died".to_owned(),
    }
}
