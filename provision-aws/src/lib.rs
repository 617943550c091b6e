//! AWS for provision: typed resources, the calls that make them, and the client that sends those.
//!
//! The *pure half* ([`provider::Aws`]) compiles changes into calls and links no SDK; one file per resource type. The
//! *client half* (`client`, behind the feature of that name) sends one call or one read with the AWS SDK.

pub mod errors;
pub mod provider;
pub mod recovery;
pub mod resources;
pub mod tags;

#[cfg(feature = "client")]
pub mod client;

mod base64;
mod instance;
mod request;
mod rule;
mod security_group;
mod subnet;
mod vpc;

#[cfg(test)]
mod tests;

/// What a module of an infrastructure on AWS starts with, beside that of `provision_core`.
pub mod prelude {
    pub use crate::resources::region::{
        ApNortheast1, ApSoutheast2, AwsDc, AwsRegion, EuCentral1, EuWest1, UsEast1, UsEast2, UsWest2, Zone,
    };
    pub use crate::resources::{
        Aws, Instance, InstanceExt as _, InstanceId, Rule, SecurityGroup, SecurityGroupExt as _, SecurityGroupId,
        Subnet, SubnetExt as _, SubnetId, Vpc, VpcExt as _, VpcId,
    };
}
