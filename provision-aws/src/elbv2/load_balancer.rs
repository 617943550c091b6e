//! `aws_lb`: AWS refuses a second one of the name with other settings, and answers with the first one to the same settings.

use std::marker::PhantomData;

use provision_core::call::{Mark, Observed, Readiness, Recovery, Wait};
use provision_core::dsl::input::FieldKind;
use provision_core::dsl::{Input, Inputs, IntoInput};
use provision_core::id::ObjectId;
use provision_core::prelude::*;
use provision_core::provider::{self, Asked};
use provision_core::schema::Kind;
use provision_core::value::Value;

use super::attributes::{self, Attribute, Holds};
use super::list::List;
use super::{name_problem, tags};
use crate::Aws;
use crate::ec2::security_group::SecurityGroupId;
use crate::ec2::subnet::SubnetId;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Update, field, known_id, named, own_id, parts};
use crate::table::reading::{Detail, Request, detail, parameters};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// What clients connect to: an application load balancer, which reads HTTP, or a network load balancer, which passes
/// connections on. [`Listener`](crate::Listener)s say what it takes in.
///
/// Its id is its ARN. Load balancers of the gateway kind and on Outposts are not offered, nor fixed addresses.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, public: [Ref<SubnetId, D>; 2], web: Ref<SecurityGroupId, D>) {
/// let front = b.put("front", LoadBalancer { subnets: public })
///     .security_groups([web])
///     .idle_timeout(120)
///     .drop_invalid_header_fields(true)
///     .access_logs(LogsTo::bucket("logs-of-us").prefix("front"));
/// let name = front.dns_name();
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_lb", version = 1, check = check)]
pub struct LoadBalancer {
    /// The subnets that it stands in, one per zone: for an application load balancer, of two zones at least.
    #[attr(set)]
    pub subnets: Vec<SubnetId>,
    /// Its name, unique in account and region: up to 32 letters, digits and hyphens.
    #[attr(replace, name(max = 32))]
    pub name: String,
    /// What it reads of what passes through.
    #[attr(replace, default = "application")]
    pub load_balancer_type: LoadBalancerType,
    /// Whether it has private addresses alone.
    #[attr(replace, default = false)]
    pub internal: bool,
    /// The groups whose rules hold for it. An application load balancer has one at least; a network load balancer that is
    /// made without any never gets one.
    #[attr(set, default)]
    pub security_groups: Vec<SecurityGroupId>,
    /// What addresses it has; AWS' default is IPv4.
    pub ip_address_type: Option<BalancerAddresses>,
    /// Whether AWS refuses to delete it, until this is set to `false` and applied.
    #[attr(default = false)]
    pub deletion_protection: bool,
    /// Seconds until a connection on which nothing happens is closed, 1 to 4000; AWS' default is 60. Of application load
    /// balancers alone.
    pub idle_timeout: Option<i64>,
    /// Seconds for which a client can keep its connection, 60 to 604800; AWS' default is 3600. Of application load
    /// balancers alone.
    pub client_keep_alive: Option<i64>,
    /// Whether clients can use HTTP/2; AWS' default is that they can. Of application load balancers alone.
    pub http2: Option<bool>,
    /// Whether headers with invalid names are dropped; AWS' default is that they are passed on. Of application load
    /// balancers alone.
    pub drop_invalid_header_fields: Option<bool>,
    /// Whether targets see the `Host` of the request as the client sent it. Of application load balancers alone.
    pub preserve_host_header: Option<bool>,
    /// What becomes of the header `X-Forwarded-For`. Of application load balancers alone.
    pub xff_header_processing: Option<XffProcessing>,
    /// What becomes of requests that servers read differently. Of application load balancers alone.
    pub desync_mitigation: Option<DesyncMitigation>,
    /// Whether requests are passed on while the web application firewall does not answer. Of application load balancers
    /// alone.
    pub waf_fail_open: Option<bool>,
    /// Whether targets of other zones are used; AWS' default is that they are not. Of network load balancers alone: the
    /// others always use them.
    pub cross_zone: Option<bool>,
    /// Which zones clients are sent to by the name that it has. Of network load balancers alone.
    pub client_routing: Option<ClientRouting>,
    /// Where a log of all requests goes.
    pub access_logs: Option<LogsTo>,
    /// Where a log of all connections goes. Of application load balancers alone.
    pub connection_logs: Option<LogsTo>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id, which is its ARN.
    #[attr(computed)]
    pub id: LoadBalancerId,
    /// The name under which it is reached.
    #[attr(computed)]
    pub dns_name: String,
    /// Route 53's zone of that name, which alias records are told.
    #[attr(computed)]
    pub zone_id: String,
}

