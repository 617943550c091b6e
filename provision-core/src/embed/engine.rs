//! What there is to plan and apply, and where.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::request::{Approval, PlanRequest};
use super::run::Run;
use super::task::{Planning, Task};
use crate::check::{Checker, Dialer};
use crate::desired::Desired;
use crate::drift::DriftReport;
use crate::driver::{HolderError, KeyFileError, NetworkChecker, NetworkDialer, World, draw_nonce, our_holder};
use crate::exec::{
    Binding, Clue, DriftSpec, FindSpec, Found, GenerationChoice, Rates, RunError, RunSpec, Settings, execute,
    find_candidates, look_for_drift, prepare, read_recorded,
};
use crate::id::{BadName, BlockAddr, Nonce, Revision};
use crate::machine::Memory;
use crate::plan::{BlockInput, Plan, Providers};
use crate::stream::event::Holder;
use crate::stream::{Signer, Timing, list_blocks, look_at_store};

/// Where nonces come from. No two may ever be the same: names, tokens and runs derive from them.
pub type Nonces = Arc<dyn Fn() -> Result<Nonce, KeyFileError> + Send + Sync>;

/// An infrastructure, its clouds and its store: what plans and runs are made of. Clones share what they know.
///
/// [`Engine::new`] takes what has no default; the rest is set with `Engine { simulated: true, ..Engine::new(..)? }`.
///
/// ```
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// use provision_core::embed::{Engine, PlanRequest};
/// use provision_core::exec::{Binding, GenerationChoice};
/// use provision_core::id::Generation;
/// use provision_core::outputs::{at, outputs};
///
/// # let cloud = toy::cloud();
/// # let engine = toy::engine(&cloud);
/// // Settings of a server that applies what CI has built.
/// let engine = Engine {
///     revision: "4f2a9c1".parse()?,
///     generation: GenerationChoice::Given(Generation(41)),
///     lock_timeout: Duration::from_secs(60),
///     ..engine
/// };
/// let plan = engine.plan(&PlanRequest::default()).finish().await?.plan;
/// let report = engine.apply(plan, Binding::Sealed).finish().await?;
/// assert!(report.problems.is_empty());
///
/// // What blocks offer, from the logs alone.
/// let recorded = engine.recorded().finish().await?;
/// let base = outputs(&"us-east.base".parse()?, &recorded).expect("it was applied");
/// assert!(at(&base, "network")?.as_text().is_some_and(|id| id.starts_with("network-")));
///
/// // And whether somebody has touched it since.
/// let drift = engine.drift().finish().await?;
/// assert_eq!(drift.verdict(), provision_core::drift::Verdict::None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Engine {
    /// What the code asks for.
    pub desired: Arc<Desired>,
    /// The pure halves of the providers.
    pub providers: Providers,
    /// The store, and how clouds are reached.
    pub world: World,
    /// Who signs what is written to the store.
    pub signer: Signer,
    /// Who runs it, as others see it whom it keeps out. The default is this process.
    pub holder: Holder,
    /// What the code was built from: plans and entries name it. A plan is applied by the revision that made it. The default
    /// is `unversioned`.
    pub revision: Revision,
    /// Where generations come from. The default is [`GenerationChoice::Highest`], with which no block is destroyed for
    /// missing in the code.
    pub generation: GenerationChoice,
    /// The times of leases.
    pub timing: Timing,
    /// How patient runs are.
    pub settings: Settings,
    /// What this process has learnt of the clouds' limits. Engines of the same clouds may share it.
    pub rates: Rates,
    /// Whether the clouds are simulated. A plan that was made for simulated clouds is refused for real ones, and health
    /// checks are answered by the simulated cloud: no socket is opened for them.
    pub simulated: bool,
    /// How health checks of real clouds reach what they ask. The default is the network. The functions that they call are
    /// those of the code. A checker of the [`world`](World::checked_by) asks in place of all this.
    pub dialer: Arc<dyn Dialer>,
    /// How long a block that another run holds is waited for. The default is not at all.
    pub lock_timeout: Duration,
    /// What this process knows of entries that it has verified. Engines of the same store may share it.
    pub memory: Memory,
    /// Where nonces come from. The default is the kernel's random numbers; tests may hand in others.
    pub nonces: Nonces,
}

impl Engine {
    /// An engine that is as careful as can be: see the fields.
    ///
    /// # Errors
    /// The kernel does not say who we are.
    pub fn new(desired: Desired, providers: Providers, world: World, signer: Signer) -> Result<Self, HolderError> {
        Ok(Self {
            desired: Arc::new(desired),
            providers,
            world,
            signer,
            holder: our_holder()?,
            revision: unversioned(),
            generation: GenerationChoice::Highest,
            timing: Timing::default(),
            settings: Settings::default(),
            rates: Rates::default(),
            simulated: false,
            dialer: Arc::new(NetworkDialer),
            lock_timeout: Duration::ZERO,
            memory: Memory::default(),
            nonces: Arc::new(draw_nonce),
        })
    }

