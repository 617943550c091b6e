//! What stands in the streams: one event enum per kind of stream.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::call::{Effect, Mark, ReadyCall, ServerTime};
use crate::desired::{Channel, DesiredBlock};
use crate::id::{
    BlockAddr, CheckName, Digest, EnvName, Epoch, Generation, IntentNo, ObjectId, ProviderName, ResourceAddr,
    ResourceName, Revision, RunId, TypeName, TypedId,
};
use crate::lookup::FoundObject;
use crate::progress::CheckResult;
use crate::target::TargetId;
use crate::value::Fields;

/// What happens to a block.
///
/// # Guarantees
/// Every event but [`BlockEvent::Claimed`] stands under the claim of the run that wrote it; the fold refuses others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum BlockEvent {
    /// A run took the block. Its epoch is one above the last.
    Claimed {
        /// The run.
        run: RunId,
        /// Counts claims.
        epoch: Epoch,
        /// Who runs it, for whoever is refused.
        holder: Holder,
        /// Why a claim that was still open could be superseded.
        took_over: Option<TakeOver>,
    },
    /// The run gave the block back.
    Released {},
    /// The run begins to bring the block to this definition.
    Applying {
        /// The definition's digest.
        digest: Digest,
        /// The definition, where it is another one than before. An entry of format 1 has none either where an earlier one held it.
        definition: Option<Box<DesiredBlock>>,
        /// The environment and channel of its data centre.
        env: EnvName,
        /// The channel.
        channel: Channel,
        /// Where each provider's calls go.
        targets: BTreeMap<ProviderName, TargetId>,
        /// What the lookups found that the definition has or uses.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        found: BTreeMap<ResourceAddr, FoundObject>,
    },
    /// A mutating call is about to be made.
    Intent(Box<Intent>),
    /// The call landed.
    Done {
        /// Which intent.
        intent: IntentNo,
        /// The object's id, where the call created it.
        id: Option<ObjectId>,
        /// Computed fields that the answer or the read that found it held.
        outputs: Fields,
        /// Whether the answer said so or a look afterwards.
        how: Landed,
    },
    /// The call was definitely refused.
    Failed {
        /// Which intent.
        intent: IntentNo,
        /// The API's code.
        code: String,
        /// The API's words.
        message: String,
    },
    /// The call did not land and can no longer land.
    Abandoned {
        /// Which intent.
        intent: IntentNo,
    },
    /// The resource is as defined: these are the fields that are ours, and these the resources whose outputs it uses.
    Applied {
        /// The resource.
        resource: ResourceName,
        /// The fields that are ours.
        inputs: Fields,
        /// Computed fields as last seen.
        outputs: Fields,
        /// The resources whose outputs it uses.
        depends_on: BTreeSet<ResourceAddr>,
    },
    /// The resource's present object is to be deleted, later; the resource has no object from here on.
    Deposed {
        /// The resource.
        resource: ResourceName,
        /// The object.
        id: ObjectId,
    },
    /// An object is gone although no call of ours removed it.
    Gone {
        /// The resource.
        resource: ResourceName,
        /// The object.
        id: ObjectId,
    },
    /// The resource goes on in another block or under another name.
    MovedOut {
        /// The resource.
        resource: ResourceName,
        /// Where to.
        to: ResourceAddr,
    },
    /// A resource came from another block or name.
    MovedIn {
        /// The resource.
        resource: ResourceName,
        /// Where from.
        from: ResourceAddr,
        /// The epoch of the claim under which it was moved out: with it, two moves of one object are told apart.
        epoch: Epoch,
        /// Its record there, with the mark that it is to carry here.
        record: Box<ObjectRecord>,
        /// The fields that were ours there.
        applied: Option<Fields>,
        /// Whether it was protected there.
        #[serde(default)]
        protected: bool,
    },
    /// The object is about to become the resource's. Written before all logs are read once more, so that of two runs that
    /// take over one object at least one sees the other; it counts as long as the claim is open.
    Adopting {
        /// The resource.
        resource: ResourceName,
        /// The object.
        id: ObjectId,
    },
    /// An object that is there became the resource's; nothing was called.
    Adopted {
        /// The resource.
        resource: ResourceName,
        /// The object as it was found.
        record: Box<ObjectRecord>,
        /// The fields that are ours from now on, as they were found.
        inputs: Fields,
        /// Whether its definition protects it.
        #[serde(default)]
        protected: bool,
    },
    /// All health checks of the block have passed, and the block's objects are as they were then.
    Healthy {},
    /// Kept for a later kind of claim: a position or a name is set aside for a run.
    Reserved {
        /// For which run.
        run: RunId,
    },
}

