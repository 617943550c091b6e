//! Private DNS: a zone of the data centre's own, in which blocks write down what they make.

use provision_aws::prelude::*;
use provision_aws::{HostedZone, HostedZoneId, ZoneVpc};
use provision_core::prelude::*;

use crate::TAGS;
use crate::network::Network;

/// What other blocks can use of it.
#[derive(Args)]
pub struct Names<D> {
    /// The zone.
    pub zone: Ref<HostedZoneId, D>,
    /// Its domain.
    pub domain: String,
}

impl<D> Names<D> {
    /// The whole name of a host.
    pub fn of(&self, host: &str) -> String {
        format!("{host}.{}", self.domain)
    }
}

/// Makes the zone: known in this network, and in those beside it.
pub fn names<D: AwsDc>(b: &Block<D>, (net, beside, protected): (&Network<D>, &[ZoneVpc<D>], bool)) -> Names<D> {
    let domain = format!("{}.example.internal", D::NAME);
    let vpcs: Vec<_> = [ZoneVpc::of(net.vpc)].into_iter().chain(beside.iter().cloned()).collect();
    let zone = b.put("zone", HostedZone { name: &domain }).private(true).vpcs(vpcs).tags(TAGS);
    if protected {
        // Clients remember its servers for longer than anybody likes to wait.
        zone.prevent_destroy();
    }
    Names { zone: zone.id(), domain }
}
