//! The infrastructure itself: data centres, blocks and shared modules.
//!
//! Start reading here, then follow a block's function into its module.

use provision_core::prelude::*;

pub mod bastion;
pub mod dcs;
pub mod network;
pub mod security;

use bastion::{BastionParams, bastion};
use dcs::{Prod, Staging, StagingWest, UsEast};
use network::{NetworkParams, network};
use security::{SecurityParams, security};

const STAGING_NET: NetworkParams = NetworkParams { cidr: cidr!("10.0.0.0/16") };
const US_NET: NetworkParams = NetworkParams { cidr: cidr!("10.1.0.0/16") };

const OFFICE: SecurityParams = SecurityParams { ssh_from: cidr!("192.0.2.0/24") };

const SMALL: BastionParams = BastionParams { ami: "ami-12c6146b", instance_type: "t3.micro" };
const LARGE: BastionParams = BastionParams { ami: "ami-12c6146b", instance_type: "t3.medium" };

/// Everything that we run.
///
/// A block is a name, the function that builds it, and what that function needs. What it returns is what later blocks
/// can use: `bastion` takes a subnet of `network` and a group of `security`, so it waits for both.
pub fn infrastructure() -> Infrastructure {
    let infra = Infrastructure::new("example");
    infra.environments::<(Staging, Prod)>();

    let staging = infra.dc(StagingWest);
    let net = staging.block("network", network, &STAGING_NET);
    let groups = staging.block("security", security, (&net, &OFFICE));
    staging.block("bastion", bastion, (&net, &groups, &SMALL));

    let us = infra.dc(UsEast);
    let net = us.block("network", network, &US_NET);
    let groups = us.block("security", security, (&net, &OFFICE));
    us.block("bastion", bastion, (&net, &groups, &LARGE));

    infra
}

/// The README's first module compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(test)]
mod tests {
    #[test]
    fn the_infrastructure_is_valid() {
        let desired = super::infrastructure().finish().unwrap();
        assert_eq!(desired.blocks.len(), 6);
        let bastion = &desired.blocks[&"us-east.bastion".parse().unwrap()];
        let after: Vec<_> = bastion.after.iter().map(ToString::to_string).collect();
        assert_eq!(after, ["us-east.network", "us-east.security"]);
        assert_eq!(bastion.function, "infra_defs::bastion::bastion");
    }
}
