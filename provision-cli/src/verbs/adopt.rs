//! `import` and `adopt`: objects that are there become resources'. Nothing is called for it; the next plan shows how they
//! differ from their definitions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use provision_core::desired::{Desired, DesiredBlock};
use provision_core::dsl::Infrastructure;
use provision_core::embed::Task;
use provision_core::exec::{BlockResult, Clue, FindSpec, Found, RunSpec, Settings, find_candidates};
use provision_core::id::{BlockAddr, ObjectId, ResourceAddr};
use provision_core::machine::Memory;
use provision_core::plan::{Mode, Selection};
use provision_core::stream::event::RunOutcome;

use super::execute::plan_and_execute;
use super::job::{Ended, Job, accounted};
use crate::cli::{AdoptArgs, Cli, ImportArgs};
use crate::error::CliError;
use crate::render::progress::Watcher;
use crate::report::{Account, Unplanned};
use crate::setup::{self, Opening};
use crate::{Exit, clouds, render, signals};

pub(crate) async fn import(
    cli: &Cli,
    args: &ImportArgs,
    infrastructure: fn() -> Infrastructure,
) -> Result<Exit, CliError> {
    let ImportArgs { address, id, run } = args;
    let work = async |job: &Job<'_>| match known(job.desired, &address.block, [address]) {
        Ok(()) => take_over(job, &address.block, BTreeMap::from([(address.clone(), id.clone())])).await,
        Err(error) => (Err(error), None),
    };
    accounted(cli, run, Mode::Adopt, infrastructure, work).await
}

pub(crate) async fn adopt(
    cli: &Cli,
    args: &AdoptArgs,
    infrastructure: fn() -> Infrastructure,
) -> Result<Exit, CliError> {
    let block = &args.block;
    let work = async |job: &Job<'_>| match wanted(job, args).await {
        Ok(Some(adoptions)) => take_over(job, block, adoptions).await,
        Ok(None) => {
            render::line(&format!("Every resource of {block} has an object already: there is nothing to take over."));
            (Ok(Exit::Ok), Some(nothing_left(job, block)))
        }
        Err(error) => (Err(error), None),
    };
    accounted(cli, &args.run, Mode::Adopt, infrastructure, work).await
}

/// What is to be taken over: what is named, or what is found. Nothing where there is nothing to look for.
async fn wanted(job: &Job<'_>, args: &AdoptArgs) -> Result<Option<BTreeMap<ResourceAddr, ObjectId>>, CliError> {
    let block = &args.block;
    let mut named = BTreeMap::new();
    for object in &args.objects {
        let addr = block.resource(object.name.clone());
        if named.insert(addr.clone(), object.id.clone()).is_some() {
            return Err(CliError::NamedTwice(addr.to_string()));
        }
    }
    // The planner refuses it too; this needs no cloud.
    let mut ids = BTreeSet::new();
    if let Some(id) = named.values().find(|id| !ids.insert(*id)) {
        return Err(CliError::NamedTwice(id.to_string()));
    }
    known(job.desired, block, named.keys())?;
    if !named.is_empty() {
        return Ok(Some(named));
    }
    let tags = args.tags().map_err(CliError::Tags)?;
    let clue = if args.by_name { Clue::Name } else { Clue::Tags(tags) };
    chosen(block, look(job, block, clue).await?, args.partial)
}

/// The account of an adoption that was done before.
fn nothing_left(job: &Job<'_>, block: &BlockAddr) -> Account {
    Account::unplanned(Unplanned {
        infra: Some(job.desired.infra.clone()),
        desired: Some(job.desired),
        revision: job.cli.revision.clone(),
        mode: job.mode,
        simulated: job.cli.simulate,
        outcome: RunOutcome::Succeeded,
        blocks: BTreeMap::from([(block.clone(), BlockResult::Unchanged)]),
        reason: None,
        problems: Vec::new(),
        times: job.times(),
    })
}

/// Whether the code has the block and these resources of it.
fn known<'a>(
    desired: &Desired,
    block: &BlockAddr,
    resources: impl IntoIterator<Item = &'a ResourceAddr>,
) -> Result<(), CliError> {
    let Some(DesiredBlock { resources: has, .. }) = desired.blocks.get(block) else {
        let known = desired.blocks.keys().map(ToString::to_string).collect();
        return Err(CliError::NotInCode { block: block.clone(), known });
    };
    match resources.into_iter().find(|resource| !has.contains_key(&resource.name)) {
        None => Ok(()),
        Some(resource) => Err(CliError::NoSuchResource {
            resource: resource.clone(),
            known: has.keys().map(ToString::to_string).collect(),
        }),
    }
}

async fn take_over(job: &Job<'_>, block: &BlockAddr, adoptions: BTreeMap<ResourceAddr, ObjectId>) -> Ended {
    match job.spec(true) {
        Ok(spec) => {
            // Other blocks are not looked at: what is wrong there is not in the way.
            let selection = Selection { blocks: BTreeSet::from([block.clone()]), ..Selection::default() };
            plan_and_execute(job, RunSpec { adoptions, selection, ..spec }).await
        }
        Err(error) => (Err(error), None),
    }
}

/// Looks for objects, with progress.
async fn look(job: &Job<'_>, block: &BlockAddr, clue: Clue) -> Result<Found, CliError> {
    let spec = FindSpec {
        desired: Arc::new(job.desired.clone()),
        providers: clouds::providers(),
        read_attempts: Settings::default().read_attempts,
    };
    let world = setup::world(job.cli, &job.desired.custom_checks, Opening::Run).await?;
    let mut watcher = Watcher::new(None, false);
    let block = block.clone();
    let looking =
        Task::start(Memory::default(), world, |io| async move { find_candidates(&io, &spec, &block, &clue).await });
    let found = signals::unless_interrupted(watcher.watch(looking)).await;
    watcher.end();
    Ok(found??)
}

/// What of it is taken over; nothing where there is nothing to look for.
fn chosen(
    block: &BlockAddr,
    found: Found,
    partial: bool,
) -> Result<Option<BTreeMap<ResourceAddr, ObjectId>>, CliError> {
    let Found { matched, unmatched } = found;
    render::adoption::unmatched(&unmatched).iter().for_each(|line| render::line(line));
    match (matched.is_empty(), unmatched.len()) {
        (true, 0) => Ok(None),
        (false, 0) => Ok(Some(matched)),
        (true, _) => Err(CliError::NothingFits(block.clone())),
        (false, _) if partial => Ok(Some(matched)),
        (false, without) => Err(CliError::SomeDoNotFit { block: block.clone(), without, of: without + matched.len() }),
    }
}
