//! Eventual consistency: a new object is not found for a while after it was created.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{
    answer::Answer,
    call::Call,
    kinds::{self, Kind},
    lists,
};

/// How long a new object is not found, of every kind in the table of kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lag {
    /// For so long after its create was executed, calls that look do not show it.
    pub reads: Duration,
    /// For so long, calls that name it (a subnet's VPC, tags) say that it does not exist.
    pub uses: Duration,
}

#[derive(Debug, Default)]
pub(crate) struct Births {
    born: BTreeMap<String, (Instant, &'static Kind)>,
}

impl Births {
    /// Remembers what a successful call has created.
    pub(crate) fn note(&mut self, call: &Call, answer: &Answer, now: Instant) {
        let Some(kind) = kinds::made_by(&call.action) else {
            return;
        };
        // The first is the object's own; what it belongs to may follow. Several are made by two calls.
        let several = matches!(call.action.as_str(), "RunInstances" | "CreateFlowLogs");
        let mut ids = lists::texts_of(answer.text(), kind.id);
        if call.action == "CreateFlowLogs" {
            ids = lists::texts_of(answer.text(), "item");
        }
        ids.truncate(if several { usize::MAX } else { 1 });
        self.born.extend(ids.into_iter().map(|id| (id, (now, kind))));
    }

    /// The refusal of a call that names an object which is still too new.
    pub(crate) fn refusal(&self, call: &Call, lag: Lag, now: Instant) -> Option<Answer> {
        let lag = if kinds::only_looks(&call.action) { lag.reads } else { lag.uses };
        let named = call.params.iter().filter(|(name, _)| !name.starts_with("Filter."));
        let (id, kind) = named.into_iter().find_map(|(_, value)| {
            let kind =
                self.new_one(value, lag, now).or_else(|| self.new_one(&format!("/hostedzone/{value}"), lag, now))?;
            // A name that is taken is taken at once.
            (kind.create != call.action).then_some((value, kind))
        })?;
        let (status, code, message) = kind.missing(id);
        Some(Answer::error(call, status, code, &message))
    }

    /// The answer of a call that lists without what is still too new.
    pub(crate) fn visible(&self, call: &Call, answer: Answer, lag: Lag, now: Instant) -> Answer {
        let Some(kind) = kinds::listed_by(&call.action) else {
            return answer;
        };
        if lag.reads.is_zero() {
            return answer;
        }
        let text = lists::without_items(answer.text(), kind.id, |id| self.new_one(id, lag.reads, now).is_some());
        answer.with_text(text)
    }

    fn new_one(&self, id: &str, lag: Duration, now: Instant) -> Option<&'static Kind> {
        let (born, kind) = self.born.get(id)?;
        (now.saturating_duration_since(*born) < lag).then_some(*kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAG: Lag = Lag { reads: Duration::from_secs(2), uses: Duration::from_secs(1) };

    fn call(action: &str, params: &[(&str, &str)]) -> Call {
        let own = |text: &str| text.to_owned();
        let params = params.iter().map(|(name, value)| (own(name), own(value))).collect();
        Call { account: own("a"), service: own("s"), region: own("r"), action: own(action), params, stamp: None }
    }

    #[test]
    fn every_kind_is_hidden_and_missing_while_it_is_new() {
        let (mut births, start) = (Births::default(), Instant::now());
        let role = Answer::ok("<R><Role><RoleName>r</RoleName></Role></R>".to_owned());
        births.note(&call("CreateRole", &[]), &role, start);
        let zone = Answer::ok("<R><HostedZone><Id>/hostedzone/Z</Id></HostedZone></R>".to_owned());
        births.note(&call("CreateHostedZone", &[]), &zone, start);
        let status = |action, params: &[_], after| {
            births.refusal(&call(action, params), LAG, start + Duration::from_millis(after)).map(|answer| answer.status)
        };
        assert_eq!(status("GetRole", &[("RoleName", "r")], 1_900), Some(404));
        assert_eq!(status("GetRole", &[("RoleName", "r")], 2_000), None);
        assert_eq!(status("PutRolePolicy", &[("RoleName", "r")], 900), Some(404));
        assert_eq!(status("PutRolePolicy", &[("RoleName", "r")], 1_000), None);
        assert_eq!(status("CreateRole", &[("RoleName", "r")], 0), None, "the name is taken at once");
        assert_eq!(status("GetHostedZone", &[("Id", "Z")], 0), Some(404));
        let list = "<R><ListRolesResult><Roles><member><RoleName>q</RoleName></member><member><RoleName>r</RoleName></member></Roles></ListRolesResult></R>";
        let shown = births.visible(&call("ListRoles", &[]), Answer::ok(list.to_owned()), LAG, start);
        assert_eq!(lists::texts_of(shown.text(), "RoleName"), ["q"]);
    }
}
