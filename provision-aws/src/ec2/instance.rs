//! `aws_instance`: `RunInstances` honours a token.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use provision_core::call::{Mark, Readiness, Recovery, Wait};
use provision_core::dsl::Inputs;
use provision_core::prelude::*;
use provision_core::value::{Tree, Value};

use super::ami::AmiId;
use super::block_device::{self, BlockDevice};
use super::list::{List, PAGE};
use super::machine::{self, CpuCredits, METADATA_FIELDS, MetadataTokens};
use super::security_group::SecurityGroupId;
use super::subnet::SubnetId;
use super::tags;
use crate::Aws;
use crate::iam::instance_profile::InstanceProfileId;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, boolean, field, known_id, own_id, parts};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// A virtual machine.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, subnet: Ref<SubnetId, D>, inside: Ref<SecurityGroupId, D>) {
/// let db = b.put("db", Instance { subnet, ami: "ami-12c6146b", instance_type: "t3.micro" }).security_groups([inside]);
/// b.put("web", Instance { subnet, ami: "ami-12c6146b", instance_type: "t3.micro" })
///     .security_groups([inside])
///     .user_data(text!("#!/bin/sh\necho {} > /etc/db\n", db.private_ip()));
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_instance", version = 1, check = check)]
pub struct Instance {
    /// The subnet that it lies in.
    #[attr(replace)]
    pub subnet: SubnetId,
    /// The image that it starts from: `ami-…`, or a looked up [`Ami`](crate::Ami).
    #[attr(replace)]
    pub ami: AmiId,
    /// Its size: `t3.micro`.
    #[attr(replace)]
    pub instance_type: String,
    /// The groups whose rules hold for it: one at least.
    #[attr(set, default)]
    pub security_groups: Vec<SecurityGroupId>,
    /// What it runs at its first start; may hold refs.
    #[attr(replace, unread)]
    pub user_data: Option<String>,
    /// The key pair that may log in.
    #[attr(replace)]
    pub key_name: Option<String>,
    /// The instance profile whose role its programs have: one of ours, or the name of another one.
    #[attr(replace)]
    pub iam_instance_profile: Option<InstanceProfileId>,
    /// The disks that it begins with: those of its image that are to be otherwise, and further ones. What is to change in
    /// place, or to outlive the instance, is a [`Volume`](crate::Volume).
    #[attr(replace, unread, set)]
    pub block_devices: Option<Vec<BlockDevice>>,
    /// Whether its metadata is told only to who asks with a token.
    #[attr(default = "required")]
    pub metadata_tokens: MetadataTokens,
    /// How many hops an answer of the metadata service goes, 1 to 64; 2 for containers.
    pub metadata_hop_limit: Option<i64>,
    /// Whether there is a metadata service.
    pub metadata_endpoint: Option<bool>,
    /// Whether the metadata tells the instance's tags.
    pub metadata_tags: Option<bool>,
    /// Whether it is measured every minute, which costs, instead of every five.
    #[attr(default = false)]
    pub monitoring: bool,
    /// Whether its way to its disks is its own.
    #[attr(replace)]
    pub ebs_optimized: Option<bool>,
    /// The name of the placement group that it is in.
    #[attr(replace)]
    pub placement_group: Option<String>,
    /// Its address in the subnet, where it has to be this one.
    #[attr(replace)]
    pub fixed_ip: Option<String>,
    /// Whether it takes and sends only what is addressed to it or comes from it; false for one that routes.
    #[attr(default = true)]
    pub source_dest_check: bool,
    /// Whether AWS refuses to terminate it until this is false again.
    #[attr(unread)]
    pub termination_protection: Option<bool>,
    /// What it does when its credits are spent, of types like `t3.micro`.
    #[attr(unread)]
    pub credits: Option<CpuCredits>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: InstanceId,
    /// Its address in the subnet.
    #[attr(computed)]
    pub private_ip: String,
    /// Its public address; empty if the subnet gives none.
    #[attr(computed)]
    pub public_address: String,
}

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    if inputs.is_empty("security_groups") {
        let problem = "an instance has a security group at least, else AWS gives it the VPC's own: \
                       write `.security_groups([group])`";
        problems.push(("security_groups", problem.to_owned()));
    }
    problems.extend(machine::check(inputs));
    problems
}

