//! The plan as data: what a run may do, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::input::{Mode, Selection};
use super::reason::{Certainty, Note, Reason};
use crate::desired::Channel;
use crate::id::{
    BlockAddr, CheckName, Digest, EnvName, Generation, InfraId, Nonce, ObjectId, ProviderName, ResourceAddr,
    ResourceName, Revision, RunId, TypeName,
};
use crate::lookup::FoundObject;
use crate::target::TargetId;
use crate::value::{Exprs, Fields};

/// What a run may do: a ceiling, not a script.
///
/// ```
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let engine = toy::engine(&toy::cloud());
/// use provision_core::embed::PlanRequest;
/// use provision_core::plan::{Outcome, open, seal};
///
/// let plan = engine.plan(&PlanRequest::default()).finish().await?.plan;
/// for (address, resource) in plan.resources() {
///     assert!(resource.acts(), "{address}");
///     assert_eq!(resource.allowed, [Outcome::Create].into());
/// }
/// assert_eq!(plan.refusals().count(), 0);
/// assert_eq!(plan.touched(), ["us-east.base".parse()?, "us-east.branch".parse()?].into());
///
/// // A plan can be kept, and names its run before there is one.
/// let kept = open(&seal(&plan))?;
/// assert_eq!((&kept, kept.run_id()), (&plan, plan.run_id()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The version of this format.
    pub format_version: String,
    /// The infrastructure.
    pub infra: InfraId,
    /// What the code was built from.
    pub revision: Revision,
    /// The generation.
    pub generation: Generation,
    /// Makes this plan different from every other.
    pub nonce: Nonce,
    /// What it is for.
    pub mode: Mode,
    /// The blocks that it was limited to.
    pub selection: Selection,
    /// Whether it was made in a simulated cloud.
    pub simulated: bool,
    /// The environments, in the order in which they are applied.
    pub environments: Vec<EnvName>,
    /// What lookups found that planned blocks have or use. A run of the plan uses this, and does not ask again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lookups: BTreeMap<ResourceAddr, FoundObject>,
    /// The blocks, in or out of the code.
    pub blocks: BTreeMap<BlockAddr, BlockPlan>,
    /// What a reader should know that is no change.
    pub notes: Vec<Note>,
}

/// What may happen to a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BlockPlan {
    /// It was planned.
    Planned(Box<BlockChange>),
    /// It can't be planned, so nothing in it may be called; other blocks are unharmed.
    Refused {
        /// Why, and what would be right.
        problem: String,
    },
}

/// A block's changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockChange {
    /// Its environment.
    pub env: EnvName,
    /// Its channel.
    pub channel: Channel,
    /// Where each provider's calls go.
    pub targets: BTreeMap<ProviderName, TargetId>,
    /// The blocks whose creates, updates and checks come first.
    pub after: BTreeSet<BlockAddr>,
    /// The digest of the block's definition; `None` where the block has left the code.
    pub definition: Option<Digest>,
    /// The digest of what the block's log records, not of its position.
    pub state: Digest,
    /// The checks that say whether it is healthy.
    pub checks: BTreeSet<CheckName>,
    /// Those that are asked although nothing in the block may change: an object in it was made or changed, and they have
    /// not passed since.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub checks_due: BTreeSet<CheckName>,
    /// Its resources.
    pub resources: BTreeMap<ResourceName, ResourcePlan>,
}

/// What may happen to a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourcePlan {
    /// Its type.
    pub type_name: TypeName,
    /// Where it is or will be.
    pub target: TargetId,
    /// What may happen to it. Doing nothing is always allowed, but only listed where it is possible.
    pub allowed: BTreeSet<Outcome>,
    /// The fields that an update may touch.
    pub fields: BTreeSet<String>,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Whether the code has it.
    pub defined: bool,
    /// Which of the two goes first where it is replaced.
    pub order: ReplaceOrder,
    /// Where its object comes from or goes to.
    pub moved: Option<Moved>,
    /// The object that it has now, or that is adopted.
    pub existing: Option<Existing>,
    /// Where something may be done: the object's fields as they are, the server's included.
    pub before: Option<Fields>,
    /// Where something may be done and the resource stays: the fields that the definition sets, and defaults. What is
    /// known is filled in; where that is nothing, the definition's own are shared.
    pub after: Option<Arc<Exprs>>,
    /// The name that a new object gets.
    pub new_name: Option<NewName>,
    /// Objects that go: the present one where it is deleted, and those that were deposed.
    pub retire: Vec<Retirement>,
    /// The resources that use this one, by the log or the code: what has to go or change before it goes.
    pub users: BTreeSet<ResourceAddr>,
    /// The resources that it uses, by the code: each once, in the order of their addresses. A set would take ten times as
    /// much memory for the one or two that most use.
    pub uses: Vec<ResourceAddr>,
}

