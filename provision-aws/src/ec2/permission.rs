//! The rules of a security group: as definitions write them, and as EC2's permissions.
//!
//! A definition's rule is a map: `{"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr": "10.0.0.0/8"}`, with
//! `"group"` in place of `"cidr"` for a group as the source or destination (`"self"` for the group that the rule is
//! in). For ICMP the ports are type and code, -1 for all. The protocol `all` has no ports.

use std::collections::{BTreeMap, BTreeSet};

use provision_core::value::{Tree, Value};

use crate::table::calls::{Part, canonical_cidr, parts};

/// How the group that a rule is in stands in the rule itself.
pub(crate) const SELF: &str = "self";

/// The protocol that stands for all.
const ALL: &str = "all";
/// The same in EC2's words.
const ALL_IN_EC2: &str = "-1";

/// One rule, for one source or destination.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rule {
    /// `tcp`, `udp`, `icmp`, `all`, or what else EC2 answers.
    pub(crate) protocol: String,
    /// First and last port; none for `all`.
    pub(crate) ports: Option<(i64, i64)>,
    /// Who is let in, or may be reached.
    pub(crate) peer: Peer,
}

/// Who is let in, or may be reached.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer {
    /// A network.
    Cidr(String),
    /// The members of another group.
    Group(String),
    /// The members of the group itself.
    Own,
    /// A prefix list: definitions cannot write it, but somebody else may have.
    PrefixList(String),
}

/// Who wrote a rule: what a definition writes has to be in the one form that compares, what the cloud holds may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The definition.
    Definition,
    /// A read.
    Cloud,
}

/// A group's rules in one direction.
pub(crate) type Rules = BTreeSet<Rule>;

impl Rule {
    /// The rule that AWS gives to every new group, for the way out.
    pub(crate) fn default_egress() -> Self {
        Self { protocol: ALL.to_owned(), ports: None, peer: Peer::Cidr("0.0.0.0/0".to_owned()) }
    }

    /// The rule in EC2's words; any form of "all protocols" and "all ports" becomes one.
    pub(crate) fn observed(protocol: &str, ports: (Option<i64>, Option<i64>), peer: Peer) -> Self {
        let all = protocol == ALL_IN_EC2;
        let ports = match ports {
            (Some(from), Some(to)) if !all => Some((from, to)),
            _ => None,
        };
        Self { protocol: if all { ALL } else { protocol }.to_owned(), ports, peer }
    }

