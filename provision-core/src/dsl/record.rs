//! The tables that the DSL fills, and what they become.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};

use petgraph::algo::kosaraju_scc;
use petgraph::graphmap::DiGraphMap;

use super::dc::{DataCentre, Environment};
use super::input::{Filling, Input, Part};
use super::reference::RawRef;
use crate::desired::{Channel, Desired, DesiredBlock, DesiredDc, DesiredResource, Finding, Location};
use crate::id::TypeName;
use crate::id::{BadName, BlockAddr, BlockName, DcName, EnvName, InfraId, ProviderName, ResourceAddr, ResourceName};
use crate::schema::{Role, Schema};
use crate::target::TargetId;
use crate::value::{Expr, Exprs, OutputRef, Piece, Symbol, Tree, Value};

/// The place in the code from which the DSL was called.
#[track_caller]
pub(crate) fn here() -> Location {
    let caller = std::panic::Location::caller();
    Location { file: caller.file().to_owned(), line: caller.line() }
}

/// Everything that was described so far.
///
/// Names are parsed as they come: a bad one is a finding and leaves an address of `None`.
pub(crate) struct Record {
    /// Tells infrastructures of one process apart, so that a ref of another one is found out.
    pub(crate) id: u64,
    name: String,
    at: Location,
    order: Option<Vec<EnvName>>,
    dcs: Vec<DcRow>,
    blocks: Vec<BlockRow>,
    resources: Vec<ResourceRow>,
    names: HashSet<(usize, String)>,
    block_names: HashSet<(usize, String)>,
    building: bool,
    findings: BTreeSet<Finding>,
}

struct DcRow {
    label: String,
    marker: &'static str,
    name: Option<DcName>,
    env: Option<EnvName>,
    channel: Channel,
    targets: BTreeMap<ProviderName, TargetId>,
    at: Location,
}

struct BlockRow {
    label: String,
    addr: Option<BlockAddr>,
    function: String,
    params: Input,
    after: BTreeSet<usize>,
}

struct ResourceRow {
    label: String,
    addr: Option<ResourceAddr>,
    block: usize,
    schema: &'static Schema,
    inputs: BTreeMap<&'static str, (Input, Location)>,
    at: Location,
}

