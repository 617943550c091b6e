//! Typed AWS resources for provision, and the calls that make them
//!
//! Modules of an infrastructure import the setters at once and the types by name, as in
//! `use provision_aws::prelude::*; use provision_aws::{Subnet, Vpc};`: the compiler then writes `Vpc` in its messages,
//! where it would write the whole path of a type that came by `*`.

pub mod resources;

pub use resources::region::{
    ApNortheast1, ApSoutheast2, AwsRegion, EuCentral1, EuWest1, UsEast1, UsEast2, UsWest2, Zone,
};
pub use resources::{Aws, Instance, InstanceId, Rule, SecurityGroup, SecurityGroupId, Subnet, SubnetId, Vpc, VpcId};

/// The traits that a module of an infrastructure on AWS needs: [`AwsDc`](prelude::AwsDc), and the setters of resources.
pub mod prelude {
    pub use crate::resources::region::AwsDc;
    pub use crate::resources::{InstanceExt as _, SecurityGroupExt as _, SubnetExt as _, VpcExt as _};
}
