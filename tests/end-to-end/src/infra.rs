//! The small infrastructure that the tests apply, in variants.

use std::time::Duration;

use provision_aws::prelude::*;
use provision_aws::{
    Aws, ElasticIp, Instance, InstanceId, Rule, SecurityGroup, SecurityGroupId, Subnet, SubnetId, UsEast1, Vpc, VpcId,
};
use provision_core::dsl::check::tcp;
use provision_core::prelude::*;
use testbed::aws::KNOWN_IMAGE;

/// The variable that names the variant.
pub const VARIANT: &str = "E2E_VARIANT";

/// The environment of all variants.
#[environment("staging")]
pub struct Staging;

/// The data centre of all variants but one.
#[data_centre(name = "west", env = Staging, channel = Stable, on(Aws, account = "123456789012", region = UsEast1))]
pub struct West;

/// The same data centre, in an account that the test server's credentials are not of.
#[data_centre(name = "west", env = Staging, channel = Stable, on(Aws, account = "999999999999", region = UsEast1))]
pub struct WrongAccount;

/// A second environment, after staging.
#[environment("prod")]
pub struct Prod;

/// Its data centre.
#[data_centre(name = "east", env = Prod, channel = Stable, on(Aws, account = "123456789012", region = UsEast1))]
pub struct East;

/// The variable that names the port on this machine that [`Variant::Checked`]'s health check asks.
pub const PORT: &str = "E2E_PORT";

/// What is to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// Three blocks: a VPC with a subnet, a group, an instance. The kill tests go through every call of it.
    OneEach,
    /// Three blocks: a VPC with two subnets, two groups of which one admits the other, an instance.
    Base,
    /// [`Variant::Base`], with another description of the group that the instance is in: it has to be replaced.
    GroupReplaced,
    /// [`Variant::Base`], with the first subnet in another zone: it keeps its range, so the old one goes first, and the
    /// instance in it before.
    ZoneChanged,
    /// [`Variant::Base`], with another name for the VPC, and the second group in the network's block.
    Moved,
    /// [`Variant::Base`], with the first group protected.
    Protected,
    /// A VPC in staging whose health is a port of this machine, and one in production.
    Checked,
    /// [`Variant::Base`] without the block of the instance.
    NoHost,
    /// [`Variant::Base`] without the blocks of the groups and of the instance.
    NetworkAlone,
    /// 500 Elastic IPs in ten blocks: one call each, and no object that another one needs.
    Wide,
    /// A VPC with twelve subnets, six groups and two instances, in three blocks.
    Many,
    /// [`Variant::OneEach`] in an account that is not ours.
    OtherAccount,
    /// [`Variant::OneEach`] by another name.
    OtherInfra,
    /// A block whose name has a slash.
    Slash,
    /// A block whose name has a dot.
    Dot,
    /// No data centre and no block.
    Empty,
    /// The example, `infra-defs`.
    Example,
}

impl Variant {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::OneEach,
        Self::Base,
        Self::GroupReplaced,
        Self::ZoneChanged,
        Self::Moved,
        Self::Protected,
        Self::Checked,
        Self::NoHost,
        Self::NetworkAlone,
        Self::Wide,
        Self::Many,
        Self::OtherAccount,
        Self::OtherInfra,
        Self::Slash,
        Self::Dot,
        Self::Empty,
        Self::Example,
    ];

    /// What [`VARIANT`] says.
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    fn sizes(self) -> Sizes {
        match self {
            Self::OneEach | Self::OtherAccount | Self::OtherInfra => Sizes { subnets: 1, groups: 1, hosts: 1 },
            Self::Many => Sizes { subnets: 12, groups: 6, hosts: 2 },
            _ => Sizes { subnets: 2, groups: 2, hosts: 1 },
        }
    }
}

struct Sizes {
    subnets: u32,
    groups: u32,
    hosts: u32,
}

/// The variant that [`VARIANT`] names.
///
/// # Panics
/// Where it names none: that is a mistake in a test.
#[expect(clippy::disallowed_methods, reason = "the tests choose the variant by it")]
pub fn infrastructure() -> Infrastructure {
    let given = std::env::var(VARIANT).unwrap_or_default();
    let variant = Variant::ALL.into_iter().find(|variant| variant.name() == given);
    let variant = variant.unwrap_or_else(|| panic!("{VARIANT} is `{given}`; it is one of {:?}", Variant::ALL));
    if variant == Variant::Example {
        return infra_defs::infrastructure();
    }
    let infra = Infrastructure::new(if variant == Variant::OtherInfra { "somebody-else" } else { "end-to-end" });
    match variant {
        Variant::Empty | Variant::Example => {}
        Variant::OtherAccount => blocks(&infra.dc(WrongAccount), variant),
        Variant::Checked => {
            infra.environments::<(Staging, Prod)>();
            let port = std::env::var(PORT).ok().and_then(|port| port.parse().ok()).unwrap_or(1);
            infra.dc(West).block("network", alone, (cidr!("10.7.0.0/16"), Some(port)));
            infra.dc(East).block("network", alone, (cidr!("10.8.0.0/16"), None));
        }
        Variant::Wide => {
            let dc = infra.dc(West);
            for n in 0..10 {
                dc.block(format!("addresses-{n}"), addresses, 50);
            }
        }
        _ => blocks(&infra.dc(West), variant),
    }
    infra
}

