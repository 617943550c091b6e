//! Everything that is recorded about a block or a resource, as text and as JSON.

use std::collections::{BTreeMap, BTreeSet};

use provision_core::call::Mark;
use provision_core::desired::{Channel, Lifecycle};
use provision_core::id::{
    BlockAddr, DcName, Digest, EnvName, Epoch, Generation, IntentNo, ObjectId, ProviderName, ResourceAddr,
    ResourceName, Revision, RunId, Seq, TypeName,
};
use provision_core::lookup::FoundObject;
use provision_core::stream::event::{Intent, ObjectRecord};
use provision_core::stream::{BlockState, ResourceState};
use provision_core::target::TargetId;
use provision_core::value::{Expr, Value};
use serde::Serialize;

use super::style::{BOLD, DIM, YELLOW};
use super::{output, plain};
use crate::store::Logs;

/// A block.
#[derive(Debug, Serialize)]
pub(crate) struct BlockView<'a> {
    format_version: &'static str,
    #[serde(flatten)]
    about: About<'a>,
    targets: &'a BTreeMap<ProviderName, TargetId>,
    /// What the lookups found that it has or uses, when it was last applied.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    found: &'a BTreeMap<ResourceAddr, FoundObject>,
    /// The data centres whose refs it uses, with what carries them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    crossings: BTreeMap<&'a DcName, &'a str>,
    after: BTreeSet<&'a BlockAddr>,
    /// The blocks of which something uses an object of this one.
    used_by: BTreeSet<BlockAddr>,
    /// Logs that can't be used: something there may use it too.
    unreadable: Vec<&'a BlockAddr>,
    resources: BTreeMap<&'a ResourceName, Resource<'a>>,
}

/// A resource, and its block in short.
#[derive(Debug, Serialize)]
pub(crate) struct ResourceView<'a> {
    format_version: &'static str,
    resource: Resource<'a>,
    unreadable: Vec<&'a BlockAddr>,
    block: About<'a>,
}

/// What is recorded of a block as a whole.
#[derive(Debug, Serialize)]
struct About<'a> {
    address: &'a BlockAddr,
    environment: Option<&'a EnvName>,
    channel: Option<Channel>,
    generation: Generation,
    revision: Option<&'a Revision>,
    writer: Option<&'a str>,
    last_entry: Option<Seq>,
    epoch: Epoch,
    claim: Option<Claim<'a>>,
    /// The function that built it, and what it was given, when it was last applied.
    function: Option<&'a str>,
    params: Option<&'a Value>,
    definition: Option<&'a Digest>,
    defined_by_generation: Option<Generation>,
}

#[derive(Debug, Serialize)]
struct Claim<'a> {
    run: &'a RunId,
    holder: &'a str,
    since: &'a str,
}

#[derive(Debug, Serialize)]
struct Resource<'a> {
    address: ResourceAddr,
    object: Option<Object<'a>>,
    lifecycle: Option<&'a Lifecycle>,
    /// What uses it, by the logs.
    used_by: BTreeSet<ResourceAddr>,
    open_calls: Vec<OpenCall<'a>>,
    /// Its former objects, whose deletes are due.
    deposed: Vec<Former<'a>>,
}

#[derive(Debug, Serialize)]
struct Object<'a> {
    #[serde(rename = "type")]
    type_name: &'a TypeName,
    schema_version: u32,
    id: &'a ObjectId,
    target: &'a TargetId,
    mark: Option<&'a Mark>,
    /// Whether it was brought to its definition; otherwise only some calls landed.
    complete: bool,
    /// Whether it is neither deleted nor replaced.
    protected: bool,
    /// The fields that are ours.
    ours: BTreeMap<&'a str, &'a Value>,
    /// The fields that the server gave.
    servers: BTreeMap<&'a str, &'a Value>,
    depends_on: &'a BTreeSet<ResourceAddr>,
}

#[derive(Debug, Serialize)]
struct OpenCall<'a> {
    intent: IntentNo,
    api: &'a str,
    #[serde(rename = "type")]
    type_name: &'a TypeName,
    object: Option<&'a ObjectId>,
}

#[derive(Debug, Serialize)]
struct Former<'a> {
    #[serde(rename = "type")]
    type_name: &'a TypeName,
    id: &'a ObjectId,
    target: &'a TargetId,
}

impl<'a> BlockView<'a> {
    pub(crate) fn of(addr: &'a BlockAddr, state: &'a BlockState, logs: &'a Logs) -> Self {
        let resources: BTreeMap<_, _> = names(state)
            .into_iter()
            .map(|name| (name, Resource::of(addr.resource(name.clone()), state, logs)))
            .collect();
        let users = resources.values().flat_map(|resource| &resource.used_by);
        let used_by = users.map(|user| user.block.clone()).filter(|user| user != addr).collect();
        let crossings = state.definition.iter().flat_map(|definition| &definition.crossings);
        let after = state.definition.iter().flat_map(|definition| &definition.after).collect();
        Self {
            format_version: super::FORMAT_VERSION,
            about: About::of(addr, state),
            targets: &state.targets,
            found: &state.found,
            crossings: crossings.map(|(dc, via)| (dc, via.as_str())).collect(),
            after,
            used_by,
            unreadable: unreadable(logs),
            resources,
        }
    }

