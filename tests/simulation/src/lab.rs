//! Whole runs in a world of their own, one after the other.

use std::sync::Arc;
use std::time::Duration;

use provision_core::desired::Desired;
use provision_core::exec::{GenerationChoice, Prepared, RunError, RunReport};
use provision_core::plan::{Mode, Plan};
use provision_core::sim::SimConfig;

use crate::dice::Dice;
use crate::fault::Kind;
use crate::process::{Job, Outcome, Process};
use crate::sim::Sim;
use crate::world::World;

pub use crate::process::providers;

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
}

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    /// What it planned.
    pub plan: Option<Arc<Plan>>,
    /// How it ended; `None` if it had nothing to do.
    pub report: Option<RunReport>,
    /// Why it could not be made.
    pub error: Option<RunError>,
    /// How many actions it made.
    pub actions: usize,
    /// How many of them were mutating calls.
    pub calls: usize,
    good: bool,
}

impl Ran {
    /// Whether it did all that it planned, and could plan everything.
    pub fn is_good(&self) -> bool {
        self.good
    }
}

impl Lab {
    /// An instant cloud.
    pub fn new() -> Self {
        Self::with(SimConfig::instant(7))
    }

    /// A cloud that behaves so.
    pub fn with(config: SimConfig) -> Self {
        Self { world: World::new(config), order: Order::AsAsked }
    }

    fn process(&mut self, desired: &Desired, mode: Mode, plans_only: bool) -> Process {
        let mut sim = Sim::new(std::mem::replace(&mut self.world, World::new(SimConfig::instant(0))));
        if let Order::Shuffled(seed) = self.order {
            sim.chance.order = Some(Dice::new(seed));
        }
        let mut job = Job::new(Arc::new(desired.clone()), mode, 0);
        (job.generation, job.lease) = (GenerationChoice::AfterHighest, Duration::from_secs(30));
        sim.start(job, plans_only);
        let ended = sim.run();
        assert!(ended.is_ok(), "{ended:?}\n{}", sim.world.trace.table());
        self.world = sim.world;
        sim.processes.remove(0)
    }

    /// Plans, and does nothing.
    ///
    /// # Panics
    /// Where that fails: nothing goes wrong in it.
    pub fn plan(&mut self, desired: &Desired, mode: Mode) -> Prepared {
        *self.process(desired, mode, true).prepared.unwrap()
    }

    /// Plans and applies, as the command does.
    pub fn apply(&mut self, desired: &Desired) -> Ran {
        self.run(desired, Mode::Apply)
    }

    /// Plans and destroys.
    pub fn destroy(&mut self, desired: &Desired) -> Ran {
        self.run(desired, Mode::Destroy)
    }

    /// Plans and executes.
    pub fn run(&mut self, desired: &Desired, mode: Mode) -> Ran {
        let process = self.process(desired, mode, false);
        let good = process.is_good();
        let calls = |kind: &&Kind| matches!(kind, Kind::Call | Kind::CreateNamed | Kind::Remove);
        let (report, error) = match process.outcome() {
            Some(Outcome::Ran(report)) => (Some(report.clone()), None),
            Some(Outcome::Refused(error)) => (None, Some(error.clone())),
            Some(Outcome::Nothing | Outcome::Planned | Outcome::Looked(_) | Outcome::Died) | None => (None, None),
        };
        let calls = process.kinds.iter().filter(calls).count();
        Ran { plan: process.plan, report, error, actions: process.kinds.len(), calls, good }
    }
}

impl Default for Lab {
    fn default() -> Self {
        Self::new()
    }
}
