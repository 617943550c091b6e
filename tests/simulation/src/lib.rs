//! The real planner and executor in the simulated cloud.
//!
//! [`lab::Lab`] drives whole runs ([`provision_core::exec`]) single-threaded over a simulated cloud and a store in memory,
//! in virtual time, with [`fault::Fault`]s at the boundary of each action; the same inputs give the same
//! [`trace::Trace`]. [`infra`] makes infrastructures and edits of them; [`oracle`] says what must hold afterwards, from the
//! definitions and from what the cloud itself holds alone.

#![expect(clippy::unwrap_used, reason = "a harness for tests: what it is given is right, or the test fails")]

pub mod fault;
pub mod infra;
pub mod lab;
pub mod oracle;
pub mod trace;
pub mod world;
