//! The plan for one resource of the code.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::data::{Existing, NewName, Outcome, ReplaceOrder, ResourcePlan};
use super::decide::{Current, Decision, Wanted, decide};
use super::input::{Mode, Presence};
use super::planner::Planner;
use super::reason::{Certainty, Reason};
use super::refuse::{cannot_go_first, cannot_stand_beside};
use crate::call::Mark;
use crate::desired::DesiredResource;
use crate::id::ResourceAddr;
use crate::mutant::{self, Mutant};
use crate::provider::Provider;
use crate::schema::{Role, Schema};
use crate::stream::event::ObjectRecord;
use crate::target::TargetId;
use crate::value::{Exprs, Fields};

/// What the providers and the data centre say about a resource.
pub(super) struct Kind<'a> {
    pub(super) schema: &'static Schema,
    pub(super) provider: &'a dyn Provider,
    pub(super) target: &'a TargetId,
}

impl<'a> Planner<'a> {
    pub(super) fn kind(&self, addr: &ResourceAddr, desired: &DesiredResource) -> Result<Kind<'a>, String> {
        let inputs = self.inputs;
        let lost = || format!("{addr}: this build has no provider for {}", desired.type_name);
        let schema = inputs.providers.schema(&desired.provider, &desired.type_name).ok_or_else(lost)?;
        let provider = inputs.providers.get(&desired.provider).ok_or_else(lost)?.as_ref();
        let target =
            inputs.desired.dcs.get(&addr.block.dc).and_then(|dc| dc.targets.get(&desired.provider)).ok_or_else(lost)?;
        Ok(Kind { schema, provider, target })
    }

    /// The plan for the resource; `None` where the plan is not about it.
    pub(super) fn decide_one(
        &self,
        addr: &ResourceAddr,
        desired: &DesiredResource,
    ) -> Result<Option<ResourcePlan>, String> {
        if self.inputs.mode == Mode::Adopt {
            return self.adopt_one(addr, desired);
        }
        self.everything_used_is_there(addr, desired)?;
        let Kind { schema, provider, target } = self.kind(addr, desired)?;
        let wanted = self.all_wanted(desired);

        let state = self.recorded(addr);
        let object = state.map(|state| &state.object);
        let mark = object.and_then(|object| self.mark_of(addr, object));
        let mut calls = self.open_calls(addr);
        let current = match object {
            None => Current::None,
            Some(object) => match self.inputs.world.presence(&object.target, &object.type_name, &object.id) {
                Presence::Present(observed) => Current::Present {
                    observed,
                    recorded: &object.fields,
                    applied: state.and_then(|state| state.applied.as_ref()),
                    mark: mark.as_ref(),
                },
                Presence::Absent => {
                    calls.extend(self.may_be_made_again(addr, object));
                    Current::Gone { id: &object.id }
                }
                Presence::Unknown(why) => {
                    return Err(format!(
                        "{addr}: whether {} {} is there is not known: {}",
                        object.type_name,
                        object.id,
                        why.unwrap_or("no read showed it")
                    ));
                }
            },
        };
        let is_there = matches!(current, Current::Present { .. });
        let mut decision = match object {
            Some(object) if object.type_name != desired.type_name => of_another_type(object, desired),
            Some(_) | None => decide(schema, &wanted, &desired.lifecycle.ignore_changes, current),
        };
        self.say_what_was_found(addr, desired, &mut decision);
        let certain = calls.is_empty();
        allow_for_open_calls(calls, schema, &mut decision);
        let order = match object {
            Some(object) => self.order(addr, desired, provider, object, &wanted, certain, &mut decision)?,
            None => ReplaceOrder::CreateFirst,
        };
        if let (true, Some(state)) = (is_there, state) {
            let protect = desired.lifecycle.prevent_destroy;
            if state.protected != protect {
                decision.reasons.push(Reason::Protection { prevent_destroy: protect });
            }
            if state.applied.is_none() && decision.allowed == BTreeSet::from([Outcome::NoOp]) {
                decision.reasons.push(Reason::NotFinished);
            }
            if !state.object.depends_on.iter().eq(desired.uses()) && decision.allowed == BTreeSet::from([Outcome::NoOp])
            {
                decision.reasons.push(Reason::RefsMoved);
            }
        }
        let makes = decision.allowed.contains(&Outcome::Create) || decision.allowed.contains(&Outcome::Replace);
        let new_name = schema
            .name_field()
            .filter(|(field, _)| makes && !wanted.contains_key(field.name))
            .map(|(field, max)| NewName { field: field.name.to_owned(), name: self.new_name(addr, field.role, max) });
        // What something may be done for is shown; the planner takes away what is not.
        let stays = decision.allowed.iter().all(|outcome| *outcome == Outcome::NoOp);
        let after = (!stays).then(|| filled_in(&desired.inputs, wanted));
        Ok(Some(ResourcePlan {
            type_name: desired.type_name.clone(),
            target: target.clone(),
            allowed: decision.allowed,
            fields: decision.fields,
            reasons: decision.reasons,
            defined: true,
            order,
            moved: None,
            existing: object.map(|object| Existing { id: object.id.clone() }),
            before: None,
            after,
            new_name,
            retire: self.deposed(addr),
            users: self.recorded_users(addr),
            uses: desired.uses().into_iter().cloned().collect(),
        }))
    }

    /// The mark that the object should carry: of one that moves here, with this address.
    pub(super) fn mark_of(&self, addr: &ResourceAddr, object: &ObjectRecord) -> Option<Mark> {
        let mark = object.mark.clone()?;
        let moves = self.moves.bringing(addr).is_some();
        Some(if moves { Mark { address: addr.clone(), ..mark } } else { mark })
    }

    /// What is used of blocks that the plan is not about has to be there already.
    pub(super) fn everything_used_is_there(
        &self,
        addr: &ResourceAddr,
        desired: &DesiredResource,
    ) -> Result<(), String> {
        let mut used = desired.uses().into_iter();
        let outside = used.find(|used| !self.is_selected(&used.block) && self.own(used).is_none());
        match outside {
            None => Ok(()),
            Some(used) => Err(format!(
                "{addr} ({}) uses {used}, which has not been applied, and {} is not selected: select it too",
                desired.location, used.block
            )),
        }
    }

    /// Which of two objects goes first if one replaces the other, with the reasons; whether it may be replaced at all.
    #[expect(clippy::too_many_arguments, reason = "one private helper of one caller")]
    fn order(
        &self,
        addr: &ResourceAddr,
        desired: &DesiredResource,
        provider: &dyn Provider,
        object: &ObjectRecord,
        wanted: &BTreeMap<String, Wanted>,
        certain: bool,
        decision: &mut Decision,
    ) -> Result<ReplaceOrder, String> {
        let protected = desired.lifecycle.prevent_destroy;
        if let Some(first) = self.first.get(addr) {
            if protected {
                let first: Vec<String> = first.iter().map(ToString::to_string).collect();
                return Err(format!(
                    "{addr} ({}) is protected (`prevent_destroy`), and it would have to go before {}, which it uses",
                    desired.location,
                    first.join(" and ")
                ));
            }
            if certain {
                decision.allowed = BTreeSet::from([Outcome::Replace]);
            } else {
                decision.allowed.insert(Outcome::Replace);
            }
            let uses = first.iter().map(|resource| Reason::UsesWhatGoesFirst { resource: resource.clone() });
            decision.reasons.extend(uses);
            return Ok(ReplaceOrder::DeleteFirst);
        }
        if !decision.allowed.contains(&Outcome::Replace) {
            return Ok(ReplaceOrder::CreateFirst);
        }
        let sure = decision.allowed == BTreeSet::from([Outcome::Replace]);
        if protected {
            if sure {
                return Err(protected_from(addr, desired, decision));
            }
            decision.allowed.remove(&Outcome::Replace);
            let because = "it is protected (`prevent_destroy`): if it had to be replaced, that would fail".to_owned();
            decision.reasons.push(Reason::Kept { because });
            return Ok(ReplaceOrder::CreateFirst);
        }
        let taken = self.taken_key(desired, provider, object, wanted);
        if taken.is_empty() && !desired.lifecycle.delete_before_replace {
            return Ok(ReplaceOrder::CreateFirst);
        }
        if !sure && !self.recorded_users(addr).is_empty() {
            // Whether it goes is known only when its users would be gone already.
            if certain {
                let problem = if taken.is_empty() { cannot_go_first } else { cannot_stand_beside };
                return Err(problem(addr, desired, decision, &taken));
            }
            // A call is open: this run finds out about it, and the next one replaces.
            decision.allowed.remove(&Outcome::Replace);
            return Ok(ReplaceOrder::CreateFirst);
        }
        if !taken.is_empty() {
            let fields = taken.iter().map(|field| (*field).to_owned()).collect();
            decision.reasons.push(Reason::KeyTaken { fields });
        }
        Ok(ReplaceOrder::DeleteFirst)
    }

    /// The fields in which no two objects may agree, where the new object would agree with the present one in all of them.
    fn taken_key(
        &self,
        desired: &DesiredResource,
        provider: &dyn Provider,
        object: &ObjectRecord,
        wanted: &BTreeMap<String, Wanted>,
    ) -> Vec<&'static str> {
        let observed: &Fields = match self.inputs.world.presence(&object.target, &object.type_name, &object.id) {
            Presence::Present(observed) => &observed.fields,
            Presence::Absent | Presence::Unknown(_) => &object.fields,
        };
        let key = provider.identity_key(&desired.type_name);
        let same = |field: &&&str| match wanted.get(**field) {
            Some(Wanted::Known(value)) => observed.get(**field) == Some(value),
            Some(Wanted::Unknown { .. }) | None => false,
        };
        if key.iter().all(|field| same(&field)) { key.to_vec() } else { Vec::new() }
    }

    /// The calls of the resource that may have landed or not.
    pub(super) fn open_calls(&self, addr: &ResourceAddr) -> Vec<Reason> {
        let of = |addr: &ResourceAddr| {
            let open = self.state(&addr.block).into_iter().flat_map(|state| state.open.values());
            let name = addr.name.clone();
            open.filter(move |intent| intent.resource == name)
                .map(|intent| Reason::OpenCall { api: intent.call.api.clone() })
        };
        // Those of an object that moves here come along.
        let own = of(addr).filter(|_| self.moves.out_of(addr).is_none());
        let coming = self.moves.bringing(addr).into_iter().flat_map(|source| of(&source.from));
        own.chain(coming).collect()
    }

    /// Another copy of a repeated create was refused while the object was there, and may have been let in since.
    fn may_be_made_again(&self, addr: &ResourceAddr, object: &ObjectRecord) -> Option<Reason> {
        let home = self.moves.bringing(addr).map_or(&addr.block, |source| &source.from.block);
        let arrival = self.state(home)?.create_arriving(&object.typed_id())?;
        let world = self.inputs.world;
        let over = world.settled(&object.target).is_some_and(|until| arrival.intent.last_instant < until);
        let copied = world.marked().any(|(_, _, _, mark)| arrival.intent.mark.as_ref() == Some(mark));
        (!over || copied).then(|| Reason::MayBeMadeAgain { api: arrival.intent.call.api.clone() })
    }

    /// A name that no present or deposed object of the resource has, nor one of another resource whose name begins alike.
    fn new_name(&self, addr: &ResourceAddr, role: Role, max: usize) -> String {
        let mut name = format!("{}-{}", addr.block.block, addr.name);
        if matches!(role, Role::GlobalName { .. }) {
            name = format!("{}-{name}", addr.block.dc);
        }
        let taken = self.recorded(addr).is_some()
            || self.moves.out_of(addr).is_some()
            || self.state(&addr.block).is_some_and(|state| {
                state.deposed.values().any(|deposed| deposed.resource == addr.name)
                    || state.open.values().any(|intent| intent.resource == addr.name)
                    // An object that moved away took its name along.
                    || state.moved.values().any(|moved| moved.resource == addr.name)
            });
        if (taken || name.len() > max) && !mutant::on(Mutant::OneNameForAll) {
            let mut suffix = self.inputs.nonce.derive(&["name", &addr.to_string()]);
            suffix.truncate(8);
            name.truncate(max.saturating_sub(9));
            name = format!("{name}-{suffix}");
        }
        name.truncate(max);
        name
    }
}

