//! Random histories: several runners with newer and older code, whose processes, clocks, calls and stores go wrong, in
//! a world that drifts. All of it derives from one seed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use provision_core::desired::Desired;
use provision_core::plan::Mode;
use provision_core::sim::{Rate, SimConfig};

use crate::dice::Dice;
use crate::exhaustive::{Alphabet, faults_at};
use crate::fault::{Fault, Kind, What};
use crate::infra::{Edit, Spec};
use crate::process::Job;
use crate::sim::{Chance, Delays, Faults, Sim, Stuck};
use crate::story::Story;
use crate::trace::Trace;
use crate::world::World;

/// A fault that can strike at an action of this kind.
pub(crate) fn draw(dice: &mut Dice, kind: Kind) -> What {
    let faults = faults_at(kind, Alphabet::Whole);
    // Reads that show nothing twice are beyond what an endpoint guarantees; that objects are seen late is drawn with
    // the world.
    let likely: Vec<What> = faults.into_iter().filter(|what| *what != What::Hide || kind == Kind::List).collect();
    match likely[..] {
        [] => What::Kill,
        _ => likely[dice.index(likely.len())],
    }
}

/// When a runner is started, and with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// When, in virtual milliseconds from the beginning.
    pub at: u64,
    /// With which version of the code.
    pub version: usize,
    /// What for.
    pub mode: Mode,
    /// On which machine.
    pub host: u8,
    /// How far its wall clock is ahead.
    pub wall_skew_ms: i64,
}

/// A random history, before it is played.
#[derive(Debug, Clone)]
pub struct Random {
    /// What it derives from.
    pub seed: u64,
    /// How the cloud behaves.
    pub config: SimConfig,
    /// How far the store's clock is ahead.
    pub store_skew_ms: i64,
    /// The versions of the code, the oldest first.
    pub versions: Vec<Arc<Desired>>,
    /// Who is started; `None` for one that was left out.
    pub starts: Vec<Option<Start>>,
    /// Order and delays.
    pub chance: Chance,
    /// What goes wrong.
    pub faults: Faults,
    /// How long all this goes on, in milliseconds.
    pub chaos_ms: u64,
}

/// A random history that was played.
pub struct Played {
    /// What happened.
    pub trace: Trace,
    /// The faults that struck.
    pub struck: Vec<Fault>,
    /// What is wrong.
    pub wrong: Option<String>,
}

