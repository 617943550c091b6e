//! `aws_lb_target_group`: AWS refuses a second one of the name with other settings, and answers with the first one to the
//! same settings.

use std::marker::PhantomData;

use provision_core::call::{Mark, Readiness, Recovery, Wait};
use provision_core::dsl::input::FieldKind;
use provision_core::dsl::{Input, Inputs, IntoInput};
use provision_core::prelude::*;
use provision_core::provider::{self, Asked};
use provision_core::schema::Kind;
use provision_core::value::{Fields, Value};

use super::attributes::{self, Attribute, Holds};
use super::list::List;
use super::{Parameters, name_problem, tags};
use crate::Aws;
use crate::ec2::vpc::VpcId;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, known_id, own_id, parts};
use crate::table::reading::{Detail, Request, detail, parameters};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// Where a load balancer sends what it takes in, and how it finds out which of its targets are healthy. Targets come in by
/// whatever names it: an Auto Scaling group, above all.
///
/// Its id is its ARN. Groups of Lambda functions and of gateway load balancers are not offered.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, vpc: Ref<VpcId, D>) {
/// b.put("web", TargetGroup { vpc, protocol: TargetProtocol::Http, port: 8080 })
///     .health_check_path("/health")
///     .health_check_interval(10)
///     .deregistration_delay(30)
///     .stickiness(Stickiness::lb_cookie(3600));
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_lb_target_group", version = 1, check = check)]
pub struct TargetGroup {
    /// The VPC of the targets.
    #[attr(replace)]
    pub vpc: VpcId,
    /// How targets are talked to: HTTP and HTTPS behind application load balancers, the others behind network ones.
    #[attr(replace)]
    pub protocol: TargetProtocol,
    /// The port on which targets listen, unless they are registered with another one.
    #[attr(replace)]
    pub port: i64,
    /// Its name, unique in account and region: up to 32 letters, digits and hyphens.
    #[attr(replace, name(max = 32))]
    pub name: String,
    /// What targets are: `instance`s, `ip` addresses or an application load balancer (`alb`).
    #[attr(replace, default = "instance")]
    pub target_type: TargetType,
    /// The version of HTTP; AWS' default is HTTP/1.1.
    #[attr(replace)]
    pub protocol_version: Option<ProtocolVersion>,
    /// The addresses of targets; AWS' default is IPv4.
    #[attr(replace)]
    pub ip_address_type: Option<TargetAddresses>,
    /// How health is asked for: `Http`, `Https` or `Tcp`. AWS' default is HTTP, and TCP behind network load balancers.
    pub health_check_protocol: Option<TargetProtocol>,
    /// The port on which health is asked for: a number, or AWS' default `traffic-port`, the one that the target listens on.
    pub health_check_port: Option<String>,
    /// What is asked for with HTTP; AWS' default is `/`.
    pub health_check_path: Option<String>,
    /// Which answers are healthy: `200` (AWS' default), `200,204`, `200-299`; with gRPC its codes, `12` or `0-99`.
    pub health_check_matcher: Option<String>,
    /// Seconds between two checks, 5 to 300; AWS' default is 30.
    pub health_check_interval: Option<i64>,
    /// Seconds until a check without an answer has failed, 2 to 120, less than the interval.
    pub health_check_timeout: Option<i64>,
    /// How many passed checks in a row make a target healthy, 2 to 10; AWS' default is 5.
    pub healthy_threshold: Option<i64>,
    /// How many failed checks in a row make a target unhealthy, 2 to 10; AWS' default is 2.
    pub unhealthy_threshold: Option<i64>,
    /// Seconds that a target which leaves has for what it is doing, 0 to 3600; AWS' default is 300.
    ///
    /// AWS shows this and the fields below one group at a time: each group that sets any of them costs a refresh one read.
    pub deregistration_delay: Option<i64>,
    /// Whether connections are cut at the end of that time. Behind network load balancers alone.
    pub connection_termination: Option<bool>,
    /// Seconds in which a new target gets a growing share, 30 to 900, or 0 for none, AWS' default. With HTTP alone.
    pub slow_start: Option<i64>,
    /// Which target gets a request. With HTTP alone.
    pub algorithm: Option<Algorithm>,
    /// Whether a client stays with its target; AWS' default is that it does not.
    pub stickiness: Option<Stickiness>,
    /// Whether targets of other zones are used; AWS' default is what the load balancer says.
    pub cross_zone: Option<CrossZone>,
    /// Whether targets see the addresses of clients. Behind network load balancers alone.
    pub preserve_client_ip: Option<bool>,
    /// Whether targets are told the addresses of clients in a header before the data. Behind network load balancers alone.
    pub proxy_protocol_v2: Option<bool>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id, which is its ARN.
    #[attr(computed)]
    pub id: TargetGroupId,
}

