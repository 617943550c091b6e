//! The loop: who acts next, and when who is told what.

use std::collections::BTreeMap;
use std::sync::Arc;

use provision_core::machine::{Action, ActionId, Event};

use crate::dice::Dice;
use crate::fault::{Fault, Kind, What};
use crate::process::{Job, Outcome, Process, State};
use crate::trace::Did;
use crate::world::World;

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
    /// How long calls, puts and reads take.
    pub delays: Delays,
}

/// How long calls, puts and reads take.
#[derive(Debug, Clone, Default)]
pub enum Delays {
    /// Nothing.
    #[default]
    None,
    /// As dice say, up to so many milliseconds there and back.
    Drawn(Dice, u64),
    /// Calls and reads as the cloud's model of latencies says; puts take nothing.
    Modelled,
}

impl Delays {
    /// The longest that dice may say, in milliseconds.
    pub fn most(&self) -> u64 {
        match self {
            Self::None | Self::Modelled => 0,
            Self::Drawn(_, most) => *most,
        }
    }
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

pub(super) struct Timer {
    pub(super) process: usize,
    /// Which of the process' machines: ids are counted anew in each.
    pub(super) planned: bool,
    pub(super) what: Due,
}

pub(super) enum Due {
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

    /// Starts a process that looks for drift.
    pub fn start_looking(&mut self, job: Job) -> u32 {
        let number = self.number();
        let shared = self.world.shared.clone();
        self.begin(Process::looking(number, job, shared))
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

    pub(super) fn arm(&mut self, later: u64, timer: Timer) {
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
    pub(super) fn take_in(&mut self, index: usize, asked: Vec<(ActionId, Action)>) {
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

    pub(super) fn die(&mut self, index: usize) {
        let process = &mut self.processes[index];
        process.state = State::Ended(Outcome::Died);
        process.asked.clear();
        let number = process.number;
        self.gone(number, Did::Died);
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
        Outcome::Looked(report) => format!("{:?}", report.verdict()),
        Outcome::Ran(report) => format!("{:?}", report.outcome),
        Outcome::Refused(error) => error.to_string(),
        Outcome::Died => "died".to_owned(),
    }
}