/// One thing that can happen to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing.
    NoOp,
    /// A new object.
    Create,
    /// The object is changed in place.
    Update,
    /// A new object is made, users change over, then the old one goes.
    Replace,
    /// The object goes.
    Delete,
    /// An object that is there already becomes the resource's: nothing is called.
    Adopt,
}

/// Which of two objects goes first where one replaces the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplaceOrder {
    /// The new one is made, users change over, the old one goes.
    #[default]
    CreateFirst,
    /// Users go, the old one goes, the new one is made, users are made anew.
    DeleteFirst,
}

/// Where a resource's object comes from or goes to. Nothing is called for that but the setting of its mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Moved {
    /// It comes from there.
    In {
        /// Where it was.
        from: ResourceAddr,
    },
    /// It goes there.
    Out {
        /// Where it will be.
        to: ResourceAddr,
    },
}

/// An object as it was when the plan was made: the pre-image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Existing {
    /// Its id.
    pub id: ObjectId,
}

/// The name of a new object, in the field that the engine names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewName {
    /// The field.
    pub field: String,
    /// The name.
    pub name: String,
}

/// An object that goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retirement {
    /// Its id.
    pub id: ObjectId,
    /// Its type, which the resource may have changed since.
    pub type_name: TypeName,
    /// Where it is.
    pub target: TargetId,
}

impl Plan {
    /// The bytes that the digest is made of.
    pub fn canonical(&self) -> Vec<u8> {
        // Strings, numbers, lists and maps with string keys: writing them to memory cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The digest that approvals name.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.canonical())
    }

    /// The one run that this plan can have.
    pub fn run_id(&self) -> RunId {
        RunId::of(&self.digest())
    }

    /// Every planned resource with its address.
    pub fn resources(&self) -> impl Iterator<Item = (ResourceAddr, &ResourcePlan)> {
        self.changes().flat_map(|(block, change)| {
            change.resources.iter().map(move |(name, resource)| (block.resource(name.clone()), resource))
        })
    }

    /// Every planned block.
    pub fn changes(&self) -> impl Iterator<Item = (&BlockAddr, &BlockChange)> {
        self.blocks.iter().filter_map(|(addr, block)| match block {
            BlockPlan::Planned(change) => Some((addr, change.as_ref())),
            BlockPlan::Refused { .. } => None,
        })
    }

    /// The resource of that address, if it was planned.
    pub fn resource(&self, addr: &ResourceAddr) -> Option<&ResourcePlan> {
        match self.blocks.get(&addr.block)? {
            BlockPlan::Planned(change) => change.resources.get(&addr.name),
            BlockPlan::Refused { .. } => None,
        }
    }

    /// The objects that become a resource's.
    pub fn adoptions(&self) -> BTreeMap<ResourceAddr, ObjectId> {
        let adopts = self.resources().filter(|(_, resource)| resource.allowed.contains(&Outcome::Adopt));
        adopts.filter_map(|(addr, resource)| Some((addr, resource.existing.as_ref()?.id.clone()))).collect()
    }

    /// Whether a run of this plan could change anything.
    pub fn is_empty(&self) -> bool {
        self.changes().all(|(_, change)| !change.acts())
    }

    /// How many recorded objects go because the code no longer has them, and how many there are.
    pub fn leaving(&self) -> (usize, usize) {
        let count = |keep: &dyn Fn(&ResourcePlan) -> bool| {
            self.resources().filter(|(_, resource)| resource.existing.is_some() && keep(resource)).count()
        };
        let leaves = |resource: &ResourcePlan| {
            resource.reasons.contains(&Reason::LeftCode) && resource.allowed.contains(&Outcome::Delete)
        };
        (count(&leaves), count(&|_| true))
    }

    /// Every block that can't be planned, and why.
    pub fn refusals(&self) -> impl Iterator<Item = (&BlockAddr, &str)> {
        self.blocks.iter().filter_map(|(addr, block)| match block {
            BlockPlan::Refused { problem } => Some((addr, problem.as_str())),
            BlockPlan::Planned(_) => None,
        })
    }

