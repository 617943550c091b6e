//! Sealed plans: applied once, gone on with after a kill, and refused once something else has happened.

use std::sync::Arc;

use provision_core::desired::{Desired, DesiredLookup, Location};
use provision_core::exec::{Binding, RunError};
use provision_core::id::{BadName, ResourceAddr, ResourceName};
use provision_core::plan::Plan;
use provision_core::sim::{Held, Tamper};
use provision_core::stream::StartError;
use provision_core::stream::event::RunOutcome;
use provision_core::value::{OutputRef, Symbol, Tree};

use super::{moved, stages};
use crate::fault::{Fault, What};
use crate::oracle;
use crate::process::{Job, Outcome, Process};
use crate::sim::{Faults, Sim, Stuck};
use crate::story::{Story, unbroken};

/// The story's plan, and the world after it was made.
fn planned(story: &Story) -> Result<(Sim, Arc<Plan>), String> {
    let mut sim = story.sim(story.world.clone());
    let number = sim.start(story.first.clone(), true);
    sim.run().map_err(|Stuck(why)| why)?;
    let plan = sim.process(number).and_then(|process| process.plan.clone()).ok_or("no plan")?;
    Ok((sim, plan))
}

/// The plan's run, killed at an action, and its number; where it has fewer actions, it ends well.
fn killed(story: &Story, planned: &Sim, plan: &Arc<Plan>, action: usize) -> Result<(Sim, u32), String> {
    let mut sim = story.sim(planned.world.clone());
    let process = sim.world.started + 1;
    sim.faults = Faults::Listed(vec![Fault { process, action, what: What::Kill }]);
    sim.start_approved(story.first.clone(), plan.clone());
    sim.run().map_err(|Stuck(why)| why)?;
    Ok((sim, process))
}

/// Wherever a run is killed, its sealed plan alone finishes it; and once it is finished it is used.
pub(crate) fn killed_and_resumed() -> Result<(), String> {
    let stories: [fn() -> Story; 5] = [
        super::resume_create,
        super::resume_replace,
        moved::resume_move,
        moved::resume_old_ones_first,
        stages::resume_stages,
    ];
    for story in stories {
        let story = unbroken(story).with_fresh_memory();
        let (planned, plan) = planned(&story)?;
        for action in 0.. {
            let (mut sim, process) = killed(&story, &planned, &plan, action)?;
            let wrong = |wrong: String| format!("{}: killed at action {action}: {wrong}", story.name);
            if sim.process(process).is_some_and(Process::is_good) {
                let again = sim.start_approved(story.then.clone(), plan.clone());
                sim.run().map_err(|Stuck(why)| why)?;
                let again = sim.process(again).and_then(|process| process.outcome());
                if !matches!(again, Some(Outcome::Refused(RunError::Start(StartError::AlreadyUsed { .. })))) {
                    return Err(wrong(format!("the plan is used, and was applied again: {again:?}")));
                }
                break;
            }
            if !story.resume(&mut sim).map_err(wrong)? {
                let last = sim.processes.last().and_then(|last| last.outcome());
                return Err(wrong(format!("its plan does not finish it: {last:?}")));
            }
            story.holds(&sim).map_err(wrong)?;
            oracle::health_is_told(&story.then.desired, &story.before, &sim.world.trace).map_err(wrong)?;
            oracle::is_as_defined(&story.then.desired, &sim.world.objects()).map_err(wrong)?;
        }
    }
    Ok(())
}

/// A sealed plan is refused once another run has changed a block that it may change, even to what the plan wants.
pub(crate) fn stale_plan() -> Result<(), String> {
    let story = unbroken(super::resume_update).with_fresh_memory();
    let (mut sim, plan) = planned(&story)?;
    sim.start(story.first.clone(), false);
    sim.run().map_err(|Stuck(why)| why)?;
    is_stale_for_good(&story, &mut sim, &plan)
}

/// That it was refused once makes it no better.
fn is_stale_for_good(story: &Story, sim: &mut Sim, plan: &Arc<Plan>) -> Result<(), String> {
    for time in 0..3 {
        let stale = sim.start_approved(story.first.clone(), plan.clone());
        sim.run().map_err(|Stuck(why)| why)?;
        match sim.process(stale).and_then(|process| process.outcome()) {
            Some(Outcome::Refused(RunError::Stale { .. })) => {}
            other => return Err(format!("a stale plan was applied, after {time} refusals: {other:?}")),
        }
    }
    Ok(())
}

