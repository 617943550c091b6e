//! What the tables become: everything that is wrong with them, or the description.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use petgraph::algo::kosaraju_scc;
use petgraph::graphmap::DiGraphMap;

use super::block::Inputs;
use super::input::{Filling, Input, Part};
use super::record::{CheckRow, LookupRow, Record, ResourceRow, shown};
use super::refs::{Origin, RawRef};
use crate::check::{Ask, CustomChecks, DesiredCheck};
use crate::desired::{Desired, DesiredBlock, DesiredDc, DesiredLookup, DesiredResource, Finding};
use crate::id::{BlockAddr, DcName, EnvName, InfraId, ProviderName, TypeName};
use crate::schema::{Role, Schema};
use crate::value::{Expr, Exprs, Fields, OutputRef, Piece, Symbol, Tree, Value};

/// The names of types and providers, each made once: all resources share them.
#[derive(Default)]
struct Kinds(BTreeMap<(&'static str, &'static str), (TypeName, ProviderName)>);

impl Kinds {
    fn of(&mut self, schema: &'static Schema) -> Option<(TypeName, ProviderName)> {
        match self.0.entry((schema.type_name, schema.provider)) {
            Entry::Occupied(known) => Some(known.get().clone()),
            Entry::Vacant(slot) => {
                let names = (TypeName::new(schema.type_name).ok()?, ProviderName::new(schema.provider).ok()?);
                Some(slot.insert(names).clone())
            }
        }
    }
}

impl Record {
    pub(crate) fn finish(&self) -> Result<Desired, Vec<Finding>> {
        let mut last = Self { findings: self.findings.clone(), ..Self::new(String::new(), self.at.clone()) };
        let infra = last.parse(&self.at, "infrastructure", InfraId::new(self.name.clone()));
        if self.blocks.is_empty() {
            last.finding(
                &self.at,
                &shown(&self.name),
                "no blocks: nothing is described; add one with `infra.dc(..).block(..)`",
            );
        }
        let environments = self.ordered_environments(&mut last);
        self.check_cycles(&mut last);
        for row in &self.resources {
            for (field, problem) in (row.check)(&Inputs(&row.inputs)) {
                let at = row.input(field).map_or(&row.at, |(_, _, at)| at);
                last.finding(at, &format!("{}, field {field}", row.label()), problem);
            }
        }
        for row in &self.lookups {
            for (field, problem) in (row.check)(&Inputs(&row.query)) {
                let at = row.query.iter().find(|(name, ..)| *name == field).map_or(&row.at, |(.., at)| at);
                last.finding(at, &format!("{}, field {field}", row.called.label()), problem);
            }
        }
        match (infra, last.findings.is_empty()) {
            (Some(infra), true) => Ok(Desired {
                infra,
                environments,
                dcs: self.desired_dcs(),
                blocks: self.desired_blocks(),
                custom_checks: self.custom_checks(),
                nevers: self.nevers.clone(),
            }),
            (_, _) => Err(last.findings.into_iter().collect()),
        }
    }

    fn ordered_environments(&self, last: &mut Self) -> Vec<EnvName> {
        let mut order = self.order.clone().unwrap_or_default();
        for dc in &self.dcs {
            let Some(env) = dc.env.as_ref().filter(|env| !order.contains(env)) else { continue };
            if self.order.is_some() {
                let problem = format!("its environment `{env}` is missing in `infra.environments::<(..)>()`");
                last.finding(&dc.at, &dc.label, problem);
            }
            order.push(env.clone());
        }
        order
    }

