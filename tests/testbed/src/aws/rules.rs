//! Faults by rule: which requests, which of them, and what goes wrong.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Semaphore;

use super::call::Call;

/// Which requests are meant. Everything that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Match {
    service: Option<String>,
    action: Option<String>,
    key_prefix: Option<String>,
    params: Vec<(String, String)>,
}

impl Match {
    /// Every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// The requests of an action: `CreateVpc`, `CreateHostedZone`, `PutBucketVersioning`. A `&str` is the same.
    pub fn action(action: &str) -> Self {
        Self { action: Some(action.to_owned()), ..Self::default() }
    }

    /// The requests to a service by its signing name: `ec2`, `elasticloadbalancing`, `s3`.
    pub fn service(service: &str) -> Self {
        Self { service: Some(service.to_owned()), ..Self::default() }
    }

    /// The S3 requests of a method whose key starts so.
    pub fn s3(method: &str, key_prefix: &str) -> Self {
        Self { key_prefix: Some(key_prefix.to_owned()), ..Self::service("s3").with("Method", method) }
    }

    /// Only those with this parameter.
    #[must_use]
    pub fn with(mut self, param: &str, value: &str) -> Self {
        self.params.push((param.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn holds(&self, call: &Call) -> bool {
        let Self { service, action, key_prefix, params } = self;
        service.as_ref().is_none_or(|service| *service == call.service)
            && action.as_ref().is_none_or(|action| *action == call.action)
            && key_prefix
                .as_ref()
                .is_none_or(|prefix| call.params.get("Key").map_or("", String::as_str).starts_with(prefix.as_str()))
            && params.iter().all(|(name, value)| call.params.get(name) == Some(value))
    }
}

impl From<&str> for Match {
    fn from(action: &str) -> Self {
        Self::action(action)
    }
}

/// What goes wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It never reaches the server; the connection is closed without an answer.
    LoseRequest,
    /// It is executed; the connection is closed without an answer.
    LoseAnswer,
    /// It is executed; the answer is an error with this status.
    ErrorAfter(u16),
    /// It is not executed; the answer is this error.
    Refuse {
        /// The status, such as 400.
        status: u16,
        /// The error code, such as `VpcLimitExceeded`.
        code: String,
    },
    /// It is executed only after this time, whatever has become of the caller.
    DeliverLate {
        /// How much later.
        after: Duration,
        /// What the caller sees meanwhile.
        caller: Caller,
    },
    /// It is executed; the connection is closed in the middle of the answer.
    CutConnection,
    /// It is held before it is executed, until [`RuleHandle::release`](super::RuleHandle::release).
    Hold,
    /// It is executed and its answer is held, until [`RuleHandle::release`](super::RuleHandle::release).
    HoldAnswer,
}

/// What the caller of a request that is delivered late sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Its connection is closed at once.
    Disconnected,
    /// It waits, and gets the answer if it waits long enough.
    Waits,
}

/// A fault, for which requests, and for which of those.
#[derive(Debug, Clone)]
pub struct Rule {
    matches: Match,
    fault: Fault,
    pass: usize,
    times: Option<usize>,
}

impl Rule {
    /// The fault for the first request that matches, and for none after it.
    pub fn new(matches: impl Into<Match>, fault: Fault) -> Self {
        Self { matches: matches.into(), fault, pass: 0, times: Some(1) }
    }

    /// For the `n`th request that matches, counted from 1 (or from there on, with [`Rule::times`]).
    #[must_use]
    pub fn nth(mut self, n: usize) -> Self {
        self.pass = n.saturating_sub(1);
        self
    }

    /// For so many requests one after the other.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = Some(times);
        self
    }

    /// For all of them.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }
}

/// A rule in force: what it has counted, and the gate where it holds requests.
#[derive(Debug)]
pub(crate) struct ActiveRule {
    rule: Rule,
    seen: AtomicUsize,
    hits: AtomicUsize,
    removed: AtomicBool,
    gate: Semaphore,
}

impl ActiveRule {
    pub(crate) fn new(rule: Rule) -> Self {
        Self {
            rule,
            seen: AtomicUsize::new(0),
            hits: AtomicUsize::new(0),
            removed: AtomicBool::new(false),
            gate: Semaphore::new(0),
        }
    }

