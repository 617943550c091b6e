//! Token buckets: of an action, or of all calls of a service.

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
    /// For an action, or for all calls of a service by its signing name.
    pub(crate) fn set(&mut self, name: &str, throttle: Option<Throttle>, now: Instant) {
        match throttle {
            None => {
                self.buckets.remove(name);
            }
            Some(throttle) => {
                let bucket = Bucket { throttle, level: f64::from(throttle.burst), at: now };
                self.buckets.insert(name.to_owned(), bucket);
            }
        }
    }

    /// Takes one out of each bucket of the call, its action's and its service's; whether there was one to take.
    pub(crate) fn admits(&mut self, service: &str, action: &str, now: Instant) -> bool {
        [action, service].iter().all(|name| self.takes(name, now))
    }

    fn takes(&mut self, name: &str, now: Instant) -> bool {
        let Some(bucket) = self.buckets.get_mut(name) else {
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
        let mut at = |action: &str, ms| throttles.admits("ec2", action, start + Duration::from_millis(ms));
        assert!(at("CreateVpc", 0) && at("CreateVpc", 0) && !at("CreateVpc", 0));
        assert!(at("CreateSubnet", 0));
        assert!(!at("CreateVpc", 200) && at("CreateVpc", 251) && !at("CreateVpc", 252));
        assert!(at("CreateVpc", 9_000) && at("CreateVpc", 9_000) && !at("CreateVpc", 9_000));
    }

    #[test]
    fn a_service_has_a_bucket_for_all_its_calls() {
        let start = Instant::now();
        let mut throttles = Throttles::default();
        throttles.set("ec2", Some(Throttle { burst: 2, per_second: 0.0 }), start);
        let mut at = |service: &str, action: &str| throttles.admits(service, action, start);
        assert!(at("ec2", "CreateVpc") && at("ec2", "DescribeVpcs") && !at("ec2", "CreateVpc"));
        assert!(at("iam", "CreateRole"));
    }
}
