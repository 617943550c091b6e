//! `aws_subnet`: AWS refuses a second one with the same range in a VPC, so range and VPC are its natural key.

use provision_core::call::{Mark, Recovery, Wait};
use provision_core::id::ObjectId;

use crate::request::{Calls, Given, New, Part, Update, boolean, field, known_id, own_id, parts};
use crate::tags;

fn set_public_ip(calls: &mut Calls, id: Part, value: bool) {
    let request = parts([("SubnetId", id), ("MapPublicIpOnLaunch", boolean(value))]);
    calls.set("ModifySubnetAttribute", request, field("public_ip", value));
}

pub(crate) fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
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
    let new = New { fields, computed: &["id"], mark };
    calls.create("CreateSubnet", request, Recovery::NaturalKey { key }, new, Wait::No);
    if public_ip {
        set_public_ip(calls, own_id(), true);
    }
    Ok(())
}

pub(crate) fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&["public_ip", "tags"])?;
    if update.changes("public_ip") {
        set_public_ip(calls, known_id(update.id), update.desired.bool_or("public_ip", false)?);
    }
    tags::update(calls, update)
}

pub(crate) fn delete(calls: &mut Calls, id: &ObjectId) {
    calls.remove("DeleteSubnet", parts([("SubnetId", known_id(id))]), Wait::No);
}
