//! Which recorded objects change their address: what the code says with `moved_from`, and moves that were cut off.

use std::collections::{BTreeMap, BTreeSet};

use super::data::{BlockChange, BlockPlan, Moved, Outcome, ReplaceOrder, ResourcePlan};
use super::input::Inputs;
use super::planner::Planner;
use super::reason::Reason;
use crate::desired::DesiredResource;
use crate::id::{BlockAddr, Digest, ResourceAddr};
use crate::stream::{BlockState, ResourceState};

/// The moves of a plan.
#[derive(Default)]
pub(super) struct Moves<'a> {
    /// By where the object goes.
    into: BTreeMap<ResourceAddr, Source<'a>>,
    /// By where it is recorded, or was when it left.
    out_of: BTreeMap<ResourceAddr, ResourceAddr>,
    /// Where objects went earlier: the log of who uses them may still name the old address.
    earlier: BTreeMap<ResourceAddr, ResourceAddr>,
}

/// Where the object of a move is.
pub(super) struct Source<'a> {
    /// The address that it leaves.
    pub(super) from: ResourceAddr,
    /// What is recorded of it; `None` where an open call has yet to tell whether it is there.
    pub(super) state: Option<&'a ResourceState>,
}

impl<'a> Moves<'a> {
    /// The moves of these inputs, and the blocks that can't be planned because of one, each with the reason.
    pub(super) fn of(planner: &Planner<'a>) -> (Self, Vec<(BlockAddr, String)>) {
        let mut moves = Self::default();
        let mut problems = Vec::new();
        moves.go_on(planner, &mut problems);
        if !planner.inputs.is_destroy() {
            moves.declared(planner, &mut problems);
        }
        (moves, problems)
    }

    /// Objects that left one log and have not come to the other: a run was cut off in between.
    fn go_on(&mut self, planner: &Planner<'a>, problems: &mut Vec<(BlockAddr, String)>) {
        for (block, state) in states(&planner.inputs) {
            for moved in state.moved.values() {
                self.earlier.insert(block.resource(moved.resource.clone()), moved.to.clone());
            }
            for moved in state.on_their_way(block, |other| planner.state(other)) {
                let left = block.resource(moved.resource.clone());
                // Where the code does not know the new address, the object goes back to the old one.
                let forward = planner.desired(&moved.to).is_some();
                let (from, to) = if forward { (left, moved.to.clone()) } else { (moved.to.clone(), left) };
                self.add(planner, from, to, Some(&moved.state), problems);
            }
        }
    }

    /// What the code says.
    fn declared(&mut self, planner: &Planner<'a>, problems: &mut Vec<(BlockAddr, String)>) {
        for (block, definition) in &planner.inputs.desired.blocks {
            for (name, desired) in definition.resources.iter().filter(|(_, it)| !it.lifecycle.moved_from.is_empty()) {
                let to = block.resource(name.clone());
                if self.into.contains_key(&to) {
                    continue;
                }
                // Of what the run is not about nothing is said.
                let is_about = desired.lifecycle.moved_from.iter().map(|from| &from.block).chain([block]);
                if !is_about.clone().any(|block| planner.is_selected(block)) {
                    continue;
                }
                let from = desired.lifecycle.moved_from.iter().find(|from| planner.has_something(from));
                let Some(from) = from.cloned() else { continue };
                if let Some(found) = planner.cannot_move(&from, &to, desired) {
                    problems.extend(found.map(|problem| (block.clone(), problem)));
                    continue;
                }
                self.add(planner, from.clone(), to, planner.own(&from), problems);
            }
        }
    }

    fn add(
        &mut self,
        planner: &Planner<'a>,
        from: ResourceAddr,
        to: ResourceAddr,
        state: Option<&'a ResourceState>,
        problems: &mut Vec<(BlockAddr, String)>,
    ) {
        if let Some(other) = self.out_of.get(&from) {
            problems.push((to.block.clone(), format!("{to} is said to have moved from {from}, and so is {other}")));
            return;
        }
        match (planner.is_selected(&from.block), planner.is_selected(&to.block)) {
            (true, true) => {}
            // Nothing at either end is this run's to do.
            (false, false) => return,
            (from_is, _) => {
                let (selected, missing) = if from_is { (&from.block, &to.block) } else { (&to.block, &from.block) };
                let problem = format!("{to} moves from {from}, and {missing} is not selected: select both blocks");
                problems.push((selected.clone(), problem));
                return;
            }
        }
        self.out_of.insert(from.clone(), to.clone());
        self.into.insert(to, Source { from, state });
    }

    /// The move that brings the object of this address.
    pub(super) fn bringing(&self, to: &ResourceAddr) -> Option<&Source<'a>> {
        self.into.get(to)
    }

    /// Where the object of this address goes.
    pub(super) fn out_of(&self, from: &ResourceAddr) -> Option<&ResourceAddr> {
        self.out_of.get(from)
    }

    /// Every move: from, to.
    pub(super) fn all(&self) -> impl Iterator<Item = (&ResourceAddr, &ResourceAddr)> {
        self.out_of.iter()
    }

    /// The addresses that the object has had since this one was written down, this one included.
    pub(super) fn since(&self, addr: &ResourceAddr) -> BTreeSet<ResourceAddr> {
        let mut all = BTreeSet::from([addr.clone()]);
        let mut at = addr;
        while let Some(next) = self.out_of.get(at).or_else(|| self.earlier.get(at))
            && all.insert(next.clone())
        {
            at = next;
        }
        all
    }
}

