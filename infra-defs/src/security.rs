//! Who may talk to whom: the security groups of a network.

use provision_aws::prelude::*;
use provision_core::prelude::*;

use crate::network::Network;

/// What differs between data centres.
#[derive(Args)]
pub struct SecurityParams {
    /// From where one may log in to the bastion.
    pub ssh_from: Cidr,
}

/// The groups that other blocks put their instances into.
#[derive(Args)]
pub struct Security<D> {
    /// Hosts that are reached from outside, by SSH alone.
    pub bastion: Ref<SecurityGroupId, D>,
    /// Hosts that are reached from the bastion and from each other's network.
    pub internal: Ref<SecurityGroupId, D>,
}

/// Builds the groups of a network: one by addresses, one by membership of the other.
pub fn security<D: AwsDc>(b: &Block<D>, (net, p): (&Network<D>, &SecurityParams)) -> Security<D> {
    let vpc = net.vpc;

    let bastion = b
        .put("bastion", SecurityGroup { vpc, description: "SSH from the office" })
        .ingress([Rule::tcp(22, p.ssh_from)])
        .tags([("team", "infra")]);

    let internal = b
        .put("internal", SecurityGroup { vpc, description: "inside the network" })
        .ingress([Rule::tcp_from(22, bastion), Rule::tcp(443, net.cidr)])
        .tags([("team", "infra")]);

    Security { bastion: bastion.id(), internal: internal.id() }
}
