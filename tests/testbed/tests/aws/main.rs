//! The testbed's AWS, spoken to over raw HTTP: each thing that it promises, by a test that fails without it.

#![expect(clippy::disallowed_methods, reason = "tests against real servers wait in real time")]

mod accounts;
mod balancing;
mod consistency;
mod faults;
mod filters;
mod limits;
mod names;
mod paging;
mod process;
mod refresh;
mod s3;
mod settling;
mod stamps;
mod support;
mod tokens;
mod uses;
