//! Routes of a route table: as authors write them, and as EC2's calls name them.
//!
//! The erased form of a route is a map of where to and by which way: `{"cidr": "0.0.0.0/0", "gateway": "igw-1"}`, with
//! `prefix_list` in place of `cidr`, and `nat_gateway` and so on in place of `gateway`.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use provision_core::dsl::input::FieldKind;
use provision_core::dsl::{Cidr, Input, IntoInput};
use provision_core::schema::Kind;
use provision_core::value::Value;

use super::internet_gateway::InternetGatewayId;
use super::nat_gateway::NatGatewayId;
use super::network_interface::NetworkInterfaceId;
use super::transit_gateway::TransitGatewayId;
use super::vpc_endpoint::VpcEndpointId;
use super::vpc_peering::{VpcPeeringAccepterId, VpcPeeringId};
use super::vpn_gateway::VpnGatewayId;
use crate::table::calls::{Part, canonical_cidr};
use crate::table::shown::Shown;

/// A route of a route table of data centre `D`: for which addresses, and by which way.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, vpc: Ref<VpcId, D>, internet: Ref<InternetGatewayId, D>, appliance: Ref<NetworkInterfaceId, D>) {
/// b.put("public", RouteTable { vpc }).routes([
///     Route::to(cidr!("0.0.0.0/0"), internet),
///     Route::to(cidr!("10.9.0.0/16"), appliance),
///     Route::to_prefix_list("pl-0123456789abcdef0", appliance),
/// ]);
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Route<D = ()> {
    destination: (&'static str, Input),
    way: Way,
    target: Input,
    of: PhantomData<fn() -> D>,
}

/// What a route can lead to: the id of a gateway, a network interface, an endpoint.
#[diagnostic::on_unimplemented(
    message = "a route does not lead to a `{Self}`",
    label = "nothing that a route can lead to"
)]
pub trait RouteTarget {
    /// Which way that is.
    const WAY: Way;
}

/// The ways that EC2 knows, by what they lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// An internet gateway, or a virtual private gateway.
    Gateway,
    /// A NAT gateway; IPv4 alone.
    Nat,
    /// A network interface.
    Interface,
    /// An endpoint of a Gateway Load Balancer.
    Endpoint,
    /// A transit gateway.
    Transit,
    /// A peering connection.
    Peering,
    /// An egress-only internet gateway; IPv6 alone. Somebody else's: there is no type for it.
    EgressOnlyGateway,
    /// A carrier gateway. Somebody else's.
    CarrierGateway,
    /// A local gateway. Somebody else's.
    LocalGateway,
    /// A core network. Somebody else's.
    CoreNetwork,
    /// An instance, where EC2 does not show its network interface. Somebody else's.
    Machine,
}

impl Way {
    const ALL: [Self; 11] = [
        Self::Gateway,
        Self::Nat,
        // Before the instance that has it.
        Self::Interface,
        Self::Endpoint,
        Self::Transit,
        Self::Peering,
        Self::EgressOnlyGateway,
        Self::CarrierGateway,
        Self::LocalGateway,
        Self::CoreNetwork,
        Self::Machine,
    ];

    /// What the erased form calls it.
    const fn key(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Nat => "nat_gateway",
            Self::Interface => "network_interface",
            Self::Endpoint => "vpc_endpoint",
            Self::Transit => "transit_gateway",
            Self::Peering => "vpc_peering",
            Self::EgressOnlyGateway => "egress_only_gateway",
            Self::CarrierGateway => "carrier_gateway",
            Self::LocalGateway => "local_gateway",
            Self::CoreNetwork => "core_network",
            Self::Machine => "instance",
        }
    }

    /// What `CreateRoute` calls it.
    const fn parameter(self) -> &'static str {
        match self {
            Self::Gateway => "GatewayId",
            Self::Nat => "NatGatewayId",
            Self::Interface => "NetworkInterfaceId",
            Self::Endpoint => "VpcEndpointId",
            Self::Transit => "TransitGatewayId",
            Self::Peering => "VpcPeeringConnectionId",
            Self::EgressOnlyGateway => "EgressOnlyInternetGatewayId",
            Self::CarrierGateway => "CarrierGatewayId",
            Self::LocalGateway => "LocalGatewayId",
            Self::CoreNetwork => "CoreNetworkArn",
            Self::Machine => "InstanceId",
        }
    }
}

impl RouteTarget for InternetGatewayId {
    const WAY: Way = Way::Gateway;
}

impl RouteTarget for NatGatewayId {
    const WAY: Way = Way::Nat;
}

impl RouteTarget for NetworkInterfaceId {
    const WAY: Way = Way::Interface;
}

impl RouteTarget for VpnGatewayId {
    const WAY: Way = Way::Gateway;
}

