//! `aws_vpc_endpoint`: found again by its mark alone, because its token has no documented term.

use std::collections::BTreeSet;

use provision_core::call::{Mark, Readiness, Recovery, Wait};
use provision_core::dsl::input::FieldKind;
use provision_core::dsl::{Input, Inputs, IntoInput};
use provision_core::prelude::*;
use provision_core::schema::Kind;
use provision_core::value::{Fields, Tree, Value};

use super::list::{List, PAGE};
use super::route_table::RouteTableId;
use super::security_group::SecurityGroupId;
use super::subnet::SubnetId;
use super::tags;
use super::vpc::VpcId;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, known_id, parts};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

choices! {
    /// How an endpoint is reached.
    EndpointType {
        /// By a route to the service's prefix list, which AWS puts into the endpoint's route tables: S3 and DynamoDB.
        Gateway = "Gateway",
        /// By network interfaces in the endpoint's subnets: most services.
        Interface = "Interface",
        /// By a network interface in one subnet, which routes lead to: appliances behind a Gateway Load Balancer.
        GatewayLoadBalancer = "GatewayLoadBalancer",
    }
}

choices! {
    /// The addresses that an endpoint's network interfaces have.
    IpAddressType {
        /// IPv4 alone.
        Ipv4 = "ipv4",
        /// IPv6 alone.
        Ipv6 = "ipv6",
        /// Both.
        Dualstack = "dualstack",
    }
}

/// A private way from a VPC to a service, which does not pass the internet.
///
/// One whose service has to accept it counts as ready while it waits for that.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, vpc: Ref<VpcId, D>, table: Ref<RouteTableId, D>, subnet: Ref<SubnetId, D>, inside: Ref<SecurityGroupId, D>) {
/// b.put("s3", VpcEndpoint { vpc, service: D::service("s3") }).route_tables([table]);
/// b.put("ssm", VpcEndpoint { vpc, service: D::service("ssm") })
///     .endpoint_type(EndpointType::Interface)
///     .subnets([subnet])
///     .security_groups([inside])
///     .private_dns(true);
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_vpc_endpoint", version = 1, check = check)]
pub struct VpcEndpoint {
    /// The VPC that it belongs to.
    #[attr(replace)]
    pub vpc: VpcId,
    /// The service: `com.amazonaws.us-east-1.s3`, which `D::service("s3")` writes.
    #[attr(replace)]
    pub service: String,
    /// How it is reached.
    #[attr(replace, default = "Gateway")]
    pub endpoint_type: EndpointType,
    /// Who may do what through it, as JSON. AWS' own default lets everybody do everything.
    pub policy: Option<EndpointPolicy>,
    /// For gateways: the tables that get a route to the service.
    #[attr(set, default)]
    pub route_tables: Vec<RouteTableId>,
    /// For the others: the subnets that have a network interface of it, one for each zone; for load balancers just one.
    #[attr(set, default)]
    pub subnets: Vec<SubnetId>,
    /// For interfaces: the groups whose rules hold for them: one at least.
    #[attr(set, default)]
    pub security_groups: Vec<SecurityGroupId>,
    /// For interfaces: whether the service's public name leads to the endpoint inside the VPC, which needs both of the VPC's
    /// DNS switches.
    #[attr(default = false)]
    pub private_dns: bool,
    /// For the others: which addresses it has.
    pub ip_address_type: Option<IpAddressType>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: VpcEndpointId,
    /// Its own name; empty where it has none, as gateways do.
    #[attr(computed)]
    pub dns_name: String,
}

/// A field that takes the policy of an endpoint, as JSON text. Its erased form is the document itself, so that order and
/// spaces make no difference.
#[derive(Debug, Clone, Copy)]
pub enum EndpointPolicy {}

impl FieldKind for EndpointPolicy {
    const KIND: Kind = Kind::Object;
}

impl<D> IntoInput<EndpointPolicy, D> for &str {
    fn into_input(self) -> Input {
        match serde_json::from_str::<Value>(self) {
            Ok(document) if document.as_map().is_some_and(|map| map.contains_key("Statement")) => document.widen(),
            Ok(_) => Input::problem("a policy is a JSON object with `Statement` in it"),
            Err(error) => Input::problem(format!("not a policy: {error}")),
        }
    }
}

impl<D> IntoInput<EndpointPolicy, D> for String {
    fn into_input(self) -> Input {
        IntoInput::<EndpointPolicy, D>::into_input(self.as_str())
    }
}

const GATEWAY: &str = "Gateway";
const INTERFACE: &str = "Interface";
const LOAD_BALANCER: &str = "GatewayLoadBalancer";

const NO_GROUP: &str = "an interface endpoint has a security group at least, else AWS gives it the VPC's own: \
                        write `.security_groups([group])`";

