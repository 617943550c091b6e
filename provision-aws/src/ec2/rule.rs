//! Rules of security groups.

use std::marker::PhantomData;
use std::ops::RangeInclusive;

use provision_core::dsl::input::FieldKind;
use provision_core::dsl::{Cidr, Input, IntoInput};
use provision_core::schema::Kind;

use super::security_group::SecurityGroupId;

/// Traffic that a security group of data centre `D` lets through: a protocol, ports, and where it comes from or goes to.
///
/// Its erased form is a map: `{"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr": "10.0.0.0/8"}`, with `group` in
/// place of `cidr` for the members of a group. A rule for [`all`](Rule::all) protocols has no ports and the protocol `all`.
#[derive(Debug, Clone)]
pub struct Rule<D = ()> {
    protocol: &'static str,
    ports: Option<(u16, u16)>,
    peer: &'static str,
    who: Input,
    of: PhantomData<fn() -> D>,
}

impl<D> Rule<D> {
    /// One TCP port, for the addresses of a network.
    pub fn tcp(port: u16, cidr: impl IntoInput<Cidr, D>) -> Self {
        Self::new("tcp", Some(port..=port), "cidr", cidr.into_input())
    }

    /// One TCP port, for the members of a group.
    pub fn tcp_from(port: u16, group: impl IntoInput<SecurityGroupId, D>) -> Self {
        Self::new("tcp", Some(port..=port), "group", group.into_input())
    }

    /// A range of TCP ports, for the addresses of a network.
    pub fn tcp_ports(ports: RangeInclusive<u16>, cidr: impl IntoInput<Cidr, D>) -> Self {
        Self::new("tcp", Some(ports), "cidr", cidr.into_input())
    }

    /// A range of TCP ports, for the members of a group.
    pub fn tcp_ports_from(ports: RangeInclusive<u16>, group: impl IntoInput<SecurityGroupId, D>) -> Self {
        Self::new("tcp", Some(ports), "group", group.into_input())
    }

    /// One UDP port, for the addresses of a network.
    pub fn udp(port: u16, cidr: impl IntoInput<Cidr, D>) -> Self {
        Self::new("udp", Some(port..=port), "cidr", cidr.into_input())
    }

    /// One UDP port, for the members of a group.
    pub fn udp_from(port: u16, group: impl IntoInput<SecurityGroupId, D>) -> Self {
        Self::new("udp", Some(port..=port), "group", group.into_input())
    }

    /// A range of UDP ports, for the addresses of a network.
    pub fn udp_ports(ports: RangeInclusive<u16>, cidr: impl IntoInput<Cidr, D>) -> Self {
        Self::new("udp", Some(ports), "cidr", cidr.into_input())
    }

    /// A range of UDP ports, for the members of a group.
    pub fn udp_ports_from(ports: RangeInclusive<u16>, group: impl IntoInput<SecurityGroupId, D>) -> Self {
        Self::new("udp", Some(ports), "group", group.into_input())
    }

    /// Every protocol and port, for the addresses of a network.
    pub fn all(cidr: impl IntoInput<Cidr, D>) -> Self {
        Self::new("all", None, "cidr", cidr.into_input())
    }

    /// Every protocol and port, for the members of a group.
    pub fn all_from(group: impl IntoInput<SecurityGroupId, D>) -> Self {
        Self::new("all", None, "group", group.into_input())
    }

    fn new(protocol: &'static str, ports: Option<RangeInclusive<u16>>, peer: &'static str, who: Input) -> Self {
        let ports = ports.map(|ports| (*ports.start(), *ports.end()));
        Self { protocol, ports, peer, who, of: PhantomData }
    }
}

impl<D> IntoInput<Rule, D> for Rule<D> {
    fn into_input(self) -> Input {
        let mut rule = vec![("protocol", self.protocol.into()), (self.peer, self.who)];
        match self.ports {
            Some((from, to)) if from <= to => {
                rule.push(("from_port", i64::from(from).into()));
                rule.push(("to_port", i64::from(to).into()));
            }
            Some((from, to)) => {
                return Input::problem(format!("the ports {from}..={to} are none; write {to}..={from}"));
            }
            None => {}
        }
        Input::Map(rule.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }
}

impl FieldKind for Rule {
    const KIND: Kind = Kind::Object;
}
