//! `aws_transit_gateway_vpc_attachment`: a VPC is attached to a gateway once, so the two are its natural key.

use provision_core::call::{Mark, Readiness, Recovery, Wait};
use provision_core::dsl::Inputs;
use provision_core::prelude::*;
use provision_core::value::{Fields, Tree, Value};

use super::list::{List, PAGE};
use super::subnet::SubnetId;
use super::tags;
use super::transit_gateway::{TransitGatewayId, is_on, switch};
use super::vpc::VpcId;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, known_id, parts};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// What joins a VPC to a transit gateway: an interface in one subnet of each zone that is to reach it.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, hub: Ref<TransitGatewayId, D>, vpc: Ref<VpcId, D>, subnets: &[Ref<SubnetId, D>]) {
/// b.put("hub", TransitGatewayVpcAttachment { transit_gateway: hub, vpc, subnets });
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_transit_gateway_vpc_attachment", version = 1, check = check)]
pub struct TransitGatewayVpcAttachment {
    /// The gateway.
    #[attr(replace)]
    pub transit_gateway: TransitGatewayId,
    /// The VPC.
    #[attr(replace)]
    pub vpc: VpcId,
    /// A subnet of it in each zone that is to reach the gateway: one at least, and one in a zone at most.
    #[attr(set)]
    pub subnets: Vec<SubnetId>,
    /// Whether public names of instances resolve to private addresses across the gateway.
    #[attr(default = true)]
    pub dns_support: bool,
    /// Whether it carries IPv6.
    #[attr(default = false)]
    pub ipv6: bool,
    /// Whether both directions of a connection go through the same zone, as firewalls in between need it.
    #[attr(default = false)]
    pub appliance_mode: bool,
    /// Whether rules of security groups in the VPC may name groups of other VPCs that are attached. AWS' own choice is what
    /// the gateway has.
    pub security_group_references: Option<bool>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: TransitGatewayAttachmentId,
}

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    if inputs.is_empty("subnets") {
        return vec![("subnets", format!("{NO_SUBNET}: write `subnets: [subnet]`"))];
    }
    Vec::new()
}

apis! { aws_sdk_ec2 ec2;
    CreateTransitGatewayVpcAttachment: NaturalKey,
        "takes no token; a VPC that is attached to the gateway is DuplicateTransitGatewayAttachment",
        ["DuplicateTransitGatewayAttachment" => Exists];
        (TransitGatewayId, VpcId, SubnetIds, Options, TagSpecifications) -> (TransitGatewayVpcAttachment);
    ModifyTransitGatewayVpcAttachment: Set, "subnets are added and removed, and read back before that is repeated";
        (TransitGatewayAttachmentId, AddSubnetIds, RemoveSubnetIds, Options) -> ();
    DeleteTransitGatewayVpcAttachment: Remove, "ids are never used again"; (TransitGatewayAttachmentId) -> ();
    DescribeTransitGatewayVpcAttachments: Read, "";
        (TransitGatewayAttachmentIds, Filters, NextToken, MaxResults) -> (TransitGatewayVpcAttachments, NextToken);
}
shapes! { aws_sdk_ec2;
    text TransitGatewayAttachmentState;
    text Ipv6SupportValue;
    text ApplianceModeSupportValue;
    sent CreateTransitGatewayVpcAttachmentRequestOptions(DnsSupport, SecurityGroupReferencingSupport, Ipv6Support,
        ApplianceModeSupport);
    sent ModifyTransitGatewayVpcAttachmentRequestOptions(DnsSupport, SecurityGroupReferencingSupport, Ipv6Support,
        ApplianceModeSupport);
    shown TransitGatewayVpcAttachmentOptions(DnsSupport, SecurityGroupReferencingSupport, Ipv6Support, ApplianceModeSupport);
    shown TransitGatewayVpcAttachment(TransitGatewayAttachmentId, TransitGatewayId, VpcId, State, SubnetIds, Options, Tags);
}

pub(crate) static ROW: Row = Row {
    schema: TransitGatewayVpcAttachment::SCHEMA,
    identity_key: &["transit_gateway", "vpc"],
    create,
    update,
    delete,
    answers: &[Answered {
        api: "CreateTransitGatewayVpcAttachment",
        id: &["TransitGatewayVpcAttachment", "TransitGatewayAttachmentId"],
        outputs: &[],
    }],
    reading: &List {
        schema: TransitGatewayVpcAttachment::SCHEMA,
        api: "DescribeTransitGatewayVpcAttachments",
        ids: "TransitGatewayAttachmentIds",
        filters: "Filters",
        most: PAGE,
        objects: &["TransitGatewayVpcAttachments"],
        id: "TransitGatewayAttachmentId",
        keys: &[("transit_gateway", "transit-gateway-id"), ("vpc", "vpc-id")],
        observe,
        details: &[],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"transit_gateway":"tgw-1","vpc":"vpc-1","subnets":["subnet-1","subnet-2"],"dns_support":true,
            "ipv6":false,"appliance_mode":false,"security_group_references":true,"tags":{}}"#,
        changes: &[
            r#"{"subnets":["subnet-1","subnet-3"]}"#,
            r#"{"dns_support":false,"ipv6":true,"appliance_mode":true}"#,
            r#"{"security_group_references":false}"#,
            r#"{"tags":{"other":"1"}}"#,
        ],
    },
};

/// AWS names no time. Terraform's provider waits ten minutes for an attachment, for a change, and for one to be gone.
const CHANGED: Wait = Wait::Ready(600);
const GONE: Wait = Wait::Gone(600);

const NO_SUBNET: &str = "an attachment has a subnet at least";

