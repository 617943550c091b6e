//! A data centre's network: a VPC, and a subnet in each of three zones.

use provision_aws::prelude::*;
use provision_core::prelude::*;

/// What differs between networks.
#[derive(Args)]
pub struct NetworkParams {
    /// The addresses of the VPC; each subnet gets a /24 of them.
    pub cidr: Cidr,
}

/// What other blocks can use of a network.
#[derive(Args)]
pub struct Network<D> {
    /// The VPC.
    pub vpc: Ref<VpcId, D>,
    /// The addresses of the VPC.
    pub cidr: Cidr,
    /// A subnet per zone, for what the internet may reach.
    pub public: [Ref<SubnetId, D>; 3],
}

/// Builds the network of any data centre on AWS.
pub fn network<D: AwsDc>(b: &Block<D>, p: &NetworkParams) -> Network<D> {
    let vpc = b.put("main", Vpc { cidr: p.cidr }).dns_hostnames(true).tags([("team", "infra")]);

    let public = D::zones().map(|zone| {
        let cidr = p.cidr.subnet(24, zone.number());
        b.put(format!("public-{zone}"), Subnet { vpc, zone, cidr }).public_ip(true).tags([("team", "infra")]).id()
    });

    Network { vpc: vpc.id(), cidr: p.cidr, public }
}
