//! `aws_vpn_connection`: found again by its mark alone. Static routes are a field, and calls that set it.
//!
//! What AWS answers of a connection holds its pre-shared keys. `shapes!` takes none of that out of the answer, so they come
//! neither into logs nor into outputs.

use std::collections::{BTreeMap, BTreeSet};

use provision_core::call::{Mark, Observed, Readiness, Recovery, Wait};
use provision_core::dsl::Inputs;
use provision_core::id::ObjectId;
use provision_core::prelude::*;
use provision_core::provider::{self, Asked};
use provision_core::value::Value;

use super::customer_gateway::CustomerGatewayId;
use super::list::{List, PAGE};
use super::tags;
use super::transit_gateway::TransitGatewayId;
use super::transit_gateway_attachment::TransitGatewayAttachmentId;
use super::vpn_gateway::VpnGatewayId;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{
    Calls, Delete, Given, New, Part, Update, canonical_cidr, field, known_id, named, own_id, parts,
};
use crate::table::reading::{Detail, Request, detail, parameters};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// A VPN of two tunnels, between a device of ours and a VPN gateway or a transit gateway.
///
/// AWS chooses the pre-shared keys. Nothing of them is recorded: whoever sets up the device reads them at AWS.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, office: Ref<CustomerGatewayId, D>, vpn: Ref<VpnGatewayId, D>, hub: Ref<TransitGatewayId, D>) {
/// b.put("static", VpnConnection { customer_gateway: office })
///     .vpn_gateway(vpn)
///     .static_routes_only(true)
///     .routes([cidr!("192.168.0.0/16")]);
/// b.put("bgp", VpnConnection { customer_gateway: office }).transit_gateway(hub).acceleration(true);
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_vpn_connection", version = 1, check = check)]
pub struct VpnConnection {
    /// The device at the other end.
    pub customer_gateway: CustomerGatewayId,
    /// Amazon's end, for a VPN into one VPC: this, or `transit_gateway`.
    pub vpn_gateway: Option<VpnGatewayId>,
    /// Amazon's end, for a VPN into many VPCs: this, or `vpn_gateway`.
    pub transit_gateway: Option<TransitGatewayId>,
    /// Whether the device speaks no BGP. A transit gateway has its static routes in its route tables.
    #[attr(replace, default = false)]
    pub static_routes_only: bool,
    /// The networks behind the device, where routes are static.
    #[attr(set, default)]
    pub routes: Vec<Cidr>,
    /// Whether the tunnels go through AWS' edge and its own network; only to a transit gateway.
    #[attr(replace, default = false)]
    pub acceleration: bool,
    /// Whether IPv6 goes through the tunnels, in place of IPv4; only to a transit gateway.
    #[attr(replace, default = false)]
    pub ipv6: bool,
    /// The networks on the device's side that may use the tunnels. AWS' own choice is all.
    pub local_cidr: Option<Cidr>,
    /// The networks on Amazon's side that may use the tunnels. AWS' own choice is all.
    pub remote_cidr: Option<Cidr>,
    /// Whether AWS keeps the pre-shared keys in its Secrets Manager; else the connection's configuration shows them to whoever
    /// may describe it.
    #[attr(replace, default = false)]
    pub keys_in_secrets_manager: bool,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: VpnConnectionId,
    /// The address of Amazon's end of the first tunnel.
    #[attr(computed)]
    pub tunnel1_address: String,
    /// The address of Amazon's end of the second tunnel.
    #[attr(computed)]
    pub tunnel2_address: String,
    /// What attaches it to its transit gateway, for routes there; empty without one.
    #[attr(computed)]
    pub attachment: TransitGatewayAttachmentId,
}

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    let (single, transit) = (!inputs.is_empty("vpn_gateway"), !inputs.is_empty("transit_gateway"));
    if single == transit {
        let problem = "a VPN ends at one gateway of Amazon's: write `.vpn_gateway(..)` or `.transit_gateway(..)`";
        problems.push(("vpn_gateway", problem.to_owned()));
    }
    for field in ["acceleration", "ipv6"] {
        if inputs.bool(field) == Some(true) && !transit {
            problems.push((field, "needs a transit gateway: write `.transit_gateway(..)`".to_owned()));
        }
    }
    if inputs.bool("static_routes_only") == Some(true) && transit {
        let problem = "a transit gateway has static routes in its route tables: leave it out";
        problems.push(("static_routes_only", problem.to_owned()));
    } else if !inputs.is_empty("routes") && inputs.bool("static_routes_only") != Some(true) {
        problems.push(("routes", "needs `.static_routes_only(true)`; else the device tells them by BGP".to_owned()));
    }
    problems
}

