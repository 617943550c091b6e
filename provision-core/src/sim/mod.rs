//! The simulated cloud: it executes the calls of any provider by their effect, and knows none.
//!
//! [`SimCloud`] is the pure model, for the fault simulation; [`FileCloud`] keeps one in a directory, shared by several
//! processes, for `--simulate`; [`SimClient`] is the client half over either.

#![expect(clippy::disallowed_methods, reason = "the simulated cloud keeps a file and a clock of its own")]

mod checker;
mod client;
mod clock;
mod cloud;
mod config;
mod file;
mod health;
mod ids;
mod journal;
mod latency;
mod lookups;
mod model;
mod reads;
mod rules;
mod tamper;
mod throttle;

#[cfg(test)]
mod tests;

pub use checker::SimChecker;
pub use client::SimClient;
pub use clock::{Clock, wall_clock};
pub use cloud::SimCloud;
pub use config::{Rate, SimConfig};
pub use file::FileCloud;
pub use journal::FileCloudError;
pub use latency::Latency;
pub use reads::Held;
pub use tamper::{Tamper, TamperError};