fn blocks<D: AwsDc>(dc: &Dc<D>, variant: Variant) {
    let Sizes { subnets, groups, hosts } = variant.sizes();
    let name = match variant {
        Variant::Slash => "net/work",
        Variant::Dot => "net.work",
        _ => "network",
    };
    let zone = usize::from(variant == Variant::ZoneChanged);
    let moved = variant == Variant::Moved;
    let net = dc.block(name, network, &NetworkParams { cidr: cidr!("10.7.0.0/16"), subnets, zone, moved });
    if variant == Variant::NetworkAlone {
        return;
    }
    let description = if variant == Variant::GroupReplaced { "applications, renamed" } else { "applications" };
    let protected = variant == Variant::Protected;
    let groups = if moved { 1 } else { groups };
    let security = dc.block("security", security, (&net, &SecurityParams { groups, description, protected }));
    if variant != Variant::NoHost {
        dc.block("host", host, (&net, &security, &HostParams { ami: KNOWN_IMAGE, hosts }));
    }
}

/// What differs between networks.
#[derive(Args)]
pub struct NetworkParams {
    /// The addresses of the VPC.
    pub cidr: Cidr,
    /// How many subnets it has.
    pub subnets: u32,
    /// In which of the zones the first one lies.
    pub zone: usize,
    /// Whether the VPC has another name than before, and a group came from another block.
    pub moved: bool,
}

/// What other blocks use of a network.
#[derive(Args)]
pub struct Network<D> {
    /// The VPC.
    pub vpc: Ref<VpcId, D>,
    /// The first subnet.
    pub subnet: Ref<SubnetId, D>,
    /// The group that came from another block.
    pub admin: Option<Ref<SecurityGroupId, D>>,
}

/// A VPC whose health is a port of this machine, if one is given.
pub fn alone<D: AwsDc>(b: &Block<D>, (cidr, port): (Cidr, Option<u16>)) {
    b.put("main", Vpc { cidr });
    if let Some(port) = port {
        let open = tcp(format!("127.0.0.1:{port}")).passes(2).every(Duration::from_millis(100));
        b.check("open", open.within(Duration::from_secs(2)));
    }
}

/// So many Elastic IPs.
pub fn addresses<D: AwsDc>(b: &Block<D>, count: u32) {
    for n in 0..count {
        b.put(format!("address-{n}"), ElasticIp {});
    }
}

/// A VPC with subnets.
pub fn network<D: AwsDc>(b: &Block<D>, p: &NetworkParams) -> Network<D> {
    let name = if p.moved { "core" } else { "main" };
    let mut vpc = b.put(name, Vpc { cidr: p.cidr }).dns_hostnames(true).tags([("team", "infra")]);
    if p.moved {
        vpc = vpc.moved_from("main");
    }
    let admin = p.moved.then(|| {
        let group = b.put("admin", SecurityGroup { vpc, description: "administrators" });
        group.ingress([Rule::tcp(22, cidr!("192.0.2.0/24"))]).moved_from("security.admin-1").id()
    });
    let subnet = |n: u32| {
        let zones = D::zones();
        let zone = zones[if n == 0 { p.zone % zones.len() } else { 0 }];
        b.put(format!("subnet-{n}"), Subnet { vpc, zone, cidr: p.cidr.subnet(24, n) }).public_ip(true).id()
    };
    let first = subnet(0);
    (1..p.subnets).for_each(|n| {
        subnet(n);
    });
    Network { vpc: vpc.id(), subnet: first, admin }
}

/// What differs between groups.
#[derive(Args)]
pub struct SecurityParams {
    /// How many groups there are.
    pub groups: u32,
    /// What the first one is for.
    pub description: &'static str,
    /// Whether the first one is protected.
    pub protected: bool,
}

/// What other blocks use of the groups.
#[derive(Args)]
pub struct Security<D> {
    /// The first group.
    pub app: Ref<SecurityGroupId, D>,
}

/// Groups, of which the others are admitted by the first.
pub fn security<D: AwsDc>(b: &Block<D>, (net, p): (&Network<D>, &SecurityParams)) -> Security<D> {
    let vpc = net.vpc;
    let others = (1..p.groups).map(|n| {
        let group = b.put(format!("admin-{n}"), SecurityGroup { vpc, description: "administrators" });
        group.ingress([Rule::tcp(22, cidr!("192.0.2.0/24"))]).id()
    });
    let others = others.chain(net.admin);
    let admitted = others.map(|group| Rule::tcp_from(22, group)).chain([Rule::tcp(443, cidr!("10.7.0.0/16"))]);
    let mut app = b
        .put("app", SecurityGroup { vpc, description: p.description })
        .ingress(admitted.collect::<Vec<_>>())
        .tags([("team", "infra")]);
    if p.protected {
        app = app.prevent_destroy();
    }
    Security { app: app.id() }
}

/// What differs between hosts.
#[derive(Args)]
pub struct HostParams {
    /// The image.
    pub ami: &'static str,
    /// How many hosts there are.
    pub hosts: u32,
}

/// What other blocks use of the hosts.
#[derive(Args)]
pub struct Hosts<D> {
    /// All of them.
    pub all: Vec<Ref<InstanceId, D>>,
}

/// Instances in the first subnet and the first group.
pub fn host<D: AwsDc>(b: &Block<D>, (net, security, p): (&Network<D>, &Security<D>, &HostParams)) -> Hosts<D> {
    let all = (0..p.hosts).map(|n| {
        let instance = Instance { subnet: net.subnet, ami: p.ami, instance_type: "t3.micro" };
        b.put(format!("host-{n}"), instance).security_groups([security.app]).tags([("team", "infra")]).id()
    });
    Hosts { all: all.collect() }
}
