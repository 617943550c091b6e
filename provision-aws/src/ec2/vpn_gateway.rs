//! `aws_vpn_gateway`: found again by its mark alone; made, then attached.

use provision_core::call::{Mark, Readiness, Recovery, Wait};
use provision_core::prelude::*;
use provision_core::value::Value;

use super::asn::PrivateAsn;
use super::list::List;
use super::tags;
use super::vpc::VpcId;
use super::vpc_attachment::VpcAttachment;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Update, field, known_id, named, own_id, parts};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// Amazon's end of VPNs into one VPC, which has one at most. For VPNs into many VPCs there are transit gateways.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, vpc: Ref<VpcId, D>) {
/// b.put("vpn", VpnGateway { vpc }).amazon_asn(64620).tags([("team", "infra")]);
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_vpn_gateway", version = 1)]
pub struct VpnGateway {
    /// The VPC that it is attached to.
    pub vpc: VpcId,
    /// Its number in BGP: a private one. AWS' own choice is 64512.
    #[attr(replace)]
    pub amazon_asn: Option<PrivateAsn>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: VpnGatewayId,
}

apis! { aws_sdk_ec2 ec2;
    CreateVpnGateway: Tag, "takes no token; two gateways differ in nothing";
        (Type, AmazonSideAsn, TagSpecifications) -> (VpnGateway);
    AttachVpnGateway: Set, "a gateway is attached to one VPC; read back before it is repeated"; (VpnGatewayId, VpcId) -> ();
    DetachVpnGateway: Set, "a second one is refused with InvalidVpnGatewayAttachment.NotFound",
        ["InvalidVpnGatewayAttachment.NotFound" => AlreadySo]; (VpnGatewayId, VpcId) -> ();
    DeleteVpnGateway: Remove, "ids are never used again"; (VpnGatewayId) -> ();
    DescribeVpnGateways: Read, ""; (VpnGatewayIds, Filters) -> (VpnGateways);
}
shapes! { aws_sdk_ec2;
    text VpnState;
    shown VpcAttachment(VpcId, State);
    shown VpnGateway(VpnGatewayId, AmazonSideAsn, State, VpcAttachments, Tags);
}

pub(crate) static ROW: Row = Row {
    schema: VpnGateway::SCHEMA,
    identity_key: &[],
    create,
    update,
    delete,
    answers: &[Answered { api: "CreateVpnGateway", id: &["VpnGateway", "VpnGatewayId"], outputs: &[] }],
    reading: &List {
        schema: VpnGateway::SCHEMA,
        api: "DescribeVpnGateways",
        ids: "VpnGatewayIds",
        filters: "Filters",
        most: None,
        objects: &["VpnGateways"],
        id: "VpnGatewayId",
        keys: &[("vpc", "attachment.vpc-id")],
        observe,
        details: &[],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"vpc":"vpc-1","amazon_asn":64620,"tags":{}}"#,
        changes: &[r#"{"vpc":"vpc-2"}"#, r#"{"tags":{"other":"1"}}"#],
    },
};

/// AWS names no time; Terraform's provider waits a quarter of an hour for attachments.
const CHANGED: Wait = Wait::Ready(900);

const ATTACHMENT: VpcAttachment =
    VpcAttachment { attach: "AttachVpnGateway", detach: "DetachVpnGateway", gateway: "VpnGatewayId", takes: CHANGED };

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (vpc, asn) = (desired.text("vpc")?, desired.optional_int("amazon_asn")?);
    let (specification, users) = tags::specification("vpn-gateway", desired, mark)?;
    let mut fields = field("vpc", Value::Null);
    fields.extend(asn.map(|asn| field("amazon_asn", asn)).unwrap_or_default());
    fields.extend(field("tags", users));
    let request = named([
        ("Type", Some("ipsec.1".into())),
        ("AmazonSideAsn", asn.map(Into::into)),
        ("TagSpecifications", Some(specification)),
    ]);
    let new = New { fields, computed: &["id"], mark: Some(mark) };
    calls.create("CreateVpnGateway", request, Recovery::Tag, new, CHANGED);
    ATTACHMENT.attach(calls, own_id(), vpc);
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&["vpc", "tags"])?;
    ATTACHMENT.update(calls, update)?;
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    ATTACHMENT.before_delete(calls, delete);
    calls.remove("DeleteVpnGateway", parts([("VpnGatewayId", known_id(delete.id))]), Wait::No);
    Ok(())
}

/// The gateway, unless it is deleted: AWS lists those for a while, and attachments that were.
fn observe(gateway: Shown<'_>) -> Option<Seen> {
    let attached = gateway.list("VpcAttachments").filter(|it| it.text("State") != Some("detached"));
    let (leaving, stays): (Vec<_>, Vec<_>) = attached.partition(|it| it.text("State") == Some("detaching"));
    let changing = !leaving.is_empty() || stays.iter().any(|it| it.text("State") == Some("attaching"));
    let readiness = match gateway.text("State") {
        Some("deleted") => return None,
        Some("deleting") => Readiness::Going,
        Some("pending") => Readiness::Pending,
        Some("available") | None if changing => Readiness::Pending,
        Some("available") | None => Readiness::Ready,
        Some(other) => Readiness::Failed(format!("the gateway is {other}")),
    };
    let seen = Seen::new(readiness)
        .with_or_null("vpc", stays.first().and_then(|it| it.text("VpcId")))
        .with("amazon_asn", gateway.int("AmazonSideAsn"));
    Some(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_ready_when_no_attachment_changes() {
        let with = |attachments: &str| {
            let answer = format!(r#"{{"VpnGatewayId":"vgw-1","State":"available","VpcAttachments":[{attachments}]}}"#);
            let answer: Value = serde_json::from_str(&answer).unwrap();
            let seen = observe(Shown(Some(&answer))).unwrap();
            (seen.readiness, seen.fields["vpc"].as_text().map(str::to_owned))
        };
        let (old, new) = (r#"{"VpcId":"vpc-1","State":"detached"}"#, Some("vpc-2".to_owned()));
        assert_eq!(with(old), (Readiness::Ready, None));
        assert_eq!(with(r#"{"VpcId":"vpc-1","State":"detaching"}"#), (Readiness::Pending, None));
        assert_eq!(
            with(&format!(r#"{old},{{"VpcId":"vpc-2","State":"attaching"}}"#)),
            (Readiness::Pending, new.clone())
        );
        assert_eq!(with(&format!(r#"{old},{{"VpcId":"vpc-2","State":"attached"}}"#)), (Readiness::Ready, new));
    }
}
