//! One runner: a process that prepares a plan and executes it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use provision_aws::provider::Aws;
use provision_core::desired::Desired;
use provision_core::drift::DriftReport;
use provision_core::exec::{
    Binding, DriftSpec, GenerationChoice, Prepared, Rates, RunError, RunReport, RunSpec, Settings, execute,
    look_for_drift, prepare,
};
use provision_core::id::{Generation, Nonce, ObjectId, ResourceAddr, Revision};
use provision_core::machine::{Action, ActionId, Machine, Memory, Now};
use provision_core::plan::{Mode, Plan, Providers};
use provision_core::provider::Provider;
use provision_core::stream::event::{Holder, RunOutcome};
use provision_core::stream::{Signer, Timing};

use crate::fault::Kind;
use crate::world::EPOCH_MS;

/// What all processes share: they cost less together, and do nothing else.
#[derive(Clone)]
pub struct Shared {
    /// What is known of entries that were read before.
    pub memory: Memory,
    /// Who signs.
    pub signer: Signer,
}

impl Default for Shared {
    fn default() -> Self {
        let memory = Memory::of(256 << 20);
        Self { signer: Signer::new(&[7; 32], "runner").remembering(memory.clone()), memory }
    }
}

/// What a runner is started for.
#[derive(Clone)]
pub struct Job {
    /// What the code asks for.
    pub desired: Arc<Desired>,
    /// What the run is for.
    pub mode: Mode,
    /// The generation of the code.
    pub generation: GenerationChoice,
    /// On which machine: whether a process there is dead is seen from there alone.
    pub host: u8,
    /// How far its wall clock is ahead.
    pub wall_skew_ms: i64,
    /// The pure halves.
    pub providers: Providers,
    /// How long a lease lasts.
    pub lease: Duration,
    /// How long blocks are waited for that another run holds.
    pub lock_timeout: Duration,
    /// How strictly the plan binds.
    pub binding: Binding,
    /// Whether it knows that the cloud is a simulated one.
    pub simulated: bool,
    /// What becomes whose object, for adoptions.
    pub adoptions: BTreeMap<ResourceAddr, ObjectId>,
}

impl Job {
    /// On the first machine, with a right clock and a short lease.
    pub fn new(desired: Arc<Desired>, mode: Mode, generation: u64) -> Self {
        Self {
            desired,
            mode,
            generation: GenerationChoice::Given(Generation(generation)),
            host: 0,
            wall_skew_ms: 0,
            providers: providers(),
            lease: Duration::from_secs(6),
            lock_timeout: Duration::ZERO,
            binding: Binding::Ceiling,
            simulated: true,
            adoptions: BTreeMap::new(),
        }
    }

    /// What it is started for, in a line.
    pub fn shown(&self) -> String {
        let blocks = self.desired.blocks.len();
        format!("{:?} of {blocks} blocks, generation {:?}, on host {}", self.mode, self.generation, self.host)
    }

    fn spec(&self, number: u32, nonce: Nonce, shared: &Shared, rates: &Rates) -> RunSpec {
        let mut writer_nonce = Nonce([1; 16]);
        writer_nonce.0[..4].copy_from_slice(&number.to_be_bytes());
        RunSpec {
            desired: self.desired.clone(),
            providers: self.providers.clone(),
            revision: Revision::new("abc123").unwrap(),
            generation: self.generation,
            nonce,
            writer_nonce,
            mode: self.mode,
            selection: Default::default(),
            adoptions: self.adoptions.clone(),
            holder: Holder {
                name: format!("runner-{number}@host-{}", self.host),
                boot_id: format!("boot-{}", self.host),
                pid_namespace: "pid:[1]".to_owned(),
                pid: number,
                start_time: 5,
                since: "2026-01-31 09:05:00 UTC".to_owned(),
            },
            signer: shared.signer.clone(),
            timing: Timing::with_lease(self.lease),
            simulated: self.simulated,
            binding: self.binding,
            lock_timeout: self.lock_timeout,
            many_deletions: true,
            settings: Settings::default(),
            rates: rates.clone(),
        }
    }
}

