//! Whole runs in a world of their own.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use provision_aws::provider::Aws;
use provision_core::desired::Desired;
use provision_core::exec::{GenerationChoice, Prepared, RunError, RunReport, RunSpec, Settings, execute, prepare};
use provision_core::id::{Nonce, Revision};
use provision_core::machine::{Action, ActionId, Event, Io, Machine};
use provision_core::plan::{Mode, Plan, Providers};
use provision_core::provider::Provider;
use provision_core::sim::SimConfig;
use provision_core::stream::event::{Holder, RunOutcome};
use provision_core::stream::{Signer, Timing};

use crate::fault::{Before, Counts, Fault, Schedule};
use crate::trace::Did;
use crate::world::{Performed, World};

/// In which order actions that are asked for at the same time are performed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As they were asked for.
    AsAsked,
    /// In an order that derives from this number.
    Shuffled(u64),
}

/// A world, and runs in it one after the other.
#[derive(Clone)]
pub struct Lab {
    /// The world.
    pub world: World,
    /// The order of actions.
    pub order: Order,
    runs: u32,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    /// What it planned, unless it died before.
    pub plan: Option<Plan>,
    /// How it ended; `None` if it died, or had nothing to do.
    pub report: Option<RunReport>,
    /// Why it could not be made.
    pub error: Option<RunError>,
    /// How many actions it made.
    pub counts: Counts,
    /// Whether it died.
    pub died: bool,
}

impl Ran {
    /// Whether it did all that it planned, and could plan everything.
    pub fn is_good(&self) -> bool {
        let ended = self
            .report
            .as_ref()
            .is_none_or(|report| report.outcome == RunOutcome::Succeeded && report.problems.is_empty());
        let planned = self.plan.as_ref().is_some_and(|plan| plan.refusals().next().is_none());
        !self.died && self.error.is_none() && ended && planned
    }
}

/// The pure halves.
pub fn providers() -> Providers {
    Providers::new([Arc::new(Aws) as Arc<dyn Provider>])
}

/// Stops a run that goes round in circles.
const MAX_STEPS: usize = 2_000_000;

impl Lab {
    /// An instant cloud.
    pub fn new() -> Self {
        Self::with(SimConfig::instant(7))
    }

    /// A cloud that behaves so.
    pub fn with(config: SimConfig) -> Self {
        Self { world: World::new(config), order: Order::AsAsked, runs: 0 }
    }

    fn spec(&self, desired: &Desired, mode: Mode) -> RunSpec {
        let mut nonce = [0; 16];
        nonce[..4].copy_from_slice(&self.runs.to_be_bytes());
        let mut writer_nonce = nonce;
        writer_nonce[15] = 1;
        RunSpec {
            desired: Arc::new(desired.clone()),
            providers: providers(),
            revision: Revision::new("abc123").unwrap(),
            generation: GenerationChoice::AfterHighest,
            nonce: Nonce(nonce),
            writer_nonce: Nonce(writer_nonce),
            mode,
            holder: Holder {
                name: "tester@lab".to_owned(),
                boot_id: "boot".to_owned(),
                pid_namespace: "pid:[1]".to_owned(),
                pid: self.runs,
                start_time: 5,
                since: "2026-01-31 09:05:00 UTC".to_owned(),
            },
            signer: Signer::new(&[7; 32], "tester@lab"),
            timing: Timing::with_lease(Duration::from_secs(30)),
            simulated: true,
            many_deletions: true,
            settings: Settings::default(),
        }
    }

    /// Plans, and does nothing.
    ///
    /// # Panics
    /// Where that fails: nothing goes wrong in it.
    pub fn plan(&mut self, desired: &Desired, mode: Mode) -> Prepared {
        self.runs += 1;
        self.world.run = self.runs;
        let spec = self.spec(desired, mode);
        let machine = Machine::new(|io| async move { prepare(&io, &spec).await });
        self.drive(machine, &mut Schedule::default()).unwrap().unwrap()
    }

    /// Plans and applies, as the command does.
    pub fn apply(&mut self, desired: &Desired, faults: &[Fault]) -> Ran {
        self.run(desired, Mode::Apply, faults)
    }

