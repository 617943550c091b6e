//! Taking over objects that are there: nothing is called for it.

use std::collections::{BTreeMap, BTreeSet};

use super::data::{Existing, Outcome, ReplaceOrder, ResourcePlan};
use super::decide::{Current, Wanted, decide};
use super::input::{Mode, Presence};
use super::one::Kind;
use super::planner::{ObjectKey, Planner};
use super::reason::Reason;
use crate::call::Mark;
use crate::desired::DesiredResource;
use crate::id::{ObjectId, ResourceAddr, TypeName};
use crate::mutant::{self, Mutant};
use crate::schema::{Field, Reads, Schema};
use crate::target::TargetId;
use crate::value::{Expr, Fields, Tree, Value};

/// What an object that is taken over has in the fields that reads do not show, as far as that can be believed: what its
/// definition says. `value` gives what is known of an expression.
pub(crate) fn on_trust(schema: &Schema, desired: &DesiredResource, value: impl Fn(&Expr) -> Option<Value>) -> Fields {
    let defined =
        unread(schema).filter_map(|field| Some((field.name.to_owned(), value(desired.inputs.get(field.name)?)?)));
    defined.filter(|(_, value)| !value.is_null()).collect()
}

fn unread(schema: &Schema) -> impl Iterator<Item = &Field> {
    schema.fields.iter().filter(|field| field.reads == Reads::Unread)
}

impl Planner<'_> {
    /// Adoptions that make no sense whatever there is: of what the plan is not about, and of one object by two resources.
    pub(super) fn refuse_odd_adoptions(&mut self) {
        if self.inputs.mode != Mode::Adopt {
            return;
        }
        let adoptions = self.inputs.adoptions;
        let mut owners: BTreeMap<(&ObjectId, &TypeName, Option<&TargetId>), Vec<&ResourceAddr>> = BTreeMap::new();
        for (addr, id) in adoptions {
            let block = &addr.block;
            match self.desired(addr) {
                None => self.refuse(block, format!("{addr} is to take over {id}, and the code has no {addr}")),
                Some(_) if !self.is_selected(block) => {
                    self.refuse(block, format!("{addr} is to take over {id}, and {block} is not selected: select it"));
                }
                Some(desired) => {
                    let dc = self.inputs.desired.dcs.get(&block.dc);
                    let target = dc.and_then(|dc| dc.targets.get(&desired.provider));
                    owners.entry((id, &desired.type_name, target)).or_default().push(addr);
                }
            }
        }
        for ((id, _, _), addrs) in owners.into_iter().filter(|(_, addrs)| addrs.len() > 1) {
            let all = addrs.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
            for addr in addrs {
                self.refuse(&addr.block, format!("{all} are to take over {id}: an object has one owner"));
            }
        }
    }

    /// The resources of other blocks whose runs said that they take an object with this id over, and have not ended.
    fn adopters(&self, id: &ObjectId, by: &ResourceAddr) -> impl Iterator<Item = ResourceAddr> {
        let others = self.inputs.recorded.iter().filter(|(block, _)| **block != by.block);
        let adopting = others.filter_map(|(block, recorded)| Some((block, &recorded.as_ref().ok()?.adopting)));
        adopting.flat_map(move |(block, adopting)| {
            let same = adopting.iter().filter(move |(_, other)| *other == id);
            same.map(|(resource, _)| block.resource(resource.clone()))
        })
    }

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
        if let Some(owner) = self.owner(id, &desired.type_name, target).filter(|_| !mutant::on(Mutant::AdoptsTwice)) {
            return Err(format!("{addr} ({at}): {id} is the object of {owner}; write `.moved_from(..)` to move it"));
        }
        // As far as the code says what the other one is about.
        let same = |other: &ResourceAddr| {
            self.desired(other).is_none_or(|definition| {
                let there = self.kind(other, definition).map(|kind| kind.target);
                definition.type_name == desired.type_name && there.is_ok_and(|there| there == target)
            })
        };
        if let Some(other) = self.adopters(id, addr).find(same) {
            return Err(format!("{addr} ({at}): {id} is just being taken over by {other}, in another run"));
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
        if let Some(problem) = observed
            .mark
            .as_ref()
            .and_then(|mark| self.may_have_an_owner((&observed.id, &desired.type_name, target), mark))
            && !mutant::on(Mutant::AdoptsWhatIsMarked)
        {
            return Err(format!("{addr} ({at}): {id} carries the mark of {problem}"));
        }
        let wanted = self.all_wanted(desired);
        let trusted = self.trusted(schema, desired);
        let current = Current::Present { observed, recorded: &trusted, applied: None, mark: None };
        let decision = decide(schema, &wanted, &desired.lifecycle.ignore_changes, current);
        let mut reasons = vec![Reason::Adopted { id: id.clone() }];
        // What the next plan will show.
        reasons.extend(
            decision
                .reasons
                .into_iter()
                .filter(|reason| matches!(reason, Reason::Field { .. } | Reason::Ignored { .. })),
        );
        reasons.extend(trusted.into_keys().map(|field| Reason::OnTrust { field }));
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
            // What is believed of it names them: they are taken over first.
            uses: unread(schema)
                .filter_map(|field| desired.inputs.get(field.name))
                .flat_map(Tree::outputs)
                .map(|output| output.resource.clone())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
        }))
    }

    fn trusted(&self, schema: &Schema, desired: &DesiredResource) -> Fields {
        on_trust(schema, desired, |expr| match self.wanted(expr) {
            Wanted::Known(value) => Some(value),
            Wanted::Unknown { .. } => None,
        })
    }

    /// The fields of an object that the resource takes over: as reads show them, or as they are taken to be.
    pub(super) fn taken_over(&self, addr: &ResourceAddr, mut seen: Fields) -> Fields {
        if let Some(desired) = self.desired(addr)
            && let Ok(Kind { schema, provider: _, target: _ }) = self.kind(addr, desired)
        {
            seen.extend(self.trusted(schema, desired));
        }
        seen
    }

    /// Whether somebody else has, or may have, an object with this mark: who, and what would be right.
    fn may_have_an_owner(&self, object: ObjectKey<'_>, mark: &Mark) -> Option<String> {
        let Mark { infra, address, incarnation: _ } = mark;
        if *infra != self.inputs.desired.infra {
            return Some(format!(
                "infrastructure `{infra}` ({address}), which manages it; take it out of that one first, without \
                 destroying it"
            ));
        }
        if matches!(self.inputs.recorded.get(&address.block), Some(Err(_))) {
            return Some(format!("{address}, and the log of {}, which may have it, can't be read", address.block));
        }
        let found = self.log_knows(object, mark);
        found.then(|| format!("{address}, and a run was cut off while it made it: apply first, then adopt"))
    }
}
