//! Entries of network ACLs: as definitions write them, and as EC2 has them.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

use provision_core::dsl::input::FieldKind;
use provision_core::dsl::{Cidr, Input, IntoInput};
use provision_core::schema::Kind;
use provision_core::value::{Fields, Value};

use crate::table::calls::{Part, canonical_cidr, parts};
use crate::table::shown::Shown;

/// An entry of a network ACL in data centre `D`: its number, and what it lets through or stops. The entry with the lowest
/// number that fits a packet decides. ACLs know no connections: what answers has to be let through too, to the ports above 1023
/// for the most part.
///
/// Its erased form is a map: `{"number": 100, "action": "allow", "protocol": "tcp", "from_port": 22, "to_port": 22, "cidr":
/// "10.0.0.0/8"}`. For ICMP the ports are type and code, -1 for all. The protocol `all` has no ports.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, vpc: Ref<VpcId, D>) {
/// b.put("public", NetworkAcl { vpc })
///     .ingress([
///         AclEntry::deny(10).all(cidr!("198.51.100.0/24")),
///         AclEntry::allow(100).tcp(443, cidr!("0.0.0.0/0")),
///         AclEntry::allow(900).tcp_ports(1024..=65535, cidr!("0.0.0.0/0")),
///     ])
///     .egress([AclEntry::allow(100).all(cidr!("0.0.0.0/0"))]);
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct AclEntry<D = ()> {
    number: u16,
    action: &'static str,
    protocol: &'static str,
    ports: Option<(i64, i64)>,
    cidr: Input,
    of: PhantomData<fn() -> D>,
}

/// The number of an entry and what it does, before what it is about.
#[derive(Debug, Clone, Copy)]
pub struct AclNumber {
    number: u16,
    action: &'static str,
}

impl AclEntry {
    /// An entry that lets through.
    pub const fn allow(number: u16) -> AclNumber {
        AclNumber { number, action: "allow" }
    }

    /// An entry that stops.
    pub const fn deny(number: u16) -> AclNumber {
        AclNumber { number, action: "deny" }
    }
}

impl AclNumber {
    /// One TCP port.
    pub fn tcp<D>(self, port: u16, cidr: impl IntoInput<Cidr, D>) -> AclEntry<D> {
        self.tcp_ports(port..=port, cidr)
    }

    /// A range of TCP ports.
    pub fn tcp_ports<D>(self, ports: RangeInclusive<u16>, cidr: impl IntoInput<Cidr, D>) -> AclEntry<D> {
        self.entry("tcp", Some((i64::from(*ports.start()), i64::from(*ports.end()))), cidr)
    }

    /// One UDP port.
    pub fn udp<D>(self, port: u16, cidr: impl IntoInput<Cidr, D>) -> AclEntry<D> {
        self.udp_ports(port..=port, cidr)
    }

    /// A range of UDP ports.
    pub fn udp_ports<D>(self, ports: RangeInclusive<u16>, cidr: impl IntoInput<Cidr, D>) -> AclEntry<D> {
        self.entry("udp", Some((i64::from(*ports.start()), i64::from(*ports.end()))), cidr)
    }

    /// Everything of ICMP for IPv4.
    pub fn icmp<D>(self, cidr: impl IntoInput<Cidr, D>) -> AclEntry<D> {
        self.entry("icmp", Some((-1, -1)), cidr)
    }

    /// Everything of ICMP for IPv6.
    pub fn icmpv6<D>(self, cidr: impl IntoInput<Cidr, D>) -> AclEntry<D> {
        self.entry("icmpv6", Some((-1, -1)), cidr)
    }

    /// Every protocol and port.
    pub fn all<D>(self, cidr: impl IntoInput<Cidr, D>) -> AclEntry<D> {
        self.entry("all", None, cidr)
    }

    fn entry<D>(self, protocol: &'static str, ports: Option<(i64, i64)>, cidr: impl IntoInput<Cidr, D>) -> AclEntry<D> {
        let Self { number, action } = self;
        AclEntry { number, action, protocol, ports, cidr: cidr.into_input(), of: PhantomData }
    }
}

/// "You can use a number from 1 to 32766"; the last one is AWS' own, which stops everything:
/// <https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html>.
const LARGEST: i64 = 32_766;

impl<D> IntoInput<AclEntry, D> for AclEntry<D> {
    fn into_input(self) -> Input {
        let number = i64::from(self.number);
        if !(1..=LARGEST).contains(&number) {
            return Input::problem(format!("the entry has the number {number}; they go from 1 to {LARGEST}"));
        }
        let mut entry = vec![
            ("number", number.into()),
            ("action", self.action.into()),
            ("protocol", self.protocol.into()),
            ("cidr", self.cidr),
        ];
        if let Some((from, to)) = self.ports {
            if from > to {
                return Input::problem(format!(
                    "entry {number}: the ports {from}..={to} are none; write {to}..={from}"
                ));
            }
            entry.push(("from_port", from.into()));
            entry.push(("to_port", to.into()));
        }
        Input::Map(entry.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }
}

impl FieldKind for AclEntry {
    const KIND: Kind = Kind::Object;
}

/// What an entry says, but for its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    action: String,
    /// `tcp`, `udp`, `icmp`, `icmpv6`, `all`, or the number of another one, which somebody else wrote.
    protocol: String,
    /// First and last port, or ICMP's type and code.
    ports: Option<(i64, i64)>,
    cidr: String,
}

