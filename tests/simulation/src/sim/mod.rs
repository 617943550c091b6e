//! Processes in a world: a discrete-event loop on one thread, in virtual time.

mod events;
mod perform;
mod strike;

pub use events::{Chance, Delays, Faults, Sim, Stuck};
