//! VPCs, subnets, groups, DHCP options; and a network for other families to stand on.

use provision_aws::prelude::*;
use provision_aws::{DhcpOptions, Rule, SecurityGroup, SecurityGroupId, Subnet, SubnetId, Vpc, VpcId};
use provision_core::prelude::*;

use super::{Family, Stage, tags};
use crate::infra::West;

pub(super) const FAMILY: Family = Family {
    name: "networks",
    types: &["aws_vpc", "aws_subnet", "aws_security_group", "aws_dhcp_options"],
    kept: &[],
    define: |infra, stage| {
        infra.dc(West).block("networks", networks, stage);
    },
};

fn networks<D: AwsDc>(b: &Block<D>, stage: Stage) {
    let tags = tags(stage);
    let options = b
        .put("options", DhcpOptions {})
        .domain_name(stage.replaced("a.internal", "b.internal"))
        .domain_name_servers(["10.7.0.2", "AmazonProvidedDNS"])
        .ntp_servers(["169.254.169.123"])
        .tags(tags);
    let cidr = stage.replaced(cidr!("10.7.0.0/16"), cidr!("10.8.0.0/16"));
    let mut vpc = b.put("main", Vpc { cidr }).dns_hostnames(stage.updated(false, true)).tags(tags);
    if stage >= Stage::Updated {
        vpc = vpc.dhcp_options(options);
    }
    b.put("quiet", Vpc { cidr: cidr!("10.9.0.0/16") }).dns_support(stage.updated(true, false));
    let [zone, ..] = D::zones();
    b.put("subnet", Subnet { vpc, zone, cidr: cidr.subnet(24, 0) }).public_ip(stage.updated(false, true)).tags(tags);
    let admins = b.put("admins", SecurityGroup { vpc, description: "administrators" }).tags(tags);
    let web = b.put("web", SecurityGroup { vpc, description: stage.replaced("the web", "the web, again") }).tags(tags);
    let from = stage.updated(cidr!("192.0.2.0/24"), cidr!("198.51.100.0/24"));
    let web = web.ingress([Rule::tcp(443, from), Rule::udp_ports(5000..=5010, from), Rule::tcp_from(22, admins)]);
    if stage >= Stage::Updated {
        web.egress([Rule::tcp(443, cidr!("0.0.0.0/0")), Rule::all_from(admins)]);
    }
}

/// A network that others stand on, and which stays as it is.
#[derive(Debug)]
pub(super) struct Net<D> {
    /// The VPC.
    pub(super) vpc: Ref<VpcId, D>,
    /// A subnet in each of two zones.
    pub(super) subnets: [Ref<SubnetId, D>; 2],
    /// A group.
    pub(super) group: Ref<SecurityGroupId, D>,
}

/// A network by this name.
pub(super) fn net<D: AwsDc>(b: &Block<D>, name: &str, cidr: Cidr) -> Net<D> {
    let vpc = b.put(name, Vpc { cidr }).dns_hostnames(true);
    let [first, second, _] = D::zones();
    let subnet = |zone, n| b.put(format!("{name}-{n}"), Subnet { vpc, zone, cidr: cidr.subnet(24, n) }).id();
    let group = b.put(format!("{name}-group"), SecurityGroup { vpc, description: "a group" }).id();
    Net { vpc: vpc.id(), subnets: [subnet(first, 0), subnet(second, 1)], group }
}
