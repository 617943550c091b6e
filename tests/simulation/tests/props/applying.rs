//! Applying, editing, destroying random infrastructures.

use std::collections::BTreeSet;

use proptest::prelude::*;
use provision_core::desired::Desired;
use provision_core::id::BlockAddr;
use simulation::guarantee;
use simulation::infra::{Spec, edits, specs};
use simulation::lab::{Lab, Order, Ran};
use simulation::oracle;
use simulation::trace::Trace;

/// Makes a failing case readable.
fn check(what: &str, wrong: oracle::Wrong, trace: &Trace) -> Result<(), TestCaseError> {
    wrong.map_err(|wrong| TestCaseError::fail(format!("{what}: {wrong}\n{}", trace.table())))
}

fn good(ran: &Ran, trace: &Trace) -> Result<(), TestCaseError> {
    let problem = || Err(format!("{:?} {:?} {:?}", ran.error, ran.report, ran.plan.as_deref().map(refused)));
    check("the run", if ran.is_good() { Ok(()) } else { problem() }, trace)
}

fn refused(plan: &provision_core::plan::Plan) -> Vec<(BlockAddr, String)> {
    plan.refusals().map(|(block, problem)| (block.clone(), problem.to_owned())).collect()
}

/// A trace of the next runs alone.
fn begin(lab: &mut Lab) {
    lab.world.trace = Trace::default();
}

fn next_plan_is_empty(lab: &mut Lab, desired: &Desired) -> Result<(), TestCaseError> {
    let plan = lab.plan(desired, provision_core::plan::Mode::Apply).plan;
    prop_assert!(plan.is_empty() && plan.notes.is_empty() && plan.refusals().next().is_none(), "{:#?}", plan);
    Ok(())
}

/// An order of actions, from a number: as asked for half of the time.
fn order(seed: u64) -> Order {
    if seed.is_multiple_of(2) { Order::AsAsked } else { Order::Shuffled(seed) }
}

fn changed(spec: &Spec, edits: &[simulation::infra::Edit]) -> Desired {
    edits.iter().fold(spec.clone(), |spec, edit| spec.edited(edit)).desired()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn an_apply_makes_exactly_what_is_defined_and_leaves_nothing_to_do(spec in specs(), seed: u64) {
        let (desired, mut lab) = (spec.desired(), Lab::new());
        lab.order = order(seed);
        let ran = lab.apply(&desired);
        good(&ran, &lab.world.trace)?;
        check("the cloud", oracle::is_as_defined(&desired, &lab.world.objects()), &lab.world.trace)?;
        check("intents", guarantee::intents_come_first(&lab.world.trace), &lab.world.trace)?;
        check("order", oracle::order_respects_refs(&desired, &[], &lab.world.trace), &lab.world.trace)?;
        next_plan_is_empty(&mut lab, &desired)?;
    }

    #[test]
    fn an_edit_changes_what_it_names_and_nothing_else(spec in specs(), edits in edits(), seed: u64) {
        let (before, after, mut lab) = (spec.desired(), changed(&spec, &edits), Lab::new());
        lab.order = order(seed);
        let ran = lab.apply(&before);
        good(&ran, &lab.world.trace)?;

        let held = lab.world.objects();
        begin(&mut lab);
        let ran = lab.apply(&after);
        let (trace, now) = (lab.world.trace.clone(), lab.world.objects());
        prop_assert!(ran.error.is_none(), "{:?}\n{}", ran.error, trace.table());
        let plan = ran.plan.as_ref().unwrap();
        good(&ran, &trace)?;
        check("the cloud", oracle::is_as_defined(&after, &now), &trace)?;
        check("intents", guarantee::intents_come_first(&trace), &trace)?;
        check("order", oracle::order_respects_refs(&after, &held, &trace), &trace)?;

        let untouched = oracle::untouched(&before, &after);
        check("untouched", oracle::unchanged(&untouched, &held, &now), &trace)?;
        check("untouched", oracle::unwritten(&untouched, &trace), &trace)?;
        let unclaimed: BTreeSet<BlockAddr> =
            before.blocks.keys().chain(after.blocks.keys()).filter(|b| !plan.touched().contains(b)).cloned().collect();
        check("unclaimed", oracle::unchanged(&unclaimed, &held, &now), &trace)?;
        check("unclaimed", oracle::unwritten(&unclaimed, &trace), &trace)?;
        next_plan_is_empty(&mut lab, &after)?;
    }

    #[test]
    fn a_destroy_leaves_nothing_and_everything_can_be_made_again(spec in specs(), edits in edits(), seed: u64) {
        let (before, after, mut lab) = (spec.desired(), changed(&spec, &edits), Lab::new());
        lab.order = order(seed);
        let (mut tokens, mut runs) = (BTreeSet::new(), BTreeSet::new());
        for desired in [&before, &before, &after] {
            begin(&mut lab);
            let applied = lab.apply(desired);
            good(&applied, &lab.world.trace)?;
            check("the cloud", oracle::is_as_defined(desired, &lab.world.objects()), &lab.world.trace)?;
            check("tokens", guarantee::tokens_are_used_once(&lab.world.trace), &lab.world.trace)?;
            let new = lab.world.trace.tokens();
            prop_assert!(tokens.is_disjoint(&new), "a token was used again");
            tokens.extend(new);

            let held = lab.world.objects();
            begin(&mut lab);
            // What has left the code meanwhile goes as well.
            let destroyed = lab.destroy(&after);
            good(&destroyed, &lab.world.trace)?;
            prop_assert!(lab.world.objects().is_empty(), "{:#?}", lab.world.objects());
            check("order", oracle::order_respects_refs(&after, &held, &lab.world.trace), &lab.world.trace)?;
            for report in [applied.report, destroyed.report].into_iter().flatten() {
                prop_assert!(runs.insert(report.run), "a run was made twice");
            }
        }
    }
}
