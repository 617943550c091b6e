//! Golden scenarios: the real command line, in a folder of its own, over the simulated cloud.
//!
//! Latencies are real there, so these are few and tiny.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "helpers of tests: what fails, fails the test; they look at files"
)]

mod checks;
mod ci;
mod company;
mod drift;
mod elsewhere;
mod folder;
mod formats;
mod input;
mod interrupts;
mod life;
mod lifecycle;
mod looking;
mod plan_files;
mod reports;
mod sealed;
mod selections;
mod taking_over;
