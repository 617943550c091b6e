//! A toy type, and plans by hand.

use std::collections::{BTreeMap, BTreeSet};

use crate::call::Call;
use crate::desired::{Channel, Desired, DesiredBlock, DesiredDc, DesiredResource, Lifecycle, Location};
use crate::id::{BlockAddr, Digest, Generation, Nonce, ObjectId, ProviderName, ResourceAddr, Revision, TypeName};
use crate::plan::{BlockChange, BlockPlan, Existing, Mode, Outcome, Plan, ReplaceOrder, ResourcePlan, Selection};
use crate::provider::{CannotCompile, Change, Provider};
use crate::schema::{Field, Grain, Kind, Literal, OnChange, Reads, Role, Schema};
use crate::target::TargetId;
use crate::value::{Exprs, Tree, Value};

const fn field(name: &'static str, role: Role, on_change: OnChange, grain: Grain) -> Field {
    Field { name, kind: Kind::Text, role, on_change, grain, reads: Reads::Shown }
}

const fn unread(field: Field) -> Field {
    Field { reads: Reads::Unread, ..field }
}

pub(super) static TOY: Schema = Schema {
    type_name: "toy_thing",
    provider: "toy",
    version: 1,
    fields: &[
        field("place", Role::Required, OnChange::Replace, Grain::Whole),
        field("size", Role::Default(Literal::Text("small")), OnChange::Update, Grain::Whole),
        field("names", Role::Default(Literal::EmptyList), OnChange::Update, Grain::Set),
        field("hint", Role::Optional, OnChange::Update, Grain::Whole),
        field("name", Role::Name { max: 20 }, OnChange::Replace, Grain::Whole),
        unread(field("script", Role::Optional, OnChange::Replace, Grain::Whole)),
        field("edition", Role::Computed, OnChange::Moves, Grain::Whole),
        field("id", Role::Computed, OnChange::Update, Grain::Whole),
    ],
};

static TOYS: &[&Schema] = &[&TOY];

/// A provider of [`TOY`], whose changes need no call.
pub(super) struct Toy;

impl Provider for Toy {
    fn name(&self) -> ProviderName {
        "toy".parse().unwrap()
    }
    fn schemas(&self) -> &'static [&'static Schema] {
        TOYS
    }
    fn compile(&self, _: &TypeName, _: &Change<'_>) -> Result<Vec<Call>, CannotCompile> {
        Ok(Vec::new())
    }
    fn identity_key(&self, _: &TypeName) -> &'static [&'static str] {
        &[]
    }
}

pub(super) fn target() -> TargetId {
    TargetId { provider: "toy".parse().unwrap(), account: "1".to_owned(), region: "r".to_owned() }
}

pub(super) fn id(text: &str) -> ObjectId {
    text.parse().unwrap()
}

pub(super) fn addr(text: &str) -> ResourceAddr {
    text.parse().unwrap()
}

/// The definition of a thing.
pub(super) fn thing(inputs: Exprs, lifecycle: Lifecycle) -> DesiredResource {
    DesiredResource {
        type_name: "toy_thing".parse().unwrap(),
        version: 1,
        provider: "toy".parse().unwrap(),
        inputs: inputs.into(),
        lifecycle,
        location: Location::default(),
    }
}

/// Code that has these, all in data centre `dc`.
pub(super) fn code(resources: impl IntoIterator<Item = (ResourceAddr, DesiredResource)>) -> Desired {
    let mut blocks: BTreeMap<BlockAddr, DesiredBlock> = BTreeMap::new();
    for (addr, resource) in resources {
        let block = blocks.entry(addr.block).or_insert_with(|| DesiredBlock {
            function: "f".to_owned(),
            params: Value::Null,
            after: BTreeSet::new(),
            resources: BTreeMap::new(),
            outputs: Tree::Null,
            checks: BTreeMap::new(),
            lookups: BTreeMap::new(),
            crossings: BTreeMap::new(),
        });
        block.resources.insert(addr.name, resource);
    }
    let targets = BTreeMap::from([("toy".parse().unwrap(), target())]);
    let dc = DesiredDc { env: "prod".parse().unwrap(), channel: Channel::Stable, targets };
    Desired {
        infra: "wix".parse().unwrap(),
        environments: vec!["prod".parse().unwrap()],
        dcs: BTreeMap::from([("dc".parse().unwrap(), dc)]),
        blocks,
        custom_checks: Default::default(),
        nevers: Vec::new(),
    }
}

/// A resource for which these outcomes are allowed.
pub(super) fn resource(allowed: &[Outcome]) -> ResourcePlan {
    ResourcePlan {
        type_name: "toy_thing".parse().unwrap(),
        target: target(),
        allowed: allowed.iter().copied().collect(),
        fields: BTreeSet::new(),
        reasons: Vec::new(),
        defined: true,
        order: ReplaceOrder::CreateFirst,
        moved: None,
        before: None,
        after: None,
        existing: None,
        new_name: None,
        retire: Vec::new(),
        users: BTreeSet::new(),
        uses: Vec::new(),
    }
}

pub(super) trait With: Sized {
    fn uses(self, used: &[&str]) -> Self;
    fn users(self, users: &[&str]) -> Self;
    fn existing(self, id: &str) -> Self;
    fn fields(self, names: &[&str]) -> Self;
}

impl With for ResourcePlan {
    fn uses(mut self, used: &[&str]) -> Self {
        self.uses = used.iter().map(|text| addr(text)).collect();
        self
    }

    fn users(mut self, users: &[&str]) -> Self {
        self.users = users.iter().map(|text| addr(text)).collect();
        self
    }

    fn existing(mut self, text: &str) -> Self {
        self.existing = Some(Existing { id: id(text) });
        self
    }

    fn fields(mut self, names: &[&str]) -> Self {
        self.fields = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }
}

/// A plan of these resources. Blocks of `dc` are in `staging`, others in `prod`; `after` says which block waits for which.
pub(super) fn plan<const N: usize>(resources: [(&str, ResourcePlan); N], after: &[(&str, &str)]) -> Plan {
    let mut blocks: BTreeMap<_, BlockPlan> = BTreeMap::new();
    for (text, resource) in resources {
        let addr = addr(text);
        let env = if addr.block.dc.as_str() == "dc" { "staging" } else { "prod" };
        let fresh = || BlockChange {
            env: env.parse().unwrap(),
            channel: Channel::Stable,
            targets: BTreeMap::new(),
            after: after
                .iter()
                .filter(|(block, _)| *block == addr.block.to_string())
                .map(|(_, before)| before.parse().unwrap())
                .collect(),
            definition: None,
            state: Digest::of(b""),
            checks: BTreeSet::new(),
            checks_due: BTreeSet::new(),
            resources: BTreeMap::new(),
        };
        let block = blocks.entry(addr.block.clone()).or_insert_with(|| BlockPlan::Planned(Box::new(fresh())));
        if let BlockPlan::Planned(change) = block {
            change.resources.insert(addr.name, resource);
        }
    }
    Plan {
        format_version: "1".to_owned(),
        infra: "wix".parse().unwrap(),
        revision: Revision::new("abc123").unwrap(),
        generation: Generation(1),
        nonce: Nonce([1; 16]),
        mode: Mode::Apply,
        selection: Selection::default(),
        simulated: false,
        environments: vec!["staging".parse().unwrap(), "prod".parse().unwrap()],
        lookups: BTreeMap::new(),
        blocks,
        notes: Vec::new(),
    }
}
