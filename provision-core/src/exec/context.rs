//! What every action of a run shares, and how an action can fail.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::Either;
use thiserror::Error;

use super::keys::{Key, Keys};
use super::limiter::{Limiter, Permit, Rank};
use super::reading::Reader;
use super::watching::Watch;
use crate::call::{Api, Bounds, Look, ServerTime};
use crate::desired::Desired;
use crate::id::{BlockAddr, ObjectId, ResourceAddr, TypeName};
use crate::machine::Io;
use crate::plan::{Ceiling, Moved, Plan, Providers, World};
use crate::provider::CannotCompile;
use crate::stream::{Claim, Lease, LeaseLapsed, RunStream, WriteError};
use crate::target::TargetId;
use crate::value::{Fields, OutputRef};

/// How patient a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How long a refusal because of users is tried again.
    pub in_use: Duration,
    /// How often a read that is not answered is repeated.
    pub read_attempts: u32,
    /// How often a call that definitely did not land is tried with a new intent.
    pub call_attempts: u32,
    /// How long an interrupted run waits for the answers of calls in flight.
    pub drain: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { in_use: Duration::from_secs(120), read_attempts: 8, call_attempts: 10, drain: Duration::from_secs(8) }
    }
}

/// Why an action failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ActionError {
    /// The API refused a call.
    #[error("{api} was refused: {code}: {message}")]
    Refused {
        /// The operation.
        api: String,
        /// The API's code.
        code: String,
        /// Its words.
        message: String,
    },
    /// An object of this name or key exists and is not ours.
    #[error("{api}: {type_name} {id} has the same name or key, and is not ours ({whose}); rename one of them")]
    NotOurs {
        /// The operation.
        api: String,
        /// The type.
        type_name: TypeName,
        /// The object.
        id: ObjectId,
        /// What its mark says.
        whose: String,
    },
    /// What the run would do lies outside its plan.
    #[error("outside the approved plan: {0}; plan again")]
    OutsidePlan(String),
    /// An output that nothing has given.
    #[error("the output {0} is not known")]
    Unresolved(OutputRef),
    /// The provider cannot make the change.
    #[error(transparent)]
    Compile(#[from] CannotCompile),
    /// It is not known whether a call landed; its intent stays open, and the next run finds out.
    #[error("whether {api} landed is not known ({reason}); the next run finds out")]
    Unsettled {
        /// The operation.
        api: String,
        /// What was seen.
        reason: String,
    },
    /// What a call needs to know of something else could not be found out. Nothing was sent.
    #[error("{api} needs {look}: {reason}")]
    Look {
        /// The operation.
        api: String,
        /// What was asked.
        look: Box<Look>,
        /// What came back instead of one object.
        reason: String,
    },
    /// Whether somebody else has made the object could not be found out. Nothing was sent.
    #[error("whether a {type_name} with these values is there already is not known: {reason}")]
    KeyUnread {
        /// The type.
        type_name: TypeName,
        /// What was seen.
        reason: String,
    },
    /// The object never became what was waited for.
    #[error("{type_name} {id}: {reason}")]
    NotReady {
        /// The type.
        type_name: TypeName,
        /// The object.
        id: ObjectId,
        /// What happened.
        reason: String,
    },
    /// A call kept failing in a way that could have passed.
    #[error("{api} did not succeed in {attempts} attempts; the last one: {reason}")]
    GaveUp {
        /// The operation.
        api: String,
        /// How many.
        attempts: u32,
        /// The last one's outcome.
        reason: String,
    },
    /// The lease has ended: another runner may have taken over.
    #[error(transparent)]
    Lease(#[from] LeaseLapsed),
    /// The log cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The run was interrupted.
    #[error("interrupted")]
    Interrupted,
    /// Something that the protocol rules out: a bug.
    #[error("bug: {0}")]
    Bug(String),
}

/// Whether a call waits for its turn once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    No,
    /// It was throttled.
    Throttled,
}

/// The right to send a call now: no other one on its object is on its way.
pub(super) struct Turn {
    permit: Permit,
    _key: Key,
}

impl Turn {
    /// The call was throttled.
    pub(super) fn throttled(self, io: &Io) {
        self.permit.throttled(io);
    }

    /// The call was not sent after all.
    pub(super) fn not_sent(self) {
        self.permit.not_sent();
    }
}

/// What every action of a run shares.
pub(super) struct Exec {
    pub(super) io: Io,
    pub(super) lease: Lease,
    pub(super) claims: BTreeMap<BlockAddr, Claim>,
    pub(super) providers: Providers,
    pub(super) limiter: Limiter,
    /// Where those meet that wait for objects.
    pub(super) watch: Watch,
    keys: Keys,
    /// Whose calls go first.
    ranks: BTreeMap<ResourceAddr, Rank>,
    pub(super) bounds: BTreeMap<TargetId, Bounds>,
    pub(super) desired: Arc<Desired>,
    /// What was approved.
    pub(super) ceiling: Ceiling,
    /// What is done of it: made under the claims.
    pub(super) plan: Plan,
    pub(super) world: World,
    pub(super) settings: Settings,
    /// The run, which takes what checks told.
    pub(super) run: RunStream,
    /// Whether it is in a simulated cloud.
    pub(super) simulated: bool,
    /// The objects of blocks that this run did not claim: it changes nothing there.
    pub(super) unclaimed: BTreeMap<ResourceAddr, (TargetId, TypeName, ObjectId)>,
    /// Where objects go that change their address.
    pub(super) moves: BTreeMap<ResourceAddr, ResourceAddr>,
    /// The outputs of resources as they are now: from the log and the world at first, then from what was done.
    outputs: Mutex<BTreeMap<ResourceAddr, Fields>>,
    /// The resources whose objects may have changed since the plan saw them.
    changed: Mutex<BTreeSet<ResourceAddr>>,
    /// The blocks whose definition this run has recorded.
    defined: Mutex<BTreeSet<BlockAddr>>,
}

