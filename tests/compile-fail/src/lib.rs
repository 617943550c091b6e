//! Misuses of the DSL that must not compile, each with its message.
//!
//! The cases stand in `cases/`, each beside the message that the compiler gives (`.stderr`); this library is what they
//! share, and include as a module: data centres belong to the crate that uses them. After a wanted change of a message: `TRYBUILD=overwrite cargo test -p compile-fail`, and read the difference.

use provision_aws::prelude::*;
use provision_aws::{
    Aws, EuWest1, Instance, Rule, SecurityGroup, SecurityGroupId, Subnet, SubnetId, UsEast1, Vpc, VpcId,
};
use provision_core::prelude::*;

/// An environment.
#[environment("staging")]
pub struct Staging;

/// Another one.
#[environment("prod")]
pub struct Prod;

/// A data centre in staging.
#[data_centre(name = "us-staging", env = Staging, channel = Stable, on(Aws, account = "123456789012", region = UsEast1))]
pub struct UsStaging;

/// A data centre in production.
#[data_centre(name = "us-east", env = Prod, channel = Stable, on(Aws, account = "123456789012", region = UsEast1))]
pub struct UsEast;

/// Another one, in another region.
#[data_centre(name = "eu-west", env = Prod, channel = Stable, on(Aws, account = "123456789012", region = EuWest1))]
pub struct EuWest;

/// What a network offers.
#[derive(Args)]
pub struct Network<D> {
    /// The VPC.
    pub vpc: Ref<VpcId, D>,
    /// A subnet.
    pub private: Ref<SubnetId, D>,
    /// A group.
    pub inside: Ref<SecurityGroupId, D>,
}

/// A block that offers a network.
pub fn network<D: AwsDc>(b: &Block<D>, cidr: Cidr) -> Network<D> {
    let vpc = b.put("main", Vpc { cidr });
    let [zone, ..] = D::zones();
    let private = b.put("private", Subnet { vpc, zone, cidr: cidr.subnet(24, 0) });
    let inside = b.put("inside", SecurityGroup { vpc, description: "inside" }).ingress([Rule::tcp(22, cidr)]);
    Network { vpc: vpc.id(), private: private.id(), inside: inside.id() }
}

/// A block that uses a network.
pub fn hosts<D: AwsDc>(b: &Block<D>, net: &Network<D>) {
    b.put("host", Instance { subnet: net.private, ami: "ami-1", instance_type: "t3.micro" });
}
