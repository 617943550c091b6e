//! Subnets.

use provision_core::prelude::*;

use super::{Aws, VpcId, check, region::AnyZone};

/// A part of a VPC's addresses, in one zone.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, vpc: Ref<VpcId, D>) {
/// for (zone, n) in D::zones().into_iter().zip(0..) {
///     b.put(format!("private-{zone}"), Subnet { vpc, zone, cidr: cidr!("10.1.0.0/16").subnet(24, n) });
/// }
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_subnet", version = 1, check = check::network)]
pub struct Subnet {
    /// The VPC that the subnet lies in.
    #[attr(replace)]
    pub vpc: VpcId,
    /// The zone, one of the data centre's region.
    #[attr(replace)]
    pub zone: AnyZone,
    /// Its addresses: a part of the VPC's.
    #[attr(replace)]
    pub cidr: Cidr,
    /// Whether new instances get a public address.
    #[attr(default = false)]
    pub public_ip: bool,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: SubnetId,
}
