//! Hosted zones, public and private, and their records.

use provision_aws::prelude::*;
use provision_aws::{Alias, HostedZone, Record, RecordType, ZoneVpc};
use provision_core::prelude::*;

use super::networks::net;
use super::{Family, Stage, tags};
use crate::infra::West;

pub(super) const FAMILY: Family = Family {
    name: "dns",
    types: &["aws_route53_zone", "aws_route53_record"],
    kept: &[],
    define: |infra, stage| {
        infra.dc(West).block("dns", dns, stage);
    },
};

fn dns<D: AwsDc>(b: &Block<D>, stage: Stage) {
    let tags = tags(stage);
    let [first, second] =
        [("first", cidr!("10.7.0.0/16")), ("second", cidr!("10.8.0.0/16"))].map(|(name, cidr)| net(b, name, cidr).vpc);
    let zone = b.put("public", HostedZone { name: "example.com" }).comment(stage.updated("", "everybody's")).tags(tags);
    let vpcs = stage.updated(vec![ZoneVpc::of(first)], vec![ZoneVpc::of(first), ZoneVpc::of(second)]);
    let inside = b
        .put("inside", HostedZone { name: stage.replaced("prod.internal", "live.internal") })
        .private(true)
        .vpcs(vpcs)
        .tags(tags);
    let vpcs = stage.replaced(vec![ZoneVpc::of(first), ZoneVpc::of(second)], vec![ZoneVpc::of(second)]);
    b.put("everywhere", HostedZone { name: "all.internal" }).private(true).vpcs(vpcs);
    let record = |name: &str, of: &str, record_type| b.put(name, Record { zone, name: of, record_type });
    let www = stage.updated(vec!["192.0.2.1"], vec!["192.0.2.1", "192.0.2.2"]);
    record("www", "www.example.com", RecordType::A).ttl(stage.updated(60, 120)).values(www);
    record("all", "*.example.com", RecordType::Txt).values(["a text", "with \"quotes\""]);
    record("mail", "example.com", RecordType::Mx).values(["10 mail.example.com"]);
    let short = record("short", "example.com", RecordType::A);
    short.alias(Alias::in_zone(zone, stage.updated("www.example.com", "db.example.com")));
    for (color, weight) in [("blue", stage.updated(10, 20)), ("green", stage.updated(20, 10))] {
        record(color, "api.example.com", RecordType::Cname)
            .values([format!("{color}.example.com")])
            .set_identifier(color)
            .weight(weight);
    }
    let name = stage.replaced("db.example.com", "database.example.com");
    record("renamed", name, RecordType::Aaaa).values(["2001:db8::1"]);
    let name = stage.replaced("db.prod.internal", "db.live.internal");
    b.put("db", Record { zone: inside, name, record_type: RecordType::A }).values(["10.7.0.9"]);
}
