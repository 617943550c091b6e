//! The tables that the DSL fills.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::block::{Inputs, Resource};
use super::check::Check;
use super::dc::{DataCentre, Environment};
use super::input::Input;
use crate::check::{Ask, CustomCheck, host_and_port, url};
use crate::desired::{Channel, Finding, Lifecycle, Location};
use crate::id::{BadName, BlockAddr, BlockName, CheckName, DcName, EnvName, ProviderName, ResourceAddr, ResourceName};
use crate::schema::{Role, Schema};
use crate::target::TargetId;

/// The shortest time between two attempts of a check.
const LEAST_INTERVAL: Duration = Duration::from_millis(100);

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
    pub(super) name: String,
    pub(super) at: Location,
    pub(super) order: Option<Vec<EnvName>>,
    pub(super) dcs: Vec<DcRow>,
    pub(super) blocks: Vec<BlockRow>,
    pub(super) resources: Vec<ResourceRow>,
    pub(super) checks: Vec<CheckRow>,
    pub(super) names: HashSet<(usize, String)>,
    pub(super) block_names: HashSet<(usize, String)>,
    pub(super) building: bool,
    pub(super) findings: BTreeSet<Finding>,
}

pub(super) struct DcRow {
    pub(super) label: String,
    pub(super) marker: &'static str,
    pub(super) name: Option<DcName>,
    pub(super) env: Option<EnvName>,
    pub(super) channel: Channel,
    pub(super) targets: BTreeMap<ProviderName, TargetId>,
    pub(super) at: Location,
}

pub(super) struct BlockRow {
    pub(super) label: String,
    pub(super) addr: Option<BlockAddr>,
    pub(super) function: String,
    pub(super) params: Input,
    pub(super) outputs: Input,
    pub(super) after: BTreeSet<usize>,
}

pub(super) struct CheckRow {
    pub(super) block: usize,
    pub(super) name: Option<CheckName>,
    pub(super) ask: Ask<Input>,
    pub(super) custom: Option<Arc<dyn CustomCheck>>,
    pub(super) every_ms: u64,
    pub(super) passes: u32,
    pub(super) within_ms: u64,
    pub(super) at: Location,
}

