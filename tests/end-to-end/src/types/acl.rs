//! Network ACLs.

use provision_aws::prelude::*;
use provision_aws::{AclEntry, NetworkAcl};
use provision_core::prelude::*;

use super::networks::net;
use super::{Family, Stage, tags};
use crate::infra::West;

pub(super) const FAMILY: Family = Family {
    name: "acl",
    types: &["aws_network_acl"],
    kept: &[],
    define: |infra, stage| {
        infra.dc(West).block("acl", acl, stage);
    },
};

fn acl<D: AwsDc>(b: &Block<D>, stage: Stage) {
    let (first, second) = (net(b, "first", cidr!("10.7.0.0/16")), net(b, "second", cidr!("10.8.0.0/16")));
    let everywhere = cidr!("0.0.0.0/0");
    let public = b.put("public", NetworkAcl { vpc: first.vpc }).tags(tags(stage));
    let [one, other] = first.subnets;
    match stage {
        Stage::Created => public
            .subnets([one])
            .ingress([
                AclEntry::deny(10).all(cidr!("198.51.100.0/24")),
                AclEntry::allow(100).tcp(443, everywhere),
                AclEntry::allow(110).icmp(everywhere),
            ])
            .egress([AclEntry::allow(100).all(everywhere)]),
        // A number means something else, one goes, one comes, and it is for another subnet.
        Stage::Updated | Stage::Replaced => public
            .subnets([other])
            .ingress([
                AclEntry::allow(100).tcp_ports(8000..=8080, everywhere),
                AclEntry::allow(110).icmp(everywhere),
                AclEntry::allow(120).udp(53, cidr!("10.0.0.0/8")),
            ])
            .egress([AclEntry::allow(100).all(everywhere), AclEntry::deny(90).tcp(25, everywhere)]),
    };
    let moving = stage.replaced(first, second);
    b.put("moving", NetworkAcl { vpc: moving.vpc }).subnets(stage.replaced(vec![], vec![moving.subnets[0]]));
}
