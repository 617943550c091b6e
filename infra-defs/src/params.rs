//! What differs between our data centres, and nothing else does.

use provision_core::prelude::*;

use crate::bastion::BastionParams;
use crate::dispatchers::DispatcherParams;
use crate::nat::Gateways;

/// What a data centre is told. There is no `if prod` anywhere: this is it.
#[derive(Args)]
pub struct DcParams {
    /// The addresses of its network.
    pub cidr: Cidr,
    /// The networks that its own one is peered with.
    pub neighbours: &'static [Cidr],
    /// How many ways out there are.
    pub nat: Gateways,
    /// From where one may log in to the bastion.
    pub office: Cidr,
    /// The host that engineers log in to.
    pub bastion: BastionParams,
    /// The hosts that customers reach.
    pub dispatchers: DispatcherParams,
    /// Whether what cannot be made again is guarded against being deleted.
    pub protected: bool,
}

// No two networks of ours share addresses.
const US_EAST_NET: Cidr = cidr!("10.1.0.0/16");
const EU_WEST_NET: Cidr = cidr!("10.2.0.0/16");

const OFFICE: Cidr = cidr!("192.0.2.0/24");
const OPS: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMnUwbTmGDLdgnM4vUp8hh7sk7/2fMSAXnGGVKmWzlYn ops@example.org";

/// Staging is as production is, only smaller.
pub const STAGING: DcParams = DcParams {
    cidr: cidr!("10.0.0.0/16"),
    neighbours: &[],
    nat: Gateways::One,
    office: OFFICE,
    bastion: BastionParams { instance_type: "t3.micro", public_key: OPS },
    dispatchers: DispatcherParams { instance_type: "t3.small", least: 1, most: 2 },
    protected: false,
};

/// Production A.
pub const US_EAST: DcParams = DcParams {
    cidr: US_EAST_NET,
    neighbours: &[EU_WEST_NET],
    nat: Gateways::PerZone,
    office: OFFICE,
    bastion: BastionParams { instance_type: "t3.medium", public_key: OPS },
    dispatchers: DispatcherParams { instance_type: "c6i.large", least: 3, most: 12 },
    protected: true,
};

/// Production B.
pub const EU_WEST: DcParams = DcParams {
    cidr: EU_WEST_NET,
    neighbours: &[US_EAST_NET],
    dispatchers: DispatcherParams { instance_type: "c6i.large", least: 3, most: 6 },
    ..US_EAST
};
