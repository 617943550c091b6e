//! What the code asks for, erased: the boundary between the DSL and everything else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::check::{CustomChecks, DesiredCheck};
use crate::id::{
    BlockAddr, CheckName, DcName, Digest, EnvName, InfraId, ProviderName, ResourceAddr, ResourceName, TypeName,
};
use crate::target::TargetId;
use crate::value::{Expr, Exprs, Value};

/// The whole infrastructure as its code describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// Its name.
    pub infra: InfraId,
    /// The environments in the order in which they are applied.
    pub environments: Vec<EnvName>,
    /// The data centres.
    pub dcs: BTreeMap<DcName, DesiredDc>,
    /// The blocks.
    pub blocks: BTreeMap<BlockAddr, DesiredBlock>,
    /// The functions that checks name.
    pub custom_checks: CustomChecks,
}

/// A data centre.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DesiredDc {
    /// Its environment.
    pub env: EnvName,
    /// Whether it runs stable or beta releases.
    pub channel: Channel,
    /// Where each provider's calls go.
    pub targets: BTreeMap<ProviderName, TargetId>,
}

/// Which releases a data centre runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A: stable.
    Stable,
    /// B: beta.
    Beta,
}

/// A block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DesiredBlock {
    /// The function that built it.
    pub function: String,
    /// What it was given.
    pub params: Value,
    /// The blocks that it uses or was ordered after.
    pub after: BTreeSet<BlockAddr>,
    /// Its resources.
    pub resources: BTreeMap<ResourceName, DesiredResource>,
    /// What its function returned: what other blocks and people can use of it.
    #[serde(default, skip_serializing_if = "Expr::is_null")]
    pub outputs: Expr,
    /// How to find out whether it is healthy.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checks: BTreeMap<CheckName, DesiredCheck>,
}

/// A resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DesiredResource {
    /// Its type.
    pub type_name: TypeName,
    /// The schema version that the code was written for.
    pub version: u32,
    /// Its provider.
    pub provider: ProviderName,
    /// The fields that the definition sets, and the defaults of those that it does not.
    pub inputs: Exprs,
    /// What becomes of its object when the definition changes.
    #[serde(default, skip_serializing_if = "Lifecycle::is_usual")]
    pub lifecycle: Lifecycle,
    /// Where the definition stands; not part of any digest, since moving code changes nothing.
    #[serde(skip)]
    pub location: Location,
}

/// What becomes of a resource's object when its definition changes or leaves the code.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lifecycle {
    /// The object is neither deleted nor replaced. The log remembers it: taking the definition out of the code does not
    /// delete the object either.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub prevent_destroy: bool,
    /// A replacement deletes the old object before it makes the new one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub delete_before_replace: bool,
    /// Fields that are set when the object is made and left alone afterwards, whoever changes them.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub ignore_changes: BTreeSet<String>,
    /// The addresses that the resource had before: the first of them that has an object gives it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moved_from: Vec<ResourceAddr>,
}

impl Lifecycle {
    /// Whether nothing was said about it.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl DesiredBlock {
    /// The definition as a log records it: without places in the code, which are no part of it.
    #[must_use]
    pub fn without_locations(&self) -> Self {
        let mut block = self.clone();
        for resource in block.resources.values_mut() {
            resource.location = Location::default();
        }
        for check in block.checks.values_mut() {
            check.location = Location::default();
        }
        block
    }

    /// The digest of the definition; where it stands in the code is no part of it.
    pub fn digest(&self) -> Digest {
        // Strings, numbers, lists and maps with string keys: writing them to memory cannot fail.
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }
}

impl DesiredResource {
    /// The resources whose outputs this one uses.
    pub fn depends_on(&self) -> BTreeSet<ResourceAddr> {
        self.inputs.values().flat_map(|input| input.outputs()).map(|output| output.resource.clone()).collect()
    }
}

/// A place in the code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Location {
    /// The file, as the compiler names it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Something that is wrong with a definition, found without any network.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where the definition stands.
    pub location: Location,
    /// Which block or resource, and field, as far as it applies: `us-east.network.main, field cidr`.
    pub subject: String,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.location, self.subject, self.problem)
    }
}
