//! A run with its faults, whoever finishes it, and what must hold then.

use std::collections::BTreeMap;
use std::sync::Arc;

use provision_core::desired::Desired;
use provision_core::drift::{Unfinished, UnfinishedWhat, Verdict};
use provision_core::exec::{Binding, GenerationChoice, RunError};
use provision_core::plan::{Mode, Plan};
use provision_core::sim::Held;
use provision_core::stream::StartError;

use crate::guarantee::History;
use crate::oracle;
use crate::process::{Job, Outcome, Process, Shared};
use crate::sim::{Sim, Stuck};
use crate::trace::{Did, Trace};
use crate::world::World;

/// A run that faults are put into, and what is to be there when others have finished it.
#[derive(Clone)]
pub struct Story {
    /// Its name.
    pub name: &'static str,
    /// The world before it.
    pub world: World,
    /// What the cloud holds before it.
    pub before: Vec<Held>,
    /// The run.
    pub first: Job,
    /// What those after it are started with: the same, or newer code.
    pub then: Job,
    /// What an older rival is started with.
    pub older: Option<Job>,
    /// Whether the plan is sealed, and those who finish it begin by applying it once more.
    pub resumes: bool,
    /// Whether no third party changes anything in the cloud.
    pub undisturbed: bool,
}

/// Restarts, and approvals, happen at whole multiples of this: worlds that differ in nothing but when a run ended become
/// the same, and are explored once.
const RESTART_GRID_MS: u64 = 500;
/// How long the one who starts runs waits after a refusal: twice that is longer than a lease.
const RETRY_MS: u64 = 3_500;
/// How many runs may be needed to finish: more than the longest lease takes.
const RUNS: u32 = 25;
/// After this, nothing is on its way any more, in milliseconds.
const QUIET_MS: u64 = 60_000;
/// How often a sealed plan is applied once more: a lease is over by then.
const RESUMES: u32 = 4;
/// How many events a fault-free run may take.
const STEPS: usize = 5_000;

impl Story {
    /// A story in a world of its own. `before` is applied in it first.
    ///
    /// # Panics
    /// Where that fails.
    pub fn new(name: &'static str, world: World, before: Option<&Job>, first: Job) -> Self {
        let mut sim = Sim::new(world);
        if let Some(before) = before {
            let number = sim.start(before.clone(), false);
            sim.run().unwrap();
            assert!(sim.process(number).is_some_and(Process::is_good), "{}", sim.world.trace.table());
        }
        let mut world = sim.world;
        world.trace = Trace::default();
        world.verbose = false;
        world.pass_to(world.ms.next_multiple_of(60_000));
        let held = world.objects();
        Self {
            name,
            world,
            before: held,
            then: first.clone(),
            first,
            older: before.cloned(),
            resumes: false,
            undisturbed: false,
        }
    }

    /// The code changes before the run is finished.
    #[must_use]
    pub fn then(mut self, name: &'static str, desired: &Desired, mode: Mode) -> Self {
        self.name = name;
        self.then.desired = Arc::new(desired.clone());
        self.then.mode = mode;
        if let GenerationChoice::Given(generation) = self.first.generation {
            self.then.generation = GenerationChoice::Given(generation.next());
        }
        self
    }

    /// Those who finish it run on another machine, from where nobody can see whether a process is dead.
    #[must_use]
    pub fn on_another_host(mut self) -> Self {
        self.then.host = 1;
        self
    }

    /// The plan is sealed; those who finish it apply it once more, before they plan anew.
    #[must_use]
    pub fn resumed(mut self, name: &'static str) -> Self {
        self.name = name;
        self.resumes = true;
        (self.first.binding, self.then.binding) = (Binding::Sealed, Binding::Sealed);
        self
    }

    /// The same; what was known of entries is forgotten, so that nothing that another run took for right is believed.
    #[must_use]
    pub fn with_fresh_memory(&self) -> Self {
        let mut story = self.clone();
        story.world.shared = Shared::default();
        story
    }

    /// What may join a simulation of it.
    pub fn sim(&self, world: World) -> Sim {
        let mut sim = Sim::new(world);
        sim.rivals =
            (Some(Job { host: 2, ..self.first.clone() }), self.older.clone().map(|job| Job { host: 3, ..job }));
        sim
    }

    /// Whether a run that ended well leaves nothing to do.
    pub fn ends_with_the_first(&self) -> bool {
        self.then.desired == self.first.desired && self.then.mode == self.first.mode
    }