choices! {
    /// How a target is talked to.
    TargetProtocol {
        /// HTTP.
        Http = "HTTP",
        /// HTTP with TLS; certificates of targets are not verified.
        Https = "HTTPS",
        /// TCP.
        Tcp = "TCP",
        /// TCP with TLS.
        Tls = "TLS",
        /// UDP.
        Udp = "UDP",
        /// TCP and UDP on the same port.
        TcpUdp = "TCP_UDP",
    }
    /// What the targets of a group are.
    TargetType {
        /// Instances, by their ids.
        Instances = "instance",
        /// Addresses in the VPC, or in private networks that it reaches.
        Ip = "ip",
        /// An application load balancer, behind a network load balancer.
        Alb = "alb",
    }
    /// Which HTTP a target is talked to with.
    ProtocolVersion {
        /// HTTP/1.1.
        Http1 = "HTTP1",
        /// HTTP/2.
        Http2 = "HTTP2",
        /// gRPC.
        Grpc = "GRPC",
    }
    /// What addresses targets have.
    TargetAddresses {
        /// IPv4.
        Ipv4 = "ipv4",
        /// IPv6.
        Ipv6 = "ipv6",
    }
    /// Which target gets a request.
    Algorithm {
        /// One after the other.
        RoundRobin = "round_robin",
        /// The one that has the fewest to answer.
        LeastOutstandingRequests = "least_outstanding_requests",
        /// Any.
        WeightedRandom = "weighted_random",
    }
    /// Whether a node of the load balancer uses targets of other zones.
    CrossZone {
        /// It does.
        Enabled = "true",
        /// It uses those of its own zone.
        Disabled = "false",
        /// What the load balancer itself says.
        AsLoadBalancer = "use_load_balancer_configuration",
    }
}

/// How clients stay with the target that they came to first.
///
/// Its erased form is a map: `{"type": "lb_cookie", "seconds": 3600}`, `{}` where they do not.
#[derive(Debug, Clone)]
pub struct Stickiness<D = ()> {
    entries: Vec<(&'static str, Input)>,
    of: PhantomData<fn() -> D>,
}

impl<D> Stickiness<D> {
    /// By a cookie that the load balancer makes, for so many seconds: up to a week.
    pub fn lb_cookie(seconds: i64) -> Self {
        Self::new(vec![("type", "lb_cookie".into()), ("seconds", self::seconds(seconds))])
    }

    /// By a cookie of the application, for so many seconds: up to a week.
    pub fn app_cookie(cookie: impl IntoInput<String, D>, seconds: i64) -> Self {
        let entries =
            vec![("type", "app_cookie".into()), ("cookie", cookie.into_input()), ("seconds", self::seconds(seconds))];
        Self::new(entries)
    }

    /// By the client's address: behind network load balancers.
    pub fn source_ip() -> Self {
        Self::new(vec![("type", "source_ip".into())])
    }

    /// Not at all.
    pub fn off() -> Self {
        Self::new(Vec::new())
    }