/// What is switched: the field and AWS' name.
const SWITCHES: [(&str, &str); 4] = [
    ("dns_support", "DnsSupport"),
    ("ipv6", "Ipv6Support"),
    ("appliance_mode", "ApplianceModeSupport"),
    ("security_group_references", "SecurityGroupReferencingSupport"),
];

fn subnets<'a>(fields: Given<'a>) -> Result<Vec<&'a str>, String> {
    let mut subnets = fields.texts("subnets")?;
    subnets.sort_unstable();
    subnets.dedup();
    Ok(subnets)
}

/// The switches that are set and chosen, with the fields that they set.
fn options(desired: Given<'_>, chosen: impl Fn(&str) -> bool) -> Result<(Part, Fields), String> {
    let (mut all, mut fields) = (Fields::new(), Fields::new());
    for (name, parameter) in SWITCHES.into_iter().filter(|(name, _)| chosen(name)) {
        if desired.0.get(name).is_none_or(Value::is_null) {
            continue;
        }
        let on = desired.bool_or(name, false)?;
        all.extend(field(parameter, switch(on)));
        fields.extend(field(name, on));
    }
    Ok((Value::Map(all).widen(), fields))
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (gateway, vpc, subnets) = (desired.text("transit_gateway")?, desired.text("vpc")?, subnets(desired)?);
    if subnets.is_empty() {
        return Err(format!("{NO_SUBNET}: name one in `subnets`"));
    }
    let (options, switches) = options(desired, |_| true)?;
    let (specification, users) = tags::specification("transit-gateway-attachment", desired, mark)?;
    let mut key = field("transit_gateway", gateway);
    key.extend(field("vpc", vpc));
    let mut fields = key.clone();
    fields.extend(field("subnets", subnets.clone()));
    fields.extend(switches);
    fields.extend(field("tags", users));
    let request = parts([
        ("TransitGatewayId", gateway.into()),
        ("VpcId", vpc.into()),
        ("SubnetIds", subnets.into()),
        ("Options", options),
        ("TagSpecifications", specification),
    ]);
    let new = New { fields, computed: &["id"], mark: Some(mark) };
    calls.create("CreateTransitGatewayVpcAttachment", request, Recovery::NaturalKey { key }, new, CHANGED);
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    let in_place = ["subnets", "dns_support", "ipv6", "appliance_mode", "security_group_references", "tags"];
    update.only(&in_place)?;
    let (options, mut fields) = options(update.desired, |name| update.changes(name))?;
    let mut request = vec![("TransitGatewayAttachmentId", known_id(update.id))];
    if !fields.is_empty() {
        request.push(("Options", options));
    }
    if update.changes("subnets") {
        let (have, want) = (subnets(update.observed)?, subnets(update.desired)?);
        if want.is_empty() {
            return Err(format!("{NO_SUBNET}: name one in `subnets`"));
        }
        // In one call, because a zone has one subnet at most and must not be without one in between.
        for (name, from, without) in [("AddSubnetIds", &want, &have), ("RemoveSubnetIds", &have, &want)] {
            let ids: Vec<Part> = from.iter().filter(|id| !without.contains(id)).map(|&id| id.into()).collect();
            if !ids.is_empty() {
                request.push((name, Tree::List(ids)));
            }
        }
        fields.extend(field("subnets", want));
    }
    if !fields.is_empty() {
        let request = Tree::Map(request.into_iter().map(|(name, part)| (name.to_owned(), part)).collect());
        calls.set_and_wait("ModifyTransitGatewayVpcAttachment", request, fields, CHANGED);
    }
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    let request = parts([("TransitGatewayAttachmentId", known_id(delete.id))]);
    calls.remove("DeleteTransitGatewayVpcAttachment", request, GONE);
    Ok(())
}

/// Whether what is attached to a transit gateway can be used; `None` if it is gone and still listed.
pub(super) fn readiness(state: Option<&str>) -> Option<Readiness> {
    Some(match state {
        Some("deleted") => return None,
        Some("deleting") => Readiness::Going,
        Some("initiating" | "initiatingRequest" | "pending" | "modifying" | "rollingBack") => Readiness::Pending,
        Some("available") | None => Readiness::Ready,
        Some("pendingAcceptance") => {
            let what = "the gateway's account has to accept it, or to set `auto_accept`";
            Readiness::Failed(format!("the attachment waits: {what}"))
        }
        Some(other) => Readiness::Failed(format!("the attachment is {other}")),
    })
}

fn observe(attachment: Shown<'_>) -> Option<Seen> {
    let subnets = attachment.list("SubnetIds").filter_map(Shown::as_text).map(Value::from).collect();
    let mut seen = Seen::new(readiness(attachment.text("State"))?)
        .with("transit_gateway", attachment.text("TransitGatewayId"))
        .with("vpc", attachment.text("VpcId"))
        .with("subnets", Some(Value::List(subnets)));
    for (name, shown) in SWITCHES {
        seen = seen.with(name, is_on(attachment.at("Options"), shown));
    }
    Some(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_of_an_attachment() {
        assert_eq!(readiness(Some("deleted")), None, "listed for a while");
        assert_eq!(readiness(Some("deleting")), Some(Readiness::Going));
        assert_eq!(readiness(Some("modifying")), Some(Readiness::Pending));
        assert_eq!(readiness(Some("available")), Some(Readiness::Ready));
        let failed = |state| matches!(readiness(Some(state)), Some(Readiness::Failed(why)) if !why.is_empty());
        assert!(["failed", "rejected", "pendingAcceptance"].into_iter().all(failed));
    }
}