impl Record {
    pub(crate) fn new(name: String, at: Location) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            name,
            at,
            order: None,
            dcs: Vec::new(),
            blocks: Vec::new(),
            resources: Vec::new(),
            names: HashSet::new(),
            block_names: HashSet::new(),
            building: false,
            findings: BTreeSet::new(),
        }
    }

    fn finding(&mut self, at: &Location, subject: &str, problem: impl Into<String>) {
        self.findings.insert(Finding { location: at.clone(), subject: subject.to_owned(), problem: problem.into() });
    }

    /// The infrastructure's name as it was given.
    pub(crate) fn infra_name(&self) -> String {
        self.name.clone()
    }

    /// The name, if it is one; otherwise a finding.
    fn parse<T>(&mut self, at: &Location, subject: &str, parsed: Result<T, BadName>) -> Option<T> {
        parsed.map_err(|bad| self.finding(at, subject, bad.to_string())).ok()
    }

    pub(crate) fn environments(&mut self, names: &[&'static str], at: &Location) {
        if self.order.is_some() {
            self.finding(at, "environments", "their order is given twice");
        }
        let mut order = Vec::new();
        for name in names {
            if let Some(env) = self.parse(at, "environments", EnvName::new(*name)) {
                if order.contains(&env) {
                    self.finding(at, "environments", format!("`{env}` stands twice in their order"));
                } else {
                    order.push(env);
                }
            }
        }
        self.order = Some(order);
    }

    pub(crate) fn dc<D: DataCentre>(&mut self, at: &Location) -> usize {
        let marker = std::any::type_name::<D>();
        if let Some(known) = self.dcs.iter().position(|dc| dc.marker == marker) {
            return known;
        }
        let label = shown(D::NAME);
        if let Some(other) = self.dcs.iter().find(|dc| dc.label == label) {
            let problem = format!("`{}` and `{marker}` have the same name; each data centre has its own", other.marker);
            self.finding(at, &label, problem);
        }
        let name = self.parse(at, &label, DcName::new(D::NAME));
        let env = self.parse(at, &label, EnvName::new(<D::Env as Environment>::NAME));
        let mut targets = BTreeMap::new();
        for target in D::targets() {
            if let Some(problem) = target.problem {
                self.finding(at, &label, problem);
            }
            let Some(provider) = self.parse(at, &label, ProviderName::new(target.provider)) else { continue };
            let id = TargetId {
                provider: provider.clone(),
                account: target.account.to_owned(),
                region: target.region.to_owned(),
            };
            targets.insert(provider, id);
        }
        self.dcs.push(DcRow { label, marker, name, env, channel: D::CHANNEL, targets, at: at.clone() });
        self.dcs.len() - 1
    }

    pub(crate) fn open_block(
        &mut self,
        dc: usize,
        name: String,
        function: Result<String, String>,
        params: Input,
        at: &Location,
    ) -> usize {
        let label = format!("{}.{}", self.dcs[dc].label, shown(&name));
        if self.building {
            self.finding(at, &label, "a block is built inside another one; build it beside it, in the infrastructure");
        }
        self.building = true;
        let function = function.unwrap_or_else(|problem| {
            self.finding(at, &label, problem);
            String::new()
        });
        let parsed = self.parse(at, &label, BlockName::new(name.clone()));
        let addr = self.dcs[dc].name.clone().zip(parsed).map(|(dc, block)| BlockAddr { dc, block });
        if !self.block_names.insert((dc, name)) {
            self.finding(at, &label, "another block of this data centre has the same name");
        }
        let index = self.blocks.len();
        let after = BTreeSet::new();
        self.blocks.push(BlockRow { label: label.clone(), addr, function, params: Input::Null, after });
        self.take(index, &format!("{label}, arguments"), &params, at);
        self.blocks[index].params = params;
        index
    }

    pub(crate) fn close_block(&mut self) {
        self.building = false;
    }

    pub(crate) fn resource(&mut self, block: usize, name: String, schema: &'static Schema, at: &Location) -> usize {
        let label = format!("{}.{}", self.blocks[block].label, shown(&name));
        let parsed = self.parse(at, &label, ResourceName::new(name.clone()));
        let addr = self.blocks[block].addr.as_ref().zip(parsed).map(|(block, name)| block.resource(name));
        if !self.names.insert((block, name)) {
            self.finding(at, &label, "another resource of this block has the same name");
        }
        self.resources.push(ResourceRow { label, addr, block, schema, inputs: BTreeMap::new(), at: at.clone() });
        self.resources.len() - 1
    }

    pub(crate) fn set(&mut self, resource: usize, field: &'static str, input: Input, at: &Location) {
        let block = self.resources[resource].block;
        let subject = format!("{}, field {field}", self.resources[resource].label);
        self.take(block, &subject, &input, at);
        let first = match self.resources[resource].inputs.entry(field) {
            Entry::Vacant(slot) => {
                slot.insert((input, at.clone()));
                return;
            }
            Entry::Occupied(slot) => slot.get().1.clone(),
        };
        self.finding(at, &subject, format!("set twice; the first time at {first}"));
    }

    pub(crate) fn after(&mut self, block: usize, earlier: &Input, at: &Location) {
        let label = self.blocks[block].label.clone();
        let before = self.blocks[block].after.len();
        self.take(block, &label, earlier, at);
        let mut named = false;
        earlier.each_output(&mut |_| named = true);
        if !named && before == self.blocks[block].after.len() {
            self.finding(at, &label, "`after` needs something that a block returned, with a ref inside");
        }
    }

    /// Takes a value into a block: reports its problems and notes the blocks that it comes from.
    fn take(&mut self, block: usize, subject: &str, input: &Input, at: &Location) {
        for problem in input.problems() {
            self.finding(at, subject, problem);
        }
        let (mut foreign, mut used) = (false, BTreeSet::new());
        input.each_output(&mut |raw| match self.resources.get(raw.resource) {
            Some(row) if raw.infra == self.id => drop(used.insert(row.block)),
            Some(_) | None => foreign = true,
        });
        if foreign {
            self.finding(at, subject, "a ref of another `Infrastructure`; use those that this one's blocks returned");
        }
        used.remove(&block);
        self.blocks[block].after.extend(used);
    }

    pub(crate) fn finish(&self) -> Result<Desired, Vec<Finding>> {
        let mut last = Self { findings: self.findings.clone(), ..Self::new(String::new(), self.at.clone()) };
        let infra = last.parse(&self.at, "infrastructure", InfraId::new(self.name.clone()));
        if self.blocks.is_empty() {
            last.finding(
                &self.at,
                &shown(&self.name),
                "no blocks: nothing is described; add one with `infra.dc(..).block(..)`",
            );
        }
        let environments = self.ordered_environments(&mut last);
        self.check_cycles(&mut last);
        match (infra, last.findings.is_empty()) {
            (Some(infra), true) => {
                Ok(Desired { infra, environments, dcs: self.desired_dcs(), blocks: self.desired_blocks() })
            }
            (_, _) => Err(last.findings.into_iter().collect()),
        }
    }

    fn ordered_environments(&self, last: &mut Self) -> Vec<EnvName> {
        let mut order = self.order.clone().unwrap_or_default();
        for dc in &self.dcs {
            let Some(env) = dc.env.as_ref().filter(|env| !order.contains(env)) else { continue };
            if self.order.is_some() {
                let problem = format!("its environment `{env}` is missing in `infra.environments::<(..)>()`");
                last.finding(&dc.at, &dc.label, problem);
            }
            order.push(env.clone());
        }
        order
    }

    /// Resources of one block that wait for each other. Between blocks there are no cycles: a block uses what was
    /// returned before it.
    fn check_cycles(&self, last: &mut Self) {
        let mut uses = DiGraphMap::<usize, ()>::new();
        for (index, row) in self.resources.iter().enumerate() {
            for (input, _) in row.inputs.values() {
                input.each_output(&mut |raw| {
                    if raw.infra == self.id {
                        uses.add_edge(index, raw.resource, ());
                    }
                });
            }
        }
        for mut circle in kosaraju_scc(&uses) {
            circle.sort_unstable();
            let Some(first) = circle.first().and_then(|index| self.resources.get(*index)) else { continue };
            let labels: Vec<_> =
                circle.iter().filter_map(|index| Some(self.resources.get(*index)?.label.as_str())).collect();
            if let [alone] = circle.as_slice() {
                if uses.contains_edge(*alone, *alone) {
                    last.finding(
                        &first.at,
                        &first.label,
                        "uses an output of itself, which is not known before it exists",
                    );
                }
            } else {
                let problem = format!("{} use each other's outputs in a circle", labels.join(", "));
                last.finding(&first.at, &first.label, problem);
            }
        }
    }

    fn desired_dcs(&self) -> BTreeMap<DcName, DesiredDc> {
        let dcs = self.dcs.iter().filter_map(|dc| {
            let (name, env) = dc.name.clone().zip(dc.env.clone())?;
            Some((name, DesiredDc { env, channel: dc.channel, targets: dc.targets.clone() }))
        });
        dcs.collect()
    }

    fn desired_blocks(&self) -> BTreeMap<BlockAddr, DesiredBlock> {
        let mut blocks: BTreeMap<_, _> = self
            .blocks
            .iter()
            .filter_map(|row| {
                let after = row.after.iter().filter_map(|index| self.blocks.get(*index)?.addr.clone()).collect();
                let block = DesiredBlock {
                    function: row.function.clone(),
                    params: self.known(&row.params),
                    after,
                    resources: BTreeMap::new(),
                };
                Some((row.addr.clone()?, block))
            })
            .collect();
        for row in &self.resources {
            let (Some(addr), Some(resource)) = (&row.addr, self.desired_resource(row)) else { continue };
            if let Some(block) = blocks.get_mut(&addr.block) {
                block.resources.insert(addr.name.clone(), resource);
            }
        }
        blocks
    }

    fn desired_resource(&self, row: &ResourceRow) -> Option<DesiredResource> {
        let mut inputs: Exprs =
            row.inputs.iter().map(|(field, (input, _))| ((*field).to_owned(), self.symbolic(input))).collect();
        for field in row.schema.fields {
            if let Role::Default(default) = field.role {
                inputs.entry(field.name.to_owned()).or_insert_with(|| default.value().widen());
            }
        }
        Some(DesiredResource {
            type_name: TypeName::new(row.schema.type_name).ok()?,
            version: row.schema.version,
            provider: ProviderName::new(row.schema.provider).ok()?,
            inputs,
            location: row.at.clone(),
        })
    }

    fn output(&self, raw: RawRef) -> Option<OutputRef> {
        let resource = self.resources.get(raw.resource)?.addr.clone()?;
        Some(OutputRef { resource, output: raw.output.to_owned() })
    }

    fn symbolic(&self, input: &Input) -> Expr {
        let mapped = input.try_map::<Symbol, std::convert::Infallible>(&mut |hole| {
            Ok(match &hole.0 {
                Filling::Output(raw) => {
                    self.output(*raw).map_or(Tree::Null, |output| Tree::Symbol(Symbol::Output(output)))
                }
                Filling::Text(parts) => {
                    let pieces = parts.iter().filter_map(|part| match part {
                        Part::Literal(text) => Some(Piece::Literal(text.clone())),
                        Part::Output(raw) => self.output(*raw).map(Piece::Output),
                        Part::Problem(_) => None,
                    });
                    Tree::Symbol(Symbol::Text(pieces.collect()))
                }
                Filling::Problem(_) => Tree::Null,
            })
        });
        match mapped {
            Ok(tree) => tree,
            Err(never) => match never {},
        }
    }

    /// Parameters as they are shown and compared: a ref stands as its text.
    fn known(&self, input: &Input) -> Value {
        let text = |raw: &RawRef| self.output(*raw).map_or_else(String::new, |output| output.to_string());
        let mapped = input.try_map::<_, std::convert::Infallible>(&mut |hole| {
            Ok(match &hole.0 {
                Filling::Output(raw) => Tree::Text(text(raw)),
                Filling::Text(parts) => Tree::Text(
                    parts
                        .iter()
                        .map(|part| match part {
                            Part::Literal(text) => text.clone(),
                            Part::Output(raw) => format!("${{{}}}", text(raw)),
                            Part::Problem(_) => String::new(),
                        })
                        .collect(),
                ),
                Filling::Problem(_) => Tree::Null,
            })
        });
        match mapped {
            Ok(tree) => tree,
            Err(never) => match never {},
        }
    }
}

/// A name as it is shown before it is known to be one.
fn shown(name: &str) -> String {
    name.chars().take(60).flat_map(char::escape_debug).collect()
}
