//! A small infrastructure, of which the tests tell events.

use provision_aws::prelude::*;
use provision_aws::{
    Aws, Instance, Rule, SecurityGroup, SecurityGroupId, Subnet, SubnetId, UsEast1, UsWest2, Vpc, VpcId,
};
use provision_core::prelude::*;

#[environment("staging")]
struct Staging;

#[environment("prod")]
struct Prod;

#[data_centre(name = "staging", env = Staging, channel = Stable, on(Aws, account = "123456789012", region = UsWest2))]
struct West;

#[data_centre(name = "us-east", env = Prod, channel = Stable, on(Aws, account = "123456789012", region = UsEast1))]
struct East;

type Network<D> = (Ref<VpcId, D>, [Ref<SubnetId, D>; 3]);

fn network<D: AwsDc>(b: &Block<D>, cidr: Cidr) -> Network<D> {
    let vpc = b.put("main", Vpc { cidr });
    let subnets = D::zones().map(|zone| {
        let cidr = cidr.subnet(24, zone.number());
        b.put(format!("public-{zone}"), Subnet { vpc, zone, cidr }).id()
    });
    (vpc.id(), subnets)
}

fn security<D: AwsDc>(b: &Block<D>, (vpc, _): &Network<D>) -> Ref<SecurityGroupId, D> {
    let outside = b.put("bastion", SecurityGroup { vpc: *vpc, description: "outside" });
    b.put("internal", SecurityGroup { vpc: *vpc, description: "inside" }).ingress([Rule::tcp_from(22, outside)]);
    outside.id()
}

fn bastion<D: AwsDc>(b: &Block<D>, ((_, [subnet, ..]), group): (&Network<D>, Ref<SecurityGroupId, D>)) {
    let host = Instance { subnet: *subnet, ami: "ami-12c6146b", instance_type: "t3.micro" };
    b.put("host", host).security_groups([group]);
}

fn blocks<D: AwsDc>(dc: &Dc<D>, cidr: Cidr) {
    let net = dc.block("network", network, cidr);
    let group = dc.block("security", security, &net);
    dc.block("bastion", bastion, (&net, group));
}

/// Two data centres alike.
pub(super) fn infrastructure() -> Infrastructure {
    let infra = Infrastructure::new("example");
    infra.environments::<(Staging, Prod)>();
    blocks(&infra.dc(West), cidr!("10.0.0.0/16"));
    blocks(&infra.dc(East), cidr!("10.1.0.0/16"));
    infra
}
