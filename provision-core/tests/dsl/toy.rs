//! A cloud of two resource types, two data centres and two blocks.

use provision_core::prelude::*;

/// A cloud.
pub(crate) enum Toy {}

impl Cloud for Toy {
    const NAME: &'static str = "toy";
}

/// Its only region.
pub(crate) enum Lab {}

impl Region<Toy> for Lab {
    const NAME: &'static str = "lab";
}

/// A network.
#[resource(cloud = Toy, kind = "toy_net", version = 3)]
pub(crate) struct Net {
    /// Its addresses.
    #[attr(replace)]
    pub cidr: Cidr,
    /// Its name.
    #[attr(name(max = 63))]
    pub name: String,
    /// How many packets it forgives.
    #[attr(default = 5)]
    pub patience: i64,
    /// Labels.
    #[attr(by_key, default)]
    pub labels: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: NetId,
}

/// A host.
#[resource(cloud = Toy, kind = "toy_host", version = 1)]
pub(crate) struct Host {
    /// Its network.
    #[attr(replace)]
    pub net: NetId,
    /// Others that it trusts.
    #[attr(set, default)]
    pub trusts: Vec<HostId>,
    /// What it says at its start.
    pub motto: Option<String>,
    /// Its id.
    #[attr(computed)]
    pub id: HostId,
    /// Its address.
    #[attr(computed)]
    pub address: String,
}

/// Tried first.
#[environment("staging")]
pub(crate) struct Staging;

/// Used by customers.
#[environment("prod")]
pub(crate) struct Prod;

/// A data centre.
#[data_centre(name = "us-east", env = Prod, channel = Stable, on(Toy, account = "acme", region = Lab))]
pub(crate) struct UsEast;

/// Another one.
#[data_centre(name = "stage", env = Staging, channel = Beta, on(Toy, account = "acme-test", region = Lab))]
pub(crate) struct Stage;

/// What the block `base` offers.
#[derive(Args)]
pub(crate) struct Base<D> {
    pub net: Ref<NetId, D>,
    pub hosts: Vec<Ref<HostId, D>>,
}

/// What the block `base` is given.
#[derive(Args)]
pub(crate) struct Size {
    pub hosts: u32,
    pub cidr: Cidr,
    pub note: Option<&'static str>,
}

pub(crate) const SIZE: Size = Size { hosts: 2, cidr: cidr!("10.0.0.0/16"), note: None };

pub(crate) fn base<D: On<Toy>>(b: &Block<D>, size: &Size) -> Base<D> {
    let net = b.put("net", Net { cidr: size.cidr }).labels([("team", "infra")]);
    let hosts = (0..size.hosts).map(|n| b.put(format!("host-{n}"), Host { net }).id()).collect();
    Base { net: net.id(), hosts }
}

pub(crate) fn peer<D: On<Toy>>(b: &Block<D>, (base, motto): (&Base<D>, &str)) -> (Ref<String, D>, Ref<HostId, D>) {
    let first = b.put("first", Host { net: base.net }).trusts(&base.hosts);
    let second = b.put("second", Host { net: base.net }).motto(text!("{motto} at {}", first.address()));
    (first.address(), second.id())
}

pub(crate) fn nothing<D: DataCentre>(_: &Block<D>, (): ()) {}