    /// The names of its resources.
    pub(crate) fn names(&self) -> Vec<String> {
        self.resources.keys().map(ToString::to_string).collect()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = self.about.lines();
        for target in self.targets.values() {
            lines.push(row("target", &plain(&target.to_string())));
        }
        let found =
            self.found.iter().map(|(lookup, found)| format!("{lookup}: {} {}", found.query.type_name, found.id));
        lines.extend(list("found", found));
        lines.extend(list("crossing", self.crossings.iter().map(|(dc, via)| format!("from {dc}, via {via}"))));
        lines.extend(list("after", &self.after));
        lines.extend(list("used by", &self.used_by));
        lines.extend(list("unreadable", &self.unreadable));
        for resource in self.resources.values() {
            lines.push(String::new());
            lines.extend(resource.lines());
        }
        lines
    }
}

impl<'a> ResourceView<'a> {
    /// `None` for a resource that the log does not know.
    pub(crate) fn of(addr: &'a ResourceAddr, state: &'a BlockState, logs: &'a Logs) -> Option<Self> {
        names(state).contains(&addr.name).then(|| Self {
            format_version: super::FORMAT_VERSION,
            resource: Resource::of(addr.clone(), state, logs),
            unreadable: unreadable(logs),
            block: About::of(&addr.block, state),
        })
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = self.resource.lines();
        lines.extend(list("unreadable", &self.unreadable));
        lines.push(String::new());
        lines.extend(self.block.lines());
        lines
    }
}

/// Every resource that has or had an object, or may have one.
fn names(state: &BlockState) -> BTreeSet<&ResourceName> {
    let deposed = state.deposed.values().map(|deposed| &deposed.resource);
    state.resources.keys().chain(deposed).chain(state.open.values().map(|intent| &intent.resource)).collect()
}

/// What may use the same things unseen.
fn unreadable(logs: &Logs) -> Vec<&BlockAddr> {
    logs.iter().filter(|(_, log)| log.is_err()).map(|(addr, _)| addr).collect()
}

fn used_by(addr: &ResourceAddr, logs: &Logs) -> BTreeSet<ResourceAddr> {
    let mut users = BTreeSet::new();
    for (block, state) in logs.iter().filter_map(|(block, log)| Some((block, log.as_ref().ok()?))) {
        let present = state.resources.iter().map(|(name, resource)| (name, &resource.object.depends_on));
        let deposed = state.deposed.values().map(|deposed| (&deposed.resource, &deposed.record.depends_on));
        let open = state.open.values().map(|intent| (&intent.resource, &intent.depends_on));
        let using = present.chain(deposed).chain(open).filter(|(_, uses)| uses.contains(addr));
        users.extend(using.map(|(name, _)| block.resource(name.clone())));
    }
    users.remove(addr);
    users
}

impl<'a> About<'a> {
    fn of(address: &'a BlockAddr, state: &'a BlockState) -> Self {
        let definition = state.definition.as_deref();
        Self {
            address,
            environment: state.env.as_ref(),
            channel: state.channel,
            generation: state.generation,
            revision: state.revision.as_ref(),
            writer: state.writer.as_deref(),
            last_entry: state.head.as_ref().map(|head| head.seq),
            epoch: state.epoch,
            claim: state.claim.as_ref().map(|claim| Claim {
                run: &claim.run,
                holder: &claim.holder.name,
                since: &claim.holder.since,
            }),
            function: definition.map(|definition| definition.function.as_str()),
            params: definition.map(|definition| &definition.params),
            definition: state.digest.as_ref(),
            defined_by_generation: state.defined,
        }
    }

    fn lines(&self) -> Vec<String> {
        let place: Vec<String> = [
            self.environment.map(ToString::to_string),
            self.channel.map(|channel| match channel {
                Channel::Stable => "stable".to_owned(),
                Channel::Beta => "beta".to_owned(),
            }),
        ]
        .into_iter()
        .flatten()
        .collect();
        let mut lines = vec![format!("{BOLD}{}{BOLD:#}  {DIM}{}{DIM:#}", self.address, place.join(", "))];
        if let (Some(revision), Some(writer), Some(entry)) = (self.revision, self.writer, self.last_entry) {
            let (generation, writer) = (self.generation, plain(writer));
            let written = format!("generation {generation}, revision {revision}, by {writer} (entry {entry})");
            lines.push(row("last written", &written));
        }
        lines.extend(self.function.map(|function| row("built by", &plain(function))));
        let params = self.params.filter(|params| !params.is_null());
        lines.extend(params.into_iter().flat_map(|params| rows("given", output::lines(&params.widen()))));
        lines.extend(self.claim.as_ref().map(|claim| {
            let holder = plain(claim.holder);
            row(
                "claimed",
                &format!("{YELLOW}by {holder}{YELLOW:#} (run {}, since {})", claim.run.short(), plain(claim.since)),
            )
        }));
        lines
    }
}

