//! Client halves in a process of their own: an SDK that takes minutes to compile and seconds to link is then no part of the
//! binary that every edit builds.
//!
//! [`serve`] is what that process does: it reads requests from its standard input, asks the client halves that it has,
//! and writes what they say to its standard output. [`ClientProcess`] is a [`Connector`](super::Connector) that starts
//! the process and talks to it. All targets of a provider share one process, and each may have many requests in flight.
//!
//! # The protocol
//! Each side writes lines of JSON, of [`MOST_OF_A_LINE`] bytes at most. The first one says who it is: the number of the
//! [`PROTOCOL`] and the *build*, a text that the provider chooses so that it differs where the two halves could
//! misunderstand each other. Then come numbered requests, each with its target, and one reply for each, in any order. A
//! line that is not understood ends the connection: nothing is guessed.
//!
//! # Guarantees
//! - A request is executed once at the most: a line of which the end is missing is never executed, and no line is written
//!   twice, except that one which was certainly not written to a process that ended is written to the next one.
//! - A call that was written and not answered is [`Answer::Unknown`](crate::call::Answer::Unknown), whatever ended the
//!   connection. One that was never written is refused with the code `NotSent`.
//! - The process ends when its standard input does, so it does not outlive who started it. It is in a process group of its
//!   own: an interrupt from the terminal does not reach it before the run has drained.
//! - Credentials come from the environment, which the process inherits. Nothing of them is in its arguments or passes the
//!   pipe. What it writes to standard error becomes log lines, without control characters.
//!
//! A process that ended is started again by the next request, [`MOST_STARTS`] times in all.

mod frame;
mod link;
mod process;
mod serve;

#[cfg(test)]
mod tests;

pub use frame::{MOST_OF_A_LINE, PROTOCOL};
pub use process::{ClientProcess, MOST_STARTS, Program};
pub use serve::{ServeError, serve};