/// The blocks whose logs can be read.
fn states<'a>(inputs: &Inputs<'a>) -> impl Iterator<Item = (&'a BlockAddr, &'a BlockState)> + use<'a> {
    inputs.recorded.iter().filter_map(|(block, recorded)| Some((block, recorded.as_ref().ok()?)))
}

impl<'a> Planner<'a> {
    /// Whether the log there knows an object of the resource, or a call that may have made one.
    fn has_something(&self, addr: &ResourceAddr) -> bool {
        self.state(&addr.block).is_some_and(|state| {
            state.resources.contains_key(&addr.name) || state.open.values().any(|intent| intent.resource == addr.name)
        })
    }

    /// Why a move that the code asks for is none: it was made before, or, with a problem, it cannot be.
    fn cannot_move(&self, from: &ResourceAddr, to: &ResourceAddr, desired: &DesiredResource) -> Option<Option<String>> {
        let stays = self.desired(from).filter(|there| there.lifecycle.moved_from.is_empty()).is_some();
        let leaves_too = self.desired_blocks().any(|(_, other)| other.lifecycle.moved_from.contains(to));
        let came = |state: &BlockState| state.came.values().any(|came| came.from == *from && came.resource == to.name);
        if self.has_something(to) && self.state(&to.block).is_some_and(came) {
            return Some(None);
        }
        if self.has_something(to) && !leaves_too {
            // What an open call of it made meanwhile goes, as what left the code does.
            let spent = stays || self.desired(from).is_some() || self.own(from).is_none();
            return Some((!spent).then(|| {
                format!(
                    "{to} ({}) is said to have moved from {from}, and both have an object; take `moved_from` away to \
                     have the object of {from} deleted, or put {from} back into the code",
                    desired.location
                )
            }));
        }
        if stays {
            return Some(Some(format!(
                "{to} ({}) is said to have moved from {from}, which the code still has; take one of the two away",
                desired.location
            )));
        }
        let object = &self.own(from)?.object;
        let dc = self.inputs.desired.dcs.get(&to.block.dc);
        let target = dc.and_then(|dc| dc.targets.get(&desired.provider));
        if object.type_name != desired.type_name || target != Some(&object.target) {
            let target = target.map_or_else(String::new, ToString::to_string);
            return Some(Some(format!(
                "{to} ({}) is said to have moved from {from}, whose object {} is a {} in {}; a {} in {target} is something else",
                desired.location, object.id, object.type_name, object.target, desired.type_name
            )));
        }
        let env = |block: &BlockAddr| self.env(block);
        (env(&from.block) != env(&to.block)).then(|| {
            Some(format!(
                "{to} ({}) is said to have moved from {from}: objects do not move between environments",
                desired.location
            ))
        })
    }

    /// Both ends of each move stand in the plan, so that both logs are held when the object changes over.
    pub(super) fn say_what_moves(&mut self) {
        let moves: Vec<(ResourceAddr, ResourceAddr)> =
            self.moves.all().map(|(from, to)| (from.clone(), to.clone())).collect();
        for (from, to) in moves {
            let Some(BlockPlan::Planned(change)) = self.blocks.get_mut(&to.block) else { continue };
            let (env, channel, targets) = (change.env.clone(), change.channel, change.targets.clone());
            let Some(coming) = change.resources.get_mut(&to.name) else { continue };
            coming.moved = Some(Moved::In { from: from.clone() });
            coming.reasons.insert(0, Reason::MovedFrom { from: from.clone() });
            let leaving = ResourcePlan {
                type_name: coming.type_name.clone(),
                target: coming.target.clone(),
                allowed: BTreeSet::from([Outcome::NoOp]),
                fields: BTreeSet::new(),
                reasons: vec![Reason::MovedTo { to: to.clone() }],
                defined: false,
                order: ReplaceOrder::CreateFirst,
                moved: Some(Moved::Out { to: to.clone() }),
                existing: coming.existing.clone(),
                before: None,
                after: None,
                new_name: None,
                retire: Vec::new(),
                users: BTreeSet::new(),
                uses: Vec::new(),
            };
            if self.change(&from.block).is_none() && !self.is_refused(&from.block) {
                // A block that neither the code nor its own log knows: an object was on its way there.
                let fresh = BlockChange {
                    env,
                    channel,
                    targets,
                    after: BTreeSet::new(),
                    definition: None,
                    state: self.state(&from.block).map_or_else(|| Digest::of(b""), BlockState::state_digest),
                    checks: BTreeSet::new(),
                    checks_due: BTreeSet::new(),
                    resources: BTreeMap::new(),
                };
                self.blocks.insert(from.block.clone(), BlockPlan::Planned(Box::new(fresh)));
            }
            if let Some(change) = self.change(&from.block) {
                change.resources.entry(from.name.clone()).or_insert(leaving);
            }
        }
    }
}
