//! `aws_vpc`: found again by its mark alone; three calls.

use provision_core::call::{Mark, Observed, Readiness, Recovery, Wait};
use provision_core::dsl::Inputs;
use provision_core::id::ObjectId;
use provision_core::prelude::*;
use provision_core::provider::{self, Asked};

use super::dhcp_options::DhcpOptionsId;
use super::list::{List, PAGE};
use super::{subnet, tags};
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, boolean, field, known_id, own_id, parts};
use crate::table::reading::{Detail, DetailSeen, Request, detail, parameters};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// A virtual private cloud: a network of its own.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>) {
/// let vpc = b.put("main", Vpc { cidr: cidr!("10.1.0.0/16") }).dns_hostnames(true).tags([("team", "infra")]);
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_vpc", version = 1, check = check)]
pub struct Vpc {
    /// Its addresses: a network of /16 to /28.
    #[attr(replace)]
    pub cidr: Cidr,
    /// Whether names are resolved by Amazon's server.
    #[attr(default = true)]
    pub dns_support: bool,
    /// Whether instances with public addresses get public names.
    #[attr(default = false)]
    pub dns_hostnames: bool,
    /// What its hosts are told of names and time. Without it, what AWS gives every VPC of the region.
    pub dhcp_options: Option<DhcpOptionsId>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: VpcId,
}

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let mut problems = subnet::check_network(inputs);
    if inputs.bool("dns_support") == Some(false) && inputs.bool("dns_hostnames") == Some(true) {
        problems.push(("dns_hostnames", "needs `dns_support`, which is set to false".to_owned()));
    }
    problems
}

apis! { aws_sdk_ec2 ec2;
    CreateVpc: Tag, "takes no token; two VPCs may have one range and one name";
        (CidrBlock, TagSpecifications) -> (Vpc);
    ModifyVpcAttribute: Set, "sets an attribute to a value";
        (VpcId, EnableDnsSupport, EnableDnsHostnames) -> ();
    AssociateDhcpOptions: Set, "sets the options of a VPC"; (VpcId, DhcpOptionsId) -> ();
    DeleteVpc: Remove, "ids are never used again"; (VpcId) -> ();
    DescribeVpcs: Read, ""; (VpcIds, Filters, NextToken, MaxResults) -> (Vpcs, NextToken);
    DescribeVpcAttribute: Read, ""; (VpcId, Attribute) -> (EnableDnsSupport, EnableDnsHostnames);
}
shapes! { aws_sdk_ec2;
    text VpcState;
    text VpcAttributeName;
    both AttributeBooleanValue(Value);
    shown Vpc(VpcId, CidrBlock, DhcpOptionsId, State, Tags);
}

pub(crate) static ROW: Row = Row {
    schema: Vpc::SCHEMA,
    identity_key: &[],
    create,
    update,
    delete,
    answers: &[Answered { api: "CreateVpc", id: &["Vpc", "VpcId"], outputs: &[] }],
    reading: &List {
        schema: Vpc::SCHEMA,
        api: "DescribeVpcs",
        ids: "VpcIds",
        filters: "Filters",
        most: PAGE,
        objects: &["Vpcs"],
        id: "VpcId",
        keys: &[("cidr", "cidr"), (DHCP, "dhcp-options-id")],
        observe,
        details: &[SUPPORT.detail(), HOSTNAMES.detail()],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"cidr":"10.1.0.0/16","dns_support":true,"dns_hostnames":true,"dhcp_options":"dopt-1","tags":{"team":"infra"}}"#,
        changes: &[
            r#"{"dhcp_options":"dopt-2"}"#,
            r#"{"dns_hostnames":false}"#,
            r#"{"dns_support":false,"dns_hostnames":false}"#,
            r#"{"tags":{"other":"1"}}"#,
        ],
    },
};

/// One of the two attributes that calls of their own set and show.
#[derive(Clone, Copy)]
struct Attribute {
    field: &'static str,
    of: provider::Detail,
    parameter: &'static str,
    /// What AWS gives a new VPC: <https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html>.
    of_new: bool,
    request: fn(&[ObjectId]) -> Request,
    seen: DetailSeen,
}

