//! Planning: a pure function from what is desired, recorded and observed, and a nonce, to a [`Plan`].
//!
//! # Guarantees
//! - No clock, randomness, network, file or environment: the same inputs give the same plan, byte for byte.
//! - What is not known yet stays symbolic; nothing is mocked.
//! - A plan is a *ceiling*: per resource the set of outcomes that a run may have. [`Ceiling`] tells whether a later plan
//!   lies inside an earlier one, and the executor takes no outcome that is not allowed.
//!
//! `plan` never imports `exec`.

mod adopt;
mod ceiling;
mod data;
mod decide;
mod first;
mod graph;
mod input;
mod leaving;
mod lookups;
mod moves;
mod one;
mod order;
mod planner;
mod reason;
mod refuse;
mod sealed;
mod there;

#[cfg(test)]
mod tests;

pub(crate) use adopt::on_trust;
pub use ceiling::{Ceiling, Outside};
pub use data::{
    BlockChange, BlockPlan, Existing, Moved, NewName, Outcome, Plan, ReplaceOrder, ResourcePlan, Retirement,
};
pub use decide::{Current, Decision, Wanted, decide};
pub use graph::{ActionGraph, Cycle, Node, action_graph};
pub use input::{BlockInput, Inputs, Missing, Mode, Presence, Providers, Selection, World};
pub use planner::plan;
pub use reason::{Certainty, Note, Reason};
pub use sealed::{MOST_BYTES, SealedError, open, seal};
