//! AWS for provision: typed resources, the calls that make them, and the client that sends those.
//!
//! The *pure half* ([`provider::Aws`]) compiles changes into calls and links no SDK; one file per resource type. The
//! *client half* (`client`, behind the feature of that name) sends one call or one read with the AWS SDK.
//!
//! Modules of an infrastructure import the setters at once and the types by name, as in
//! `use provision_aws::prelude::*; use provision_aws::{Subnet, Vpc};`: the compiler then writes `Vpc` in its messages,
//! where it would write the whole path of a type that came by `*`.

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

pub use resources::region::{
    ApNortheast1, ApSoutheast2, AwsRegion, EuCentral1, EuWest1, UsEast1, UsEast2, UsWest2, Zone,
};
pub use resources::{Aws, Instance, InstanceId, Rule, SecurityGroup, SecurityGroupId, Subnet, SubnetId, Vpc, VpcId};

/// The traits that a module of an infrastructure on AWS needs: [`AwsDc`](prelude::AwsDc), and the setters of resources.
pub mod prelude {
    pub use crate::resources::region::AwsDc;
    pub use crate::resources::{InstanceExt as _, SecurityGroupExt as _, SubnetExt as _, VpcExt as _};
}
