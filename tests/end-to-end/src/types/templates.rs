//! Launch templates and Auto Scaling groups, whose instances an instance refresh replaces.

use provision_aws::prelude::*;
use provision_aws::{
    AutoScalingGroup, BlockDevice, CpuCredits, HealthCheck, LaunchTemplate, MetadataTokens, SecurityGroup, TargetGroup,
    TargetProtocol, TerminationPolicy,
};
use provision_core::prelude::*;
use testbed::aws::KNOWN_IMAGE;

use super::networks::net;
use super::{Family, Stage, tags};
use crate::infra::West;

pub(super) const FAMILY: Family = Family {
    name: "templates",
    types: &["aws_launch_template", "aws_autoscaling_group"],
    kept: &[],
    define: |infra, stage| {
        infra.dc(West).block("templates", templates, stage);
    },
};

fn templates<D: AwsDc>(b: &Block<D>, stage: Stage) {
    let tags = tags(stage);
    let net = net(b, "net", cidr!("10.7.0.0/16"));
    let [one, other] = ["one", "other"]
        .map(|name| b.put(name, TargetGroup { vpc: net.vpc, protocol: TargetProtocol::Http, port: 80 }));
    let admins = b.put("admins", SecurityGroup { vpc: net.vpc, description: "administrators" }).id();
    let template = b
        .put("worker", LaunchTemplate { ami: KNOWN_IMAGE, instance_type: stage.updated("t3.micro", "t3.small") })
        .security_groups([net.group])
        .user_data(stage.updated("#!/bin/sh\necho one\n", "#!/bin/sh\necho two\n"))
        .block_devices([BlockDevice::new("/dev/xvda", 8)])
        .credits(CpuCredits::Standard)
        .instance_tags([("part", "worker")])
        .tags(tags);
    let version = template.latest_version();
    b.put("workers", AutoScalingGroup { template, version, subnets: net.subnets, min: 1, max: stage.updated(2, 4) })
        .desired(2)
        .target_groups([stage.updated(one, other)])
        .health_check(stage.updated(HealthCheck::Ec2, HealthCheck::Elb))
        .health_check_grace(stage.updated(300, 60))
        .cooldown(stage.updated(300, 200))
        .termination_policies([stage.updated(TerminationPolicy::Default, TerminationPolicy::OldestInstance)])
        .instance_tags([("part", stage.updated("worker", "workers"))])
        .tags(tags);
    let kind = stage.replaced("end-to-end-a", "end-to-end-b");
    let small = b.put("small", LaunchTemplate { ami: KNOWN_IMAGE, instance_type: "t3.micro" }).name(kind);
    b.put("rich", LaunchTemplate { ami: KNOWN_IMAGE, instance_type: "t3.micro" })
        .security_groups(stage.updated(vec![net.group], vec![net.group, admins]))
        .key_name(stage.updated("one", "other"))
        .iam_instance_profile(stage.updated("one", "other"))
        .block_devices([BlockDevice::new("/dev/sdb", stage.updated(8, 9)).iops(3000).encrypted()])
        .metadata_tokens(stage.updated(MetadataTokens::Required, MetadataTokens::Optional))
        .metadata_hop_limit(stage.updated(1, 2))
        .metadata_endpoint(stage.updated(true, false))
        .metadata_tags(stage.updated(true, false))
        .monitoring(stage.updated(false, true))
        .ebs_optimized(stage.updated(false, true))
        .placement_group(stage.updated("near", "far"))
        .credits(stage.updated(CpuCredits::Standard, CpuCredits::Unlimited))
        .spot(stage.updated(false, true))
        .instance_tags(tags)
        .volume_tags(tags);
    let version = small.latest_version();
    let subnets = &net.subnets[..stage.updated(1, 2)];
    b.put("few", AutoScalingGroup { template: small, version, subnets, min: stage.updated(0, 1), max: 3 })
        .name(kind)
        .desired(stage.updated(1, 2))
        .warmup(stage.updated(10, 20))
        .min_healthy(stage.updated(90, 100))
        .max_healthy(stage.updated(150, 200))
        .max_lifetime(stage.updated(0, 86_400))
        .scale_in_protection(stage.updated(false, true));
}
