//! Golden scenarios: the real command line, in a folder of its own, over the simulated cloud.
//!
//! Latencies are real there, so these are few and tiny.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what fails, fails the test")]

mod folder;
mod input;
mod interrupts;
mod life;
mod plan_files;
