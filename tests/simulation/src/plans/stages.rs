//! Plans over two environments, with health checks in between.

use std::sync::Arc;

use provision_core::check::{Ask, DesiredCheck};
use provision_core::desired::{Desired, Location};
use provision_core::plan::Mode;
use provision_core::value::{OutputRef, Symbol, Tree};

use super::{VPC, blocks, instant, res, story};
use crate::infra::{DcSpec, Kind, Res, Spec};
use crate::process::{Job, Outcome, Process};
use crate::sim::Stuck;
use crate::story::Story;

/// A network in staging, with a block that uses it, and one in production; all are checked.
fn stages_of(flag: bool) -> Arc<Desired> {
    let vpc = |uid| Res { flag, ..res(VPC, uid) };
    let group = Res { flag, ..res(Kind::Group, 1) };
    let dcs = vec![
        DcSpec { name: "us-test", env: "staging", blocks: blocks(&[&[vpc(0)], &[group]]) },
        DcSpec { name: "us-east", env: "prod", blocks: blocks(&[&[vpc(2)]]) },
    ];
    let mut desired = Spec { dcs, next: 99, moved: Vec::new() }.desired();
    check(&mut desired, "us-test.m100.vpc-0", 2);
    check(&mut desired, "us-test.c101.group-1", 1);
    check(&mut desired, "us-east.m100.vpc-2", 1);
    Arc::new(desired)
}

/// A check of the resource's block, which has to pass so often in a row.
pub(super) fn check(desired: &mut Desired, resource: &str, passes: u32) {
    let resource: provision_core::id::ResourceAddr = resource.parse().unwrap();
    let id = OutputRef { resource: resource.clone(), output: "id".to_owned() };
    let ask = Ask::Custom { function: "alive".to_owned(), args: Tree::Symbol(Symbol::Output(Box::new(id))) };
    let alive = DesiredCheck { ask, every_ms: 500, passes, within_ms: 10_000, location: Location::default() };
    desired.blocks.get_mut(&resource.block).unwrap().checks.insert("alive".parse().unwrap(), alive);
}

/// Staging is made, then production.
pub fn stages() -> Story {
    story("stages", instant(), None, stages_of(true), Mode::Apply)
}

/// Staging is changed, then production.
pub fn stages_of_updates() -> Story {
    story("stages of updates", instant(), Some(stages_of(true)), stages_of(false), Mode::Apply).on_another_host()
}

/// The sealed plan of [`stages`].
pub fn resume_stages() -> Story {
    stages().resumed("resume: stages")
}

fn ran(story: &Story, job: Job) -> Result<(Process, usize), String> {
    let mut sim = story.sim(story.world.clone());
    let number = sim.start(job, false);
    sim.run().map_err(|Stuck(why)| why)?;
    let at = sim.processes.iter().position(|process| process.number == number).ok_or("no such process")?;
    let calls = sim.world.trace.calls().count();
    Ok((sim.processes.remove(at), calls))
}

/// What is not healthy in staging stops production, in this run and in the next, which finds nothing to do in staging.
pub(crate) fn unhealthy_staging_stops_production() -> Result<(), String> {
    let mut story = crate::story::unbroken(stages).with_fresh_memory();
    story.world.cloud.make_unhealthy("us-test.c101".parse().unwrap());
    let mut sim = story.sim(story.world.clone());
    for _ in 0..2 {
        let number = sim.start(story.first.clone(), false);
        sim.run().map_err(|Stuck(why)| why)?;
        let ended = sim.process(number).and_then(|process| process.outcome().cloned());
        if !matches!(&ended, Some(Outcome::Ran(report)) if !report.checks.is_empty()) {
            return Err(format!("it should have failed at a check: {ended:?}"));
        }
        let objects = sim.world.objects();
        if objects.iter().any(|held| held.mark.as_ref().is_some_and(|mark| mark.address.block.dc.as_str() == "us-east"))
        {
            return Err("production was touched although staging is not healthy".to_owned());
        }
    }
    Ok(())
}

/// A run that is not simulated does not believe a simulated cloud that it is healthy.
pub(crate) fn simulated_health_counts_among_simulated_things_alone() -> Result<(), String> {
    let story = crate::story::unbroken(stages).with_fresh_memory();
    let (real, _) = ran(&story, Job { simulated: false, ..story.first.clone() })?;
    match real.outcome() {
        Some(Outcome::Ran(report)) if report.outcome == provision_core::stream::event::RunOutcome::Failed => Ok(()),
        other => Err(format!("a simulated result counted: {other:?}")),
    }
}
