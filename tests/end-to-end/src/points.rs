//! Where a run can be killed: at every call that can change something.

use std::collections::BTreeMap;
use std::fmt;

use testbed::aws::{Fault, Match, RecordedCall, Rule};

use crate::state::PREFIX;
use crate::world::puts;

/// One call of a run that can change something, named so that it is met in another run of the same code too.
#[derive(Debug, Clone)]
pub struct Point {
    what: String,
    matches: Match,
    nth: usize,
    /// Whether it is a call of EC2, else it is a write of the state.
    pub cloud: bool,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} #{}", self.what, self.nth)
    }
}

impl Point {
    /// The points of a run, by its mutating calls.
    pub fn all(calls: &[RecordedCall]) -> Vec<Self> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let points = calls.iter().map(|call| {
            let cloud = call.service == "ec2";
            let (what, matches) = if cloud {
                (call.action.clone(), Match::action(&call.action))
            } else {
                let key = call.params.get("Key").map(String::as_str).unwrap_or_default();
                let place = place(key.trim_start_matches(PREFIX).trim_start_matches('/'));
                (place.to_owned(), puts(place))
            };
            let nth = counts.entry(what.clone()).or_default();
            *nth += 1;
            Self { what, matches, nth: *nth, cloud }
        });
        points.collect()
    }

    /// The fault for the call at this point.
    pub fn rule(&self, fault: Fault) -> Rule {
        Rule::new(self.matches.clone(), fault).nth(self.nth)
    }
}

/// The part of a key that is the same in each run: runs and probes have names of their own.
fn place(key: &str) -> &str {
    let named_anew = ["v1/run/", "v1/meta/"];
    named_anew.into_iter().find(|folder| key.starts_with(folder)).unwrap_or(key)
}
