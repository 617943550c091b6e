//! Every fault of small plans.

use simulation::exhaustive::{Depth, explore};
use simulation::plans;

#[test]
fn every_single_fault() {
    for story in plans::small() {
        let story = story();
        let began = std::time::Instant::now();
        match explore(&story, Depth::Singles) {
            Ok(tally) => println!("{}: {tally:?} {:?}", story.name, began.elapsed()),
            Err(failure) => {
                println!("{}\n{:?}\n{}: {:?}", failure.table, failure.faults, failure.story, failure.wrong);
            }
        }
    }
}
