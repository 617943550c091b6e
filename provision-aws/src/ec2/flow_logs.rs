//! `aws_flow_logs`: found again by its mark alone, because its token has no documented term.

use std::marker::PhantomData;

use provision_core::call::{Mark, Readiness, Recovery, Wait};
use provision_core::dsl::input::FieldKind;
use provision_core::dsl::{Input, Inputs, IntoInput};
use provision_core::prelude::*;
use provision_core::schema::Kind;
use provision_core::value::{Tree, Value};

use super::list::{List, PAGE};
use super::network_interface::NetworkInterfaceId;
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
    /// Which traffic is logged.
    TrafficType {
        /// What groups and ACLs let through.
        Accept = "ACCEPT",
        /// What they do not.
        Reject = "REJECT",
        /// Both.
        All = "ALL",
    }
}

/// Who talks to whom in a VPC, a subnet or through a network interface, written down.
///
/// Nothing of it but its tags can change: it is replaced. One with the same source and destination is made after the old one
/// is deleted, because AWS takes no two. It is ready when it is made, whether its records can be delivered or not.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, vpc: Ref<VpcId, D>, subnet: Ref<SubnetId, D>) {
/// b.put("all", FlowLogs { source: LogSource::of(vpc), destination: LogDestination::s3("arn:aws:s3:::flows/lab/") })
///     .parquet(true)
///     .hourly(true);
/// let group = "arn:aws:logs:us-east-1:123456789012:log-group:flows";
/// b.put("rejected", FlowLogs { source: LogSource::of(subnet), destination: LogDestination::log_group(group) })
///     .traffic(TrafficType::Reject)
///     .role("arn:aws:iam::123456789012:role/flows");
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_flow_logs", version = 1, check = check)]
pub struct FlowLogs {
    /// What is watched.
    #[attr(replace)]
    pub source: LogSource,
    /// Where the records go.
    #[attr(replace)]
    pub destination: LogDestination,
    /// Which traffic is logged.
    #[attr(replace, default = "ALL")]
    pub traffic: TrafficType,
    /// The ARN of the role that writes into a log group.
    #[attr(replace)]
    pub role: Option<String>,
    /// Over how many seconds traffic is gathered into a record, at most: 60 or 600.
    #[attr(replace, default = 600)]
    pub interval: i64,
    /// The fields of a record, as AWS writes them: `${srcaddr} ${dstaddr}`.
    #[attr(replace)]
    pub format: Option<String>,
    /// In S3: files of Parquet, not text.
    #[attr(replace, default = false)]
    pub parquet: bool,
    /// In S3: folders as Hive names them.
    #[attr(replace, default = false)]
    pub hive_partitions: bool,
    /// In S3: a folder for each hour, not for each day.
    #[attr(replace, default = false)]
    pub hourly: bool,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: FlowLogsId,
}

/// What flow logs watch. Its erased form is `{"vpc": "vpc-1"}`, or the same with `subnet` or `network_interface`.
#[derive(Debug, Clone)]
pub struct LogSource<D = ()> {
    kind: Watched,
    id: Input,
    of: PhantomData<fn() -> D>,
}

/// What AWS can write flow logs of.
#[diagnostic::on_unimplemented(
    message = "there are no flow logs of a `{Self}`",
    label = "a VPC, a subnet or a network interface"
)]
pub trait HasFlowLogs {
    /// Which of the three.
    const WATCHED: Watched;
}

/// The kinds of things whose traffic can be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    /// All network interfaces of a VPC.
    WholeVpc,
    /// All network interfaces of a subnet.
    WholeSubnet,
    /// One.
    OneInterface,
}

impl HasFlowLogs for VpcId {
    const WATCHED: Watched = Watched::WholeVpc;
}

impl HasFlowLogs for SubnetId {
    const WATCHED: Watched = Watched::WholeSubnet;
}

impl HasFlowLogs for NetworkInterfaceId {
    const WATCHED: Watched = Watched::OneInterface;
}

impl Watched {
    const ALL: [Self; 3] = [Self::WholeVpc, Self::WholeSubnet, Self::OneInterface];