apis! { aws_sdk_ec2 ec2;
    RunInstances: Token, "ClientToken, valid for 24 hours at least after the instance terminated";
        (ImageId, InstanceType, SubnetId, PrivateIpAddress, SecurityGroupIds, UserData, KeyName, IamInstanceProfile,
         BlockDeviceMappings, MetadataOptions, Monitoring, EbsOptimized, Placement, DisableApiTermination,
         CreditSpecification, MinCount, MaxCount, ClientToken, TagSpecifications) -> (Instances);
    ModifyInstanceAttribute: Set, "sets an attribute to a value, groups to the whole list";
        (InstanceId, Groups, SourceDestCheck, DisableApiTermination) -> ();
    ModifyInstanceMetadataOptions: Set, "sets options to values";
        (InstanceId, HttpTokens, HttpPutResponseHopLimit, HttpEndpoint, InstanceMetadataTags) -> ();
    ModifyInstanceCreditSpecification: Set, "sets the option to a value";
        (InstanceCreditSpecifications, ClientToken) -> ();
    MonitorInstances: Set, "a second one does nothing"; (InstanceIds) -> ();
    UnmonitorInstances: Set, "a second one does nothing"; (InstanceIds) -> ();
    TerminateInstances: Remove, "ids are never used again; idempotent by EC2's documentation"; (InstanceIds) -> ();
    DescribeInstances: Read, ""; (InstanceIds, Filters, NextToken, MaxResults) -> (Reservations, NextToken);
}
shapes! { aws_sdk_ec2;
    text InstanceType;
    text InstanceStateName;
    text MonitoringState;
    text HttpTokensState;
    text InstanceMetadataEndpointState;
    text InstanceMetadataTagsState;
    sent EbsBlockDevice(VolumeSize, VolumeType, Iops, Throughput, Encrypted, KmsKeyId, SnapshotId, DeleteOnTermination);
    sent BlockDeviceMapping(DeviceName, Ebs);
    sent InstanceMetadataOptionsRequest(HttpTokens, HttpPutResponseHopLimit, HttpEndpoint, InstanceMetadataTags);
    sent RunInstancesMonitoringEnabled(Enabled);
    sent IamInstanceProfileSpecification(Name);
    sent CreditSpecificationRequest(CpuCredits);
    sent InstanceCreditSpecificationRequest(InstanceId, CpuCredits);
    shown InstanceMetadataOptionsResponse(HttpTokens, HttpPutResponseHopLimit, HttpEndpoint, InstanceMetadataTags);
    shown Monitoring(State);
    shown IamInstanceProfile(Arn);
    both Placement(GroupName);
    shown InstanceState(Name);
    shown GroupIdentifier(GroupId);
    shown Instance(InstanceId, SubnetId, ImageId, InstanceType, State, SecurityGroups, KeyName, IamInstanceProfile,
        MetadataOptions, Monitoring, EbsOptimized, Placement, SourceDestCheck, PrivateIpAddress, PublicIpAddress, Tags);
    shown Reservation(Instances);
}

pub(crate) static ROW: Row = Row {
    schema: Instance::SCHEMA,
    identity_key: &[],
    create,
    update,
    delete,
    answers: &[Answered {
        api: "RunInstances",
        id: &["Instances", "InstanceId"],
        outputs: &[("private_ip", &["Instances", "PrivateIpAddress"])],
    }],
    reading: &List {
        schema: Instance::SCHEMA,
        api: "DescribeInstances",
        ids: "InstanceIds",
        filters: "Filters",
        most: PAGE,
        objects: &["Reservations", "Instances"],
        id: "InstanceId",
        keys: &[
            ("subnet", "subnet-id"),
            ("ami", "image-id"),
            ("instance_type", "instance-type"),
            ("key_name", "key-name"),
        ],
        observe,
        details: &[],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"subnet":"subnet-1","ami":"ami-1","instance_type":"t3.micro","tags":{},
            "security_groups":["sg-2","sg-1"],"user_data":"a script","key_name":"ops","iam_instance_profile":"app",
            "block_devices":[{"device":"/dev/xvda","keep":false,"size":20,"volume_type":"gp3"}],
            "metadata_tokens":"required","metadata_hop_limit":2,"metadata_endpoint":true,"metadata_tags":false,
            "monitoring":true,"ebs_optimized":true,"placement_group":"apart","fixed_ip":"10.1.1.7",
            "source_dest_check":false,"termination_protection":true,"credits":"standard"}"#,
        changes: &[
            r#"{"security_groups":["sg-9"]}"#,
            r#"{"metadata_tokens":"optional","metadata_hop_limit":1}"#,
            r#"{"metadata_endpoint":false,"metadata_tags":true}"#,
            r#"{"monitoring":false}"#,
            r#"{"source_dest_check":true}"#,
            r#"{"termination_protection":false}"#,
            r#"{"credits":"unlimited"}"#,
            r#"{"tags":{"other":"1"}}"#,
        ],
    },
};

/// "A client token is valid for at least 24 hours after the termination of the instance":
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Run_Instance_Idempotency.html>. An instance that was made
/// and terminated at once is the shortest case, so this is the term that can be counted from the call.
const TOKEN_TERM_SECONDS: u64 = 24 * 60 * 60;

