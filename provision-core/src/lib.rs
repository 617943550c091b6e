//! Infrastructure as typed Rust: the core that knows no cloud.
//!
//! See `ARCHITECTURE.md` for the code map.

pub mod call;
pub mod desired;
pub mod exec;
pub mod driver;
pub mod id;
pub mod machine;
pub mod plan;
pub mod progress;
pub mod provider;
pub mod schema;
pub mod sim;
pub mod stream;
pub mod target;
pub mod value;