apis! { aws_sdk_ec2 ec2;
    CreateVpnConnection: Tag, "takes no token; two connections may have the same ends";
        (Type, CustomerGatewayId, VpnGatewayId, TransitGatewayId, Options, PreSharedKeyStorage, TagSpecifications)
        -> (VpnConnection);
    ModifyVpnConnection: Set, "sets the ends"; (VpnConnectionId, CustomerGatewayId, VpnGatewayId, TransitGatewayId) -> ();
    ModifyVpnConnectionOptions: Set, "sets the networks";
        (VpnConnectionId, LocalIpv4NetworkCidr, RemoteIpv4NetworkCidr, LocalIpv6NetworkCidr, RemoteIpv6NetworkCidr) -> ();
    CreateVpnConnectionRoute: Set, "a connection has a network once"; (VpnConnectionId, DestinationCidrBlock) -> ();
    DeleteVpnConnectionRoute: Set, "a second one is refused with InvalidRoute.NotFound",
        ["InvalidRoute.NotFound" => AlreadySo]; (VpnConnectionId, DestinationCidrBlock) -> ();
    DeleteVpnConnection: Remove, "ids are never used again"; (VpnConnectionId) -> ();
    DescribeVpnConnections: Read, ""; (VpnConnectionIds, Filters) -> (VpnConnections);
    DescribeTransitGatewayAttachments: Read, ""; (Filters, MaxResults) -> (TransitGatewayAttachments);
}
shapes! { aws_sdk_ec2;
    text TunnelInsideIpVersion;
    sent VpnConnectionOptionsSpecification(EnableAcceleration, TunnelInsideIpVersion, LocalIpv4NetworkCidr,
        RemoteIpv4NetworkCidr, LocalIpv6NetworkCidr, RemoteIpv6NetworkCidr, StaticRoutesOnly);
    shown TunnelOption(OutsideIpAddress);
    shown VpnConnectionOptions(EnableAcceleration, TunnelInsideIpVersion, LocalIpv4NetworkCidr, RemoteIpv4NetworkCidr,
        LocalIpv6NetworkCidr, RemoteIpv6NetworkCidr, StaticRoutesOnly, TunnelOptions);
    shown VpnStaticRoute(DestinationCidrBlock, State);
    shown VpnConnection(VpnConnectionId, CustomerGatewayId, VpnGatewayId, TransitGatewayId, PreSharedKeyArn, State, Options,
        Routes, Tags);
    shown TransitGatewayAttachment(TransitGatewayAttachmentId, ResourceId, State);
}

pub(crate) static ROW: Row = Row {
    schema: VpnConnection::SCHEMA,
    identity_key: &[],
    create,
    update,
    delete,
    answers: &[Answered { api: "CreateVpnConnection", id: &["VpnConnection", "VpnConnectionId"], outputs: &[] }],
    reading: &List {
        schema: VpnConnection::SCHEMA,
        api: "DescribeVpnConnections",
        ids: "VpnConnectionIds",
        filters: "Filters",
        most: None,
        objects: &["VpnConnections"],
        id: "VpnConnectionId",
        keys: &[
            ("customer_gateway", "customer-gateway-id"),
            ("vpn_gateway", "vpn-gateway-id"),
            ("transit_gateway", "transit-gateway-id"),
        ],
        observe,
        details: &[ATTACHMENT],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"customer_gateway":"cgw-1","vpn_gateway":"vgw-1","static_routes_only":true,"acceleration":false,
            "ipv6":false,"keys_in_secrets_manager":false,"local_cidr":"192.168.0.0/15","remote_cidr":"10.0.0.0/8","routes":["192.168.0.0/16","10.9.0.0/16"],"tags":{}}"#,
        changes: &[
            r#"{"customer_gateway":"cgw-2"}"#,
            r#"{"vpn_gateway":"vgw-2"}"#,
            r#"{"routes":["10.8.0.0/16","10.9.0.0/16"]}"#,
            r#"{"local_cidr":"192.168.0.0/16","remote_cidr":"10.0.0.0/9"}"#,
            r#"{"tags":{"other":"1"}}"#,
        ],
    },
};

