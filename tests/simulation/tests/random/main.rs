//! Random histories for as long as a test run has, from the first seed on; ten million are a command's work
//! (`cargo run --release -p simulation -- random`).

#![expect(clippy::disallowed_methods, reason = "as many histories as the time allows")]

use std::time::{Duration, Instant};

use simulation::random::Random;
use simulation::say;

const SECONDS: u64 = 45;

/// Every second seed, so that two threads share the work.
fn seeds(first: u64) {
    let began = Instant::now();
    let (mut seeds, mut steps, mut struck) = (0, 0, 0);
    for seed in (first..).step_by(2).take_while(|_| began.elapsed() < Duration::from_secs(SECONDS)) {
        let played = Random::new(seed).play(false);
        if let Some(wrong) = played.wrong {
            let shrunk = Random::new(seed).shrunk();
            panic!("seed {seed}: {wrong}\nshrunk to:\n{}\n{shrunk}", shrunk.play(false).trace.table());
        }
        (seeds, steps, struck) = (seeds + 1, steps + played.trace.steps.len(), struck + played.struck.len());
    }
    assert!(seeds > 0 && struck > seeds, "{seeds} histories with {struck} faults");
    say(format_args!("{seeds} seeds from {first}: {struck} faults, {steps} steps in {:.0?}", began.elapsed()));
}

#[test]
fn even_seeds() {
    seeds(0);
}

#[test]
fn odd_seeds() {
    seeds(1);
}

#[test]
fn a_seed_is_one_history() {
    for seed in 0..20 {
        let [one, other] = [(), ()].map(|()| Random::new(seed).play(true).trace.hash());
        assert_eq!(one, other, "seed {seed}");
        assert_ne!(one, Random::new(seed + 1).play(true).trace.hash());
    }
}
