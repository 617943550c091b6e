//! The bastion: the one host that engineers log in to.

use provision_aws::Instance;
use provision_aws::prelude::*;
use provision_core::dsl::check::tcp;
use provision_core::prelude::*;

use crate::network::Network;
use crate::security::Security;

/// What differs between bastions.
#[derive(Args)]
pub struct BastionParams {
    /// The image.
    pub ami: &'static str,
    /// The size.
    pub instance_type: &'static str,
}

/// What other blocks can use of a bastion.
#[derive(Args)]
pub struct Bastion<D> {
    /// Its address inside the network.
    pub address: Ref<String, D>,
}

/// Puts the bastion into the network's first subnet.
pub fn bastion<D: AwsDc>(b: &Block<D>, (net, groups, p): (&Network<D>, &Security<D>, &BastionParams)) -> Bastion<D> {
    let [subnet, ..] = net.public;
    let host = b
        .put("host", Instance { subnet, ami: p.ami, instance_type: p.instance_type })
        .security_groups([groups.bastion])
        .user_data(text!("#!/bin/sh\necho 'a bastion of {}' > /etc/motd\n", net.vpc))
        .tags([("team", "infra")]);
    // Asked from where the run is: runners sit inside the network.
    b.check("ssh", tcp(text!("{}:22", host.private_ip())));
    Bastion { address: host.private_ip() }
}
