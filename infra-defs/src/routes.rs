//! Where traffic goes that leaves a subnet. A table is written as a whole, so all routes of a data centre are in this block.

use std::array;

use provision_aws::prelude::*;
use provision_aws::{Route, RouteTable, RouteTableId};
use provision_core::prelude::*;

use crate::nat::Nat;
use crate::network::Network;
use crate::peering::Peer;
use crate::{ANYWHERE, TAGS};

/// What other blocks can use of the routes. What boots from the internet comes after them.
#[derive(Args)]
pub struct Routes<D> {
    /// The table of all public subnets.
    pub public: Ref<RouteTableId, D>,
    /// The table of each zone's private subnet.
    pub private: [Ref<RouteTableId, D>; 3],
}

/// Leads public subnets to the internet, private ones to the NAT gateway of their zone, and all to the networks beside.
pub fn routes<D: AwsDc>(b: &Block<D>, (net, nat, peers): (&Network<D>, &Nat<D>, &[Peer<D>])) -> Routes<D> {
    let vpc = net.vpc;
    let and_to_peers = |out: Route<D>| -> Vec<Route<D>> {
        peers.iter().map(|peer| Route::to(peer.cidr, peer.way)).chain([out]).collect()
    };

    let out = Route::to(ANYWHERE, net.internet);
    let public = b.put("public", RouteTable { vpc }).routes(and_to_peers(out)).subnets(net.public).tags(TAGS);
    let private = array::from_fn(|n| {
        let out = Route::to(ANYWHERE, nat.of_zone[n]);
        let table = b.put(format!("private-{}", D::zones()[n]), RouteTable { vpc });
        table.routes(and_to_peers(out)).subnets([net.private[n]]).tags(TAGS).id()
    });

    Routes { public: public.id(), private }
}
