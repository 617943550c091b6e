//! Every mutant of the protocol is noticed: a check that cannot fail is none.
#![cfg(debug_assertions)]
#![expect(clippy::disallowed_methods, reason = "how long it takes is printed")]

use std::time::Instant;

use provision_core::mutant::Mutant;
use simulation::mutants::{cases, cases_of_their_own, catch, meant};
use simulation::say;

/// Every second one, so that two threads share the work.
fn every_mutant_is_caught(first: usize) {
    let cases = cases();
    let (mut survivors, mut by_another) = (Vec::new(), Vec::new());
    for mutant in Mutant::ALL.iter().skip(first).step_by(2) {
        let began = Instant::now();
        match catch(*mutant, &cases) {
            Some(caught) => {
                let said: String = caught.said.chars().take(160).collect();
                let (name, case) = (mutant.name(), caught.case);
                if case != meant(*mutant) {
                    by_another.push(name);
                }
                say(format_args!("{name:28} caught by `{case}` in {:.1?}: {said}", began.elapsed()));
            }
            None => {
                say(format_args!("{:28} SURVIVED: {}", mutant.name(), mutant.breaks()));
                survivors.push(mutant.name());
            }
        }
    }
    assert!(survivors.is_empty(), "not noticed: {survivors:?}");
    assert!(by_another.is_empty(), "not noticed by the case that is meant to: {by_another:?}");
}

#[test]
fn every_even_mutant_is_caught() {
    every_mutant_is_caught(0);
}

#[test]
fn every_odd_mutant_is_caught() {
    every_mutant_is_caught(1);
}

/// Of those that are no test elsewhere.
#[test]
fn without_a_mutant_every_case_passes() {
    for case in cases_of_their_own() {
        assert_eq!((case.run)(), Ok(()), "{}", case.name);
    }
}

/// Users are told which guarantee each rule upholds.
#[test]
fn every_mutant_stands_with_a_guarantee() {
    let guarantees = include_str!("../../../../docs/guarantees.md");
    let named = |mutant: &Mutant| guarantees.contains(&format!("`{}`", mutant.name()));
    let missing: Vec<_> = Mutant::ALL.iter().filter(|mutant| !named(mutant)).map(|mutant| mutant.name()).collect();
    assert!(missing.is_empty(), "docs/guarantees.md does not name {missing:?}");
}
