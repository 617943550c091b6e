//! Elastic Load Balancing: what clients connect to, and where it sends them. A file per type.

use std::collections::BTreeMap;

use crate::table::Row;
use crate::table::calls::Part;

pub(crate) mod attributes;
pub(crate) mod below;
pub(crate) mod list;
pub(crate) mod tags;

pub mod action;
pub mod condition;
pub mod listener;
pub mod listener_rule;
pub mod load_balancer;
pub mod target_group;

#[cfg(test)]
mod tests;

/// The load balancers' types.
pub(crate) static ROWS: &[&Row] = &[&target_group::ROW, &load_balancer::ROW, &listener::ROW, &listener_rule::ROW];

/// Parameters of a request that some fields give.
pub(crate) type Parameters = BTreeMap<String, Part>;

/// Names of load balancers and target groups: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html>.
pub(crate) fn name_problem(name: &str) -> Option<String> {
    let good = (1..=32).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    let rule = "write 1 to 32 letters, digits and hyphens, with no hyphen at either end";
    (!good).then(|| format!("AWS does not take `{}`: {rule}", name.escape_debug()))
}
