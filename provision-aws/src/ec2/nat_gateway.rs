//! `aws_nat_gateway`: found again by its mark alone, because its token has no documented term.

use std::net::Ipv4Addr;

use provision_core::call::{Mark, Readiness, Recovery, Wait};
use provision_core::dsl::Inputs;
use provision_core::prelude::*;
use provision_core::value::Tree;

use super::elastic_ip::ElasticIpId;
use super::internet_gateway::InternetGatewayId;
use super::list::{List, PAGE};
use super::network_interface::NetworkInterfaceId;
use super::subnet::SubnetId;
use super::tags;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, known_id, parts};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

choices! {
    /// What a NAT gateway translates to.
    Connectivity {
        /// A public address: the way to the internet.
        Public = "public",
        /// A private one: the way to other networks.
        Private = "private",
    }
}

/// The way out for what has no public address of its own; routes lead to it.
///
/// A public one has an address (`allocation`), and its VPC an internet gateway: name that, and the NAT gateway waits for it.
/// A replacement that keeps the address is made after the old gateway, and what uses it, is deleted, because AWS gives an
/// address to one: give it another address, and route tables just change over.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, public: Ref<SubnetId, D>, internet: Ref<InternetGatewayId, D>, private: Ref<SubnetId, D>) {
/// let address = b.put("nat", ElasticIp {});
/// b.put("out", NatGateway { subnet: public }).allocation(address).internet_gateway(internet);
/// b.put("partners", NatGateway { subnet: private }).connectivity(Connectivity::Private);
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_nat_gateway", version = 1, check = check)]
pub struct NatGateway {
    /// The subnet that it lies in: for a public one, a subnet with a route to the internet gateway.
    #[attr(replace)]
    pub subnet: SubnetId,
    /// Whether it has a public address.
    #[attr(replace, default = "public")]
    pub connectivity: Connectivity,
    /// The public address.
    #[attr(replace)]
    pub allocation: Option<ElasticIpId>,
    /// The internet gateway of its VPC, which has to be attached first.
    #[attr(replace, unread)]
    pub internet_gateway: Option<InternetGatewayId>,
    /// Its address in the subnet.
    #[attr(replace)]
    pub private_ip: Option<String>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: NatGatewayId,
    /// Its address in the subnet, whoever chose it.
    #[attr(computed)]
    pub address: String,
    /// Its public address; empty for a private one.
    #[attr(computed)]
    pub public_ip: String,
    /// Its network interface.
    #[attr(computed)]
    pub network_interface: NetworkInterfaceId,
}

const NO_ADDRESS: &str = "a public gateway has an address: write `.allocation(address)`, \
                          or `.connectivity(Connectivity::Private)`";
const NO_USE: &str = "a private gateway has no public address: leave this out";

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    let private = inputs.text("connectivity") == Some(PRIVATE);
    if !private && inputs.is_empty("allocation") {
        problems.push(("allocation", NO_ADDRESS.to_owned()));
    }
    for field in ["allocation", "internet_gateway"] {
        if private && !inputs.is_empty(field) {
            problems.push((field, NO_USE.to_owned()));
        }
    }
    if let Some(address) = inputs.text("private_ip").filter(|address| address.parse::<Ipv4Addr>().is_err()) {
        problems.push(("private_ip", format!("`{}` is not an IPv4 address", address.escape_debug())));
    }
    problems
}

apis! { aws_sdk_ec2 ec2;
    CreateNatGateway: Tag, "ClientToken, whose term is not documented; two private gateways may differ in nothing";
        (SubnetId, ConnectivityType, AllocationId, PrivateIpAddress, ClientToken, TagSpecifications) -> (NatGateway);
    DeleteNatGateway: Remove, "ids are never used again"; (NatGatewayId) -> ();
    DescribeNatGateways: Read, ""; (NatGatewayIds, Filter, NextToken, MaxResults) -> (NatGateways, NextToken);
}
shapes! { aws_sdk_ec2;
    text ConnectivityType;
    text NatGatewayState;
    shown NatGatewayAddress(AllocationId, NetworkInterfaceId, PrivateIp, PublicIp, IsPrimary);
    shown NatGateway(NatGatewayId, SubnetId, ConnectivityType, NatGatewayAddresses, State, FailureCode, FailureMessage, Tags);
}

pub(crate) static ROW: Row = Row {
    schema: NatGateway::SCHEMA,
    identity_key: &["allocation"],
    create,
    update,
    delete,
    answers: &[Answered { api: "CreateNatGateway", id: &["NatGateway", "NatGatewayId"], outputs: &[] }],
    reading: &List {
        schema: NatGateway::SCHEMA,
        api: "DescribeNatGateways",
        ids: "NatGatewayIds",
        filters: "Filter",
        most: PAGE,
        objects: &["NatGateways"],
        id: "NatGatewayId",
        keys: &[("subnet", "subnet-id")],
        observe,
        details: &[],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"subnet":"subnet-1","connectivity":"public","allocation":"eipalloc-1","internet_gateway":"igw-1","tags":{}}"#,
        changes: &[r#"{"tags":{"other":"1"}}"#],
    },
};