const SUPPORT: Attribute = Attribute {
    field: "dns_support",
    of: provider::Detail { name: "dns_support", batch: 1, asked: Asked::Always },
    parameter: "EnableDnsSupport",
    of_new: true,
    request: |ids| SUPPORT.ask(ids, "enableDnsSupport"),
    seen: |ids, answer| SUPPORT.read(ids, answer),
};
const HOSTNAMES: Attribute = Attribute {
    field: "dns_hostnames",
    of: provider::Detail { name: "dns_hostnames", batch: 1, asked: Asked::Always },
    parameter: "EnableDnsHostnames",
    of_new: false,
    request: |ids| HOSTNAMES.ask(ids, "enableDnsHostnames"),
    seen: |ids, answer| HOSTNAMES.read(ids, answer),
};

impl Attribute {
    /// `DescribeVpcAttribute` takes one VPC and one attribute.
    const fn detail(self) -> Detail {
        Detail { of: self.of, request: self.request, seen: self.seen }
    }

    fn ask(self, ids: &[ObjectId], attribute: &str) -> Request {
        let id = ids.first().map(|id| id.as_str().into());
        let parameters = parameters([("VpcId", id), ("Attribute", Some(attribute.into()))]);
        Request { api: "DescribeVpcAttribute", parameters }
    }

    fn read(self, ids: &[ObjectId], answer: Shown<'_>) -> Vec<Observed> {
        let value = answer.at(self.parameter).bool("Value");
        let fields = value.map(|value| field(self.field, value)).unwrap_or_default();
        ids.iter().map(|id| detail(id, fields.clone())).collect()
    }
}

fn switches(fields: Given<'_>) -> Result<(bool, bool), String> {
    let support = fields.bool_or(SUPPORT.field, SUPPORT.of_new)?;
    let hostnames = fields.bool_or(HOSTNAMES.field, HOSTNAMES.of_new)?;
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
    for (attribute, value) in wanted {
        if let Some(value) = value {
            let request = parts([("VpcId", id.clone()), (attribute.parameter, boolean(value))]);
            calls.set("ModifyVpcAttribute", request, field(attribute.field, value));
        }
    }
}

const DHCP: &str = "dhcp_options";

fn associate(calls: &mut Calls, id: Part, desired: Given<'_>) -> Result<(), String> {
    if let Some(options) = desired.optional_text(DHCP)? {
        let request = parts([("VpcId", id), ("DhcpOptionsId", options.into())]);
        calls.set("AssociateDhcpOptions", request, field(DHCP, options));
    }
    Ok(())
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let cidr = desired.network("cidr")?;
    let (support, hostnames) = switches(desired)?;
    let (specification, users) = tags::specification("vpc", desired, mark)?;
    let mut fields = field("cidr", cidr);
    fields.extend(field(SUPPORT.field, SUPPORT.of_new));
    fields.extend(field(HOSTNAMES.field, HOSTNAMES.of_new));
    fields.extend(field("tags", users));
    let request = parts([("CidrBlock", cidr.into()), ("TagSpecifications", specification)]);
    calls.create("CreateVpc", request, Recovery::Tag, New { fields, computed: &["id"], mark: Some(mark) }, Wait::No);
    modify(calls, &own_id(), Some(support), Some(hostnames));
    associate(calls, own_id(), desired)
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&[SUPPORT.field, HOSTNAMES.field, DHCP, "tags"])?;
    let (support, hostnames) = switches(update.desired)?;
    let changed = |name, value| update.changes(name).then_some(value);
    let (support, hostnames) = (changed(SUPPORT.field, support), changed(HOSTNAMES.field, hostnames));
    modify(calls, &known_id(update.id), support, hostnames);
    if update.changes(DHCP) {
        associate(calls, known_id(update.id), update.desired)?;
    }
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    calls.remove("DeleteVpc", parts([("VpcId", known_id(delete.id))]), Wait::No);
    Ok(())
}

fn observe(vpc: Shown<'_>) -> Option<Seen> {
    let readiness = match vpc.text("State") {
        Some("pending") => Readiness::Pending,
        _ => Readiness::Ready,
    };
    Some(Seen::new(readiness).with("cidr", vpc.text("CidrBlock")).with(DHCP, vpc.text("DhcpOptionsId")))
}
