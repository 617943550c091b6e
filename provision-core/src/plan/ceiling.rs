//! Whether a plan lies inside an earlier one.

use std::fmt;

use super::data::{BlockPlan, Moved, Outcome, Plan, ResourcePlan};
use crate::id::ResourceAddr;

/// How a plan leaves the ceiling of an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// The resource.
    pub resource: ResourceAddr,
    /// What the later plan would do, and the earlier one does not allow.
    pub what: String,
}

impl fmt::Display for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.resource, self.what)
    }
}

/// Everything in `later` that `approved` does not allow. Doing nothing is always allowed.
pub fn outside(approved: &Plan, later: &Plan) -> Vec<Outside> {
    let mut out = Vec::new();
    for (addr, resource) in later.resources() {
        let Some(before) = approved.resource(&addr) else {
            if resource.acts() {
                out.push(Outside { resource: addr, what: "was not in the plan".to_owned() });
            }
            continue;
        };
        out.extend(beyond(before, resource).map(|what| Outside { resource: addr, what }));
    }
    out
}

fn beyond(before: &ResourcePlan, now: &ResourcePlan) -> Option<String> {
    if let Some(outcome) =
        now.allowed.iter().find(|outcome| **outcome != Outcome::NoOp && !before.allowed.contains(outcome))
    {
        return Some(format!("would {outcome}, which the plan does not allow"));
    }
    if let Some(field) = now.fields.difference(&before.fields).next()
        && now.allowed.contains(&Outcome::Update)
    {
        return Some(format!("would update `{field}`, which the plan does not allow"));
    }
    if let Some(retirement) = now.retire.iter().find(|retirement| !before.retire.contains(retirement)) {
        return Some(format!("would delete {}, which the plan does not allow", retirement.id));
    }
    if now.moved.is_some() && now.moved != before.moved {
        return Some(match &now.moved {
            Some(Moved::In { from }) => format!("would take over the object of {from}, which the plan does not say"),
            Some(Moved::Out { to }) => format!("would give its object to {to}, which the plan does not say"),
            None => return None,
        });
    }
    if now.allowed.contains(&Outcome::Replace) && now.order != before.order {
        return Some("would be replaced in the other order than the plan says".to_owned());
    }
    let (Some(was), Some(is)) = (&before.existing, &now.existing) else { return None };
    (was != is).then(|| format!("was {} when it was planned and is {} now", was.id, is.id))
}

/// Whether the later plan refuses a block that the approved one planned.
pub fn newly_refused(approved: &Plan, later: &Plan) -> Option<String> {
    later.blocks.iter().find_map(|(addr, block)| match (block, approved.blocks.get(addr)) {
        (BlockPlan::Refused { problem }, Some(BlockPlan::Planned(_)) | None) => Some(format!("{addr}: {problem}")),
        (BlockPlan::Refused { .. } | BlockPlan::Planned(_), _) => None,
    })
}