/// What the type of an endpoint cannot have: the fields, and who can.
fn foreign(endpoint_type: &str) -> &'static [(&'static str, &'static str)] {
    const INTERFACES: &str = "only an interface endpoint has this: write `.endpoint_type(EndpointType::Interface)`";
    const ROUTED: &str = "only a gateway endpoint has this: name `subnets`";
    const NO_POLICY: &str = "an endpoint of a Gateway Load Balancer has no policy: leave this out";
    match endpoint_type {
        GATEWAY => &[("subnets", INTERFACES), ("security_groups", INTERFACES), ("private_dns", INTERFACES)],
        INTERFACE => &[("route_tables", ROUTED)],
        LOAD_BALANCER => &[
            ("route_tables", ROUTED),
            ("security_groups", INTERFACES),
            ("private_dns", INTERFACES),
            ("policy", NO_POLICY),
        ],
        _ => &[],
    }
}

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let endpoint_type = inputs.text("endpoint_type").unwrap_or(GATEWAY);
    let given = |field: &str| !inputs.is_empty(field) && inputs.bool(field) != Some(false);
    let foreign = foreign(endpoint_type).iter().filter(|(field, _)| given(field));
    let mut problems: Vec<_> = foreign.map(|(field, problem)| (*field, (*problem).to_owned())).collect();
    if endpoint_type == INTERFACE && inputs.is_empty("security_groups") {
        problems.push(("security_groups", NO_GROUP.to_owned()));
    }
    if let Some(service) = inputs.text("service").filter(|service| service.split('.').count() < 3) {
        let service = service.escape_debug();
        let problem = format!("`{service}` is not the whole name of a service: write `D::service(\"{service}\")`");
        problems.push(("service", problem));
    }
    problems
}

apis! { aws_sdk_ec2 ec2;
    CreateVpcEndpoint: Tag, "ClientToken, whose term is not documented; two endpoints may differ in nothing";
        (VpcId, ServiceName, VpcEndpointType, PolicyDocument, RouteTableIds, SubnetIds, SecurityGroupIds, PrivateDnsEnabled,
         IpAddressType, ClientToken, TagSpecifications) -> (VpcEndpoint);
    ModifyVpcEndpoint: Set, "what is there already is not added twice, or refused";
        (VpcEndpointId, PolicyDocument, AddRouteTableIds, RemoveRouteTableIds, AddSubnetIds, RemoveSubnetIds,
         AddSecurityGroupIds, RemoveSecurityGroupIds, PrivateDnsEnabled, IpAddressType) -> ();
    DeleteVpcEndpoints: Remove, "ids are never used again"; (VpcEndpointIds) -> (Unsuccessful);
    DescribeVpcEndpoints: Read, ""; (VpcEndpointIds, Filters, NextToken, MaxResults) -> (VpcEndpoints, NextToken);
}
shapes! { aws_sdk_ec2;
    text VpcEndpointType;
    text IpAddressType;
    text State;
    shown SecurityGroupIdentifier(GroupId);
    shown DnsEntry(DnsName);
    shown LastError(Code, Message);
    shown VpcEndpoint(VpcEndpointId, VpcId, ServiceName, VpcEndpointType, State, PolicyDocument, RouteTableIds, SubnetIds,
        Groups, PrivateDnsEnabled, IpAddressType, DnsEntries, LastError, FailureReason, Tags);
}

pub(crate) static ROW: Row = Row {
    schema: VpcEndpoint::SCHEMA,
    identity_key: &[],
    create,
    update,
    delete,
    answers: &[Answered { api: "CreateVpcEndpoint", id: &["VpcEndpoint", "VpcEndpointId"], outputs: &[] }],
    reading: &List {
        schema: VpcEndpoint::SCHEMA,
        api: "DescribeVpcEndpoints",
        ids: "VpcEndpointIds",
        filters: "Filters",
        most: PAGE,
        objects: &["VpcEndpoints"],
        id: "VpcEndpointId",
        keys: &[("vpc", "vpc-id"), ("service", "service-name"), ("endpoint_type", "vpc-endpoint-type")],
        observe,
        details: &[],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"vpc":"vpc-1","service":"com.amazonaws.us-east-1.ssm","endpoint_type":"Interface","route_tables":[],
            "subnets":["subnet-1"],"security_groups":["sg-1"],"private_dns":false,"tags":{},
            "policy":{"Statement":[{"Effect":"Allow","Principal":"*","Action":["ssm:*"],"Resource":["*"]}]}}"#,
        changes: &[
            r#"{"subnets":["subnet-1","subnet-2"]}"#,
            r#"{"subnets":["subnet-2"],"security_groups":["sg-2"],"private_dns":true}"#,
            r#"{"policy":{"Statement":[]}}"#,
            r#"{"tags":{"other":"1"}}"#,
        ],
    },
};

