//! Token buckets, one per action that has one.

use std::{collections::BTreeMap, time::Instant};

/// How many calls may come at once, and how many a second for long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throttle {
    /// The size of the bucket.
    pub burst: u32,
    /// How fast it fills again.
    pub per_second: f64,
}

#[derive(Debug, Default)]
pub(crate) struct Throttles {
    buckets: BTreeMap<String, Bucket>,
}

#[derive(Debug)]
struct Bucket {
    throttle: Throttle,
    level: f64,
    at: Instant,
}

impl Throttles {
    pub(crate) fn set(&mut self, action: &str, throttle: Option<Throttle>, now: Instant) {
        match throttle {
            None => {
                self.buckets.remove(action);
            }
            Some(throttle) => {
                let bucket = Bucket { throttle, level: f64::from(throttle.burst), at: now };
                self.buckets.insert(action.to_owned(), bucket);
            }
        }
    }

    /// Takes one out of the action's bucket, if it has one; whether there was one to take.
    pub(crate) fn admits(&mut self, action: &str, now: Instant) -> bool {
        let Some(bucket) = self.buckets.get_mut(action) else {
            return true;
        };
        let filled = now.saturating_duration_since(bucket.at).as_secs_f64() * bucket.throttle.per_second;
        bucket.level = (bucket.level + filled).min(f64::from(bucket.throttle.burst));
        bucket.at = now;
        let admitted = bucket.level >= 1.0;
        if admitted {
            bucket.level -= 1.0;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_lets_a_burst_through_and_fills_again() {
        let start = Instant::now();
        let mut throttles = Throttles::default();
        throttles.set("CreateVpc", Some(Throttle { burst: 2, per_second: 4.0 }), start);
        let mut at = |action: &str, ms| throttles.admits(action, start + Duration::from_millis(ms));
        assert!(at("CreateVpc", 0) && at("CreateVpc", 0) && !at("CreateVpc", 0));
        assert!(at("CreateSubnet", 0));
        assert!(!at("CreateVpc", 200) && at("CreateVpc", 251) && !at("CreateVpc", 252));
        assert!(at("CreateVpc", 9_000) && at("CreateVpc", 9_000) && !at("CreateVpc", 9_000));
    }
}
