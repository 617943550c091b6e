//! The planner: walks the resources along their refs and decides for each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::data::{BlockChange, BlockPlan, Existing, NewName, Outcome, Plan, ResourcePlan, Retirement};
use super::decide::Wanted;
use super::input::{BlockInput, Inputs, Mode, Presence};
use super::moves::Moves;
use super::one::filled_in;
use super::reason::Note;
use super::there::{There, there};
use crate::desired::{DesiredBlock, DesiredResource};
use crate::fast::FastMap;
use crate::id::{BlockAddr, CheckName, Digest, EnvName, ObjectId, ResourceAddr, ResourceName, TypeName};
use crate::lookup::FoundObject;
use crate::mutant::{self, Mutant};
use crate::schema::OnChange;
use crate::stream::event::ObjectRecord;
use crate::stream::{BlockState, Health, ResourceState};
use crate::target::TargetId;
use crate::value::{Expr, Exprs, Fields, OutputRef, Symbol, Tree, Value};

/// Makes the plan.
pub fn plan(inputs: Inputs<'_>) -> Plan {
    let mut planner = Planner {
        inputs,
        there: there(inputs),
        blocks: BTreeMap::new(),
        outputs: FastMap::default(),
        moves: Moves::default(),
        users: FastMap::default(),
        first: BTreeMap::new(),
        known: known(inputs.recorded),
        notes: Vec::new(),
        found: BTreeMap::new(),
    };
    planner.found = planner.found();
    planner.refuse_what_cannot_be_planned();
    planner.refuse_odd_adoptions();
    planner.find_moves();
    planner.users = planner.find_users();
    let refused = planner.blocks.clone();
    // What goes before its successor is made takes its users along, whose users change over in turn: until nothing is added.
    loop {
        planner.decide_all();
        if !planner.more_go_first() {
            break;
        }
        planner.blocks.clone_from(&refused);
        planner.outputs.clear();
    }
    planner.retire_what_left();
    planner.say_what_moves();
    planner.keep_what_others_use();
    planner.describe();
    planner.finish()
}

pub(super) struct Planner<'a> {
    pub(super) inputs: Inputs<'a>,
    there: FastMap<&'a BlockAddr, There<'a>>,
    pub(super) blocks: BTreeMap<BlockAddr, BlockPlan>,
    /// What is known of each decided resource's outputs.
    outputs: FastMap<ResourceAddr, Outputs>,
    /// Objects that change their address.
    pub(super) moves: Moves<'a>,
    /// The resources whose recorded objects use an object of the key.
    users: FastMap<ResourceAddr, BTreeSet<ResourceAddr>>,
    /// What has to go first because what it uses does: that.
    pub(super) first: BTreeMap<ResourceAddr, BTreeSet<ResourceAddr>>,
    /// Every object that a log knows.
    pub(super) known: BTreeSet<ObjectKey<'a>>,
    pub(super) notes: Vec<Note>,
    /// What lookups found.
    pub(super) found: BTreeMap<ResourceAddr, FoundObject>,
}

/// An object among all: neither ids nor types with ids are unique across targets. What differs most stands first, because
/// these are compared often.
pub(super) type ObjectKey<'a> = (&'a ObjectId, &'a TypeName, &'a TargetId);

/// What is known of a resource's outputs before apply.
enum Outputs {
    /// They stay what they are.
    Known(Fields),
    /// There will certainly be a new object.
    Fresh,
    /// There may be.
    May,
}

impl<'a> Inputs<'a> {
    pub(super) fn is_destroy(&self) -> bool {
        self.mode == Mode::Destroy
    }
}

