//! Tests of the streams, in a world of one thread and virtual time.

mod arriving;
mod claims;
mod entries;
mod folds;
mod history;
mod model;
mod reading;
mod stores;
mod world;
