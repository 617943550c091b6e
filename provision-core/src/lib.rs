//! Infrastructure as typed Rust: the core that knows no cloud.
//!
//! See `ARCHITECTURE.md` for the code map.

pub mod call;
pub mod check;
pub mod desired;
pub mod drift;
pub mod driver;
pub mod dsl;
pub mod exec;
pub mod history;
pub mod id;
pub mod machine;
pub mod mutant;
pub mod outputs;
pub mod plan;
pub mod progress;
pub mod provider;
pub mod schema;
pub mod sim;
pub mod stream;
mod strict;
pub mod target;
pub mod value;

pub use provision_macros::{cidr, data_centre, environment, resource, text};

/// What a module of an infrastructure, or a crate of resource types, starts with: `use provision_core::prelude::*;`.
pub mod prelude {
    pub use provision_macros::{Args, cidr, data_centre, environment, resource, text};

    pub use crate::desired::{Channel, Desired, Finding};
    pub use crate::dsl::{
        Added, Args, Block, Cidr, Cloud, DataCentre, Dc, Environment, Infrastructure, IntoInput, On, Ref, Region, Tags,
        Text,
    };
}
