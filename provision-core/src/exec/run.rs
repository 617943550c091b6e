//! The whole protocol: read, observe, plan; then claim, read again, plan again, execute, give back.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::join;
use futures::stream::FuturesUnordered;
use tracing::Instrument as _;

use super::binding::{Binding, fits, made_by};
use super::blocks::block_reports;
use super::claiming::claim_all;
use super::context::{Exec, Settings};
use super::error::RunError;
use super::limiter::{Limiter, Rates};
use super::logs::read_recorded;
use super::lookups::Lookups;
use super::observe::{Wanted, observe, targets};
use super::reading::Reader;
use super::report::{ActionReport, ActionResult, CheckReport, RunReport};
use super::scheduler::{ranks, walk};
use crate::call::Bounds;
use crate::desired::Desired;
use crate::id::{BlockAddr, DcName, EnvName, Generation, Nonce, ObjectId, ResourceAddr, Revision, RunId, TypeName};
use crate::machine::{Io, Verified};
use crate::mutant::{self, Mutant};
use crate::plan::{
    BlockInput, Ceiling, Inputs, Missing, Mode, Plan, Presence, Providers, Selection, World, action_graph, plan,
};
use crate::progress::{CheckResult, Progress};
use crate::stream::event::{BlockEvent, Holder, RunOutcome};
use crate::stream::{Author, Claim, NewRun, RunStream, Signer, Timing, enter_store, list_blocks, look_at_store};
use crate::target::TargetId;
use crate::value::Fields;

/// What a run is made of. An [`Engine`](crate::embed::Engine) makes these; whoever drives machines by hand writes them.
///
/// ```
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let engine = toy::engine(&toy::cloud());
/// use std::time::Duration;
///
/// use provision_core::driver::draw_nonce;
/// use provision_core::embed::Task;
/// use provision_core::exec::{Binding, GenerationChoice, Rates, RunSpec, Settings, prepare};
/// use provision_core::plan::{Mode, Selection};
/// use provision_core::stream::Timing;
///
/// let spec = RunSpec {
///     desired: engine.desired.clone(),
///     providers: engine.providers.clone(),
///     revision: "4f2a9c1".parse()?,
///     generation: GenerationChoice::AfterHighest,
///     nonce: draw_nonce()?,
///     writer_nonce: draw_nonce()?,
///     mode: Mode::Apply,
///     selection: Selection::default(),
///     adoptions: Default::default(),
///     holder: engine.holder.clone(),
///     signer: engine.signer.clone(),
///     timing: Timing::default(),
///     simulated: true,
///     binding: Binding::Ceiling,
///     lock_timeout: Duration::ZERO,
///     many_deletions: false,
///     settings: Settings::default(),
///     rates: Rates::default(),
/// };
/// let (memory, world) = (engine.memory.clone(), engine.world.clone());
/// let prepared = Task::start(memory, world, |io| async move { prepare(&io, &spec).await }).finish().await?;
/// assert_eq!(prepared.plan.resources().count(), 2);
/// assert!(prepared.recorded.values().all(|log| log.as_ref().is_ok_and(|log| log.head.is_none())), "nothing was applied");
/// # Ok(())
/// # }
/// ```
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
    /// How strictly an approved plan binds.
    pub binding: Binding,
    /// How long a block that another run holds is waited for.
    pub lock_timeout: Duration,
    /// Whether it may delete most of what there is for missing in the code.
    pub many_deletions: bool,
    /// How patient it is.
    pub settings: Settings,
    /// What this process has learnt of the clouds' limits: the same for the plan and its run.
    pub rates: Rates,
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

/// The fewest deletions that count as many.
const MANY: usize = 5;

/// Reads the logs and the clouds, and plans. Changes nothing anywhere.
///
/// # Errors
/// The store or a target cannot be used. A block whose log cannot be used is refused in the plan instead.
pub async fn prepare(io: &Io, spec: &RunSpec) -> Result<Prepared, RunError> {
    let lookups = match spec.mode {
        Mode::Apply | Mode::Adopt => Lookups::Asked,
        Mode::Destroy => Lookups::Unneeded,
    };
    let purpose = &Purpose { mode: spec.mode, selection: &spec.selection, adoptions: &spec.adoptions, lookups, spec };
    // Most targets are those of the code, and to be known there takes about as long as reading the logs.
    let of_the_code = targets(&purpose.wanted(&BTreeMap::new()));
    let none = BTreeMap::new();
    let (recorded, verified) = join(read_logs(io, spec, &none), verify(io, of_the_code)).await;
    let recorded = recorded?;
    let (generation, missing) = generation(spec.generation, &recorded);
    known_selection(spec, &recorded)?;
    look(io, purpose, recorded, verified, (generation, missing)).await.map(|(prepared, _)| prepared)
}

/// What became of asking targets who we are.
pub(super) type Asked = BTreeMap<TargetId, Verified>;

/// Asks each of the targets who we are.
pub(super) async fn verify(io: &Io, targets: BTreeSet<TargetId>) -> Asked {
    let asked: FuturesUnordered<_> = targets
        .into_iter()
        .map(|target| async move {
            let verified = io.verify(target.clone()).await;
            (target, verified)
        })
        .collect();
    asked.collect().await
}

