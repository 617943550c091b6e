//! Tests through the real SDK against the servers of the testbed: what they share.
//!
//! The tests run the binary `e2e-provision`, which is the command line of provision on a small [`infra`]structure, against
//! an AWS server of their own ([`world`]). They look at what the server [holds](cloud) and at the [store](state)
//! past the proxy, so that what the command line says about itself is not all that they believe.

pub mod cloud;
pub mod engine;
pub mod infra;
pub mod points;
pub mod pool;
pub mod state;
pub mod types;
pub mod world;

pub use cloud::Held;
pub use infra::{Variant, infrastructure};
pub use world::{Ran, Running, World};