/// The entries of one direction, by number.
pub(super) type Entries = BTreeMap<i64, Entry>;

/// Protocols by name, with their numbers in EC2's words: <https://www.iana.org/assignments/protocol-numbers>.
const PROTOCOLS: [(&str, &str); 5] = [("all", "-1"), ("icmp", "1"), ("tcp", "6"), ("udp", "17"), ("icmpv6", "58")];

impl Entry {
    fn of(value: &Value) -> Result<(i64, Self), String> {
        let map = value.as_map().ok_or("an entry is a map")?;
        let known = ["number", "action", "protocol", "from_port", "to_port", "cidr"];
        if let Some(unknown) = map.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(format!("an entry has no `{unknown}`"));
        }
        let text = |name: &str| map.get(name).and_then(Value::as_text).map(str::to_owned);
        let int = |name: &str| map.get(name).and_then(Value::as_int);
        let (Some(number), Some(action), Some(protocol), Some(cidr)) =
            (int("number"), text("action"), text("protocol"), text("cidr"))
        else {
            return Err("an entry has `number`, `action`, `protocol` and `cidr`".to_owned());
        };
        Ok((number, Self { action, protocol, ports: int("from_port").zip(int("to_port")), cidr }))
    }

    /// What AWS would refuse or change on its own, with what would be right.
    fn problem(&self) -> Option<String> {
        let Self { action, protocol, ports, cidr } = self;
        if !matches!(action.as_str(), "allow" | "deny") {
            return Some(format!("its action is allow or deny, not `{action}`"));
        }
        if let Err(problem) = canonical_cidr(cidr) {
            return Some(problem);
        }
        match (protocol.as_str(), ports) {
            ("tcp" | "udp", Some((from, to))) if 0 <= *from && from <= to && *to <= 65_535 => None,
            ("tcp" | "udp", _) => Some("its ports go from 0 to 65535, the lower one first".to_owned()),
            ("icmp" | "icmpv6", None) => Some("ICMP has a type and a code: -1 for all".to_owned()),
            ("icmpv6", _) if !cidr.contains(':') => Some(format!("ICMP for IPv6 does not go with `{cidr}`")),
            ("icmp" | "icmpv6", Some(_)) | ("all", None) => None,
            ("all", Some(_)) => Some("all protocols have no ports".to_owned()),
            (other, _) => Some(format!("its protocol is tcp, udp, icmp, icmpv6 or all, not `{other}`")),
        }
    }

    fn value(&self, number: i64) -> Value {
        let mut map = BTreeMap::from([
            ("number".to_owned(), number.into()),
            ("action".to_owned(), self.action.as_str().into()),
            ("protocol".to_owned(), self.protocol.as_str().into()),
            ("cidr".to_owned(), Value::from(self.cidr.as_str())),
        ]);
        if let Some((from, to)) = self.ports {
            map.insert("from_port".to_owned(), from.into());
            map.insert("to_port".to_owned(), to.into());
        }
        Value::Map(map)
    }

    /// The parts of a request that says all of the entry but its ACL.
    pub(super) fn parts(&self, number: i64, egress: bool) -> Vec<(&'static str, Part)> {
        let protocol = PROTOCOLS.iter().find(|(name, _)| *name == self.protocol).map_or(&*self.protocol, |(_, n)| n);
        let cidr = if self.cidr.contains(':') { "Ipv6CidrBlock" } else { "CidrBlock" };
        let mut all = vec![
            ("RuleNumber", number.into()),
            ("Egress", egress.into()),
            ("RuleAction", self.action.as_str().into()),
            ("Protocol", protocol.into()),
            (cidr, self.cidr.as_str().into()),
        ];
        all.extend(self.ports.map(|(from, to)| match self.protocol.as_str() {
            "icmp" | "icmpv6" => ("IcmpTypeCode", parts([("Type", from.into()), ("Code", to.into())])),
            _ => ("PortRange", parts([("From", from.into()), ("To", to.into())])),
        }));
        all
    }

    /// An entry of an answer; not AWS' own, which come last and stop everything.
    fn observed(entry: Shown<'_>) -> Option<(i64, Self)> {
        let number = entry.int("RuleNumber").filter(|number| *number <= LARGEST)?;
        let protocol = entry.text("Protocol").unwrap_or_default();
        let name = PROTOCOLS.iter().find(|(_, number)| *number == protocol).map_or(protocol, |(name, _)| name);
        let pair = |of: &str, first: &str, second: &str| entry.at(of).int(first).zip(entry.at(of).int(second));
        let ports = match name {
            "all" => None,
            "icmp" | "icmpv6" => pair("IcmpTypeCode", "Type", "Code"),
            _ => pair("PortRange", "From", "To"),
        };
        let cidr = entry.text("CidrBlock").or_else(|| entry.text("Ipv6CidrBlock")).unwrap_or_default();
        let action = entry.text("RuleAction").unwrap_or_default();
        Some((number, Self { action: action.to_owned(), protocol: name.to_owned(), ports, cidr: cidr.to_owned() }))
    }
}

