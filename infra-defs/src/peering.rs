//! A connection between the networks of two data centres: one asks, the other one accepts.

use provision_aws::prelude::*;
use provision_aws::{VpcId, VpcPeering, VpcPeeringAccepter, VpcPeeringAccepterId, VpcPeeringId};
use provision_core::prelude::*;

use crate::TAGS;
use crate::network::Network;

/// A network beside ours, and the way to it.
#[derive(Args)]
pub struct Peer<D> {
    /// Its addresses.
    pub cidr: Cidr,
    /// The connection, which carries traffic once it is accepted: so routes name what accepts it.
    pub way: Ref<VpcPeeringAccepterId, D>,
}

/// Asks for a connection to a VPC of another data centre, in whichever account and region that is.
pub fn ask<D: AwsDc, O: AwsDc>(
    b: &Block<D>,
    (net, theirs): (&Network<D>, Imported<VpcId, O, D>),
) -> Ref<VpcPeeringId, D> {
    b.put("connection", VpcPeering { vpc: net.vpc, peer: theirs }).tags(TAGS).id()
}

/// Accepts what another data centre asked for.
pub fn accept<D: AwsDc>(b: &Block<D>, asked: Ref<VpcPeeringId, D>) -> Ref<VpcPeeringAccepterId, D> {
    b.put("connection", VpcPeeringAccepter { peering: asked }).id()
}