    fn parse(value: &Value, source: Source) -> Result<Self, String> {
        let map = value.as_map().ok_or("a rule is a map")?;
        let known = ["protocol", "from_port", "to_port", "cidr", "group", "prefix_list"];
        if let Some(unknown) = map.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(format!("a rule has no `{unknown}`"));
        }
        let text = |name: &str| map.get(name).and_then(Value::as_text);
        let protocol = match text("protocol") {
            Some(ALL_IN_EC2) => ALL,
            Some(protocol) => protocol,
            None => return Err("a rule has a `protocol`: tcp, udp, icmp or all".to_owned()),
        };
        let port = |name: &str| map.get(name).and_then(Value::as_int);
        let ports = match (protocol, port("from_port"), port("to_port")) {
            (ALL, None, None) => None,
            (ALL, _, _) => return Err("a rule for all protocols has no ports".to_owned()),
            (_, Some(from), Some(to)) => Some((from, to)),
            // Protocols by number have no ports; only somebody else's rules have them.
            (_, None, None) if source == Source::Cloud => None,
            _ => return Err(format!("a rule for {protocol} has `from_port` and `to_port`")),
        };
        if let (true, Some((from, to))) = (matches!(protocol, "tcp" | "udp"), ports)
            && !(0 <= from && from <= to && to <= 65535)
        {
            return Err(format!("ports go from 0 to 65535, the lower one first; given are {from} and {to}"));
        }
        let peer = match (text("cidr"), text("group"), text("prefix_list")) {
            (Some(cidr), None, None) => {
                if source == Source::Definition {
                    canonical_cidr(cidr)?;
                }
                Peer::Cidr(cidr.to_owned())
            }
            (None, Some(SELF), None) => Peer::Own,
            (None, Some(group), None) => Peer::Group(group.to_owned()),
            (None, None, Some(list)) => Peer::PrefixList(list.to_owned()),
            _ => return Err("a rule has either a `cidr` or a `group`".to_owned()),
        };
        Ok(Self { protocol: protocol.to_owned(), ports, peer })
    }

    fn value(&self) -> Value {
        let (kind, peer) = match &self.peer {
            Peer::Cidr(cidr) => ("cidr", cidr.as_str()),
            Peer::Group(group) => ("group", group.as_str()),
            Peer::Own => ("group", SELF),
            Peer::PrefixList(list) => ("prefix_list", list.as_str()),
        };
        let mut map = BTreeMap::from([
            ("protocol".to_owned(), self.protocol.as_str().into()),
            (kind.to_owned(), Value::from(peer)),
        ]);
        if let Some((from, to)) = self.ports {
            map.insert("from_port".to_owned(), from.into());
            map.insert("to_port".to_owned(), to.into());
        }
        Value::Map(map)
    }

    /// The rule as one of EC2's `IpPermissions`, in the group with this id.
    pub(crate) fn permission(&self, own: &Part) -> Part {
        let protocol = if self.protocol == ALL { ALL_IN_EC2 } else { &self.protocol };
        let group = |id: Part| ("UserIdGroupPairs", Tree::List(vec![parts([("GroupId", id)])]));
        let (name, peer) = match &self.peer {
            Peer::Cidr(cidr) if cidr.contains(':') => {
                ("Ipv6Ranges", Tree::List(vec![parts([("CidrIpv6", cidr.as_str().into())])]))
            }
            Peer::Cidr(cidr) => ("IpRanges", Tree::List(vec![parts([("CidrIp", cidr.as_str().into())])])),
            Peer::Group(id) => group(id.as_str().into()),
            Peer::Own => group(own.clone()),
            Peer::PrefixList(list) => {
                ("PrefixListIds", Tree::List(vec![parts([("PrefixListId", list.as_str().into())])]))
            }
        };
        match self.ports {
            None => parts([("IpProtocol", protocol.into()), (name, peer)]),
            Some((from, to)) => {
                parts([("IpProtocol", protocol.into()), ("FromPort", from.into()), ("ToPort", to.into()), (name, peer)])
            }
        }
    }
}

/// The rules of a field.
pub(crate) fn parse(list: &[Value], source: Source) -> Result<Rules, String> {
    list.iter().map(|value| Rule::parse(value, source)).collect()
}

/// The rules as a field, in the order that the schema's normal form has.
pub(crate) fn value(rules: &Rules) -> Value {
    let mut list: Vec<Value> = rules.iter().map(Rule::value).collect();
    list.sort();
    Value::List(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(json: &str) -> Result<Rule, String> {
        Rule::parse(&serde_json::from_str(json).unwrap(), Source::Definition)
    }

    #[test]
    fn rules_survive_their_fields() {
        for json in [
            r#"{"cidr":"10.0.0.0/8","from_port":22,"protocol":"tcp","to_port":22}"#,
            r#"{"cidr":"::/0","protocol":"all"}"#,
            r#"{"from_port":-1,"group":"sg-1","protocol":"icmp","to_port":-1}"#,
            r#"{"group":"self","protocol":"all"}"#,
        ] {
            assert_eq!(serde_json::to_string(&rule(json).unwrap().value()).unwrap(), json);
        }
    }

    #[test]
    fn wrong_rules_are_refused_with_what_would_be_right() {
        let problem = |json: &str| rule(json).unwrap_err();
        assert!(problem(r#"{"protocol":"tcp","cidr":"10.0.0.0/8"}"#).contains("from_port"));
        assert!(problem(r#"{"protocol":"all","from_port":1,"to_port":1,"cidr":"10.0.0.0/8"}"#).contains("no ports"));
        assert!(problem(r#"{"protocol":"all"}"#).contains("either a `cidr` or a `group`"));
        assert!(problem(r#"{"protocol":"all","cidr":"10.0.0.1/8"}"#).contains("write `10.0.0.0/8`"));
        assert!(problem(r#"{"protocol":"udp","from_port":9,"to_port":8,"cidr":"::/0"}"#).contains("lower one first"));
        assert!(problem(r#"{"protocol":"all","cidr":"::/0","note":"x"}"#).contains("no `note`"));
    }
}
