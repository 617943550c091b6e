//! What planner and executor promise, against an oracle that knows neither: random infrastructures and edits in the
//! simulated cloud, and every single fault of small ones.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what fails, fails the test")]
#![expect(clippy::print_stdout, reason = "how many histories, and how long they took, is what one wants to know")]

mod applying;
mod claims;
mod large;
mod limits;
mod log_bytes;
mod makespan;
mod planning;
mod refusals;
mod repairs;
mod samples;
