//! What planner and executor promise, against an oracle that knows neither: random infrastructures and edits in the
//! simulated cloud, and every single fault of small ones.

mod applying;
mod faults;
mod large;
mod planning;
mod repairs;
mod samples;
