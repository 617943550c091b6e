//! Routes: the most specific one that leads to an address counts.

use ipnet::IpNet;
use provision_core::reach::{Step, Verdict};
use provision_core::value::Expr;

use super::model::{Id, Item, Model, within};
use super::places::Leg;

/// Whether packets from a leg find the way to another one.
pub(super) fn between(model: &Model<'_>, from: &Leg<'_>, to: &Leg<'_>) -> Step {
    let same = if from.subnet == to.subnet && from.subnet != Id::Unknown { Verdict::Yes } else { from.vpc.is(to.vpc) };
    if same == Verdict::Yes {
        return within_vpc(model, from, to);
    }
    let (table, route) = match route(model, from.subnet, &to.addresses) {
        Found::Route(table, route) => (table, route),
        Found::No(because) if same == Verdict::No => return Step { verdict: Verdict::No, because },
        Found::No(because) | Found::May(because) => return Step { verdict: Verdict::May, because },
    };
    let (way, target) = way(route);
    let because = format!("{} leads to {} by {}", table.addr, shown(&to.addresses), words(way, target));
    let verdict = match (way, target) {
        ("vpc_peering", Some(id)) => peered(model, id, from.vpc, to.vpc),
        // The addresses of the other VPC are not on the internet.
        ("gateway", Some(id)) if model.get(id, "aws_internet_gateway").is_some() => Verdict::No,
        ("nat_gateway", _) => Verdict::No,
        _ => Verdict::May,
    };
    Step { verdict: if same == Verdict::May { Verdict::May } else { verdict }, because }
}

/// Within a VPC every subnet leads to every other one, unless a table sends that elsewhere first.
fn within_vpc(model: &Model<'_>, from: &Leg<'_>, to: &Leg<'_>) -> Step {
    let detour = table(model, from.subnet).and_then(|table| {
        let vpc = model.get(from.vpc, "aws_vpc").and_then(|vpc| vpc.net("cidr"))?;
        let inside = |route: &&Expr| net(route).is_some_and(|net| vpc.contains(&net) && net != vpc);
        table
            .items("routes")
            .iter()
            .filter(inside)
            .find(|route| net(route).is_none_or(|net| within(&to.addresses, net) != Verdict::No))
    });
    match detour {
        Some(route) => {
            let (way, target) = way(route);
            let because = format!("within the VPC, and by {}", words(way, target));
            Step { verdict: Verdict::May, because }
        }
        None => Step { verdict: Verdict::Yes, because: format!("within the VPC {}", from.vpc.words()) },
    }
}

/// Whether packets from a leg find the way to addresses outside.
pub(super) fn out(model: &Model<'_>, from: &Leg<'_>, to: &[IpNet]) -> Step {
    let (table, route) = match route(model, from.subnet, to) {
        Found::Route(table, route) => (table, route),
        Found::No(because) => return Step { verdict: Verdict::No, because },
        Found::May(because) => return Step { verdict: Verdict::May, because },
    };
    let (way, target) = way(route);
    let leads = format!("{} leads to {} by {}", table.addr, shown(to), words(way, target));
    let (verdict, because) = match (way, target) {
        ("gateway", Some(id)) if model.get(id, "aws_internet_gateway").is_some() => {
            let because = match from.public {
                Verdict::Yes => leads,
                Verdict::May => format!("{leads}; whether it has a public address is not known"),
                Verdict::No => format!("{leads}, but it has no public address"),
            };
            (from.public, because)
        }
        ("nat_gateway", Some(id)) => match model.get(id, "aws_nat_gateway") {
            Some(nat) if nat.text("connectivity") == Some("private") => (Verdict::May, leads),
            Some(nat) => beyond(model, nat, to, leads),
            None => (Verdict::May, leads),
        },
        _ => (Verdict::May, leads),
    };
    Step { verdict, because }
}

/// Whether a NAT gateway's own subnet leads to the internet.
fn beyond(model: &Model<'_>, nat: Item<'_>, to: &[IpNet], leads: String) -> (Verdict, String) {
    let Some(subnet) = nat.refers("subnet") else { return (Verdict::May, leads) };
    match route(model, subnet, to) {
        Found::Route(_, onward) => match way(onward) {
            ("gateway", Some(id)) if model.get(id, "aws_internet_gateway").is_some() => (Verdict::Yes, leads),
            _ => (Verdict::May, leads),
        },
        Found::May(_) => (Verdict::May, leads),
        Found::No(because) => (Verdict::No, format!("{leads}, but {because}")),
    }
}