/// The pure halves.
pub fn providers() -> Providers {
    Providers::new([Arc::new(Aws) as Arc<dyn Provider>])
}

/// The nonce that a process draws.
fn nonce(number: u32) -> Nonce {
    let mut nonce = Nonce([0; 16]);
    nonce.0[..4].copy_from_slice(&number.to_be_bytes());
    nonce
}

/// How one of the machines of a process ended.
pub(crate) enum Stage {
    Prepared(Result<Box<Prepared>, RunError>),
    Executed(Result<RunReport, RunError>),
    Looked(Result<Box<DriftReport>, RunError>),
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It planned, and there was nothing to do.
    Nothing,
    /// It planned, and that was all that it was started for.
    Planned,
    /// It looked for drift.
    Looked(Box<DriftReport>),
    /// It made a run.
    Ran(RunReport),
    /// It could not make a run: nothing was called.
    Refused(RunError),
    /// It died.
    Died,
}

/// Whether a process goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It does.
    Running,
    /// Not before that time; then its clocks have lost so much: boot time, wall clock.
    Paused {
        /// When it goes on.
        until: u64,
        /// What its clocks will have lost.
        lost: (u64, u64),
    },
    /// It has ended.
    Ended(Outcome),
}

/// One runner.
pub struct Process {
    /// Its number.
    pub number: u32,
    /// What it was started for.
    pub job: Job,
    /// What it planned.
    pub plan: Option<Arc<Plan>>,
    /// What it saw when it planned.
    pub prepared: Option<Box<Prepared>>,
    /// Whether it goes on.
    pub state: State,
    /// The kinds of the actions that it performed.
    pub kinds: Vec<Kind>,
    /// How many of them belong to its planning.
    pub planning: usize,
    pub(crate) machine: Machine<Stage>,
    pub(crate) asked: VecDeque<(ActionId, Action)>,
    /// Set once the faults before the next action have struck.
    pub(crate) struck: usize,
    /// When it performed its last action.
    pub(crate) acted: u64,
    /// Only plans.
    plans_only: bool,
    shared: Shared,
    /// What it has learnt of the cloud's limits.
    rates: Rates,
    boot_lost: u64,
    wall_ahead: i64,
}

impl Process {
    /// A process that prepares a plan, and executes it unless it only plans.
    pub(crate) fn new(number: u32, job: Job, plans_only: bool, shared: Shared) -> Self {
        let rates = Rates::default();
        let spec = job.spec(number, nonce(number), &shared, &rates);
        let machine = Machine::with_memory(shared.memory.clone(), |io| async move {
            Stage::Prepared(prepare(&io, &spec).await.map(Box::new))
        });
        Self { rates, ..Self::with(number, job, machine, None, plans_only, shared) }
    }

    /// A process that looks for drift.
    pub(crate) fn looking(number: u32, job: Job, shared: Shared) -> Self {
        let spec = DriftSpec {
            infra: job.desired.infra.clone(),
            targets: job.desired.dcs.values().flat_map(|dc| dc.targets.values().cloned()).collect(),
            providers: job.providers.clone(),
            read_attempts: Settings::default().read_attempts,
        };
        let machine = Machine::with_memory(shared.memory.clone(), |io| async move {
            Stage::Looked(look_for_drift(&io, &spec).await.map(Box::new))
        });
        Self::with(number, job, machine, None, false, shared)
    }

    /// A process that executes an approved plan.
    pub(crate) fn approved(number: u32, job: Job, plan: Arc<Plan>, shared: Shared) -> Self {
        let rates = Rates::default();
        let machine = execution(&job, number, plan.clone(), &shared, &rates);
        Self { rates, ..Self::with(number, job, machine, Some(plan), false, shared) }
    }

