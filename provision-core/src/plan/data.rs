//! The plan as data: what a run may do, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::input::{Mode, Selection};
use crate::desired::Channel;
use crate::id::{
    BlockAddr, CheckName, Digest, EnvName, Generation, InfraId, Nonce, ObjectId, ProviderName, ResourceAddr,
    ResourceName, Revision, RunId, TypeName,
};
use crate::target::TargetId;
use crate::value::{Expr, Exprs, Fields, Value};

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
    /// known is filled in.
    pub after: Option<Exprs>,
    /// The name that a new object gets.
    pub new_name: Option<NewName>,
    /// Objects that go: the present one where it is deleted, and those that were deposed.
    pub retire: Vec<Retirement>,
    /// The resources that use this one, by the log or the code: what has to go or change before it goes.
    pub users: BTreeSet<ResourceAddr>,
    /// The resources that it uses, by the code.
    pub uses: BTreeSet<ResourceAddr>,
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

/// Why something happens, or does not.
///
/// ```
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let cloud = toy::cloud();
/// # let engine = toy::engine(&cloud);
/// use provision_core::embed::PlanRequest;
/// use provision_core::plan::{Outcome, Reason};
/// use provision_core::sim::{Tamper, wall_clock};
/// # let plan = engine.plan(&PlanRequest::default()).finish().await?.plan;
/// # engine.apply(plan, provision_core::exec::Binding::Ceiling).finish().await?;
///
/// // Everything was applied, and somebody took the labels of a network away.
/// let now = wall_clock()();
/// let id = cloud.lock().unwrap().objects(now)[1].id.clone();
/// let nothing = provision_core::value::Value::Map(Default::default());
/// cloud.lock().unwrap().tamper(now, &Tamper::Set { id, fields: [("tags".to_owned(), nothing)].into() })?;
///
/// let plan = engine.plan(&PlanRequest::default()).finish().await?.plan;
/// let branch = plan.resource(&"us-east.branch.branch".parse()?).expect("it is planned");
/// assert_eq!(branch.allowed, [Outcome::Update].into());
/// let [Reason::Field { field, from, to, .. }] = branch.reasons.as_slice() else { panic!("{branch:?}") };
/// assert_eq!(field, "tags");
/// println!("{field}: {from:?} -> {to:?}");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Reason {
    /// The log knows no object of it.
    New,
    /// The recorded object is no longer there.
    Gone {
        /// Its id.
        id: ObjectId,
    },
    /// A field differs.
    Field {
        /// Its name.
        field: String,
        /// What it is.
        from: Option<Value>,
        /// What it is to be.
        to: Expr,
        /// Whether the difference makes a new object necessary.
        replaces: Certainty,
        /// Whether it differs at all.
        differs: Certainty,
    },
    /// Its mark was taken off or changed.
    MarkLost,
    /// The object is not ready yet, as after a run that was cut off while it waited: it is waited for.
    NotReady,
    /// The resource has left the code.
    LeftCode,
    /// Everything is to be destroyed.
    DestroyAsked,
    /// A replaced object is still to be deleted.
    DeleteDue {
        /// Its id.
        id: ObjectId,
    },
    /// A call of an interrupted run is open: it is found out first whether it landed.
    OpenCall {
        /// The operation.
        api: String,
    },
    /// The object is gone, and the call that made it was repeated: until that can no longer arrive once more, it may.
    MayBeMadeAgain {
        /// The operation.
        api: String,
    },
    /// The object stays although the code no longer has it.
    Kept {
        /// Because of what.
        because: String,
    },
    /// The object was the one of another address.
    MovedFrom {
        /// Which.
        from: ResourceAddr,
    },
    /// The object becomes the one of another address.
    MovedTo {
        /// Which.
        to: ResourceAddr,
    },
    /// The address of something that it uses has changed: the log is brought up to date.
    RefsMoved,
    /// The log is to remember whether the object may be deleted.
    Protection {
        /// Whether that is prevented from now on.
        prevent_destroy: bool,
    },
    /// A field differs, and the definition says to leave it alone.
    Ignored {
        /// The field.
        field: String,
        /// What it is.
        is: Option<Value>,
        /// What the definition says.
        defined: Expr,
    },
    /// The old object goes first, because both would have the same values here.
    KeyTaken {
        /// The fields.
        fields: Vec<String>,
    },
    /// It uses something whose old object goes before the new one is made.
    UsesWhatGoesFirst {
        /// What.
        resource: ResourceAddr,
    },
    /// An object that is there becomes the resource's.
    Adopted {
        /// Its id.
        id: ObjectId,
    },
    /// Reads do not show this field of an object that is taken over: it is taken to be as the definition says.
    OnTrust {
        /// The field.
        field: String,
    },
    /// A field has left the code: the object keeps its value, and it is no longer ours.
    NoLongerOurs {
        /// The field.
        field: String,
        /// What it stays.
        stays: Value,
    },
}

/// How sure a plan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// It does not.
    No,
    /// It depends on what is known only after apply.
    May,
    /// It does.
    Yes,
}

/// Something that a reader should know and that is no change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Note {
    /// An object carries our mark, but no log knows it.
    Unmanaged {
        /// The address in its mark.
        address: ResourceAddr,
        /// Its type.
        type_name: TypeName,
        /// Its id.
        id: ObjectId,
    },
    /// A block has left the code and stays as it is.
    BlockKept {
        /// The block.
        block: BlockAddr,
        /// Why, and what would destroy it.
        because: String,
    },
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
        self.resources().all(|(_, resource)| !resource.acts())
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
        self.changes()
            .filter(|(_, change)| change.resources.values().any(ResourcePlan::acts))
            .map(|(addr, _)| addr.clone())
            .collect()
    }
}

impl Reason {
    /// Whether it is found out first what a call of an earlier run did, so that everything is possible until then.
    pub fn is_open_call(&self) -> bool {
        matches!(self, Self::OpenCall { .. } | Self::MayBeMadeAgain { .. })
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
            | Reason::MovedFrom { .. }
            | Reason::RefsMoved
            | Reason::Protection { .. } => true,
            Reason::New
            | Reason::Gone { .. }
            | Reason::Field { .. }
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
