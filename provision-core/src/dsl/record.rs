//! The tables that the DSL fills.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::block::{Inputs, Resource};
use super::check::Check;
use super::dc::{DataCentre, Environment};
use super::input::Input;
use super::lookup::DataSource;
use super::refs::{Origin, RawRef};
use crate::check::{Ask, CustomCheck, host_and_port, url};
use crate::desired::{Channel, Finding, Lifecycle, Location};
use crate::fast::FastSet;
use crate::id::{BadName, BlockAddr, BlockName, CheckName, DcName, EnvName, ProviderName, ResourceAddr, ResourceName};
use crate::reach::Never;
use crate::schema::{Role, Schema};
use crate::target::TargetId;

/// The shortest time between two attempts of a check.
const LEAST_INTERVAL: Duration = Duration::from_millis(100);

/// The place in the code from which the DSL was called.
#[track_caller]
pub(crate) fn here() -> Location {
    let caller = std::panic::Location::caller();
    Location { file: caller.file().into(), line: caller.line() }
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
    pub(super) lookups: Vec<LookupRow>,
    pub(super) checks: Vec<CheckRow>,
    pub(super) nevers: Vec<Never>,
    /// What blocks of each data centre took over from other ones, and via what.
    pub(super) imports: BTreeMap<(DcName, RawRef), String>,
    /// Of resources and lookups.
    pub(super) names: FastSet<(usize, ResourceName)>,
    /// Those that are no names.
    pub(super) odd_names: HashSet<(usize, String)>,
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
    pub(super) crossings: BTreeMap<DcName, String>,
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

pub(super) struct LookupRow {
    pub(super) called: Called,
    pub(super) block: usize,
    pub(super) schema: &'static Schema,
    pub(super) check: InputCheck,
    pub(super) query: Vec<FieldRow>,
    pub(super) at: Location,
}

pub(super) struct ResourceRow {
    pub(super) called: Called,
    pub(super) block: usize,
    pub(super) schema: &'static Schema,
    pub(super) check: InputCheck,
    pub(super) inputs: Vec<FieldRow>,
    pub(super) lifecycle: Lifecycle,
    pub(super) at: Location,
}

/// A field of a resource: its name, what it was set to, and where.
pub(crate) type FieldRow = (&'static str, Input, Location);

/// What a resource or a lookup is called.
pub(super) enum Called {
    /// By its address.
    Addr(ResourceAddr),
    /// By something that is no address, as findings show it.
    Odd(String),
}

impl Called {
    pub(super) fn addr(&self) -> Option<&ResourceAddr> {
        match self {
            Self::Addr(addr) => Some(addr),
            Self::Odd(_) => None,
        }
    }

    /// As findings show it. Made when there is one: most resources have none.
    pub(super) fn label(&self) -> String {
        match self {
            Self::Addr(addr) => addr.to_string(),
            Self::Odd(label) => label.clone(),
        }
    }
}

impl ResourceRow {
    pub(super) fn addr(&self) -> Option<&ResourceAddr> {
        self.called.addr()
    }

    pub(super) fn label(&self) -> String {
        self.called.label()
    }

    pub(super) fn input(&self, field: &str) -> Option<&FieldRow> {
        self.inputs.iter().find(|(name, ..)| *name == field)
    }
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
            lookups: Vec::new(),
            checks: Vec::new(),
            nevers: Vec::new(),
            imports: BTreeMap::new(),
            names: FastSet::default(),
            odd_names: HashSet::new(),
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
        let row = BlockRow {
            label: label.clone(),
            addr,
            function,
            params: Input::Null,
            outputs: Input::Null,
            after: BTreeSet::new(),
            crossings: BTreeMap::new(),
        };
        self.blocks.push(row);
        self.take(index, |_| format!("{label}, arguments"), &params, at);
        self.blocks[index].params = params;
        index
    }

    /// The block's function has returned this.
    pub(crate) fn close_block(&mut self, block: usize, outputs: Input, at: &Location) {
        self.building = false;
        self.take(block, |record| format!("{}, what it returns", record.blocks[block].label), &outputs, at);
        self.blocks[block].outputs = outputs;
    }

    /// A name in a block, whose it may be: of resources and lookups alike, so that an address means one thing.
    fn name(&mut self, block: usize, name: String, at: &Location) -> Called {
        let label = |record: &Self, name: &str| format!("{}.{}", record.blocks[block].label, shown(name));
        let (called, is_new) = match (ResourceName::new(name.as_str()), &self.blocks[block].addr) {
            (Ok(parsed), addr) => {
                let called = match addr {
                    Some(addr) => Called::Addr(addr.resource(parsed.clone())),
                    None => Called::Odd(label(self, &name)),
                };
                (called, self.names.insert((block, parsed)))
            }
            (Err(bad), _) => {
                let label = label(self, &name);
                self.finding(at, &label, bad.to_string());
                (Called::Odd(label), self.odd_names.insert((block, name)))
            }
        };
        if !is_new {
            let label = called.label();
            let of_a_lookup = self.lookups.iter().any(|row| row.block == block && row.called.label() == label);
            let what = if of_a_lookup { "lookup" } else { "resource" };
            self.finding(at, &label, format!("another {what} of this block has the same name"));
        }
        called
    }

    pub(crate) fn lookup<S: DataSource>(&mut self, block: usize, name: String, at: &Location) -> usize {
        let called = self.name(block, name, at);
        let (schema, check) = (S::SCHEMA, S::check);
        self.lookups.push(LookupRow { called, block, schema, check, query: Vec::new(), at: at.clone() });
        self.lookups.len() - 1
    }

    /// Sets a field of a query.
    pub(crate) fn ask(&mut self, lookup: usize, field: &'static str, input: Input, at: &Location) {
        let block = self.lookups[lookup].block;
        let subject = |record: &Self| format!("{}, field {field}", record.lookups[lookup].called.label());
        self.take(block, subject, &input, at);
        let mut later = false;
        input.each_output(&mut |_| later = true);
        if later {
            let problem =
                "holds a ref, and a lookup is answered when a plan is made, before anything is: give it values";
            self.finding(at, &subject(self), problem);
        }
        match self.lookups[lookup].query.iter().find(|(name, ..)| *name == field) {
            Some((.., first)) => {
                let problem = format!("set twice; the first time at {first}");
                self.finding(at, &subject(self), problem);
            }
            None => self.lookups[lookup].query.push((field, input, at.clone())),
        }
    }

    pub(crate) fn resource<R: Resource>(&mut self, block: usize, name: String, at: &Location) -> usize {
        let called = self.name(block, name, at);
        self.resources.push(ResourceRow {
            called,
            block,
            schema: R::SCHEMA,
            check: R::check,
            inputs: Vec::new(),
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
        self.take(block, |_| label.clone(), ask.open(), at);
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
        let subject = |record: &Self| format!("{}, field {field}", record.resources[resource].label());
        self.take(self.resources[resource].block, subject, &input, at);
        match self.resources[resource].input(field).map(|(_, _, first)| first.clone()) {
            None => self.resources[resource].inputs.push((field, input, at.clone())),
            Some(first) => self.finding(at, &subject(self), format!("set twice; the first time at {first}")),
        }
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
            let (label, names) = (row.label(), names.join("`, `"));
            let problem = format!("has no field `{}` whose changes could be ignored; it has `{names}`", shown(&field));
            self.finding(at, &label, problem);
        }
    }

    /// Where the resource's object was before: a name in the block, `<block>.<name>` in the data centre, or an address.
    pub(crate) fn moved_from(&mut self, resource: usize, from: &str, at: &Location) {
        let row = &self.resources[resource];
        let label = row.label();
        let Some(own) = row.addr().cloned() else { return };
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
        self.take(block, |_| label.clone(), earlier, at);
        let mut named = false;
        earlier.each_output(&mut |_| named = true);
        if !named && before == self.blocks[block].after.len() {
            self.finding(at, &label, "`after` needs something that a block returned, with a ref inside");
        }
    }

    /// Of what the compiler cannot tell: arguments of functions.
    fn stays_in_its_dc(&mut self, block: usize, subject: &str, input: &Input, at: &Location) {
        let mut others = BTreeSet::new();
        input.each_output(&mut |raw| {
            let theirs = self.block_of(raw).and_then(|theirs| self.dc_of(theirs));
            if let Some((theirs, ours)) = theirs.zip(self.dc_of(block))
                && ours != theirs
                && !self.imports.contains_key(&(ours.clone(), raw))
            {
                others.insert(theirs.clone());
            }
        });
        for other in others {
            self.finding(
                at,
                subject,
                format!("uses a ref of data centre {other}; give it what a block of its own returned"),
            );
        }
    }

    pub(super) fn dc_of(&self, block: usize) -> Option<&DcName> {
        self.blocks[block].addr.as_ref().map(|addr| &addr.dc)
    }

    /// The block that a ref comes from; `None` where that is one of another infrastructure.
    fn block_of(&self, raw: RawRef) -> Option<usize> {
        if raw.infra != self.id {
            return None;
        }
        match raw.of {
            Origin::Resource(index) => self.resources.get(index).map(|row| row.block),
            Origin::Lookup(index) => self.lookups.get(index).map(|row| row.block),
        }
    }

    /// Takes a value into a block: reports its problems and notes the blocks that it comes from.
    pub(super) fn take(&mut self, block: usize, subject: impl Fn(&Self) -> String, input: &Input, at: &Location) {
        for problem in input.problems() {
            self.finding(at, &subject(self), problem);
        }
        let (mut foreign, mut used, mut crossings) = (false, BTreeSet::new(), BTreeMap::new());
        let ours = self.dc_of(block).filter(|_| !self.imports.is_empty());
        input.each_output(&mut |raw| match self.block_of(raw) {
            Some(theirs) if theirs == block => {}
            Some(theirs) => {
                used.insert(theirs);
                let via = ours.and_then(|ours| self.imports.get(&(ours.clone(), raw)));
                crossings.extend(self.dc_of(theirs).cloned().zip(via.cloned()));
            }
            None => foreign = true,
        });
        self.blocks[block].crossings.extend(crossings);
        if foreign {
            let problem = "a ref of another `Infrastructure`; use those that this one's blocks returned";
            self.finding(at, &subject(self), problem);
        }
        self.blocks[block].after.extend(used);
    }
}

/// A name as it is shown before it is known to be one.
pub(super) fn shown(name: &str) -> String {
    name.chars().take(60).flat_map(char::escape_debug).collect()
}
