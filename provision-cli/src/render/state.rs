//! What the logs record, one object a line.

use std::collections::BTreeMap;

use provision_core::id::{BlockAddr, Generation, ObjectId, ResourceAddr, Revision, RunId, TypeName};
use provision_core::sim::Held;
use provision_core::stream::BlockState;
use serde::Serialize;

use super::plain;
use super::style::{BOLD, DIM};
use crate::store::Logs;

/// The lines of a block: who wrote it last, its objects, those that are due to go, and calls whose outcome is open.
pub(crate) fn block(addr: &BlockAddr, state: &BlockState) -> Vec<String> {
    let written = state.writer.iter().zip(&state.revision).map(|(writer, revision)| {
        let generation = state.generation;
        format!("{BOLD}{addr}{BOLD:#}  {DIM}generation {generation}, revision {revision}, by {}{DIM:#}", plain(writer))
    });
    let present = state
        .resources
        .iter()
        .map(|(name, resource)| format!("{addr}.{name}  {}  {}", resource.object.type_name, resource.object.id));
    let deposed = state.deposed.values().map(|deposed| {
        let (name, record) = (&deposed.resource, &deposed.record);
        format!("{addr}.{name}  {}  {}  deposed: its delete is due", record.type_name, record.id)
    });
    let open = state.open.values().map(|intent| {
        let (name, call) = (&intent.resource, &intent.call);
        format!("{addr}.{name}  {}  -  open: whether {} landed is not known", call.type_name, plain(&call.api))
    });
    let claimed = state.claim.iter().map(|claim| {
        format!(
            "{addr}  claimed by {} (run {}, since {})",
            plain(&claim.holder.name),
            claim.run.short(),
            plain(&claim.holder.since)
        )
    });
    written.chain(present).chain(deposed).chain(open).chain(claimed).collect()
}

/// One object of the simulated cloud: type, id, mark.
pub(crate) fn held(held: &Held) -> String {
    let mark = held
        .mark
        .as_ref()
        .map_or_else(|| "(no mark)".to_owned(), |mark| format!("{} {} {}", mark.infra, mark.address, mark.incarnation));
    format!("{}  {}  {mark}", held.type_name, held.id)
}

/// What the logs record, as JSON.
#[derive(Serialize)]
pub(crate) struct List<'a> {
    format_version: &'static str,
    blocks: BTreeMap<&'a BlockAddr, Block<'a>>,
    /// Logs that can't be used, and why.
    damaged: BTreeMap<&'a BlockAddr, &'a str>,
}

#[derive(Serialize)]
struct Block<'a> {
    generation: Generation,
    revision: Option<&'a Revision>,
    writer: Option<&'a str>,
    /// The run that holds it.
    claimed_by: Option<&'a RunId>,
    objects: Vec<Object<'a>>,
    open_calls: Vec<OpenCall<'a>>,
}

#[derive(Serialize)]
struct Object<'a> {
    address: ResourceAddr,
    #[serde(rename = "type")]
    type_name: &'a TypeName,
    id: &'a ObjectId,
    /// Whether it was replaced and is to go.
    deposed: bool,
}

#[derive(Serialize)]
struct OpenCall<'a> {
    address: ResourceAddr,
    api: &'a str,
}

/// What the logs record, as JSON.
pub(crate) fn list_json(logs: &Logs) -> List<'_> {
    List {
        format_version: super::FORMAT_VERSION,
        blocks: logs.iter().filter_map(|(addr, log)| Some((addr, json(addr, log.as_ref().ok()?)))).collect(),
        damaged: logs.iter().filter_map(|(addr, log)| Some((addr, log.as_ref().err()?.as_str()))).collect(),
    }
}

fn json<'a>(addr: &BlockAddr, state: &'a BlockState) -> Block<'a> {
    let present = state.resources.iter().map(|(name, resource)| (name, &resource.object, false));
    let deposed = state.deposed.values().map(|deposed| (&deposed.resource, &deposed.record, true));
    let objects = present.chain(deposed).map(|(name, record, deposed)| Object {
        address: addr.resource(name.clone()),
        type_name: &record.type_name,
        id: &record.id,
        deposed,
    });
    let open = state.open.values();
    let open = open.map(|intent| OpenCall { address: addr.resource(intent.resource.clone()), api: &intent.call.api });
    Block {
        generation: state.generation,
        revision: state.revision.as_ref(),
        writer: state.writer.as_deref(),
        claimed_by: state.claim.as_ref().map(|claim| &claim.run),
        objects: objects.collect(),
        open_calls: open.collect(),
    }
}

/// What the simulated cloud holds, as JSON.
#[derive(Serialize)]
pub(crate) struct Cloud<'a> {
    format_version: &'static str,
    objects: &'a [Held],
}

/// What the simulated cloud holds, as JSON.
pub(crate) fn cloud_json(objects: &[Held]) -> Cloud<'_> {
    Cloud { format_version: super::FORMAT_VERSION, objects }
}
