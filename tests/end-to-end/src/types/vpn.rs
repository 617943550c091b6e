//! VPNs: customer gateways, VPN gateways, connections.

use provision_aws::prelude::*;
use provision_aws::{CustomerGateway, VpnConnection, VpnGateway};
use provision_core::prelude::*;

use super::networks::net;
use super::{Family, Stage, tags};
use crate::infra::West;

pub(super) const FAMILY: Family = Family {
    name: "vpn",
    types: &["aws_customer_gateway", "aws_vpn_gateway", "aws_vpn_connection"],
    kept: &[],
    define: |infra, stage| {
        infra.dc(West).block("vpn", vpn, stage);
    },
};

fn vpn<D: AwsDc>(b: &Block<D>, stage: Stage) {
    let tags = tags(stage);
    let [first, second] =
        [("first", cidr!("10.7.0.0/16")), ("second", cidr!("10.8.0.0/16"))].map(|(name, cidr)| net(b, name, cidr).vpc);
    let office = b
        .put("office", CustomerGateway { ip_address: stage.replaced("203.0.113.12", "203.0.113.13"), asn: 65010 })
        .tags(tags);
    let branch = b.put("branch", CustomerGateway { ip_address: "203.0.113.20", asn: 65020 });
    let ours = b.put("ours", VpnGateway { vpc: first }).tags(tags);
    b.put("moving", VpnGateway { vpc: stage.updated(first, second) });
    b.put("chosen", VpnGateway { vpc: second }).amazon_asn(stage.replaced(64900, 64901));
    b.put("static", VpnConnection { customer_gateway: stage.updated(branch, office) })
        .vpn_gateway(ours)
        .static_routes_only(true)
        .routes(stage.updated(
            vec![cidr!("192.168.0.0/24"), cidr!("192.168.1.0/24")],
            vec![cidr!("192.168.1.0/24"), cidr!("192.168.2.0/24")],
        ))
        .tags(tags);
    b.put("dynamic", VpnConnection { customer_gateway: branch })
        .vpn_gateway(ours)
        .local_cidr(stage.updated(cidr!("192.168.0.0/16"), cidr!("172.16.0.0/12")))
        .remote_cidr(stage.updated(cidr!("10.0.0.0/8"), cidr!("10.7.0.0/16")))
        .keys_in_secrets_manager(stage.replaced(false, true));
}
