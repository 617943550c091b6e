//! Every single fault and every pair of faults of a story.
//!
//! A pair strikes in one run, or one of its faults in the run and the other in the run that finishes it. A run is
//! explored from its approval on, as the command makes it: planning, then executing. Two histories that come to the same
//! world while no process is alive are the same from there on, so it is explored once: they are counted, and not run
//! again.
//!
//! A single fault is tried with several values of what it has, such as how late a call lands; in a pair each kind has the
//! one that goes furthest ([`Alphabet`]). Two rules keep histories apart that are none: a kill before an action that changes nothing leaves the world that the
//! kill before the next change leaves; and two reads that show nothing of what is there are beyond the bound that the
//! endpoint guarantees (`Bounds::visibility`), so no pair consists of these.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use provision_core::plan::Plan;

use crate::fault::{Drift, Fault, Frozen, Kind, Rival, What};
use crate::oracle;
use crate::process::Outcome;
use crate::sim::{Faults, Sim, Stuck};
use crate::story::Story;
use crate::trace::hash;
use crate::world::World;

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Every single fault.
    Singles,
    /// Every pair of those that go furthest as well.
    Pairs,
    /// Every pair.
    WholePairs,
}

impl Depth {
    /// What pairs consist of, where there are any.
    fn pairs(self) -> Option<Alphabet> {
        match self {
            Self::Singles => None,
            Self::Pairs => Some(Alphabet::Pairs),
            Self::WholePairs => Some(Alphabet::Whole),
        }
    }
}

/// What was explored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many actions the plan has.
    pub planned: usize,
    /// Histories with one fault.
    pub singles: u64,
    /// Histories with two.
    pub pairs: u64,
    /// How many of all came to a world that was not seen before.
    pub worlds: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { planned, singles, pairs, worlds } = self;
        write!(
            f,
            "a plan of {planned} actions, {singles} histories with one fault, {pairs} with two, {worlds} of them run to \
             their ends"
        )
    }
}

/// A history that shows something wrong.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The story.
    pub story: &'static str,
    /// The faults.
    pub faults: Vec<Fault>,
    /// What is wrong.
    pub wrong: String,
    /// What happened.
    pub table: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { story, faults, wrong, table } = self;
        write!(f, "{table}\n{story}: {faults:?}\n{wrong}")
    }
}

/// Which faults are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// Every kind of fault with every value.
    Whole,
    /// The faults that go furthest, with one value each. What a stopped clock and a slow answer do is
    /// part of what a pause does; a put that arrives late is refused if it was repeated, and else its sender is dead; newer
    /// and older rivals take turns, as puts and calls do.
    Pairs,
}

/// The faults that can strike at an action of this kind.
pub fn faults_at(kind: Kind, alphabet: Alphabet) -> Vec<What> {
    match alphabet {
        Alphabet::Whole => whole(kind),
        Alphabet::Pairs => of_pairs(kind),
    }
}

fn of_pairs(kind: Kind) -> Vec<What> {
    let past_the_lease = What::Pause { ms: 20_000, frozen: Frozen::None };
    let mut faults = match kind {
        Kind::Put => vec![
            What::Kill,
            What::KillLate { ms: 2_000 },
            What::LoseRequest,
            What::LoseAnswer,
            past_the_lease,
            What::Jump { ms: 30_000 },
            What::Rival(Rival::Older),
        ],
        Kind::CreateNamed | Kind::Remove | Kind::Call => vec![
            What::Kill,
            What::KillLate { ms: 2_900 },
            What::LoseRequest,
            What::LoseAnswer,
            What::Late { ms: 2_900 },
            What::Throttle,
            What::Pause { ms: 4_000, frozen: Frozen::None },
            past_the_lease,
            What::Jump { ms: -30_000 },
            What::Drift(Drift::Remove),
            What::Rival(Rival::Same),
        ],
        Kind::Read => vec![What::Fail, What::Throttle, What::Hide, What::Drift(Drift::Set)],
        Kind::List | Kind::Get | Kind::Verify | Kind::Check => vec![What::Fail],
        Kind::Hint | Kind::Probe => Vec::new(),
    };
    match kind {
        Kind::CreateNamed => faults.push(What::Drift(Drift::Squat)),
        Kind::Remove => faults.push(What::Drift(Drift::Swap)),
        _ => {}
    }
    faults
}

