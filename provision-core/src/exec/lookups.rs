//! Asking what the code looks up: each query once, however many blocks ask it.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use super::observe::Wanted;
use super::reading::Reader;
use crate::call::{Readiness, Scope};
use crate::id::ResourceAddr;
use crate::lookup::{FoundObject, Looked, Query};
use crate::plan::World;

/// Where the answers to lookups come from.
#[derive(Debug, Clone, Copy)]
pub enum Lookups<'a> {
    /// The clouds are asked.
    Asked,
    /// An approved plan has them: nothing is asked.
    Given(&'a BTreeMap<ResourceAddr, FoundObject>),
    /// Nobody needs them: everything goes.
    Unneeded,
}

/// The queries that are asked of the clouds: those of the selected blocks, and those of other blocks that they use.
pub(super) fn queries(wanted: &Wanted<'_>) -> BTreeSet<Query> {
    let Wanted { desired, recorded: _, selection, adoptions: _, lookups } = wanted;
    match lookups {
        Lookups::Asked => {}
        Lookups::Given(_) | Lookups::Unneeded => return BTreeSet::new(),
    }
    let env = |addr: &crate::id::BlockAddr| desired.dcs.get(&addr.dc).map(|dc| &dc.env);
    let selected = desired.blocks.iter().filter(|(addr, _)| selection.names(addr, env(addr)));
    let lookups: BTreeSet<ResourceAddr> = selected.flat_map(|(addr, block)| block.looks_up(addr)).collect();
    lookups.iter().filter_map(|addr| desired.query(addr)).collect()
}

/// Asks them all at once.
pub(super) async fn look_up(reader: Reader<'_>, queries: BTreeSet<Query>) -> Vec<(Query, Looked)> {
    let asked: FuturesUnordered<_> = queries
        .into_iter()
        .map(|query| async move {
            let looked = ask(reader, &query).await;
            (query, looked)
        })
        .collect();
    asked.collect().await
}

async fn ask(reader: Reader<'_>, query: &Query) -> Looked {
    let Query { target, type_name, fields } = query;
    let mut seen = match reader.all((target, type_name), &Scope::Query(fields.clone())).await {
        Ok(all) => all.objects,
        Err(why) => return Looked::Unread(why),
    };
    seen.retain(|object| object.readiness != Readiness::Going);
    seen.sort_by(|a, b| a.id.cmp(&b.id));
    // Pages of a list that changes meanwhile may show an object twice.
    seen.dedup_by(|a, b| a.id == b.id);
    match (seen.len(), seen.pop()) {
        (1, Some(one)) => Looked::One { id: one.id, fields: one.fields },
        (_, Some(last)) => Looked::Several(seen.into_iter().chain([last]).map(|object| object.id).collect()),
        (_, None) => Looked::None,
    }
}

/// Takes in what an approved plan found.
pub(super) fn take_given(world: &mut World, given: &BTreeMap<ResourceAddr, FoundObject>) {
    for FoundObject { query, id, fields } in given.values() {
        world.looked_up(query.clone(), Looked::One { id: id.clone(), fields: fields.clone() });
    }
}
