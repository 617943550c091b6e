//! What is no longer wanted: it goes, unless something that stays uses it.

use std::collections::BTreeSet;

use super::data::{BlockPlan, Existing, Outcome, ReplaceOrder, ResourcePlan, Retirement};
use super::input::{Missing, Mode};
use super::planner::Planner;
use super::reason::{Note, Reason};
use crate::id::{BlockAddr, ResourceAddr, ResourceName};
use crate::mutant::{self, Mutant};
use crate::stream::BlockState;

impl Planner<'_> {
    pub(super) fn retire_what_left(&mut self) {
        let inputs = self.inputs;
        if inputs.mode == Mode::Adopt {
            return;
        }
        // Every defined block is in the plan, also one without resources.
        for block in inputs.desired.blocks.keys().filter(|block| self.is_selected(block)).collect::<Vec<_>>() {
            self.change(block);
        }
        for (block, recorded) in inputs.recorded.iter().filter(|(block, _)| self.is_selected(block)).collect::<Vec<_>>()
        {
            let Ok(state) = recorded else { continue };
            let coming = self.moves.all().map(|(_, to)| to).filter(|to| to.block == *block);
            let names: BTreeSet<&ResourceName> = state
                .resources
                .keys()
                .chain(state.deposed.values().map(|deposed| &deposed.resource))
                .chain(state.open.values().map(|intent| &intent.resource))
                .chain(coming.map(|to| &to.name))
                .collect();
            let names: Vec<ResourceName> = names.into_iter().cloned().collect();
            if names.is_empty() || self.is_refused(block) {
                continue;
            }
            let definition = self.definition(block);
            if definition.is_none() && inputs.mode == Mode::Apply && !self.may_destroy(block, state) {
                continue;
            }
            for name in names {
                if definition.is_some_and(|definition| definition.resources.contains_key(&name)) {
                    continue;
                }
                let addr = block.resource(name.clone());
                let resource = self.leaving(&addr, state);
                if let (Some(resource), Some(change)) = (resource, self.change(block)) {
                    change.resources.insert(name, resource);
                }
            }
        }
    }

    fn may_destroy(&mut self, block: &BlockAddr, state: &BlockState) -> bool {
        let because = match self.inputs.missing {
            _ if mutant::on(Mutant::OlderGenerationDestroys) => return true,
            Missing::DestroyOlder if state.defined.is_none_or(|defined| defined < self.inputs.generation) => {
                return true;
            }
            Missing::DestroyOlder => format!(
                "the code of generation {} had it, and this run has generation {}: only a newer one destroys it",
                state.defined.unwrap_or_default(),
                self.inputs.generation
            ),
            Missing::Keep => {
                "this run was given no generation, so its code may be the older one; give --generation".to_owned()
            }
        };
        self.notes.push(Note::BlockKept { block: block.clone(), because });
        false
    }

    fn leaving(&self, addr: &ResourceAddr, state: &BlockState) -> Option<ResourcePlan> {
        let recorded = self.recorded(addr);
        let object = recorded.map(|state| &state.object);
        let mut retire = self.deposed(addr);
        let mut allowed = BTreeSet::new();
        let mut reasons: Vec<Reason> = retire.iter().map(|due| Reason::DeleteDue { id: due.id.clone() }).collect();
        let moves = self.moves.out_of(addr).is_some();
        let open = state.open.values().filter(|intent| intent.resource == addr.name && !moves);
        let protected = match recorded {
            Some(state) => state.protected,
            // What an open call may have made.
            None => open.clone().next().is_some() && state.defines_protected(&addr.name),
        };
        let protected = protected && !mutant::on(Mutant::ProtectionForgotten);
        if protected {
            let because =
                "it is protected: put it back into the code without `prevent_destroy` and apply, then it may go";
            reasons.push(Reason::Kept { because: because.to_owned() });
            allowed.insert(Outcome::NoOp);
            retire.retain(|due| object.is_none_or(|object| due.id != object.id));
        } else if let Some(object) = object {
            retire.push(Retirement {
                id: object.id.clone(),
                type_name: object.type_name.clone(),
                target: object.target.clone(),
            });
            allowed.insert(Outcome::Delete);
            reasons.push(match self.inputs.mode {
                Mode::Destroy => Reason::DestroyAsked,
                Mode::Apply | Mode::Adopt => Reason::LeftCode,
            });
        }
        for intent in open.clone() {
            allowed.insert(Outcome::NoOp);
            allowed.extend((!protected).then_some(Outcome::Delete));
            reasons.push(Reason::OpenCall { api: intent.call.api.clone() });
        }
        let (type_name, target) = retire
            .first()
            .map(|first| (first.type_name.clone(), first.target.clone()))
            .or_else(|| object.map(|object| (object.type_name.clone(), object.target.clone())))
            .or_else(|| open.clone().next().map(|intent| (intent.call.type_name.clone(), intent.target.clone())))?;
        Some(ResourcePlan {
            type_name,
            target,
            allowed,
            fields: BTreeSet::new(),
            reasons,
            defined: false,
            order: ReplaceOrder::CreateFirst,
            moved: None,
            before: None,
            after: None,
            existing: object.map(|object| Existing { id: object.id.clone() }),
            new_name: None,
            retire,
            users: self.recorded_users(addr),
            uses: Vec::new(),
        })
    }

    /// What a resource outside this run uses is not deleted, and neither is what such a kept resource uses.
    pub(super) fn keep_what_others_use(&mut self) {
        loop {
            let found = self.blocks.iter().find_map(|(block, plan)| {
                let BlockPlan::Planned(change) = plan else { return None };
                change.resources.iter().find_map(|(name, resource)| {
                    if !resource.retires() {
                        return None;
                    }
                    let user = resource.users.iter().find(|user| self.stays(user))?;
                    Some((block.clone(), name.clone(), user.clone()))
                })
            });
            let Some((block, name, user)) = found else { return };
            let because = format!("used by {user}, which this run does not change");
            let addr = block.resource(name.clone());
            let Some(change) = self.change(&block) else { return };
            let Some(resource) = change.resources.get_mut(&name) else { return };
            if resource.replaces_by_open_call_alone() {
                // This run finds out, and the next one replaces.
                resource.allowed.remove(&Outcome::Replace);
                resource.allowed.insert(Outcome::NoOp);
            } else if resource.allowed.contains(&Outcome::Replace) {
                let problem = format!("{addr} would be replaced, and its object {because}");
                self.refuse(&block, problem);
                self.refuse_dependants();
            } else {
                resource.allowed.remove(&Outcome::Delete);
                resource.retire.clear();
                resource.reasons.push(Reason::Kept { because });
            }
        }
    }

    /// Whether a user of something keeps using it after this run: it is not part of the plan, or kept itself.
    fn stays(&self, user: &ResourceAddr) -> bool {
        match self.blocks.get(&user.block) {
            None | Some(BlockPlan::Refused { .. }) => true,
            Some(BlockPlan::Planned(change)) => match change.resources.get(&user.name) {
                None => true,
                Some(plan) => plan.reasons.iter().any(|reason| matches!(reason, Reason::Kept { .. })),
            },
        }
    }
}
