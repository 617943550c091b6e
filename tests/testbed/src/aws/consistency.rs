//! Eventual consistency: a new object is not found for a while after it was created.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{answer::Answer, call::Call, lists};

/// How long a new VPC, subnet, security group or instance is not found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lag {
    /// For so long after its create was executed, describe calls do not show it.
    pub reads: Duration,
    /// For so long, calls that name it (a subnet's VPC, tags) say that it does not exist.
    pub uses: Duration,
}

/// Create actions, the describe actions that show what they made, and the element that holds its id.
const KINDS: [(&str, &str, &str); 4] = [
    ("CreateVpc", "DescribeVpcs", "vpcId"),
    ("CreateSubnet", "DescribeSubnets", "subnetId"),
    ("CreateSecurityGroup", "DescribeSecurityGroups", "groupId"),
    ("RunInstances", "DescribeInstances", "instanceId"),
];

#[derive(Debug, Default)]
pub(crate) struct Births {
    born: BTreeMap<String, Instant>,
}

impl Births {
    /// Remembers what a successful call has created.
    pub(crate) fn note(&mut self, call: &Call, answer: &Answer, now: Instant) {
        if let Some((_, _, element)) = KINDS.iter().find(|(create, ..)| *create == call.action) {
            let ids = lists::texts_of(answer.text(), element);
            self.born.extend(ids.into_iter().map(|id| (id, now)));
        }
    }

    /// The refusal of a call that names an object which is still too new.
    pub(crate) fn refusal(&self, call: &Call, lag: Lag, now: Instant) -> Option<Answer> {
        let lag = if call.action.starts_with("Describe") { lag.reads } else { lag.uses };
        let named = call.params.iter().filter(|(name, _)| !name.starts_with("Filter."));
        let (_, id) = named.into_iter().find(|(_, value)| self.is_new(value, lag, now))?;
        let (code, message) = match id.split('-').next() {
            Some("vpc") => ("InvalidVpcID.NotFound", format!("The vpc ID '{id}' does not exist")),
            Some("subnet") => ("InvalidSubnetID.NotFound", format!("The subnet ID '{id}' does not exist")),
            Some("sg") => ("InvalidGroup.NotFound", format!("The security group '{id}' does not exist")),
            _ => ("InvalidInstanceID.NotFound", format!("The instance ID '{id}' does not exist")),
        };
        Some(Answer::error(call, 400, code, &message))
    }

    /// The answer of a describe call without what is still too new.
    pub(crate) fn visible(&self, call: &Call, answer: Answer, lag: Lag, now: Instant) -> Answer {
        let Some((_, _, element)) = KINDS.iter().find(|(_, describe, _)| *describe == call.action) else {
            return answer;
        };
        if lag.reads.is_zero() {
            return answer;
        }
        let text = lists::without_items(answer.text(), element, |id| self.is_new(id, lag.reads, now));
        answer.with_text(text)
    }

    fn is_new(&self, id: &str, lag: Duration, now: Instant) -> bool {
        self.born.get(id).is_some_and(|born| now.saturating_duration_since(*born) < lag)
    }
}