    /// Resources of one block that wait for each other. Between blocks there are no cycles: a block uses what was
    /// returned before it.
    fn check_cycles(&self, last: &mut Self) {
        // What was put down later is used only where a setter is called on what was kept: without that there is no circle.
        let later = self.resources.iter().enumerate().any(|(index, row)| {
            let mut later = false;
            for (_, input, _) in &row.inputs {
                input.each_output(&mut |raw| {
                    later |= raw.infra == self.id && matches!(raw.of, Origin::Resource(used) if used >= index);
                });
            }
            later
        });
        if !later {
            return;
        }
        let mut uses = DiGraphMap::<usize, ()>::new();
        for (index, row) in self.resources.iter().enumerate() {
            for (_, input, _) in &row.inputs {
                input.each_output(&mut |raw| {
                    if let (Origin::Resource(used), true) = (raw.of, raw.infra == self.id) {
                        uses.add_edge(index, used, ());
                    }
                });
            }
        }
        for mut circle in kosaraju_scc(&uses) {
            circle.sort_unstable();
            let Some(first) = circle.first().and_then(|index| self.resources.get(*index)) else { continue };
            let labels: Vec<_> = circle.iter().filter_map(|index| Some(self.resources.get(*index)?.label())).collect();
            if let [alone] = circle.as_slice() {
                if uses.contains_edge(*alone, *alone) {
                    last.finding(
                        &first.at,
                        &first.label(),
                        "uses an output of itself, which is not known before it exists",
                    );
                }
            } else {
                let problem = format!("{} use each other's outputs in a circle", labels.join(", "));
                last.finding(&first.at, &first.label(), problem);
            }
        }
    }

    fn desired_dcs(&self) -> BTreeMap<DcName, DesiredDc> {
        let dcs = self.dcs.iter().filter_map(|dc| {
            let (name, env) = dc.name.clone().zip(dc.env.clone())?;
            Some((name, DesiredDc { env, channel: dc.channel, targets: dc.targets.clone() }))
        });
        dcs.collect()
    }

    fn desired_blocks(&self) -> BTreeMap<BlockAddr, DesiredBlock> {
        let mut blocks: BTreeMap<_, _> = self
            .blocks
            .iter()
            .filter_map(|row| {
                let after = row.after.iter().filter_map(|index| self.blocks.get(*index)?.addr.clone()).collect();
                let block = DesiredBlock {
                    function: row.function.clone(),
                    params: self.known(&row.params),
                    after,
                    resources: BTreeMap::new(),
                    lookups: BTreeMap::new(),
                    crossings: row.crossings.clone(),
                    outputs: self.symbolic(&row.outputs),
                    checks: BTreeMap::new(),
                };
                Some((row.addr.clone()?, block))
            })
            .collect();
        let mut kinds = Kinds::default();
        for row in &self.resources {
            let (Some(addr), Some(resource)) = (row.addr(), self.desired_resource(row, &mut kinds)) else { continue };
            if let Some(block) = blocks.get_mut(&addr.block) {
                block.resources.insert(addr.name.clone(), resource);
            }
        }
        for row in &self.lookups {
            let (Some(addr), Some(lookup)) = (row.called.addr(), self.desired_lookup(row)) else { continue };
            if let Some(block) = blocks.get_mut(&addr.block) {
                block.lookups.insert(addr.name.clone(), lookup);
            }
        }
        for row in &self.checks {
            let addr = self.blocks.get(row.block).and_then(|block| block.addr.as_ref());
            let (Some(addr), Some(name)) = (addr, &row.name) else { continue };
            let ask = row.ask.try_map::<_, std::convert::Infallible>(|open| Ok(self.symbolic(open)));
            let ask = match ask {
                Ok(ask) => ask,
                Err(never) => match never {},
            };
            let CheckRow { every_ms, passes, within_ms, .. } = *row;
            let check = DesiredCheck { ask, every_ms, passes, within_ms, location: row.at.clone() };
            if let Some(block) = blocks.get_mut(addr) {
                block.checks.insert(name.clone(), check);
            }
        }
        blocks
    }

    fn custom_checks(&self) -> CustomChecks {
        let custom = self.checks.iter().filter_map(|row| match (&row.ask, &row.custom) {
            (Ask::Custom { function, .. }, Some(check)) => Some((function.clone(), check.clone())),
            _ => None,
        });
        CustomChecks(custom.collect())
    }