impl Exec {
    #[expect(clippy::too_many_arguments, reason = "a struct literal cannot hold the private parts")]
    pub(super) fn new(
        io: Io,
        run: RunStream,
        simulated: bool,
        unclaimed: BTreeMap<ResourceAddr, (TargetId, TypeName, ObjectId)>,
        claims: BTreeMap<BlockAddr, Claim>,
        providers: Providers,
        bounds: BTreeMap<TargetId, Bounds>,
        desired: Arc<Desired>,
        ceiling: Ceiling,
        plan: Plan,
        world: World,
        outputs: BTreeMap<ResourceAddr, Fields>,
        limiter: Limiter,
        ranks: BTreeMap<ResourceAddr, Rank>,
        settings: Settings,
    ) -> Self {
        let moves = plan.resources().filter_map(|(to, resource)| match &resource.moved {
            Some(Moved::In { from }) => Some((from.clone(), to)),
            Some(Moved::Out { .. }) | None => None,
        });
        Self {
            moves: moves.collect(),
            io,
            lease: run.lease().clone(),
            run,
            simulated,
            unclaimed,
            claims,
            providers,
            limiter,
            watch: Watch::default(),
            ranks,
            keys: Keys::default(),
            bounds,
            desired,
            ceiling,
            plan,
            world,
            settings,
            outputs: Mutex::new(outputs),
            changed: Mutex::default(),
            defined: Mutex::default(),
        }
    }

    pub(super) fn claim(&self, block: &BlockAddr) -> Result<&Claim, ActionError> {
        self.claims.get(block).ok_or_else(|| ActionError::Bug(format!("{block} was not claimed")))
    }

    pub(super) fn bounds(&self, target: &TargetId) -> Result<Bounds, ActionError> {
        self.bounds.get(target).copied().ok_or_else(|| ActionError::Bug(format!("{target} was not verified")))
    }

    pub(super) fn reader(&self) -> Reader<'_> {
        Reader { io: &self.io, limiter: &self.limiter, attempts: self.settings.read_attempts }
    }

    pub(super) fn output(&self, output: &OutputRef) -> Option<crate::value::Value> {
        let outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        outputs.get(&output.resource)?.get(&output.output).cloned()
    }

    pub(super) fn set_outputs(&self, addr: &ResourceAddr, fields: Fields) {
        self.outputs.lock().unwrap_or_else(PoisonError::into_inner).insert(addr.clone(), fields);
    }

    /// What the plan saw of the resource's object may not be so any more.
    pub(super) fn must_look_again(&self, addr: &ResourceAddr) {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner).insert(addr.clone());
    }

    /// Whether the resource's object may have changed since the plan saw it.
    pub(super) fn may_have_changed(&self, addr: &ResourceAddr) -> bool {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner).contains(addr)
    }

    /// True exactly once per block: the first action in it records the definition.
    pub(super) fn define_once(&self, block: &BlockAddr) -> bool {
        self.defined.lock().unwrap_or_else(PoisonError::into_inner).insert(block.clone())
    }

    /// Ends the action if the run was interrupted.
    pub(super) fn go_on(&self) -> Result<(), ActionError> {
        if self.io.interrupts() > 0 { Err(ActionError::Interrupted) } else { Ok(()) }
    }

    /// Waits until a call of the resource may be sent, unless the run is interrupted.
    pub(super) async fn turn(
        &self,
        addr: &ResourceAddr,
        (target, object): (&TargetId, Option<&ObjectId>),
        api: &Api,
        is_again: Again,
    ) -> Result<Turn, ActionError> {
        self.go_on()?;
        let rank = match is_again {
            Again::Throttled => Rank::THROTTLED,
            Again::No => self.ranks.get(addr).copied().unwrap_or_default(),
        };
        let turn = async {
            let key = self.keys.lock(target, object).await;
            Turn { permit: self.limiter.call(&self.io, target, api, rank).await, _key: key }
        };
        let interrupted = std::pin::pin!(self.io.interrupted());
        match futures::future::select(std::pin::pin!(turn), interrupted).await {
            Either::Left((turn, _)) => Ok(turn),
            Either::Right(_) => Err(ActionError::Interrupted),
        }
    }

    /// Sleeps, unless the run was interrupted.
    pub(super) async fn pause(&self, duration: Duration) -> Result<(), ActionError> {
        self.go_on()?;
        let sleep = std::pin::pin!(self.io.sleep(duration));
        let interrupted = std::pin::pin!(self.io.interrupted());
        futures::future::select(sleep, interrupted).await;
        self.go_on()
    }

    /// When a call with this stamp can no longer be executed and its object must be visible.
    pub(super) fn settled_after(&self, target: &TargetId, last_instant: ServerTime) -> Result<ServerTime, ActionError> {
        Ok(last_instant.plus(self.bounds(target)?.visibility))
    }
}

/// How long to wait before the next attempt: doubled each time, from 200 ms to 5 s.
pub(super) fn backoff(attempt: u32) -> Duration {
    Duration::from_millis((200_u64 << attempt.min(6)).min(5_000))
}