/// AWS documents no times; Terraform's provider waits ten minutes for each.
const READY_SECONDS: u32 = 600;
const GONE_SECONDS: u32 = 600;

/// A set of ids: the field, what a create calls it, what a change calls new ones and old ones.
struct Members {
    field: &'static str,
    given: &'static str,
    add: &'static str,
    remove: &'static str,
}

const MEMBERS: [Members; 3] = [
    Members { field: "route_tables", given: "RouteTableIds", add: "AddRouteTableIds", remove: "RemoveRouteTableIds" },
    Members { field: "subnets", given: "SubnetIds", add: "AddSubnetIds", remove: "RemoveSubnetIds" },
    Members {
        field: "security_groups",
        given: "SecurityGroupIds",
        add: "AddSecurityGroupIds",
        remove: "RemoveSecurityGroupIds",
    },
];

impl Members {
    fn of<'a>(&self, fields: Given<'a>) -> Result<BTreeSet<&'a str>, String> {
        Ok(fields.texts(self.field)?.into_iter().collect())
    }
}

fn list<'a>(ids: impl Iterator<Item = &'a &'a str>) -> Part {
    Tree::List(ids.map(|id| (*id).into()).collect())
}

fn in_order(ids: &BTreeSet<&str>) -> Value {
    Value::List(ids.iter().map(|id| (*id).into()).collect())
}

/// The policy of a definition, in one line: AWS keeps it as it is sent.
fn policy(fields: Given<'_>) -> Option<&Value> {
    fields.0.get("policy").filter(|policy| !policy.is_null())
}

fn possible(desired: Given<'_>) -> Result<&str, String> {
    let endpoint_type = desired.optional_text("endpoint_type")?.unwrap_or(GATEWAY);
    for (name, problem) in foreign(endpoint_type) {
        let given = desired.0.get(*name).is_some_and(|value| {
            !value.is_null() && value.as_bool() != Some(false) && value.as_list().is_none_or(|list| !list.is_empty())
        });
        if given {
            return Err(format!("the field `{name}`: {problem}"));
        }
    }
    if endpoint_type == INTERFACE && desired.texts("security_groups")?.is_empty() {
        return Err(NO_GROUP.to_owned());
    }
    Ok(endpoint_type)
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (vpc, service, endpoint_type) = (desired.text("vpc")?, desired.text("service")?, possible(desired)?);
    let (specification, users) = tags::specification("vpc-endpoint", desired, mark)?;
    let mut request = vec![
        ("VpcId", Part::from(vpc)),
        ("ServiceName", service.into()),
        ("VpcEndpointType", endpoint_type.into()),
        ("ClientToken", mark.incarnation.as_str().into()),
        ("TagSpecifications", specification),
    ];
    let mut fields = field("vpc", vpc);
    fields.extend(field("service", service));
    fields.extend(field("endpoint_type", endpoint_type));
    fields.extend(field("tags", users));
    for members in MEMBERS {
        let ids = members.of(desired)?;
        if !ids.is_empty() {
            request.push((members.given, list(ids.iter())));
        }
        fields.extend(field(members.field, in_order(&ids)));
    }
    let private_dns = desired.bool_or("private_dns", false)?;
    if endpoint_type == INTERFACE {
        // AWS' own default is the other one.
        request.push(("PrivateDnsEnabled", private_dns.into()));
    }
    fields.extend(field("private_dns", private_dns));
    if let Some(policy) = policy(desired) {
        request.push(("PolicyDocument", policy.to_plain_text().into()));
        fields.extend(field("policy", policy.clone()));
    }
    if let Some(addresses) = desired.optional_text("ip_address_type")? {
        request.push(("IpAddressType", addresses.into()));
        fields.extend(field("ip_address_type", addresses));
    }
    let request = Tree::Map(request.into_iter().map(|(name, part)| (name.to_owned(), part)).collect());
    let new = New { fields, computed: &["id", "dns_name"], mark: Some(mark) };
    calls.create("CreateVpcEndpoint", request, Recovery::Tag, new, Wait::Ready(READY_SECONDS));
    Ok(())
}

