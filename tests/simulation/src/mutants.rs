//! Which case notices which mutant of the protocol.

use provision_core::mutant::{self, Mutant};

use crate::damage;
use crate::exhaustive::{Depth, explore};
use crate::plans;
use crate::process::Job;
use crate::random::Random;
use crate::sim::Stuck;

/// Something that is tried, and has to notice mutants.
pub struct Case {
    /// Its name.
    pub name: String,
    /// Says what is wrong.
    pub run: Box<dyn Fn() -> Result<(), String>>,
}

impl Case {
    fn new(name: impl Into<String>, run: impl Fn() -> Result<(), String> + 'static) -> Self {
        Self { name: name.into(), run: Box::new(run) }
    }
}

/// How many random histories a mutant has to survive before it counts as not noticed.
const SEEDS: u64 = 400;

/// All cases, the cheapest first.
pub fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = damage::ALL
        .into_iter()
        .map(|damage| Case::new(format!("damage: {damage:?}"), move || damage::every_entry(damage).map(drop)))
        .collect();
    cases.push(Case::new("a block missing in code of the same generation", same_generation));
    let plans = plans::small().into_iter().chain(plans::special());
    cases.extend(plans.map(|story| {
        // The world before is made by what is not broken.
        let story = mutant::with(None, story);
        Case::new(format!("single faults of `{}`", story.name), move || {
            explore(&story.with_fresh_memory(), Depth::Singles)
                .map(drop)
                .map_err(|failure| format!("{:?}: {}", failure.faults, failure.wrong))
        })
    }));
    cases.push(Case::new("random seeds", || {
        (0..SEEDS).try_for_each(|seed| match Random::new(seed).play(false).wrong {
            Some(wrong) => Err(format!("seed {seed}: {wrong}")),
            None => Ok(()),
        })
    }));
    cases
}

/// How a mutant was noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caught {
    /// By which case.
    pub case: String,
    /// What that said, in a line.
    pub said: String,
}

/// The first case that notices the mutant; `None` for a survivor.
pub fn catch(mutant: Mutant, cases: &[Case]) -> Option<Caught> {
    cases.iter().find_map(|case| {
        let said = mutant::with(Some(mutant), || (case.run)()).err()?;
        let said = said.lines().next().unwrap_or_default().to_owned();
        Some(Caught { case: case.name.clone(), said })
    })
}

/// Code of the generation that a block was last brought to, and without it, does not destroy it.
fn same_generation() -> Result<(), String> {
    let story = mutant::with(None, plans::a_block_leaves).with_fresh_memory();
    let before = story.older.clone().ok_or("no older code")?;
    let mut sim = story.sim(story.world.clone());
    let number = sim.start(Job { generation: before.generation, ..story.first.clone() }, false);
    sim.run().map_err(|Stuck(why)| why)?;
    let process = sim.process(number).ok_or("no such process")?;
    let noted = process.plan.as_ref().is_some_and(|plan| !plan.notes.is_empty());
    match story.before.len() == sim.world.objects().len() && noted {
        true => Ok(()),
        false => Err(format!("{} objects of {} are left", sim.world.objects().len(), story.before.len())),
    }
}