/// How it is known that a call landed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Landed {
    /// The server answered so.
    Answered,
    /// It was found by a look afterwards.
    Found,
    /// The request was repeated after a lost answer, and the repetition was answered. The first one may still arrive
    /// until the call's last instant: nothing that it could undo or outlive may happen to the object before.
    Repeated,
}

/// The durable record, written before a mutating call, that the call is about to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// Its number.
    pub number: IntentNo,
    /// The resource.
    pub resource: ResourceName,
    /// The schema version of its type.
    pub version: u32,
    /// Where the call goes.
    pub target: TargetId,
    /// The object that it acts on; `None` for creates.
    pub object: Option<ObjectId>,
    /// The mark that a create sets, or by which the object is known.
    pub mark: Option<Mark>,
    /// The call.
    pub call: ReadyCall,
    /// The resources whose outputs the request uses: what must outlive the object.
    pub depends_on: BTreeSet<ResourceAddr>,
    /// The stamp fixed at the lease check.
    pub stamp: ServerTime,
    /// The server refuses the call after it.
    pub last_instant: ServerTime,
}

/// An object as a block's log records it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectRecord {
    /// Its type.
    pub type_name: TypeName,
    /// The schema version that its fields follow.
    pub version: u32,
    /// Where it is.
    pub target: TargetId,
    /// Its id.
    pub id: ObjectId,
    /// Its mark.
    pub mark: Option<Mark>,
    /// Its fields, ours and the server's, as far as calls set them and answers showed them.
    pub fields: Fields,
    /// The resources whose outputs it uses.
    pub depends_on: BTreeSet<ResourceAddr>,
}

impl ObjectRecord {
    /// Its type and id: among all objects of its target it alone has them.
    pub fn typed_id(&self) -> TypedId {
        TypedId { type_name: self.type_name.clone(), id: self.id.clone() }
    }
}

/// Who holds a claim: for people, and to find out whether a process is dead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    /// A person's name for it: `user@host`.
    pub name: String,
    /// The kernel's boot id.
    pub boot_id: String,
    /// The PID namespace.
    pub pid_namespace: String,
    /// The process id in that namespace.
    pub pid: u32,
    /// The process's start time, in clock ticks since boot.
    pub start_time: u64,
    /// When the run began, by the holder's clock: shown, never compared.
    pub since: String,
}

/// Why an open claim could be superseded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakeOver {
    /// Its run has ended.
    RunEnded,
    /// Its process is dead.
    HolderDead,
    /// Its lease ran out.
    LeaseExpired,
}

/// What happens to a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum RunEvent {
    /// The run begins; its lease counts from before this entry was sent.
    Started {
        /// Who runs it.
        holder: Holder,
        /// How long the lease lasts after each renewal, in milliseconds.
        lease_ms: u64,
        /// The digest of the plan that was approved.
        plan: Digest,
        /// What the plan was made of.
        revision: Revision,
        /// Its generation.
        generation: Generation,
        /// The blocks that it may change.
        blocks: BTreeSet<BlockAddr>,
        /// Whether it runs in a simulated cloud.
        simulated: bool,
    },
    /// Another process goes on with the run; whoever ran it before writes nothing more.
    Resumed {
        /// Who runs it from here on.
        holder: Holder,
        /// How long the lease lasts after each renewal, in milliseconds.
        lease_ms: u64,
        /// Why the earlier process could be superseded.
        took_over: TakeOver,
    },
    /// A health check told whether a block is healthy.
    Checked {
        /// The block.
        block: BlockAddr,
        /// The check.
        check: CheckName,
        /// What it told.
        result: CheckResult,
        /// Whether the simulated cloud answered.
        simulated: bool,
    },
    /// The lease begins anew, from before this entry was sent.
    Renewed {},
    /// The run has ended; its claims count no more.
    Ended {
        /// How.
        outcome: RunOutcome,
    },
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Everything that was planned was done.
    Succeeded,
    /// Something failed; the rest was done as far as it did not depend on it.
    Failed,
    /// It was interrupted.
    Interrupted,
    /// A claim was refused, or the world had changed since the plan: nothing was called.
    Refused,
}

impl Effect {
    /// The fields that the effect sets, if any.
    pub fn fields(&self) -> Option<&Fields> {
        match self {
            Self::Create { fields, .. } | Self::Set { fields, .. } => Some(fields),
            Self::Remove => None,
        }
    }

    /// The mark that the effect sets, if any.
    pub fn mark(&self) -> Option<&Mark> {
        match self {
            Self::Create { mark, .. } | Self::Set { mark, .. } => mark.as_ref(),
            Self::Remove => None,
        }
    }
}
