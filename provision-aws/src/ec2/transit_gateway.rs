//! `aws_transit_gateway`: found again by its mark alone.

use provision_core::call::{Mark, Readiness, Recovery, Wait};
use provision_core::prelude::*;
use provision_core::value::{Fields, Tree, Value};

use super::asn::PrivateAsn;
use super::list::{List, PAGE};
use super::tags;
use super::transit_gateway_route_table::TransitGatewayRouteTableId;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, known_id, parts};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// A router between VPCs, VPNs and other networks of a region.
///
/// A new one has a route table that every attachment is put into. Where there are [`TransitGatewayRouteTable`]s that say who
/// reaches whom, switch that off, as here.
///
/// [`TransitGatewayRouteTable`]: super::transit_gateway_route_table::TransitGatewayRouteTable
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>) {
/// b.put("hub", TransitGateway {})
///     .description("between the company's networks")
///     .amazon_asn(64630)
///     .default_association(false)
///     .default_propagation(false);
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_transit_gateway", version = 1)]
pub struct TransitGateway {
    /// What it is for.
    pub description: Option<String>,
    /// Its number in BGP: a private one. AWS' own choice is 64512. It does not change while there is BGP.
    pub amazon_asn: Option<PrivateAsn>,
    /// Whether attachments from other accounts are taken without being asked for.
    #[attr(default = false)]
    pub auto_accept: bool,
    /// Whether each attachment is associated with the gateway's own route table.
    #[attr(default = true)]
    pub default_association: bool,
    /// Whether the routes of each attachment come into the gateway's own route table.
    #[attr(default = true)]
    pub default_propagation: bool,
    /// Whether public names of instances resolve to private addresses across it.
    #[attr(default = true)]
    pub dns_support: bool,
    /// Whether VPN tunnels with the same routes share the traffic.
    #[attr(default = true)]
    pub vpn_ecmp: bool,
    /// Whether rules of security groups may name groups of other VPCs that are attached.
    #[attr(default = false)]
    pub security_group_references: bool,
    /// Whether it carries multicast.
    #[attr(replace, default = false)]
    pub multicast: bool,
    /// Its own networks, for Connect peers: IPv4 of /24 or larger, IPv6 of /64 or larger.
    #[attr(set, default)]
    pub cidrs: Vec<Cidr>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: TransitGatewayId,
    /// Its ARN, to share it with other accounts.
    #[attr(computed)]
    pub arn: String,
    /// Its own route table, that attachments are associated with; empty without `default_association`.
    #[attr(computed)]
    pub association_table: TransitGatewayRouteTableId,
    /// Its own route table, that routes of attachments come into; empty without `default_propagation`.
    #[attr(computed)]
    pub propagation_table: TransitGatewayRouteTableId,
}

apis! { aws_sdk_ec2 ec2;
    CreateTransitGateway: Tag, "takes no token; two gateways differ in nothing";
        (Description, Options, TagSpecifications) -> (TransitGateway);
    ModifyTransitGateway: Set, "sets what it names; networks are added and removed, and read back before that is repeated";
        (TransitGatewayId, Description, Options) -> ();
    DeleteTransitGateway: Remove, "ids are never used again"; (TransitGatewayId) -> ();
    DescribeTransitGateways: Read, ""; (TransitGatewayIds, Filters, NextToken, MaxResults) -> (TransitGateways, NextToken);
}
shapes! { aws_sdk_ec2;
    text TransitGatewayState;
    text AutoAcceptSharedAttachmentsValue;
    text DefaultRouteTableAssociationValue;
    text DefaultRouteTablePropagationValue;
    text VpnEcmpSupportValue;
    text DnsSupportValue;
    text SecurityGroupReferencingSupportValue;
    text MulticastSupportValue;
    sent TransitGatewayRequestOptions(AmazonSideAsn, AutoAcceptSharedAttachments, DefaultRouteTableAssociation,
        DefaultRouteTablePropagation, VpnEcmpSupport, DnsSupport, SecurityGroupReferencingSupport, MulticastSupport,
        TransitGatewayCidrBlocks);
    sent ModifyTransitGatewayOptions(AmazonSideAsn, AutoAcceptSharedAttachments, DefaultRouteTableAssociation,
        DefaultRouteTablePropagation, VpnEcmpSupport, DnsSupport, SecurityGroupReferencingSupport,
        AddTransitGatewayCidrBlocks, RemoveTransitGatewayCidrBlocks);
    shown TransitGatewayOptions(AmazonSideAsn, AutoAcceptSharedAttachments, DefaultRouteTableAssociation,
        DefaultRouteTablePropagation, VpnEcmpSupport, DnsSupport, SecurityGroupReferencingSupport, MulticastSupport,
        TransitGatewayCidrBlocks, AssociationDefaultRouteTableId, PropagationDefaultRouteTableId);
    shown TransitGateway(TransitGatewayId, TransitGatewayArn, State, Description, Options, Tags);
}

pub(crate) static ROW: Row = Row {
    schema: TransitGateway::SCHEMA,
    identity_key: &[],
    create,
    update,
    delete,
    answers: &[Answered {
        api: "CreateTransitGateway",
        id: &["TransitGateway", "TransitGatewayId"],
        outputs: &[("arn", &["TransitGateway", "TransitGatewayArn"])],
    }],
    reading: &List {
        schema: TransitGateway::SCHEMA,
        api: "DescribeTransitGateways",
        ids: "TransitGatewayIds",
        filters: "Filters",
        most: PAGE,
        objects: &["TransitGateways"],
        id: "TransitGatewayId",
        keys: &[],
        observe,
        details: &[],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"description":"hub","amazon_asn":64630,"auto_accept":false,"default_association":false,
            "default_propagation":false,"dns_support":true,"vpn_ecmp":true,"security_group_references":false,
            "multicast":false,"cidrs":["10.200.0.0/24"],"tags":{}}"#,
        changes: &[
            r#"{"description":"spokes","amazon_asn":64631}"#,
            r#"{"auto_accept":true,"dns_support":false,"vpn_ecmp":false,"security_group_references":true}"#,
            r#"{"default_association":true,"default_propagation":true}"#,
            r#"{"cidrs":["10.201.0.0/24"]}"#,
            r#"{"tags":{"other":"1"}}"#,
        ],
    },
};

