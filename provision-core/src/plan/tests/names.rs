//! The names that the engine makes: each fits its type, and no two objects have the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::support::{TOY, Toy, code, id, target, thing};
use crate::call::{Observed, Readiness};
use crate::desired::Lifecycle;
use crate::id::{BlockAddr, Generation, IntentNo, Nonce, ResourceAddr, Revision};
use crate::plan::{Inputs, Missing, Mode, Plan, Providers, Selection, World, plan};
use crate::provider::Provider;
use crate::stream::event::ObjectRecord;
use crate::stream::{BlockState, Deposed, ResourceState};
use crate::value::Fields;

/// What there is of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum There {
    Nothing,
    /// An object that is replaced, before the new one is made or after.
    Replaced {
        goes_first: bool,
    },
    /// One that was replaced earlier and is still to go.
    Deposed,
}

fn there() -> impl Strategy<Value = There> {
    prop_oneof![
        Just(There::Nothing),
        any::<bool>().prop_map(|goes_first| There::Replaced { goes_first }),
        Just(There::Deposed)
    ]
}

/// Names of which many begin alike, many of them as long as they may be.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]", "[a-z][a-z0-9-]{0,38}[a-z0-9]", "aaaaaaaaaa-aaaaaaaaaa-aaaaaaaaaa-[a-z]{1,7}"]
}

fn planned(resources: &BTreeMap<ResourceAddr, There>) -> Plan {
    let mut world = World::default();
    let mut recorded: BTreeMap<BlockAddr, _> = BTreeMap::new();
    let mut defined = Vec::new();
    for (number, (addr, there)) in resources.iter().enumerate() {
        let goes_first = *there == There::Replaced { goes_first: true };
        let lifecycle = Lifecycle { delete_before_replace: goes_first, ..Lifecycle::default() };
        defined.push((addr.clone(), thing(BTreeMap::from([("place".to_owned(), "south".into())]), lifecycle)));
        let id = id(&format!("thing-{number}"));
        let fields = Fields::from([("place".to_owned(), "north".into())]);
        let object = ObjectRecord {
            type_name: "toy_thing".parse().unwrap(),
            version: 1,
            target: target(),
            id: id.clone(),
            mark: None,
            fields: fields.clone(),
            depends_on: BTreeSet::new(),
        };
        let state: &mut BlockState = recorded.entry(addr.block.clone()).or_default();
        match there {
            There::Nothing => continue,
            There::Replaced { goes_first: _ } => {
                let state_of =
                    ResourceState { object, applied: None, made: IntentNo(1), maker: None, protected: false };
                state.resources.insert(addr.name.clone(), state_of);
            }
            There::Deposed => {
                state.deposed.insert(object.typed_id(), Deposed { resource: addr.name.clone(), record: object });
            }
        }
        let observed = Observed { id, mark: None, fields, readiness: Readiness::Ready };
        world.saw(&target(), &"toy_thing".parse().unwrap(), observed);
    }
    let toy: Arc<dyn Provider> = Arc::new(Toy);
    plan(Inputs {
        desired: &code(defined),
        recorded: &recorded.into_iter().map(|(block, state)| (block, Ok(state))).collect(),
        world: &world,
        providers: &Providers::new([toy]),
        revision: &Revision::new("r").unwrap(),
        generation: Generation(1),
        nonce: Nonce([7; 16]),
        mode: Mode::Apply,
        missing: Missing::Keep,
        selection: &Selection::default(),
        adoptions: &BTreeMap::new(),
        simulated: true,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn made_names_fit_and_no_two_are_the_same(all in prop::collection::btree_map((name(), name()), there(), 1..8)) {
        let all: BTreeMap<ResourceAddr, There> =
            all.into_iter().map(|((block, name), there)| (format!("dc.{block}.{name}").parse().unwrap(), there)).collect();
        let (_, max) = TOY.name_field().unwrap();
        let plan = planned(&all);
        // What those have that go: a first plan gave them their names.
        let nothing = all.keys().map(|addr| (addr.clone(), There::Nothing)).collect();
        let first = planned(&nothing);
        let made = |plan: &Plan, addr| plan.resource(addr).and_then(|it| it.new_name.clone()).map(|made| made.name);
        let (mut taken, mut wholes) = (BTreeSet::new(), BTreeSet::new());
        for (addr, there) in &all {
            let name = made(&plan, addr);
            prop_assert!(name.as_ref().is_some_and(|name| !name.is_empty() && name.len() <= max), "{}: {:?}", addr, &name);
            // `a-b.c` and `a.b-c` are called the same.
            let whole = format!("{}-{}", addr.block.block, addr.name);
            prop_assert!(!wholes.insert(whole) || taken.insert(name.clone()), "{} is there twice", name.unwrap());
            if *there != There::Nothing && addr.block.block.as_str().len() + addr.name.as_str().len() < max {
                prop_assert_ne!(name, made(&first, addr));
            }
        }
    }
}
