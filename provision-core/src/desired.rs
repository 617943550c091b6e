//! What the code asks for, erased: the boundary between the DSL and everything else.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::check::{CustomChecks, DesiredCheck};
use crate::id::{
    BlockAddr, CheckName, DcName, Digest, EnvName, InfraId, ProviderName, ResourceAddr, ResourceName, TypeName,
};
use crate::lookup::Query;
use crate::reach::Never;
use crate::target::TargetId;
use crate::value::{Expr, Exprs, Fields, OutputRef, Value};

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
    /// What must never be.
    pub nevers: Vec<Never>,
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
    /// What it looks up instead of making it. A lookup has a name that no resource of the block has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lookups: BTreeMap<ResourceName, DesiredLookup>,
    /// The data centres whose refs it takes over, each with what carries them, as `crossing!(.., via = ..)` says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub crossings: BTreeMap<DcName, String>,
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
    /// The fields that the definition sets, and the defaults of those that it does not. Plans and logs share them.
    pub inputs: Arc<Exprs>,
    /// What becomes of its object when the definition changes.
    #[serde(default, skip_serializing_if = "Lifecycle::is_usual")]
    pub lifecycle: Lifecycle,
    /// Where the definition stands; not part of any digest, since moving code changes nothing.
    #[serde(skip)]
    pub location: Location,
}

/// Something that is there already and is looked up when a plan is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DesiredLookup {
    /// Its data source.
    pub type_name: TypeName,
    /// Its provider.
    pub provider: ProviderName,
    /// The fields that the definition sets, and the defaults of those that it does not: all known, because the plan that
    /// needs the answer is made before anything is.
    pub query: Fields,
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
        for lookup in block.lookups.values_mut() {
            lookup.location = Location::default();
        }
        block
    }

    /// Every output of a lookup, its own or another block's, that something in the block or what it returns uses.
    pub fn uses_found(&self) -> BTreeSet<&OutputRef> {
        let resources = self.resources.values().flat_map(|resource| resource.inputs.values());
        let checks = self.checks.values().map(|check| check.ask.open());
        resources.chain(checks).chain([&self.outputs]).flat_map(Expr::found).collect()
    }

    /// The lookups whose answers belong to the definition of the block, which has this address: its own, and those that it
    /// uses of other blocks.
    pub fn looks_up(&self, addr: &BlockAddr) -> BTreeSet<ResourceAddr> {
        let own = self.lookups.keys().map(|name| addr.resource(name.clone()));
        own.chain(self.uses_found().into_iter().map(|output| output.resource.clone())).collect()
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
        self.uses().into_iter().cloned().collect()
    }

    /// The same: each once, in the order of their addresses.
    pub fn uses(&self) -> Vec<&ResourceAddr> {
        let outputs = self.inputs.values().flat_map(|input| input.outputs());
        let mut used: Vec<_> = outputs.map(|output| &output.resource).collect();
        used.sort_unstable();
        used.dedup();
        used
    }

    /// The lookups whose answers it uses.
    pub fn looks_up(&self) -> BTreeSet<ResourceAddr> {
        self.inputs.values().flat_map(|input| input.found()).map(|output| output.resource.clone()).collect()
    }
}

impl Desired {
    /// The lookup of this address.
    pub fn lookup(&self, addr: &ResourceAddr) -> Option<&DesiredLookup> {
        self.blocks.get(&addr.block)?.lookups.get(&addr.name)
    }

    /// What the lookup of this address asks, of whom; `None` where its data centre has no target for it.
    pub fn query(&self, addr: &ResourceAddr) -> Option<Query> {
        let DesiredLookup { type_name, provider, query, location: _ } = self.lookup(addr)?;
        let target = self.dcs.get(&addr.block.dc)?.targets.get(provider)?;
        Some(Query { target: target.clone(), type_name: type_name.clone(), fields: query.clone() })
    }
}

/// A place in the code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Location {
    /// The file, as the compiler names it.
    pub file: Cow<'static, str>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_is_named_once_and_in_order() {
        let expr = |text: &str| serde_json::from_str::<Expr>(text).unwrap();
        let inputs = [
            ("a", r##"[{"$ref":"dc.net.b#id"},{"$ref":"dc.net.a#id"}]"##),
            ("b", r##"{"$text":["x",{"$ref":"dc.net.b#arn"}]}"##),
        ];
        let resource = DesiredResource {
            type_name: "toy_thing".parse().unwrap(),
            version: 1,
            provider: "toy".parse().unwrap(),
            inputs: Arc::new(inputs.map(|(field, text)| (field.to_owned(), expr(text))).into()),
            lifecycle: Lifecycle::default(),
            location: Location::default(),
        };
        assert_eq!(resource.uses(), [&"dc.net.a".parse().unwrap(), &"dc.net.b".parse().unwrap()]);
    }
}