/// Wherever its run is killed, a sealed plan is not gone on with once another run has set everything back.
pub(crate) fn killed_and_set_back() -> Result<(), String> {
    let story = unbroken(super::resume_update).with_fresh_memory();
    let (planned, plan) = planned(&story)?;
    let before = story.older.as_ref().ok_or("no older code")?;
    let back = Job { desired: before.desired.clone(), binding: Binding::Ceiling, ..story.first.clone() };
    let mut set_back = 0;
    for action in 0.. {
        let (mut sim, process) = killed(&story, &planned, &plan, action)?;
        if sim.process(process).is_some_and(Process::is_good) {
            break;
        }
        let number = sim.start(back.clone(), false);
        sim.run().map_err(|Stuck(why)| why)?;
        let other = sim.process(number).and_then(|process| process.outcome());
        if matches!(other, Some(Outcome::Ran(report)) if report.outcome == RunOutcome::Succeeded) {
            set_back += 1;
            is_stale_for_good(&story, &mut sim, &plan)
                .map_err(|wrong| format!("killed at action {action}: {wrong}"))?;
        }
    }
    if set_back == 0 { Err("no run had anything to set back".to_owned()) } else { Ok(()) }
}

/// A story whose first network carries the id of an image that is looked up, with the address of that network.
fn with_a_lookup() -> Result<(Story, ResourceAddr), String> {
    let mut story = super::resume_create();
    let mut desired = Desired::clone(&story.first.desired);
    let mut networks = desired.blocks.iter().flat_map(|(block, it)| {
        let networks = it.resources.iter().filter(|(_, resource)| resource.type_name.as_str() == "aws_vpc");
        networks.map(|(name, _)| block.resource(name.clone()))
    });
    let network = networks.next().ok_or("no network")?;
    let image: ResourceName = "image".parse().map_err(|bad: BadName| bad.to_string())?;
    let found = OutputRef { resource: network.block.resource(image.clone()), output: "id".to_owned() };
    let block = desired.blocks.get_mut(&network.block).ok_or("no block")?;
    let resource = block.resources.get_mut(&network.name).ok_or("no resource")?;
    let tags = Tree::Map([("image".to_owned(), Tree::Symbol(Symbol::Found(Box::new(found))))].into());
    Arc::make_mut(&mut resource.inputs).insert("tags".to_owned(), tags);
    let lookup = DesiredLookup {
        type_name: "aws_ami".parse().map_err(|bad: BadName| bad.to_string())?,
        provider: resource.provider.clone(),
        query: [("owner".to_owned(), "somebody".into())].into(),
        location: Location::default(),
    };
    block.lookups.insert(image, lookup);
    let desired = Arc::new(desired);
    story.first.desired = desired.clone();
    story.then.desired = desired;
    Ok((story, network))
}

/// Wherever its run is killed, and whatever its lookup would find by then, a sealed plan uses what it found.
pub(crate) fn answers_stay() -> Result<(), String> {
    let (story, network) = unbroken(with_a_lookup)?;
    let story = story.with_fresh_memory();
    let (planned, plan) = planned(&story)?;
    let found = plan.lookups.values().next().ok_or("nothing was looked up")?;
    for action in 0.. {
        let (mut sim, process) = killed(&story, &planned, &plan, action)?;
        let wrong = |wrong: String| format!("killed at action {action}: {wrong}");
        let done = sim.process(process).is_some_and(Process::is_good);
        let fields = [("owner".to_owned(), "somebody".into())].into();
        let (target, type_name) = (found.query.target.clone(), found.query.type_name.clone());
        sim.world.tamper(&Tamper::Create { target, type_name, fields, mark: None, name: None });
        if !done && !story.resume(&mut sim).map_err(wrong)? {
            let last = sim.processes.last().and_then(|last| last.outcome());
            return Err(wrong(format!("its plan does not finish it: {last:?}")));
        }
        let objects = sim.world.objects();
        let ours = |held: &&Held| held.mark.as_ref().is_some_and(|mark| mark.address == network);
        let tags = objects.iter().find(ours).and_then(|held| held.fields.get("tags")?.as_map()?.get("image").cloned());
        if tags != Some(found.id.as_str().into()) {
            return Err(wrong(format!("it used {tags:?}, and its plan found {}", found.id)));
        }
        if done {
            return Ok(());
        }
    }
    Ok(())
}
