//! Why a plan does what it does, and what a reader should know beside it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::{BlockAddr, CheckName, ObjectId, ResourceAddr, TypeName};
use crate::value::{Expr, Value};

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
    /// A field differs because a lookup finds something else than when the block was last applied.
    FoundOther {
        /// The field.
        field: String,
        /// The lookup.
        lookup: ResourceAddr,
        /// What it found then.
        was: ObjectId,
        /// What it finds now: the same, where something of it has changed.
        is: ObjectId,
    },
    /// Its mark was taken off or changed.
    MarkLost,
    /// The object is not ready yet, as after a run that was cut off while it waited: it is waited for.
    NotReady,
    /// The object never will be ready, as a read says: the run fails with that until somebody mends or removes it.
    Broken {
        /// In the provider's words.
        why: String,
    },
    /// The object is there, and the run that made it was cut off before the log said that it is as defined.
    NotFinished,
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
    /// An object of the block was made or changed, and its checks have not passed since: they are asked.
    ChecksDue {
        /// The block.
        block: BlockAddr,
        /// The checks.
        checks: BTreeSet<CheckName>,
    },
    /// A block has left the code and stays as it is.
    BlockKept {
        /// The block.
        block: BlockAddr,
        /// Why, and what would destroy it.
        because: String,
    },
}

impl Reason {
    /// Whether it is found out first what a call of an earlier run did, so that everything is possible until then.
    pub fn is_open_call(&self) -> bool {
        matches!(self, Self::OpenCall { .. } | Self::MayBeMadeAgain { .. })
    }
}
