//! Logs that were damaged, forged or rolled back.

use simulation::damage::{ALL, every_entry};

#[test]
fn a_damaged_log_stops_its_block_alone() {
    for damage in ALL {
        if let Err(wrong) = every_entry(damage) {
            panic!("{wrong}");
        }
    }
}