    fn desired_resource(&self, row: &ResourceRow, kinds: &mut Kinds) -> Option<DesiredResource> {
        let mut inputs: Exprs =
            row.inputs.iter().map(|(field, input, _)| ((*field).to_owned(), self.symbolic(input))).collect();
        for field in row.schema.fields {
            if let Role::Default(default) = field.role {
                inputs.entry(field.name.to_owned()).or_insert_with(|| default.value().widen());
            }
        }
        let (type_name, provider) = kinds.of(row.schema)?;
        Some(DesiredResource {
            type_name,
            version: row.schema.version,
            provider,
            inputs: Arc::new(inputs),
            lifecycle: row.lifecycle.clone(),
            location: row.at.clone(),
        })
    }

    fn desired_lookup(&self, row: &LookupRow) -> Option<DesiredLookup> {
        let mut query: Fields =
            row.query.iter().map(|(field, input, _)| ((*field).to_owned(), self.known(input))).collect();
        for field in row.schema.fields {
            if let Role::Default(default) = field.role {
                query.entry(field.name.to_owned()).or_insert_with(|| default.value());
            }
        }
        Some(DesiredLookup {
            type_name: TypeName::new(row.schema.type_name).ok()?,
            provider: ProviderName::new(row.schema.provider).ok()?,
            query: row.schema.normal_form(query),
            location: row.at.clone(),
        })
    }

    fn output(&self, raw: RawRef) -> Option<OutputRef> {
        let resource = match raw.of {
            Origin::Resource(index) => self.resources.get(index)?.called.addr()?,
            Origin::Lookup(index) => self.lookups.get(index)?.called.addr()?,
        };
        Some(OutputRef { resource: resource.clone(), output: raw.output.to_owned() })
    }

    fn symbolic(&self, input: &Input) -> Expr {
        let mapped = input.try_map::<Symbol, std::convert::Infallible>(&mut |hole| {
            Ok(match &hole.0 {
                Filling::Output(raw) => self.output(*raw).map_or(Tree::Null, |output| {
                    let output = Box::new(output);
                    Tree::Symbol(match raw.of {
                        Origin::Resource(_) => Symbol::Output(output),
                        Origin::Lookup(_) => Symbol::Found(output),
                    })
                }),
                Filling::Text(parts) => {
                    let pieces = parts.iter().filter_map(|part| match part {
                        Part::Literal(text) => Some(Piece::Literal(text.clone())),
                        Part::Output(raw) => self.output(*raw).map(match raw.of {
                            Origin::Resource(_) => Piece::Output,
                            Origin::Lookup(_) => Piece::Found,
                        }),
                        Part::Problem(_) => None,
                    });
                    Tree::Symbol(Symbol::Text(pieces.collect()))
                }
                Filling::Problem(_) => Tree::Null,
            })
        });
        match mapped {
            Ok(tree) => tree,
            Err(never) => match never {},
        }
    }

    /// Parameters as they are shown and compared: a ref stands as its text.
    fn known(&self, input: &Input) -> Value {
        let text = |raw: &RawRef| self.output(*raw).map_or_else(String::new, |output| output.to_string());
        let mapped = input.try_map::<_, std::convert::Infallible>(&mut |hole| {
            Ok(match &hole.0 {
                Filling::Output(raw) => Tree::Text(text(raw)),
                Filling::Text(parts) => Tree::Text(
                    parts
                        .iter()
                        .map(|part| match part {
                            Part::Literal(text) => text.clone(),
                            Part::Output(raw) => format!("${{{}}}", text(raw)),
                            Part::Problem(_) => String::new(),
                        })
                        .collect(),
                ),
                Filling::Problem(_) => Tree::Null,
            })
        });
        match mapped {
            Ok(tree) => tree,
            Err(never) => match never {},
        }
    }
}
