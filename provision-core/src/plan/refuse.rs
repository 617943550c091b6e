//! What cannot be planned, and why: a block is refused as a whole, and so is what depends on it.

use super::data::BlockPlan;
use super::decide::Decision;
use super::input::Mode;
use super::planner::{ObjectKey, Planner};
use super::reason::{Certainty, Note, Reason};
use crate::call::Mark;
use crate::desired::{DesiredBlock, DesiredResource};
use crate::id::{BlockAddr, ResourceAddr};

impl Planner<'_> {
    pub(super) fn refuse(&mut self, block: &BlockAddr, problem: String) {
        // The first problem is the cause; later ones follow from it.
        if !matches!(self.blocks.get(block), Some(BlockPlan::Refused { .. })) {
            self.blocks.insert(block.clone(), BlockPlan::Refused { problem });
        }
    }

    pub(super) fn is_refused(&self, block: &BlockAddr) -> bool {
        matches!(self.blocks.get(block), Some(BlockPlan::Refused { .. }))
    }

    pub(super) fn refuse_what_cannot_be_planned(&mut self) {
        let inputs = self.inputs;
        for (addr, recorded) in inputs.recorded.iter().filter(|(addr, _)| self.is_selected(addr)).collect::<Vec<_>>() {
            match recorded {
                Err(problem) => self.refuse(addr, problem.clone()),
                Ok(state) if state.generation > inputs.generation => self.refuse(
                    addr,
                    format!(
                        "was last applied by generation {}, and this run has generation {}: run the newer code",
                        state.generation, inputs.generation
                    ),
                ),
                Ok(_) => {}
            }
        }
        self.refuse_lost_logs();
        for addr in inputs.desired.blocks.keys().filter(|addr| self.is_selected(addr)).collect::<Vec<_>>() {
            if let Some(problem) = self.definition(addr).and_then(|block| self.definition_problem(addr, block)) {
                self.refuse(addr, problem);
            }
        }
        self.refuse_dependants();
    }

    /// What depends on a block that can't be planned can't be planned either. `after` has no cycle.
    pub(super) fn refuse_dependants(&mut self) {
        loop {
            let next = self.inputs.desired.blocks.keys().find_map(|addr| {
                let definition = self.definition(addr).filter(|_| self.is_selected(addr) && !self.is_refused(addr))?;
                let cause = definition.after.iter().find(|before| self.is_refused(before))?;
                Some((addr, cause.clone()))
            });
            let Some((addr, cause)) = next else { return };
            self.refuse(addr, format!("depends on {cause}, which can't be planned"));
        }
    }

    /// An object that carries the mark of a block whose log is empty: the log was lost, or this is another store.
    fn refuse_lost_logs(&mut self) {
        for (target, type_name, observed, mark) in self.inputs.world.marked() {
            let object = (&observed.id, type_name, target);
            if mark.infra != self.inputs.desired.infra || self.log_knows(object, mark) {
                continue;
            }
            let block = &mark.address.block;
            // What this plan takes over is not left alone.
            if !self.is_selected(block) || self.takes_over(object) {
                continue;
            }
            let adopts = self.inputs.mode == Mode::Adopt;
            let empty = !matches!(self.inputs.recorded.get(block), Some(Err(_)))
                && self.state(block).is_none_or(|state| state.head.is_none());
            if empty && self.definition(block).is_some() && !adopts {
                let problem = format!(
                    "its log is empty, but {type_name} {} carries the mark of {}: the log was lost, or this is not the store that it was applied from",
                    observed.id, mark.address
                );
                self.refuse(block, problem);
            } else {
                self.notes.push(Note::Unmanaged {
                    address: mark.address.clone(),
                    type_name: type_name.clone(),
                    id: observed.id.clone(),
                });
            }
        }
    }

    /// Whether this plan takes the object over.
    fn takes_over(&self, (id, type_name, target): ObjectKey<'_>) -> bool {
        self.inputs.adoptions.iter().filter(|(_, adopted)| *adopted == id).any(|(addr, _)| {
            let desired = self.desired(addr).filter(|desired| desired.type_name == *type_name);
            desired.and_then(|desired| self.kind(addr, desired).ok()).is_some_and(|kind| kind.target == target)
        })
    }

    pub(super) fn log_knows(&self, object: ObjectKey<'_>, mark: &Mark) -> bool {
        // A moved object carries its old mark until it is set anew.
        self.known.contains(&object)
            || self.state(&mark.address.block).is_some_and(|state| {
                state.open.values().any(|intent| intent.mark.as_ref() == Some(mark))
                    || state.arriving.values().any(|arrival| arrival.intent.mark.as_ref() == Some(mark))
            })
    }

    fn definition_problem(&self, addr: &BlockAddr, block: &DesiredBlock) -> Option<String> {
        let Some(dc) = self.inputs.desired.dcs.get(&addr.dc) else {
            return Some(format!("its data centre {} is not part of the infrastructure", addr.dc));
        };
        let resources = block.resources.iter().find_map(|(name, resource)| {
            let DesiredResource { type_name, version, provider, inputs: _, lifecycle: _, location } = resource;
            let Some(schema) = self.inputs.providers.schema(provider, type_name) else {
                return Some(format!("{name} ({location}): this build has no provider for {type_name}"));
            };
            if schema.version != *version {
                return Some(format!(
                    "{name} ({location}): written for version {version} of {type_name}, and the provider has version {}",
                    schema.version
                ));
            }
            let Some(target) = dc.targets.get(provider) else {
                return Some(format!("{name} ({location}): data centre {} has no {provider} target", addr.dc));
            };
            if let Some(why) = self.inputs.world.unread_reason(target, type_name) {
                return Some(format!("the {type_name} objects of {target} can't be read: {why}"));
            }
            let object = &self.recorded(&addr.resource(name.clone()))?.object;
            (object.target != *target).then(|| {
                format!("{name} ({location}): its object {} is in {}, and the data centre is now {target}", object.id, object.target)
            })
        });
        resources.or_else(|| self.lookup_problem(addr, block))
    }
}

/// The fields whose change would make a new object.
pub(super) fn forcing(decision: &Decision) -> Vec<&str> {
    decision
        .reasons
        .iter()
        .filter_map(|reason| match reason {
            Reason::Field { field, replaces, .. } if *replaces != Certainty::No => Some(field.as_str()),
            _ => None,
        })
        .collect()
}

/// Both objects would have the same key, so the old one would have to go first, and whether it goes is not known yet.
pub(super) fn cannot_stand_beside(
    addr: &ResourceAddr,
    desired: &DesiredResource,
    decision: &Decision,
    key: &[&str],
) -> String {
    format!(
        "{addr} ({}): a change of `{}`, which is known only after apply, may need a new {}. The old one would have to go \
         first, because both have the same {}, and what uses it with it: apply what `{}` depends on first, then plan again",
        desired.location,
        forcing(decision).join("`, `"),
        desired.type_name,
        key.join(" and "),
        forcing(decision).join("`, `"),
    )
}

/// It is to be deleted before its successor is made, it has users, and whether it goes is not known yet.
pub(super) fn cannot_go_first(
    addr: &ResourceAddr,
    desired: &DesiredResource,
    decision: &Decision,
    _: &[&str],
) -> String {
    let forcing = forcing(decision).join("`, `");
    format!(
        "{addr} ({}): a change of `{forcing}`, which is known only after apply, may need a new {}. It is deleted first \
         (`delete_before_replace`), and what uses it with it: apply what `{forcing}` depends on first, then plan again",
        desired.location, desired.type_name,
    )
}
