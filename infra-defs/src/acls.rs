//! What may cross the edge of a subnet at all, whatever the security groups inside say: the second lock on the door.

use provision_aws::prelude::*;
use provision_aws::{AclEntry, NetworkAcl};
use provision_core::prelude::*;

use crate::network::Network;
use crate::{ANYWHERE, TAGS};

/// Writes the lists of the public and of the private subnets.
///
/// ACLs know no connections, so answers are let in by their ports: above 1023.
pub fn acls<D: AwsDc>(b: &Block<D>, (net, office, neighbours): (&Network<D>, Cidr, &[Cidr])) {
    let vpc = net.vpc;
    // Ours: this network and those beside it, which keep their own lists.
    let inside = |number: u16| {
        let nets = [net.cidr].into_iter().chain(neighbours.iter().copied());
        nets.zip(number..).map(|(cidr, number)| AclEntry::allow(number).all(cidr))
    };
    let answers = |number: u16| AclEntry::allow(number).tcp_ports(1024..=65535, ANYWHERE);
    let out = || [AclEntry::allow(100).all(ANYWHERE)];

    let public = [AclEntry::allow(100).tcp(443, ANYWHERE), AclEntry::allow(110).tcp(22, office)];
    b.put("public", NetworkAcl { vpc })
        .subnets(net.public)
        .ingress(public.into_iter().chain(inside(200)).chain([answers(900)]).collect::<Vec<_>>())
        .egress(out())
        .tags(TAGS);

    // The balancer hands connections on with the addresses of those who made them: to ports above 1023, too.
    b.put("private", NetworkAcl { vpc })
        .subnets(net.private)
        .ingress(inside(200).chain([answers(900)]).collect::<Vec<_>>())
        .egress(out())
        .tags(TAGS);
}
