//! Token buckets, one per target and API.

use std::collections::BTreeMap;

use super::config::Rate;
use crate::call::ServerTime;
use crate::target::TargetId;

/// One whole call, in the unit that buckets count in: thousandths, so that a rate per second fills by milliseconds.
const WHOLE: u64 = 1000;

/// The buckets. What they hold is not part of the cloud's state: it is neither persisted nor compared.
#[derive(Debug, Clone, Default)]
pub(super) struct Throttle {
    buckets: BTreeMap<TargetId, BTreeMap<String, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    level: u64,
    at: ServerTime,
}

impl Throttle {
    /// Whether the call is let through; takes its share if so.
    pub(super) fn admit(&mut self, rate: Rate, now: ServerTime, target: &TargetId, api: &str) -> bool {
        let full = u64::from(rate.burst) * WHOLE;
        let apis = match self.buckets.get_mut(target) {
            Some(apis) => apis,
            None => self.buckets.entry(target.clone()).or_default(),
        };
        let bucket = apis.entry(api.to_owned()).or_insert(Bucket { level: full, at: now });
        let passed = now.0.saturating_sub(bucket.at.0);
        bucket.level = bucket.level.saturating_add(passed.saturating_mul(u64::from(rate.per_second))).min(full);
        bucket.at = bucket.at.max(now);
        let admitted = bucket.level >= WHOLE;
        if admitted {
            bucket.level -= WHOLE;
        }
        admitted
    }
}