const READY_SECONDS: u32 = 600;
const GONE_SECONDS: u32 = 900;

fn groups<'a>(fields: Given<'a>) -> Result<Vec<&'a str>, String> {
    let mut groups = fields.texts("security_groups")?;
    groups.sort_unstable();
    groups.dedup();
    Ok(groups)
}

fn ids(groups: &[&str]) -> Part {
    groups.to_vec().into()
}

const NO_GROUP: &str = "an instance in a VPC has a security group at least: name one in `security_groups`";

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (subnet, ami) = (desired.text("subnet")?, desired.text("ami")?);
    let instance_type = desired.text("instance_type")?;
    let groups = groups(desired)?;
    if groups.is_empty() {
        return Err(NO_GROUP.to_owned());
    }
    let (specification, users) = tags::specification("instance", desired, mark)?;
    let mut request = vec![
        ("ImageId", ami.into()),
        ("InstanceType", instance_type.into()),
        ("SubnetId", subnet.into()),
        ("SecurityGroupIds", ids(&groups)),
        ("MinCount", 1.into()),
        ("MaxCount", 1.into()),
        ("ClientToken", mark.incarnation.as_str().into()),
        ("TagSpecifications", specification),
    ];
    let mut fields = field("subnet", subnet);
    fields.extend(field("ami", ami));
    fields.extend(field("instance_type", instance_type));
    fields.extend(field("security_groups", Value::from(groups)));
    fields.extend(field("tags", users));
    let (options, metadata) = machine::metadata(desired, |_| true);
    fields.extend(metadata);
    if !options.is_empty() {
        request.push(("MetadataOptions", Tree::Map(options.into_iter().collect())));
    }
    if let Some(user_data) = machine::user_data(desired)? {
        request.push(("UserData", BASE64_STANDARD.encode(user_data).into()));
        fields.extend(field("user_data", user_data));
    }
    for (name, parameter, part) in launch(desired)? {
        request.push((parameter, part));
        fields.extend(desired.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    fields.extend(field("source_dest_check", true));
    let request = Tree::Map(request.into_iter().map(|(name, part)| (name.to_owned(), part)).collect());
    let recovery = Recovery::Token { token: mark.incarnation.clone(), term_seconds: TOKEN_TERM_SECONDS };
    let new = New { fields, computed: &["id", "private_ip", "public_address"], mark: Some(mark) };
    calls.create("RunInstances", request, recovery, new, Wait::Ready(READY_SECONDS));
    if !desired.bool_or("source_dest_check", true)? {
        set_attribute(calls, own_id(), ("source_dest_check", "SourceDestCheck"), false);
    }
    Ok(())
}

/// A field, and the parameter that it becomes.
type Told = (&'static str, &'static str, Part);

/// What else is told when it is launched, if it is set.
fn launch(desired: Given<'_>) -> Result<Vec<Told>, String> {
    let mut told = Vec::new();
    let named = |name: &'static str, inner: &'static str| {
        Ok::<_, String>(desired.optional_text(name)?.map(|text| parts([(inner, text.into())])))
    };
    let value = |name: &str| desired.get(name).map(|value| value.widen());
    let devices = desired.get("block_devices").is_some();
    let devices = devices.then(|| block_device::mappings(desired.list("block_devices")?)).transpose()?;
    for (name, parameter, part) in [
        ("key_name", "KeyName", value("key_name")),
        ("iam_instance_profile", "IamInstanceProfile", named("iam_instance_profile", "Name")?),
        ("block_devices", "BlockDeviceMappings", devices),
        ("monitoring", "Monitoring", value("monitoring").map(|enabled| parts([("Enabled", enabled)]))),
        ("ebs_optimized", "EbsOptimized", value("ebs_optimized")),
        ("placement_group", "Placement", named("placement_group", "GroupName")?),
        ("fixed_ip", "PrivateIpAddress", value("fixed_ip")),
        ("termination_protection", "DisableApiTermination", value("termination_protection")),
        ("credits", "CreditSpecification", named("credits", "CpuCredits")?),
    ] {
        told.extend(part.map(|part| (name, parameter, part)));
    }
    Ok(told)
}

fn set_attribute(calls: &mut Calls, id: Part, (name, parameter): (&str, &str), value: bool) {
    calls.set("ModifyInstanceAttribute", parts([("InstanceId", id), (parameter, boolean(value))]), field(name, value));
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    let own = ["security_groups", "monitoring", "source_dest_check", "termination_protection", "credits", "tags"];
    update.only(&[&own[..], &METADATA_FIELDS[..]].concat())?;
    if update.changes("security_groups") {
        let groups = groups(update.desired)?;
        if groups.is_empty() {
            return Err(NO_GROUP.to_owned());
        }
        let request = parts([("InstanceId", known_id(update.id)), ("Groups", ids(&groups))]);
        calls.set("ModifyInstanceAttribute", request, field("security_groups", Value::from(groups)));
    }
    if METADATA_FIELDS.iter().any(|name| update.changes(name)) {
        // All that are set: the call then says what there will be, whatever there was.
        let (mut options, fields) = machine::metadata(update.desired, |_| true);
        options.push(("InstanceId".to_owned(), known_id(update.id)));
        calls.set("ModifyInstanceMetadataOptions", Tree::Map(options.into_iter().collect()), fields);
    }
    if update.changes("monitoring") {
        let monitoring = update.desired.bool_or("monitoring", false)?;
        let api = if monitoring { "MonitorInstances" } else { "UnmonitorInstances" };
        let request = parts([("InstanceIds", Tree::List(vec![known_id(update.id)]))]);
        calls.set(api, request, field("monitoring", monitoring));
    }
    for (name, parameter, default) in
        [("source_dest_check", "SourceDestCheck", true), ("termination_protection", "DisableApiTermination", false)]
    {
        if update.changes(name) {
            let value = update.desired.bool_or(name, default)?;
            set_attribute(calls, known_id(update.id), (name, parameter), value);
        }
    }
    if update.changes("credits") {
        let credits = update.desired.text("credits")?;
        let one = parts([("InstanceId", known_id(update.id)), ("CpuCredits", credits.into())]);
        let request = parts([("InstanceCreditSpecifications", Tree::List(vec![one]))]);
        calls.set("ModifyInstanceCreditSpecification", request, field("credits", credits));
    }
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    let request = parts([("InstanceIds", Tree::List(vec![known_id(delete.id)]))]);
    calls.remove("TerminateInstances", request, Wait::Gone(GONE_SECONDS));
    Ok(())
}

/// The instance, unless it is terminated: EC2 lists those for an hour.
///
/// What takes a call for each instance is left out, and its schema says so (`unread`): user data, which can hold secrets and
/// cannot change while the instance runs, the disks that it began with, termination protection, and credits.
fn observe(instance: Shown<'_>) -> Option<Seen> {
    let readiness = match instance.at("State").text("Name") {
        Some("terminated") => return None,
        Some("shutting-down") => Readiness::Going,
        Some("running") => Readiness::Ready,
        Some("pending") | None => Readiness::Pending,
        Some(other) => Readiness::Failed(format!("the instance is {other}: start it, or replace it")),
    };
    let groups = instance.list("SecurityGroups").filter_map(|group| group.text("GroupId"));
    // `arn:aws:iam::123456789012:instance-profile/path/name`.
    let profile = instance.at("IamInstanceProfile").text("Arn").and_then(|arn| arn.rsplit('/').next());
    let seen = machine::with_metadata(Seen::new(readiness), instance.at("MetadataOptions"))
        .with("subnet", instance.text("SubnetId"))
        .with("ami", instance.text("ImageId"))
        .with("instance_type", instance.text("InstanceType"))
        .with("security_groups", Some(Value::List(groups.map(Value::from).collect())))
        .with_or_null("key_name", instance.text("KeyName"))
        .with_or_null("iam_instance_profile", profile)
        .with("monitoring", Some(matches!(instance.at("Monitoring").text("State"), Some("enabled" | "pending"))))
        .with("ebs_optimized", instance.bool("EbsOptimized"))
        .with_or_null("placement_group", instance.at("Placement").text("GroupName"))
        .with_or_null("fixed_ip", instance.text("PrivateIpAddress"))
        .with("source_dest_check", instance.bool("SourceDestCheck"))
        .with_or_empty("private_ip", instance.text("PrivateIpAddress"))
        .with_or_empty("public_address", instance.text("PublicIpAddress"));
    Some(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_of_an_instance() {
        let with = |state: &str| {
            let answer = format!(
                r#"{{"InstanceId":"i-1","State":{{"Name":"{state}"}},"SecurityGroups":[{{"GroupId":"sg-1"}}]}}"#
            );
            let answer: Value = serde_json::from_str(&answer).unwrap();
            observe(Shown(Some(&answer)))
        };
        let readiness = |state| with(state).map(|seen| seen.readiness);
        assert_eq!(readiness("pending"), Some(Readiness::Pending));
        assert_eq!(readiness("running"), Some(Readiness::Ready));
        assert_eq!(readiness("shutting-down"), Some(Readiness::Going));
        assert_eq!(readiness("terminated"), None);
        assert!(matches!(readiness("stopped"), Some(Readiness::Failed(_))));
        let fields = with("running").unwrap().fields;
        assert_eq!(fields.get("public_address"), Some(&"".into()), "known to have none");
        assert_eq!(fields.get("user_data"), None, "not observed");
    }
}
