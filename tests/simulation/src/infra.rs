//! Infrastructures as data, random ones and random edits of them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use provision_aws::Aws;
use provision_core::desired::{Channel, Desired, DesiredBlock, DesiredDc, DesiredResource, Location};
use provision_core::id::{BlockAddr, ResourceAddr};
use provision_core::provider::Provider as _;
use provision_core::schema::Role;
use provision_core::target::TargetId;
use provision_core::value::{Expr, Exprs, OutputRef, Piece, Symbol, Tree, Value};

use crate::dice::Dice;

/// What a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `aws_vpc`.
    Vpc,
    /// `aws_subnet`.
    Subnet,
    /// `aws_security_group`.
    Group,
    /// `aws_instance`.
    Instance,
}

/// A resource; what its numbers mean depends on its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Res {
    /// What it is.
    pub kind: Kind,
    /// Its number, unique in the data centre and part of its name.
    pub uid: u8,
    /// Address range of networks (a change replaces), user data of instances, name of groups (2: given).
    pub range: u8,
    /// Zone, description or size: a change replaces.
    pub zone: u8,
    /// An attribute that changes in place.
    pub flag: bool,
    /// A tag, and how many groups a group's rules name: changes in place.
    pub tag: u8,
    /// Which of the earlier resources it refers to.
    pub picks: [u8; 3],
}

/// A block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockSpec {
    /// Its number, part of its name.
    pub uid: u8,
    /// Its resources, each after those that it may refer to.
    pub resources: Vec<Res>,
}

impl BlockSpec {
    /// Its name: in the alphabet, blocks don't stand in the order of their refs.
    pub fn name(&self) -> String {
        format!("{}{}", ["m", "c", "x", "a"][usize::from(self.uid % 4)], self.uid)
    }
}

/// A data centre of an environment of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DcSpec {
    /// Its name.
    pub name: &'static str,
    /// Its environment.
    pub env: &'static str,
    /// Its blocks, each after those that it may refer to.
    pub blocks: Vec<BlockSpec>,
}

/// An infrastructure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// Its data centres, in the order of their environments.
    pub dcs: Vec<DcSpec>,
    /// The next free number.
    pub next: u8,
    /// Resources that got another name or block: the address before, and the one after.
    pub moved: Vec<(ResourceAddr, ResourceAddr)>,
}

/// A random change of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edit {
    what: What,
    dc: u8,
    block: u8,
    resource: u8,
    values: Res,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    RemoveResource,
    RemoveBlock,
    RemoveDc,
    AddResource,
    AddBlock,
    InPlace,
    Replace,
    Range,
    Picks,
    Rename,
    Move,
}

impl Kind {
    fn draw(dice: &mut Dice) -> Self {
        [Self::Vpc, Self::Subnet, Self::Subnet, Self::Group, Self::Group, Self::Instance][dice.index(6)]
    }
}

impl Res {
    fn name(&self) -> String {
        format!("{}-{}", short(self.kind), self.uid)
    }

    fn draw(kind: Kind, dice: &mut Dice) -> Self {
        let [range, zone, flag, tag, first, second, third] = dice.roll().to_le_bytes()[..7] else { unreachable!() };
        let (range, zone, flag, tag) = (range % 3, zone % 2, flag % 2 == 0, tag % 3);
        Self { kind, uid: 0, range, zone, flag, tag, picks: [first, second, third] }
    }
}

impl Edit {
    /// A random one.
    pub fn draw(dice: &mut Dice) -> Self {
        const ALL: [What; 11] = [
            What::RemoveResource,
            What::RemoveBlock,
            What::AddResource,
            What::AddResource,
            What::AddBlock,
            What::InPlace,
            What::InPlace,
            What::Replace,
            What::Range,
            What::Rename,
            What::Move,
        ];
        let what = ALL[dice.index(ALL.len())];
        let [dc, block, resource, ..] = dice.roll().to_le_bytes();
        let kind = Kind::draw(dice);
        Self { what, dc, block, resource, values: Res::draw(kind, dice) }
    }
}

impl Spec {
    /// A random small one: one data centre, or two in two environments, with up to three blocks of up to three resources.
    pub fn draw(dice: &mut Dice) -> Self {
        let mut spec = Self { dcs: Vec::new(), next: 0, moved: Vec::new() };
        let dcs = if dice.per_mille(250) { 2 } else { 1 };
        for (name, env) in [("us-test", "staging"), ("us-east", "prod")].into_iter().take(dcs) {
            let mut dc = DcSpec { name, env, blocks: Vec::new() };
            for uid in 100..101 + u8::try_from(dice.below(3)).unwrap_or(0) {
                let mut resources = Vec::new();
                if uid == 100 {
                    resources.push(spec.fresh(Res::draw(Kind::Vpc, dice)));
                }
                for _ in 0..=dice.below(3) {
                    let kind = Kind::draw(dice);
                    resources.push(spec.fresh(Res::draw(kind, dice)));
                }
                dc.blocks.push(BlockSpec { uid, resources });
            }
            spec.dcs.push(dc);
        }
        spec
    }
}