    fn new(entries: Vec<(&'static str, Input)>) -> Self {
        Self { entries, of: PhantomData }
    }
}

fn seconds(seconds: i64) -> Input {
    if (1..=604_800).contains(&seconds) {
        seconds.into()
    } else {
        Input::problem(format!("clients stay for 1 to 604800 seconds, not for {seconds}"))
    }
}

impl FieldKind for Stickiness {
    const KIND: Kind = Kind::Object;
}

impl<D> IntoInput<Stickiness, D> for Stickiness<D> {
    fn into_input(self) -> Input {
        Input::Map(self.entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

/// Fields that go with HTTP alone, and with the other protocols alone.
const OF_HTTP: &[&str] = &["protocol_version", "slow_start", "algorithm"];
const OF_OTHERS: &[&str] = &["connection_termination", "preserve_client_ip", "proxy_protocol_v2"];

/// Seconds and counts, with their bounds:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html> and
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html>.
const BOUNDS: &[(&str, i64, i64)] = &[
    ("port", 1, 65_535),
    ("health_check_interval", 5, 300),
    ("health_check_timeout", 2, 120),
    ("healthy_threshold", 2, 10),
    ("unhealthy_threshold", 2, 10),
    ("deregistration_delay", 0, 3600),
];

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    if let Some(problem) = inputs.text("name").and_then(name_problem) {
        problems.push(("name", problem));
    }
    for &(field, least, most) in BOUNDS {
        if let Some(given) = inputs.int(field).filter(|given| !(least..=most).contains(given)) {
            problems.push((field, format!("AWS takes {least} to {most}, not {given}")));
        }
    }
    if let Some(given) = inputs.int("slow_start").filter(|given| *given != 0 && !(30..=900).contains(given)) {
        problems.push(("slow_start", format!("AWS takes 30 to 900, or 0 for none, not {given}")));
    }
    if let (Some(timeout), Some(interval)) = (inputs.int("health_check_timeout"), inputs.int("health_check_interval"))
        && timeout >= interval
    {
        problems.push(("health_check_timeout", format!("is not less than the interval of {interval} seconds")));
    }
    let good_port = |port: &str| port == "traffic-port" || port.parse::<u16>().is_ok_and(|port| port != 0);
    if let Some(port) = inputs.text("health_check_port").filter(|port| !good_port(port)) {
        let port = port.escape_debug();
        problems
            .push(("health_check_port", format!("`{port}` is no port; write `traffic-port` or a number up to 65535")));
    }
    if let Some(path) = inputs.text("health_check_path").filter(|path| !path.starts_with('/')) {
        problems.push(("health_check_path", format!("`{}` does not begin with `/`", path.escape_debug())));
    }
    problems.extend(health_check_problems(inputs));
    problems.extend(protocol_problems(inputs));
    problems
}

fn health_check_problems(inputs: &Inputs<'_>) -> Option<(&'static str, String)> {
    let asked = inputs.text("health_check_protocol")?;
    let http = ["HTTP", "HTTPS"];
    if !http.contains(&asked) && asked != "TCP" {
        return Some((
            "health_check_protocol",
            format!("health is asked for with HTTP, HTTPS or TCP, not with {asked}"),
        ));
    }
    if asked == "TCP" && inputs.text("protocol").is_some_and(|protocol| http.contains(&protocol)) {
        return Some(("health_check_protocol", "targets of HTTP are asked with HTTP or HTTPS".to_owned()));
    }
    let of_http =
        ["health_check_path", "health_check_matcher"].into_iter().find(|field| inputs.text(field).is_some())?;
    (asked == "TCP").then(|| (of_http, "goes with health checks by HTTP; this one is by TCP".to_owned()))
}

fn protocol_problems(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let Some(protocol) = inputs.text("protocol") else { return Vec::new() };
    let http = matches!(protocol, "HTTP" | "HTTPS");
    let wrong = if http { OF_OTHERS } else { OF_HTTP };
    let set = wrong.iter().filter(|field| inputs.is_set(field));
    let mut problems: Vec<_> = set.map(|&field| (field, format!("does not go with the protocol {protocol}"))).collect();
    let kind = inputs.value("stickiness").and_then(|how| how.as_map()?.get("type")?.as_text());
    if kind.is_some_and(|kind| (kind == "source_ip") == http) {
        let right = if http { "`lb_cookie` or `app_cookie`" } else { "`source_ip`" };
        problems.push(("stickiness", format!("with the protocol {protocol} write {right}")));
    }
    if inputs.text("target_type") == Some("alb") && protocol != "TCP" {
        problems
            .push(("protocol", format!("a load balancer as the target is talked to with TCP, not with {protocol}")));
    }
    problems
}

apis! { aws_sdk_elasticloadbalancingv2 elbv2;
    CreateTargetGroup: Name, "takes no token; a name taken with other settings is DuplicateTargetGroupName, with the same \
        ones the answer is the group that is there, and its mark tells whose";
        (Name, Protocol, ProtocolVersion, Port, VpcId, TargetType, IpAddressType, HealthCheckProtocol, HealthCheckPort,
         HealthCheckPath, HealthCheckIntervalSeconds, HealthCheckTimeoutSeconds, HealthyThresholdCount,
         UnhealthyThresholdCount, Matcher, Tags) -> (TargetGroups);
    ModifyTargetGroup: Set, "sets parts of the health check to values";
        (TargetGroupArn, HealthCheckProtocol, HealthCheckPort, HealthCheckPath, HealthCheckIntervalSeconds,
         HealthCheckTimeoutSeconds, HealthyThresholdCount, UnhealthyThresholdCount, Matcher) -> ();
    ModifyTargetGroupAttributes: Set, "sets attributes to values"; (TargetGroupArn, Attributes) -> ();
    DeleteTargetGroup: Remove, "ARNs end in an id that is never used again; of a group that is gone it succeeds";
        (TargetGroupArn) -> ();
    DescribeTargetGroupAttributes: Read, ""; (TargetGroupArn) -> (Attributes);
    DescribeTargetGroups: Read, ""; (TargetGroupArns, Names, Marker, PageSize) -> (TargetGroups, NextMarker);
}
shapes! { aws_sdk_elasticloadbalancingv2;
    text ProtocolEnum;
    text TargetTypeEnum;
    text TargetGroupIpAddressTypeEnum;
    both Matcher(HttpCode, GrpcCode);
    both TargetGroupAttribute(Key, Value);
    shown TargetGroup(TargetGroupArn, TargetGroupName, Protocol, ProtocolVersion, Port, VpcId, TargetType, IpAddressType,
        HealthCheckProtocol, HealthCheckPort, HealthCheckPath, HealthCheckIntervalSeconds, HealthCheckTimeoutSeconds,
        HealthyThresholdCount, UnhealthyThresholdCount, Matcher);
}

pub(crate) static ROW: Row = Row {
    schema: TargetGroup::SCHEMA,
    identity_key: &["name"],
    create,
    update,
    delete,
    answers: &[Answered { api: "CreateTargetGroup", id: &["TargetGroups", "TargetGroupArn"], outputs: &[] }],
    reading: &List {
        schema: TargetGroup::SCHEMA,
        api: "DescribeTargetGroups",
        arns: "TargetGroupArns",
        objects: "TargetGroups",
        arn: "TargetGroupArn",
        observe,
        details: &[tags::TAGS, SHOWN],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"vpc":"vpc-1","protocol":"HTTP","port":8080,"name":"web","target_type":"instance","tags":{},
            "protocol_version":"HTTP1","ip_address_type":"ipv4","health_check_protocol":"HTTP",
            "health_check_port":"traffic-port","health_check_path":"/health","health_check_matcher":"200-299",
            "health_check_interval":10,"health_check_timeout":5,"healthy_threshold":3,"unhealthy_threshold":2,
            "deregistration_delay":30,"slow_start":60,"algorithm":"round_robin","cross_zone":"true",
            "stickiness":{"type":"lb_cookie","seconds":3600}}"#,
        changes: &[
            r#"{"health_check_protocol":"HTTPS","health_check_port":"8443"}"#,
            r#"{"health_check_path":"/ready","health_check_matcher":"200"}"#,
            r#"{"health_check_interval":30,"health_check_timeout":6,"healthy_threshold":5,"unhealthy_threshold":5}"#,
            r#"{"deregistration_delay":0,"slow_start":0,"algorithm":"least_outstanding_requests","cross_zone":"false"}"#,
            r#"{"stickiness":{}}"#,
            r#"{"tags":{"other":"1"}}"#,
        ],
    },
};

/// Fields of the health check, with the parameters that both the create and the modify call have for them.
const HEALTH: &[(&str, &str)] = &[
    ("health_check_protocol", "HealthCheckProtocol"),
    ("health_check_port", "HealthCheckPort"),
    ("health_check_path", "HealthCheckPath"),
    ("health_check_interval", "HealthCheckIntervalSeconds"),
    ("health_check_timeout", "HealthCheckTimeoutSeconds"),
    ("healthy_threshold", "HealthyThresholdCount"),
    ("unhealthy_threshold", "UnhealthyThresholdCount"),
];
const MATCHER: &str = "health_check_matcher";

/// The fields that a call of their own sets.
const ATTRIBUTES: &[Attribute] = &[
    number("deregistration_delay", "deregistration_delay.timeout_seconds"),
    switch("connection_termination", "deregistration_delay.connection_termination.enabled"),
    number("slow_start", "slow_start.duration_seconds"),
    Attribute { field: "algorithm", key: "load_balancing.algorithm.type", holds: Holds::Text },
    Attribute { field: "stickiness", key: "stickiness", holds: Holds::Stickiness },
    Attribute { field: "cross_zone", key: "load_balancing.cross_zone.enabled", holds: Holds::Text },
    switch("preserve_client_ip", "preserve_client_ip.enabled"),
    switch("proxy_protocol_v2", "proxy_protocol_v2.enabled"),
];

const ATTRIBUTE_FIELDS: &[&str] = &attributes::names::<{ ATTRIBUTES.len() }>(ATTRIBUTES);

/// `DescribeTargetGroupAttributes` takes one group.
const SHOWN: Detail = Detail {
    of: provider::Detail { name: "attributes", batch: 1, asked: Asked::Set(ATTRIBUTE_FIELDS) },
    request: |ids| {
        let arn = ids.first().map(|id| id.as_str().into());
        Request { api: "DescribeTargetGroupAttributes", parameters: parameters([("TargetGroupArn", arn)]) }
    },
    seen: |ids, answer| {
        let fields = attributes::fields(ATTRIBUTES, &answer.pairs("Attributes"));
        ids.iter().map(|id| detail(id, fields.clone())).collect()
    },
};

const fn number(field: &'static str, key: &'static str) -> Attribute {
    Attribute { field, key, holds: Holds::Number }
}

const fn switch(field: &'static str, key: &'static str) -> Attribute {
    Attribute { field, key, holds: Holds::Switch }
}

const MODIFY_ATTRIBUTES: (&str, &str) = ("ModifyTargetGroupAttributes", "TargetGroupArn");

/// The parts of the health check that are set and that `of` names, in a request, and as fields.
fn health(desired: Given<'_>, of: impl Fn(&str) -> bool) -> Result<(Parameters, Fields), String> {
    let (mut request, mut fields) = (Parameters::new(), Fields::new());
    for &(name, parameter) in HEALTH {
        if let Some(value) = desired.get(name).filter(|_| of(name)) {
            request.insert(parameter.to_owned(), value.widen());
            fields.extend(field(name, value.clone()));
        }
    }
    if let Some(codes) = desired.optional_text(MATCHER)?.filter(|_| of(MATCHER)) {
        let grpc = desired.optional_text("protocol_version")? == Some("GRPC");
        let codes_part = parts([(if grpc { "GrpcCode" } else { "HttpCode" }, codes.into())]);
        request.insert("Matcher".to_owned(), codes_part);
        fields.extend(field(MATCHER, codes));
    }
    Ok((request, fields))
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let name = desired.text("name")?;
    if let Some(problem) = name_problem(name) {
        return Err(format!("the field `name`: {problem}"));
    }
    let (tags, users) = tags::of_create(desired, mark)?;
    let (mut request, mut fields) = health(desired, |_| true)?;
    fields.extend(field("tags", users));
    request.insert("Tags".to_owned(), tags);
    for (from, parameter) in [
        ("name", "Name"),
        ("protocol", "Protocol"),
        ("protocol_version", "ProtocolVersion"),
        ("port", "Port"),
        ("vpc", "VpcId"),
        ("target_type", "TargetType"),
        ("ip_address_type", "IpAddressType"),
    ] {
        if let Some(value) = desired.get(from) {
            request.insert(parameter.to_owned(), value.widen());
            fields.extend(field(from, value.clone()));
        }
    }
    let new = New { fields, computed: &["id"], mark: Some(mark) };
    calls.create("CreateTargetGroup", Part::Map(request), Recovery::Name { name: name.to_owned() }, new, Wait::No);
    attributes::set(calls, ATTRIBUTES, MODIFY_ATTRIBUTES, own_id(), desired, |_, _| true)
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    let in_place = HEALTH.iter().map(|(name, _)| *name).chain(ATTRIBUTES.iter().map(|attribute| attribute.field));
    update.only(&in_place.chain([MATCHER, "tags"]).collect::<Vec<_>>())?;
    let (mut request, fields) = health(update.desired, |name| update.changes(name))?;
    if !request.is_empty() {
        request.insert("TargetGroupArn".to_owned(), known_id(update.id));
        calls.set("ModifyTargetGroup", Part::Map(request), fields);
    }
    let changed = |attribute: &Attribute, _: &Value| update.changes(attribute.field);
    attributes::set(calls, ATTRIBUTES, MODIFY_ATTRIBUTES, known_id(update.id), update.desired, changed)?;
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    calls.remove("DeleteTargetGroup", parts([("TargetGroupArn", known_id(delete.id))]), Wait::No);
    Ok(())
}

fn observe(group: Shown<'_>) -> Seen {
    let matcher = group.at("Matcher");
    let mut seen = Seen::new(Readiness::Ready)
        .with("vpc", group.text("VpcId"))
        .with("protocol", group.text("Protocol"))
        .with("port", group.int("Port"))
        .with("name", group.text("TargetGroupName"))
        .with("target_type", group.text("TargetType"))
        .with("protocol_version", group.text("ProtocolVersion"))
        .with("ip_address_type", group.text("IpAddressType"))
        .with(MATCHER, matcher.text("HttpCode").or_else(|| matcher.text("GrpcCode")));
    for &(name, shown) in HEALTH {
        seen = seen.with(name, group.at(shown).0.cloned());
    }
    seen
}
