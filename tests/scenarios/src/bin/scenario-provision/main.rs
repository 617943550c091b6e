//! The real command line over a tiny infrastructure; `SCENARIO` names the edit of its code.

mod checked;
mod code;
mod elsewhere;
mod shards;

use std::process::ExitCode;

use code::{Code, code};
use infra_defs::params::{DcParams, EU_WEST, STAGING, US_EAST};
use provision_aws::prelude::*;
use provision_aws::{
    Aws, Instance, Rule, SecurityGroup, SecurityGroupId, Subnet, SubnetId, UsEast1, UsEast2, UsWest2, Vpc, VpcId,
};
use provision_core::prelude::*;
use shards::shards;

/// Where every change is tried first.
#[environment("staging")]
pub struct Staging;

/// What waits until staging is healthy.
#[environment("prod")]
pub struct Prod;

/// The data centre of most edits.
#[data_centre(name = "west", env = Staging, channel = Stable, on(Aws, account = "123456789012", region = UsWest2))]
pub struct West;

/// Another one, for many blocks.
#[data_centre(name = "east", env = Staging, channel = Stable, on(Aws, account = "123456789012", region = UsEast1))]
pub struct East;

/// The one of production.
#[data_centre(name = "central", env = Prod, channel = Stable, on(Aws, account = "123456789012", region = UsEast2))]
pub struct Central;

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
    if code() == Code::FieldsSet {
        vpc.dns_hostnames(true);
    }
    let subnet = b.put("public", Subnet { vpc, zone, cidr: range.subnet(prefix, 1) });
    if code() == Code::Taken {
        b.put("taken", Subnet { vpc, zone, cidr: range.subnet(prefix, 1) });
    }
    let team = if code() == Code::OtherOutputs { "everybody" } else { "the web" };
    Network { vpc: vpc.id(), subnet: subnet.id(), team }
}

/// What other blocks can use of the web.
#[derive(Args)]
pub struct Web<D> {
    /// Who is let in.
    pub group: Ref<SecurityGroupId, D>,
}

fn web<D: AwsDc>(b: &Block<D>, net: &Network<D>) {
    front(b, net);
}

/// The same, for whoever uses it.
fn front<D: AwsDc>(b: &Block<D>, net: &Network<D>) -> Web<D> {
    let description = match code() {
        Code::OtherDescription | Code::ProtectedOtherDescription | Code::AppOtherDescription | Code::AppDeleteFirst => {
            "the web, again"
        }
        _ => "the web",
    };
    let port = if matches!(code(), Code::OtherPort | Code::IgnoringOtherPort) { 8443 } else { 443 };
    let name = if code() == Code::Renamed { "front" } else { "group" };
    let group = b.put(name, SecurityGroup { vpc: net.vpc, description });
    let group = group.ingress([Rule::tcp(port, cidr!("192.0.2.0/24"))]);
    let group = match code() {
        Code::Renamed => group.moved_from("group"),
        Code::Moved => group.moved_from("web.group"),
        Code::Protected | Code::ProtectedOtherDescription => group.prevent_destroy(),
        Code::Ignoring | Code::IgnoringOtherPort => group.ignore_changes(["ingress"]),
        Code::AppDeleteFirst => group.delete_before_replace(),
        _ => group,
    };
    Web { group: group.id() }
}

/// A group that lets the members of another one in.
fn app<D: AwsDc>(b: &Block<D>, p: &(Network<D>, Web<D>)) {
    let (net, web) = p;
    b.put("inside", SecurityGroup { vpc: net.vpc, description: "inside" }).ingress([Rule::tcp_from(22, web.group)]);
}

/// A machine; a key pair may log in.
fn host<D: AwsDc>(b: &Block<D>, p: &(Network<D>, Web<D>)) {
    let (net, web) = p;
    let host = Instance { subnet: net.subnet, ami: "ami-12c6146b", instance_type: "t3.micro" };
    let host = b.put("host", host).security_groups([web.group]);
    if code() == Code::FieldsSet {
        host.key_name("ops");
    }
}

/// The example, with larger hosts in staging.
fn larger() -> Infrastructure {
    let mut staging = STAGING;
    staging.dispatchers.instance_type = "t3.large";
    infra_defs::company(&staging, &US_EAST, &EU_WEST)
}

fn infrastructure() -> Infrastructure {
    match code() {
        Code::Company => infra_defs::infrastructure(),
        Code::CompanyLarger => larger(),
        Code::CompanyOpen => {
            infra_defs::company(&STAGING, &DcParams { office: cidr!("0.0.0.0/0"), ..US_EAST }, &EU_WEST)
        }
        _ => golden(),
    }
}

fn golden() -> Infrastructure {
    let infra = Infrastructure::new("golden");
    if code() == Code::Checked {
        infra.environments::<(Staging, Prod)>();
        infra.dc(West).block("site", checked::tried, ());
        infra.dc(Central).block("site", checked::trusted, ());
        return infra;
    }
    infra.environments::<(Staging,)>();
    let west = infra.dc(West);
    if matches!(code(), Code::Many | Code::ManyFailing) {
        shards(&west);
        shards(&infra.dc(East));
        return infra;
    }
    let net = west.block("network", network, ());
    match code() {
        Code::Image => elsewhere::looked_up(&west, &net),
        Code::Crossing => elsewhere::crossing(&infra, &net),
        Code::NoWeb => {}
        Code::Moved => west.block("edge", web, &net),
        Code::App | Code::AppOtherDescription | Code::AppDeleteFirst => {
            let web = west.block("web", front, &net);
            west.block("app", app, &(net, web));
        }
        Code::FieldsSet | Code::FieldsUnset => {
            let web = west.block("web", front, &net);
            west.block("host", host, &(net, web));
        }
        _ => west.block("web", web, &net),
    }
    infra
}

fn main() -> ExitCode {
    provision_cli::main(infrastructure)
}
