//! `aws_vpc`: found again by its mark alone; three calls.

use provision_core::call::{Mark, Recovery, Wait};
use provision_core::id::ObjectId;

use crate::request::{Calls, Given, New, Part, Update, boolean, field, known_id, own_id, parts};
use crate::tags;

const SUPPORT: (&str, &str) = ("dns_support", "EnableDnsSupport");
const HOSTNAMES: (&str, &str) = ("dns_hostnames", "EnableDnsHostnames");

/// What AWS gives a new VPC: <https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html>.
const SUPPORT_OF_NEW: bool = true;
const HOSTNAMES_OF_NEW: bool = false;

fn switches(fields: Given<'_>) -> Result<(bool, bool), String> {
    let support = fields.bool_or(SUPPORT.0, SUPPORT_OF_NEW)?;
    let hostnames = fields.bool_or(HOSTNAMES.0, HOSTNAMES_OF_NEW)?;
    if hostnames && !support {
        return Err("`dns_hostnames` needs `dns_support`: set both, or neither".to_owned());
    }
    Ok((support, hostnames))
}

/// The two modify calls in the order that AWS allows: no hostnames without support, at any moment.
fn modify(calls: &mut Calls, id: &Part, support: Option<bool>, hostnames: Option<bool>) {
    let mut wanted = vec![(SUPPORT, support), (HOSTNAMES, hostnames)];
    if support == Some(false) {
        wanted.reverse();
    }
    for ((name, attribute), value) in wanted {
        if let Some(value) = value {
            let request = parts([("VpcId", id.clone()), (attribute, boolean(value))]);
            calls.set("ModifyVpcAttribute", request, field(name, value));
        }
    }
}

pub(crate) fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let cidr = desired.network("cidr")?;
    let (support, hostnames) = switches(desired)?;
    let (specification, users) = tags::specification("vpc", desired, mark)?;
    let mut fields = field("cidr", cidr);
    fields.extend(field(SUPPORT.0, SUPPORT_OF_NEW));
    fields.extend(field(HOSTNAMES.0, HOSTNAMES_OF_NEW));
    fields.extend(field("tags", users));
    let request = parts([("CidrBlock", cidr.into()), ("TagSpecifications", specification)]);
    calls.create("CreateVpc", request, Recovery::Tag, New { fields, computed: &["id"], mark }, Wait::No);
    modify(calls, &own_id(), Some(support), Some(hostnames));
    Ok(())
}

pub(crate) fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&[SUPPORT.0, HOSTNAMES.0, "tags"])?;
    let (support, hostnames) = switches(update.desired)?;
    let changed = |name, value| update.changes(name).then_some(value);
    modify(calls, &known_id(update.id), changed(SUPPORT.0, support), changed(HOSTNAMES.0, hostnames));
    tags::update(calls, update)
}

pub(crate) fn delete(calls: &mut Calls, id: &ObjectId) {
    calls.remove("DeleteVpc", parts([("VpcId", known_id(id))]), Wait::No);
}
