//! What a place has on the network: in which subnets, with which groups and addresses.

use ipnet::IpNet;
use provision_core::id::ResourceAddr;
use provision_core::reach::{Unanswered, Verdict};

use super::model::{Id, Item, Model, address};

/// One leg of a place.
#[derive(Debug, Clone)]
pub(super) struct Leg<'a> {
    pub(super) subnet: Id<'a>,
    /// The VPC of the subnet.
    pub(super) vpc: Id<'a>,
    /// The groups whose rules hold for it; `None` where it has none that filter.
    pub(super) groups: Groups<'a>,
    /// The addresses that it can have; none where they are not known.
    pub(super) addresses: Vec<IpNet>,
    /// Whether it has an address that the internet reaches.
    pub(super) public: Verdict,
}

/// The groups of a leg.
#[derive(Debug, Clone)]
pub(super) enum Groups<'a> {
    /// These.
    Of(Vec<Id<'a>>),
    /// Nothing filters: network balancers without groups.
    None,
    /// Anything can be there: the place is a whole subnet.
    Any,
}

const INSTEAD: &str =
    "an instance, a network interface, a group of instances, a balancer, an endpoint, a subnet or a VPC";

pub(super) fn legs<'a>(model: &'a Model<'_>, addr: &ResourceAddr) -> Result<Vec<Leg<'a>>, Unanswered> {
    let item = model.items().find(|item| item.addr == addr);
    let item = item.ok_or_else(|| Unanswered::Unknown { addr: addr.clone() })?;
    let one = |subnet: Option<Id<'a>>, groups: Groups<'a>, public: Option<Verdict>| {
        leg(model, subnet.unwrap_or(Id::Unknown), groups, item.text("private_ip"), public)
    };
    let several = |groups: &Groups<'a>, public: Option<Verdict>| {
        let subnets = item.all("subnets");
        let subnets = if subnets.is_empty() { vec![Id::Unknown] } else { subnets };
        subnets.into_iter().map(|subnet| leg(model, subnet, groups.clone(), None, public)).collect()
    };
    Ok(match item.of.type_name.as_str() {
        "aws_instance" => {
            let public = has_address(model, "instance", item).or(item_public(model, item));
            vec![one(item.refers("subnet"), groups(item), Some(public))]
        }
        "aws_network_interface" => {
            let public = has_address(model, "network_interface", item);
            vec![one(item.refers("subnet"), groups(item), Some(public))]
        }
        "aws_autoscaling_group" => {
            let template = item.refers("template").and_then(|id| model.get(id, "aws_launch_template"));
            let groups = template.map_or(Groups::Of(vec![Id::Unknown]), groups);
            several(&groups, None)
        }
        "aws_lb" => {
            let outside = match item.on("internal") {
                Verdict::Yes => Verdict::No,
                Verdict::May => Verdict::May,
                Verdict::No => Verdict::Yes,
            };
            let network = item.text("load_balancer_type") == Some("network");
            let groups = match groups(item) {
                Groups::Of(none) if none.is_empty() && network => Groups::None,
                groups => groups,
            };
            several(&groups, Some(outside))
        }
        "aws_vpc_endpoint" => several(&groups(item), Some(Verdict::No)),
        "aws_subnet" => vec![leg(model, item.id(), Groups::Any, None, None)],
        "aws_vpc" => model
            .types("aws_subnet")
            .filter(|subnet| subnet.refers("vpc").is_some_and(|vpc| vpc.is(item.id()) == Verdict::Yes))
            .map(|subnet| leg(model, subnet.id(), Groups::Any, None, None))
            .collect(),
        other => {
            let (addr, type_name) = (addr.clone(), other.to_owned());
            return Err(Unanswered::NoPlace { addr, type_name, instead: INSTEAD });
        }
    })
}

fn groups(item: Item<'_>) -> Groups<'_> {
    Groups::Of(item.all("security_groups"))
}

/// Whether an Elastic IP is associated with it.
fn has_address(model: &Model<'_>, field: &str, item: Item<'_>) -> Verdict {
    let addresses = model.types("aws_elastic_ip").filter_map(|address| address.refers(field));
    addresses.fold(Verdict::No, |so_far, holder| match holder {
        Id::Ours(addr) => so_far.or((addr == item.addr).into()),
        Id::Theirs(_) => so_far,
        Id::Unknown => so_far.or(Verdict::May),
    })
}

/// Whether its subnet gives it one.
fn item_public(model: &Model<'_>, item: Item<'_>) -> Verdict {
    match item.refers("subnet").and_then(|id| model.get(id, "aws_subnet")) {
        Some(subnet) => subnet.on("public_ip"),
        None => Verdict::May,
    }
}

fn leg<'a>(
    model: &'a Model<'_>,
    subnet: Id<'a>,
    groups: Groups<'a>,
    own: Option<&str>,
    public: Option<Verdict>,
) -> Leg<'a> {
    let known = model.get(subnet, "aws_subnet");
    let addresses = own.and_then(address).or_else(|| known.and_then(|subnet| subnet.net("cidr")));
    Leg {
        subnet,
        vpc: known.and_then(|subnet| subnet.refers("vpc")).unwrap_or(Id::Unknown),
        groups,
        addresses: addresses.into_iter().collect(),
        public: public.unwrap_or_else(|| known.map_or(Verdict::May, |subnet| subnet.on("public_ip"))),
    }
}
