//! `provision` against the AWS server: one binary, because these tests wait for most of their time, and one is linked sooner
//! than twelve. Those that count time or kill processes are binaries of their own.

mod adoption;
mod apply;
mod bad_input;
mod changes;
mod drift;
mod lives;
mod lookups;
mod lost;
mod readme;
mod sealed;
mod types;
mod whole;
