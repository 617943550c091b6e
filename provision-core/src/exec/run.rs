//! The whole protocol: read, observe, plan; then claim, read again, plan again, execute, give back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use thiserror::Error;
use tracing::Instrument as _;

use super::context::{Exec, Settings};
use super::logs::read_recorded;
use super::observe::{observe, targets};
use super::report::{ActionReport, ActionResult, RunReport};
use super::scheduler::walk;
use crate::call::Bounds;
use crate::desired::Desired;
use crate::id::{BlockAddr, Generation, Nonce, ObjectId, ResourceAddr, Revision, RunId};
use crate::machine::{Io, Verified};
use crate::mutant::{self, Mutant};
use crate::plan::ceiling::{newly_refused, outside};
use crate::plan::{
    BlockInput, Cycle, Inputs, Missing, Mode, Plan, Presence, Providers, Selection, World, action_graph, plan,
};
use crate::progress::Progress;
use crate::stream::event::{Holder, RunOutcome};
use crate::stream::{
    Author, Claim, ClaimError, NewRun, ReadError, RunStream, Signer, StartError, StoreError, Timing, WriteError,
    claim_block, enter_store, list_blocks, look_at_store, read_block,
};
use crate::target::TargetId;
use crate::value::Fields;

/// What a run is made of.
#[derive(Clone)]
pub struct RunSpec {
    /// What the code asks for.
    pub desired: Arc<Desired>,
    /// The pure halves.
    pub providers: Providers,
    /// What the code was built from.
    pub revision: Revision,
    /// Where the generation comes from.
    pub generation: GenerationChoice,
    /// Makes the plan different from every other.
    pub nonce: Nonce,
    /// Makes the entries that this process writes different from every other; used for one run only.
    pub writer_nonce: Nonce,
    /// What the run is for.
    pub mode: Mode,
    /// The blocks that it is about.
    pub selection: Selection,
    /// The objects that are to become a resource's, for [`Mode::Adopt`].
    pub adoptions: BTreeMap<ResourceAddr, ObjectId>,
    /// Who runs it.
    pub holder: Holder,
    /// Who signs.
    pub signer: Signer,
    /// The times of its lease.
    pub timing: Timing,
    /// Whether it runs in a simulated cloud.
    pub simulated: bool,
    /// Whether it may delete most of what there is for missing in the code.
    pub many_deletions: bool,
    /// How patient it is.
    pub settings: Settings,
}

/// Where a run's generation comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GenerationChoice {
    /// It was handed in.
    Given(Generation),
    /// The store is ours alone: one above its highest.
    AfterHighest,
    /// The store is shared: its highest, and no block that misses in the code is destroyed.
    Highest,
}

/// What a plan was made from, and the plan.
#[derive(Debug)]
pub struct Prepared {
    /// The plan.
    pub plan: Plan,
    /// What each block's log says.
    pub recorded: BTreeMap<BlockAddr, BlockInput>,
    /// What the clouds hold.
    pub world: World,
}

/// Why a run could not be made. Nothing was changed in any cloud.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RunError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stream cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A target cannot be used.
    #[error("{target}: {problem}")]
    Target {
        /// Which.
        target: TargetId,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// The plan has a run already.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A block could not be claimed.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// The log cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The world has changed since the plan was approved.
    #[error("the world has changed since the plan was made, so nothing was done: {0}; plan again")]
    Changed(String),
    /// The actions cannot be ordered.
    #[error(transparent)]
    Cycle(#[from] Cycle),
    /// Most of what there is would go.
    #[error(
        "{leaving} of {recorded} objects would be deleted because the code no longer has them; if that is what you want, give --allow-many-deletions"
    )]
    ManyDeletions {
        /// How many.
        leaving: usize,
        /// Of how many.
        recorded: usize,
    },
}

/// The fewest deletions that count as many.
const MANY: usize = 5;

