//! Network ACLs: of subnets, stateless, in the order of their numbers, and the first entry that fits decides.

use ipnet::IpNet;
use provision_core::reach::{Step, Traffic, Verdict};
use provision_core::value::Expr;

use super::groups::matches;
use super::model::{Id, Item, Model, within};

/// Ports that answers go to, as widely as AWS says that clients choose them:
/// <https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports>.
const EPHEMERAL: (i64, i64) = (1024, 65535);

/// What crosses the edge of a subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packets {
    /// Those that ask.
    Request(Traffic),
    /// Those that answer: to a port that nobody knows beforehand.
    Answer(Traffic),
}

/// Whether the ACL of a subnet lets packets through.
pub(super) fn pass(
    model: &Model<'_>,
    subnet: Id<'_>,
    direction: &'static str,
    addresses: &[IpNet],
    packets: Packets,
) -> Step {
    let what = match packets {
        Packets::Request(traffic) => traffic.to_string(),
        Packets::Answer(_) => "answers".to_owned(),
    };
    let acl =
        model.types("aws_network_acl").find(|acl| acl.all("subnets").iter().any(|one| one.is(subnet) == Verdict::Yes));
    let Some(acl) = acl else {
        let unknown = model.types("aws_network_acl").any(|acl| acl.all("subnets").contains(&Id::Unknown));
        let ours = model.get(subnet, "aws_subnet").is_some();
        let verdict = if ours && !unknown { Verdict::Yes } else { Verdict::May };
        let whose = if ours { "the VPC's default ACL lets everything through" } else { "its ACL is not known" };
        return Step { verdict, because: format!("{direction} of {}: {whose}", subnet.words()) };
    };
    let (verdict, by) = decide(acl, direction, addresses, packets);
    Step { verdict, because: format!("{direction} of the ACL {} for {what}: {by}", acl.addr) }
}

fn decide(acl: Item<'_>, direction: &str, addresses: &[IpNet], packets: Packets) -> (Verdict, String) {
    let mut entries: Vec<(i64, &Expr)> =
        acl.items(direction).iter().map(|entry| (int(entry, "number").unwrap_or(i64::MAX), entry)).collect();
    entries.sort_by_key(|(number, _)| *number);
    // What entries that may fit would do.
    let (mut allowed, mut denied) = (false, false);
    for (number, entry) in entries {
        let allows = text(entry, "action") == Some("allow");
        let net = text(entry, "cidr").and_then(|text| text.parse().ok());
        let fits = about(entry, packets).and(net.map_or(Verdict::May, |net| within(addresses, net)));
        match fits {
            Verdict::No => {}
            Verdict::May if allows => allowed = true,
            Verdict::May => denied = true,
            Verdict::Yes => {
                let verdict = match (allows, allowed, denied) {
                    (true, _, false) => Verdict::Yes,
                    (false, false, _) => Verdict::No,
                    _ => Verdict::May,
                };
                let does = if allows { "allows" } else { "denies" };
                return (verdict, format!("entry {number} {does} it"));
            }
        }
    }
    match allowed {
        true => (Verdict::May, "an entry allows a part of it".to_owned()),
        false => (Verdict::No, "no entry allows it".to_owned()),
    }
}

/// Whether an entry is about the packets, all of them.
fn about(entry: &Expr, packets: Packets) -> Verdict {
    let traffic = match packets {
        Packets::Request(traffic) | Packets::Answer(traffic @ Traffic::Icmp) => return matches(entry, traffic),
        Packets::Answer(traffic) => traffic,
    };
    let protocol = if matches!(traffic, Traffic::Udp(_)) { "udp" } else { "tcp" };
    match (text(entry, "protocol"), int(entry, "from_port"), int(entry, "to_port")) {
        (Some("all"), ..) => Verdict::Yes,
        (Some(of), ..) if of != protocol => Verdict::No,
        (Some(_), Some(from), Some(to)) if from <= EPHEMERAL.0 && EPHEMERAL.1 <= to => Verdict::Yes,
        (Some(_), Some(from), Some(to)) if to < EPHEMERAL.0 || from > EPHEMERAL.1 => Verdict::No,
        _ => Verdict::May,
    }
}

fn text<'a>(entry: &'a Expr, name: &str) -> Option<&'a str> {
    entry.as_map()?.get(name)?.as_text()
}

fn int(entry: &Expr, name: &str) -> Option<i64> {
    entry.as_map()?.get(name)?.as_int()
}
