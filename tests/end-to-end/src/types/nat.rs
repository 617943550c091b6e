//! Internet gateways, addresses, NAT gateways.

use provision_aws::prelude::*;
use provision_aws::{Connectivity, ElasticIp, InternetGateway, NatGateway};
use provision_core::prelude::*;

use super::networks::net;
use super::{Family, Stage, tags};
use crate::infra::West;

pub(super) const FAMILY: Family = Family {
    name: "nat",
    types: &["aws_internet_gateway", "aws_elastic_ip", "aws_nat_gateway"],
    kept: &[("aws_elastic_ip", "only for another pool, address or border group, of which the server has one each")],
    define: |infra, stage| {
        infra.dc(West).block("nat", nat, stage);
    },
};

fn nat<D: AwsDc>(b: &Block<D>, stage: Stage) {
    let first = net(b, "first", cidr!("10.7.0.0/16"));
    let [second, third] =
        [("second", cidr!("10.8.0.0/16")), ("third", cidr!("10.9.0.0/16"))].map(|(name, cidr)| net(b, name, cidr).vpc);
    let tags = tags(stage);
    b.put("moving", InternetGateway { vpc: stage.updated(second, third) }).tags(tags);
    let internet = b.put("internet", InternetGateway { vpc: first.vpc }).tags(tags);
    let address = b.put("address", ElasticIp {}).tags(tags);
    let [one, other] = first.subnets;
    b.put("out", NatGateway { subnet: stage.replaced(one, other) })
        .allocation(address)
        .internet_gateway(internet)
        .tags(tags);
    b.put("partners", NatGateway { subnet: one })
        .connectivity(Connectivity::Private)
        .private_ip(stage.replaced("10.7.0.20", "10.7.0.21"))
        .tags(tags);
}