impl<'a> Resource<'a> {
    fn of(address: ResourceAddr, state: &'a BlockState, logs: &'a Logs) -> Self {
        let definition = state.definition.as_deref().and_then(|definition| definition.resources.get(&address.name));
        let open = state.open.values().filter(|intent| intent.resource == address.name);
        let deposed = state.deposed.values().filter(|deposed| deposed.resource == address.name);
        Self {
            object: state.resources.get(&address.name).map(Object::of),
            lifecycle: definition.map(|definition| &definition.lifecycle),
            used_by: used_by(&address, logs),
            open_calls: open.map(OpenCall::of).collect(),
            deposed: deposed.map(|deposed| Former::of(&deposed.record)).collect(),
            address,
        }
    }

    fn lines(&self) -> Vec<String> {
        let title = match &self.object {
            Some(object) => format!("{DIM}{} {}{DIM:#}", object.type_name, object.id),
            None => format!("{DIM}has no object{DIM:#}"),
        };
        let mut lines = vec![format!("{BOLD}{}{BOLD:#}  {title}", self.address)];
        if let Some(object) = &self.object {
            lines.extend(object.lines());
        }
        lines.extend(list("used by", &self.used_by));
        for call in &self.open_calls {
            let open = format!("{YELLOW}open:{YELLOW:#} whether {} landed is not known", plain(call.api));
            lines.push(row("call", &format!("{open} (intent {})", call.intent)));
        }
        for former in &self.deposed {
            let what = format!("{} {} was replaced: its delete is due", former.type_name, former.id);
            lines.push(row("former", &what));
        }
        if let Some(Lifecycle { prevent_destroy: _, delete_before_replace, ignore_changes, moved_from: _ }) =
            self.lifecycle
        {
            if *delete_before_replace {
                lines.push(row("replaced", "the old object goes first"));
            }
            lines.extend(list("left alone", ignore_changes));
        }
        lines
    }
}

impl<'a> Object<'a> {
    fn of(resource: &'a ResourceState) -> Self {
        let ResourceState { object, applied, made: _, maker: _, protected } = resource;
        let is_ours = |name: &str| applied.as_ref().is_some_and(|applied| applied.contains_key(name));
        let recorded = object.fields.iter().map(|(name, value)| (name.as_str(), value));
        let (mut ours, servers): (BTreeMap<_, _>, BTreeMap<_, _>) = recorded.partition(|(name, _)| is_ours(name));
        for (name, value) in applied.iter().flatten() {
            ours.entry(name).or_insert(value);
        }
        Self {
            type_name: &object.type_name,
            schema_version: object.version,
            id: &object.id,
            target: &object.target,
            mark: object.mark.as_ref(),
            complete: applied.is_some(),
            protected: *protected,
            ours,
            servers,
            depends_on: &object.depends_on,
        }
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = vec![row("target", &plain(&self.target.to_string()))];
        let mark = self.mark.map(|mark| format!("{} {} {}", mark.infra, mark.address, mark.incarnation));
        lines.push(row("mark", mark.as_deref().unwrap_or("none")));
        if !self.complete {
            lines.push(row("complete", "no: a run was cut off before it was as defined"));
        }
        if self.protected {
            lines.push(row("protected", "it is neither deleted nor replaced"));
        }
        let others = if self.complete { "the server's" } else { "so far" };
        for (title, fields) in [("ours", &self.ours), (others, &self.servers)] {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            let fields = fields.map(|(name, value)| ((*name).to_owned(), value.widen())).collect();
            lines.extend(rows(title, output::lines(&Expr::Map(fields))));
        }
        lines.extend(list("uses", self.depends_on));
        lines
    }
}

impl<'a> OpenCall<'a> {
    fn of(intent: &'a Intent) -> Self {
        Self {
            intent: intent.number,
            api: &intent.call.api,
            type_name: &intent.call.type_name,
            object: intent.object.as_ref(),
        }
    }
}

impl<'a> Former<'a> {
    fn of(record: &'a ObjectRecord) -> Self {
        Self { type_name: &record.type_name, id: &record.id, target: &record.target }
    }
}

fn row(title: &str, text: &str) -> String {
    format!("  {DIM}{title:12}{DIM:#}  {text}")
}

/// A row for each line, the title in front of the first.
fn rows(title: &str, lines: Vec<String>) -> Vec<String> {
    let titles = std::iter::once(title).chain(std::iter::repeat(""));
    titles.zip(lines).map(|(title, line)| row(title, &line)).collect()
}

/// A row for each thing.
fn list<T: ToString>(title: &str, items: impl IntoIterator<Item = T>) -> Vec<String> {
    rows(title, items.into_iter().map(|item| plain(&item.to_string())).collect())
}
