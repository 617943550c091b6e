//! What the company runs: the same two blocks in staging and in production.

use provision_aws::prelude::*;
use provision_aws::{Aws, Rule, SecurityGroup, Subnet, SubnetId, UsEast1, UsWest2, Vpc, VpcId};
use provision_core::prelude::*;

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