/// AWS names no time. Terraform's provider waits 40 minutes for a connection, and 30 for one to be gone.
const CHANGED: Wait = Wait::Ready(40 * 60);
const GONE: Wait = Wait::Gone(30 * 60);

/// "The maximum number of filter values" of a request is 200:
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>.
const FILTER_VALUES: usize = 200;

/// What attaches connections to their transit gateways.
const ATTACHMENT: Detail = Detail {
    of: provider::Detail { name: "attachment", batch: FILTER_VALUES, asked: Asked::Always },
    request: |ids| {
        let values = Value::List(ids.iter().map(|id| id.as_str().into()).collect());
        let filter = parameters([("Name", Some("resource-id".into())), ("Values", Some(values))]);
        let asked = [("Filters", Some(Value::List(vec![filter]))), ("MaxResults", PAGE.map(Value::from))];
        Request { api: "DescribeTransitGatewayAttachments", parameters: parameters(asked) }
    },
    seen: attachments,
};

fn attachments(ids: &[ObjectId], answer: Shown<'_>) -> Vec<Observed> {
    let alive = answer.list("TransitGatewayAttachments").filter(|it| it.text("State") != Some("deleted"));
    let of: BTreeMap<&str, &str> =
        alive.filter_map(|it| Some((it.text("ResourceId")?, it.text("TransitGatewayAttachmentId")?))).collect();
    let attachment = |id: &ObjectId| of.get(id.as_str()).copied().unwrap_or_default();
    ids.iter().map(|id| detail(id, field("attachment", attachment(id)))).collect()
}

/// The fields that hold networks, and their parameters for IPv4 and IPv6.
const NETWORKS: [(&str, [&str; 2]); 2] = [
    ("local_cidr", ["LocalIpv4NetworkCidr", "LocalIpv6NetworkCidr"]),
    ("remote_cidr", ["RemoteIpv4NetworkCidr", "RemoteIpv6NetworkCidr"]),
];

/// The parameter that takes a network.
fn network([v4, v6]: [&'static str; 2], cidr: &str) -> &'static str {
    if cidr.contains(':') { v6 } else { v4 }
}

fn routes<'a>(fields: Given<'a>) -> Result<BTreeSet<&'a str>, String> {
    Ok(fields.texts("routes")?.into_iter().collect())
}

