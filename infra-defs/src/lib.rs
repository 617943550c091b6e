//! The infrastructure itself: data centres, blocks and shared modules.
//!
//! Start reading here, then follow a block's function into its module.

use provision_aws::ZoneVpc;
use provision_aws::prelude::*;
use provision_core::prelude::*;

pub mod acls;
pub mod bastion;
pub mod dcs;
pub mod dispatchers;
pub mod endpoints;
pub mod image;
pub mod logs;
pub mod names;
pub mod nat;
pub mod network;
pub mod params;
pub mod peering;
pub mod routes;
pub mod security;

use dcs::{EuWest, Prod, Staging, StagingWest, UsEast};
use network::Network;
use params::{DcParams, EU_WEST, STAGING, US_EAST};
use peering::Peer;

/// What everything of ours is tagged with, beside the marks that say to which definition it belongs.
pub(crate) const TAGS: [(&str, &str); 1] = [("team", "infra")];
/// The internet.
pub(crate) const ANYWHERE: Cidr = cidr!("0.0.0.0/0");

/// Everything that we run.
pub fn infrastructure() -> Infrastructure {
    company(&STAGING, &US_EAST, &EU_WEST)
}

/// The same with parameters of one's own: tests use it.
///
/// A block is a name, the function that builds it, and what that function needs. What it returns is what later blocks
/// can use: `bastion` takes a subnet of `network` and a group of `security`, so it waits for both.
pub fn company(staging: &DcParams, us_east: &DcParams, eu_west: &DcParams) -> Infrastructure {
    let infra = Infrastructure::new("example");
    // Staging is applied and healthy before anything happens to production.
    infra.environments::<(Staging, Prod)>();

    let oregon = infra.dc(StagingWest);
    let net = oregon.block("network", network::network, staging.cidr);
    data_centre(&oregon, &net, &Beside { peers: vec![], vpcs: vec![] }, staging);

    // The two data centres of production reach each other, and know each other's names.
    let (us, eu) = (infra.dc(UsEast), infra.dc(EuWest));
    let us_net = us.block("network", network::network, us_east.cidr);
    let eu_net = eu.block("network", network::network, eu_west.cidr);
    let asked = us.block("peering", peering::ask, (&us_net, us.import(eu_net.vpc)));
    let accepted = eu.block("peering", peering::accept, eu.import(asked).here());

    let eu_beside = Beside {
        peers: vec![Peer { cidr: eu_net.cidr, way: us.import(accepted).here() }],
        vpcs: vec![ZoneVpc::of(us.import(eu_net.vpc))],
    };
    let us_beside = Beside {
        peers: vec![Peer { cidr: us_net.cidr, way: accepted }],
        vpcs: vec![ZoneVpc::of(eu.import(us_net.vpc))],
    };
    data_centre(&us, &us_net, &eu_beside, us_east);
    data_centre(&eu, &eu_net, &us_beside, eu_west);

    // A plan is refused unless all that is written, here and in the blocks, rules this out. What is broken into where customers
    // get in does not get on to the host from which one gets everywhere.
    for dc in [StagingWest::NAME, UsEast::NAME, EuWest::NAME] {
        infra.never(&format!("{dc}.dispatchers.fleet"), &format!("{dc}.bastion.host:22"));
    }
    infra.never("staging.network.main", "us-east.network.main:22");
    infra.never("staging.network.main", "eu-west.network.main:22");
    infra
}

/// What a data centre has beside it.
struct Beside<D> {
    /// Networks that it reaches.
    peers: Vec<Peer<D>>,
    /// VPCs in which its names are known, too.
    vpcs: Vec<ZoneVpc<D>>,
}

/// What every data centre has in its network. Blocks that take nothing of each other are applied at the same time.
fn data_centre<D: AwsDc>(dc: &Dc<D>, net: &Network<D>, beside: &Beside<D>, p: &DcParams) {
    let nat = dc.block("nat", nat::nat, (net, p.nat));
    let routes = dc.block("routes", routes::routes, (net, &nat, &beside.peers[..]));
    dc.block("acls", acls::acls, (net, p.office, p.neighbours));
    let groups = dc.block("security", security::security, (net, p.office, p.neighbours));
    let logs = dc.block("logs", logs::logs, (net, p.protected));
    let names = dc.block("names", names::names, (net, &beside.vpcs[..], p.protected));
    dc.block("endpoints", endpoints::endpoints, (net, &routes, &groups));
    dc.block("bastion", bastion::bastion, (net, &groups, &routes, &names, &p.bastion));
    let home = (net, &groups, &routes, &names, &logs);
    dc.block("dispatchers", dispatchers::dispatchers, (home, &p.dispatchers, p.protected));
}

/// The README's modules compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(test)]
mod tests;
