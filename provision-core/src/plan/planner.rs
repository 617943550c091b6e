//! The planner: walks the resources along their refs and decides for each.

use std::collections::{BTreeMap, BTreeSet};

use super::data::{
    BlockChange, BlockPlan, Certainty, Existing, NewName, Note, Outcome, Plan, Reason, ReplaceOrder, ResourcePlan,
    Retirement,
};
use super::decide::{Current, Decision, Wanted, decide};
use super::input::{BlockInput, Inputs, Mode, Presence};
use super::refuse::cannot_stand_beside;
use crate::desired::{DesiredBlock, DesiredResource};
use crate::id::{BlockAddr, Digest, ResourceAddr};
use crate::mutant::{self, Mutant};
use crate::schema::Schema;
use crate::stream::event::ObjectRecord;
use crate::stream::{BlockState, ResourceState};
use crate::value::{Expr, Exprs, Fields, OutputRef, Symbol, Tree, Value};

/// Makes the plan.
pub fn plan(inputs: Inputs<'_>) -> Plan {
    let mut planner = Planner {
        inputs,
        blocks: BTreeMap::new(),
        outputs: BTreeMap::new(),
        users: recorded_users(inputs.recorded),
        notes: Vec::new(),
    };
    planner.refuse_what_cannot_be_planned();
    planner.decide_all();
    planner.retire_what_left();
    planner.keep_what_others_use();
    planner.describe();
    planner.finish()
}

pub(super) struct Planner<'a> {
    pub(super) inputs: Inputs<'a>,
    pub(super) blocks: BTreeMap<BlockAddr, BlockPlan>,
    /// What is known of each decided resource's outputs.
    outputs: BTreeMap<ResourceAddr, Outputs>,
    /// The resources whose recorded objects use an object of the key.
    users: BTreeMap<ResourceAddr, BTreeSet<ResourceAddr>>,
    pub(super) notes: Vec<Note>,
}

/// What is known of a resource's outputs before apply.
enum Outputs {
    /// They stay what they are.
    Known(BTreeMap<String, Value>),
    /// There will certainly be a new object.
    Fresh,
    /// There may be.
    May,
}

