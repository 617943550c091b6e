//! The whole of it as a library: what an internal tool plans and applies with, in its own process.
//!
//! [`Engine`] says what there is and where: what the code asks for, the clouds, the store, who signs. [`Engine::plan`] and
//! [`Engine::apply`] return handles to something that goes on by itself: its events are data, and its end is a value.
//! Nothing here prints, reads the environment or hears signals; nothing is global, so a process can have several engines
//! and many runs at a time. The command line is one user of it.
//!
//! The first example is that of the [crate]. `tests/embedding` in the repository is a larger one: plans in files,
//! interrupts, two runs at once, adoption, drift.

mod engine;
mod request;
mod run;
mod simulated;
mod task;

pub use engine::{Engine, Nonces};
pub use request::{Approval, PlanRequest};
pub use run::Run;
pub use simulated::Simulated;
pub use task::{Planning, Task};
