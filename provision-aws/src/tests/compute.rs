//! What authors write of machines, volumes and groups of machines.

use provision_core::prelude::*;

use super::{UsEast, findings};
use crate::prelude::*;
use crate::{
    Attachment, AutoScalingGroup, BlockDevice, CpuCredits, Instance, KeyPair, LaunchTemplate, PlacementGroup,
    PlacementStrategy, SecurityGroup, SpreadLevel, Subnet, Volume, VolumeType, Vpc,
};

fn wrong<D: AwsDc>(b: &Block<D>, (): ()) {
    let vpc = b.put("main", Vpc { cidr: cidr!("10.0.0.0/16") });
    let [zone, ..] = D::zones();
    let subnet = b.put("subnet", Subnet { vpc, zone, cidr: cidr!("10.0.0.0/24") });
    let group = b.put("group", SecurityGroup { vpc, description: "x" });
    b.put("key", KeyPair { public_key: "ssh-dss AAAAB3Nz" }).name(" ops");
    b.put("apart", PlacementGroup { strategy: PlacementStrategy::Cluster })
        .partitions(8)
        .spread_level(SpreadLevel::Rack);
    let host = Instance { subnet, ami: "ami-1", instance_type: "m5.large" };
    let host = b.put("host", host).security_groups([group]).credits(CpuCredits::Standard).metadata_hop_limit(0);
    b.put("fast", Volume { zone }).size(0).volume_type(VolumeType::Io2).throughput(500).kms_key("alias/x");
    b.put("none", Volume { zone }).attached_to([Attachment::new(host, "/dev/sdf")]);
    let template = LaunchTemplate { ami: "debian", instance_type: "t3.micro" };
    let template = b.put("template", template).name("a").block_devices([BlockDevice::new("", 0)]);
    b.put("workers", AutoScalingGroup { template, version: "$Latest", subnets: [subnet], min: 3, max: 2 })
        .name("of workers")
        .desired(5)
        .min_healthy(101)
        .max_lifetime(60)
        .instances("outdated");
}

#[test]
fn what_aws_would_refuse_of_machines_is_found() {
    insta::assert_snapshot!(findings(UsEast, "app", wrong));
}