/// The entries of a field, whoever wrote them.
pub(super) fn of_field(field: &str, list: &[Value]) -> Result<Entries, String> {
    let mut entries = Entries::new();
    for value in list {
        let (number, entry) = Entry::of(value).map_err(|problem| format!("the field `{field}`: {problem}"))?;
        if entries.insert(number, entry).is_some() {
            return Err(format!("the field `{field}`: two entries have the number {number}; each has its own"));
        }
    }
    Ok(entries)
}

/// Refuses what AWS would refuse.
pub(super) fn check(field: &str, entries: &Entries) -> Result<(), String> {
    for (number, entry) in entries {
        if !(1..=LARGEST).contains(number) {
            return Err(format!("the field `{field}`: the number {number} is not from 1 to {LARGEST}"));
        }
        if let Some(problem) = entry.problem() {
            return Err(format!("the field `{field}`: entry {number}: {problem}"));
        }
    }
    Ok(())
}

/// The entries as a field, in the order that the schema's normal form has.
pub(super) fn fields(field: &str, entries: &Entries) -> Fields {
    let mut list: Vec<Value> = entries.iter().map(|(number, entry)| entry.value(*number)).collect();
    list.sort();
    Fields::from([(field.to_owned(), Value::List(list))])
}

/// The entries of one direction, as an answer shows them.
pub(super) fn observed(acl: Shown<'_>, egress: bool) -> Entries {
    let direction = acl.list("Entries").filter(|entry| entry.bool("Egress") == Some(egress));
    direction.filter_map(Entry::observed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stand_in_normal_form_without_aws_own() {
        let answer: Value = serde_json::from_str(
            r#"{"Entries":[
                {"RuleNumber":100,"Egress":false,"RuleAction":"allow","Protocol":"6","CidrBlock":"10.0.0.0/8",
                 "PortRange":{"From":22,"To":22}},
                {"RuleNumber":110,"Egress":false,"RuleAction":"allow","Protocol":"58","Ipv6CidrBlock":"::/0",
                 "IcmpTypeCode":{"Type":-1,"Code":-1}},
                {"RuleNumber":32767,"Egress":false,"RuleAction":"deny","Protocol":"-1","CidrBlock":"0.0.0.0/0"},
                {"RuleNumber":32768,"Egress":false,"RuleAction":"deny","Protocol":"-1","Ipv6CidrBlock":"::/0"},
                {"RuleNumber":100,"Egress":true,"RuleAction":"allow","Protocol":"-1","CidrBlock":"0.0.0.0/0"}]}"#,
        )
        .unwrap();
        let shown = |egress| serde_json::to_string(&fields("x", &observed(Shown(Some(&answer)), egress))["x"]).unwrap();
        assert_eq!(
            shown(false),
            r#"[{"action":"allow","cidr":"10.0.0.0/8","from_port":22,"number":100,"protocol":"tcp","to_port":22},"#
                .to_owned()
                + r#"{"action":"allow","cidr":"::/0","from_port":-1,"number":110,"protocol":"icmpv6","to_port":-1}]"#
        );
        assert_eq!(shown(true), r#"[{"action":"allow","cidr":"0.0.0.0/0","number":100,"protocol":"all"}]"#);
    }

    #[test]
    fn wrong_entries_are_refused_with_what_would_be_right() {
        let problem = |json: &str| {
            let entries = of_field("ingress", &[serde_json::from_str(json).unwrap()]);
            entries.and_then(|entries| check("ingress", &entries)).unwrap_err()
        };
        let tcp = r#""protocol":"tcp","from_port":1,"to_port":1"#;
        assert!(problem(&format!(r#"{{"number":0,"action":"allow",{tcp},"cidr":"::/0"}}"#)).contains("1 to 32766"));
        assert!(problem(&format!(r#"{{"number":1,"action":"let",{tcp},"cidr":"::/0"}}"#)).contains("allow or deny"));
        assert!(
            problem(&format!(r#"{{"number":1,"action":"deny",{tcp},"cidr":"10.0.0.1/8"}}"#)).contains("10.0.0.0/8")
        );
        assert!(problem(r#"{"number":1,"action":"deny","protocol":"udp","cidr":"::/0"}"#).contains("0 to 65535"));
        let v6 = r#"{"number":1,"action":"deny","protocol":"icmpv6","from_port":-1,"to_port":-1,"cidr":"10.0.0.0/8"}"#;
        assert!(problem(v6).contains("does not go with"));
        let twice = of_field("ingress", &vec![serde_json::from_str(v6).unwrap(); 2]);
        assert!(twice.unwrap_err().contains("two entries have the number 1"));
    }
}
