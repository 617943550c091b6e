//! Transit gateways, what is attached to them, and their route tables.

use provision_aws::prelude::*;
use provision_aws::{TransitGateway, TransitGatewayRoute, TransitGatewayRouteTable, TransitGatewayVpcAttachment};
use provision_core::prelude::*;

use super::networks::{Net, net};
use super::{Family, Stage, tags};
use crate::infra::West;

pub(super) const FAMILY: Family = Family {
    name: "transit",
    types: &["aws_transit_gateway", "aws_transit_gateway_vpc_attachment", "aws_transit_gateway_route_table"],
    kept: &[],
    define: |infra, stage| {
        infra.dc(West).block("transit", transit, stage);
    },
};

fn transit<D: AwsDc>(b: &Block<D>, stage: Stage) {
    let tags = tags(stage);
    let (spoke, egress) = (net(b, "spoke", cidr!("10.7.0.0/16")), net(b, "egress", cidr!("10.8.0.0/16")));
    let hub = b
        .put("hub", TransitGateway {})
        .description(stage.updated("between networks", "between all networks"))
        .default_association(false)
        .default_propagation(false)
        .auto_accept(stage.updated(false, true))
        .cidrs(stage.updated(vec![cidr!("10.99.0.0/24")], vec![cidr!("10.99.1.0/24")]))
        .tags(tags);
    let plain = b.put("plain", TransitGateway {}).multicast(stage.replaced(false, true));
    b.put("changing", TransitGateway {})
        .amazon_asn(stage.updated(64_600, 64_601))
        .default_association(stage.updated(true, false))
        .default_propagation(stage.updated(true, false))
        .dns_support(stage.updated(true, false))
        .vpn_ecmp(stage.updated(true, false))
        .security_group_references(stage.updated(false, true));
    let attach = |name: &str, net: &Net<D>, subnets| {
        let subnets = &net.subnets[..subnets];
        b.put(name, TransitGatewayVpcAttachment { transit_gateway: hub, vpc: net.vpc, subnets })
    };
    let spoke = attach("spoke-to-hub", &spoke, stage.updated(1, 2))
        .dns_support(stage.updated(true, false))
        .ipv6(stage.updated(false, true))
        .security_group_references(stage.updated(false, true))
        .appliance_mode(stage.updated(false, true))
        .tags(tags);
    let egress = attach("egress-to-hub", &egress, 1);
    let [one, other] =
        [("one", cidr!("10.9.0.0/16")), ("other", cidr!("10.10.0.0/16"))].map(|(name, cidr)| net(b, name, cidr));
    attach("moving-to-hub", &stage.replaced(one, other), 1);
    b.put("moving", TransitGatewayRouteTable { transit_gateway: stage.replaced(hub, plain) });
    b.put("spokes", TransitGatewayRouteTable { transit_gateway: hub })
        .associations([stage.updated(spoke, egress)])
        .propagations([stage.updated(egress, spoke)])
        .routes([
            TransitGatewayRoute::to(cidr!("0.0.0.0/0"), stage.updated(egress, spoke)),
            TransitGatewayRoute::blackhole(stage.updated(cidr!("10.0.0.0/8"), cidr!("172.16.0.0/12"))),
        ])
        .tags(tags);
}