    const fn key(self) -> &'static str {
        match self {
            Self::WholeVpc => "vpc",
            Self::WholeSubnet => "subnet",
            Self::OneInterface => "network_interface",
        }
    }

    /// As `ResourceType`.
    const fn in_ec2(self) -> &'static str {
        match self {
            Self::WholeVpc => "VPC",
            Self::WholeSubnet => "Subnet",
            Self::OneInterface => "NetworkInterface",
        }
    }

    /// How ids of it begin: answers hold nothing else that tells.
    const fn prefix(self) -> &'static str {
        match self {
            Self::WholeVpc => "vpc-",
            Self::WholeSubnet => "subnet-",
            Self::OneInterface => "eni-",
        }
    }
}

impl<D> LogSource<D> {
    /// A VPC, a subnet or a network interface.
    pub fn of<K: HasFlowLogs>(what: impl IntoInput<K, D>) -> Self {
        Self { kind: K::WATCHED, id: what.into_input(), of: PhantomData }
    }
}

impl<D> IntoInput<LogSource, D> for LogSource<D> {
    fn into_input(self) -> Input {
        one(self.kind.key(), self.id)
    }
}

impl FieldKind for LogSource {
    const KIND: Kind = Kind::Object;
}

/// Where flow logs go. Its erased form is `{"s3": "arn:…"}`, or the same with `log_group` or `firehose`.
#[derive(Debug, Clone)]
pub struct LogDestination<D = ()> {
    kind: &'static str,
    arn: Input,
    of: PhantomData<fn() -> D>,
}

const S3: &str = "s3";
const LOG_GROUP: &str = "log_group";
const FIREHOSE: &str = "firehose";

/// The kinds of destinations, with what EC2 calls them.
const DESTINATIONS: [(&str, &str); 3] =
    [(S3, "s3"), (LOG_GROUP, "cloud-watch-logs"), (FIREHOSE, "kinesis-data-firehose")];

impl<D> LogDestination<D> {
    /// A bucket, or a folder in it: `arn:aws:s3:::bucket`, `arn:aws:s3:::bucket/folder/`.
    pub fn s3(arn: impl IntoInput<String, D>) -> Self {
        Self::new(S3, arn.into_input())
    }

    /// A log group of CloudWatch, which needs a `role`: `arn:aws:logs:us-east-1:123456789012:log-group:flows`.
    pub fn log_group(arn: impl IntoInput<String, D>) -> Self {
        let arn = arn.into_input();
        let arn = match arn.as_text().and_then(|text| text.strip_suffix(":*")) {
            Some(short) => {
                Input::problem(format!("AWS answers without `:*` at the end; write `{}`", short.escape_debug()))
            }
            None => arn,
        };
        Self::new(LOG_GROUP, arn)
    }

    /// A delivery stream of Data Firehose.
    pub fn firehose(arn: impl IntoInput<String, D>) -> Self {
        Self::new(FIREHOSE, arn.into_input())
    }

    fn new(kind: &'static str, arn: Input) -> Self {
        let arn = match arn.as_text().filter(|text| !text.starts_with("arn:")) {
            Some(text) => Input::problem(format!("`{}` is no ARN: it starts with `arn:`", text.escape_debug())),
            None => arn,
        };
        Self { kind, arn, of: PhantomData }
    }
}

impl<D> IntoInput<LogDestination, D> for LogDestination<D> {
    fn into_input(self) -> Input {
        one(self.kind, self.arn)
    }
}

impl FieldKind for LogDestination {
    const KIND: Kind = Kind::Object;
}

fn one(key: &str, value: Input) -> Input {
    Input::Map([(key.to_owned(), value)].into())
}

const NEEDS_ROLE: &str = "a log group is written by a role: write `.role(..)`, or log to S3";

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    let to =
        |kind: &str| inputs.value("destination").and_then(|it| Some(it.as_map()?.contains_key(kind))) == Some(true);
    if to(LOG_GROUP) && inputs.is_empty("role") {
        problems.push(("role", NEEDS_ROLE.to_owned()));
    }
    if to(S3) && !inputs.is_empty("role") {
        problems.push(("role", "S3 takes no role: the bucket's policy lets the logs in. Leave this out".to_owned()));
    }
    for field in S3_ALONE {
        if !to(S3) && inputs.bool(field) == Some(true) {
            problems.push((field, "only logs in S3 have this: leave it out".to_owned()));
        }
    }
    if let Some(interval) = inputs.value("interval").and_then(Input::as_int).filter(|it| !matches!(it, 60 | 600)) {
        problems.push(("interval", format!("AWS gathers for 60 or 600 seconds, not {interval}")));
    }
    problems
}