const PUBLIC: &str = "public";
const PRIVATE: &str = "private";

/// AWS documents no times, but that a failed gateway is deleted "usually in about an hour"
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html>); these are those that Terraform's
/// provider waits for `aws_nat_gateway`.
const READY_SECONDS: u32 = 600;
const GONE_SECONDS: u32 = 1800;

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let subnet = desired.text("subnet")?;
    let connectivity = desired.optional_text("connectivity")?.unwrap_or(PUBLIC);
    let allocation = desired.optional_text("allocation")?;
    match (connectivity, allocation) {
        (PUBLIC, None) => return Err(NO_ADDRESS.to_owned()),
        (PRIVATE, Some(_)) => return Err(NO_USE.to_owned()),
        (PUBLIC, Some(_)) | (PRIVATE, None) => {}
        (other, _) => return Err(format!("the field `connectivity` is `public` or `private`, not `{other}`")),
    }
    let (specification, users) = tags::specification("natgateway", desired, mark)?;
    let mut request = vec![
        ("SubnetId", Part::from(subnet)),
        ("ConnectivityType", connectivity.into()),
        ("ClientToken", mark.incarnation.as_str().into()),
        ("TagSpecifications", specification),
    ];
    let mut fields = field("subnet", subnet);
    fields.extend(field("connectivity", connectivity));
    fields.extend(field("tags", users));
    for (name, parameter) in [
        ("allocation", Some("AllocationId")),
        ("private_ip", Some("PrivateIpAddress")),
        // Named only so that it is there before the gateway, and stays until the gateway is gone.
        ("internet_gateway", None),
    ] {
        if let Some(value) = desired.optional_text(name)? {
            request.extend(parameter.map(|parameter| (parameter, value.into())));
            fields.extend(field(name, value));
        }
    }
    let request = Tree::Map(request.into_iter().map(|(name, part)| (name.to_owned(), part)).collect());
    let new = New { fields, computed: &["id", "address", "public_ip", "network_interface"], mark: Some(mark) };
    calls.create("CreateNatGateway", request, Recovery::Tag, new, Wait::Ready(READY_SECONDS));
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&["tags"])?;
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    let request = parts([("NatGatewayId", known_id(delete.id))]);
    calls.remove("DeleteNatGateway", request, Wait::Gone(GONE_SECONDS));
    Ok(())
}

/// The gateway, unless it is deleted: EC2 lists those for an hour.
fn observe(gateway: Shown<'_>) -> Option<Seen> {
    let readiness = match gateway.text("State") {
        Some("deleted") => return None,
        Some("deleting") => Readiness::Going,
        Some("available") => Readiness::Ready,
        Some("failed") => {
            let why = gateway.text("FailureMessage").or(gateway.text("FailureCode")).unwrap_or("AWS does not say why");
            Readiness::Failed(format!("the NAT gateway failed: {why}"))
        }
        Some(_) | None => Readiness::Pending,
    };
    let addresses = || gateway.list("NatGatewayAddresses");
    let first = addresses().find(|it| it.bool("IsPrimary") == Some(true)).or_else(|| addresses().next());
    let first = first.unwrap_or(Shown(None));
    let seen = Seen::new(readiness)
        .with("subnet", gateway.text("SubnetId"))
        .with("connectivity", Some(gateway.text("ConnectivityType").unwrap_or(PUBLIC)))
        .with_or_null("allocation", first.text("AllocationId"))
        .with_or_null("private_ip", first.text("PrivateIp"))
        .with_or_empty("address", first.text("PrivateIp"))
        .with_or_empty("public_ip", first.text("PublicIp"))
        .with_or_empty("network_interface", first.text("NetworkInterfaceId"));
    Some(seen)
}

#[cfg(test)]
mod tests {
    use provision_core::value::Value;

    use super::*;

    #[test]
    fn the_states_of_a_gateway() {
        let seen = |state: &str| {
            let answer = format!(
                r#"{{"NatGatewayId":"nat-1","State":"{state}","FailureMessage":"no gateway","NatGatewayAddresses":[
                    {{"AllocationId":"eipalloc-2","IsPrimary":false}},{{"AllocationId":"eipalloc-1","IsPrimary":true}}]}}"#
            );
            let answer: Value = serde_json::from_str(&answer).unwrap();
            observe(Shown(Some(&answer)))
        };
        let readiness = |state| seen(state).map(|seen| seen.readiness);
        assert_eq!(readiness("pending"), Some(Readiness::Pending));
        assert_eq!(readiness("available"), Some(Readiness::Ready));
        assert_eq!(readiness("deleting"), Some(Readiness::Going));
        assert_eq!(readiness("deleted"), None, "listed for an hour");
        assert_eq!(readiness("failed"), Some(Readiness::Failed("the NAT gateway failed: no gateway".to_owned())));
        assert_eq!(seen("available").unwrap().fields["allocation"], "eipalloc-1".into(), "the first one is ours");
    }
}