/// AWS names no time. Terraform's provider waits ten minutes for a gateway, for a change, and for one to be gone.
const CHANGED: Wait = Wait::Ready(600);
const GONE: Wait = Wait::Gone(600);

/// What is switched: the field, AWS' name, and what AWS does where it isn't said.
const SWITCHES: [(&str, &str, bool); 7] = [
    ("auto_accept", "AutoAcceptSharedAttachments", false),
    ("default_association", "DefaultRouteTableAssociation", true),
    ("default_propagation", "DefaultRouteTablePropagation", true),
    ("dns_support", "DnsSupport", true),
    ("vpn_ecmp", "VpnEcmpSupport", true),
    ("security_group_references", "SecurityGroupReferencingSupport", false),
    ("multicast", "MulticastSupport", false),
];

/// A switch in AWS' words.
pub(super) fn switch(on: bool) -> &'static str {
    if on { "enable" } else { "disable" }
}

/// A switch in AWS' words; one that an answer does not show is off.
pub(super) fn is_on(options: Shown<'_>, name: &str) -> Option<bool> {
    Some(options.text(name) == Some("enable"))
}

/// The parts of a request, and the fields that they set.
#[derive(Default)]
struct Options {
    parts: Vec<(&'static str, Part)>,
    fields: Fields,
}

impl Options {
    /// The switches and the number that `chosen` names.
    fn of(desired: Given<'_>, chosen: impl Fn(&str) -> bool) -> Result<Self, String> {
        let mut all = Self::default();
        for (name, parameter, default) in SWITCHES.into_iter().filter(|(name, ..)| chosen(name)) {
            let on = desired.bool_or(name, default)?;
            all.parts.push((parameter, switch(on).into()));
            all.fields.extend(field(name, on));
        }
        if let Some(asn) = desired.optional_int("amazon_asn")?.filter(|_| chosen("amazon_asn")) {
            all.parts.push(("AmazonSideAsn", asn.into()));
            all.fields.extend(field("amazon_asn", asn));
        }
        Ok(all)
    }