/// What a plan is for: of a new plan by the spec, of an approved one by the plan itself.
struct Purpose<'a> {
    mode: Mode,
    selection: &'a Selection,
    adoptions: &'a BTreeMap<ResourceAddr, ObjectId>,
    lookups: Lookups<'a>,
    spec: &'a RunSpec,
}

impl Purpose<'_> {
    /// What is to be looked at for it.
    fn wanted<'a>(&'a self, recorded: &'a BTreeMap<BlockAddr, BlockInput>) -> Wanted<'a> {
        let Self { mode: _, selection, adoptions, lookups, spec } = self;
        Wanted { desired: &spec.desired, recorded, selection, adoptions, lookups: *lookups }
    }
}

/// A name that selects nothing is a mistake, and so are names that select nothing together.
fn known_selection(spec: &RunSpec, recorded: &BTreeMap<BlockAddr, BlockInput>) -> Result<(), RunError> {
    let Selection { envs, dcs, blocks } = &spec.selection;
    let states = recorded.values().filter_map(|state| state.as_ref().ok());
    let mut known_envs: BTreeSet<&EnvName> = spec.desired.environments.iter().collect();
    known_envs.extend(states.filter_map(|state| state.env.as_ref()));
    let known_blocks: BTreeSet<&BlockAddr> = spec.desired.blocks.keys().chain(recorded.keys()).collect();
    let known_dcs: BTreeSet<&DcName> = spec.desired.dcs.keys().chain(recorded.keys().map(|block| &block.dc)).collect();
    all_known("an environment", envs, &known_envs)?;
    all_known("a data centre", dcs, &known_dcs)?;
    all_known("a block", blocks, &known_blocks)?;
    let env = |block: &BlockAddr| {
        let dc = spec.desired.dcs.get(&block.dc);
        dc.map(|dc| &dc.env).or_else(|| recorded.get(block)?.as_ref().ok()?.env.as_ref())
    };
    if spec.selection.is_all() || known_blocks.iter().any(|block| spec.selection.names(block, env(block))) {
        return Ok(());
    }
    let names = |what: &str, names: Vec<String>| (!names.is_empty()).then(|| format!("{what} {}", names.join(" or ")));
    let parts = [
        names("of environment", envs.iter().map(ToString::to_string).collect()),
        names("in data centre", dcs.iter().map(ToString::to_string).collect()),
        names("named", blocks.iter().map(ToString::to_string).collect()),
    ];
    Err(RunError::NothingSelected(parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")))
}

fn all_known<T: Ord + fmt::Display>(what: &str, named: &BTreeSet<T>, known: &BTreeSet<&T>) -> Result<(), RunError> {
    match named.iter().find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(name) => Err(RunError::Selection {
            what: what.to_owned(),
            name: name.to_string(),
            known: known.iter().map(ToString::to_string).collect(),
        }),
    }
}

/// Why a run of this plan is refused unless it may delete most of what there is: [`RunSpec::many_deletions`].
pub fn many_deletions(plan: &Plan) -> Option<RunError> {
    let (leaving, recorded) = plan.leaving();
    (leaving >= MANY && leaving * 2 > recorded).then_some(RunError::ManyDeletions { leaving, recorded })
}

/// Executes an approved plan: claims every block that it may change, plans again from fresh reads, and does only what
/// lies inside the approved plan.
///
/// # Errors
/// Nothing was called: a claim was refused, the plan has a run already, or the world has changed.
pub async fn execute(io: &Io, spec: &RunSpec, approved: &Plan) -> Result<RunReport, RunError> {
    if let Some(many) = many_deletions(approved).filter(|_| !spec.many_deletions) {
        return Err(many);
    }
    fits(spec, approved)?;
    enter_store(io, &spec.desired.infra, spec.simulated, spec.writer_nonce).await?;
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
        Ok((_, _, outcome)) => *outcome,
        Err(RunError::Interrupted(_)) => RunOutcome::Interrupted,
        Err(_) => RunOutcome::Refused,
    };
    let mut problems = give_back(claims).await;
    if let Err(error) = run.end(outcome).await {
        problems.push(error.to_string());
    }
    let (actions, checks, outcome) = result?;
    let blocks = block_reports(approved, &actions, &checks);
    Ok(RunReport { run: run.id().clone(), outcome, actions, checks, blocks, problems })
}

