//! Starts the real servers that tests run against.
//!
//! Everything listens on loopback on a free port, is a child of the test run and dies with it, and logs to
//! a file that a failing test can quote. What has to be installed is installed once, into a cache folder
//! ([`cache_folder`]). A part that cannot be had is [`Unavailable`]: [`available!`] makes a visible skip
//! of that, or a failure where `PROVISION_TESTBED=required` is set.

#![expect(clippy::disallowed_methods, reason = "servers are made of processes, sockets and clocks")]

pub mod aws;
mod cache;
mod moto;
mod unavailable;

pub use cache::cache_folder;
pub use moto::Moto;
pub use unavailable::{Unavailable, available, required};
