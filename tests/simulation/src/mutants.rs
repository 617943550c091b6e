//! Which case notices which mutant of the protocol.

use provision_core::mutant::{self, Mutant};

use crate::damage;
use crate::exhaustive::{Depth, explore};
use crate::fault::{Fault, Frozen, Kind, What};
use crate::plans::{self, adoption, moved, sealed, stages};
use crate::process::Job;
use crate::random::Random;
use crate::sim::{Faults, Sim, Stuck};
use crate::story::Story;

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

/// All cases.
pub fn cases() -> Vec<Case> {
    let mut cases = cases_of_their_own();
    let plans = plans::small().into_iter().chain(plans::special());
    cases.extend(plans.map(|story| {
        // The world before is made by what is not broken.
        let story = mutant::with(None, story);
        Case::new(story.name, move || {
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

/// The cases that are made for mutants, beside single faults of plans and random histories.
pub fn cases_of_their_own() -> Vec<Case> {
    let damages = damage::ALL;
    let mut cases: Vec<Case> = damages
        .into_iter()
        .map(|damage| Case::new(format!("{damage:?} entries"), move || damage::every_entry(damage).map(drop)))
        .collect();
    cases.extend(
        crate::checkpoints::ALL.into_iter().map(|wrong| {
            Case::new(format!("{wrong:?} checkpoint"), move || crate::checkpoints::is_not_believed(wrong))
        }),
    );
    cases.push(Case::new("a block missing in code of the same generation", same_generation));
    cases.push(Case::new("slow renewals", slow_renewals));
    cases.push(Case::new("hidden twice", hidden_twice));
    cases.push(Case::new("unhealthy staging stops production", stages::unhealthy_staging_stops_production));
    cases.push(Case::new("simulated health", stages::simulated_health_counts_among_simulated_things_alone));
    cases.push(Case::new("nothing is adopted twice", adoption::nothing_is_adopted_twice));
    cases.push(Case::new("what is another's is not adopted", adoption::what_is_anothers_is_not_adopted));
    cases.push(Case::new("a sealed plan that is stale", sealed::stale_plan));
    cases.push(Case::new("killed and resumed", sealed::killed_and_resumed));
    cases.push(Case::new("killed and set back", sealed::killed_and_set_back));
    cases.push(Case::new("what a sealed plan found", sealed::answers_stay));
    cases.push(Case::new("nothing is adopted twice at once", adoption::nothing_is_adopted_twice_at_once));
    cases.push(Case::new("what goes first waits", moved::what_goes_first_waits));
    cases.push(Case::new("what is protected stays", moved::what_is_protected_stays));
    cases.push(Case::new("what is protected stays, half made", moved::what_is_protected_stays_half_made));
    cases.push(Case::new("what is protected stays, half moved", moved::what_is_protected_stays_half_moved));
    cases.push(Case::new("ignored fields stay", moved::ignored_fields_stay));
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

/// The first case that notices the mutant, beginning with the one that is meant to; `None` for a survivor.
pub fn catch(mutant: Mutant, cases: &[Case]) -> Option<Caught> {
    let is_meant = |case: &&Case| case.name == meant(mutant);
    let meant = cases.iter().filter(is_meant);
    meant.chain(cases.iter().filter(|case| !is_meant(case))).find_map(|case| {
        let said = mutant::with(Some(mutant), || (case.run)()).err()?;
        let said = said.lines().next().unwrap_or_default().to_owned();
        Some(Caught { case: case.name.clone(), said })
    })
}

/// The case that is meant to notice the mutant: the cheapest one that shows what it breaks.
pub fn meant(mutant: Mutant) -> &'static str {
    match mutant {
        Mutant::PlainPut
        | Mutant::PutRetriedWithOtherBytes
        | Mutant::UnknownPutIsDone
        | Mutant::ExistsIsNotReadBack
        | Mutant::ClaimWithoutEpoch
        | Mutant::LeaseNeverLapses
        | Mutant::TakesOverAlive
        | Mutant::PlanRunsTwice
        | Mutant::IntentAfterCall
        | Mutant::IntentNotAwaited
        | Mutant::CommitAcknowledgedEarly
        | Mutant::StampRenewedOnRepeat
        | Mutant::SdkRetryLeftOn
        | Mutant::TagIsRepeated
        | Mutant::NoWaitForLastInstant
        | Mutant::UnknownIsRefused
        | Mutant::OpenIntentsForgotten
        | Mutant::AdoptByNameAlone
        | Mutant::GateIgnored => "create",
        Mutant::OlderGenerationAccepted | Mutant::RepeatMayArriveForgotten | Mutant::LeaseNotCheckedBeforeCall => {
            "create, then less"
        }
        Mutant::LapsedLeaseComesBack => "create, then destroy",
        Mutant::LeaseExtendedLocally => "create and wait long",
        Mutant::RenewalCountsFromItsAnswer => "slow renewals",
        Mutant::NeverTakesOver => "update",
        Mutant::ClocksCompared => "create by another clock",
        Mutant::ChainNotVerified => "Replaced entries",
        Mutant::SignatureNotVerified => "Edited entries",
        Mutant::CheckpointTrusted => "Ahead checkpoint",
        Mutant::GapNotNoticed => "Removed entries",
        Mutant::OlderGenerationDestroys => "a block missing in code of the same generation",
        Mutant::TokenUsedPastItsTerm => "create with short tokens",
        Mutant::NoWaitForVisibility => "create, seen late",
        Mutant::AbsentAfterOneRead => "hidden twice",
        Mutant::LastInstantByOwnClock => "create with a clock ahead",
        Mutant::TokenMadeAnew | Mutant::ReadyAtOnce => "create instances",
        Mutant::AdoptByAddressAlone | Mutant::DeposedForgotten | Mutant::DeleteBeforeItsSuccessor => {
            "replace with its users"
        }
        Mutant::CeilingIgnored => "create instances",
        Mutant::FailedCheckPasses => "unhealthy staging stops production",
        Mutant::SimulatedCheckCounts => "simulated health",
        Mutant::OnePassIsEnough | Mutant::HealthForgotten => "stages",
        Mutant::GoesBeforeItsGates => "what goes first waits",
        Mutant::AdoptsUnseen => "nothing is adopted twice at once",
        Mutant::AdoptsTwice => "nothing is adopted twice",
        Mutant::AdoptsWhatIsMarked => "what is another's is not adopted",
        Mutant::AdoptedForgotten => "adopt",
        Mutant::AsksAnew => "what a sealed plan found",
        Mutant::StalePlanApplied => "a sealed plan that is stale",
        Mutant::ResumedByTheLiving => "create",
        Mutant::MovesWithOpenCalls => "update, then move",
        Mutant::MovedOutForgotten => "move between blocks",
        Mutant::SuccessorBeforeItGoes | Mutant::UsersStayWhileItGoes => "old ones first",
        Mutant::ProtectionForgotten => "what is protected stays",
        Mutant::IgnoredFieldsSet => "ignored fields stay",
        Mutant::DeleteByName | Mutant::DeleteBeforeItsUsersUpdate | Mutant::OneNameForAll => "replace across blocks",
    }
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

/// The run of a story, with faults, and what must hold of it; until it ends and a minute has gone by.
fn run(story: &Story, faults: Vec<Fault>) -> Result<Sim, String> {
    let mut sim = story.sim(story.world.clone());
    sim.faults = Faults::Listed(faults.clone());
    sim.start(story.first.clone(), false);
    sim.run_until(story.world.ms + 60_000).map_err(|Stuck(why)| why)?;
    story.holds(&sim).map_err(|wrong| format!("{faults:?}: {wrong}"))?;
    Ok(sim)
}

fn all(sim: &Sim, kind: Kind) -> Vec<usize> {
    let kinds = sim.processes[0].kinds.iter().enumerate();
    kinds.filter(|(_, other)| **other == kind).map(|(action, _)| action).collect()
}

/// An entry whose answer takes nearly as long as the lease, and a process that then stands still for less than a lease: no
/// call takes effect after the lease has ended, by the time at which it was renewed.
fn slow_renewals() -> Result<(), String> {
    let story = mutant::with(None, plans::create_and_wait_long).with_fresh_memory();
    let process = story.world.started + 1;
    for slow in all(&run(&story, Vec::new())?, Kind::Put) {
        let slow = Fault { process, action: slow, what: What::Slow { ms: 3_200 } };
        for paused in all(&run(&story, vec![slow])?, Kind::Put).into_iter().filter(|action| *action > slow.action) {
            let pause = What::Pause { ms: 2_500, frozen: Frozen::None };
            run(&story, vec![slow, Fault { process, action: paused, what: pause }])?;
        }
    }
    Ok(())
}

/// A read that does not show what is there, and a second one soon after, as an endpoint may within its visibility bound:
/// nothing counts as gone.
fn hidden_twice() -> Result<(), String> {
    let story = mutant::with(None, plans::update).with_fresh_memory();
    let process = story.world.started + 1;
    let hide = |action| Fault { process, action, what: What::Hide };
    for first in all(&run(&story, Vec::new())?, Kind::Read) {
        for second in all(&run(&story, vec![hide(first)])?, Kind::Read).into_iter().filter(|action| *action > first) {
            let faults = vec![hide(first), hide(second)];
            let mut sim = run(&story, faults.clone())?;
            story.finish(&mut sim, true).map_err(|wrong| format!("{faults:?}: {wrong}"))?;
        }
    }
    Ok(())
}