choices! {
    /// What a load balancer reads of what passes through.
    LoadBalancerType {
        /// HTTP requests.
        Application = "application",
        /// Connections and datagrams.
        Network = "network",
    }
    /// What addresses a load balancer has.
    BalancerAddresses {
        /// IPv4.
        Ipv4 = "ipv4",
        /// IPv4 and IPv6.
        Dualstack = "dualstack",
        /// IPv6, and private ones of IPv4: of application load balancers alone.
        DualstackWithoutPublicIpv4 = "dualstack-without-public-ipv4",
    }
    /// What becomes of the header `X-Forwarded-For`.
    XffProcessing {
        /// The client's address is appended.
        Append = "append",
        /// It is passed on as it came.
        Preserve = "preserve",
        /// It is removed.
        Remove = "remove",
    }
    /// What becomes of requests that servers may read differently.
    DesyncMitigation {
        /// They are passed on and logged.
        Monitor = "monitor",
        /// They are passed on if their danger is known to be small.
        Defensive = "defensive",
        /// They are refused.
        Strictest = "strictest",
    }
    /// Which zones clients are sent to.
    ClientRouting {
        /// Their own.
        OwnZone = "availability_zone_affinity",
        /// Their own, for 85 of 100 requests.
        MostlyOwnZone = "partial_availability_zone_affinity",
        /// Any.
        AnyZone = "any_availability_zone",
    }
}

/// Where logs go: a bucket, whose policy has to allow load balancing to write there.
///
/// Its erased form is a map: `{"bucket": "logs", "prefix": "front"}`, `{}` for nowhere.
#[derive(Debug, Clone)]
pub struct LogsTo<D = ()> {
    entries: Vec<(&'static str, Input)>,
    of: PhantomData<fn() -> D>,
}

impl<D> LogsTo<D> {
    /// A bucket in the same region.
    pub fn bucket(name: impl IntoInput<String, D>) -> Self {
        Self { entries: vec![("bucket", name.into_input())], of: PhantomData }
    }

    /// What the names of the objects begin with.
    #[must_use]
    pub fn prefix(mut self, prefix: impl IntoInput<String, D>) -> Self {
        self.entries.push(("prefix", prefix.into_input()));
        self
    }

