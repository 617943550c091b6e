//! The way out for what has no public address.

use std::array;

use provision_aws::prelude::*;
use provision_aws::{ElasticIp, NatGateway, NatGatewayId};
use provision_core::prelude::*;

use crate::TAGS;
use crate::network::Network;

/// How many ways out there are.
#[derive(Args, Clone, Copy)]
pub enum Gateways {
    /// One for all zones: cheap, and out of order with its zone.
    One,
    /// One for each zone.
    PerZone,
}

/// What other blocks can use of it.
#[derive(Args)]
pub struct Nat<D> {
    /// The way out of each zone.
    pub of_zone: [Ref<NatGatewayId, D>; 3],
}

/// Puts gateways with addresses of their own, which partners can let in, into the public subnets.
pub fn nat<D: AwsDc>(b: &Block<D>, (net, gateways): (&Network<D>, Gateways)) -> Nat<D> {
    let gateway = |n: usize| {
        let (zone, subnet) = (D::zones()[n], net.public[n]);
        let address = b.put(format!("address-{zone}"), ElasticIp {}).tags(TAGS);
        let gateway = b.put(format!("gateway-{zone}"), NatGateway { subnet });
        gateway.allocation(address).internet_gateway(net.internet).tags(TAGS).id()
    };
    match gateways {
        Gateways::One => Nat { of_zone: [gateway(0); 3] },
        Gateways::PerZone => Nat { of_zone: array::from_fn(gateway) },
    }
}