    /// The blocks that a run of this plan may change: what it claims.
    pub fn touched(&self) -> BTreeSet<BlockAddr> {
        self.changes().filter(|(_, change)| change.acts()).map(|(addr, _)| addr.clone()).collect()
    }
}

impl BlockChange {
    /// Whether anything may be done in the block: for one of its resources, or asking its checks.
    pub fn acts(&self) -> bool {
        self.resources.values().any(ResourcePlan::acts) || !self.checks_due.is_empty()
    }
}

impl ResourcePlan {
    /// Whether anything may be done for this resource: a change, a deletion, or finding out about an open call.
    pub fn acts(&self) -> bool {
        self.allowed.iter().any(|outcome| *outcome != Outcome::NoOp)
            || !self.retire.is_empty()
            || self.is_unfinished()
            || self.moved.is_some()
    }

    /// Whether there is something to do although nothing may have to be called: an earlier run was cut off in the middle of
    /// it (a call is open, or the object was not waited for), or the log has to take something in.
    fn is_unfinished(&self) -> bool {
        self.reasons.iter().any(|reason| match reason {
            Reason::OpenCall { .. }
            | Reason::MayBeMadeAgain { .. }
            | Reason::NotReady
            | Reason::Broken { .. }
            | Reason::NotFinished
            | Reason::MovedFrom { .. }
            | Reason::RefsMoved
            | Reason::Protection { .. } => true,
            Reason::New
            | Reason::Gone { .. }
            | Reason::Field { .. }
            | Reason::FoundOther { .. }
            | Reason::MarkLost
            | Reason::LeftCode
            | Reason::DestroyAsked
            | Reason::DeleteDue { .. }
            | Reason::Kept { .. }
            | Reason::MovedTo { .. }
            | Reason::Ignored { .. }
            | Reason::KeyTaken { .. }
            | Reason::UsesWhatGoesFirst { .. }
            | Reason::Adopted { .. }
            | Reason::OnTrust { .. }
            | Reason::NoLongerOurs { .. } => false,
        })
    }

    /// Whether it has creates or updates, which users wait for.
    pub fn applies(&self) -> bool {
        self.allowed
            .iter()
            .any(|outcome| matches!(outcome, Outcome::Create | Outcome::Update | Outcome::Replace | Outcome::Adopt))
            || (self.defined && self.allowed == BTreeSet::from([Outcome::NoOp]) && self.is_unfinished())
    }

    /// Whether its present object goes before a new one is made, if it is replaced.
    pub fn goes_first(&self) -> bool {
        self.order == ReplaceOrder::DeleteFirst && self.allowed.contains(&Outcome::Replace)
    }

    /// Whether it is known only after apply that its present object goes.
    pub fn may_stay(&self) -> bool {
        let goes_with = |reason: &Reason| matches!(reason, Reason::UsesWhatGoesFirst { .. });
        self.allowed != BTreeSet::from([Outcome::Replace]) && !self.reasons.iter().any(goes_with)
    }

    /// Whether its present object goes because that of the other resource does.
    pub fn goes_with(&self, other: &ResourceAddr) -> bool {
        self.reasons.contains(&Reason::UsesWhatGoesFirst { resource: other.clone() })
    }

    /// Whether it may be replaced only because nobody knows yet what a call of an earlier run did.
    pub fn replaces_by_open_call_alone(&self) -> bool {
        let differs = |reason: &Reason| {
            matches!(
                reason,
                Reason::Field { replaces: Certainty::May | Certainty::Yes, .. } | Reason::UsesWhatGoesFirst { .. }
            )
        };
        self.allowed.contains(&Outcome::Replace)
            && self.reasons.iter().any(Reason::is_open_call)
            && !self.reasons.iter().any(differs)
    }

    /// Whether an open call of what has left the code is found out about: nothing else may have to be done for it.
    pub fn finds_out(&self) -> bool {
        !self.defined && self.reasons.iter().any(Reason::is_open_call)
    }

    /// Whether objects of it go, or may go.
    pub fn retires(&self) -> bool {
        !self.retire.is_empty() || self.allowed.contains(&Outcome::Delete) || self.allowed.contains(&Outcome::Replace)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoOp => "no-op",
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Adopt => "adopt",
        })
    }
}