fn whole(kind: Kind) -> Vec<What> {
    let pause = |ms, frozen| What::Pause { ms, frozen };
    // Past the last instant, and past the lease.
    let mut faults = vec![pause(4_000, Frozen::None), pause(20_000, Frozen::None)];
    match kind {
        Kind::Put => faults.extend([
            What::Kill,
            What::KillLate { ms: 2_000 },
            What::LoseRequest,
            What::LoseAnswer,
            What::Late { ms: 100 },
            What::Late { ms: 1_500 },
            What::Slow { ms: 5_000 },
            What::Slow { ms: 9_000 },
            What::Drift(Drift::Swap),
        ]),
        Kind::CreateNamed | Kind::Remove | Kind::Call => {
            faults.extend([What::Kill, What::LoseRequest, What::LoseAnswer, What::Throttle, What::Slow { ms: 2_000 }]);
            // One lands while its stamp is good, one does when it is nearly old, and one does if that was ahead.
            for ms in [700, 2_900, 4_500] {
                faults.extend([What::Late { ms }, What::KillLate { ms }]);
            }
            faults.extend([pause(20_000, Frozen::Boot), pause(20_000, Frozen::Wall)]);
        }
        Kind::Read => faults.extend([What::Fail, What::Throttle, What::Hide]),
        Kind::List => faults.extend([What::Fail, What::Hide]),
        Kind::Get | Kind::Verify => faults.push(What::Fail),
        Kind::Check => faults.extend([What::Fail, What::Kill]),
        // What is written there is never believed, and what is asked there may be unknown.
        Kind::Hint | Kind::Probe => {}
    }
    if kind.writes() && kind != Kind::Hint {
        faults.extend([pause(20_000, Frozen::Both), What::Jump { ms: 30_000 }, What::Jump { ms: -30_000 }]);
        faults.extend([Rival::Same, Rival::Older, Rival::Twin].map(What::Rival));
        faults.push(What::Interrupt);
    }
    match kind {
        Kind::Read | Kind::CreateNamed | Kind::Remove | Kind::Call => {
            faults.extend([Drift::Remove, Drift::Set].map(What::Drift));
        }
        Kind::Put | Kind::Hint | Kind::Get | Kind::List | Kind::Verify | Kind::Probe | Kind::Check => {}
    }
    match kind {
        Kind::CreateNamed => faults.push(What::Drift(Drift::Squat)),
        Kind::Remove => faults.push(What::Drift(Drift::Swap)),
        _ => {}
    }
    faults
}

/// All faults of a process that performed actions of these kinds.
fn faults_of(process: u32, kinds: &[Kind], alphabet: Alphabet) -> Vec<Fault> {
    let at = |(action, kind): (usize, &Kind)| {
        faults_at(*kind, alphabet).into_iter().map(move |what| Fault { process, action, what })
    };
    kinds.iter().enumerate().flat_map(at).collect()
}

/// Whether the second one can strike after the first one.
fn follows(first: &Fault, second: &Fault) -> bool {
    let beyond = first.what == What::Hide && second.what == What::Hide;
    let later = second.action > first.action;
    let same = second.action == first.action && first.what.is_before() && first.what < second.what;
    !beyond && (later || same)
}

/// Explores a story.
///
/// # Errors
/// The first history that shows something wrong.
pub fn explore(story: &Story, depth: Depth) -> Result<Tally, Box<Failure>> {
    let mut explorer = Explorer { story, depth, tally: Tally::default(), seen: HashSet::new(), left: BTreeMap::new() };
    explorer.planning()?;
    if let Some(alphabet) = depth.pairs() {
        explorer.finishing(alphabet)?;
    }
    Ok(explorer.tally)
}

struct Explorer<'a> {
    story: &'a Story,
    depth: Depth,
    tally: Tally,
    seen: HashSet<u64>,
    /// Worlds in which nothing is alive and something is left to do, and the fault that led there.
    left: BTreeMap<u64, (World, Vec<Fault>)>,
}

/// An approved plan and the world that it was made in.
struct Approved {
    world: World,
    plan: Arc<Plan>,
    faults: Vec<Fault>,
}