    /// Reads the logs and the clouds, and plans. Changes nothing anywhere.
    ///
    /// The plan stands in [`Prepared::plan`](crate::exec::Prepared); a block whose log cannot be used is refused in it.
    /// Errors are those of [`prepare`].
    pub fn plan(&self, request: &PlanRequest) -> Planning {
        let spec = self.nonce().and_then(|nonce| self.spec(request.clone(), nonce, Binding::Ceiling.into()));
        self.start(|io| async move { prepare(&io, &spec?).await })
    }

    /// Applies an approved plan: claims every block that it may change, plans again from fresh reads, and does only what
    /// lies inside the plan. What it is for, and which blocks it is about, stands in the plan. A [`Binding`] is an approval.
    pub fn apply(&self, plan: Plan, approval: impl Into<Approval>) -> Run {
        let request = PlanRequest { mode: plan.mode, selection: plan.selection.clone(), adoptions: plan.adoptions() };
        let (spec, id) = (self.spec(request, plan.nonce, approval.into()), plan.run_id());
        Run::new(id, self.start(|io| async move { execute(&io, &spec?, &plan).await }))
    }

    /// Looks for objects that may become those of the block's resources which have none; a plan that
    /// [adopts](PlanRequest::adopt) them takes them over. Changes nothing anywhere.
    pub fn find(&self, block: &BlockAddr, clue: Clue) -> Task<Found> {
        let spec = FindSpec {
            desired: self.desired.clone(),
            providers: self.providers.clone(),
            read_attempts: self.settings.read_attempts,
        };
        let block = block.clone();
        self.start(|io| async move { find_candidates(&io, &spec, &block, &clue).await })
    }

    /// Compares what was applied with what is there. Changes nothing anywhere.
    pub fn drift(&self) -> Task<DriftReport> {
        let spec = DriftSpec {
            infra: self.desired.infra.clone(),
            targets: self.desired.dcs.values().flat_map(|dc| dc.targets.values().cloned()).collect(),
            providers: self.providers.clone(),
            read_attempts: self.settings.read_attempts,
        };
        self.start(|io| async move { look_for_drift(&io, &spec).await })
    }

    /// What the log of each block says, or why it cannot be used; [`outputs`](crate::outputs::outputs) reads it. Asks no
    /// cloud.
    pub fn recorded(&self) -> Task<BTreeMap<BlockAddr, BlockInput>> {
        let infra = self.desired.infra.clone();
        self.start(|io| async move {
            look_at_store(&io, &infra).await?;
            let blocks = list_blocks(&io).await?;
            Ok(read_recorded(&io, &infra, blocks).await?)
        })
    }

    fn start<T, F, P>(&self, protocol: F) -> Task<T>
    where
        T: Send + 'static,
        F: FnOnce(crate::machine::Io) -> P,
        P: Future<Output = Result<T, RunError>> + Send + 'static,
    {
        let world = World { checker: self.checker(), ..self.world.clone() };
        Task::start(self.memory.clone(), world, protocol)
    }

    /// Who asks health checks. What is simulated asks no network: nobody is there.
    fn checker(&self) -> Option<Arc<dyn Checker>> {
        match &self.world.checker {
            Some(given) => Some(given.clone()),
            None if self.simulated => self.world.clients.checker(),
            None => Some(Arc::new(NetworkChecker::new(self.dialer.clone(), self.desired.custom_checks.clone()))),
        }
    }

    fn nonce(&self) -> Result<Nonce, RunError> {
        (self.nonces)().map_err(|error| RunError::Driver(error.to_string()))
    }

    fn spec(&self, request: PlanRequest, nonce: Nonce, approval: Approval) -> Result<RunSpec, RunError> {
        let PlanRequest { mode, selection, adoptions } = request;
        let Approval { binding, many_deletions } = approval;
        Ok(RunSpec {
            desired: self.desired.clone(),
            providers: self.providers.clone(),
            revision: self.revision.clone(),
            generation: self.generation,
            nonce,
            writer_nonce: self.nonce()?,
            mode,
            selection,
            adoptions,
            holder: self.holder.clone(),
            signer: self.signer.clone(),
            timing: self.timing,
            simulated: self.simulated,
            binding,
            lock_timeout: self.lock_timeout,
            many_deletions,
            settings: self.settings,
            rates: self.rates.clone(),
        })
    }
}

/// A literal that follows the grammar of revisions.
fn unversioned() -> Revision {
    Revision::new("unversioned").unwrap_or_else(|bad: BadName| unreachable!("{bad}"))
}
