//! The real command line over a tiny infrastructure; `SCENARIO` names the edit of its code.

use std::process::ExitCode;

use provision_aws::prelude::*;
use provision_aws::{Aws, Rule, SecurityGroup, Subnet, SubnetId, UsWest2, Vpc, VpcId};
use provision_core::prelude::*;

/// Where every change is tried first.
#[environment("staging")]
pub struct Staging;

/// The only data centre.
#[data_centre(name = "west", env = Staging, channel = Stable, on(Aws, account = "123456789012", region = UsWest2))]
pub struct West;

/// What the code says; each but the first is one edit of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    First,
    OtherPort,
    OtherDescription,
    OtherZone,
    OtherOutputs,
    NoWeb,
    Wrong,
}

#[expect(clippy::disallowed_methods, reason = "the tests choose the edit by it")]
fn code() -> Code {
    match std::env::var("SCENARIO").as_deref() {
        Ok("other-port") => Code::OtherPort,
        Ok("other-description") => Code::OtherDescription,
        Ok("other-zone") => Code::OtherZone,
        Ok("other-outputs") => Code::OtherOutputs,
        Ok("no-web") => Code::NoWeb,
        Ok("wrong") => Code::Wrong,
        _ => Code::First,
    }
}

/// What other blocks can use of the network.
#[derive(Args)]
pub struct Network<D> {
    /// The VPC.
    pub vpc: Ref<VpcId, D>,
    /// Its subnet.
    pub subnet: Ref<SubnetId, D>,
    /// Whom it is for.
    pub team: &'static str,
}

fn network<D: AwsDc>(b: &Block<D>, (): ()) -> Network<D> {
    let range = cidr!("10.0.0.0/16");
    let [a, other, _] = D::zones();
    let (zone, prefix) = match code() {
        Code::OtherZone => (other, 24),
        Code::Wrong => (a, 8),
        _ => (a, 24),
    };
    let vpc = b.put("main", Vpc { cidr: range });
    let subnet = b.put("public", Subnet { vpc, zone, cidr: range.subnet(prefix, 1) });
    let team = if code() == Code::OtherOutputs { "everybody" } else { "the web" };
    Network { vpc: vpc.id(), subnet: subnet.id(), team }
}

fn web<D: AwsDc>(b: &Block<D>, net: &Network<D>) {
    let description = if code() == Code::OtherDescription { "the web, again" } else { "the web" };
    let port = if code() == Code::OtherPort { 8443 } else { 443 };
    b.put("group", SecurityGroup { vpc: net.vpc, description }).ingress([Rule::tcp(port, cidr!("192.0.2.0/24"))]);
}

fn infrastructure() -> Infrastructure {
    let infra = Infrastructure::new("golden");
    infra.environments::<(Staging,)>();
    let west = infra.dc(West);
    let net = west.block("network", network, ());
    if code() != Code::NoWeb {
        west.block("web", web, &net);
    }
    infra
}

fn main() -> ExitCode {
    runner::main(infrastructure)
}
