//! Every fault and every pair of faults of small plans.

#![expect(clippy::disallowed_methods, reason = "how long it takes is printed")]

use std::time::Instant;

use simulation::exhaustive::{Depth, explore};
use simulation::story::Story;
use simulation::{plans, say};

fn explored(story: &Story, depth: Depth) {
    let began = Instant::now();
    match explore(story, depth) {
        Ok(tally) => say(format_args!("{}: {tally}; {:.1?}", story.name, began.elapsed())),
        Err(failure) => panic!("{failure}"),
    }
}

macro_rules! every_pair_of {
    ($($name:ident)+) => { $(#[test] fn $name() { explored(&plans::$name(), Depth::Pairs); })+ };
}

every_pair_of! {
    create
    create_then_less
    create_instances
    update
    replace_across_blocks
    move_between_blocks
}

/// Every second one, so that two threads share the work.
fn every_single_fault_in_worlds_that_are_less_simple(first: usize) {
    for story in plans::special().into_iter().skip(first).step_by(2) {
        explored(&story(), Depth::Singles);
    }
}

#[test]
fn every_single_fault_in_every_even_world_that_is_less_simple() {
    every_single_fault_in_worlds_that_are_less_simple(0);
}

#[test]
fn every_single_fault_in_every_odd_world_that_is_less_simple() {
    every_single_fault_in_worlds_that_are_less_simple(1);
}