fn at(index: u8, len: usize) -> Option<usize> {
    (len > 0).then(|| usize::from(index) % len)
}

impl Spec {
    fn fresh(&mut self, mut res: Res) -> Res {
        res.uid = self.next;
        self.next += 1;
        res
    }

    /// The infrastructure after a change.
    #[must_use]
    pub fn edited(&self, edit: &Edit) -> Self {
        let mut spec = self.clone();
        let new = spec.fresh(edit.values);
        let Some(dc) = at(edit.dc, spec.dcs.len()) else { return spec };
        let blocks = &mut spec.dcs[dc].blocks;
        let Some(block) = at(edit.block, blocks.len()) else { return spec };
        let resources = &mut blocks[block].resources;
        let resource = at(edit.resource, resources.len());
        match (edit.what, resource) {
            (What::RemoveResource, Some(resource)) => drop(resources.remove(resource)),
            (What::RemoveBlock, _) => drop(blocks.remove(block)),
            (What::RemoveDc, _) => drop(spec.dcs.remove(dc)),
            (What::AddResource, _) => resources.push(new),
            (What::AddBlock, _) => blocks.push(BlockSpec { uid: new.uid, resources: vec![new] }),
            (What::InPlace, Some(resource)) => {
                let resource = &mut resources[resource];
                (resource.flag, resource.tag) = (!resource.flag, edit.values.tag);
            }
            (What::Replace, Some(resource)) => resources[resource].zone = (resources[resource].zone + 1) % 2,
            (What::Range, Some(resource)) => resources[resource].range = edit.values.range,
            (What::Picks, Some(resource)) => resources[resource].picks = edit.values.picks,
            (What::Rename, Some(resource)) => {
                let (before, uid) = (resources[resource], new.uid);
                resources[resource].uid = uid;
                let after = resources[resource];
                spec.note_move((dc, block, before), (dc, block, after));
            }
            (What::Move, Some(resource)) => {
                let to = blocks.len() - 1;
                if to != block {
                    let moving = blocks[block].resources.remove(resource);
                    blocks[to].resources.push(moving);
                    spec.note_move((dc, block, moving), (dc, to, moving));
                }
            }
            (_, None) => {}
        }
        spec
    }

    fn note_move(&mut self, from: (usize, usize, Res), to: (usize, usize, Res)) {
        let addr = |(dc, block, res): (usize, usize, Res)| -> ResourceAddr {
            let dc = &self.dcs[dc];
            format!("{}.{}.{}", dc.name, dc.blocks[block].name(), res.name()).parse().unwrap()
        };
        let moved = (addr(from), addr(to));
        self.moved.push(moved);
    }

    /// Where the object of an address may have been before, the last place first.
    fn before(&self, addr: &ResourceAddr) -> Vec<ResourceAddr> {
        let mut all = Vec::new();
        let mut at = addr.clone();
        while let Some((from, _)) = self.moved.iter().rfind(|(_, to)| *to == at)
            && from != addr
            && !all.contains(from)
        {
            at = from.clone();
            all.push(from.clone());
        }
        all
    }

    /// As the code describes it. A resource that nothing is left for to refer to is left out.
    pub fn desired(&self) -> Desired {
        let mut desired = Desired {
            infra: "wix".parse().unwrap(),
            environments: self.dcs.iter().map(|dc| dc.env.parse().unwrap()).collect(),
            dcs: BTreeMap::new(),
            blocks: BTreeMap::new(),
            custom_checks: Default::default(),
            nevers: Vec::new(),
        };
        for dc in &self.dcs {
            let region = format!("{}-1", dc.name);
            let target = TargetId { provider: "aws".parse().unwrap(), account: "123456789012".to_owned(), region };
            let targets = BTreeMap::from([(target.provider.clone(), target)]);
            let env = dc.env.parse().unwrap();
            desired.dcs.insert(dc.name.parse().unwrap(), DesiredDc { env, channel: Channel::Stable, targets });
            let mut earlier: Vec<(Res, ResourceAddr)> = Vec::new();
            for block in &dc.blocks {
                let addr: BlockAddr = format!("{}.{}", dc.name, block.name()).parse().unwrap();
                desired.blocks.insert(addr.clone(), desired_block(&addr, block, &mut earlier));
            }
        }
        let all: BTreeSet<ResourceAddr> = desired
            .blocks
            .iter()
            .flat_map(|(block, it)| it.resources.keys().map(|name| block.resource(name.clone())))
            .collect();
        for addr in &all {
            // What the code still has, or has again, is no place that something came from.
            let before = self.before(addr).into_iter().filter(|from| !all.contains(from)).collect();
            if let Some(resource) = desired.blocks.get_mut(&addr.block).and_then(|it| it.resources.get_mut(&addr.name))
            {
                resource.lifecycle.moved_from = before;
            }
        }
        desired
    }
}

