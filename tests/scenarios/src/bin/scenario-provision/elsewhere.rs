//! What comes from elsewhere: an image that somebody else made, and a network of another data centre.

use provision_aws::prelude::*;
use provision_aws::{Ami, AmiId, Instance, SecurityGroup, Vpc, VpcId};
use provision_core::prelude::*;

use crate::{East, Network, West};

crossing!(West => East, via = peering);

fn images<D: AwsDc>(b: &Block<D>, (): ()) -> Ref<AmiId, D> {
    b.find("linux", Ami { owner: "099720109477" }).name("linux-*").newest(true).id()
}

fn machine<D: AwsDc>(b: &Block<D>, (net, image): (&Network<D>, Ref<AmiId, D>)) {
    let group = b.put("group", SecurityGroup { vpc: net.vpc, description: "the machine" });
    b.put("host", Instance { subnet: net.subnet, ami: image, instance_type: "t3.micro" }).security_groups([group]);
}

/// A block that only looks up, and a machine that starts from what it finds.
pub(crate) fn looked_up(west: &Dc<West>, net: &Network<West>) {
    let image = west.block("images", images, ());
    west.block("machine", machine, (net, image));
}

fn beside(b: &Block<East>, theirs: &Network<West>) -> Ref<VpcId, East> {
    let vpc = b.import(theirs.vpc);
    b.put("main", Vpc { cidr: cidr!("10.8.0.0/16") }).tags([("peer", text!("{vpc}"))]).id()
}

/// A network that knows the one of another data centre.
pub(crate) fn crossing(infra: &Infrastructure, net: &Network<West>) {
    infra.dc(East).block("network", beside, net);
}