impl<'a> Planner<'a> {
    /// The definition of a block, unless everything is to go.
    pub(super) fn definition(&self, block: &BlockAddr) -> Option<&'a DesiredBlock> {
        match self.inputs.mode {
            Mode::Apply | Mode::Adopt => self.inputs.desired.blocks.get(block),
            Mode::Destroy => None,
        }
    }

    pub(super) fn state(&self, block: &BlockAddr) -> Option<&'a BlockState> {
        self.inputs.recorded.get(block).and_then(|recorded| recorded.as_ref().ok())
    }

    pub(super) fn recorded(&self, addr: &ResourceAddr) -> Option<&'a ResourceState> {
        self.state(&addr.block)?.resources.get(&addr.name)
    }

    fn decide_all(&mut self) {
        for addr in self.in_ref_order() {
            if self.is_refused(&addr.block) {
                continue;
            }
            let Some(desired) = self.definition(&addr.block).and_then(|block| block.resources.get(&addr.name)) else {
                continue;
            };
            match self.decide_one(&addr, desired) {
                Ok(resource) => {
                    self.outputs.insert(addr.clone(), self.outputs_of(&addr, &resource));
                    if let Some(change) = self.change(&addr.block) {
                        change.resources.insert(addr.name, resource);
                    }
                }
                Err(problem) => self.refuse(&addr.block, problem),
            }
        }
        self.refuse_dependants();
    }

    /// Every desired resource after those whose outputs it uses. The DSL cannot write a cycle; a tree with one that
    /// came another way leaves out what is in it, and the refs of the rest stay unknown.
    fn in_ref_order(&self) -> Vec<ResourceAddr> {
        let mut order = Vec::new();
        let mut done = BTreeSet::new();
        let blocks = self.inputs.desired.blocks.iter().filter(|(addr, _)| self.definition(addr).is_some());
        let all: BTreeMap<ResourceAddr, BTreeSet<ResourceAddr>> = blocks
            .flat_map(|(addr, block)| {
                block.resources.iter().map(move |(name, resource)| (addr.resource(name.clone()), resource.depends_on()))
            })
            .collect();
        for start in all.keys() {
            // Depth first with a stack of our own: refs may go deep.
            let mut stack = vec![(start.clone(), false)];
            let mut open = BTreeSet::new();
            while let Some((addr, expanded)) = stack.pop() {
                if done.contains(&addr) {
                    continue;
                }
                if expanded {
                    done.insert(addr.clone());
                    order.push(addr);
                } else if open.insert(addr.clone())
                    && let Some(uses) = all.get(&addr)
                {
                    stack.push((addr, true));
                    stack.extend(uses.iter().map(|used| (used.clone(), false)));
                }
            }
        }
        order
    }

    fn decide_one(&self, addr: &ResourceAddr, desired: &DesiredResource) -> Result<ResourcePlan, String> {
        let inputs = self.inputs;
        let lost = || format!("{addr}: this build has no provider for {}", desired.type_name);
        let schema = inputs.providers.schema(&desired.provider, &desired.type_name).ok_or_else(lost)?;
        let provider = inputs.providers.get(&desired.provider).ok_or_else(lost)?;
        let target =
            inputs.desired.dcs.get(&addr.block.dc).and_then(|dc| dc.targets.get(&desired.provider)).ok_or_else(lost)?;
        let wanted: BTreeMap<String, Wanted> =
            desired.inputs.iter().map(|(field, expr)| (field.clone(), self.wanted(expr))).collect();

        let state = self.recorded(addr);
        let object = state.map(|state| &state.object);
        let mut calls = self.open_calls(addr);
        let current = match object {
            None => Current::None,
            Some(object) => match inputs.world.presence(&object.target, &object.type_name, &object.id) {
                Presence::Present(observed) => Current::Present {
                    observed,
                    recorded: &object.fields,
                    applied: state.and_then(|state| state.applied.as_ref()),
                    mark: object.mark.as_ref(),
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
        let mut decision = match object {
            Some(object) if object.type_name != desired.type_name => Decision {
                allowed: BTreeSet::from([Outcome::Replace]),
                fields: BTreeSet::new(),
                reasons: vec![Reason::Field {
                    field: "type".to_owned(),
                    from: Some(object.type_name.as_str().into()),
                    to: desired.type_name.as_str().into(),
                    replaces: Certainty::Yes,
                    differs: Certainty::Yes,
                }],
            },
            Some(_) | None => decide(schema, &wanted, current),
        };
        allow_for_open_calls(calls, schema, &mut decision);
        if decision.allowed.contains(&Outcome::Replace)
            && let Some(object) = object
        {
            let observed = match inputs.world.presence(&object.target, &object.type_name, &object.id) {
                Presence::Present(observed) => &observed.fields,
                Presence::Absent | Presence::Unknown(_) => &object.fields,
            };
            let key = provider.identity_key(&desired.type_name);
            let same = |field: &&&str| match wanted.get(**field) {
                Some(Wanted::Known(value)) => observed.get(**field) == Some(value),
                Some(Wanted::Unknown { .. }) | None => false,
            };
            if !key.is_empty()
                && key.iter().all(|field| same(&field))
                && !decision.reasons.iter().any(Reason::is_open_call)
            {
                return Err(cannot_stand_beside(addr, desired, &decision, key));
            }
        }
        let makes = decision.allowed.contains(&Outcome::Create) || decision.allowed.contains(&Outcome::Replace);
        let new_name = schema
            .name_field()
            .filter(|(field, _)| makes && !wanted.contains_key(field.name))
            .map(|(field, max)| NewName { field: field.name.to_owned(), name: self.new_name(addr, max) });
        Ok(ResourcePlan {
            type_name: desired.type_name.clone(),
            target: target.clone(),
            allowed: decision.allowed,
            fields: decision.fields,
            reasons: decision.reasons,
            order: ReplaceOrder::CreateFirst,
            moved: None,
            before: None,
            after: None,
            existing: object.map(|object| Existing { id: object.id.clone() }),
            new_name,
            retire: self.deposed(addr),
            users: self.recorded_users(addr),
            uses: desired.depends_on(),
        })
    }

    /// The calls of the resource that may have landed or not.
    fn open_calls(&self, addr: &ResourceAddr) -> Vec<Reason> {
        let Some(state) = self.state(&addr.block) else { return Vec::new() };
        let open = state.open.values().filter(|intent| intent.resource == addr.name);
        open.map(|intent| Reason::OpenCall { api: intent.call.api.clone() }).collect()
    }

    /// Another copy of a repeated create was refused while the object was there, and may have been let in since.
    fn may_be_made_again(&self, addr: &ResourceAddr, object: &ObjectRecord) -> Option<Reason> {
        let arrival = self.state(&addr.block)?.create_arriving(&object.id)?;
        let world = self.inputs.world;
        let over = world.settled(&object.target).is_some_and(|until| arrival.intent.last_instant < until);
        let copied = world.marked().any(|(_, _, _, mark)| arrival.intent.mark.as_ref() == Some(mark));
        (!over || copied).then(|| Reason::MayBeMadeAgain { api: arrival.intent.call.api.clone() })
    }

    /// A name that no present or deposed object of the resource has.
    fn new_name(&self, addr: &ResourceAddr, max: usize) -> String {
        let mut name = format!("{}-{}", addr.block.block, addr.name);
        let taken = self.recorded(addr).is_some()
            || self.state(&addr.block).is_some_and(|state| {
                state.deposed.values().any(|deposed| deposed.resource == addr.name)
                    || state.open.values().any(|intent| intent.resource == addr.name)
            });
        if taken && !mutant::on(Mutant::OneNameForAll) {
            let mut suffix = self.inputs.nonce.derive(&["name", &addr.to_string()]);
            suffix.truncate(8);
            name.truncate(max.saturating_sub(9));
            name = format!("{name}-{suffix}");
        }
        name.truncate(max);
        name
    }

    fn wanted(&self, expr: &Expr) -> Wanted {
        let lookup = |output: &OutputRef| match self.outputs.get(&output.resource)? {
            Outputs::Known(fields) => fields.get(&output.output).cloned(),
            Outputs::Fresh | Outputs::May => None,
        };
        match expr.resolve(&lookup) {
            Ok(value) => Wanted::Known(value),
            Err(_) => {
                let fresh = expr.outputs().iter().any(|output| {
                    output.output == "id" && matches!(self.outputs.get(&output.resource), Some(Outputs::Fresh))
                });
                Wanted::Unknown { expr: self.simplified(expr, &lookup), fresh }
            }
        }
    }

    /// The expression with what is known filled in, for the reader.
    fn simplified(&self, expr: &Expr, lookup: &impl Fn(&OutputRef) -> Option<Value>) -> Expr {
        let filled = expr.try_map::<Symbol, std::convert::Infallible>(&mut |symbol| {
            Ok(match symbol {
                Symbol::Output(output) => {
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
        let object = self.recorded(addr).map(|state| &state.object);
        let (Some(object), false) = (object, resource.allowed.iter().any(makes)) else { return Outputs::May };
        Outputs::Known(self.seen(object))
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

    pub(super) fn recorded_users(&self, addr: &ResourceAddr) -> BTreeSet<ResourceAddr> {
        self.users.get(addr).cloned().unwrap_or_default()
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
        Some(BlockChange {
            env,
            channel,
            targets,
            after: definition.map(|definition| definition.after.clone()).unwrap_or_default(),
            definition: definition.map(DesiredBlock::digest),
            state: state.map_or_else(|| Digest::of(b""), BlockState::state_digest),
            checks: BTreeSet::new(),
            resources: BTreeMap::new(),
        })
    }

    /// What a reader of the plan sees of each resource that something may be done for.
    fn describe(&mut self) {
        let mut described = Vec::new();
        for (block, plan) in &self.blocks {
            let BlockPlan::Planned(change) = plan else { continue };
            for (name, resource) in change.resources.iter().filter(|(_, resource)| resource.acts()) {
                let addr = block.resource(name.clone());
                let before = self.recorded(&addr).map(|state| self.seen(&state.object));
                let definition = self.definition(block).and_then(|block| block.resources.get(name));
                let after = definition.filter(|_| !resource.allowed.contains(&Outcome::Delete)).map(|desired| {
                    let known = |expr: &Expr| match self.wanted(expr) {
                        Wanted::Known(value) => value.widen(),
                        Wanted::Unknown { expr, .. } => expr,
                    };
                    let mut after: Exprs =
                        desired.inputs.iter().map(|(name, expr)| (name.clone(), known(expr))).collect();
                    let name = resource.new_name.as_ref();
                    after.extend(name.map(|name| (name.field.clone(), name.name.as_str().into())));
                    after
                });
                described.push((addr, before, after));
            }
        }
        for (addr, before, after) in described {
            let resource = self.change(&addr.block).and_then(|change| change.resources.get_mut(&addr.name));
            if let Some(resource) = resource {
                (resource.before, resource.after) = (before, after);
            }
        }
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

    fn finish(self) -> Plan {
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
            blocks: self.blocks,
            notes: self.notes,
        }
    }
}

fn recorded_users(recorded: &BTreeMap<BlockAddr, BlockInput>) -> BTreeMap<ResourceAddr, BTreeSet<ResourceAddr>> {
    let mut users: BTreeMap<ResourceAddr, BTreeSet<ResourceAddr>> = BTreeMap::new();
    for (block, recorded) in recorded {
        let Ok(state) = recorded else { continue };
        let present = state.resources.iter().map(|(name, resource)| (name, &resource.object.depends_on));
        let deposed = state.deposed.values().map(|deposed| (&deposed.resource, &deposed.record.depends_on));
        let open = state.open.values().map(|intent| (&intent.resource, &intent.depends_on));
        for (name, depends_on) in present.chain(deposed).chain(open) {
            let user = block.resource(name.clone());
            for used in depends_on.iter().filter(|used| **used != user) {
                users.entry(used.clone()).or_default().insert(user.clone());
            }
        }
    }
    users
}

/// Everything is possible until it is found out whether an open call landed.
fn allow_for_open_calls(calls: Vec<Reason>, schema: &Schema, decision: &mut Decision) {
    for call in calls {
        decision.reasons.push(call);
        decision.allowed.extend([Outcome::NoOp, Outcome::Create, Outcome::Update, Outcome::Replace]);
        decision.fields.extend(schema.fields.iter().map(|field| field.name.to_owned()));
    }
}