/// New ones come before old ones go.
fn set_routes(calls: &mut Calls, id: &Part, have: &BTreeSet<&str>, want: &BTreeSet<&str>) {
    let mut now = have.clone();
    let mut call = |api: &str, cidr: &str, now: &BTreeSet<&str>| {
        let request = parts([("VpnConnectionId", id.clone()), ("DestinationCidrBlock", cidr.into())]);
        calls.set(api, request, field("routes", now.iter().copied().collect::<Vec<_>>()));
    };
    for &cidr in want.difference(have) {
        now.insert(cidr);
        call("CreateVpnConnectionRoute", cidr, &now);
    }
    for &cidr in have.difference(want) {
        now.remove(cidr);
        call("DeleteVpnConnectionRoute", cidr, &now);
    }
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let customer = desired.text("customer_gateway")?;
    let (single, transit) = (desired.optional_text("vpn_gateway")?, desired.optional_text("transit_gateway")?);
    let switch = |name| desired.bool_or(name, false);
    let (static_only, acceleration, ipv6) = (switch("static_routes_only")?, switch("acceleration")?, switch("ipv6")?);
    let secrets = switch("keys_in_secrets_manager")?;
    let routes = routes(desired)?;
    let (specification, users) = tags::specification("vpn-connection", desired, mark)?;
    let mut fields = field("customer_gateway", customer);
    fields.extend(single.map(|id| field("vpn_gateway", id)).unwrap_or_default());
    fields.extend(transit.map(|id| field("transit_gateway", id)).unwrap_or_default());
    fields.extend(field("static_routes_only", static_only));
    fields.extend(field("acceleration", acceleration));
    fields.extend(field("ipv6", ipv6));
    fields.extend(field("keys_in_secrets_manager", secrets));
    fields.extend(field("routes", Value::List(Vec::new())));
    fields.extend(field("tags", users));
    let mut options = vec![("StaticRoutesOnly", static_only.into())];
    options.extend(acceleration.then(|| ("EnableAcceleration", true.into())));
    options.extend(ipv6.then(|| ("TunnelInsideIpVersion", "ipv6".into())));
    for (name, parameters) in NETWORKS {
        let Some(cidr) = desired.optional_text(name)? else { continue };
        canonical_cidr(cidr).map_err(|problem| format!("the field `{name}`: {problem}"))?;
        options.push((network(parameters, cidr), cidr.into()));
        fields.extend(field(name, cidr));
    }
    let options = Part::Map(options.into_iter().map(|(name, part)| (name.to_owned(), part)).collect());
    let request = named([
        ("Type", Some("ipsec.1".into())),
        ("CustomerGatewayId", Some(customer.into())),
        ("VpnGatewayId", single.map(Into::into)),
        ("TransitGatewayId", transit.map(Into::into)),
        ("Options", Some(options)),
        ("PreSharedKeyStorage", secrets.then(|| "SecretsManager".into())),
        ("TagSpecifications", Some(specification)),
    ]);
    let computed = &["id", "tunnel1_address", "tunnel2_address", "attachment"];
    calls.create("CreateVpnConnection", request, Recovery::Tag, New { fields, computed, mark: Some(mark) }, CHANGED);
    set_routes(calls, &own_id(), &BTreeSet::new(), &routes);
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    let ends = ["customer_gateway", "vpn_gateway", "transit_gateway"];
    update.only(&[&ends[..], &["routes", "local_cidr", "remote_cidr", "tags"]].concat())?;
    let [customer, single, transit] = ends.map(|name| update.changes(name).then(|| update.desired.text(name)));
    let (customer, single, transit) = (customer.transpose()?, single.transpose()?, transit.transpose()?);
    if customer.or(single).or(transit).is_some() {
        let mut fields = customer.map(|id| field("customer_gateway", id)).unwrap_or_default();
        // It has one of the two: with the other one, this one goes.
        for (name, other, end) in
            [("vpn_gateway", "transit_gateway", single), ("transit_gateway", "vpn_gateway", transit)]
        {
            let Some(end) = end else { continue };
            fields.extend(field(name, end));
            if update.observed.optional_text(other)?.is_some() {
                fields.extend(field(other, Value::Null));
            }
        }
        let request = named([
            ("VpnConnectionId", Some(known_id(update.id))),
            ("CustomerGatewayId", customer.map(Into::into)),
            ("VpnGatewayId", single.map(Into::into)),
            ("TransitGatewayId", transit.map(Into::into)),
        ]);
        calls.set_and_wait("ModifyVpnConnection", request, fields, CHANGED);
    }
    let (mut request, mut fields) = (vec![("VpnConnectionId", known_id(update.id))], BTreeMap::new());
    for (name, parameters) in NETWORKS.into_iter().filter(|(name, _)| update.changes(name)) {
        let cidr = update.desired.text(name)?;
        canonical_cidr(cidr).map_err(|problem| format!("the field `{name}`: {problem}"))?;
        request.push((network(parameters, cidr), cidr.into()));
        fields.extend(field(name, cidr));
    }
    if !fields.is_empty() {
        let request = Part::Map(request.into_iter().map(|(name, part)| (name.to_owned(), part)).collect());
        calls.set_and_wait("ModifyVpnConnectionOptions", request, fields, CHANGED);
    }
    if update.changes("routes") {
        set_routes(calls, &known_id(update.id), &routes(update.observed)?, &routes(update.desired)?);
    }
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    calls.remove("DeleteVpnConnection", parts([("VpnConnectionId", known_id(delete.id))]), GONE);
    Ok(())
}