    /// Nobody is alive: those who were in the way make room, and the next run begins a little later.
    ///
    /// # Errors
    /// What a third party had made was taken or removed.
    pub fn rest(&self, sim: &mut Sim) -> Result<(), String> {
        sim.world.clear_squatters()?;
        sim.pass_to((sim.world.ms + 1).next_multiple_of(RESTART_GRID_MS));
        Ok(())
    }

    /// Unless it is done, runs are started until one ends well; then everything that is on its way arrives, everything
    /// that stood still goes on, and one run without faults must be enough.
    ///
    /// # Errors
    /// What does not hold.
    pub fn finish(&self, sim: &mut Sim, done: bool) -> Result<(), String> {
        self.finish_without_drift(sim, done)?;
        self.has_not_drifted(sim)
    }

    /// The same; whether `drift` finds nothing is not looked at, which takes as long as all the rest.
    ///
    /// # Errors
    /// What does not hold.
    pub fn finish_without_drift(&self, sim: &mut Sim, mut done: bool) -> Result<(), String> {
        if self.resumes && !done {
            done = self.resume(sim)?;
        }
        // Whether nobody else could change the logs any more when the run began that ended well.
        let mut alone = sim.processes.len() <= 1;
        for _ in 0..RUNS {
            if sim.processes.iter().all(|process| process.outcome().is_some()) {
                self.rest(sim)?;
            }
            if done {
                break;
            }
            alone = sim.processes.iter().all(Process::is_over) && !sim.world.has_puts_on_their_way();
            let number = sim.start(self.then.clone(), false);
            sim.run().map_err(|Stuck(why)| why)?;
            alone &= sim.processes.last().is_some_and(|last| last.number == number);
            done = sim.process(number).is_some_and(Process::is_good);
            if !done {
                let later = sim.world.ms + RETRY_MS;
                sim.run_until(later).map_err(|Stuck(why)| why)?;
            }
        }
        // Whoever stood still goes on, and what was on its way arrives.
        let quiet = sim.world.ms + QUIET_MS;
        sim.run_until(quiet).map_err(|Stuck(why)| why)?;
        sim.world.clear_squatters()?;
        if !done {
            let last = sim.processes.last().and_then(|last| last.outcome());
            return Err(format!("{RUNS} runs were not enough: {last:?}"));
        }
        self.converges(sim, alone)?;
        self.holds(sim)
    }

    /// The plan is applied once more, until nobody else can be applying it. Says whether that did all of it.
    pub(crate) fn resume(&self, sim: &mut Sim) -> Result<bool, String> {
        let Some(plan) = sim.processes.first().and_then(|first| first.plan.clone()) else { return Ok(false) };
        for _ in 0..RESUMES {
            if sim.processes.iter().all(Process::is_over) {
                self.rest(sim)?;
            }
            let number = sim.start_approved(self.then.clone(), plan.clone());
            sim.run().map_err(|Stuck(why)| why)?;
            let resumed = sim.process(number).ok_or("no such process")?;
            match resumed.outcome() {
                Some(Outcome::Refused(RunError::Start(StartError::StillRuns { .. }) | RunError::Claim(_))) => {
                    let later = sim.world.ms + RETRY_MS;
                    sim.run_until(later).map_err(|Stuck(why)| why)?;
                }
                _ => return Ok(resumed.is_good()),
            }
        }
        Ok(false)
    }

    /// One run without faults is enough.
    fn converges(&self, sim: &mut Sim, alone: bool) -> Result<(), String> {
        sim.limit = STEPS;
        let stuck = |Stuck(why): Stuck| format!("a run without faults: {why}");
        let last = sim.start(self.then.clone(), false);
        sim.run().map_err(stuck)?;
        let ended = sim.process(last).ok_or("no such process")?;
        if !ended.is_good() {
            return Err(format!("a run without faults does not finish: {:?}", ended.outcome()));
        }
        if ended.outcome() != Some(&Outcome::Nothing) && alone && !self.drifted(sim) {
            return Err(format!(
                "a run ended well, and left this to do: {}",
                ended.plan.as_deref().map(left).unwrap_or_default()
            ));
        }
        if ended.outcome() != Some(&Outcome::Nothing) || !ended.plan.as_ref().is_some_and(|plan| plan.notes.is_empty())
        {
            let quiet = sim.world.ms + QUIET_MS;
            sim.run_until(quiet).map_err(stuck)?;
            // What was read is read again without any mutant: a broken fold must not hide what it broke.
            let known = std::mem::take(&mut sim.world.shared);
            let number = unbroken(|| {
                let number = sim.start(self.then.clone(), true);
                sim.run().map(|()| number)
            });
            sim.world.shared = known;
            let process = number.map_err(stuck).map(|number| sim.process(number))?.ok_or("no such process")?;
            let plan = process.plan.as_ref().ok_or_else(|| format!("no plan: {:?}", process.outcome()))?;
            if !plan.is_empty() || !plan.notes.is_empty() || plan.refusals().next().is_some() {
                return Err(format!("a run without faults left this to do: {}", left(plan)));
            }
        }
        match self.then.mode {
            Mode::Apply => {
                oracle::health_is_told(&self.then.desired, &self.before, &sim.world.trace)?;
                oracle::is_as_defined(&self.then.desired, &sim.world.objects())
            }
            Mode::Adopt => self.is_adopted(sim),
            Mode::Destroy if sim.world.objects().is_empty() => Ok(()),
            Mode::Destroy => Err(format!("left over: {:#?}", sim.world.objects())),
        }
    }

