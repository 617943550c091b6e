//! Executing a plan: sans-IO protocol code over [`crate::machine::Io`].
//!
//! # Guarantees
//! - No mutating call before its intent is durable, and none outside the plan's ceiling.
//! - Retries, waits, lease checks and limits are here and nowhere else: a client half sends once.
//! - A call whose answer was lost is looked for before anything is sent again; "absent" is believed only after the
//!   call's last instant and the endpoint's visibility bound, and never from one read.
//!
//! `attempt` makes one call under one intent, `settle` finds out about a call whose answer is missing (in the same run
//! or in a later one), `action` brings one resource to its definition or deletes its objects, `scheduler` walks the
//! action graph, `run` is the whole protocol.

mod action;
mod attempt;
mod binding;
mod blocks;
mod checks;
mod claiming;
mod context;
mod drift;
mod error;
mod finding;
mod keys;
mod limiter;
mod logs;
mod looking;
mod lookups;
mod moving;
mod observe;
mod pace;
pub mod procedure;
mod reading;
mod recording;
mod report;
mod run;
mod scheduler;
mod settle;
mod watching;

pub use binding::{Binding, fits};
pub use context::{ActionError, Settings};
pub use drift::{DriftSpec, look_for_drift};
pub use error::RunError;
pub use finding::{Clue, FindSpec, Found, Sought, Unmatched, find_candidates, match_objects};
pub use limiter::Rates;
pub use logs::read_recorded;
pub use lookups::Lookups;
pub use report::{ActionReport, ActionResult, BlockReport, BlockResult, CheckReport, RunReport};
pub use run::{GenerationChoice, Prepared, RunSpec, execute, many_deletions, prepare};
