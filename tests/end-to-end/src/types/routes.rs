//! Route tables, with routes by most ways that there are.

use provision_aws::prelude::*;
use provision_aws::{InternetGateway, NetworkInterface, Route, RouteTable, VpnGateway};
use provision_core::prelude::*;

use super::networks::net;
use super::{Family, Stage, tags};
use crate::infra::West;

pub(super) const FAMILY: Family = Family {
    name: "routes",
    types: &["aws_route_table"],
    kept: &[],
    define: |infra, stage| {
        infra.dc(West).block("routes", routes, stage);
    },
};

fn routes<D: AwsDc>(b: &Block<D>, stage: Stage) {
    let (first, second) = (net(b, "first", cidr!("10.7.0.0/16")), net(b, "second", cidr!("10.8.0.0/16")));
    let internet = b.put("internet", InternetGateway { vpc: first.vpc });
    let appliance = b.put("appliance", NetworkInterface { subnet: first.subnets[0] }).security_groups([first.group]);
    let vpn = b.put("vpn", VpnGateway { vpc: first.vpc });

    let table = b.put("public", RouteTable { vpc: first.vpc }).tags(tags(stage));
    let far = cidr!("172.16.0.0/12");
    let [one, other] = first.subnets;
    match stage {
        Stage::Created => table
            .routes([
                Route::to(cidr!("0.0.0.0/0"), internet),
                Route::to(far, appliance),
                Route::to(cidr!("::/0"), internet),
            ])
            .subnets([one]),
        // One goes, one stays, one leads elsewhere, one comes.
        Stage::Updated => table
            .routes([
                Route::to(cidr!("0.0.0.0/0"), internet),
                Route::to(far, vpn),
                Route::to(cidr!("192.168.0.0/16"), vpn),
            ])
            .subnets([other])
            .propagations([vpn]),
        Stage::Replaced => table.subnets([other]),
    };
    b.put("ingress", RouteTable { vpc: first.vpc }).gateways(stage.updated(vec![internet], Vec::new()));

    let inside = stage.replaced(first, second);
    b.put("inside", RouteTable { vpc: inside.vpc }).subnets(stage.replaced(Vec::new(), vec![inside.subnets[0]]));
}
