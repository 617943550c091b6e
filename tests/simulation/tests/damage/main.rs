//! Logs that were damaged, forged or rolled back.

use simulation::checkpoints;
use simulation::damage::{ALL, every_entry, every_entry_with_a_checkpoint};

#[test]
fn a_damaged_log_stops_its_block_alone() {
    for damage in ALL {
        if let Err(wrong) = every_entry(damage) {
            panic!("{wrong}");
        }
    }
}

#[test]
fn damage_below_a_checkpoint_does_no_harm() {
    for damage in ALL {
        if let Err(wrong) = every_entry_with_a_checkpoint(damage) {
            panic!("{wrong}");
        }
    }
}

#[test]
fn a_checkpoint_that_does_not_fit_is_not_believed() {
    for wrong in checkpoints::ALL {
        if let Err(problem) = checkpoints::is_not_believed(wrong) {
            panic!("{problem}");
        }
    }
}
