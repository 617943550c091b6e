//! What the logs record, one object a line.

use provision_core::id::BlockAddr;
use provision_core::sim::Held;
use provision_core::stream::BlockState;

use super::style::{BOLD, DIM};

/// The lines of a block: who wrote it last, its objects, those that are due to go, and calls whose outcome is open.
pub(crate) fn block(addr: &BlockAddr, state: &BlockState) -> Vec<String> {
    let written = state.writer.iter().zip(&state.revision).map(|(writer, revision)| {
        let generation = state.generation;
        format!("{BOLD}{addr}{BOLD:#}  {DIM}generation {generation}, revision {revision}, by {writer}{DIM:#}")
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
        format!("{addr}.{name}  {}  -  open: whether {} landed is not known", call.type_name, call.api)
    });
    let claimed = state.claim.iter().map(|claim| {
        format!("{addr}  claimed by {} (run {}, since {})", claim.holder.name, claim.run.short(), claim.holder.since)
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