impl RouteTarget for TransitGatewayId {
    const WAY: Way = Way::Transit;
}

impl RouteTarget for VpcPeeringId {
    const WAY: Way = Way::Peering;
}

impl RouteTarget for VpcPeeringAccepterId {
    const WAY: Way = Way::Peering;
}

impl RouteTarget for VpcEndpointId {
    const WAY: Way = Way::Endpoint;
}

impl<D> Route<D> {
    /// For the addresses of a network, IPv4 or IPv6.
    pub fn to<K: RouteTarget>(network: impl IntoInput<Cidr, D>, target: impl IntoInput<K, D>) -> Self {
        Self::new::<K>((CIDR, network.into_input()), target.into_input())
    }

    /// For the addresses of a prefix list: `pl-…`.
    pub fn to_prefix_list<K: RouteTarget>(list: impl IntoInput<String, D>, target: impl IntoInput<K, D>) -> Self {
        let list = list.into_input();
        let list = match list.as_text() {
            Some(text) if !text.starts_with("pl-") => Input::problem(format!(
                "`{}` is not the id of a prefix list: it starts with `pl-`",
                text.escape_debug()
            )),
            _ => list,
        };
        Self::new::<K>((PREFIX_LIST, list), target.into_input())
    }

    fn new<K: RouteTarget>(destination: (&'static str, Input), target: Input) -> Self {
        Self { destination, way: K::WAY, target, of: PhantomData }
    }
}

impl<D> IntoInput<Route, D> for Route<D> {
    fn into_input(self) -> Input {
        let (kind, destination) = self.destination;
        Input::Map([(kind.to_owned(), destination), (self.way.key().to_owned(), self.target)].into())
    }
}

impl FieldKind for Route {
    const KIND: Kind = Kind::Object;
}

const CIDR: &str = "cidr";
const PREFIX_LIST: &str = "prefix_list";

/// Which addresses a route is for: a table has one route at most for each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Destination {
    Network(String),
    PrefixList(String),
}

impl Destination {
    /// As a parameter of EC2's calls.
    pub(crate) fn part(&self) -> (&'static str, Part) {
        match self {
            Self::Network(cidr) if cidr.contains(':') => ("DestinationIpv6CidrBlock", cidr.as_str().into()),
            Self::Network(cidr) => ("DestinationCidrBlock", cidr.as_str().into()),
            Self::PrefixList(list) => ("DestinationPrefixListId", list.as_str().into()),
        }
    }
}

/// What a route leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    way: Way,
    id: String,
}

impl Target {
    /// As a parameter of EC2's calls.
    pub(crate) fn part(&self) -> (&'static str, Part) {
        (self.way.parameter(), self.id.as_str().into())
    }
}

/// The routes of a table.
pub(crate) type Routes = BTreeMap<Destination, Target>;

fn one(value: &Value) -> Result<(Destination, Target), String> {
    let map = value.as_map().ok_or("a route is a map")?;
    let text = |name: &str| map.get(name).and_then(Value::as_text);
    let destination = match (text(CIDR), text(PREFIX_LIST)) {
        (Some(cidr), None) => {
            canonical_cidr(cidr)?;
            Destination::Network(cidr.to_owned())
        }
        (None, Some(list)) => Destination::PrefixList(list.to_owned()),
        _ => return Err("a route has either a `cidr` or a `prefix_list`".to_owned()),
    };
    let ways = Way::ALL.into_iter().filter_map(|way| Some(Target { way, id: text(way.key())?.to_owned() }));
    match (ways.collect::<Vec<_>>().pop(), map.len()) {
        (Some(target), 2) => Ok((destination, target)),
        _ => Err("a route has one target, such as a `gateway`".to_owned()),
    }
}

/// The routes of a field.
pub(crate) fn parse(list: &[Value]) -> Result<Routes, String> {
    let mut routes = Routes::new();
    for value in list {
        let (destination, target) = one(value)?;
        let to = destination.part().1.as_text().unwrap_or_default().to_owned();
        if routes.insert(destination, target.clone()).is_some_and(|other| other != target) {
            return Err(two(&to));
        }
    }
    Ok(routes)
}

/// Two routes for the same addresses.
pub(crate) fn two(to: &str) -> String {
    format!("two routes lead to `{to}`: a table has one at most")
}

/// The routes as a field, in the order that the schema's normal form has.
pub(crate) fn value(routes: &Routes) -> Value {
    let route = |(destination, target): (&Destination, &Target)| {
        let (kind, to) = match destination {
            Destination::Network(cidr) => (CIDR, cidr),
            Destination::PrefixList(list) => (PREFIX_LIST, list),
        };
        let pairs = [(kind, to), (target.way.key(), &target.id)];
        Value::Map(pairs.into_iter().map(|(key, text)| (key.to_owned(), text.as_str().into())).collect())
    };
    let mut list: Vec<Value> = routes.iter().map(route).collect();
    list.sort();
    Value::List(list)
}

