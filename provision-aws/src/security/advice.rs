//! What AWS takes, and is probably not meant.

use std::collections::BTreeSet;

use ipnet::IpNet;
use provision_core::desired::{Desired, Finding};
use provision_core::id::ResourceAddr;
use provision_core::reach::Verdict;
use provision_core::value::{Expr, Symbol};

use super::groups::{rules, words};
use super::model::{Id, Item, Model};
use super::routes;

/// Ports that are meant for everybody: HTTP and HTTPS.
const FOR_ALL: [(i64, i64); 2] = [(80, 80), (443, 443)];

/// All of it.
pub(crate) fn advice(desired: &Desired) -> Vec<Finding> {
    let model = Model::of(desired);
    let mut found = Vec::new();
    overlaps(&model, &mut found);
    open_rules(&model, &mut found);
    without_routes(&model, &mut found);
    unused_groups(&model, &mut found);
    found
}

fn finding(item: Item<'_>, field: Option<&str>, problem: String) -> Finding {
    let subject = field.map_or_else(|| item.addr.to_string(), |field| format!("{}, field {field}", item.addr));
    Finding { location: item.of.location.clone(), subject, problem }
}

fn overlap(a: IpNet, b: IpNet) -> bool {
    a.contains(&b) || b.contains(&a)
}

/// VPCs that share addresses can never be connected; subnets that do cannot both be made.
fn overlaps(model: &Model<'_>, found: &mut Vec<Finding>) {
    let nets = |type_name| -> Vec<(Item<'_>, IpNet)> {
        model.types(type_name).filter_map(|item| Some((item, item.net("cidr")?))).collect()
    };
    let (vpcs, subnets) = (nets("aws_vpc"), nets("aws_subnet"));
    for (n, (vpc, net)) in vpcs.iter().enumerate() {
        for (other, theirs) in vpcs.iter().take(n).filter(|(_, theirs)| overlap(*net, *theirs)) {
            let problem = format!(
                "{net} overlaps {theirs} of {}: the two can never be connected; give each VPC addresses of its own",
                other.addr
            );
            found.push(finding(*vpc, Some("cidr"), problem));
        }
    }
    for (n, (subnet, net)) in subnets.iter().enumerate() {
        let vpc = subnet.refers("vpc");
        let of = vpc.and_then(|id| vpcs.iter().find(|(vpc, _)| vpc.id() == id));
        if let Some((vpc, outer)) = of.filter(|(_, outer)| !outer.contains(net)) {
            let problem = format!("{net} is not within {outer} of {}", vpc.addr);
            found.push(finding(*subnet, Some("cidr"), problem));
        }
        let same = |other: &Item<'_>| vpc.zip(other.refers("vpc")).is_some_and(|(a, b)| a.is(b) == Verdict::Yes);
        for (other, theirs) in subnets.iter().take(n).filter(|(other, theirs)| overlap(*net, *theirs) && same(other)) {
            let problem = format!("{net} overlaps {theirs} of {}, in the same VPC", other.addr);
            found.push(finding(*subnet, Some("cidr"), problem));
        }
    }
}

fn open_rules(model: &Model<'_>, found: &mut Vec<Finding>) {
    for group in model.types("aws_security_group") {
        for rule in rules(group, "ingress") {
            let Some(map) = rule.as_map() else { continue };
            let net: Option<IpNet> = map.get("cidr").and_then(Expr::as_text).and_then(|text| text.parse().ok());
            let int = |name: &str| map.get(name).and_then(Expr::as_int);
            let for_all = int("from_port").zip(int("to_port")).is_some_and(|ports| FOR_ALL.contains(&ports));
            if net.is_some_and(|net| net.prefix_len() == 0) && !for_all {
                let problem = format!("open to the world: {}; name who needs it", words(rule, group));
                found.push(finding(group, Some("ingress"), problem));
            }
        }
    }
}

fn without_routes(model: &Model<'_>, found: &mut Vec<Finding>) {
    let unknown = model.types("aws_route_table").any(|table| table.all("subnets").contains(&Id::Unknown));
    let lost = model.types("aws_subnet").filter(|subnet| !unknown && routes::table(model, subnet.id()).is_none());
    for subnet in lost {
        let problem = "in no route table: it follows the VPC's main one, which nobody describes; name it in the `subnets` of a \
                       `RouteTable`, which may have no routes";
        found.push(finding(subnet, None, problem.to_owned()));
    }
}

/// A group that only rules name lets nobody through.
fn unused_groups(model: &Model<'_>, found: &mut Vec<Finding>) {
    let mut used = BTreeSet::new();
    let users = model.items().filter(|item| item.of.type_name.as_str() != "aws_security_group");
    users.for_each(|item| item.of.inputs.values().for_each(|input| refs(input, &mut used)));
    for group in model.types("aws_security_group").filter(|group| !used.contains(group.addr)) {
        let problem = "nothing is in this group: remove it, or give it to what it is for";
        found.push(finding(group, None, problem.to_owned()));
    }
}

fn refs(input: &Expr, used: &mut BTreeSet<ResourceAddr>) {
    input.each_symbol(&mut |symbol| {
        if let Symbol::Output(output) = symbol {
            used.insert(output.resource.clone());
        }
    });
}