const S3_ALONE: [&str; 3] = ["parquet", "hive_partitions", "hourly"];

apis! { aws_sdk_ec2 ec2;
    CreateFlowLogs: Tag, "ClientToken, whose term is not documented";
        (ResourceIds, ResourceType, TrafficType, LogDestinationType, LogDestination, DeliverLogsPermissionArn, LogFormat,
         MaxAggregationInterval, DestinationOptions, ClientToken, TagSpecifications) -> (FlowLogIds, Unsuccessful);
    DeleteFlowLogs: Remove, "ids are never used again"; (FlowLogIds) -> (Unsuccessful);
    DescribeFlowLogs: Read, ""; (FlowLogIds, Filter, NextToken, MaxResults) -> (FlowLogs, NextToken);
}
shapes! { aws_sdk_ec2;
    text FlowLogsResourceType;
    text TrafficType;
    text LogDestinationType;
    text DestinationFileFormat;
    sent DestinationOptionsRequest(FileFormat, HiveCompatiblePartitions, PerHourPartition);
    shown DestinationOptionsResponse(FileFormat, HiveCompatiblePartitions, PerHourPartition);
    shown UnsuccessfulItemError(Code, Message);
    shown UnsuccessfulItem(Error);
    shown FlowLog(FlowLogId, ResourceId, TrafficType, LogDestinationType, LogDestination, DeliverLogsPermissionArn, LogFormat,
        MaxAggregationInterval, DestinationOptions, Tags);
}

pub(crate) static ROW: Row = Row {
    schema: FlowLogs::SCHEMA,
    identity_key: &["source", "destination"],
    create,
    update,
    delete,
    answers: &[Answered { api: "CreateFlowLogs", id: &["FlowLogIds"], outputs: &[] }],
    reading: &List {
        schema: FlowLogs::SCHEMA,
        api: "DescribeFlowLogs",
        ids: "FlowLogIds",
        filters: "Filter",
        most: PAGE,
        objects: &["FlowLogs"],
        id: "FlowLogId",
        keys: &[("traffic", "traffic-type")],
        observe,
        details: &[],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"source":{"vpc":"vpc-1"},"destination":{"s3":"arn:aws:s3:::flows"},"traffic":"ALL","interval":60,
            "format":"${srcaddr} ${dstaddr}","parquet":true,"hive_partitions":false,"hourly":true,"tags":{}}"#,
        changes: &[r#"{"tags":{"other":"1"}}"#],
    },
};

/// The one entry of an erased source or destination.
fn entry<'a>(fields: Given<'a>, name: &str) -> Result<(&'a str, &'a str), String> {
    let only = fields.0.get(name).and_then(Value::as_map).filter(|map| map.len() == 1);
    let only = only.and_then(|map| map.iter().next()).and_then(|(kind, text)| Some((kind.as_str(), text.as_text()?)));
    only.ok_or_else(|| format!("the field `{name}` has one entry, a text"))
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (watched, id) = entry(desired, "source")?;
    let watched = Watched::ALL.into_iter().find(|kind| kind.key() == watched);
    let watched = watched.ok_or("the field `source` is a `vpc`, a `subnet` or a `network_interface`")?;
    let (destination, arn) = entry(desired, "destination")?;
    let known = DESTINATIONS.into_iter().find(|(kind, _)| *kind == destination);
    let (_, destination_type) = known.ok_or("the field `destination` is `s3`, a `log_group` or a `firehose`")?;
    let role = desired.optional_text("role")?;
    if destination == LOG_GROUP && role.is_none() {
        return Err(NEEDS_ROLE.to_owned());
    }
    let traffic = desired.optional_text("traffic")?.unwrap_or("ALL");
    let interval = desired.optional_int("interval")?.unwrap_or(600);
    let (specification, users) = tags::specification("vpc-flow-log", desired, mark)?;
    let mut request = vec![
        ("ResourceIds", Tree::List(vec![id.into()])),
        ("ResourceType", Part::from(watched.in_ec2())),
        ("TrafficType", traffic.into()),
        ("LogDestinationType", destination_type.into()),
        ("LogDestination", arn.into()),
        ("MaxAggregationInterval", interval.into()),
        ("ClientToken", mark.incarnation.as_str().into()),
        ("TagSpecifications", specification),
    ];
    let mut fields = field("traffic", traffic);
    for name in ["source", "destination"] {
        fields.extend(desired.0.get(name).into_iter().flat_map(|value| field(name, value.clone())));
    }
    fields.extend(field("interval", interval));
    fields.extend(field("tags", users));
    for (name, parameter) in [("role", "DeliverLogsPermissionArn"), ("format", "LogFormat")] {
        if let Some(value) = desired.optional_text(name)? {
            request.push((parameter, value.into()));
            fields.extend(field(name, value));
        }
    }
    let switch = |name: &str| desired.bool_or(name, false);
    let (parquet, hive, hourly) = (switch("parquet")?, switch("hive_partitions")?, switch("hourly")?);
    for (name, value) in S3_ALONE.into_iter().zip([parquet, hive, hourly]) {
        fields.extend(field(name, value));
    }
    if destination == S3 {
        let options = parts([
            ("FileFormat", if parquet { PARQUET } else { "plain-text" }.into()),
            ("HiveCompatiblePartitions", hive.into()),
            ("PerHourPartition", hourly.into()),
        ]);
        request.push(("DestinationOptions", options));
    }
    let request = Tree::Map(request.into_iter().map(|(name, part)| (name.to_owned(), part)).collect());
    let new = New { fields, computed: &["id"], mark: Some(mark) };
    calls.create("CreateFlowLogs", request, Recovery::Tag, new, Wait::No);
    Ok(())
}

