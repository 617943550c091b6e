//! Every single fault of small runs: the run itself copes with it, or one run without faults finishes.
//!
//! Pairs of faults, several runners and clocks that disagree are the fault simulation's.

use std::time::Duration;

use provision_core::desired::Desired;
use provision_core::plan::Mode;
use provision_core::sim::SimConfig;
use simulation::fault::{Counts, Fault};
use simulation::lab::Lab;
use simulation::oracle;

use crate::samples::{one_of_each, replaced, updated, without_the_second_block};

/// A run that faults are put into, and what must be there when another one has finished it.
struct Case {
    name: &'static str,
    /// The world before it.
    lab: Lab,
    desired: Desired,
    mode: Mode,
    /// What the run after the fault is for: the code may have changed meanwhile.
    then: (Desired, Mode),
}

fn case(name: &'static str, before: Option<&Desired>, desired: &Desired, mode: Mode) -> Case {
    case_in(Lab::new(), name, before, desired, mode)
}

fn case_in(mut lab: Lab, name: &'static str, before: Option<&Desired>, desired: &Desired, mode: Mode) -> Case {
    if let Some(before) = before {
        assert!(lab.apply(before, &[]).is_good());
        lab.world.trace.steps.clear();
    }
    Case { name, lab, desired: desired.clone(), mode, then: (desired.clone(), mode) }
}

fn then(name: &'static str, case: Case, desired: &Desired, mode: Mode) -> Case {
    Case { name, then: (desired.clone(), mode), ..case }
}

fn faults(counts: Counts) -> Vec<Fault> {
    let mut faults = Vec::new();
    for action in 0..counts.actions {
        faults.extend([Fault::Kill { action }, Fault::Interrupt { action }]);
    }
    for call in 0..counts.calls {
        faults.extend([Fault::LoseRequest { call }, Fault::LoseAnswer { call }]);
        // One lands while its stamp is good, one does when it is nearly old, and one is refused.
        for by in [700, 2_900, 9_000].map(Duration::from_millis) {
            faults.extend([Fault::Late { call, by }, Fault::KillLate { call, by }]);
        }
    }
    for put in 0..counts.puts {
        faults.extend([true, false].map(|written| Fault::UnknownPut { put, written }));
    }
    faults
}

/// One fault and one run without; says what is wrong.
fn history(case: &Case, fault: Fault) -> Result<(), String> {
    let mut lab = case.lab.clone();
    let ran = lab.run(&case.desired, case.mode, &[fault]);
    let ends = matches!(fault, Fault::Kill { .. } | Fault::KillLate { .. } | Fault::Interrupt { .. });
    let (desired, mode) = &case.then;
    let check = |lab: &mut Lab| {
        if !ends && !ran.is_good() {
            return Err(format!("the run does not cope with it: {:?} {:?}", ran.report, ran.error));
        }
        let finished = lab.run(desired, *mode, &[]);
        if !finished.is_good() {
            return Err(format!("the next run does not finish: {:?} {:?}", finished.report, finished.error));
        }
        // What was on its way has landed by then, or never will.
        lab.world.pass_to(lab.world.ms + 20_000);
        match mode {
            Mode::Apply => oracle::is_as_defined(desired, &lab.world.objects())?,
            Mode::Destroy if lab.world.objects().is_empty() => {}
            Mode::Destroy => return Err(format!("left over: {:#?}", lab.world.objects())),
        }
        oracle::intents_come_first(&lab.world.trace)?;
        oracle::tokens_are_used_once(&lab.world.trace)?;
        let next = lab.plan(desired, *mode).plan;
        if next.is_empty() && next.notes.is_empty() { Ok(()) } else { Err(format!("the next plan: {next:#?}")) }
    };
    check(&mut lab).map_err(|wrong| format!("{}, {fault:?}: {wrong}\n{}", case.name, lab.world.trace.table()))
}

fn every_single_fault(case: &Case) {
    let counts = case.lab.clone().run(&case.desired, case.mode, &[]).counts;
    let faults = faults(counts);
    let wrong: Vec<String> = faults.iter().filter_map(|fault| history(case, *fault).err()).collect();
    println!("{}: {} histories ({counts:?}), {} wrong", case.name, faults.len(), wrong.len());
    let heads: Vec<&str> = wrong.iter().filter_map(|wrong| wrong.lines().next()).collect();
    assert!(wrong.is_empty(), "{}\n{}", heads.join("\n"), wrong[0]);
}

#[test]
fn create() {
    every_single_fault(&case("create", None, &one_of_each().desired(), Mode::Apply));
}

#[test]
fn update() {
    every_single_fault(&case("update", Some(&one_of_each().desired()), &updated().desired(), Mode::Apply));
}

#[test]
fn replace() {
    every_single_fault(&case("replace", Some(&one_of_each().desired()), &replaced().desired(), Mode::Apply));
}

#[test]
fn destroy() {
    let all = one_of_each().desired();
    every_single_fault(&case("destroy", Some(&all), &all, Mode::Destroy));
}

#[test]
fn remove_a_block() {
    let (before, after) = (one_of_each().desired(), without_the_second_block().desired());
    every_single_fault(&case("remove a block", Some(&before), &after, Mode::Apply));
}

#[test]
fn create_and_the_code_changes_before_it_is_finished() {
    let all = one_of_each().desired();
    let create = || case("", None, &all, Mode::Apply);
    every_single_fault(&then("create, then destroy", create(), &all, Mode::Destroy));
    let less = without_the_second_block().desired();
    every_single_fault(&then("create, then less", create(), &less, Mode::Apply));
    every_single_fault(&then("create, then another network", create(), &replaced().desired(), Mode::Apply));
}

#[test]
fn replace_and_the_code_changes_back_before_it_is_finished() {
    let all = one_of_each().desired();
    let replace = case("", Some(&all), &replaced().desired(), Mode::Apply);
    every_single_fault(&then("replace, then back", replace, &all, Mode::Apply));
}

#[test]
fn create_where_objects_are_seen_late_and_take_a_while() {
    let lab = Lab::with(SimConfig {
        lag: Duration::from_secs(1),
        lag_calls: true,
        latency_percent: 100,
        ..SimConfig::instant(7)
    });
    let all = one_of_each().desired();
    every_single_fault(&case_in(lab, "create, seen late", None, &all, Mode::Apply));
}
