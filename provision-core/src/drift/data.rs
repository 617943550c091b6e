//! What is found out about drift, as data.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::call::Mark;
use crate::id::{BlockAddr, DcName, EnvName, InfraId, ObjectId, ResourceAddr, RunId, TypeName};
use crate::target::TargetId;
use crate::value::Value;

/// Where the clouds differ from what the logs say was applied.
///
/// ```
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let cloud = toy::cloud();
/// # let engine = toy::engine(&cloud);
/// use provision_core::drift::Verdict;
/// use provision_core::embed::PlanRequest;
/// use provision_core::exec::Binding;
/// use provision_core::sim::{Tamper, wall_clock};
///
/// let plan = engine.plan(&PlanRequest::default()).finish().await?.plan;
/// engine.apply(plan, Binding::Ceiling).finish().await?;
///
/// // Somebody takes an object away and changes another one.
/// let now = wall_clock()();
/// let held = cloud.lock().unwrap().objects(now);
/// let tags = [("tags".to_owned(), provision_core::value::Value::Map([("team".to_owned(), "x".into())].into()))];
/// cloud.lock().unwrap().tamper(now, &Tamper::Set { id: held[0].id.clone(), fields: tags.into() })?;
/// cloud.lock().unwrap().tamper(now, &Tamper::Remove { id: held[1].id.clone() })?;
///
/// let report = engine.drift().finish().await?;
/// assert_eq!(report.verdict(), Verdict::Drift);
/// let us = &report.dcs[&"us-east".parse()?];
/// assert_eq!(us.drifted[&"us-east.base.main".parse()?].fields[0].field, "tags");
/// assert!(us.missing.contains_key(&"us-east.branch.branch".parse()?));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriftReport {
    /// The version of this format.
    pub format_version: String,
    /// The infrastructure.
    pub infra: InfraId,
    /// The data centres that the logs or a mark name.
    pub dcs: BTreeMap<DcName, DcDrift>,
    /// What could not be read: nothing is known about objects there.
    pub unread: Vec<Unread>,
}

/// What was found in one data centre.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DcDrift {
    /// Its environment, as last recorded.
    pub env: Option<EnvName>,
    /// How many objects the logs record, those that change their address included, without those that are due to go.
    pub resources: usize,
    /// How many of them are as they were applied.
    pub as_applied: usize,
    /// Objects whose fields or mark somebody changed, or that have failed.
    pub drifted: BTreeMap<ResourceAddr, Drifted>,
    /// Recorded objects that are not there any more.
    pub missing: BTreeMap<ResourceAddr, ObjectAt>,
    /// Recorded objects about which nothing could be found out.
    pub unknown: BTreeMap<ResourceAddr, NotKnown>,
    /// What runs have begun and not finished: no drift, the next apply goes on with it.
    pub unfinished: Vec<Unfinished>,
    /// Objects that carry our mark and that no log knows.
    pub unmanaged: Vec<Unmanaged>,
    /// Blocks whose logs can't be used, and why: nothing is known about what they hold.
    pub damaged: BTreeMap<BlockAddr, String>,
}

/// An object, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectAt {
    /// Its type.
    pub type_name: TypeName,
    /// Its id.
    pub id: ObjectId,
    /// Where it is.
    pub target: TargetId,
}

/// An object that somebody changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drifted {
    /// Which.
    pub object: ObjectAt,
    /// The fields that differ, in the order of the schema. Only fields that are ours are among them.
    pub fields: Vec<FieldDrift>,
    /// Set where its mark was taken off or changed.
    pub mark: Option<MarkDrift>,
    /// Set where it will not be ready any more by itself, as an instance that was stopped: why.
    pub failed: Option<String>,
}

/// A field that differs, both values in the schema's normal form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldDrift {
    /// The field.
    pub field: String,
    /// What was applied.
    pub applied: Value,
    /// What it is; `None` where the object does not have it.
    pub observed: Option<Value>,
}

/// A mark that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarkDrift {
    /// The mark that the object was given.
    pub recorded: Mark,
    /// The one that it carries.
    pub observed: Option<Mark>,
}

/// An object about which nothing could be found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotKnown {
    /// Which.
    pub object: ObjectAt,
    /// Why.
    pub why: String,
}

/// Something that a run has begun and not finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfinished {
    /// Of which block.
    pub block: BlockAddr,
    /// What.
    #[serde(flatten)]
    pub what: UnfinishedWhat,
}

/// What was not finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "unfinished", rename_all = "snake_case")]
pub enum UnfinishedWhat {
    /// A run holds the block, or was cut off while it did.
    Claimed {
        /// The run.
        run: RunId,
        /// Who runs it.
        holder: String,
    },
    /// Whether a call landed is not recorded.
    OpenCall {
        /// The resource.
        resource: ResourceAddr,
        /// The operation.
        api: String,
    },
    /// A replaced object is still to be deleted.
    DeleteDue {
        /// The resource that it was of.
        resource: ResourceAddr,
        /// The object.
        object: ObjectAt,
    },
    /// An object has left its address, and has not come to the other.
    Moving {
        /// The resource that it was of.
        resource: ResourceAddr,
        /// The resource that it goes to.
        to: ResourceAddr,
        /// The object.
        object: ObjectAt,
    },
    /// An object that was moved or taken over carries its mark with another address yet: the next apply sets it.
    MarkDue {
        /// The resource.
        resource: ResourceAddr,
        /// The address in the mark that it carries.
        carries: ResourceAddr,
    },
    /// An object was made or changed by a run that was cut off before the resource was as defined.
    HalfApplied {
        /// The resource.
        resource: ResourceAddr,
        /// The fields that a run of ours changed since the resource was last as defined; empty where it never was.
        fields: BTreeSet<String>,
    },
}

/// An object that carries our mark and that no log knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unmanaged {
    /// The address in its mark.
    pub address: ResourceAddr,
    /// Which object.
    pub object: ObjectAt,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unread {
    /// Where.
    pub target: TargetId,
    /// Which type; `None` where the whole target cannot be used.
    pub type_name: Option<TypeName>,
    /// Why.
    pub why: String,
}

/// What a report amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All that the logs record is as it was applied, and nothing else carries our mark.
    None,
    /// There is drift, and everything could be read.
    Drift,
    /// Something could not be read, so there may be drift that nobody has seen.
    NotKnown,
}

impl DriftReport {
    /// What it amounts to. What could not be read weighs more than drift.
    pub fn verdict(&self) -> Verdict {
        let blind = |dc: &DcDrift| !dc.unknown.is_empty() || !dc.damaged.is_empty();
        let drifts = |dc: &DcDrift| !dc.drifted.is_empty() || !dc.missing.is_empty() || !dc.unmanaged.is_empty();
        if !self.unread.is_empty() || self.dcs.values().any(blind) {
            Verdict::NotKnown
        } else if self.dcs.values().any(drifts) {
            Verdict::Drift
        } else {
            Verdict::None
        }
    }
}