const PARQUET: &str = "parquet";

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&["tags"])?;
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    let request = parts([("FlowLogIds", Tree::List(vec![known_id(delete.id)]))]);
    calls.remove("DeleteFlowLogs", request, Wait::No);
    Ok(())
}

fn observe(logs: Shown<'_>) -> Option<Seen> {
    let map = |key: &str, text: &str| Value::Map([(key.to_owned(), text.into())].into());
    let id = logs.text("ResourceId").unwrap_or_default();
    let watched = Watched::ALL.into_iter().find(|kind| id.starts_with(kind.prefix()));
    let to = DESTINATIONS.into_iter().find(|(_, kind)| logs.text("LogDestinationType") == Some(*kind));
    let options = logs.at("DestinationOptions");
    let seen = Seen::new(Readiness::Ready)
        .with("source", watched.map(|kind| map(kind.key(), id)))
        .with("destination", to.map(|(kind, _)| map(kind, logs.text("LogDestination").unwrap_or_default())))
        .with("traffic", logs.text("TrafficType"))
        .with_or_null("role", logs.text("DeliverLogsPermissionArn"))
        .with("interval", logs.int("MaxAggregationInterval"))
        .with_or_null("format", logs.text("LogFormat"))
        .with("parquet", Some(options.text("FileFormat") == Some(PARQUET)))
        .with("hive_partitions", Some(options.bool("HiveCompatiblePartitions").unwrap_or(false)))
        .with("hourly", Some(options.bool("PerHourPartition").unwrap_or(false)));
    Some(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_watched_is_told_by_its_id_and_where_logs_go_by_their_kind() {
        let answer: Value = serde_json::from_str(
            r#"{"FlowLogId":"fl-1","ResourceId":"eni-1","LogDestinationType":"cloud-watch-logs","LogDestination":"arn:x"}"#,
        )
        .unwrap();
        let fields = observe(Shown(Some(&answer))).unwrap().fields;
        assert_eq!(fields["source"].to_plain_text(), r#"{"network_interface":"eni-1"}"#);
        assert_eq!(fields["destination"].to_plain_text(), r#"{"log_group":"arn:x"}"#);
        assert_eq!(fields["parquet"], false.into(), "known to be text");
    }

    #[test]
    fn a_log_group_has_no_star_and_a_destination_is_an_arn() {
        let problem = |to: LogDestination| to.arn.as_text().is_none();
        assert!(problem(LogDestination::log_group("arn:aws:logs:us-east-1:1:log-group:a:*")));
        assert!(problem(LogDestination::s3("bucket")));
        assert!(!problem(LogDestination::s3("arn:aws:s3:::bucket")));
    }
}