    fn cidrs<'a>(&mut self, name: &'static str, cidrs: impl Iterator<Item = &'a str>) {
        let cidrs: Vec<Part> = cidrs.map(Into::into).collect();
        if !cidrs.is_empty() {
            self.parts.push((name, Tree::List(cidrs)));
        }
    }

    fn part(self) -> Part {
        Tree::Map(self.parts.into_iter().map(|(name, part)| (name.to_owned(), part)).collect())
    }
}

fn cidrs<'a>(fields: Given<'a>) -> Result<Vec<&'a str>, String> {
    let mut cidrs = fields.texts("cidrs")?;
    cidrs.sort_unstable();
    cidrs.dedup();
    Ok(cidrs)
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (description, cidrs) = (desired.optional_text("description")?, cidrs(desired)?);
    let (specification, users) = tags::specification("transit-gateway", desired, mark)?;
    let mut options = Options::of(desired, |_| true)?;
    options.cidrs("TransitGatewayCidrBlocks", cidrs.iter().copied());
    let mut fields = std::mem::take(&mut options.fields);
    fields.extend(description.map(|text| field("description", text)).unwrap_or_default());
    fields.extend(field("cidrs", cidrs));
    fields.extend(field("tags", users));
    let mut request = parts([("Options", options.part()), ("TagSpecifications", specification)]);
    if let (Some(text), Tree::Map(request)) = (description, &mut request) {
        request.insert("Description".to_owned(), text.into());
    }
    let computed = &["id", "arn", "association_table", "propagation_table"];
    calls.create("CreateTransitGateway", request, Recovery::Tag, New { fields, computed, mark: Some(mark) }, CHANGED);
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    if update.changes("multicast") {
        return update.only(&[]);
    }
    let mut options = Options::of(update.desired, |name| update.changes(name))?;
    let mut request = vec![("TransitGatewayId", known_id(update.id))];
    if update.changes("description") {
        let text = update.desired.text("description")?;
        request.push(("Description", text.into()));
        options.fields.extend(field("description", text));
    }
    if update.changes("cidrs") {
        let (have, want) = (cidrs(update.observed)?, cidrs(update.desired)?);
        options.cidrs("AddTransitGatewayCidrBlocks", want.iter().copied().filter(|cidr| !have.contains(cidr)));
        options.cidrs("RemoveTransitGatewayCidrBlocks", have.iter().copied().filter(|cidr| !want.contains(cidr)));
        options.fields.extend(field("cidrs", want));
    }
    let fields = std::mem::take(&mut options.fields);
    if !fields.is_empty() {
        if !options.parts.is_empty() {
            request.push(("Options", options.part()));
        }
        let request = Tree::Map(request.into_iter().map(|(name, part)| (name.to_owned(), part)).collect());
        calls.set_and_wait("ModifyTransitGateway", request, fields, CHANGED);
    }
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    calls.remove("DeleteTransitGateway", parts([("TransitGatewayId", known_id(delete.id))]), GONE);
    Ok(())
}

/// The gateway, unless it is deleted: AWS lists those for a while.
fn observe(gateway: Shown<'_>) -> Option<Seen> {
    let readiness = match gateway.text("State") {
        Some("deleted") => return None,
        Some("deleting") => Readiness::Going,
        Some("pending" | "modifying") => Readiness::Pending,
        Some("available") | None => Readiness::Ready,
        Some(other) => Readiness::Failed(format!("the gateway is {other}")),
    };
    let options = gateway.at("Options");
    let cidrs = options.list("TransitGatewayCidrBlocks").filter_map(Shown::as_text).map(Value::from).collect();
    let mut seen = Seen::new(readiness)
        .with_or_null("description", gateway.text("Description"))
        .with("amazon_asn", options.int("AmazonSideAsn"))
        .with("cidrs", Some(Value::List(cidrs)))
        .with_or_empty("arn", gateway.text("TransitGatewayArn"))
        .with_or_empty("association_table", options.text("AssociationDefaultRouteTableId"))
        .with_or_empty("propagation_table", options.text("PropagationDefaultRouteTableId"));
    for (name, shown, _) in SWITCHES {
        seen = seen.with(name, is_on(options, shown));
    }
    Some(seen)
}