fn desired_block(addr: &BlockAddr, block: &BlockSpec, earlier: &mut Vec<(Res, ResourceAddr)>) -> DesiredBlock {
    let mut resources = BTreeMap::new();
    let mut after = BTreeSet::new();
    for res in &block.resources {
        let Some(inputs) = inputs(res, earlier) else { continue };
        let resource = resource(res.kind, inputs, u32::from(res.uid));
        after.extend(resource.depends_on().into_iter().map(|used| used.block).filter(|used| used != addr));
        let name: provision_core::id::ResourceName = res.name().parse().unwrap();
        earlier.push((*res, addr.resource(name.clone())));
        resources.insert(name, resource);
    }
    DesiredBlock {
        function: block.name(),
        params: Value::Null,
        after,
        resources,
        outputs: Tree::Null,
        checks: BTreeMap::new(),
        lookups: BTreeMap::new(),
        crossings: BTreeMap::new(),
    }
}

fn short(kind: Kind) -> &'static str {
    match kind {
        Kind::Vpc => "vpc",
        Kind::Subnet => "subnet",
        Kind::Group => "group",
        Kind::Instance => "instance",
    }
}

/// The output of a resource.
pub fn output(of: &ResourceAddr, output: &str) -> Expr {
    Tree::Symbol(Symbol::Output(Box::new(OutputRef { resource: of.clone(), output: output.to_owned() })))
}

