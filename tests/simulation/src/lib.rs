//! The real planner, executor, streams, recovery and pure halves, single-threaded in virtual time, from a seed.
//!
//! [`sim::Sim`] steps [`process::Process`]es over a [`world::World`] (a cloud, a store, a clock), with
//! [`fault::Fault`]s at the boundary of each action; the same inputs give the same [`trace::Trace`]. [`story::Story`] is a
//! run and whoever finishes it: [`exhaustive`] tries every pair of faults of those in [`plans`], [`random`] draws all from a
//! seed, [`damage`] spoils logs, [`checkpoints`] what is derived from them, and [`mutants`] says which of all these notices which fault of the protocol. [`guarantee`] and [`oracle`] say what must hold: from what was sent, what came to stand,
//! what the cloud holds, and the definitions. [`infra`] makes infrastructures and edits of them, [`lab`] single runs.

#![expect(clippy::unwrap_used, reason = "a harness for tests: what it is given is right, or the test fails")]

// Worlds are cloned and dropped a million times in a test run: a quarter of its time was spent in malloc.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub mod campaign;
pub mod checkpoints;
pub mod damage;
pub mod dice;
pub mod exhaustive;
pub mod fault;
pub mod guarantee;
pub mod infra;
pub mod lab;
#[cfg(debug_assertions)]
pub mod mutants;
pub mod oracle;
pub mod plans;
pub mod process;
pub mod random;
pub mod sim;
pub mod story;
mod table;
pub mod trace;
pub mod world;

/// Prints a line where a test that passes prints nothing else: what was tried belongs to every run.
pub fn say(line: impl std::fmt::Display) {
    use std::io::Write as _;
    // Where nobody reads it, nobody misses it.
    writeln!(std::io::stdout().lock(), "{line}").ok();
}
