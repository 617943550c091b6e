//! Who may talk to whom: the security groups of a network.

use provision_aws::prelude::*;
use provision_aws::{Rule, SecurityGroup, SecurityGroupId};
use provision_core::prelude::*;

use crate::network::Network;
use crate::{ANYWHERE, TAGS, dispatchers};

/// The groups that other blocks put what they make into.
#[derive(Args)]
pub struct Security<D> {
    /// Hosts that are reached from the office, by SSH alone.
    pub bastion: Ref<SecurityGroupId, D>,
    /// The balancer, which everybody reaches.
    pub balancer: Ref<SecurityGroupId, D>,
    /// What stands behind it.
    pub dispatchers: Ref<SecurityGroupId, D>,
    /// The endpoints of AWS' services, for whatever is in the network.
    pub endpoints: Ref<SecurityGroupId, D>,
}

/// Builds the groups of a network: by addresses where somebody comes from outside, else by membership of another group.
pub fn security<D: AwsDc>(b: &Block<D>, (net, office, neighbours): (&Network<D>, Cidr, &[Cidr])) -> Security<D> {
    let group = |name: &str, description: &str, rules: Vec<Rule<D>>| {
        b.put(name, SecurityGroup { vpc: net.vpc, description }).ingress(rules).tags(TAGS).id()
    };
    let port = dispatchers::PORT;

    let bastion = group("bastion", "SSH from the office", vec![Rule::tcp(22, office)]);
    let balancer = group("balancer", "TLS from everywhere", vec![Rule::tcp(443, ANYWHERE)]);
    let behind = [
        Rule::tcp_from(port, balancer),
        Rule::tcp_from(dispatchers::HEALTH_PORT, balancer),
        Rule::tcp_from(22, bastion),
    ];
    // Groups of another region cannot be named: the networks beside are known by their addresses.
    let beside = neighbours.iter().map(|cidr| Rule::tcp(port, *cidr));
    let dispatchers = group("dispatchers", "behind the balancer", behind.into_iter().chain(beside).collect());
    let endpoints = group("endpoints", "from inside the network", vec![Rule::tcp(443, net.cidr)]);

    Security { bastion, balancer, dispatchers, endpoints }
}