/// Whether the internet finds the way to a leg: the other way round it is the same, and without a public address there is none.
pub(super) fn into(model: &Model<'_>, to: &Leg<'_>, from: &[IpNet]) -> Step {
    if to.public == Verdict::No {
        let because = format!("it has no public address in {}", to.subnet.words());
        return Step { verdict: Verdict::No, because };
    }
    let step = out(model, to, from);
    let by_nat = matches!(route(model, to.subnet, from), Found::Route(_, route) if way(route).0 == "nat_gateway");
    if by_nat {
        Step { verdict: Verdict::No, because: format!("{}, which lets nothing in", step.because) }
    } else {
        step
    }
}

enum Found<'a> {
    Route(Item<'a>, &'a Expr),
    No(String),
    May(String),
}

/// The table that a subnet follows.
pub(super) fn table<'a>(model: &'a Model<'_>, subnet: Id<'_>) -> Option<Item<'a>> {
    model.types("aws_route_table").find(|table| table.all("subnets").iter().any(|one| one.is(subnet) == Verdict::Yes))
}

/// The most specific route to addresses.
fn route<'a>(model: &'a Model<'_>, subnet: Id<'_>, to: &[IpNet]) -> Found<'a> {
    let Some(table) = table(model, subnet) else {
        let unknown = model.types("aws_route_table").any(|table| table.all("subnets").contains(&Id::Unknown));
        return match model.get(subnet, "aws_subnet") {
            Some(_) if !unknown => {
                Found::No(format!("{} is in no route table: it leads only within its VPC", subnet.words()))
            }
            _ => Found::May(format!("the route table of {} is not known", subnet.words())),
        };
    };
    if table.field("routes").is_some_and(|routes| routes.as_list().is_none()) {
        return Found::May(format!("the routes of {} are not known", table.addr));
    }
    let mut best: Option<(IpNet, &Expr)> = None;
    for route in table.items("routes") {
        let Some(net) = net(route) else {
            return Found::May(format!("{} has a route whose addresses are not known", table.addr));
        };
        match within(to, net) {
            Verdict::Yes if best.is_none_or(|(other, _)| other.prefix_len() < net.prefix_len()) => {
                best = Some((net, route));
            }
            // A part of the internet by another way is still the internet.
            Verdict::May if to.iter().any(|to| to.prefix_len() > 0) || to.is_empty() => {
                return Found::May(format!("{} leads a part of {} elsewhere", table.addr, shown(to)));
            }
            Verdict::Yes | Verdict::May | Verdict::No => {}
        }
    }
    match best {
        Some((_, route)) => Found::Route(table, route),
        None => Found::No(format!("{} has no route to {}", table.addr, shown(to))),
    }
}

fn net(route: &Expr) -> Option<IpNet> {
    route.as_map()?.get("cidr")?.as_text()?.parse().ok()
}

/// The way that a route names, and what it leads to.
fn way(route: &Expr) -> (&str, Option<Id<'_>>) {
    let parts = route.as_map().into_iter().flatten();
    let mut ways = parts.filter(|(name, _)| !matches!(name.as_str(), "cidr" | "prefix_list"));
    ways.next().map_or(("nothing", None), |(name, target)| (name.as_str(), Id::of(target)))
}

fn words(way: &str, target: Option<Id<'_>>) -> String {
    let way = way.replace('_', " ");
    target.map_or_else(|| way.clone(), |target| format!("the {way} {}", target.words()))
}

pub(super) fn shown(nets: &[IpNet]) -> String {
    match nets {
        [] => "an address that is not known".to_owned(),
        nets => nets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// Whether a peering connects two VPCs.
fn peered(model: &Model<'_>, id: Id<'_>, a: Id<'_>, b: Id<'_>) -> Verdict {
    // The accepter's side names the connection that it accepts.
    let accepter = model.get(id, "aws_vpc_peering_connection_accepter");
    let requested = accepter.and_then(|accepter| accepter.refers("peering")).unwrap_or(id);
    let Some(peering) = model.get(requested, "aws_vpc_peering_connection") else { return Verdict::May };
    let ends = (peering.refers("vpc"), peering.refers("peer"));
    let (Some(one), Some(other)) = ends else { return Verdict::May };
    one.is(a).and(other.is(b)).or(one.is(b).and(other.is(a)))
}
