//! Typed AWS resources for provision, and the calls that make them

pub mod resources;

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
