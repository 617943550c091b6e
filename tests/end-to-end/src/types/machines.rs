//! Instances, and what belongs to some of them: addresses, interfaces, disks.

use provision_aws::prelude::*;
use provision_aws::{
    Attachment, BlockDevice, CpuCredits, ElasticIp, Instance, InternetGateway, MetadataTokens, NetworkInterface,
    SecurityGroup, Volume, VolumeType,
};
use provision_core::prelude::*;
use testbed::aws::KNOWN_IMAGE;

use super::networks::net;
use super::{Family, Stage, tags};
use crate::infra::West;

pub(super) const FAMILY: Family = Family {
    name: "machines",
    types: &["aws_instance", "aws_network_interface", "aws_ebs_volume"],
    kept: &[],
    define: |infra, stage| {
        infra.dc(West).block("machines", machines, stage);
    },
};

fn machines<D: AwsDc>(b: &Block<D>, stage: Stage) {
    let net = net(b, "net", cidr!("10.7.0.0/16"));
    let internet = b.put("internet", InternetGateway { vpc: net.vpc });
    let admins = b.put("admins", SecurityGroup { vpc: net.vpc, description: "administrators" }).id();
    let tags = tags(stage);
    let [one, ..] = net.subnets;
    let machine = || Instance { subnet: one, ami: KNOWN_IMAGE, instance_type: "t3.micro" };
    let host = b
        .put("host", machine())
        .security_groups(stage.updated(vec![net.group], vec![net.group, admins]))
        .metadata_tokens(stage.updated(MetadataTokens::Required, MetadataTokens::Optional))
        .metadata_endpoint(stage.updated(true, false))
        .metadata_tags(stage.updated(false, true))
        .termination_protection(stage == Stage::Updated)
        .metadata_hop_limit(stage.updated(1, 2))
        .monitoring(stage == Stage::Updated)
        .source_dest_check(stage.updated(true, false))
        .credits(stage.updated(CpuCredits::Standard, CpuCredits::Unlimited))
        .tags(tags);
    let other = b
        .put("other", machine())
        .security_groups([net.group])
        .user_data(stage.replaced("#!/bin/sh\necho one\n", "#!/bin/sh\necho two\n"))
        .block_devices([BlockDevice::new("/dev/sdb", 8).encrypted()])
        .fixed_ip("10.7.0.30")
        .delete_before_replace();
    // It goes from one to the other.
    b.put("address", ElasticIp {}).instance(stage.updated(other, host)).tags([("with", text!("{}", internet.id()))]);

    let leg = b
        .put("leg", NetworkInterface { subnet: one })
        .private_ip(stage.replaced("10.7.0.40", "10.7.0.41"))
        .security_groups([stage.updated(net.group, admins)])
        .description(stage.updated("a leg", "another leg"))
        .source_dest_check(stage.updated(true, false))
        .tags(tags)
        .delete_before_replace();
    if stage >= Stage::Updated {
        leg.instance(host).device_index(2);
    }

    let [first, second] =
        ["first", "second"].map(|name| b.put(name, NetworkInterface { subnet: one }).security_groups([net.group]));
    b.put("floating", ElasticIp {}).network_interface(stage.updated(first, second));

    let [zone, ..] = D::zones();
    b.put("data", Volume { zone })
        .size(stage.updated(20, 30))
        .throughput(stage.updated(125, 250))
        .iops(stage.updated(3000, 4000))
        .attached_to([Attachment::new(stage.updated(other, host), "/dev/sdf")])
        .tags(tags);
    b.put("spare", Volume { zone })
        .size(10)
        .volume_type(stage.updated(VolumeType::Gp3, VolumeType::Gp2))
        .encrypted(stage.replaced(false, true));
}