    pub(crate) fn fault(&self) -> &Fault {
        &self.rule.fault
    }

    pub(crate) fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }

    pub(crate) fn remove(&self) {
        self.removed.store(true, Ordering::SeqCst);
    }

    pub(crate) fn open(&self) {
        self.gate.close();
    }

    pub(crate) fn let_one_through(&self) {
        self.gate.add_permits(1);
    }

    pub(crate) async fn pass_gate(&self) {
        // A closed semaphore is an open gate.
        if let Ok(permit) = self.gate.acquire().await {
            permit.forget();
        }
    }

    /// Counts the call if it matches; says whether the rule wants it.
    fn wants(&self, call: &Call) -> bool {
        if self.removed.load(Ordering::SeqCst) || !self.rule.matches.holds(call) {
            return false;
        }
        let seen = self.seen.fetch_add(1, Ordering::SeqCst);
        seen >= self.rule.pass && self.rule.times.is_none_or(|times| seen < self.rule.pass + times)
    }
}

/// The rule that applies to a call: the first that wants it. Every rule counts every call that matches it.
pub(crate) fn applying(rules: &[Arc<ActiveRule>], call: &Call) -> Option<Arc<ActiveRule>> {
    let mut wanting: Vec<_> = rules.iter().filter(|rule| rule.wants(call)).collect();
    let first = (!wanting.is_empty()).then(|| wanting.swap_remove(0))?;
    first.hits.fetch_add(1, Ordering::SeqCst);
    Some(Arc::clone(first))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn call(action: &str, params: &[(&str, &str)]) -> Call {
        let own = |text: &&str| (*text).to_owned();
        let params: BTreeMap<_, _> = params.iter().map(|(name, value)| (own(name), own(value))).collect();
        let service = if params.contains_key("Key") { "s3" } else { "ec2" };
        Call {
            account: own(&"a"),
            service: own(&service),
            region: own(&"r"),
            action: own(&action),
            params,
            stamp: None,
        }
    }

    #[test]
    fn a_match_holds_where_all_of_it_does() {
        let put = call("PutObject", &[("Method", "PUT"), ("Key", "log/1")]);
        assert!(Match::s3("PUT", "log/").holds(&put));
        assert!(!Match::s3("GET", "log/").holds(&put));
        assert!(!Match::s3("PUT", "plan/").holds(&put));
        let vpc = call("CreateVpc", &[("CidrBlock", "10.0.0.0/16")]);
        assert!(Match::action("CreateVpc").with("CidrBlock", "10.0.0.0/16").holds(&vpc));
        assert!(!Match::action("CreateVpc").with("CidrBlock", "10.1.0.0/16").holds(&vpc));
        assert!(!Match::service("sts").holds(&vpc) && Match::any().holds(&vpc));
    }

    #[test]
    fn a_rule_applies_as_often_as_it_says() {
        let hit = |rule: Rule| {
            let rules = [Arc::new(ActiveRule::new(rule))];
            (1..=5).filter(|_| applying(&rules, &call("CreateVpc", &[])).is_some()).count()
        };
        let rule = || Rule::new("CreateVpc", Fault::LoseRequest);
        assert_eq!(hit(rule()), 1);
        assert_eq!(hit(rule().times(3)), 3);
        assert_eq!(hit(rule().nth(4).always()), 2);
        assert_eq!(hit(rule().nth(5).times(7)), 1);
        assert_eq!(hit(Rule::new("CreateSubnet", Fault::LoseRequest).always()), 0);
    }

    #[test]
    fn the_first_rule_that_wants_a_call_has_it() {
        let rule = |fault| Arc::new(ActiveRule::new(Rule::new("CreateVpc", fault)));
        let rules = [rule(Fault::LoseRequest), rule(Fault::LoseAnswer)];
        let first = applying(&rules, &call("CreateVpc", &[])).unwrap();
        assert_eq!((first.fault(), first.hits()), (&Fault::LoseRequest, 1));
        // The second counted that call as well, so its one time is over.
        assert!(applying(&rules, &call("CreateVpc", &[])).is_none());
        assert_eq!(rules[1].hits(), 0);
    }
}