/// Reads the logs and the clouds, and plans. Changes nothing anywhere.
///
/// # Errors
/// The store or a target cannot be used. A block whose log cannot be used is refused in the plan instead.
pub async fn prepare(io: &Io, spec: &RunSpec) -> Result<Prepared, RunError> {
    let recorded = read_logs(io, spec, &BTreeMap::new()).await?;
    let (generation, missing) = generation(spec.generation, &recorded);
    look(io, spec, recorded, generation, missing).await.map(|(prepared, _)| prepared)
}

/// Executes an approved plan: claims every block that it may change, plans again from fresh reads, and does only what
/// lies inside the approved plan.
///
/// # Errors
/// Nothing was called: a claim was refused, the plan has a run already, or the world has changed.
pub async fn execute(io: &Io, spec: &RunSpec, approved: &Plan) -> Result<RunReport, RunError> {
    let (leaving, recorded) = approved.leaving();
    if !spec.many_deletions && leaving >= MANY && leaving * 2 > recorded {
        return Err(RunError::ManyDeletions { leaving, recorded });
    }
    enter_store(io, &spec.desired.infra, spec.writer_nonce).await?;
    let author = Author::new(
        spec.desired.infra.clone(),
        spec.revision.clone(),
        approved.generation,
        spec.signer.clone(),
        spec.writer_nonce,
    );
    let plan = approved.digest();
    let new = NewRun {
        id: RunId::of(&plan),
        holder: spec.holder.clone(),
        plan,
        blocks: approved.touched(),
        simulated: spec.simulated,
        timing: spec.timing,
    };
    let run = RunStream::start(io, Arc::new(author), new).await?;
    let mut claims = BTreeMap::new();
    let span = tracing::info_span!("run", id = run.id().short());
    let result = under_claims(io, spec, approved, &run, &mut claims).instrument(span).await;
    let outcome = match &result {
        Ok((_, outcome)) => *outcome,
        Err(_) => RunOutcome::Refused,
    };
    let mut problems = give_back(claims).await;
    if let Err(error) = run.end(outcome).await {
        problems.push(error.to_string());
    }
    let (actions, outcome) = result?;
    Ok(RunReport { run: run.id().clone(), outcome, actions, checks: Vec::new(), blocks: BTreeMap::new(), problems })
}

async fn under_claims(
    io: &Io,
    spec: &RunSpec,
    approved: &Plan,
    run: &RunStream,
    claims: &mut BTreeMap<BlockAddr, Claim>,
) -> Result<(Vec<ActionReport>, RunOutcome), RunError> {
    // In address order, so that two runs cannot each hold what the other needs.
    for addr in approved.touched() {
        let state = read_block(io, &spec.desired.infra, &addr).await?;
        let claim = claim_block(io, run, &addr, state).await?;
        io.emit(Progress::Claimed { block: addr.clone(), run: run.id().clone() });
        claims.insert(addr, claim);
    }
    let recorded = read_logs(io, spec, claims).await?;
    let (_, missing) = generation(spec.generation, &recorded);
    let (later, bounds) = look(io, spec, recorded, approved.generation, missing).await?;
    let outside = outside(approved, &later.plan);
    if let Some(first) = outside.first().map(ToString::to_string).or_else(|| newly_refused(approved, &later.plan))
        && !mutant::on(Mutant::CeilingIgnored)
    {
        return Err(RunError::Changed(first));
    }
    let actions = action_graph(&later.plan)?;
    let outputs = known_outputs(&later);
    let exec = Exec::new(
        io.clone(),
        run.lease().clone(),
        claims.clone(),
        spec.providers.clone(),
        bounds,
        spec.desired.clone(),
        later.plan,
        later.world,
        outputs,
        spec.settings,
    );
    let walked = walk(Arc::new(exec), &actions).await;
    let failed = walked
        .reports
        .iter()
        .any(|report| matches!(report.result, ActionResult::Failed { .. } | ActionResult::Skipped { .. }));
    let outcome = match (walked.interrupted, failed) {
        (true, _) => RunOutcome::Interrupted,
        (false, true) => RunOutcome::Failed,
        (false, false) => RunOutcome::Succeeded,
    };
    Ok((walked.reports, outcome))
}

