//! Golden scenarios: the real command line, in a folder of its own, over the simulated cloud.
//!
//! Latencies are real there, so these are few and tiny.

mod folder;
mod input;
mod interrupts;
mod life;
