//! What authors write, and the schemas that it becomes.

use std::fmt::Write as _;

use provision_core::prelude::*;
use provision_core::provider::Provider as _;
use provision_core::schema::Reads;

use super::{Prod, UsEast, findings};
use crate::prelude::*;
use crate::{Aws, Instance, Rule, SecurityGroup, Subnet, UsEast1, Vpc};

#[data_centre(name = "us-east", env = Prod, channel = Stable, on(Aws, account = "12345", region = UsEast1))]
struct ShortAccount;

fn wrong<D: AwsDc>(b: &Block<D>, (): ()) {
    let vpc = b.put("main", Vpc { cidr: cidr!("10.0.0.0/8") }).dns_support(false).dns_hostnames(true);
    let [zone, ..] = D::zones();
    let subnet = b.put("subnet", Subnet { vpc, zone, cidr: cidr!("10.0.0.0/29") });
    let group = SecurityGroup { vpc, description: "größer" };
    #[expect(clippy::reversed_empty_ranges, reason = "what is tested")]
    b.put("group", group).name("sg-x").ingress([Rule::tcp_ports(9..=5, cidr!("10.0.0.0/8"))]);
    b.put("host", Instance { subnet, ami: "debian", instance_type: "t3.micro" }).user_data("x".repeat(20_000));
}

#[test]
fn what_aws_would_refuse_is_found() {
    insta::assert_snapshot!(findings(ShortAccount, "net", wrong));
}

/// The default of `egress` is what its author would write: the two must not differ.
#[test]
fn all_outbound_is_a_rule() {
    fn groups<D: AwsDc>(b: &Block<D>, (): ()) {
        let vpc = b.put("main", Vpc { cidr: cidr!("10.0.0.0/16") });
        b.put("default", SecurityGroup { vpc, description: "x" });
        b.put("same", SecurityGroup { vpc, description: "x" }).egress([Rule::all(cidr!("0.0.0.0/0"))]);
    }
    let infra = Infrastructure::new("example");
    infra.dc(UsEast).block("net", groups, ());
    let desired = infra.finish().unwrap();
    let resources = &desired.blocks[&"us-east.net".parse().unwrap()].resources;
    let egress = |name: &str| &resources[&name.parse().unwrap()].inputs["egress"];
    assert_eq!(egress("default"), egress("same"));
}

/// The schemas, a field a line: what calls and logs are made from changes only on purpose.
#[test]
fn schemas() {
    let mut text = String::new();
    for schema in Aws.schemas() {
        writeln!(text, "{} {} version {}", schema.provider, schema.type_name, schema.version).unwrap();
        for field in schema.fields {
            let (kind, role) = (field.kind, field.role);
            let unread = if field.reads == Reads::Unread { ", Unread" } else { "" };
            writeln!(text, "  {}: {kind:?}, {role:?}, {:?}, {:?}{unread}", field.name, field.on_change, field.grain)
                .unwrap();
        }
    }
    insta::assert_snapshot!(text);
}