/// What a resource type finds wrong with its inputs: field and problem.
pub(super) type InputCheck = fn(&Inputs) -> Vec<(&'static str, String)>;

pub(super) struct ResourceRow {
    pub(super) label: String,
    pub(super) addr: Option<ResourceAddr>,
    pub(super) block: usize,
    pub(super) schema: &'static Schema,
    pub(super) check: InputCheck,
    pub(super) inputs: BTreeMap<&'static str, (Input, Location)>,
    pub(super) lifecycle: Lifecycle,
    pub(super) at: Location,
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
            checks: Vec::new(),
            names: HashSet::new(),
            block_names: HashSet::new(),
            building: false,
            findings: BTreeSet::new(),
        }
    }

    pub(super) fn finding(&mut self, at: &Location, subject: &str, problem: impl Into<String>) {
        self.findings.insert(Finding { location: at.clone(), subject: subject.to_owned(), problem: problem.into() });
    }

    /// The infrastructure's name as it was given.
    pub(crate) fn infra_name(&self) -> String {
        self.name.clone()
    }

    /// The name, if it is one; otherwise a finding.
    pub(super) fn parse<T>(&mut self, at: &Location, subject: &str, parsed: Result<T, BadName>) -> Option<T> {
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
        let row = BlockRow { label: label.clone(), addr, function, params: Input::Null, outputs: Input::Null, after };
        self.blocks.push(row);
        self.take(index, &format!("{label}, arguments"), &params, at);
        self.blocks[index].params = params;
        index
    }

    /// The block's function has returned this.
    pub(crate) fn close_block(&mut self, block: usize, outputs: Input, at: &Location) {
        self.building = false;
        let subject = format!("{}, what it returns", self.blocks[block].label);
        self.take(block, &subject, &outputs, at);
        self.blocks[block].outputs = outputs;
    }

    pub(crate) fn resource<R: Resource>(&mut self, block: usize, name: String, at: &Location) -> usize {
        let label = format!("{}.{}", self.blocks[block].label, shown(&name));
        let parsed = self.parse(at, &label, ResourceName::new(name.clone()));
        let addr = self.blocks[block].addr.as_ref().zip(parsed).map(|(block, name)| block.resource(name));
        if !self.names.insert((block, name)) {
            self.finding(at, &label, "another resource of this block has the same name");
        }
        self.resources.push(ResourceRow {
            label,
            addr,
            block,
            schema: R::SCHEMA,
            check: R::check,
            inputs: BTreeMap::new(),
            lifecycle: Lifecycle::default(),
            at: at.clone(),
        });
        self.resources.len() - 1
    }

    pub(crate) fn check<D, K>(&mut self, block: usize, name: String, check: Check<D, K>, at: &Location) {
        let label = format!("{}, check {}", self.blocks[block].label, shown(&name));
        let name = self.parse(at, &label, CheckName::new(name));
        if name.is_some() && self.checks.iter().any(|row| row.block == block && row.name == name) {
            self.finding(at, &label, "another check of this block has the same name");
        }
        let Check { ask, custom, problem, every, passes, within, .. } = check;
        self.take(block, &label, ask.open(), at);
        self.stays_in_its_dc(block, &label, ask.open(), at);
        let known = ask.open().as_text().map(str::to_owned);
        let wrong = match (&ask, known) {
            (Ask::Http { .. }, Some(text)) => url(&text).err(),
            (Ask::Tcp { .. }, Some(text)) => host_and_port(&text).err(),
            (Ask::Http { .. } | Ask::Tcp { .. } | Ask::Custom { .. }, _) => None,
        };
        let status = match &ask {
            Ask::Http { status: Some(status), .. } if !(100..600).contains(status) => {
                Some(format!("{status} is no status of HTTP: write 100 to 599"))
            }
            Ask::Http { .. } | Ask::Tcp { .. } | Ask::Custom { .. } => None,
        };
        let times = if passes == 0 {
            Some("has to pass once at least")
        } else if every < LEAST_INTERVAL {
            Some("is asked again after 100 ms at least: write a longer `every`")
        } else if every.saturating_mul(passes - 1) >= within {
            Some("cannot pass so often in a row `within` its time: write a longer one")
        } else {
            None
        };
        for problem in problem.into_iter().chain(wrong).chain(status).chain(times.map(str::to_owned)) {
            self.finding(at, &label, problem);
        }
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let (every_ms, within_ms) = (ms(every), ms(within));
        self.checks.push(CheckRow { block, name, ask, custom, every_ms, passes, within_ms, at: at.clone() });
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

    /// What a definition says about its object's life.
    pub(crate) fn live(&mut self, resource: usize, change: impl FnOnce(&mut Lifecycle)) {
        change(&mut self.resources[resource].lifecycle);
    }

    /// Fields whose changes are left alone.
    pub(crate) fn ignore(&mut self, resource: usize, fields: Vec<String>, at: &Location) {
        for field in fields {
            let row = &self.resources[resource];
            let known = |known: &&crate::schema::Field| known.role != Role::Computed;
            if row.schema.fields.iter().filter(known).any(|known| known.name == field) {
                self.resources[resource].lifecycle.ignore_changes.insert(field);
                continue;
            }
            let names: Vec<_> = row.schema.fields.iter().filter(known).map(|known| known.name).collect();
            let (label, names) = (row.label.clone(), names.join("`, `"));
            let problem = format!("has no field `{}` whose changes could be ignored; it has `{names}`", shown(&field));
            self.finding(at, &label, problem);
        }
    }

    /// Where the resource's object was before: a name in the block, `<block>.<name>` in the data centre, or an address.
    pub(crate) fn moved_from(&mut self, resource: usize, from: &str, at: &Location) {
        let row = &self.resources[resource];
        let label = row.label.clone();
        let Some(own) = row.addr.clone() else { return };
        let whole = match from.split('.').count() {
            1 => format!("{}.{from}", own.block),
            2 => format!("{}.{from}", own.block.dc),
            _ => from.to_owned(),
        };
        let Some(from) = self.parse(at, &label, whole.parse::<ResourceAddr>()) else { return };
        if from == own {
            self.finding(at, &label, "is said to have moved from its own address");
        } else if !self.resources[resource].lifecycle.moved_from.contains(&from) {
            self.resources[resource].lifecycle.moved_from.push(from);
        }
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

    /// Of what the compiler cannot tell: arguments of functions.
    fn stays_in_its_dc(&mut self, block: usize, subject: &str, input: &Input, at: &Location) {
        let dc_of = |block: usize| self.blocks[block].addr.as_ref().map(|addr| &addr.dc);
        let mut others = BTreeSet::new();
        input.each_output(&mut |raw| {
            let theirs =
                self.resources.get(raw.resource).filter(|_| raw.infra == self.id).and_then(|row| dc_of(row.block));
            others.extend(theirs.filter(|theirs| dc_of(block).is_some_and(|ours| ours != *theirs)).cloned());
        });
        for other in others {
            self.finding(
                at,
                subject,
                format!("uses a ref of data centre {other}; give it what a block of its own returned"),
            );
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
}

/// A name as it is shown before it is known to be one.
pub(super) fn shown(name: &str) -> String {
    name.chars().take(60).flat_map(char::escape_debug).collect()
}
