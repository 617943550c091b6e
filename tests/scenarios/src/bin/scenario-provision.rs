//! The real command line over a tiny infrastructure; `SCENARIO` names the edit of its code.

use std::process::ExitCode;

use provision_aws::prelude::*;
use provision_aws::{Aws, Instance, Rule, SecurityGroup, Subnet, SubnetId, UsEast1, UsWest2, Vpc, VpcId};
use provision_core::prelude::*;

/// Where every change is tried first.
#[environment("staging")]
pub struct Staging;

/// The data centre of most edits.
#[data_centre(name = "west", env = Staging, channel = Stable, on(Aws, account = "123456789012", region = UsWest2))]
pub struct West;

/// Another one, for many blocks.
#[data_centre(name = "east", env = Staging, channel = Stable, on(Aws, account = "123456789012", region = UsEast1))]
pub struct East;

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
    /// A second subnet has the range of the first one.
    Taken,
    /// Two data centres of many blocks, to be looked at while they are applied.
    Many,
    /// The same; one resource can't be made.
    ManyFailing,
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
        Ok("taken") => Code::Taken,
        Ok("many") => Code::Many,
        Ok("many-failing") => Code::ManyFailing,
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
    if code() == Code::Taken {
        b.put("taken", Subnet { vpc, zone, cidr: range.subnet(prefix, 1) });
    }
    let team = if code() == Code::OtherOutputs { "everybody" } else { "the web" };
    Network { vpc: vpc.id(), subnet: subnet.id(), team }
}

fn web<D: AwsDc>(b: &Block<D>, net: &Network<D>) {
    let description = if code() == Code::OtherDescription { "the web, again" } else { "the web" };
    let port = if code() == Code::OtherPort { 8443 } else { 443 };
    b.put("group", SecurityGroup { vpc: net.vpc, description }).ingress([Rule::tcp(port, cidr!("192.0.2.0/24"))]);
}

/// What a block of many is given: its number, and a network that it waits for.
#[derive(Args)]
pub struct Shard<D> {
    number: u32,
    after: Option<Ref<VpcId, D>>,
}

/// One block of many: a network with some instances.
fn shard<D: AwsDc>(b: &Block<D>, p: &Shard<D>) -> Network<D> {
    let range = cidr!("10.0.0.0/16");
    let vpc = b.put("main", Vpc { cidr: range });
    let [zone, ..] = D::zones();
    let subnet = b.put("private", Subnet { vpc, zone, cidr: range.subnet(24, 0) });
    let group = b.put("group", SecurityGroup { vpc, description: "shards" });
    for index in 0..=p.number % 5 {
        let ami = "ami-12c6146b";
        b.put(format!("node-{index}"), Instance { subnet, ami, instance_type: "t3.micro" }).security_groups([group]);
    }
    if code() == Code::ManyFailing && p.number == 7 {
        // It has the range of the other one.
        b.put("taken", Subnet { vpc, zone, cidr: range.subnet(24, 0) });
    }
    Network { vpc: vpc.id(), subnet: subnet.id(), team: "shards" }
}

fn shards<D: AwsDc>(dc: &provision_core::dsl::Dc<D>) {
    let mut blocked = None;
    for number in 0..20 {
        // The last ones wait for one before them.
        let after = blocked.filter(|_| number > 15);
        let shard = dc.block(format!("shard-{number:02}"), shard, &Shard { number, after });
        if number == 7 {
            blocked = Some(shard.vpc);
        }
    }
}

fn infrastructure() -> Infrastructure {
    let infra = Infrastructure::new("golden");
    infra.environments::<(Staging,)>();
    let west = infra.dc(West);
    if matches!(code(), Code::Many | Code::ManyFailing) {
        shards(&west);
        shards(&infra.dc(East));
        return infra;
    }
    let net = west.block("network", network, ());
    if code() != Code::NoWeb {
        west.block("web", web, &net);
    }
    infra
}

fn main() -> ExitCode {
    runner::main(infrastructure)
}
