//! A data centre's network: a VPC, and a public and a private subnet in each of three zones.

use provision_aws::prelude::*;
use provision_aws::{InternetGateway, InternetGatewayId, Subnet, SubnetId, Vpc, VpcId};
use provision_core::prelude::*;

use crate::TAGS;

/// What other blocks can use of a network.
#[derive(Args)]
pub struct Network<D> {
    /// The VPC.
    pub vpc: Ref<VpcId, D>,
    /// The addresses of the VPC.
    pub cidr: Cidr,
    /// The way between the VPC and the internet.
    pub internet: Ref<InternetGatewayId, D>,
    /// A subnet per zone, for what the internet may reach.
    pub public: [Ref<SubnetId, D>; 3],
    /// A subnet per zone, for everything else.
    pub private: [Ref<SubnetId, D>; 3],
}

/// Builds the network of any data centre on AWS.
pub fn network<D: AwsDc>(b: &Block<D>, cidr: Cidr) -> Network<D> {
    // The private zone and the endpoints' names need both of a VPC's DNS switches; the other one is on by default.
    let vpc = b.put("main", Vpc { cidr }).dns_hostnames(true).tags(TAGS);
    let internet = b.put("internet", InternetGateway { vpc }).tags(TAGS);

    // Numbered by zone, so that a subnet keeps its addresses whichever zones come and go. Nothing gets a public address
    // by itself: what is to be reached has one of its own.
    let public = D::zones().map(|zone| {
        let cidr = cidr.subnet(24, zone.number());
        b.put(format!("public-{zone}"), Subnet { vpc, zone, cidr }).tags(TAGS).id()
    });
    let private = D::zones().map(|zone| {
        let cidr = cidr.subnet(20, 1 + zone.number());
        let subnet = b.put(format!("private-{zone}"), Subnet { vpc, zone, cidr }).tags(TAGS);
        b.never("internet", text!("{subnet}:22"));
        subnet.id()
    });

    Network { vpc: vpc.id(), cidr, internet: internet.id(), public, private }
}
