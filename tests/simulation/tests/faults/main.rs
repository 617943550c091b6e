//! Every fault and every pair of faults of small plans.

#![expect(clippy::print_stdout, reason = "how many histories there were is what one wants to know")]

use simulation::exhaustive::{Depth, explore};
use simulation::plans;
use simulation::story::Story;

fn every_pair(story: &Story) {
    let began = std::time::Instant::now();
    let depth = if std::env::var_os("SINGLES").is_some() { Depth::Singles } else { Depth::Pairs };
    match explore(story, depth) {
        Ok(tally) => println!("{}: {tally:?} {:.1?}", story.name, began.elapsed()),
        Err(failure) => {
            panic!("{}\n{}: {:?}\n{}", failure.table, failure.story, failure.faults, failure.wrong);
        }
    }
}

macro_rules! every_pair_of {
    ($($name:ident)+) => { $(#[test] fn $name() { every_pair(&plans::$name()); })+ };
}

every_pair_of! {
    create
    create_seen_late
    create_then_destroy
    create_instances
    update
    replace_with_its_users
    replace_across_blocks
    delete_within_a_block
    delete_across_blocks
    a_block_leaves
}
