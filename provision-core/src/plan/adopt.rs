//! Taking over objects that are there: nothing is called for it.

use std::collections::{BTreeMap, BTreeSet};

use super::data::{Existing, Outcome, Reason, ReplaceOrder, ResourcePlan};
use super::decide::{Current, Wanted, decide};
use super::input::Presence;
use super::one::Kind;
use super::planner::Planner;
use crate::desired::DesiredResource;
use crate::id::ResourceAddr;
use crate::mutant::{self, Mutant};

impl Planner<'_> {
    /// The plan for a resource that is to take over an object; `None` for all others.
    pub(super) fn adopt_one(
        &self,
        addr: &ResourceAddr,
        desired: &DesiredResource,
    ) -> Result<Option<ResourcePlan>, String> {
        let Some(id) = self.inputs.adoptions.get(addr) else { return Ok(None) };
        // It was adopted before: this may be done as often as one likes.
        if self.recorded(addr).is_some_and(|state| state.object.id == *id) {
            return Ok(None);
        }
        let at = &desired.location;
        let Kind { schema, provider: _, target } = self.kind(addr, desired)?;
        if let Some(state) = self.recorded(addr) {
            let has = &state.object.id;
            return Err(format!("{addr} ({at}) has an object already, {has}: {id} can't become its object as well"));
        }
        if let Some(open) = self.open_calls(addr).into_iter().next() {
            let Reason::OpenCall { api } = open else { return Ok(None) };
            return Err(format!(
                "{addr} ({at}): a run was cut off while it called {api}, which may have made an object; apply first, then adopt"
            ));
        }
        if let Some(owner) = self.owner(id).filter(|_| !mutant::on(Mutant::AdoptsTwice)) {
            return Err(format!("{addr} ({at}): {id} is the object of {owner}; write `.moved_from(..)` to move it"));
        }
        let observed = match self.inputs.world.presence(target, &desired.type_name, id) {
            Presence::Present(observed) => observed,
            Presence::Absent => {
                return Err(format!("{addr} ({at}): there is no {} {id} in {target}", desired.type_name));
            }
            Presence::Unknown(why) => {
                let why = why.unwrap_or("no read showed it");
                return Err(format!("{addr} ({at}): whether {} {id} is there is not known: {why}", desired.type_name));
            }
        };
        if let Some(mark) = &observed.mark
            && mark.infra != self.inputs.desired.infra
            && !mutant::on(Mutant::AdoptsWhatIsMarked)
        {
            return Err(format!(
                "{addr} ({at}): {id} carries the mark of infrastructure `{}` ({}): it is managed there; destroy nothing \
                 and take it out of that one first",
                mark.infra, mark.address
            ));
        }
        let wanted: BTreeMap<String, Wanted> =
            desired.inputs.iter().map(|(field, expr)| (field.clone(), self.wanted(expr))).collect();
        let current = Current::Present { observed, recorded: &observed.fields, applied: None, mark: None };
        let decision = decide(schema, &wanted, &desired.lifecycle.ignore_changes, current);
        let mut reasons = vec![Reason::Adopted { id: id.clone() }];
        // What the next plan will show.
        reasons.extend(
            decision
                .reasons
                .into_iter()
                .filter(|reason| matches!(reason, Reason::Field { .. } | Reason::Ignored { .. })),
        );
        Ok(Some(ResourcePlan {
            type_name: desired.type_name.clone(),
            target: target.clone(),
            allowed: BTreeSet::from([Outcome::Adopt]),
            fields: BTreeSet::new(),
            reasons,
            defined: true,
            order: ReplaceOrder::CreateFirst,
            moved: None,
            existing: Some(Existing { id: id.clone() }),
            before: None,
            after: None,
            new_name: None,
            retire: Vec::new(),
            users: BTreeSet::new(),
            uses: BTreeSet::new(),
        }))
    }
}
