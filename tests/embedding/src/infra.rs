//! What the company runs: the same two blocks in staging and in production.

use std::time::Duration;

use provision_aws::prelude::*;
use provision_aws::{Aws, Rule, SecurityGroup, Subnet, SubnetId, UsEast1, UsWest2, Vpc, VpcId};
use provision_core::check::Probe;
use provision_core::dsl::check::{custom, tcp};
use provision_core::prelude::*;
use tokio::io::AsyncReadExt as _;

/// Where every change is tried first.
#[environment("staging")]
pub struct Staging;

/// What customers use.
#[environment("prod")]
pub struct Prod;

/// Staging, in Oregon.
#[data_centre(name = "west", env = Staging, channel = Stable, on(Aws, account = "111111111111", region = UsWest2))]
pub struct West;

/// Production, in North Virginia.
#[data_centre(name = "east", env = Prod, channel = Stable, on(Aws, account = "222222222222", region = UsEast1))]
pub struct East;

/// What other blocks can use of a network.
#[derive(Args)]
pub struct Network<D> {
    /// The VPC.
    pub vpc: Ref<VpcId, D>,
    /// Its only subnet.
    pub subnet: Ref<SubnetId, D>,
    /// Whom to call.
    pub team: &'static str,
}

fn network<D: AwsDc>(b: &Block<D>, cidr: Cidr) -> Network<D> {
    let [zone, ..] = D::zones();
    let vpc = b.put("main", Vpc { cidr });
    let subnet = b.put("public", Subnet { vpc, zone, cidr: cidr.subnet(24, 0) });
    Network { vpc: vpc.id(), subnet: subnet.id(), team: "infra" }
}

fn web<D: AwsDc>(b: &Block<D>, (net, port): (&Network<D>, u16)) {
    let group = SecurityGroup { vpc: net.vpc, description: "the web" };
    b.put("group", group).ingress([Rule::tcp(port, cidr!("0.0.0.0/0"))]);
}

/// Asks a server at this address how many customers there are.
async fn customers(probe: Probe) -> Result<(), String> {
    let mut server = probe.dialer.dial("web.company", 443).await.map_err(|error| error.to_string())?;
    let mut answer = String::new();
    server.read_to_string(&mut answer).await.map_err(|error| error.to_string())?;
    let least = probe.args.as_int().ok_or("the least is a number")?;
    match answer.trim().parse::<i64>() {
        Ok(count) if count >= least => Ok(()),
        Ok(count) => Err(format!("{count} customers")),
        Err(_) => Err(format!("`{answer}` is no number")),
    }
}

fn watched<D: AwsDc>(b: &Block<D>, (net, least): (&Network<D>, i64)) {
    b.put("group", SecurityGroup { vpc: net.vpc, description: "the web" });
    let soon = Duration::from_millis(100);
    b.check("there", tcp("web.company:443").every(soon).within(soon));
    b.check("used", custom(customers, least).every(soon).within(soon));
}

/// A part of it with health checks: that somebody listens at `web.company:443`, and says that there are this many customers.
///
/// # Errors
/// What is wrong with the definitions.
pub fn watched_company(customers: i64) -> Result<Desired, Vec<Finding>> {
    let infra = Infrastructure::new("company");
    infra.environments::<(Staging, Prod)>();
    let west = infra.dc(West);
    let net = west.block("network", network, cidr!("10.0.0.0/16"));
    west.block("web", watched, (&net, customers));
    infra.finish()
}

/// How many objects all of it makes.
pub const OBJECTS: usize = 6;

/// The whole of it; customers come in through this port.
///
/// # Errors
/// What is wrong with the definitions.
pub fn company(port: u16) -> Result<Desired, Vec<Finding>> {
    let infra = Infrastructure::new("company");
    infra.environments::<(Staging, Prod)>();
    let west = infra.dc(West);
    let net = west.block("network", network, cidr!("10.0.0.0/16"));
    west.block("web", web, (&net, port));
    let east = infra.dc(East);
    let net = east.block("network", network, cidr!("10.1.0.0/16"));
    east.block("web", web, (&net, port));
    infra.finish()
}

fn small<D: AwsDc>(b: &Block<D>, cidr: Cidr) {
    b.put("main", Vpc { cidr });
}

fn hub<D: AwsDc>(b: &Block<D>, (cidr, subnets): (Cidr, u32)) {
    let [zone, ..] = D::zones();
    let vpc = b.put("main", Vpc { cidr });
    for n in 0..subnets {
        b.put(format!("subnet-{n}"), Subnet { vpc, zone, cidr: cidr.subnet(24, n) });
    }
}

/// Another company: this many networks, each in a block of its own, and a hub with this many subnets.
///
/// # Errors
/// What is wrong with the definitions.
pub fn wide_company(networks: u32, subnets: u32) -> Result<Desired, Vec<Finding>> {
    let infra = Infrastructure::new("company");
    infra.environments::<(Staging, Prod)>();
    let west = infra.dc(West);
    west.block("hub", hub, (cidr!("10.0.0.0/16"), subnets));
    for n in 0..networks {
        west.block(format!("network-{n}"), small, cidr!("10.9.0.0/16"));
    }
    infra.finish()
}