    /// Where there is nothing to do there is no drift either, and nothing unfinished.
    fn has_not_drifted(&self, sim: &mut Sim) -> Result<(), String> {
        let known = std::mem::take(&mut sim.world.shared);
        let number = unbroken(|| {
            let number = sim.start_looking(self.then.clone());
            sim.run().map(|()| number)
        });
        sim.world.shared = known;
        let process = number.map_err(|Stuck(why)| why).map(|number| sim.process(number))?.ok_or("no such process")?;
        let Some(Outcome::Looked(report)) = process.outcome() else {
            return Err(format!("whether there is drift is not known: {:?}", process.outcome()));
        };
        // Who died between its last change and giving its block back: the next run that has something to do there takes over.
        let is_claim = |it: &Unfinished| matches!(it.what, UnfinishedWhat::Claimed { .. });
        if report.verdict() == Verdict::None && report.dcs.values().all(|dc| dc.unfinished.iter().all(is_claim)) {
            Ok(())
        } else {
            Err(format!("there is nothing to do, and this is not as it was applied: {report:?}"))
        }
    }

    /// Nothing was called and nothing in the cloud is another, and yet there is nothing left to do.
    fn is_adopted(&self, sim: &mut Sim) -> Result<(), String> {
        if let Some(called) = sim.world.trace.calls().next() {
            return Err(format!("{} was called", called.sending.call.api));
        }
        if sim.world.objects() != self.before {
            return Err(format!("the cloud changed: {:#?}", sim.world.objects()));
        }
        let known = std::mem::take(&mut sim.world.shared);
        let number = unbroken(|| {
            let number = sim.start(Job { mode: Mode::Apply, ..self.then.clone() }, true);
            sim.run().map(|()| number)
        });
        sim.world.shared = known;
        let process = number.map_err(|Stuck(why)| why).map(|number| sim.process(number))?.ok_or("no such process")?;
        let plan = process.plan.as_ref().ok_or_else(|| format!("no plan: {:?}", process.outcome()))?;
        if plan.is_empty() && plan.refusals().next().is_none() {
            Ok(())
        } else {
            Err(format!("what was adopted is not as defined: {}", left(plan)))
        }
    }

    /// Whether third parties changed something.
    fn drifted(&self, sim: &Sim) -> bool {
        sim.world.trace.did().any(|did| matches!(did, Did::Drifted(_)))
    }

    /// The guarantees, over all that has happened so far.
    ///
    /// # Errors
    /// The first one that does not hold.
    pub fn holds(&self, sim: &Sim) -> Result<(), String> {
        let plans = &sim.world.plans;
        let ahead: BTreeMap<u32, i64> =
            sim.processes.iter().map(|process| (process.number, process.job.wall_skew_ms)).collect();
        let ms = |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let codes = sim.processes.iter().map(|process| (process.number, process.job.desired.clone())).collect();
        History {
            codes: &codes,
            trace: &sim.world.trace,
            before: &self.before,
            plans,
            lease_ms: ms(self.first.lease),
            stamp_ms: ms(sim.world.cloud.config().stamp),
            ahead_ms: &ahead,
        }
        .holds()
    }
}

/// What a plan would do, in a line.
fn left(plan: &Plan) -> String {
    let acts = plan.resources().filter(|(_, resource)| resource.acts());
    let mut left: Vec<String> =
        acts.map(|(addr, resource)| format!("{addr} {:?} {:?}", resource.allowed, resource.reasons)).collect();
    left.extend(plan.notes.iter().map(|note| format!("{note:?}")));
    left.extend(plan.refusals().map(|(block, problem)| format!("{block}: {problem}")));
    left.join("; ")
}

/// Without the mutant that is switched on, if one is.
pub(crate) fn unbroken<T>(f: impl FnOnce() -> T) -> T {
    #[cfg(debug_assertions)]
    return provision_core::mutant::with(None, f);
    #[cfg(not(debug_assertions))]
    f()
}