impl<'a> Planner<'a> {
    /// What there is of a block.
    fn there(&self, block: &BlockAddr) -> There<'a> {
        self.there.get(block).copied().unwrap_or_else(|| There::of(self.inputs, block))
    }

    /// The definition of a block, unless everything is to go.
    pub(super) fn definition(&self, block: &BlockAddr) -> Option<&'a DesiredBlock> {
        self.there(block).definition
    }

    /// The definition of a resource, unless everything is to go.
    pub(super) fn desired(&self, addr: &ResourceAddr) -> Option<&'a DesiredResource> {
        self.definition(&addr.block)?.resources.get(&addr.name)
    }

    /// Every definition of a resource, unless everything is to go.
    pub(super) fn desired_blocks(&self) -> impl Iterator<Item = (ResourceAddr, &'a DesiredResource)> {
        let blocks = self.inputs.desired.blocks.iter().filter(|(addr, _)| self.definition(addr).is_some());
        blocks.flat_map(|(block, definition)| {
            definition.resources.iter().map(|(name, desired)| (block.resource(name.clone()), desired))
        })
    }

    pub(super) fn state(&self, block: &BlockAddr) -> Option<&'a BlockState> {
        self.there(block).state
    }

    /// The environment of a block, by the code or else by its log.
    pub(super) fn env(&self, block: &BlockAddr) -> Option<&'a EnvName> {
        self.there(block).env
    }

    /// Whether the plan is about the block.
    pub(super) fn is_selected(&self, block: &BlockAddr) -> bool {
        self.there(block).selected
    }

    /// What the resource's own log records of its present object.
    pub(super) fn own(&self, addr: &ResourceAddr) -> Option<&'a ResourceState> {
        self.state(&addr.block)?.resources.get(&addr.name)
    }

    /// What is recorded of the object that the resource has once everything has moved.
    pub(super) fn recorded(&self, addr: &ResourceAddr) -> Option<&'a ResourceState> {
        match (self.moves.bringing(addr), self.moves.out_of(addr)) {
            (Some(source), _) => source.state,
            (None, Some(_)) => None,
            (None, None) => self.own(addr),
        }
    }

    fn find_moves(&mut self) {
        let (moves, problems) = Moves::of(self);
        self.moves = moves;
        for (block, problem) in problems {
            self.refuse(&block, problem);
        }
        self.refuse_moving_partners();
        self.refuse_dependants();
    }

    fn decide_all(&mut self) {
        for (addr, desired) in self.in_ref_order() {
            if !self.is_selected(&addr.block) {
                // It stays as it is.
                if let Some(state) = self.own(&addr) {
                    self.outputs.insert(addr, Outputs::Known(self.seen(&state.object)));
                }
                continue;
            }
            if self.is_refused(&addr.block) {
                continue;
            }
            match self.decide_one(&addr, desired) {
                Ok(Some(resource)) => {
                    self.outputs.insert(addr.clone(), self.outputs_of(&addr, &resource));
                    if let Some(change) = self.change(&addr.block) {
                        change.resources.insert(addr.name, resource);
                    }
                }
                // It stays as it is.
                Ok(None) => {
                    if let Some(state) = self.own(&addr) {
                        self.outputs.insert(addr, Outputs::Known(self.seen(&state.object)));
                    }
                }
                Err(problem) => self.refuse(&addr.block, problem),
            }
        }
        self.refuse_moving_partners();
        self.refuse_dependants();
    }

    /// What can't be planned gives and takes nothing: neither can the other end of its moves.
    fn refuse_moving_partners(&mut self) {
        loop {
            let next = self.moves.all().find_map(|(from, to)| {
                let (other, cause) = match (self.is_refused(&from.block), self.is_refused(&to.block)) {
                    (true, false) => (&to.block, &from.block),
                    (false, true) => (&from.block, &to.block),
                    (true, true) | (false, false) => return None,
                };
                Some((other.clone(), format!("{to} moves from {from}, and {cause} can't be planned")))
            });
            let Some((block, problem)) = next else { return };
            self.refuse(&block, problem);
        }
    }

    /// What a definition wants of its fields.
    pub(super) fn all_wanted(&self, desired: &DesiredResource) -> BTreeMap<String, Wanted> {
        desired.inputs.iter().map(|(field, expr)| (field.clone(), self.wanted(expr))).collect()
    }

    pub(super) fn wanted(&self, expr: &Expr) -> Wanted {
        let lookup = |output: &OutputRef| match (self.found.get(&output.resource), self.outputs.get(&output.resource)) {
            (Some(found), _) => found.output(&output.output),
            (None, Some(Outputs::Known(fields))) => fields.get(&output.output).cloned(),
            (None, Some(Outputs::Fresh | Outputs::May) | None) => None,
        };
        // Most refs are all that a field holds.
        if let Tree::Symbol(Symbol::Output(output)) = expr {
            return match lookup(output) {
                Some(value) => Wanted::Known(value),
                None => Wanted::Unknown { expr: expr.clone(), fresh: self.is_fresh(output) },
            };
        }
        match expr.resolve(&lookup) {
            Ok(value) => Wanted::Known(value),
            Err(_) => {
                let fresh = expr.outputs().into_iter().any(|output| self.is_fresh(output));
                Wanted::Unknown { expr: self.simplified(expr, &lookup), fresh }
            }
        }
    }

    /// Whether it certainly differs from any value that exists now.
    fn is_fresh(&self, output: &OutputRef) -> bool {
        output.output == "id" && matches!(self.outputs.get(&output.resource), Some(Outputs::Fresh))
    }

    /// The expression with what is known filled in, for the reader.
    fn simplified(&self, expr: &Expr, lookup: &impl Fn(&OutputRef) -> Option<Value>) -> Expr {
        let filled = expr.try_map::<Symbol, std::convert::Infallible>(&mut |symbol| {
            Ok(match symbol {
                Symbol::Output(output) | Symbol::Found(output) => {
                    lookup(output).map_or_else(|| Tree::Symbol(symbol.clone()), |value| value.widen())
                }
                Symbol::Text(_) => Tree::Symbol(symbol.clone()),
            })
        });
        match filled {
            Ok(tree) => tree,
            Err(never) => match never {},
        }
    }

    fn outputs_of(&self, addr: &ResourceAddr, resource: &ResourcePlan) -> Outputs {
        let makes = |outcome: &Outcome| matches!(outcome, Outcome::Create | Outcome::Replace);
        if resource.allowed.iter().all(makes) {
            return Outputs::Fresh;
        }
        if resource.allowed.contains(&Outcome::Adopt)
            && let Some(Existing { id }) = &resource.existing
            && let Presence::Present(seen) = self.inputs.world.presence(&resource.target, &resource.type_name, id)
        {
            let mut fields = seen.fields.clone();
            fields.insert("id".to_owned(), id.as_str().into());
            return Outputs::Known(fields);
        }
        let object = self.recorded(addr).map(|state| &state.object);
        let (Some(object), false) = (object, resource.allowed.iter().any(makes)) else { return Outputs::May };
        let mut outputs = self.seen(object);
        if resource.allowed.contains(&Outcome::Update) {
            let desired = self.desired(addr);
            let schema =
                desired.and_then(|desired| self.inputs.providers.schema(&desired.provider, &desired.type_name));
            outputs.retain(|name, _| {
                schema.and_then(|schema| schema.field(name)).is_none_or(|field| field.on_change != OnChange::Moves)
            });
        }
        Outputs::Known(outputs)
    }

    pub(super) fn deposed(&self, addr: &ResourceAddr) -> Vec<Retirement> {
        let Some(state) = self.state(&addr.block) else { return Vec::new() };
        let of_it = state.deposed.values().filter(|deposed| deposed.resource == addr.name);
        of_it
            .map(|deposed| Retirement {
                id: deposed.record.id.clone(),
                type_name: deposed.record.type_name.clone(),
                target: deposed.record.target.clone(),
            })
            .collect()
    }

    /// Who uses the resource's object, by the logs; of one that moves here, also those who know its old address.
    pub(super) fn recorded_users(&self, addr: &ResourceAddr) -> BTreeSet<ResourceAddr> {
        self.users.get(addr).cloned().unwrap_or_default()
    }

    /// The resource whose object this is, by any log. Names that are ids are unique where they are, and two types can be
    /// about one object, as are the two ends of a peering connection.
    pub(super) fn owner(&self, id: &ObjectId, type_name: &TypeName, target: &TargetId) -> Option<ResourceAddr> {
        let is_it =
            |record: &ObjectRecord| record.id == *id && record.type_name == *type_name && record.target == *target;
        self.inputs.recorded.iter().find_map(|(block, recorded)| {
            let state = recorded.as_ref().ok()?;
            let present = state.resources.iter().find(|(_, state)| is_it(&state.object)).map(|(name, _)| name);
            let deposed = || state.deposed.values().find(|it| is_it(&it.record)).map(|deposed| &deposed.resource);
            let moving = || {
                let mut moving = state.on_their_way(block, |other| self.state(other));
                moving.find(|moved| is_it(&moved.state.object)).map(|moved| &moved.resource)
            };
            Some(block.resource(present.or_else(deposed).or_else(moving)?.clone()))
        })
    }

    /// The blocks that are planned so far.
    pub(super) fn planned(&self) -> impl Iterator<Item = (&BlockAddr, &BlockChange)> {
        self.blocks.iter().filter_map(|(addr, plan)| match plan {
            BlockPlan::Planned(change) => Some((addr, change.as_ref())),
            BlockPlan::Refused { .. } => None,
        })
    }

    /// The planned block, made at its first use.
    pub(super) fn change(&mut self, block: &BlockAddr) -> Option<&mut BlockChange> {
        if !self.blocks.contains_key(block) {
            let fresh = self.new_change(block)?;
            self.blocks.insert(block.clone(), BlockPlan::Planned(Box::new(fresh)));
        }
        match self.blocks.get_mut(block) {
            Some(BlockPlan::Planned(change)) => Some(change),
            Some(BlockPlan::Refused { .. }) | None => None,
        }
    }

    pub(super) fn new_change(&self, block: &BlockAddr) -> Option<BlockChange> {
        let state = self.state(block);
        let (env, channel, targets) = match self.inputs.desired.dcs.get(&block.dc) {
            Some(dc) => (dc.env.clone(), dc.channel, dc.targets.clone()),
            None => state.and_then(|state| Some((state.env.clone()?, state.channel?, state.targets.clone())))?,
        };
        let definition = self.definition(block);
        let checks: BTreeSet<CheckName> =
            definition.map(|definition| definition.checks.keys().cloned().collect()).unwrap_or_default();
        let due = self.inputs.mode == Mode::Apply
            && state.is_some_and(|state| state.health == Health::Untold)
            && !mutant::on(Mutant::HealthForgotten);
        Some(BlockChange {
            env,
            channel,
            targets,
            after: definition.map(|definition| definition.after.clone()).unwrap_or_default(),
            definition: definition.map(DesiredBlock::digest),
            state: state.map_or_else(|| Digest::of(b""), BlockState::state_digest),
            checks_due: if due { checks.clone() } else { BTreeSet::new() },
            checks,
            resources: BTreeMap::new(),
        })
    }

    /// What a reader of the plan sees of each resource that something may be done for.
    fn describe(&mut self) {
        let mut blocks = std::mem::take(&mut self.blocks);
        for (block, plan) in &mut blocks {
            let BlockPlan::Planned(change) = plan else { continue };
            for (name, resource) in &mut change.resources {
                // As it was decided, where it was.
                let after = resource.after.take();
                if resource.acts() {
                    let addr = block.resource(name.clone());
                    (resource.before, resource.after) =
                        (self.before(&addr, resource), self.after(&addr, resource, after));
                }
            }
        }
        self.blocks = blocks;
    }

    fn before(&self, addr: &ResourceAddr, resource: &ResourcePlan) -> Option<Fields> {
        self.recorded(addr).map(|state| self.seen(&state.object)).or_else(|| {
            let existing = resource.existing.as_ref().filter(|_| resource.allowed.contains(&Outcome::Adopt))?;
            match self.inputs.world.presence(&resource.target, &resource.type_name, &existing.id) {
                Presence::Present(seen) => Some(self.taken_over(addr, seen.fields.clone())),
                Presence::Absent | Presence::Unknown(_) => None,
            }
        })
    }

    fn after(&self, addr: &ResourceAddr, resource: &ResourcePlan, decided: Option<Arc<Exprs>>) -> Option<Arc<Exprs>> {
        let desired = self.desired(addr).filter(|_| !resource.allowed.contains(&Outcome::Delete))?;
        let mut after = decided.unwrap_or_else(|| filled_in(&desired.inputs, self.all_wanted(desired)));
        if let Some(NewName { field, name }) = &resource.new_name {
            Arc::make_mut(&mut after).insert(field.clone(), name.as_str().into());
        }
        Some(after)
    }

    /// An object's fields as last recorded and, where a read showed them, as they are.
    fn seen(&self, object: &ObjectRecord) -> Fields {
        let mut fields = object.fields.clone();
        if let Presence::Present(observed) = self.inputs.world.presence(&object.target, &object.type_name, &object.id) {
            fields.extend(observed.fields.clone());
        }
        fields.insert("id".to_owned(), object.id.as_str().into());
        fields
    }

    fn finish(mut self) -> Plan {
        let due = self.planned().filter(|(_, change)| !change.checks_due.is_empty());
        let due: Vec<Note> = due
            .map(|(block, change)| Note::ChecksDue { block: block.clone(), checks: change.checks_due.clone() })
            .collect();
        self.notes.extend(due);
        let Inputs { desired, revision, generation, nonce, mode, selection, simulated, .. } = self.inputs;
        Plan {
            mode,
            selection: selection.clone(),
            simulated,
            format_version: "1".to_owned(),
            infra: desired.infra.clone(),
            revision: revision.clone(),
            generation,
            nonce,
            environments: desired.environments.clone(),
            lookups: self.found,
            blocks: self.blocks,
            notes: self.notes,
        }
    }

    /// Who uses what, by the logs: present objects, those whose delete is due, and those that open calls may have made.
    fn find_users(&self) -> FastMap<ResourceAddr, BTreeSet<ResourceAddr>> {
        let mut users = FastMap::<ResourceAddr, BTreeSet<ResourceAddr>>::default();
        for (block, recorded) in self.inputs.recorded {
            let Ok(state) = recorded else { continue };
            let now = |name: &ResourceName| {
                let addr = block.resource(name.clone());
                self.moves.out_of(&addr).cloned().unwrap_or(addr)
            };
            let present = state.resources.iter().map(|(name, state)| (now(name), &state.object.depends_on));
            let deposed = state.deposed.values();
            let deposed = deposed.map(|due| (block.resource(due.resource.clone()), &due.record.depends_on));
            let open = state.open.values().map(|intent| (now(&intent.resource), &intent.depends_on));
            let moving = state.on_their_way(block, |other| self.state(other));
            let moving = moving.map(|moved| (now(&moved.resource), &moved.state.object.depends_on));
            for (user, depends_on) in present.chain(deposed).chain(open).chain(moving) {
                for used in depends_on {
                    for used in self.now(used).into_iter().filter(|used| *used != user) {
                        users.entry(used).or_default().insert(user.clone());
                    }
                }
            }
        }
        users
    }

    /// The addresses of what a log calls so: the same, unless it has moved.
    fn now(&self, addr: &ResourceAddr) -> Vec<ResourceAddr> {
        let is_there = self.own(addr).is_some() && self.moves.out_of(addr).is_none();
        if is_there { vec![addr.clone()] } else { self.moves.since(addr).into_iter().collect() }
    }
}

fn known(recorded: &BTreeMap<BlockAddr, BlockInput>) -> BTreeSet<ObjectKey<'_>> {
    let states = recorded.values().filter_map(|recorded| recorded.as_ref().ok());
    states.flat_map(BlockState::records).map(|it| (&it.id, &it.type_name, &it.target)).collect()
}
