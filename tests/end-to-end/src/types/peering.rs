//! VPC peering, between two data centres in two accounts and regions.

use provision_aws::prelude::*;
use provision_aws::{Aws, EuWest1, Route, RouteTable, VpcId, VpcPeering, VpcPeeringAccepter, VpcPeeringId};
use provision_core::prelude::*;

use super::networks::net;
use super::{Family, Stage, tags};
use crate::infra::{Staging, West};

/// Across the ocean, and in another account.
#[data_centre(name = "far", env = Staging, channel = Stable, on(Aws, account = "222222222222", region = EuWest1))]
pub struct Far;

crossing!(Far => West, via = peering);
crossing!(West => Far, via = peering);

pub(super) const FAMILY: Family = Family {
    name: "peering",
    types: &["aws_vpc_peering_connection", "aws_vpc_peering_connection_accepter"],
    kept: &[],
    define: |infra, stage| {
        let (west, far) = (infra.dc(West), infra.dc(Far));
        let theirs = far.block("network", network, ());
        let asked = west.block("asking", asking, (theirs, stage));
        far.block("accepting", accepting, (asked, theirs, stage));
    },
};

fn network(b: &Block<Far>, (): ()) -> Ref<VpcId, Far> {
    net(b, "net", cidr!("10.8.0.0/16")).vpc
}

fn asking(b: &Block<West>, (theirs, stage): (Ref<VpcId, Far>, Stage)) -> Ref<VpcPeeringId, West> {
    let [one, other] =
        [("one", cidr!("10.7.0.0/16")), ("other", cidr!("10.9.0.0/16"))].map(|(name, cidr)| net(b, name, cidr).vpc);
    let asked = b.put("far", VpcPeering { vpc: stage.replaced(one, other), peer: b.import(theirs) }).tags(tags(stage));
    asked.id()
}

fn accepting(b: &Block<Far>, (asked, vpc, stage): (Ref<VpcPeeringId, West>, Ref<VpcId, Far>, Stage)) {
    let accepted = b
        .put("west", VpcPeeringAccepter { peering: b.import(asked) })
        .dns(stage.updated(false, true))
        .tags([("side", stage.updated("far", "other"))]);
    b.put("routes", RouteTable { vpc }).routes([Route::to(cidr!("10.7.0.0/16"), accepted)]);
}
