//! Runs that need the same blocks at once.

use std::time::Duration;

use provision_core::exec::RunError;
use provision_core::stream::ClaimError;
use simulation::dice::Dice;
use simulation::oracle;
use simulation::process::{Outcome, Process};
use simulation::sim::{Chance, Delays, Sim};

use super::limits::{job, networks, per_second, world};

fn was_refused_a_block(process: &Process) -> bool {
    matches!(process.outcome(), Some(Outcome::Refused(RunError::Claim(ClaimError::Refused(_)))))
}

/// Blocks are claimed several at once; a run that has one and lacks another could keep the other run from it.
#[test]
fn of_two_runs_that_need_the_same_blocks_one_gets_them_all() {
    let desired = networks(10, 20, 1);
    for seed in 0..20 {
        let mut sim = Sim::new(world(None));
        let delays = Delays::Drawn(Dice::new(seed), 50);
        sim.chance = Chance { order: Some(Dice::new(seed)), delays };
        for _ in 0..2 {
            sim.start(job(&desired), false);
        }
        sim.run().unwrap();
        oracle::is_as_defined(&desired, &sim.world.objects()).unwrap();
        let good = sim.processes.iter().filter(|process| process.is_good()).count();
        let refused = sim.processes.iter().filter(|process| was_refused_a_block(process)).count();
        // The later one may have planned after all was done.
        assert_eq!((good + refused, good > 0), (2, true), "seed {seed}");
    }
}

#[test]
fn both_end_well_if_they_wait_for_each_other() {
    let mut sim = Sim::new(world(None));
    sim.chance = Chance { order: Some(Dice::new(1)), delays: Delays::Drawn(Dice::new(1), 50) };
    for (from, blocks) in [(10, 20), (15, 20), (20, 20)] {
        let mut job = job(&networks(from, blocks, 1));
        job.lock_timeout = Duration::from_secs(600);
        sim.start(job, false);
    }
    sim.run().unwrap();
    oracle::is_as_defined(&networks(10, 30, 1), &sim.world.objects()).unwrap();
    for process in &sim.processes {
        assert!(process.is_good(), "{:?}", process.outcome());
    }
}

#[test]
fn who_waits_for_a_block_holds_none_after_it() {
    // Holds the middle block for as long as fifty calls of one a second take.
    let (slow, waits, other) = (networks(20, 1, 50), networks(10, 20, 50), networks(25, 5, 50));
    let mut sim = Sim::new(world(per_second(1, 1)));
    let began = sim.world.ms;
    sim.start(job(&slow), false);
    sim.run_until(began + 5_000).unwrap();
    let mut patient = job(&waits);
    patient.lock_timeout = Duration::from_secs(6_000);
    sim.start(patient, false);
    sim.run_until(began + 10_000).unwrap();
    // One that is not patient.
    sim.start(job(&other), false);
    sim.run().unwrap();
    oracle::is_as_defined(&waits, &sim.world.objects()).unwrap();
    for process in &sim.processes {
        assert!(process.is_good(), "{:?}", process.outcome());
    }
}