async fn under_claims(
    io: &Io,
    spec: &RunSpec,
    approved: &Plan,
    run: &RunStream,
    claims: &mut BTreeMap<BlockAddr, Claim>,
) -> Result<(Vec<ActionReport>, Vec<CheckReport>, RunOutcome), RunError> {
    claim_all(io, spec, approved, run, claims).await?;
    let adoptions = approved.adoptions();
    for (addr, id) in &adoptions {
        if let Some(claim) = claims.get(&addr.block).filter(|_| !mutant::on(Mutant::AdoptsUnseen)) {
            claim.append(vec![BlockEvent::Adopting { resource: addr.name.clone(), id: id.clone() }]).await?;
        }
    }
    let recorded = read_logs(io, spec, claims).await?;
    let missing = match spec.binding {
        // Whether it was made with a generation is not known here; what it does is.
        Binding::Sealed => approved.missing(),
        Binding::Ceiling => generation(spec.generation, &recorded).1,
    };
    // What was found may be something else by now: what was approved is done.
    let anew = mutant::on(Mutant::AsksAnew);
    let lookups = if anew { Lookups::Asked } else { Lookups::Given(&approved.lookups) };
    let purpose = Purpose { mode: approved.mode, selection: &approved.selection, adoptions: &adoptions, lookups, spec };
    let (later, bounds) = look(io, &purpose, recorded, Asked::new(), (approved.generation, missing)).await?;
    let ceiling = match run.resumed() {
        Some(_) => Ceiling::resumed(approved.clone(), made_by(run.id(), &later.recorded)),
        None => Ceiling::new(approved.clone()),
    };
    let outside = ceiling.outside(&later.plan);
    if let Some(first) = outside.first().map(ToString::to_string).or_else(|| ceiling.newly_refused(&later.plan))
        && !mutant::on(Mutant::CeilingIgnored)
    {
        return Err(RunError::Changed(first));
    }
    let actions = action_graph(&later.plan)?;
    let outputs = known_outputs(&later);
    let unclaimed = objects(&later.recorded);
    let exec = Exec::new(
        io.clone(),
        run.clone(),
        spec.simulated,
        unclaimed,
        claims.clone(),
        spec.providers.clone(),
        bounds,
        spec.desired.clone(),
        ceiling,
        later.plan,
        later.world,
        outputs,
        Limiter::new(&spec.rates, &spec.providers),
        ranks(&actions),
        spec.settings,
    );
    let walked = walk(Arc::new(exec), &actions).await;
    let unhealthy = walked.checks.iter().any(|check| matches!(check.result, CheckResult::Failed { .. }));
    let failed = unhealthy
        || walked.failed_gate
        || walked.reports.iter().any(|report| match report.result {
            ActionResult::Failed { .. } | ActionResult::Skipped { .. } | ActionResult::CutOff { .. } => true,
            ActionResult::Done | ActionResult::Unneeded => false,
        });
    let outcome = match (walked.interrupted, failed) {
        (true, _) => RunOutcome::Interrupted,
        (false, true) => RunOutcome::Failed,
        (false, false) => RunOutcome::Succeeded,
    };
    Ok((walked.reports, walked.checks, outcome))
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
    look_at_store(io, infra).await?.fits(spec.simulated)?;
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

/// Asks every target who we are that has not been asked, reads what they hold, and plans.
async fn look(
    io: &Io,
    purpose: &Purpose<'_>,
    recorded: BTreeMap<BlockAddr, BlockInput>,
    mut verified: Asked,
    (generation, missing): (Generation, Missing),
) -> Result<(Prepared, BTreeMap<TargetId, Bounds>), RunError> {
    let Purpose { mode, selection, adoptions, lookups: _, spec } = purpose;
    let wanted = purpose.wanted(&recorded);
    let needed = targets(&wanted);
    verified.retain(|target, _| needed.contains(target));
    let others = needed.into_iter().filter(|target| !verified.contains_key(target)).collect();
    verified.extend(verify(io, others).await);
    let mut bounds = BTreeMap::new();
    for (target, verified) in verified {
        match verified {
            Verified::Yes { bounds: found } => bounds.insert(target, found),
            Verified::No { problem } => return Err(RunError::Target { target, problem }),
        };
    }
    io.emit(Progress::Phase { what: "reading what is there".to_owned() });
    let limiter = Limiter::new(&spec.rates, &spec.providers);
    let reader = Reader { io, limiter: &limiter, attempts: spec.settings.read_attempts };
    let world = observe(reader, &wanted, &bounds).await;
    let plan = plan(Inputs {
        desired: &spec.desired,
        recorded: &recorded,
        world: &world,
        providers: &spec.providers,
        revision: &spec.revision,
        generation,
        nonce: spec.nonce,
        mode: *mode,
        missing,
        selection,
        adoptions,
        simulated: spec.simulated,
    });
    Ok((Prepared { plan, recorded, world }, bounds))
}

/// Every recorded object.
fn objects(recorded: &BTreeMap<BlockAddr, BlockInput>) -> BTreeMap<ResourceAddr, (TargetId, TypeName, ObjectId)> {
    let mut objects = BTreeMap::new();
    for (block, recorded) in recorded {
        let Ok(state) = recorded else { continue };
        for (name, resource) in &state.resources {
            let object = &resource.object;
            let known = (object.target.clone(), object.type_name.clone(), object.id.clone());
            objects.insert(block.resource(name.clone()), known);
        }
    }
    objects
}

/// The outputs of every recorded object, as last seen, and of what lookups found.
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
    outputs.extend(prepared.plan.lookups.iter().map(|(addr, found)| (addr.clone(), found.outputs())));
    outputs
}