/// The connection, unless it is deleted: AWS lists those for a while.
fn observe(vpn: Shown<'_>) -> Option<Seen> {
    let readiness = match vpn.text("State") {
        Some("deleted") => return None,
        Some("deleting") => Readiness::Going,
        Some("pending" | "modifying") => Readiness::Pending,
        Some("available") | None => Readiness::Ready,
        Some(other) => Readiness::Failed(format!("the connection is {other}")),
    };
    let options = vpn.at("Options");
    let ipv6 = options.text("TunnelInsideIpVersion") == Some("ipv6");
    let there = vpn.list("Routes").filter(|route| !matches!(route.text("State"), Some("deleting" | "deleted")));
    let routes = there.filter_map(|route| route.text("DestinationCidrBlock")).map(Value::from).collect();
    let tunnels: Vec<_> = options.list("TunnelOptions").map(|tunnel| tunnel.text("OutsideIpAddress")).collect();
    let address = |tunnel: usize| tunnels.get(tunnel).copied().flatten();
    let mut seen = Seen::new(readiness)
        .with("customer_gateway", vpn.text("CustomerGatewayId"))
        .with_or_null("vpn_gateway", vpn.text("VpnGatewayId"))
        .with_or_null("transit_gateway", vpn.text("TransitGatewayId"))
        .with("static_routes_only", Some(options.bool("StaticRoutesOnly").unwrap_or(false)))
        .with("acceleration", Some(options.bool("EnableAcceleration").unwrap_or(false)))
        .with("ipv6", Some(ipv6))
        .with("keys_in_secrets_manager", Some(vpn.text("PreSharedKeyArn").is_some_and(|arn| !arn.is_empty())))
        .with("routes", Some(Value::List(routes)))
        .with_or_empty("tunnel1_address", address(0))
        .with_or_empty("tunnel2_address", address(1));
    for (name, [v4, v6]) in NETWORKS {
        seen = seen.with_or_null(name, options.text(if ipv6 { v6 } else { v4 }));
    }
    Some(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_one_end_of_amazons_the_other_one_goes() {
        let fields = |json: &str| serde_json::from_str::<provision_core::value::Fields>(json).unwrap();
        let (have, want) = (fields(r#"{"vpn_gateway":"vgw-1"}"#), fields(r#"{"transit_gateway":"tgw-1"}"#));
        let (id, changed) = (ObjectId::new("vpn-1").unwrap(), &["transit_gateway"]);
        let mut calls = Calls::new(&ROW.schema.type_name.parse().unwrap());
        let (observed, desired) = (Given(&have), Given(&want));
        update(&mut calls, &Update { id: &id, observed, carries: None, desired, changed, mark: None }).unwrap();
        let set = calls.done()[0].effect.fields().cloned().unwrap();
        assert_eq!(serde_json::to_string(&set).unwrap(), r#"{"transit_gateway":"tgw-1","vpn_gateway":null}"#);
    }

    #[test]
    fn a_route_that_goes_is_not_there_and_a_deleted_connection_neither() {
        let with = |state: &str| {
            let answer = format!(
                r#"{{"VpnConnectionId":"vpn-1","State":"{state}","Options":{{"TunnelOptions":[{{"OutsideIpAddress":"a"}}]}},
                    "Routes":[{{"DestinationCidrBlock":"10.1.0.0/16","State":"deleting"}},
                              {{"DestinationCidrBlock":"10.2.0.0/16","State":"pending"}}]}}"#
            );
            let answer: Value = serde_json::from_str(&answer).unwrap();
            observe(Shown(Some(&answer)))
        };
        assert!(with("deleted").is_none());
        assert_eq!(with("modifying").unwrap().readiness, Readiness::Pending);
        let fields = with("available").unwrap().fields;
        assert_eq!(fields["routes"], Value::List(vec!["10.2.0.0/16".into()]));
        assert_eq!((&fields["tunnel1_address"], &fields["tunnel2_address"]), (&"a".into(), &"".into()));
    }
}