impl Explorer<'_> {
    /// The faults of a process that pairs consist of.
    fn in_pairs(&self, process: u32, kinds: &[Kind]) -> Vec<Fault> {
        self.depth.pairs().map(|alphabet| self.faults(process, kinds, alphabet)).unwrap_or_default()
    }

    fn faults(&self, process: u32, kinds: &[Kind], alphabet: Alphabet) -> Vec<Fault> {
        let mut faults = faults_of(process, kinds, alphabet);
        faults.retain(|fault| !self.story.undisturbed || !matches!(fault.what, What::Drift(_)));
        faults
    }

    fn count(&mut self, faults: &[Fault]) {
        match faults.len() {
            0 => {}
            1 => self.tally.singles += 1,
            _ => self.tally.pairs += 1,
        }
    }

    fn failure(&self, faults: &[Fault], wrong: String, sim: &Sim) -> Box<Failure> {
        Box::new(Failure { story: self.story.name, faults: faults.to_vec(), wrong, table: sim.world.trace.table() })
    }

    /// A process in the story's world that plans, and what came of it.
    fn plan(&mut self, faults: &[Fault]) -> Result<Sim, Box<Failure>> {
        let mut sim = self.story.sim(self.story.world.clone());
        sim.faults = Faults::Listed(faults.to_vec());
        sim.start(self.story.first.clone(), true);
        self.run(&mut sim, faults)?;
        Ok(sim)
    }

    fn run(&self, sim: &mut Sim, faults: &[Fault]) -> Result<(), Box<Failure>> {
        sim.run().map_err(|Stuck(why)| self.failure(faults, why, sim))
    }

    /// Every fault of planning; and, from each plan in each world that they lead to, every fault of executing it.
    fn planning(&mut self) -> Result<(), Box<Failure>> {
        let base = self.plan(&[])?;
        let kinds = base.processes[0].kinds.clone();
        self.tally.planned = base.processes[0].plan.as_ref().map_or(0, |plan| actions(plan));
        self.planned(base, Vec::new())?;
        let pairs = self.in_pairs(self.number(), &kinds);
        for fault in self.faults(self.number(), &kinds, Alphabet::Whole) {
            let sim = self.plan(&[fault])?;
            let kinds = sim.processes[0].kinds.clone();
            self.planned(sim, vec![fault])?;
            if pairs.contains(&fault) {
                for second in self.in_pairs(fault.process, &kinds).into_iter().filter(|second| follows(&fault, second))
                {
                    let sim = self.plan(&[fault, second])?;
                    self.planned(sim, vec![fault, second])?;
                }
            }
        }
        Ok(())
    }

    /// The number of the story's first process.
    fn number(&self) -> u32 {
        self.story.world.started + 1
    }

    fn planned(&mut self, mut sim: Sim, faults: Vec<Fault>) -> Result<(), Box<Failure>> {
        let first = &sim.processes[0];
        let Some(plan) = first.plan.clone().filter(|_| first.outcome() == Some(&Outcome::Planned)) else {
            return self.ended(sim, faults);
        };
        // Who approves takes until then.
        sim.world.pass_to((sim.world.ms + 1).next_multiple_of(10_000));
        let key = [plan.digest().to_string(), sim.world.history().to_string(), sim.world.ms.to_string()].join(" ");
        if !self.seen.insert(hash(key.as_bytes())) {
            self.count(&faults);
            return Ok(());
        }
        self.executing(&Approved { world: sim.world, plan, faults })
    }

    fn execute(&mut self, approved: &Approved, faults: &[Fault]) -> Result<Sim, Box<Failure>> {
        let mut sim = self.story.sim(approved.world.clone());
        sim.faults = Faults::Listed(faults.to_vec());
        sim.start_approved(self.story.first.clone(), approved.plan.clone());
        self.run(&mut sim, faults)?;
        Ok(sim)
    }

    /// A run in which nothing goes wrong ends well, and goes along the refs.
    fn fault_free(&self, sim: &Sim) -> Result<(), String> {
        let first = &sim.processes[0];
        if !first.is_good() {
            return Err(format!("it fails by itself: {:?}", first.outcome()));
        }
        if !sim.world.cloud.config().lag_calls {
            oracle::order_respects_refs(&first.job.desired, &self.story.before, &sim.world.trace)?;
        }
        oracle::successors_come_first(&first.job.desired, &self.story.before, &sim.world.trace)
    }

    /// Every fault, or every further one, of executing a plan.
    fn executing(&mut self, approved: &Approved) -> Result<(), Box<Failure>> {
        let sim = self.execute(approved, &[])?;
        let kinds = sim.processes[0].kinds.clone();
        if approved.faults.is_empty() {
            self.fault_free(&sim).map_err(|wrong| self.failure(&[], wrong, &sim))?;
        }
        self.ended(sim, approved.faults.clone())?;
        let depth = match self.depth {
            Depth::Singles => 1_usize,
            Depth::Pairs | Depth::WholePairs => 2,
        };
        let further = depth.saturating_sub(approved.faults.len());
        if further == 0 {
            return Ok(());
        }
        let number = approved.world.started + 1;
        let pairs = self.in_pairs(number, &kinds);
        let first = approved.faults.is_empty();
        for fault in if first { self.faults(number, &kinds, Alphabet::Whole) } else { pairs.clone() } {
            let mut all = approved.faults.clone();
            all.push(fault);
            let sim = self.execute(approved, &[fault])?;
            let kinds = sim.processes[0].kinds.clone();
            self.ended(sim, all.clone())?;
            if further == 1 || fault.what.kills() || !pairs.contains(&fault) {
                continue;
            }
            for second in self.in_pairs(fault.process, &kinds).into_iter().filter(|second| follows(&fault, second)) {
                let sim = self.execute(approved, &[fault, second])?;
                let mut all = all.clone();
                all.push(second);
                self.ended(sim, all)?;
            }
        }
        Ok(())
    }

    /// The run with its faults is over: somebody finishes it, unless that was seen from this world on.
    fn ended(&mut self, mut sim: Sim, faults: Vec<Fault>) -> Result<(), Box<Failure>> {
        self.count(&faults);
        let good = sim.processes[0].is_good();
        self.copes(&sim, &faults)?;
        let done = good && self.story.ends_with_the_first();
        if sim.processes.iter().all(|process| process.outcome().is_some()) {
            self.story.rest(&mut sim).map_err(|wrong| self.failure(&faults, wrong, &sim))?;
            let key = format!("{} {} {done}", sim.world.history(), sim.world.ms);
            let key = hash(key.as_bytes());
            if !self.seen.insert(key) {
                return self.story.holds(&sim).map_err(|wrong| self.failure(&faults, wrong, &sim));
            }
            let in_pairs = |fault: &Fault| {
                let kind = sim.processes[0].kinds.get(fault.action);
                let Some(alphabet) = self.depth.pairs() else { return false };
                // Where it died nothing was performed.
                kind.is_none_or(|kind| faults_at(*kind, alphabet).contains(&fault.what))
            };
            if !done && faults.len() == 1 && faults.iter().all(in_pairs) {
                self.left.insert(key, (sim.world.clone(), faults.clone()));
            }
        }
        self.finish(sim, done, &faults)
    }

    fn finish(&mut self, mut sim: Sim, done: bool, faults: &[Fault]) -> Result<(), Box<Failure>> {
        self.tally.worlds += 1;
        let finish = if faults.len() > 1 { Story::finish_without_drift } else { Story::finish };
        finish(self.story, &mut sim, done).map_err(|wrong| self.failure(faults, wrong, &sim))
    }

    /// What a run has to cope with by itself leaves it good.
    fn copes(&self, sim: &Sim, faults: &[Fault]) -> Result<(), Box<Failure>> {
        let met = |fault: &Fault| {
            let process = sim.processes.iter().find(|process| process.number == fault.process);
            process.and_then(|process| process.kinds.get(fault.action)) != Some(&Kind::Verify)
        };
        let all = faults.iter().all(|fault| fault.what.is_coped_with() && met(fault));
        let first = &sim.processes[0];
        if all && !first.is_good() && first.outcome() != Some(&Outcome::Planned) {
            let wrong = format!("the run does not cope with it: {:?}", first.outcome());
            return Err(self.failure(faults, wrong, sim));
        }
        Ok(())
    }

    /// Every fault of the runs that finish what others have left.
    fn finishing(&mut self, alphabet: Alphabet) -> Result<(), Box<Failure>> {
        for (world, first) in std::mem::take(&mut self.left).into_values() {
            let kinds = {
                let mut sim = self.story.sim(world.clone());
                sim.start(self.story.then.clone(), false);
                self.run(&mut sim, &first)?;
                sim.processes[0].kinds.clone()
            };
            for fault in faults_of(world.started + 1, &kinds, alphabet) {
                let mut sim = self.story.sim(world.clone());
                sim.faults = Faults::Listed(vec![fault]);
                sim.start(self.story.then.clone(), false);
                let faults = [first.clone(), vec![fault]].concat();
                self.run(&mut sim, &faults)?;
                self.count(&faults);
                let done = sim.processes[0].is_good();
                if sim.processes.iter().all(|process| process.outcome().is_some()) {
                    self.story.rest(&mut sim).map_err(|wrong| self.failure(&faults, wrong, &sim))?;
                    let key = format!("{} {} {done}", sim.world.history(), sim.world.ms);
                    if !self.seen.insert(hash(key.as_bytes())) {
                        self.story.holds(&sim).map_err(|wrong| self.failure(&faults, wrong, &sim))?;
                        continue;
                    }
                }
                self.finish(sim, done, &faults)?;
            }
        }
        Ok(())
    }
}

/// How many actions a plan has: resources that are brought somewhere, and objects that go.
fn actions(plan: &Plan) -> usize {
    plan.resources().map(|(_, resource)| usize::from(resource.applies()) + usize::from(resource.retires())).sum()
}
