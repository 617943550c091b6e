//! Security groups: stateful, and they only let through.

use provision_core::reach::{Step, Traffic, Verdict};
use provision_core::value::Expr;

use super::model::{Id, Item, Model, within};
use super::places::{Groups, Leg};
use super::reach::End;

/// Whether the groups of a leg let the traffic out to the other end, or in from it.
pub(super) fn pass(
    model: &Model<'_>,
    leg: &Leg<'_>,
    direction: &'static str,
    other: &End<'_>,
    traffic: Traffic,
) -> Step {
    let groups = match &leg.groups {
        Groups::None => return Step { verdict: Verdict::Yes, because: format!("no group filters the {direction}") },
        Groups::Any => {
            let because = format!("{direction}: anything in {} has groups of its own", leg.subnet.words());
            return Step { verdict: Verdict::May, because };
        }
        Groups::Of(groups) => groups,
    };
    let mut best = Step {
        verdict: Verdict::No,
        because: match &groups[..] {
            [] => format!("{direction}: it has no security group"),
            groups => {
                let names: Vec<String> = groups.iter().map(|group| group.words()).collect();
                format!("{direction} of {}: no rule for {traffic} with {}", names.join(", "), other.words())
            }
        },
    };
    for id in groups {
        let Some(group) = model.get(*id, "aws_security_group") else {
            if best.verdict < Verdict::May {
                let because = format!("{direction} of {}: its rules are not known", id.words());
                best = Step { verdict: Verdict::May, because };
            }
            continue;
        };
        for rule in rules(group, direction) {
            let verdict = matches(rule, traffic).and(peer(rule, group, other));
            if verdict > best.verdict {
                best = Step { verdict, because: format!("{direction} of {}: {}", group.addr, words(rule, group)) };
            }
        }
        if group.field(direction).is_some_and(|rules| rules.as_list().is_none()) {
            best.verdict = best.verdict.or(Verdict::May);
        }
    }
    best
}

/// The rules of a direction.
pub(super) fn rules<'a>(group: Item<'a>, direction: &str) -> &'a [Expr] {
    group.items(direction)
}

fn text<'a>(rule: &'a Expr, name: &str) -> Option<&'a str> {
    rule.as_map()?.get(name)?.as_text()
}

fn port(rule: &Expr, name: &str) -> Option<i64> {
    rule.as_map()?.get(name)?.as_int()
}

/// Whether a rule is about the traffic.
pub(super) fn matches(rule: &Expr, traffic: Traffic) -> Verdict {
    let (protocol, number) = match traffic {
        Traffic::Tcp(port) => ("tcp", Some(port)),
        Traffic::Udp(port) => ("udp", Some(port)),
        Traffic::Icmp => ("icmp", None),
    };
    match (text(rule, "protocol"), number) {
        (None, _) => Verdict::May,
        (Some("all"), _) => Verdict::Yes,
        (Some(of), None) => (of == protocol).into(),
        (Some(of), Some(number)) => match (port(rule, "from_port"), port(rule, "to_port")) {
            _ if of != protocol => Verdict::No,
            (Some(from), Some(to)) => (from <= i64::from(number) && i64::from(number) <= to).into(),
            _ => Verdict::May,
        },
    }
}

/// Whether a rule is about the other end.
fn peer(rule: &Expr, group: Item<'_>, other: &End<'_>) -> Verdict {
    let Some(map) = rule.as_map() else { return Verdict::May };
    if let Some(cidr) = map.get("cidr") {
        let net = cidr.as_text().and_then(|text| text.parse().ok());
        return net.map_or(Verdict::May, |net| within(other.addresses(), net));
    }
    let Some(named) = map.get("group").and_then(Id::of) else { return Verdict::May };
    let wanted = if named == Id::Theirs("self") { group.id() } else { named };
    match other {
        End::Net(_) => Verdict::No,
        End::Leg(leg) => match &leg.groups {
            Groups::None => Verdict::No,
            Groups::Any => Verdict::May,
            Groups::Of(groups) => groups.iter().fold(Verdict::No, |so_far, one| so_far.or(one.is(wanted))),
        },
    }
}

/// A rule as people read it.
pub(super) fn words(rule: &Expr, group: Item<'_>) -> String {
    let protocol = text(rule, "protocol").unwrap_or("?");
    let ports = match (port(rule, "from_port"), port(rule, "to_port")) {
        (Some(from), Some(to)) if from == to => format!(" {from}"),
        (Some(from), Some(to)) => format!(" {from}-{to}"),
        _ => String::new(),
    };
    let peer = match rule.as_map().and_then(|map| map.get("group").or_else(|| map.get("cidr"))).and_then(Id::of) {
        Some(Id::Theirs("self")) => group.addr.to_string(),
        Some(id) => id.words(),
        None => "?".to_owned(),
    };
    format!("{protocol}{ports} with {peer}")
}
