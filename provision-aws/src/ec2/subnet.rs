//! `aws_subnet`: AWS refuses a second one with the same range in a VPC, so range and VPC are its natural key.

use provision_core::call::{Mark, Readiness, Recovery, Wait};
use provision_core::dsl::Inputs;
use provision_core::prelude::*;

use super::list::{List, PAGE};
use super::tags;
use super::vpc::VpcId;
use crate::Aws;
use crate::region::AnyZone;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, boolean, field, known_id, own_id, parts};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// A part of a VPC's addresses, in one zone.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, vpc: Ref<VpcId, D>) {
/// for (zone, n) in D::zones().into_iter().zip(0..) {
///     b.put(format!("private-{zone}"), Subnet { vpc, zone, cidr: cidr!("10.1.0.0/16").subnet(24, n) });
/// }
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_subnet", version = 1, check = check_network)]
pub struct Subnet {
    /// The VPC that the subnet lies in.
    #[attr(replace)]
    pub vpc: VpcId,
    /// The zone, one of the data centre's region.
    #[attr(replace)]
    pub zone: AnyZone,
    /// Its addresses: a part of the VPC's.
    #[attr(replace)]
    pub cidr: Cidr,
    /// Whether new instances get a public address.
    #[attr(default = false)]
    pub public_ip: bool,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: SubnetId,
}

/// VPCs and subnets are IPv4 networks of /16 to /28.
pub(super) fn check_network(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let Some(cidr) = inputs.cidr("cidr") else { return Vec::new() };
    let good = cidr.is_v4() && cidr.prefix_len().is_some_and(|len| (16..=28).contains(&len));
    if good { Vec::new() } else { vec![("cidr", format!("AWS takes IPv4 networks of /16 to /28, not `{cidr}`"))] }
}

apis! { aws_sdk_ec2 ec2;
    CreateSubnet: NaturalKey, "takes no token; a range taken in the VPC is InvalidSubnet.Conflict";
        (VpcId, CidrBlock, AvailabilityZone, TagSpecifications) -> (Subnet);
    ModifySubnetAttribute: Set, "sets an attribute to a value"; (SubnetId, MapPublicIpOnLaunch) -> ();
    DeleteSubnet: Remove, "ids are never used again"; (SubnetId) -> ();
    DescribeSubnets: Read, ""; (SubnetIds, Filters, NextToken, MaxResults) -> (Subnets, NextToken);
}
shapes! { aws_sdk_ec2;
    text SubnetState;
    shown Subnet(SubnetId, VpcId, AvailabilityZone, CidrBlock, MapPublicIpOnLaunch, State, Tags);
}

pub(crate) static ROW: Row = Row {
    schema: Subnet::SCHEMA,
    identity_key: &["vpc", "cidr"],
    create,
    update,
    delete,
    answers: &[Answered { api: "CreateSubnet", id: &["Subnet", "SubnetId"], outputs: &[] }],
    reading: &List {
        schema: Subnet::SCHEMA,
        api: "DescribeSubnets",
        ids: "SubnetIds",
        filters: "Filters",
        most: PAGE,
        objects: &["Subnets"],
        id: "SubnetId",
        keys: &[("vpc", "vpc-id"), ("cidr", "cidr-block"), ("zone", "availability-zone")],
        observe,
        details: &[],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"vpc":"vpc-1","zone":"us-east-1a","cidr":"10.1.1.0/24","public_ip":true,"tags":{}}"#,
        changes: &[r#"{"public_ip":false}"#, r#"{"tags":{"other":"1"}}"#],
    },
};

fn set_public_ip(calls: &mut Calls, id: Part, value: bool) {
    let request = parts([("SubnetId", id), ("MapPublicIpOnLaunch", boolean(value))]);
    calls.set("ModifySubnetAttribute", request, field("public_ip", value));
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (vpc, zone, cidr) = (desired.text("vpc")?, desired.text("zone")?, desired.network("cidr")?);
    let public_ip = desired.bool_or("public_ip", false)?;
    let (specification, users) = tags::specification("subnet", desired, mark)?;
    let mut key = field("vpc", vpc);
    key.extend(field("cidr", cidr));
    let mut fields = key.clone();
    fields.extend(field("zone", zone));
    fields.extend(field("public_ip", false));
    fields.extend(field("tags", users));
    let request = parts([
        ("VpcId", vpc.into()),
        ("CidrBlock", cidr.into()),
        ("AvailabilityZone", zone.into()),
        ("TagSpecifications", specification),
    ]);
    let new = New { fields, computed: &["id"], mark: Some(mark) };
    calls.create("CreateSubnet", request, Recovery::NaturalKey { key }, new, Wait::No);
    if public_ip {
        set_public_ip(calls, own_id(), true);
    }
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&["public_ip", "tags"])?;
    if update.changes("public_ip") {
        set_public_ip(calls, known_id(update.id), update.desired.bool_or("public_ip", false)?);
    }
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    calls.remove("DeleteSubnet", parts([("SubnetId", known_id(delete.id))]), Wait::No);
    Ok(())
}

fn observe(subnet: Shown<'_>) -> Option<Seen> {
    let readiness = match subnet.text("State") {
        Some("pending") => Readiness::Pending,
        Some("available") | None => Readiness::Ready,
        Some(other) => Readiness::Failed(format!("the subnet is {other}")),
    };
    let seen = Seen::new(readiness)
        .with("vpc", subnet.text("VpcId"))
        .with("zone", subnet.text("AvailabilityZone"))
        .with("cidr", subnet.text("CidrBlock"))
        .with("public_ip", subnet.bool("MapPublicIpOnLaunch"));
    Some(seen)
}
