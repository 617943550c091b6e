//! `aws_internet_gateway`: found again by its mark alone; made, then attached.

use provision_core::call::{Mark, Readiness, Recovery, Wait};
use provision_core::prelude::*;
use provision_core::value::Value;

use super::list::{List, PAGE};
use super::tags;
use super::vpc::VpcId;
use super::vpc_attachment::VpcAttachment;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Update, field, known_id, own_id, parts};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// The way between a VPC and the internet; routes lead to it. A VPC has one at most.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, vpc: Ref<VpcId, D>) {
/// b.put("internet", InternetGateway { vpc }).tags([("team", "infra")]);
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_internet_gateway", version = 1)]
pub struct InternetGateway {
    /// The VPC that it is attached to.
    pub vpc: VpcId,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: InternetGatewayId,
}

apis! { aws_sdk_ec2 ec2;
    CreateInternetGateway: Tag, "takes no token; two gateways differ in nothing"; (TagSpecifications) -> (InternetGateway);
    AttachInternetGateway: Set, "a second one is refused with Resource.AlreadyAssociated"; (InternetGatewayId, VpcId) -> ();
    DetachInternetGateway: Set, "a second one is refused with Gateway.NotAttached",
        ["Gateway.NotAttached" => AlreadySo]; (InternetGatewayId, VpcId) -> ();
    DeleteInternetGateway: Remove, "ids are never used again"; (InternetGatewayId) -> ();
    DescribeInternetGateways: Read, "";
        (InternetGatewayIds, Filters, NextToken, MaxResults) -> (InternetGateways, NextToken);
}
shapes! { aws_sdk_ec2;
    text AttachmentStatus;
    shown InternetGatewayAttachment(VpcId, State);
    shown InternetGateway(InternetGatewayId, Attachments, Tags);
}

pub(crate) static ROW: Row = Row {
    schema: InternetGateway::SCHEMA,
    identity_key: &[],
    create,
    update,
    delete,
    answers: &[Answered { api: "CreateInternetGateway", id: &["InternetGateway", "InternetGatewayId"], outputs: &[] }],
    reading: &List {
        schema: InternetGateway::SCHEMA,
        api: "DescribeInternetGateways",
        ids: "InternetGatewayIds",
        filters: "Filters",
        most: PAGE,
        objects: &["InternetGateways"],
        id: "InternetGatewayId",
        keys: &[("vpc", "attachment.vpc-id")],
        observe,
        details: &[],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"vpc":"vpc-1","tags":{}}"#,
        changes: &[r#"{"vpc":"vpc-2"}"#, r#"{"tags":{"other":"1"}}"#],
    },
};

const ATTACHMENT: VpcAttachment = VpcAttachment {
    attach: "AttachInternetGateway",
    detach: "DetachInternetGateway",
    gateway: "InternetGatewayId",
    takes: Wait::No,
};

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let vpc = desired.text("vpc")?;
    let (specification, users) = tags::specification("internet-gateway", desired, mark)?;
    let mut fields = field("vpc", Value::Null);
    fields.extend(field("tags", users));
    let request = parts([("TagSpecifications", specification)]);
    calls.create(
        "CreateInternetGateway",
        request,
        Recovery::Tag,
        New { fields, computed: &["id"], mark: Some(mark) },
        Wait::No,
    );
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
    calls.remove("DeleteInternetGateway", parts([("InternetGatewayId", known_id(delete.id))]), Wait::No);
    Ok(())
}

fn observe(gateway: Shown<'_>) -> Option<Seen> {
    let attached = gateway.list("Attachments").find(|it| !matches!(it.text("State"), Some("detaching" | "detached")));
    Some(Seen::new(Readiness::Ready).with_or_null("vpc", attached.and_then(|it| it.text("VpcId"))))
}