fn map<const N: usize>(entries: [(&str, Expr); N]) -> Expr {
    Tree::Map(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A resource with these inputs and the defaults of all others.
///
/// # Panics
/// For a type without a schema.
pub fn resource(kind: Kind, mut inputs: Exprs, line: u32) -> DesiredResource {
    let type_name = match kind {
        Kind::Vpc => "aws_vpc",
        Kind::Subnet => "aws_subnet",
        Kind::Group => "aws_security_group",
        Kind::Instance => "aws_instance",
    };
    let schema = Aws.schemas().iter().find(|schema| schema.type_name == type_name).unwrap();
    for field in schema.fields {
        if let Role::Default(default) = field.role {
            inputs.entry(field.name.to_owned()).or_insert_with(|| default.value().widen());
        }
    }
    DesiredResource {
        lifecycle: provision_core::desired::Lifecycle::default(),
        type_name: type_name.parse().unwrap(),
        version: schema.version,
        provider: schema.provider.parse().unwrap(),
        inputs: inputs.into(),
        location: Location { file: "infra.rs".into(), line },
    }
}

/// One of the earlier resources of a kind: the same one for the same pick, whatever others come and go.
fn choose(earlier: &[(Res, ResourceAddr)], kind: Kind, pick: u8) -> Option<&ResourceAddr> {
    let weight = |uid: u8| (u32::from(uid) + 1).wrapping_mul(2_654_435_761).rotate_left(u32::from(pick) % 31);
    let of_kind = earlier.iter().filter(|(res, _)| res.kind == kind);
    of_kind.max_by_key(|(res, _)| (weight(res.uid), res.uid)).map(|(_, addr)| addr)
}

fn inputs(res: &Res, earlier: &[(Res, ResourceAddr)]) -> Option<Exprs> {
    let [first, second, third] = res.picks;
    let mut inputs = Exprs::new();
    let mut set = |name: &str, value: Expr| drop(inputs.insert(name.to_owned(), value));
    if res.tag > 0 {
        set("tags", map([("team", format!("t{}", res.tag).into())]));
    }
    match res.kind {
        Kind::Vpc => {
            set("cidr", format!("10.{}.0.0/16", res.range).into());
            set("dns_hostnames", res.flag.into());
        }
        Kind::Subnet => {
            set("vpc", output(choose(earlier, Kind::Vpc, first)?, "id"));
            set("zone", ["zone-a", "zone-b"][usize::from(res.zone % 2)].into());
            set("cidr", format!("10.{}.{}.0/24", res.range, res.uid).into());
            set("public_ip", res.flag.into());
        }
        Kind::Group => {
            set("vpc", output(choose(earlier, Kind::Vpc, first)?, "id"));
            set("description", format!("group {}", res.zone).into());
            if res.range == 2 {
                set("name", format!("named-{}", res.uid).into());
            }
            let rule = |port: i64, kind: &str, who: Expr| {
                map([("protocol", "tcp".into()), ("from_port", port.into()), ("to_port", port.into()), (kind, who)])
            };
            let mut rules = vec![rule(if res.flag { 22 } else { 23 }, "cidr", "192.0.2.0/24".into())];
            let groups = [second, third].into_iter().take(usize::from(res.tag));
            let groups: BTreeSet<_> = groups.filter_map(|pick| choose(earlier, Kind::Group, pick)).collect();
            rules.extend(groups.into_iter().map(|group| rule(443, "group", output(group, "id"))));
            set("ingress", Tree::List(rules));
        }
        Kind::Instance => {
            set("subnet", output(choose(earlier, Kind::Subnet, first)?, "id"));
            set("ami", "ami-12c6146b".into());
            set("instance_type", ["t3.micro", "t3.small"][usize::from(res.zone % 2)].into());
            let groups = [second, if res.flag { third } else { second }];
            let groups: BTreeSet<_> =
                groups.into_iter().filter_map(|pick| choose(earlier, Kind::Group, pick)).collect();
            if groups.is_empty() {
                return None;
            }
            set("security_groups", Tree::List(groups.into_iter().map(|group| output(group, "id")).collect()));
            let told = match res.range {
                1 => Some((choose(earlier, Kind::Vpc, third)?, "id")),
                2 => choose(earlier, Kind::Instance, third).map(|other| (other, "private_ip")),
                _ => None,
            };
            if let Some((of, what)) = told {
                let of = OutputRef { resource: of.clone(), output: what.to_owned() };
                let text = vec![Piece::Literal("#!/bin/sh\n# ".to_owned()), Piece::Output(of)];
                set("user_data", Tree::Symbol(Symbol::Text(text)));
            }
        }
    }
    Some(inputs)
}

fn res(kind: impl Strategy<Value = Kind>) -> impl Strategy<Value = Res> {
    (kind, 0..3_u8, 0..2_u8, any::<bool>(), 0..3_u8, any::<[u8; 3]>())
        .prop_map(|(kind, range, zone, flag, tag, picks)| Res { kind, uid: 0, range, zone, flag, tag, picks })
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![1 => Just(Kind::Vpc), 3 => Just(Kind::Subnet), 4 => Just(Kind::Group), 3 => Just(Kind::Instance)]
}

fn blocks() -> impl Strategy<Value = Vec<Vec<Res>>> {
    let first = (res(Just(Kind::Vpc)), vec(res(kind()), 1..5)).prop_map(|(vpc, mut rest)| {
        rest.insert(0, vpc);
        rest
    });
    (first, vec(vec(res(kind()), 1..5), 0..4)).prop_map(|(first, mut rest)| {
        rest.insert(0, first);
        rest
    })
}

/// Random infrastructures: one or two environments, in each a data centre with up to four blocks.
pub fn specs() -> impl Strategy<Value = Spec> {
    vec(blocks(), 1..3).prop_map(|dcs| {
        let mut spec = Spec { dcs: Vec::new(), next: 0, moved: Vec::new() };
        for (blocks, (name, env)) in dcs.into_iter().zip([("us-test", "staging"), ("us-east", "prod")]) {
            let mut dc = DcSpec { name, env, blocks: Vec::new() };
            for (uid, resources) in (100..).zip(blocks) {
                let resources = resources.into_iter().map(|res| spec.fresh(res)).collect();
                dc.blocks.push(BlockSpec { uid, resources });
            }
            spec.dcs.push(dc);
        }
        spec
    })
}

/// Random changes of the code, one after the other.
pub fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let what = prop_oneof![
        4 => Just(What::RemoveResource),
        2 => Just(What::RemoveBlock),
        1 => Just(What::RemoveDc),
        4 => Just(What::AddResource),
        1 => Just(What::AddBlock),
        4 => Just(What::InPlace),
        3 => Just(What::Replace),
        3 => Just(What::Range),
        3 => Just(What::Picks),
        2 => Just(What::Rename),
        2 => Just(What::Move),
    ];
    let edit = (what, any::<[u8; 3]>(), res(kind())).prop_map(|(what, [dc, block, resource], values)| Edit {
        what,
        dc,
        block,
        resource,
        values,
    });
    vec(edit, 1..5)
}