async fn give_back(claims: BTreeMap<BlockAddr, Claim>) -> Vec<String> {
    let releases: FuturesUnordered<_> = claims
        .values()
        .map(|claim| async move { claim.release().await.err().map(|error| error.to_string()) })
        .collect();
    releases.filter_map(|problem| async move { problem }).collect().await
}

/// Reads every block's log: of those in the code and of those in the store.
///
/// A claimed block's log is not read again: nobody else can write it, and its claim knows what it says.
async fn read_logs(
    io: &Io,
    spec: &RunSpec,
    claims: &BTreeMap<BlockAddr, Claim>,
) -> Result<BTreeMap<BlockAddr, BlockInput>, RunError> {
    io.emit(Progress::Phase { what: "reading the logs".to_owned() });
    let infra = &spec.desired.infra;
    look_at_store(io, infra).await?;
    let mut addrs: BTreeSet<BlockAddr> = list_blocks(io).await?.into_iter().collect();
    addrs.extend(spec.desired.blocks.keys().cloned());
    addrs.retain(|addr| !claims.contains_key(addr));
    let mut recorded = read_recorded(io, infra, addrs).await?;
    recorded.extend(claims.iter().map(|(addr, claim)| (addr.clone(), Ok(claim.state().as_ref().clone()))));
    Ok(recorded)
}

fn generation(choice: GenerationChoice, recorded: &BTreeMap<BlockAddr, BlockInput>) -> (Generation, Missing) {
    let states = recorded.values().filter_map(|state| state.as_ref().ok());
    let highest = states.map(|state| state.generation).max().unwrap_or_default();
    match choice {
        GenerationChoice::Given(generation) => (generation, Missing::DestroyOlder),
        GenerationChoice::AfterHighest => (highest.next(), Missing::DestroyOlder),
        GenerationChoice::Highest => (highest, Missing::Keep),
    }
}

/// Asks every target who we are, reads what it holds, and plans.
async fn look(
    io: &Io,
    spec: &RunSpec,
    recorded: BTreeMap<BlockAddr, BlockInput>,
    generation: Generation,
    missing: Missing,
) -> Result<(Prepared, BTreeMap<TargetId, Bounds>), RunError> {
    let mut bounds = BTreeMap::new();
    let verifies: FuturesUnordered<_> = targets(&spec.desired, &recorded)
        .into_iter()
        .map(|target| async move {
            let verified = io.verify(target.clone()).await;
            (target, verified)
        })
        .collect();
    for (target, verified) in verifies.collect::<Vec<_>>().await {
        match verified {
            Verified::Yes { bounds: found } => bounds.insert(target, found),
            Verified::No { problem } => return Err(RunError::Target { target, problem }),
        };
    }
    io.emit(Progress::Phase { what: "reading what is there".to_owned() });
    let world = observe(io, &spec.desired, &recorded, &bounds, spec.settings.read_attempts).await;
    let plan = plan(Inputs {
        desired: &spec.desired,
        recorded: &recorded,
        world: &world,
        providers: &spec.providers,
        revision: &spec.revision,
        generation,
        nonce: spec.nonce,
        mode: spec.mode,
        missing,
        selection: &spec.selection,
        adoptions: &spec.adoptions,
        simulated: spec.simulated,
    });
    Ok((Prepared { plan, recorded, world }, bounds))
}

/// The outputs of every recorded object, as last seen.
fn known_outputs(prepared: &Prepared) -> BTreeMap<ResourceAddr, Fields> {
    let mut outputs = BTreeMap::new();
    for (block, recorded) in &prepared.recorded {
        let Ok(state) = recorded else { continue };
        for (name, resource) in &state.resources {
            let object = &resource.object;
            let mut fields = object.fields.clone();
            if let Presence::Present(seen) = prepared.world.presence(&object.target, &object.type_name, &object.id) {
                fields.extend(seen.fields.clone());
            }
            fields.insert("id".to_owned(), object.id.as_str().into());
            outputs.insert(block.resource(name.clone()), fields);
        }
    }
    outputs
}