/// The fields of a definition with what is known filled in: its own, where that is nothing.
pub(super) fn filled_in(inputs: &Arc<Exprs>, wanted: BTreeMap<String, Wanted>) -> Arc<Exprs> {
    let as_written = inputs.iter().all(|(field, written)| match wanted.get(field) {
        Some(Wanted::Known(_)) => !written.has_symbols(),
        Some(Wanted::Unknown { expr, fresh: _ }) => expr == written,
        None => false,
    });
    if as_written {
        return inputs.clone();
    }
    Arc::new(wanted.into_iter().map(|(field, wanted)| (field, wanted.into_expr())).collect())
}

fn of_another_type(object: &ObjectRecord, desired: &DesiredResource) -> Decision {
    Decision {
        allowed: BTreeSet::from([Outcome::Replace]),
        fields: BTreeSet::new(),
        reasons: vec![Reason::Field {
            field: "type".to_owned(),
            from: Some(object.type_name.as_str().into()),
            to: desired.type_name.as_str().into(),
            replaces: Certainty::Yes,
            differs: Certainty::Yes,
        }],
    }
}

fn protected_from(addr: &ResourceAddr, desired: &DesiredResource, decision: &Decision) -> String {
    format!(
        "{addr} ({}) is protected (`prevent_destroy`), and a change of `{}` would replace its object; take the change \
         back, or the protection away",
        desired.location,
        super::refuse::forcing(decision).join("`, `"),
    )
}

/// Everything is possible until it is found out whether an open call landed.
fn allow_for_open_calls(calls: Vec<Reason>, schema: &Schema, decision: &mut Decision) {
    for call in calls {
        decision.reasons.push(call);
        decision.allowed.extend([Outcome::NoOp, Outcome::Create, Outcome::Update, Outcome::Replace]);
        decision.fields.extend(schema.fields.iter().map(|field| field.name.to_owned()));
    }
}