/// All of it in one call: an endpoint that changes takes no second one until it has.
fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    let in_place = ["policy", "route_tables", "subnets", "security_groups", "private_dns", "ip_address_type", "tags"];
    update.only(&in_place)?;
    possible(update.desired)?;
    let mut request = vec![("VpcEndpointId", known_id(update.id))];
    let mut fields = Fields::new();
    for members in MEMBERS.into_iter().filter(|members| update.changes(members.field)) {
        let (have, want) = (members.of(update.observed)?, members.of(update.desired)?);
        let (new, old) = (list(want.difference(&have)), list(have.difference(&want)));
        for (parameter, ids) in [(members.add, new), (members.remove, old)] {
            if ids.as_list().is_some_and(|ids| !ids.is_empty()) {
                request.push((parameter, ids));
            }
        }
        fields.extend(field(members.field, in_order(&want)));
    }
    if let Some(policy) = policy(update.desired).filter(|_| update.changes("policy")) {
        request.push(("PolicyDocument", policy.to_plain_text().into()));
        fields.extend(field("policy", policy.clone()));
    }
    if update.changes("private_dns") {
        let private_dns = update.desired.bool_or("private_dns", false)?;
        request.push(("PrivateDnsEnabled", private_dns.into()));
        fields.extend(field("private_dns", private_dns));
    }
    if let Some(addresses) =
        update.desired.optional_text("ip_address_type")?.filter(|_| update.changes("ip_address_type"))
    {
        request.push(("IpAddressType", addresses.into()));
        fields.extend(field("ip_address_type", addresses));
    }
    if !fields.is_empty() {
        let request = Tree::Map(request.into_iter().map(|(name, part)| (name.to_owned(), part)).collect());
        calls.set_and_wait("ModifyVpcEndpoint", request, fields, Wait::Ready(READY_SECONDS));
    }
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    let request = parts([("VpcEndpointIds", Tree::List(vec![known_id(delete.id)]))]);
    calls.remove("DeleteVpcEndpoints", request, Wait::Gone(GONE_SECONDS));
    Ok(())
}

/// The endpoint, unless it is deleted. EC2 writes states in lower case, where its reference has capitals.
fn observe(endpoint: Shown<'_>) -> Option<Seen> {
    let state = endpoint.text("State").unwrap_or_default().to_ascii_lowercase();
    let readiness = match state.as_str() {
        "deleted" => return None,
        "deleting" => Readiness::Going,
        "available" | "pendingacceptance" => Readiness::Ready,
        "failed" | "rejected" | "expired" | "partial" => {
            let why = endpoint.at("LastError").text("Message").or(endpoint.text("FailureReason"));
            Readiness::Failed(format!("the endpoint is {state}: {}", why.unwrap_or("AWS does not say why")))
        }
        _ => Readiness::Pending,
    };
    let ids = |name: &str| Value::List(endpoint.list(name).filter_map(Shown::as_text).map(Value::from).collect());
    let groups = endpoint.list("Groups").filter_map(|group| group.text("GroupId"));
    // What is no JSON stays a text, and differs.
    let policy = endpoint.text("PolicyDocument").filter(|text| !text.is_empty());
    let policy = policy.map(|text| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)));
    let seen = Seen::new(readiness)
        .with("vpc", endpoint.text("VpcId"))
        .with("service", endpoint.text("ServiceName"))
        .with("endpoint_type", Some(endpoint.text("VpcEndpointType").unwrap_or(GATEWAY)))
        .with_or_null("policy", policy)
        .with("route_tables", Some(ids("RouteTableIds")))
        .with("subnets", Some(ids("SubnetIds")))
        .with("security_groups", Some(Value::List(groups.map(Value::from).collect())))
        .with("private_dns", Some(endpoint.bool("PrivateDnsEnabled").unwrap_or(false)))
        .with_or_null("ip_address_type", endpoint.text("IpAddressType"))
        .with_or_empty("dns_name", endpoint.list("DnsEntries").next().and_then(|entry| entry.text("DnsName")));
    Some(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_policies_compare_however_they_are_written() {
        let seen = |state: &str, policy: &str| {
            let answer = serde_json::json!({"VpcEndpointId": "vpce-1", "State": state, "PolicyDocument": policy});
            let answer: Value = serde_json::from_value(answer).unwrap();
            observe(Shown(Some(&answer)))
        };
        let readiness = |state| seen(state, "").map(|seen| seen.readiness);
        assert_eq!(readiness("Available"), Some(Readiness::Ready));
        assert_eq!(readiness("pendingAcceptance"), Some(Readiness::Ready));
        assert_eq!(readiness("pending"), Some(Readiness::Pending));
        assert_eq!(readiness("deleting"), Some(Readiness::Going));
        assert_eq!(readiness("deleted"), None);
        assert!(matches!(readiness("failed"), Some(Readiness::Failed(_))));
        let written: Input = IntoInput::<EndpointPolicy, ()>::into_input(r#"{"Statement":[], "Id":"a"}"#);
        let observed = seen("available", "{ \"Id\": \"a\",\n \"Statement\": [] }").unwrap();
        assert_eq!(written.as_map().unwrap().len(), 2);
        assert_eq!(observed.fields["policy"].to_plain_text(), r#"{"Id":"a","Statement":[]}"#);
        let problem: Input = IntoInput::<EndpointPolicy, ()>::into_input("[]");
        assert!(problem.as_map().is_none());
    }
}
