//! VPC endpoints, of gateways and of interfaces.

use provision_aws::prelude::*;
use provision_aws::{EndpointType, RouteTable, SecurityGroup, VpcEndpoint};
use provision_core::prelude::*;

use super::networks::net;
use super::{Family, Stage, tags};
use crate::infra::West;

pub(super) const FAMILY: Family = Family {
    name: "endpoints",
    types: &["aws_vpc_endpoint"],
    kept: &[],
    define: |infra, stage| {
        infra.dc(West).block("endpoints", endpoints, stage);
    },
};

const ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
const READ: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}]}"#;

fn endpoints<D: AwsDc>(b: &Block<D>, stage: Stage) {
    let net = net(b, "net", cidr!("10.7.0.0/16"));
    let [one, other] = ["one", "other"].map(|name| b.put(name, RouteTable { vpc: net.vpc }));
    let tags = tags(stage);
    let other_group = b.put("others", SecurityGroup { vpc: net.vpc, description: "others" }).id();
    let service = D::service(stage.replaced("s3", "dynamodb"));
    b.put("gateway", VpcEndpoint { vpc: net.vpc, service })
        .policy(stage.updated(ALL, READ))
        .route_tables([stage.updated(one, other)])
        .tags(tags);
    b.put("interface", VpcEndpoint { vpc: net.vpc, service: D::service("ec2") })
        .endpoint_type(EndpointType::Interface)
        .subnets(&net.subnets[..stage.updated(1, 2)])
        .security_groups([stage.updated(net.group, other_group)])
        .private_dns(stage.updated(false, true))
        .tags(tags);
}
