//! `aws_customer_gateway`: a device of ours, as AWS knows it. An identical request is answered with the gateway that there
//! is, so each has a device name of its own.

use std::net::Ipv4Addr;

use provision_core::call::{Mark, Readiness, Recovery, Wait};
use provision_core::dsl::Inputs;
use provision_core::prelude::*;

use super::asn::{Asn, LARGEST_PLAIN};
use super::list::List;
use super::tags;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Update, field, known_id, named};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// A device at the other end of a VPN: the company's router, as AWS knows it.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>) {
/// b.put("office", CustomerGateway { ip_address: "203.0.113.12", asn: 65010 }).tags([("team", "infra")]);
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_customer_gateway", version = 1, check = check)]
pub struct CustomerGateway {
    /// The public IPv4 address of the device; static, and perhaps that of a NAT in front of it.
    #[attr(replace)]
    pub ip_address: String,
    /// Its number in BGP; 65000 is as good as any where routes are static.
    #[attr(replace)]
    pub asn: Asn,
    /// The certificate that it identifies itself with in place of a pre-shared key: an ARN of ACM.
    #[attr(replace)]
    pub certificate: Option<String>,
    /// The device's name. AWS takes gateways with one address and number for one, unless their names differ.
    #[attr(replace, name(max = 255))]
    pub device_name: String,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: CustomerGatewayId,
}

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    if let Some(address) = inputs.text("ip_address").filter(|address| address.parse::<Ipv4Addr>().is_err()) {
        let problem = format!("`{}` is no IPv4 address; write `203.0.113.12`", address.escape_debug());
        problems.push(("ip_address", problem));
    }
    if let Some(arn) = inputs.text("certificate").filter(|arn| !arn.starts_with("arn:")) {
        problems.push(("certificate", format!("`{}` is no ARN: it starts with `arn:aws:acm:`", arn.escape_debug())));
    }
    problems
}

apis! { aws_sdk_ec2 ec2;
    CreateCustomerGateway: Name, "takes no token; \"an identical request returns information about the existing customer gateway\", \
        and one with another device name is not identical";
        (Type, IpAddress, BgpAsn, BgpAsnExtended, CertificateArn, DeviceName, TagSpecifications) -> (CustomerGateway);
    DeleteCustomerGateway: Remove, "ids are never used again"; (CustomerGatewayId) -> ();
    DescribeCustomerGateways: Read, ""; (CustomerGatewayIds, Filters) -> (CustomerGateways);
}
shapes! { aws_sdk_ec2;
    text GatewayType;
    shown CustomerGateway(CustomerGatewayId, IpAddress, BgpAsn, BgpAsnExtended, CertificateArn, DeviceName, State, Tags);
}

pub(crate) static ROW: Row = Row {
    schema: CustomerGateway::SCHEMA,
    identity_key: &["ip_address", "device_name"],
    create,
    update,
    delete,
    answers: &[Answered { api: "CreateCustomerGateway", id: &["CustomerGateway", "CustomerGatewayId"], outputs: &[] }],
    reading: &List {
        schema: CustomerGateway::SCHEMA,
        api: "DescribeCustomerGateways",
        ids: "CustomerGatewayIds",
        filters: "Filters",
        most: None,
        objects: &["CustomerGateways"],
        id: "CustomerGatewayId",
        keys: &[("ip_address", "ip-address")],
        observe,
        details: &[],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"ip_address":"203.0.113.12","asn":65010,"device_name":"office","tags":{}}"#,
        changes: &[r#"{"tags":{"other":"1"}}"#],
    },
};

/// Its states change within the call; the deadline is for reads that lag behind it.
const READY_SECONDS: u32 = 600;

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (address, asn) = (desired.text("ip_address")?, desired.int("asn")?);
    let (name, certificate) = (desired.text("device_name")?, desired.optional_text("certificate")?);
    let (specification, users) = tags::specification("customer-gateway", desired, mark)?;
    let mut fields = field("ip_address", address);
    fields.extend(field("asn", asn));
    fields.extend(field("device_name", name));
    fields.extend(certificate.map(|arn| field("certificate", arn)).unwrap_or_default());
    fields.extend(field("tags", users));
    let request = named([
        ("Type", Some("ipsec.1".into())),
        ("IpAddress", Some(address.into())),
        (if asn > LARGEST_PLAIN { "BgpAsnExtended" } else { "BgpAsn" }, Some(asn.into())),
        ("CertificateArn", certificate.map(Into::into)),
        ("DeviceName", Some(name.into())),
        ("TagSpecifications", Some(specification)),
    ]);
    let new = New { fields, computed: &["id"], mark: Some(mark) };
    let recovery = Recovery::Name { name: name.to_owned() };
    calls.create("CreateCustomerGateway", request, recovery, new, Wait::Ready(READY_SECONDS));
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&["tags"])?;
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    let request = named([("CustomerGatewayId", Some(known_id(delete.id)))]);
    calls.remove("DeleteCustomerGateway", request, Wait::No);
    Ok(())
}

/// The gateway, unless it is deleted: AWS lists those for a while.
fn observe(gateway: Shown<'_>) -> Option<Seen> {
    let readiness = match gateway.text("State") {
        Some("deleted") => return None,
        Some("deleting") => Readiness::Going,
        Some("pending") => Readiness::Pending,
        Some("available") | None => Readiness::Ready,
        Some(other) => Readiness::Failed(format!("the gateway is {other}")),
    };
    let number = |name: &str| gateway.text(name).and_then(|asn| asn.parse::<i64>().ok());
    let seen = Seen::new(readiness)
        .with_or_null("ip_address", gateway.text("IpAddress"))
        .with("asn", number("BgpAsn").or_else(|| number("BgpAsnExtended")))
        .with_or_null("certificate", gateway.text("CertificateArn"))
        .with_or_null("device_name", gateway.text("DeviceName"));
    Some(seen)
}
