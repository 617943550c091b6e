//! What was looked for to be taken over, and not found.

use std::collections::BTreeMap;

use provision_core::exec::Unmatched;
use provision_core::id::ResourceAddr;

/// A line for each resource that no object was found for.
pub(crate) fn unmatched(unmatched: &BTreeMap<ResourceAddr, Unmatched>) -> Vec<String> {
    let listed = |names: Vec<String>| names.join(", ");
    let lines = unmatched.iter().map(|(addr, why)| match why {
        Unmatched::None { type_name } => format!("{addr}: no {type_name} fits"),
        Unmatched::Several { type_name, ids } => {
            let ids = listed(ids.iter().map(ToString::to_string).collect());
            format!("{addr}: several {type_name} fit: {ids}")
        }
        Unmatched::Shared { id, with } => {
            let with = listed(with.iter().map(ToString::to_string).collect());
            format!("{addr}: {id} fits, and it fits {with} as well")
        }
    });
    lines.collect()
}