    /// Nowhere.
    pub fn nowhere() -> Self {
        Self { entries: Vec::new(), of: PhantomData }
    }
}

impl FieldKind for LogsTo {
    const KIND: Kind = Kind::Object;
}

impl<D> IntoInput<LogsTo, D> for LogsTo<D> {
    fn into_input(self) -> Input {
        Input::Map(self.entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

/// Fields of application load balancers alone, and of network load balancers alone.
const OF_APPLICATION: &[&str] = &[
    "idle_timeout",
    "client_keep_alive",
    "http2",
    "drop_invalid_header_fields",
    "preserve_host_header",
    "xff_header_processing",
    "desync_mitigation",
    "waf_fail_open",
    "connection_logs",
];
const OF_NETWORK: &[&str] = &["cross_zone", "client_routing"];

/// Seconds, with their bounds:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html>.
const BOUNDS: &[(&str, i64, i64)] = &[("idle_timeout", 1, 4000), ("client_keep_alive", 60, 604_800)];

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    if let Some(problem) = inputs.text("name").and_then(balancer_name_problem) {
        problems.push(("name", problem));
    }
    for &(field, least, most) in BOUNDS {
        if let Some(given) = inputs.int(field).filter(|given| !(least..=most).contains(given)) {
            problems.push((field, format!("AWS takes {least} to {most} seconds, not {given}")));
        }
    }
    let network = inputs.text("load_balancer_type") == Some("network");
    let (kind, wrong) = if network { ("a network", OF_APPLICATION) } else { ("an application", OF_NETWORK) };
    let set = wrong.iter().filter(|field| inputs.is_set(field));
    problems.extend(set.map(|&field| (field, format!("{kind} load balancer has no such setting"))));
    let least = if network { 1 } else { 2 };
    if let Some(given) = inputs.list("subnets").map(<[_]>::len).filter(|given| *given < least) {
        let problem =
            format!("{kind} load balancer stands in {least} subnets at least, each of another zone; given are {given}");
        problems.push(("subnets", problem));
    }
    if !network && inputs.is_empty("security_groups") {
        problems.push(("security_groups", NO_GROUP.to_owned()));
    }
    problems
}

const NO_GROUP: &str = "an application load balancer has a security group at least, else AWS gives it the VPC's own: \
                        write `.security_groups([group])`";

/// "must not begin with `internal-`":
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html>.
fn balancer_name_problem(name: &str) -> Option<String> {
    let theirs = name.starts_with("internal-");
    let problem =
        format!("AWS keeps names that begin with `internal-` for itself; write `.name(..)` with another than `{name}`");
    name_problem(name).or_else(|| theirs.then_some(problem))
}

apis! { aws_sdk_elasticloadbalancingv2 elbv2;
    CreateLoadBalancer: Name, "takes no token; a name taken with other settings is DuplicateLoadBalancerName, with the same \
        ones the answer is the load balancer that is there, and its mark tells whose";
        (Name, Type as r#type, Scheme, Subnets, SecurityGroups, IpAddressType, Tags) -> (LoadBalancers);
    SetSubnets: Set, "sets the whole list of subnets"; (LoadBalancerArn, Subnets) -> ();
    SetSecurityGroups: Set, "sets the whole list of groups"; (LoadBalancerArn, SecurityGroups) -> ();
    SetIpAddressType: Set, "sets it to a value"; (LoadBalancerArn, IpAddressType) -> ();
    ModifyLoadBalancerAttributes: Set, "sets attributes to values"; (LoadBalancerArn, Attributes) -> ();
    DeleteLoadBalancer: Remove, "ARNs end in an id that is never used again; of one that is gone it succeeds";
        (LoadBalancerArn) -> ();
    DescribeLoadBalancerAttributes: Read, ""; (LoadBalancerArn) -> (Attributes);
    DescribeLoadBalancers: Read, ""; (LoadBalancerArns, Names, Marker, PageSize) -> (LoadBalancers, NextMarker);
}
shapes! { aws_sdk_elasticloadbalancingv2;
    text LoadBalancerTypeEnum;
    text LoadBalancerSchemeEnum;
    text LoadBalancerStateEnum;
    text IpAddressType;
    both LoadBalancerAttribute(Key, Value);
    shown LoadBalancerState(Code, Reason);
    shown AvailabilityZone(SubnetId);
    shown LoadBalancer(LoadBalancerArn, LoadBalancerName, DNSName as dns_name, CanonicalHostedZoneId, Type as r#type,
        Scheme, State, AvailabilityZones, SecurityGroups, IpAddressType);
}

pub(crate) static ROW: Row = Row {
    schema: LoadBalancer::SCHEMA,
    identity_key: &["name"],
    create,
    update,
    delete,
    answers: &[Answered {
        api: "CreateLoadBalancer",
        id: &["LoadBalancers", "LoadBalancerArn"],
        outputs: &[
            ("dns_name", &["LoadBalancers", "DNSName"]),
            ("zone_id", &["LoadBalancers", "CanonicalHostedZoneId"]),
        ],
    }],
    reading: &List {
        schema: LoadBalancer::SCHEMA,
        api: "DescribeLoadBalancers",
        arns: "LoadBalancerArns",
        objects: "LoadBalancers",
        arn: "LoadBalancerArn",
        observe,
        details: &[tags::TAGS, SHOWN],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"subnets":["subnet-1","subnet-2"],"name":"front","load_balancer_type":"application","internal":false,
            "security_groups":["sg-1"],"ip_address_type":"ipv4","deletion_protection":true,"idle_timeout":120,
            "client_keep_alive":600,"http2":true,"drop_invalid_header_fields":true,"preserve_host_header":true,
            "xff_header_processing":"append","desync_mitigation":"strictest","waf_fail_open":true,
            "access_logs":{"bucket":"logs","prefix":"front"},"connection_logs":{"bucket":"logs"},"tags":{}}"#,
        changes: &[
            r#"{"subnets":["subnet-1","subnet-3"]}"#,
            r#"{"security_groups":["sg-2","sg-3"]}"#,
            r#"{"ip_address_type":"dualstack"}"#,
            r#"{"deletion_protection":false}"#,
            r#"{"idle_timeout":60,"client_keep_alive":3600,"http2":false,"drop_invalid_header_fields":false}"#,
            r#"{"preserve_host_header":false,"xff_header_processing":"remove","desync_mitigation":"defensive"}"#,
            r#"{"waf_fail_open":false,"access_logs":{},"connection_logs":{}}"#,
            r#"{"tags":{"other":"1"}}"#,
        ],
    },
};

/// The fields that a call of their own sets. AWS' defaults of the others depend on the kind of load balancer.
const ATTRIBUTES: &[Attribute] = &[
    Attribute { field: PROTECTION, key: "deletion_protection.enabled", holds: Holds::Switch },
    Attribute { field: "idle_timeout", key: "idle_timeout.timeout_seconds", holds: Holds::Number },
    Attribute { field: "client_keep_alive", key: "client_keep_alive.seconds", holds: Holds::Number },
    Attribute { field: "http2", key: "routing.http2.enabled", holds: Holds::Switch },
    Attribute {
        field: "drop_invalid_header_fields",
        key: "routing.http.drop_invalid_header_fields.enabled",
        holds: Holds::Switch,
    },
    Attribute { field: "preserve_host_header", key: "routing.http.preserve_host_header.enabled", holds: Holds::Switch },
    Attribute { field: "xff_header_processing", key: "routing.http.xff_header_processing.mode", holds: Holds::Text },
    Attribute { field: "desync_mitigation", key: "routing.http.desync_mitigation_mode", holds: Holds::Text },
    Attribute { field: "waf_fail_open", key: "waf.fail_open.enabled", holds: Holds::Switch },
    Attribute { field: "cross_zone", key: "load_balancing.cross_zone.enabled", holds: Holds::Switch },
    Attribute { field: "client_routing", key: "dns_record.client_routing_policy", holds: Holds::Text },
    Attribute { field: "access_logs", key: "access_logs.s3", holds: Holds::Logs },
    Attribute { field: "connection_logs", key: "connection_logs.s3", holds: Holds::Logs },
];
const PROTECTION: &str = "deletion_protection";

/// `DescribeLoadBalancerAttributes` takes one load balancer. There are few of them, and it matters who can delete them and
/// what they let through: so that is read of all.
const SHOWN: Detail = Detail {
    of: provider::Detail { name: "attributes", batch: 1, asked: Asked::Always },
    request: |ids| {
        let arn = ids.first().map(|id| id.as_str().into());
        Request { api: "DescribeLoadBalancerAttributes", parameters: parameters([("LoadBalancerArn", arn)]) }
    },
    seen,
};

fn seen(ids: &[ObjectId], answer: Shown<'_>) -> Vec<Observed> {
    let fields = attributes::fields(ATTRIBUTES, &answer.pairs("Attributes"));
    ids.iter().map(|id| detail(id, fields.clone())).collect()
}

/// "The load balancer is created in … minutes" stands nowhere; the SDKs' waiters for this and for the end give up after 40
/// looks, 15 seconds apart: `elbv2/2015-12-01/waiters-2.json` of botocore.
const READY_SECONDS: u32 = 600;
const GONE_SECONDS: u32 = 600;

const MODIFY_ATTRIBUTES: (&str, &str) = ("ModifyLoadBalancerAttributes", "LoadBalancerArn");

/// The ids of a field, as sets are written.
fn ids<'a>(fields: Given<'a>, name: &str) -> Result<Vec<&'a str>, String> {
    let mut ids = fields.texts(name)?;
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

fn is_network(fields: Given<'_>) -> Result<bool, String> {
    Ok(fields.optional_text("load_balancer_type")? == Some("network"))
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let name = desired.text("name")?;
    if let Some(problem) = balancer_name_problem(name) {
        return Err(format!("the field `name`: {problem}"));
    }
    let (subnets, groups) = (ids(desired, "subnets")?, ids(desired, "security_groups")?);
    if groups.is_empty() && !is_network(desired)? {
        return Err(NO_GROUP.to_owned());
    }
    let kind = desired.optional_text("load_balancer_type")?.unwrap_or("application");
    let internal = desired.bool_or("internal", false)?;
    let addresses = desired.optional_text("ip_address_type")?;
    let (tags, users) = tags::of_create(desired, mark)?;
    let mut fields = field("name", name);
    fields.extend(field("load_balancer_type", kind));
    fields.extend(field("internal", internal));
    fields.extend(field("subnets", Value::from(subnets.clone())));
    fields.extend(field("security_groups", Value::from(groups.clone())));
    fields.extend(field(PROTECTION, false));
    fields.extend(addresses.map(|addresses| field("ip_address_type", addresses)).unwrap_or_default());
    fields.extend(field("tags", users));
    let request = named([
        ("Name", Some(name.into())),
        ("Type", Some(kind.into())),
        ("Scheme", Some(if internal { "internal" } else { "internet-facing" }.into())),
        ("Subnets", Some(subnets.into())),
        ("SecurityGroups", (!groups.is_empty()).then(|| groups.into())),
        ("IpAddressType", addresses.map(Into::into)),
        ("Tags", Some(tags)),
    ]);
    let new = New { fields, computed: &["id", "dns_name", "zone_id"], mark: Some(mark) };
    let recovery = Recovery::Name { name: name.to_owned() };
    calls.create("CreateLoadBalancer", request, recovery, new, Wait::Ready(READY_SECONDS));
    let not_so = |attribute: &Attribute, value: &Value| attribute.field != PROTECTION || value.as_bool() == Some(true);
    attributes::set(calls, ATTRIBUTES, MODIFY_ATTRIBUTES, own_id(), desired, not_so)
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    let in_place = ATTRIBUTES.iter().map(|attribute| attribute.field);
    update.only(&in_place.chain(["subnets", "security_groups", "ip_address_type", "tags"]).collect::<Vec<_>>())?;
    let arn = || ("LoadBalancerArn", known_id(update.id));
    let addresses = update.desired.optional_text("ip_address_type")?.filter(|_| update.changes("ip_address_type"));
    let set_addresses = |calls: &mut Calls, addresses: &str| {
        let request = parts([arn(), ("IpAddressType", addresses.into())]);
        calls.set("SetIpAddressType", request, field("ip_address_type", addresses));
    };
    // While it has addresses of IPv6, all of its subnets have some.
    if let Some(addresses) = addresses.filter(|addresses| *addresses == "ipv4") {
        set_addresses(calls, addresses);
    }
    if update.changes("subnets") {
        let subnets = ids(update.desired, "subnets")?;
        let request = parts([arn(), ("Subnets", subnets.clone().into())]);
        calls.set("SetSubnets", request, field("subnets", Value::from(subnets)));
    }
    if let Some(addresses) = addresses.filter(|addresses| *addresses != "ipv4") {
        set_addresses(calls, addresses);
    }
    if update.changes("security_groups") {
        let groups = ids(update.desired, "security_groups")?;
        if groups.is_empty() || ids(update.observed, "security_groups")?.is_empty() {
            return Err(if is_network(update.desired)? {
                "`security_groups`: a network load balancer that is made with groups keeps some, and one that is made \
                 without never gets any: give it another `name`, so that it is replaced"
                    .to_owned()
            } else {
                NO_GROUP.to_owned()
            });
        }
        let request = parts([arn(), ("SecurityGroups", groups.clone().into())]);
        calls.set("SetSecurityGroups", request, field("security_groups", Value::from(groups)));
    }
    let changed = |attribute: &Attribute, _: &Value| update.changes(attribute.field);
    attributes::set(calls, ATTRIBUTES, MODIFY_ATTRIBUTES, known_id(update.id), update.desired, changed)?;
    tags::update(calls, update)
}

/// With deletion protection AWS refuses this: whoever wants it gone first sets that to `false` and applies.
fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    let request = parts([("LoadBalancerArn", known_id(delete.id))]);
    calls.remove("DeleteLoadBalancer", request, Wait::Gone(GONE_SECONDS));
    Ok(())
}

fn observe(balancer: Shown<'_>) -> Seen {
    let state = balancer.at("State");
    let readiness = match state.text("Code") {
        Some("provisioning") => Readiness::Pending,
        // `active_impaired`: it works, and wants more room than there is.
        Some("active" | "active_impaired") | None => Readiness::Ready,
        Some(code) => Readiness::Failed(match state.text("Reason") {
            Some(reason) => format!("the load balancer is {code}: {reason}"),
            None => format!("the load balancer is {code}"),
        }),
    };
    let subnets = balancer.list("AvailabilityZones").filter_map(|zone| zone.text("SubnetId"));
    let groups = balancer.list("SecurityGroups").filter_map(Shown::as_text);
    Seen::new(readiness)
        .with("name", balancer.text("LoadBalancerName"))
        .with("load_balancer_type", balancer.text("Type"))
        .with("internal", balancer.text("Scheme").map(|scheme| scheme == "internal"))
        .with("subnets", Some(Value::List(subnets.map(Value::from).collect())))
        .with("security_groups", Some(Value::List(groups.map(Value::from).collect())))
        .with("ip_address_type", balancer.text("IpAddressType"))
        .with_or_empty("dns_name", balancer.text("DNSName"))
        .with_or_empty("zone_id", balancer.text("CanonicalHostedZoneId"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_of_a_load_balancer() {
        let readiness = |state: &str| {
            let answer: Value = serde_json::from_str(&format!(r#"{{"State":{state}}}"#)).unwrap();
            observe(Shown(Some(&answer))).readiness
        };
        assert_eq!(readiness(r#"{"Code":"provisioning"}"#), Readiness::Pending);
        assert_eq!(readiness(r#"{"Code":"active"}"#), Readiness::Ready);
        assert_eq!(readiness(r#"{"Code":"active_impaired"}"#), Readiness::Ready);
        let why = "the load balancer is failed: no addresses".to_owned();
        assert_eq!(readiness(r#"{"Code":"failed","Reason":"no addresses"}"#), Readiness::Failed(why));
    }
}
