//! The bastion: the one host that engineers log in to.

use provision_aws::prelude::*;
use provision_aws::{ElasticIp, Instance, KeyPair, Record, RecordType};
use provision_core::dsl::check::tcp;
use provision_core::prelude::*;

use crate::TAGS;
use crate::image::image;
use crate::names::Names;
use crate::network::Network;
use crate::routes::Routes;
use crate::security::Security;

/// What differs between bastions.
#[derive(Args, Clone, Copy)]
pub struct BastionParams {
    /// The size.
    pub instance_type: &'static str,
    /// Who may log in, as a line of `authorized_keys`.
    pub public_key: &'static str,
}

/// What other blocks can use of a bastion.
#[derive(Args)]
pub struct Bastion<D> {
    /// Its address inside the network.
    pub address: Ref<String, D>,
}

/// What a bastion needs.
type Needs<'a, D> = (&'a Network<D>, &'a Security<D>, &'a Routes<D>, &'a Names<D>, &'a BastionParams);

/// Puts the bastion into the network's first public subnet, under an address and a name that stay when it is replaced.
pub fn bastion<D: AwsDc>(b: &Block<D>, (net, groups, routes, names, p): Needs<'_, D>) -> Bastion<D> {
    // It uses nothing of the routes, but its first start does.
    b.after(routes);
    let [subnet, ..] = net.public;
    let key = b.put("key", KeyPair { public_key: p.public_key }).tags(TAGS);
    let host = b
        .put("host", Instance { subnet, ami: image(b), instance_type: p.instance_type })
        .security_groups([groups.bastion])
        .key_name(key.key_name())
        .user_data(text!("#!/bin/sh\necho 'a bastion of {}' > /etc/motd\n", net.vpc))
        // A newer image is for the next bastion: nobody is thrown off this one for it.
        .ignore_changes(["ami"])
        .tags(TAGS);
    b.put("address", ElasticIp {}).instance(host).tags(TAGS);
    b.put("name", Record { zone: names.zone, name: names.of("bastion"), record_type: RecordType::A })
        .ttl(60)
        .values([host.private_ip()]);

    // Asked from where the run is: runners sit inside the network.
    b.check("ssh", tcp(text!("{}:22", host.private_ip())));
    Bastion { address: host.private_ip() }
}