    /// Plans and destroys.
    pub fn destroy(&mut self, desired: &Desired, faults: &[Fault]) -> Ran {
        self.run(desired, Mode::Destroy, faults)
    }

    /// Plans and executes.
    pub fn run(&mut self, desired: &Desired, mode: Mode, faults: &[Fault]) -> Ran {
        self.runs += 1;
        self.world.run = self.runs;
        let spec = self.spec(desired, mode);
        let mut schedule = Schedule::new(faults);
        let ended = self.drive(Machine::new(|io| plan_and_execute(io, spec)), &mut schedule);
        let died = ended.is_none();
        if died {
            self.world.dead.insert(self.runs);
            self.world.note(Did::Died);
        }
        let (plan, report, error) = match ended {
            None => (None, None, None),
            Some((plan, Ok(report))) => (plan, report, None),
            Some((plan, Err(error))) => (plan, None, Some(error)),
        };
        Ran { plan, report, error, counts: schedule.counts(), died }
    }

    /// Runs a machine to its end, or to the death of its runner.
    fn drive<T: Send + 'static>(&mut self, mut machine: Machine<T>, schedule: &mut Schedule) -> Option<T> {
        let mut asked: VecDeque<(ActionId, Action)> = VecDeque::new();
        let mut asleep: Vec<(u64, ActionId)> = Vec::new();
        let mut random = match self.order {
            Order::AsAsked => None,
            Order::Shuffled(seed) => Some(seed | 1),
        };
        let world = &mut self.world;
        let mut new = machine.step(world.now(), None);
        for _ in 0..MAX_STEPS {
            for (id, action) in new.drain(..) {
                match action {
                    Action::Sleep { duration } => {
                        asleep.push((world.ms + u64::try_from(duration.as_millis()).unwrap().max(1), id));
                    }
                    Action::Emit(said) => world.note(Did::Said(format!("{said:?}"))),
                    action => asked.push_back((id, action)),
                }
            }
            if let Some(result) = machine.take_result() {
                for (_, action) in asked.drain(..).filter(|(_, action)| matches!(action, Action::PutHint { .. })) {
                    world.perform(action, &mut Schedule::default());
                }
                return Some(result);
            }
            // Whoever's time has come goes first, so that a busy run renews its lease.
            let first = asleep.iter().enumerate().min_by_key(|(_, sleeper)| **sleeper).map(|(at, _)| at);
            if let Some(at) = first.filter(|at| asked.is_empty() || asleep[*at].0 <= world.ms) {
                let (wake, id) = asleep.remove(at);
                world.pass_to(wake);
                new = machine.step(world.now(), Some((id, Event::Woke)));
                continue;
            }
            assert!(!asked.is_empty(), "the run waits for nothing:\n{}", world.trace.table());
            match schedule.action() {
                Before::Nothing => {}
                Before::Kill => return None,
                Before::Interrupt => {
                    world.note(Did::Interrupted);
                    new = machine.interrupt(world.now());
                    continue;
                }
            }
            let at = random.as_mut().map_or(0, |random| pick(random, asked.len()));
            let (id, action) = asked.remove(at).unwrap();
            match world.perform(action, schedule) {
                Performed::Answer(event) => new = machine.step(world.now(), Some((id, event))),
                Performed::Died => return None,
            }
        }
        panic!("the run does not end:\n{}", world.trace.table());
    }
}

impl Default for Lab {
    fn default() -> Self {
        Self::new()
    }
}

async fn plan_and_execute(io: Io, mut spec: RunSpec) -> (Option<Plan>, Result<Option<RunReport>, RunError>) {
    let plan = match prepare(&io, &spec).await {
        Ok(prepared) => prepared.plan,
        Err(error) => return (None, Err(error)),
    };
    if plan.is_empty() {
        return (Some(plan), Ok(None));
    }
    spec.writer_nonce.0[15] = 2;
    let report = execute(&io, &spec, &plan).await;
    (Some(plan), report.map(Some))
}

/// A number below `below`, and the next state of an xorshift generator.
fn pick(state: &mut u64, below: usize) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state % u64::try_from(below).unwrap()).unwrap()
}
