//! Many blocks, to be looked at while they are applied.

use provision_aws::prelude::*;
use provision_aws::{Instance, SecurityGroup, Subnet, Vpc, VpcId};
use provision_core::prelude::*;

use crate::Network;
use crate::code::{Code, code};

/// What a block of many is given: its number, and a network that it waits for.
#[derive(Args)]
pub(crate) struct Shard<D> {
    number: u32,
    after: Option<Ref<VpcId, D>>,
}

/// One block of many: a network with some instances.
fn shard<D: AwsDc>(b: &Block<D>, p: &Shard<D>) -> Network<D> {
    let range = cidr!("10.0.0.0/16");
    let vpc = b.put("main", Vpc { cidr: range });
    let [zone, ..] = D::zones();
    let subnet = b.put("private", Subnet { vpc, zone, cidr: range.subnet(24, 0) });
    let group = b.put("group", SecurityGroup { vpc, description: "shards" });
    for index in 0..=p.number % 5 {
        let ami = "ami-12c6146b";
        b.put(format!("node-{index}"), Instance { subnet, ami, instance_type: "t3.micro" }).security_groups([group]);
    }
    if code() == Code::ManyFailing && p.number == 7 {
        // It has the range of the other one.
        b.put("taken", Subnet { vpc, zone, cidr: range.subnet(24, 0) });
    }
    Network { vpc: vpc.id(), subnet: subnet.id(), team: "shards" }
}

/// Twenty of them.
pub(crate) fn shards<D: AwsDc>(dc: &provision_core::dsl::Dc<D>) {
    let mut blocked = None;
    for number in 0..20 {
        // The last ones wait for one before them.
        let after = blocked.filter(|_| number > 15);
        let shard = dc.block(format!("shard-{number:02}"), shard, &Shard { number, after });
        if number == 7 {
            blocked = Some(shard.vpc);
        }
    }
}
