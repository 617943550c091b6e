//! Planning is pure, and changes nothing.

use std::collections::BTreeMap;

use proptest::prelude::*;
use provision_core::id::{Generation, Nonce, Revision};
use provision_core::plan::{Inputs, Missing, Mode, Selection, plan};
use simulation::infra::{edits, specs};
use simulation::lab::{Lab, providers};
use simulation::trace::Did;

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn the_same_inputs_give_the_same_plan_and_another_nonce_another_one(spec in specs(), edits in edits()) {
        let (before, mut lab) = (spec.desired(), Lab::new());
        lab.apply(&before);
        let after = edits.iter().fold(spec, |spec, edit| spec.edited(edit)).desired();
        for mode in [Mode::Apply, Mode::Destroy] {
            let prepared = lab.plan(&after, mode);
            let (providers, revision) = (providers(), Revision::new("abc123").unwrap());
            let make = |nonce| {
                plan(Inputs {
                    desired: &after,
                    recorded: &prepared.recorded,
                    world: &prepared.world,
                    providers: &providers,
                    revision: &revision,
                    generation: Generation(2),
                    nonce,
                    mode,
                    missing: Missing::DestroyOlder,
                    selection: &Selection::default(),
                    adoptions: &BTreeMap::new(),
                    simulated: true,
                })
            };
            let ours = make(prepared.plan.nonce);
            prop_assert_eq!(ours.canonical(), prepared.plan.canonical());
            let other = make(Nonce([9; 16]));
            prop_assert_ne!(ours.digest(), other.digest());
            prop_assert_ne!(ours.run_id(), other.run_id());
            let read: provision_core::plan::Plan = serde_json::from_slice(&ours.canonical()).unwrap();
            prop_assert_eq!(read, ours);
        }
    }

    #[test]
    fn planning_writes_and_calls_nothing(spec in specs(), edits in edits()) {
        let (before, mut lab) = (spec.desired(), Lab::new());
        lab.plan(&before, Mode::Apply);
        lab.apply(&before);
        let after = edits.iter().fold(spec, |spec, edit| spec.edited(edit)).desired();
        let (store, held, began) = (lab.world.store.clone(), lab.world.objects(), lab.world.trace.steps.len());
        lab.plan(&after, Mode::Apply);
        lab.plan(&after, Mode::Destroy);
        prop_assert_eq!(&store, &lab.world.store);
        prop_assert_eq!(held, lab.world.objects());
        for step in &lab.world.trace.steps[began..] {
            prop_assert!(!matches!(step.did, Did::Put { .. } | Did::Hint { .. } | Did::Call { .. }), "{:?}", step);
        }
    }

    #[test]
    fn the_same_run_has_the_same_trace(spec in specs(), edits in edits()) {
        let history = || {
            let (before, mut lab) = (spec.desired(), Lab::new());
            lab.apply(&before);
            lab.apply(&edits.iter().fold(spec.clone(), |spec, edit| spec.edited(edit)).desired());
            lab.world.trace
        };
        let (one, other) = (history(), history());
        prop_assert_eq!(one.hash(), other.hash(), "{}\n{}", one.table(), other.table());
    }
}