impl Random {
    /// The history of a seed.
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let versions = versions(&mut dice);
        let lag = if dice.per_mille(300) { Duration::from_secs(1) } else { Duration::ZERO };
        let config = SimConfig {
            lag,
            lag_calls: dice.per_mille(500),
            page_size: if dice.per_mille(200) { 1 } else { 1000 },
            throttle: dice.per_mille(100).then_some(Rate { burst: 5, per_second: 10 }),
            latency_percent: if dice.per_mille(300) { 100 } else { 0 },
            ..SimConfig::instant(dice.roll())
        };
        let store_skew_ms = if dice.per_mille(300) { [-100_000, 100_000][dice.index(2)] } else { 0 };
        let chaos_ms = 20_000 + dice.below(60_000);
        let mut starts = Vec::new();
        for _ in 0..2 + dice.below(4) {
            let version = dice.index(versions.len());
            let mode = if dice.per_mille(100) { Mode::Destroy } else { Mode::Apply };
            let wall_skew_ms = match dice.below(10) {
                0 => [-60_000, 60_000][dice.index(2)],
                1..4 => i64::try_from(dice.below(3000)).unwrap_or(0) - 1500,
                _ => 0,
            };
            let host = u8::try_from(dice.below(3)).unwrap_or(0);
            starts.push(Start { at: dice.below(chaos_ms), version, mode, host, wall_skew_ms });
        }
        starts.sort_by_key(|start| start.at);
        let chance = Chance {
            order: dice.per_mille(700).then(|| dice.fork()),
            delays: match dice.per_mille(500) {
                true => Delays::Drawn(dice.fork(), [5, 50, 500, 2_000][dice.index(4)]),
                false => Delays::None,
            },
        };
        let per_mille = [3, 10, 30, 60][dice.index(4)];
        let faults = Faults::Drawn { dice: dice.fork(), per_mille, struck: Vec::new() };
        let starts = starts.into_iter().map(Some).collect();
        Self { seed, config, store_skew_ms, versions, starts, chance, faults, chaos_ms }
    }

    fn job(&self, start: &Start) -> Job {
        let generation = u64::try_from(start.version).unwrap_or(0) + 1;
        let mut job = Job::new(self.versions[start.version].clone(), start.mode, generation);
        (job.host, job.wall_skew_ms) = (start.host, start.wall_skew_ms);
        job
    }

    /// Plays it.
    pub fn play(&self, verbose: bool) -> Played {
        let mut world = World::new(self.config.clone());
        world.store_skew_ms = self.store_skew_ms;
        let newest = Start { at: 0, version: self.versions.len() - 1, mode: Mode::Apply, host: 4, wall_skew_ms: 0 };
        let story = Story::new("random", world, None, self.job(&newest));
        let mut sim = story.sim(story.world.clone());
        sim.world.verbose = verbose;
        (sim.faults, sim.chance) = (self.faults.clone(), self.chance.clone());
        let older = Start { version: 0, host: 3, ..newest };
        sim.rivals.1 = (self.versions.len() > 1).then(|| self.job(&older));
        let ended = self.chaos(&mut sim).and_then(|()| {
            let struck = sim.struck().to_vec();
            // What still runs, and what finishes it, meets no more faults.
            sim.faults = Faults::Listed(Vec::new());
            let calm = sim.world.ms + 60_000;
            sim.run_until(calm).map_err(|Stuck(why)| why)?;
            (sim.chance.delays, sim.chance.order) = (Delays::None, None);
            Ok(struck)
        });
        let (struck, wrong) = match ended {
            Ok(struck) => (struck, story.finish(&mut sim, false).err()),
            Err(why) => (sim.struck().to_vec(), Some(why)),
        };
        Played { trace: sim.world.trace, struck, wrong }
    }

    fn chaos(&self, sim: &mut Sim) -> Result<(), String> {
        let began = sim.world.ms;
        for start in &self.starts {
            let Some(start) = start else {
                sim.world.started += 1;
                continue;
            };
            sim.run_until(began + start.at).map_err(|Stuck(why)| why)?;
            sim.start(self.job(start), false);
        }
        sim.run_until(began + self.chaos_ms).map_err(|Stuck(why)| why)
    }

    /// The same with these faults instead of drawn ones.
    #[must_use]
    pub fn listed(&self, faults: Vec<Fault>) -> Self {
        Self { faults: Faults::Listed(faults), ..self.clone() }
    }

    /// The shortest history that still shows something wrong, by leaving out what is not needed for that.
    #[must_use]
    pub fn shrunk(&self) -> Self {
        let listed = self.listed(self.play(false).struck);
        // Where drawing faults itself changes the history, it is left as it is.
        let mut best = if listed.play(false).wrong.is_some() { listed } else { self.clone() };
        loop {
            let better = best.simpler().into_iter().find(|simpler| simpler.play(false).wrong.is_some());
            match better {
                Some(better) => best = better,
                None => return best,
            }
        }
    }

    /// Each history with one thing less.
    fn simpler(&self) -> Vec<Self> {
        let mut all = Vec::new();
        let mut push = |change: &dyn Fn(&mut Self)| {
            let mut simpler = self.clone();
            change(&mut simpler);
            all.push(simpler);
        };
        for (at, _) in self.starts.iter().enumerate().filter(|(_, start)| start.is_some()) {
            push(&|simpler| simpler.starts[at] = None);
        }
        if let Faults::Listed(faults) = &self.faults {
            for at in 0..faults.len() {
                let mut fewer = faults.clone();
                fewer.remove(at);
                push(&|simpler| simpler.faults = Faults::Listed(fewer.clone()));
            }
        }
        if self.chance.delays.most() > 0 {
            push(&|simpler| simpler.chance.delays = Delays::None);
        }
        if self.chance.order.is_some() {
            push(&|simpler| simpler.chance.order = None);
        }
        if self.store_skew_ms != 0 {
            push(&|simpler| simpler.store_skew_ms = 0);
        }
        let plain = SimConfig::instant(self.config.seed);
        if self.config != plain {
            push(&|simpler| simpler.config = plain.clone());
            push(&|simpler| simpler.config.throttle = None);
            push(&|simpler| simpler.config.lag = Duration::ZERO);
            push(&|simpler| simpler.config.latency_percent = 0);
            all.retain(|simpler| simpler.config != self.config || !same(simpler, self));
        }
        for (at, start) in self.starts.iter().enumerate() {
            if start.is_some_and(|start| start.wall_skew_ms != 0) {
                let mut simpler = self.clone();
                simpler.starts[at] = start.map(|start| Start { wall_skew_ms: 0, ..start });
                all.push(simpler);
            }
        }
        all
    }
}

impl fmt::Display for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, config, store_skew_ms, versions, starts, chance, faults, chaos_ms } = self;
        writeln!(f, "seed {seed}: {} versions of the code, {} ms of faults", versions.len(), chaos_ms)?;
        writeln!(f, "  cloud: {config:?}; the store's clock is {store_skew_ms} ms ahead")?;
        let order = if chance.order.is_some() { "random" } else { "fixed" };
        let delays = chance.delays.most();
        writeln!(f, "  {order} order, delays of up to {delays} ms")?;
        for (number, start) in (1..).zip(starts) {
            match start {
                Some(Start { at, version, mode, host, wall_skew_ms }) => writeln!(
                    f,
                    "  #{number} at {at} ms: {mode:?} version {version} on host {host}, its clock {wall_skew_ms} ms ahead"
                )?,
                None => writeln!(f, "  #{number} is left out")?,
            }
        }
        match faults {
            Faults::Drawn { per_mille, .. } => write!(f, "  faults at {per_mille} of 1000 actions"),
            Faults::Listed(faults) => {
                let shown =
                    |fault: &Fault| format!("{:?} at action {} of #{}", fault.what, fault.action, fault.process);
                write!(f, "  faults: {}", faults.iter().map(shown).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// Whether nothing was left out but what the cloud's configuration says.
fn same(one: &Random, other: &Random) -> bool {
    let faults = |random: &Random| match &random.faults {
        Faults::Listed(faults) => faults.len(),
        Faults::Drawn { .. } => usize::MAX,
    };
    one.starts == other.starts
        && faults(one) == faults(other)
        && one.chance.order.is_some() == other.chance.order.is_some()
        && (one.chance.delays.most() > 0) == (other.chance.delays.most() > 0)
        && one.store_skew_ms == other.store_skew_ms
}

/// Versions of the code, each of which every older one can be brought to.
fn versions(dice: &mut Dice) -> Vec<Arc<Desired>> {
    let mut spec = Spec::draw(dice);
    let mut versions = vec![Arc::new(spec.desired())];
    for _ in 0..dice.below(3) {
        let edited = (0..=dice.below(3)).fold(spec.clone(), |spec, _| spec.edited(&Edit::draw(dice)));
        let desired = edited.desired();
        if !desired.blocks.is_empty() {
            spec = edited;
            versions.push(Arc::new(desired));
        }
    }
    versions
}
