//! What authors may write wrongly of what lies between networks.

use provision_core::prelude::*;

use super::{UsEast, findings};
use crate::prelude::*;
use crate::{
    AclEntry, CustomerGateway, NetworkAcl, SubnetId, TransitGateway, TransitGatewayVpcAttachment, Vpc, VpnConnection,
    VpnGateway,
};

fn wrong<D: AwsDc>(b: &Block<D>, (): ()) {
    let vpc = b.put("main", Vpc { cidr: cidr!("10.0.0.0/16") });
    #[expect(clippy::reversed_empty_ranges, reason = "what is tested")]
    let entries = [AclEntry::allow(40_000).all(cidr!("::/0")), AclEntry::deny(7).tcp_ports(9..=5, cidr!("::/0"))];
    b.put("acl", NetworkAcl { vpc }).ingress(entries);
    let office = b.put("office", CustomerGateway { ip_address: "vpn.example.com", asn: 0 }).certificate("mine");
    let vpn = b.put("vpn", VpnGateway { vpc }).amazon_asn(65_535);
    let hub = b.put("hub", TransitGateway {});
    b.put(
        "hub-vpc",
        TransitGatewayVpcAttachment { transit_gateway: hub, vpc, subnets: Vec::<Ref<SubnetId, D>>::new() },
    );
    b.put("nowhere", VpnConnection { customer_gateway: office }).acceleration(true);
    b.put("twice", VpnConnection { customer_gateway: office }).vpn_gateway(vpn).transit_gateway(hub);
    b.put("bgp", VpnConnection { customer_gateway: office }).vpn_gateway(vpn).routes([cidr!("10.9.0.0/16")]);
    b.put("static", VpnConnection { customer_gateway: office }).transit_gateway(hub).static_routes_only(true);
}

#[test]
fn what_aws_would_refuse_is_found() {
    insta::assert_snapshot!(findings(UsEast, "net", wrong));
}