/// What the definitions that can be compared say twice: the addresses of routes that lead to two things.
pub(crate) fn check(routes: &[Input]) -> Vec<String> {
    let mut seen: Vec<&str> = Vec::new();
    let mut problems = Vec::new();
    for route in routes.iter().filter_map(Input::as_map) {
        let to = [CIDR, PREFIX_LIST].into_iter().find_map(|kind| route.get(kind)?.as_text());
        match to {
            Some(to) if seen.contains(&to) => problems.push(two(to)),
            Some(to) => seen.push(to),
            None => {}
        }
    }
    problems
}

/// A route as EC2 shows it, unless it is none of ours by its nature: the VPC's own, what gateways propagate, and what
/// gateway endpoints put there, which their `route_tables` say.
pub(crate) fn observed(route: Shown<'_>) -> Option<(Destination, Target)> {
    if !matches!(route.text("Origin"), Some("CreateRoute") | None) {
        return None;
    }
    let destination = match (route.text("DestinationCidrBlock"), route.text("DestinationIpv6CidrBlock")) {
        (Some(cidr), _) | (None, Some(cidr)) => Destination::Network(cidr.to_owned()),
        (None, None) => Destination::PrefixList(route.text("DestinationPrefixListId")?.to_owned()),
    };
    let (way, id) = Way::ALL.into_iter().find_map(|way| Some((way, route.text(way.parameter())?)))?;
    let way = match (way, &destination) {
        (Way::Gateway, _) if matches!(id, "local" | "VpcLattice") => return None,
        (Way::Gateway, Destination::PrefixList(_)) if id.starts_with(ENDPOINT) => return None,
        (Way::Gateway, Destination::Network(_)) if id.starts_with(ENDPOINT) => Way::Endpoint,
        (way, _) => way,
    };
    Some((destination, Target { way, id: id.to_owned() }))
}

/// EC2 shows an endpoint as a gateway.
const ENDPOINT: &str = "vpce-";

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn wrong_routes_are_refused_with_what_would_be_right() {
        let problem = |json: &str| parse(tree(json).as_list().unwrap()).unwrap_err();
        assert!(problem(r#"[{"cidr":"10.1.2.0/16","gateway":"igw-1"}]"#).contains("write `10.1.0.0/16`"));
        assert!(problem(r#"[{"cidr":"::/0"}]"#).contains("one target"));
        assert!(problem(r#"[{"cidr":"::/0","gateway":"igw-1","nat_gateway":"nat-1"}]"#).contains("one target"));
        assert!(problem(r#"[{"gateway":"igw-1"}]"#).contains("either a `cidr`"));
        let two = r#"[{"cidr":"::/0","gateway":"igw-1"},{"cidr":"::/0","gateway":"igw-2"}]"#;
        assert!(problem(two).contains("two routes lead to `::/0`"));
    }

    #[test]
    fn what_aws_puts_into_a_table_is_none_of_ours_and_what_others_put_there_is_seen() {
        let seen = |json: &str| observed(Shown(Some(&tree(json)))).map(|(to, by)| value(&[(to, by)].into()));
        for not_ours in [
            r#"{"DestinationCidrBlock":"10.0.0.0/16","GatewayId":"local","Origin":"CreateRouteTable"}"#,
            r#"{"DestinationCidrBlock":"10.9.0.0/16","GatewayId":"vgw-1","Origin":"EnableVgwRoutePropagation"}"#,
            r#"{"DestinationPrefixListId":"pl-1","GatewayId":"vpce-1","Origin":"CreateRoute"}"#,
        ] {
            assert_eq!(seen(not_ours), None, "{not_ours}");
        }
        for (shown, erased) in [
            (
                r#"{"DestinationCidrBlock":"0.0.0.0/0","GatewayId":"vpce-1"}"#,
                r#"[{"cidr":"0.0.0.0/0","vpc_endpoint":"vpce-1"}]"#,
            ),
            (
                r#"{"DestinationIpv6CidrBlock":"::/0","InstanceId":"i-1","NetworkInterfaceId":"eni-1","Origin":"CreateRoute"}"#,
                r#"[{"cidr":"::/0","network_interface":"eni-1"}]"#,
            ),
            (
                r#"{"DestinationPrefixListId":"pl-2","TransitGatewayId":"tgw-1"}"#,
                r#"[{"prefix_list":"pl-2","transit_gateway":"tgw-1"}]"#,
            ),
        ] {
            assert_eq!(seen(shown), Some(tree(erased)));
        }
    }
}
