//! provision as a library: what an internal tool has around it, and, in `tests/tool`, what it does with it.
//!
//! `infra` is what the company runs, `office` is a place to run it from (a store, a cloud, engines for whoever works
//! there), `cloud` is a cloud that can be told to have a bad day. All of it uses the public API alone: nothing here knows
//! a file format, a message or the command line.

pub mod cloud;
pub mod infra;
pub mod office;
