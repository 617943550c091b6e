//! The sans-IO seam: protocol code asks for actions and is told their outcomes; it never does anything itself.
//!
//! [`Machine`] runs one `async` protocol (claims, recovery, a whole run) without a runtime. [`Machine::step`] takes what
//! has happened and returns what to do; nothing else goes in or out: clocks come with the event, randomness is handed
//! in at the start. So the same protocol code runs under tokio ([`crate::driver`]) and under a single-threaded
//! simulation that injects faults at every action, and dropping the machine is a kill.
//!
//! # Guarantees
//! The same protocol and the same sequence of events give the same sequence of actions, byte for byte.

mod action;
mod io;
mod memory;

pub use action::{
    Action, ActionId, Event, GetAnswer, HolderState, ListAnswer, Listed, Now, PutAnswer, StoreKey, Verified,
};
pub use io::{Io, Machine};
pub use memory::Memory;
