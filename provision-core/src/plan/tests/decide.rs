//! What is decided for one resource.

use std::collections::{BTreeMap, BTreeSet};

use super::support::{TOY, addr, id};
use crate::call::{Mark, Observed, Readiness};
use crate::plan::{Certainty, Current, Decision, Outcome, Reason, Wanted, decide};
use crate::schema::Schema;
use crate::value::{Fields, OutputRef, Symbol, Tree, Value};

/// With nothing ignored.
fn decided(schema: &Schema, wanted: &BTreeMap<String, Wanted>, current: Current<'_>) -> Decision {
    decide(schema, wanted, &BTreeSet::new(), current)
}

fn fields<const N: usize>(pairs: [(&str, Value); N]) -> Fields {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn list(items: &[&str]) -> Value {
    Value::List(items.iter().map(|item| (*item).into()).collect())
}

fn wanted<const N: usize>(pairs: [(&str, Value); N]) -> BTreeMap<String, Wanted> {
    fields(pairs).into_iter().map(|(name, value)| (name, Wanted::Known(value))).collect()
}

/// An object in the north, small, with the names a and b.
fn object() -> Observed {
    let names = list(&["a", "b"]);
    Observed {
        id: id("thing-1"),
        mark: None,
        fields: fields([("place", "north".into()), ("size", "small".into()), ("names", names)]),
        readiness: Readiness::Ready,
    }
}

fn against(observed: &Observed, wanted: &BTreeMap<String, Wanted>) -> Decision {
    let recorded = Fields::new();
    decided(&TOY, wanted, Current::Present { observed, recorded: &recorded, applied: None, mark: None })
}

fn outcomes(decision: &Decision) -> Vec<Outcome> {
    decision.allowed.iter().copied().collect()
}

fn later(fresh: bool) -> Wanted {
    let output = OutputRef { resource: addr("dc.net.main"), output: "id".to_owned() };
    Wanted::Unknown { expr: Tree::Symbol(Symbol::Output(Box::new(output))), fresh }
}

#[test]
fn what_is_not_there_is_created() {
    let new = decided(&TOY, &wanted([]), Current::None);
    assert_eq!((outcomes(&new), new.reasons), (vec![Outcome::Create], vec![Reason::New]));
    let gone = decided(&TOY, &wanted([]), Current::Gone { id: &id("thing-1") });
    assert_eq!((outcomes(&gone), gone.reasons), (vec![Outcome::Create], vec![Reason::Gone { id: id("thing-1") }]));
}

#[test]
fn what_is_as_defined_stays() {
    let same = wanted([("place", "north".into()), ("size", "small".into()), ("names", list(&["a", "b"]))]);
    let decision = against(&object(), &same);
    assert_eq!((outcomes(&decision), decision.reasons), (vec![Outcome::NoOp], vec![]));
}

#[test]
fn order_and_repetition_in_a_set_are_no_difference() {
    assert_eq!(outcomes(&against(&object(), &wanted([("names", list(&["b", "a", "b"]))]))), [Outcome::NoOp]);
    assert_eq!(outcomes(&against(&object(), &wanted([("names", list(&["b"]))]))), [Outcome::Update]);
}

#[test]
fn a_difference_updates_or_replaces_as_the_schema_says() {
    let size = against(&object(), &wanted([("size", "large".into())]));
    assert_eq!((outcomes(&size), size.fields), (vec![Outcome::Update], BTreeSet::from(["size".to_owned()])));
    let both = against(&object(), &wanted([("size", "large".into()), ("place", "south".into())]));
    assert_eq!(outcomes(&both), [Outcome::Replace], "one object cannot be both");
}

#[test]
fn the_id_of_a_new_object_certainly_differs_and_another_unknown_only_may() {
    let place = |fresh| against(&object(), &BTreeMap::from([("place".to_owned(), later(fresh))]));
    assert_eq!(outcomes(&place(true)), [Outcome::Replace]);
    assert_eq!(outcomes(&place(false)), [Outcome::NoOp, Outcome::Replace]);
    let size = |fresh| against(&object(), &BTreeMap::from([("size".to_owned(), later(fresh))]));
    assert_eq!(outcomes(&size(true)), [Outcome::Update]);
    assert_eq!(outcomes(&size(false)), [Outcome::NoOp, Outcome::Update]);
    let certainties = place(false).reasons.into_iter().map(|reason| match reason {
        Reason::Field { replaces, differs, .. } => (replaces, differs),
        other => panic!("{other:?}"),
    });
    assert_eq!(certainties.collect::<Vec<_>>(), [(Certainty::May, Certainty::May)]);
}

#[test]
fn a_sure_update_beside_a_possible_replacement_leaves_both_possible() {
    let mut both = wanted([("size", "large".into())]);
    both.insert("place".to_owned(), later(false));
    assert_eq!(outcomes(&against(&object(), &both)), [Outcome::Update, Outcome::Replace]);
}

#[test]
fn fields_that_are_not_ours_are_no_drift() {
    let mut observed = object();
    observed.fields.extend(fields([("hint", "theirs".into()), ("name", "given".into())]));
    assert_eq!(against(&observed, &wanted([])).reasons, []);

    // But the reader is told when one stops being ours.
    let (recorded, applied) = (Fields::new(), fields([("hint", "ours".into())]));
    let current = Current::Present { observed: &observed, recorded: &recorded, applied: Some(&applied), mark: None };
    let decision = decided(&TOY, &wanted([]), current);
    assert_eq!(outcomes(&decision), [Outcome::NoOp]);
    let told = Reason::NoLongerOurs { field: "hint".to_owned(), stays: "theirs".into() };
    assert_eq!(decision.reasons, [told]);
}

#[test]
fn what_reads_do_not_show_is_compared_with_the_record() {
    let (observed, recorded) = (object(), fields([("hint", "secret".into())]));
    let current = Current::Present { observed: &observed, recorded: &recorded, applied: None, mark: None };
    assert_eq!(outcomes(&decided(&TOY, &wanted([("hint", "secret".into())]), current)), [Outcome::NoOp]);
    assert_eq!(outcomes(&decided(&TOY, &wanted([("hint", "other".into())]), current)), [Outcome::Update]);
}

#[test]
fn a_lost_mark_is_set_again() {
    let mark = Mark {
        infra: "wix".parse().unwrap(),
        address: addr("dc.net.main"),
        incarnation: "0123456789abcdef".parse().unwrap(),
    };
    let (mut observed, recorded) = (object(), Fields::new());
    let decision = |observed: &Observed| {
        decided(&TOY, &wanted([]), Current::Present { observed, recorded: &recorded, applied: None, mark: Some(&mark) })
    };
    assert_eq!(outcomes(&decision(&observed)), [Outcome::Update]);
    observed.mark = Some(mark.clone());
    assert_eq!(outcomes(&decision(&observed)), [Outcome::NoOp]);
}