    fn with(
        number: u32,
        job: Job,
        machine: Machine<Stage>,
        plan: Option<Arc<Plan>>,
        plans_only: bool,
        shared: Shared,
    ) -> Self {
        let wall_ahead = job.wall_skew_ms;
        Self {
            number,
            job,
            plan,
            prepared: None,
            state: State::Running,
            kinds: Vec::new(),
            planning: 0,
            machine,
            asked: VecDeque::new(),
            struck: 0,
            acted: 0,
            plans_only,
            shared,
            rates: Rates::default(),
            boot_lost: 0,
            wall_ahead,
        }
    }

    /// Its clocks.
    pub(crate) fn now(&self, ms: u64) -> Now {
        Now {
            boot_ms: ms.saturating_sub(self.boot_lost),
            wall_ms: (EPOCH_MS + ms).saturating_add_signed(self.wall_ahead),
        }
    }

    /// Its wall clock is set.
    pub(crate) fn jump(&mut self, ms: i64) {
        self.wall_ahead += ms;
    }

    /// It goes on after a pause.
    pub(crate) fn resume(&mut self) {
        if let State::Paused { lost: (boot, wall), .. } = self.state {
            self.boot_lost += boot;
            self.wall_ahead -= i64::try_from(wall).unwrap_or(i64::MAX);
            self.state = State::Running;
        }
    }

    /// Whether it performs actions now.
    pub fn is_running(&self) -> bool {
        self.state == State::Running
    }

    /// Whether it waits for the end of a pause.
    pub fn is_paused(&self) -> bool {
        matches!(self.state, State::Paused { .. })
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.outcome().is_some()
    }

    /// How it ended, if it has.
    pub fn outcome(&self) -> Option<&Outcome> {
        if let State::Ended(outcome) = &self.state { Some(outcome) } else { None }
    }

    /// Takes in how its machine ended: goes on with the next one, or ends.
    pub(crate) fn staged(&mut self, stage: Stage) {
        self.state = match stage {
            Stage::Prepared(Err(error)) => State::Ended(Outcome::Refused(error)),
            Stage::Prepared(Ok(prepared)) => {
                let plan = Arc::new(prepared.plan.clone());
                self.planning = self.kinds.len();
                self.prepared = Some(prepared);
                self.plan = Some(plan.clone());
                if plan.is_empty() {
                    State::Ended(Outcome::Nothing)
                } else if self.plans_only {
                    State::Ended(Outcome::Planned)
                } else {
                    self.machine = execution(&self.job, self.number, plan, &self.shared, &self.rates);
                    State::Running
                }
            }
            Stage::Looked(Ok(report)) => State::Ended(Outcome::Looked(report)),
            Stage::Looked(Err(error)) => State::Ended(Outcome::Refused(error)),
            Stage::Executed(Ok(report)) => State::Ended(Outcome::Ran(report)),
            Stage::Executed(Err(error)) => State::Ended(Outcome::Refused(error)),
        };
    }

    /// Whether it planned everything, and did all that it planned.
    pub fn is_good(&self) -> bool {
        let ended = match self.outcome() {
            Some(Outcome::Nothing) => true,
            Some(Outcome::Ran(report)) => report.outcome == RunOutcome::Succeeded && report.problems.is_empty(),
            Some(Outcome::Planned | Outcome::Looked(_) | Outcome::Refused(_) | Outcome::Died) | None => false,
        };
        ended && self.plan.as_ref().is_some_and(|plan| plan.refusals().next().is_none())
    }
}

/// "Planning again inside an apply uses the plan's nonce."
fn execution(job: &Job, number: u32, plan: Arc<Plan>, shared: &Shared, rates: &Rates) -> Machine<Stage> {
    let spec = job.spec(number, plan.nonce, shared, rates);
    Machine::with_memory(shared.memory.clone(), |io| async move { Stage::Executed(execute(&io, &spec, &plan).await) })
}
