//! Tests of the streams, in a world of one thread and virtual time.

mod arriving;
mod checkpoints;
mod claims;
mod entries;
mod folds;
mod history;
mod mangled;
mod model;
mod reading;
mod shorts;
mod stores;
mod world;
