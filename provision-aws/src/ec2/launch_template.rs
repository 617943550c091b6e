//! `aws_launch_template`: AWS refuses a second one of the name; a change of what it says is a new version.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use provision_core::call::{Mark, Observed, Own, Readiness, Recovery, Wait};
use provision_core::dsl::Inputs;
use provision_core::id::{Digest, ObjectId};
use provision_core::prelude::*;
use provision_core::provider::{self, Asked};
use provision_core::value::{Fields, Tree, Value};

use super::ami::AmiId;
use super::block_device::{self, BlockDevice};
use super::list::List;
use super::machine::{self, CpuCredits, MetadataTokens};
use super::security_group::SecurityGroupId;
use super::tags;
use crate::Aws;
use crate::iam::instance_profile::InstanceProfileId;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, known_id, parts};
use crate::table::reading::{Detail, Request, detail, parameters};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// What instances of a group are like. A change makes a new version of it and leaves the old ones; who uses it names
/// `latest_version()`, so that the change reaches them in the same apply.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, inside: Ref<SecurityGroupId, D>, subnets: &[Ref<SubnetId, D>], db: Ref<String, D>) {
/// let template = b.put("worker", LaunchTemplate { ami: "ami-12c6146b", instance_type: "t3.micro" })
///     .security_groups([inside])
///     .user_data(text!("#!/bin/sh\nexec worker --db {db}\n"));
/// b.put("workers", AutoScalingGroup { template, version: template.latest_version(), subnets, min: 2, max: 4 });
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_launch_template", version = 1, check = check)]
pub struct LaunchTemplate {
    /// The image that instances start from: `ami-…`, or a looked up [`Ami`](crate::Ami).
    pub ami: AmiId,
    /// Their size: `t3.micro`.
    pub instance_type: String,
    /// Its name, unique in the region.
    #[attr(replace, name(max = 128))]
    pub name: String,
    /// The groups whose rules hold for them.
    #[attr(set, default)]
    pub security_groups: Vec<SecurityGroupId>,
    /// What they run at their first start; may hold refs.
    pub user_data: Option<String>,
    /// The key pair that may log in.
    pub key_name: Option<String>,
    /// The instance profile whose role their programs have: one of ours, or the name of another one.
    pub iam_instance_profile: Option<InstanceProfileId>,
    /// The disks that they begin with: those of the image that are to be otherwise, and further ones.
    #[attr(set, default)]
    pub block_devices: Vec<BlockDevice>,
    /// Whether their metadata is told only to who asks with a token.
    #[attr(default = "required")]
    pub metadata_tokens: MetadataTokens,
    /// How many hops an answer of the metadata service goes, 1 to 64; 2 for containers.
    pub metadata_hop_limit: Option<i64>,
    /// Whether there is a metadata service.
    pub metadata_endpoint: Option<bool>,
    /// Whether the metadata tells an instance's tags.
    pub metadata_tags: Option<bool>,
    /// Whether they are measured every minute, which costs, instead of every five.
    #[attr(default = false)]
    pub monitoring: bool,
    /// Whether their way to their disks is their own.
    pub ebs_optimized: Option<bool>,
    /// The name of the placement group that they are in.
    pub placement_group: Option<String>,
    /// Whether they have a public address; if it is not set, their subnet decides.
    pub public_ip: Option<bool>,
    /// What they do when their credits are spent, of types like `t3.micro`.
    pub credits: Option<CpuCredits>,
    /// Whether they are spare capacity, which is cheap and can be taken back.
    #[attr(default = false)]
    pub spot: bool,
    /// Tags that each instance gets.
    #[attr(by_key, default)]
    pub instance_tags: Tags,
    /// Tags that each of their disks gets.
    #[attr(by_key, default)]
    pub volume_tags: Tags,
    /// Which version is the default one, for whoever names none: the latest. It is not for setting.
    #[attr(default = "latest")]
    pub default_version: String,
    /// Tags of the template itself.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: LaunchTemplateId,
    /// The number of its latest version.
    #[attr(computed, moves)]
    pub latest_version: String,
}

/// What of it is in a version.
const DATA: [&str; 19] = [
    "ami",
    "instance_type",
    "security_groups",
    "user_data",
    "key_name",
    "iam_instance_profile",
    "block_devices",
    "metadata_tokens",
    "metadata_hop_limit",
    "metadata_endpoint",
    "metadata_tags",
    "monitoring",
    "ebs_optimized",
    "placement_group",
    "public_ip",
    "credits",
    "spot",
    "instance_tags",
    "volume_tags",
];

const DEFAULT: &str = "default_version";
const LATEST: &str = "latest";
const EARLIER: &str = "earlier";

fn good_name(name: &str) -> bool {
    (3..=128).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "().-/_".contains(c))
}

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let mut problems = machine::check(inputs);
    if let Some(name) = inputs.text("name").filter(|name| !good_name(name)) {
        let rule = "write 3 to 128 of a-z, A-Z, 0-9 and ().-/_";
        problems.push(("name", format!("AWS does not take `{}`: {rule}", name.escape_debug())));
    }
    if inputs.text(DEFAULT).is_some_and(|version| version != LATEST) {
        problems.push((DEFAULT, format!("is always `{LATEST}`: take this line away")));
    }
    problems
}

apis! { aws_sdk_ec2 ec2;
    CreateLaunchTemplate: Name, "its ClientToken has no documented term; a name that is taken is refused";
        (LaunchTemplateName, LaunchTemplateData, ClientToken, TagSpecifications) -> (LaunchTemplate);
    CreateLaunchTemplateVersion: Set, "two versions that say the same are as good as one; the token follows from what it says";
        (LaunchTemplateId, LaunchTemplateData, ClientToken) -> (LaunchTemplateVersion);
    ModifyLaunchTemplate: Set, "sets the default to a version"; (LaunchTemplateId, DefaultVersion, ClientToken) -> ();
    DeleteLaunchTemplate: Remove, "ids are never used again; the call names the id, not the name"; (LaunchTemplateId) -> ();
    DescribeLaunchTemplates: Read, ""; (LaunchTemplateIds, Filters, NextToken, MaxResults) -> (LaunchTemplates, NextToken);
    DescribeLaunchTemplateVersions: Read, ""; (LaunchTemplateId, Versions) -> (LaunchTemplateVersions);
}
shapes! { aws_sdk_ec2;
    text LaunchTemplateHttpTokensState;
    text LaunchTemplateInstanceMetadataEndpointState;
    text LaunchTemplateInstanceMetadataTagsState;
    text MarketType;
    sent LaunchTemplateEbsBlockDeviceRequest(VolumeSize, VolumeType, Iops, Throughput, Encrypted, KmsKeyId, SnapshotId,
        DeleteOnTermination);
    sent LaunchTemplateBlockDeviceMappingRequest(DeviceName, Ebs);
    sent LaunchTemplateInstanceMetadataOptionsRequest(HttpTokens, HttpPutResponseHopLimit, HttpEndpoint,
        InstanceMetadataTags);
    sent LaunchTemplatesMonitoringRequest(Enabled);
    sent LaunchTemplateIamInstanceProfileSpecificationRequest(Name);
    sent LaunchTemplatePlacementRequest(GroupName);
    sent LaunchTemplateInstanceNetworkInterfaceSpecificationRequest(DeviceIndex, AssociatePublicIpAddress, Groups);
    sent LaunchTemplateInstanceMarketOptionsRequest(MarketType);
    sent LaunchTemplateTagSpecificationRequest(ResourceType, Tags);
    sent RequestLaunchTemplateData(ImageId, InstanceType, SecurityGroupIds, UserData, KeyName, IamInstanceProfile,
        BlockDeviceMappings, MetadataOptions, Monitoring, EbsOptimized, Placement, NetworkInterfaces, CreditSpecification,
        InstanceMarketOptions, TagSpecifications);
    shown LaunchTemplateEbsBlockDevice(VolumeSize, VolumeType, Iops, Throughput, Encrypted, KmsKeyId, SnapshotId,
        DeleteOnTermination);
    shown LaunchTemplateBlockDeviceMapping(DeviceName, Ebs);
    shown LaunchTemplateInstanceMetadataOptions(HttpTokens, HttpPutResponseHopLimit, HttpEndpoint, InstanceMetadataTags);
    shown LaunchTemplatesMonitoring(Enabled);
    shown LaunchTemplateIamInstanceProfileSpecification(Name);
    shown LaunchTemplatePlacement(GroupName);
    shown LaunchTemplateInstanceNetworkInterfaceSpecification(DeviceIndex, AssociatePublicIpAddress, Groups);
    shown LaunchTemplateInstanceMarketOptions(MarketType);
    shown LaunchTemplateTagSpecification(ResourceType, Tags);
    shown CreditSpecification(CpuCredits);
    shown ResponseLaunchTemplateData(ImageId, InstanceType, SecurityGroupIds, UserData, KeyName, IamInstanceProfile,
        BlockDeviceMappings, MetadataOptions, Monitoring, EbsOptimized, Placement, NetworkInterfaces, CreditSpecification,
        InstanceMarketOptions, TagSpecifications);
    shown LaunchTemplateVersion(LaunchTemplateId, VersionNumber, LaunchTemplateData);
    shown LaunchTemplate(LaunchTemplateId, LaunchTemplateName, DefaultVersionNumber, LatestVersionNumber, Tags);
}

pub(crate) static ROW: Row = Row {
    schema: LaunchTemplate::SCHEMA,
    identity_key: &["name"],
    create,
    update,
    delete,
    answers: &[
        Answered {
            api: "CreateLaunchTemplate",
            id: &["LaunchTemplate", "LaunchTemplateId"],
            outputs: &[("latest_version", &["LaunchTemplate", "LatestVersionNumber"])],
        },
        Answered {
            api: "CreateLaunchTemplateVersion",
            id: &[],
            outputs: &[("latest_version", &["LaunchTemplateVersion", "VersionNumber"])],
        },
    ],
    reading: &List {
        schema: LaunchTemplate::SCHEMA,
        api: "DescribeLaunchTemplates",
        ids: "LaunchTemplateIds",
        filters: "Filters",
        // "This value can be between 1 and 200."
        most: Some(200),
        objects: &["LaunchTemplates"],
        id: "LaunchTemplateId",
        keys: &[("name", "launch-template-name")],
        observe,
        details: &[VERSION],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"ami":"ami-1","instance_type":"t3.micro","name":"worker","security_groups":["sg-1"],
            "user_data":"a script","key_name":"ops","iam_instance_profile":"app",
            "block_devices":[{"device":"/dev/xvda","keep":false,"size":20,"volume_type":"gp3"}],
            "metadata_tokens":"required","metadata_hop_limit":2,"metadata_endpoint":true,"metadata_tags":false,
            "monitoring":true,"ebs_optimized":true,"placement_group":"apart","public_ip":false,"credits":"standard",
            "spot":false,"instance_tags":{"team":"a"},"volume_tags":{"team":"a"},"default_version":"latest","tags":{}}"#,
        changes: &[
            r#"{"ami":"ami-2"}"#,
            r#"{"instance_type":"t3.small","security_groups":["sg-2","sg-3"],"user_data":"another","key_name":"dev"}"#,
            r#"{"iam_instance_profile":"other","block_devices":[],"metadata_tokens":"optional","metadata_hop_limit":1}"#,
            r#"{"metadata_endpoint":false,"metadata_tags":true,"monitoring":false,"ebs_optimized":false}"#,
            r#"{"placement_group":"close","public_ip":true,"credits":"unlimited","spot":true}"#,
            r#"{"instance_tags":{},"volume_tags":{"tier":"1"}}"#,
            r#"{"tags":{"other":"1"}}"#,
        ],
    },
};

/// What the latest version says; the call takes one template.
const VERSION: Detail = Detail {
    of: provider::Detail { name: "version", batch: 1, asked: Asked::Always },
    request: |ids| {
        let id = ids.first().map(|id| id.as_str().into());
        let latest = Value::List(vec!["$Latest".into()]);
        let parameters = parameters([("LaunchTemplateId", id), ("Versions", Some(latest))]);
        Request { api: "DescribeLaunchTemplateVersions", parameters }
    },
    seen: |ids, answer| ids.iter().map(|id| of_version(id, answer)).collect(),
};

fn of_version(id: &ObjectId, answer: Shown<'_>) -> Observed {
    match answer.list("LaunchTemplateVersions").next() {
        Some(version) => detail(id, shown(version.at("LaunchTemplateData"))),
        None => detail(id, Fields::new()),
    }
}

/// What a version says, as fields. A version is kept as it was sent, so what is not there was not said.
fn shown(data: Shown<'_>) -> Fields {
    let interface = data.path(&["NetworkInterfaces"]).items().next().unwrap_or(Shown(None));
    let groups = if interface.0.is_some() { interface.at("Groups") } else { data.at("SecurityGroupIds") };
    let groups = groups.items().filter_map(Shown::as_text).map(Value::from).collect();
    let script = data.text("UserData").map(|encoded| {
        let decoded = BASE64_STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        decoded.unwrap_or_else(|| encoded.to_owned())
    });
    let tags = |kind: &str| {
        let of = data.list("TagSpecifications").find(|tags| tags.text("ResourceType") == Some(kind));
        let pairs = of.map(|tags| tags.pairs("Tags")).unwrap_or_default();
        Value::Map(pairs.into_iter().map(|(key, value)| (key, value.into())).collect())
    };
    machine::with_metadata(Seen::new(Readiness::Ready), data.at("MetadataOptions"))
        .with("ami", data.text("ImageId"))
        .with("instance_type", data.text("InstanceType"))
        .with("security_groups", Some(Value::List(groups)))
        .with_or_null("user_data", script)
        .with_or_null("key_name", data.text("KeyName"))
        .with_or_null("iam_instance_profile", data.at("IamInstanceProfile").text("Name"))
        .with("block_devices", Some(block_device::shown(data.list("BlockDeviceMappings"))))
        .with("monitoring", Some(data.at("Monitoring").bool("Enabled").unwrap_or(false)))
        .with_or_null("ebs_optimized", data.bool("EbsOptimized"))
        .with_or_null("placement_group", data.at("Placement").text("GroupName"))
        .with_or_null("public_ip", interface.bool("AssociatePublicIpAddress"))
        .with_or_null("credits", data.at("CreditSpecification").text("CpuCredits"))
        .with("spot", Some(data.at("InstanceMarketOptions").text("MarketType") == Some("spot")))
        .with("instance_tags", Some(tags("instance")))
        .with("volume_tags", Some(tags("volume")))
        .fields
}

/// What a version is to say: for the request, and as fields, those that are not set among them.
fn data(desired: Given<'_>) -> Result<(Part, Fields), String> {
    let mut data = BTreeMap::new();
    let mut put = |name: &str, part: Option<Part>| data.extend(part.map(|part| (name.to_owned(), part)));
    let value = |name: &str| desired.get(name).map(|value| value.widen());
    let within = |name: &str, inner: &'static str| value(name).map(|part| parts([(inner, part)]));
    let groups = desired.texts("security_groups")?;
    let groups = (!groups.is_empty()).then(|| groups.into());

    put("ImageId", Some(desired.text("ami")?.into()));
    put("InstanceType", Some(desired.text("instance_type")?.into()));
    // The groups of an instance are those of its first interface where that is spoken of.
    if let Some(public) = value("public_ip") {
        let mut interface = BTreeMap::from([("DeviceIndex".to_owned(), 0.into())]);
        interface.insert("AssociatePublicIpAddress".to_owned(), public);
        interface.extend(groups.map(|groups| ("Groups".to_owned(), groups)));
        put("NetworkInterfaces", Some(Tree::List(vec![Tree::Map(interface)])));
    } else {
        put("SecurityGroupIds", groups);
    }
    put("UserData", machine::user_data(desired)?.map(|script| BASE64_STANDARD.encode(script).into()));
    put("KeyName", value("key_name"));
    put("IamInstanceProfile", within("iam_instance_profile", "Name"));
    let devices = desired.list("block_devices")?;
    put("BlockDeviceMappings", (!devices.is_empty()).then(|| block_device::mappings(devices)).transpose()?);
    let (metadata, _) = machine::metadata(desired, |_| true);
    put("MetadataOptions", (!metadata.is_empty()).then(|| Tree::Map(metadata.into_iter().collect())));
    put("Monitoring", within("monitoring", "Enabled"));
    put("EbsOptimized", value("ebs_optimized"));
    put("Placement", within("placement_group", "GroupName"));
    put("CreditSpecification", within("credits", "CpuCredits"));
    let spot = desired.bool_or("spot", false)?;
    put("InstanceMarketOptions", spot.then(|| parts([("MarketType", "spot".into())])));
    let mut specifications = Vec::new();
    for (name, kind) in [("instance_tags", "instance"), ("volume_tags", "volume")] {
        let tags = crate::tags::desired(Given(&field("tags", desired.get(name).cloned().unwrap_or_default())))?;
        let tags = tags.into_iter().map(|(key, value)| parts([("Key", key.into()), ("Value", value.into())]));
        let tags: Vec<Part> = tags.collect();
        if !tags.is_empty() {
            specifications.push(parts([("ResourceType", kind.into()), ("Tags", Tree::List(tags))]));
        }
    }
    put("TagSpecifications", (!specifications.is_empty()).then_some(Tree::List(specifications)));

    let said = DATA.map(|name| (name.to_owned(), desired.get(name).cloned().unwrap_or_default()));
    Ok((Tree::Map(data), said.into()))
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let name = desired.text("name")?;
    if !good_name(name) {
        return Err("the field `name`: AWS takes 3 to 128 of a-z, A-Z, 0-9 and ().-/_".to_owned());
    }
    let (specification, users) = tags::specification("launch-template", desired, mark)?;
    let (data, mut fields) = data(desired)?;
    fields.extend(field("name", name));
    fields.extend(field(DEFAULT, LATEST));
    fields.extend(field("tags", users));
    let request = parts([
        ("LaunchTemplateName", name.into()),
        ("LaunchTemplateData", data),
        ("ClientToken", mark.incarnation.as_str().into()),
        ("TagSpecifications", specification),
    ]);
    let new = New { fields, computed: &["id", "latest_version"], mark: Some(mark) };
    calls.create("CreateLaunchTemplate", request, Recovery::Name { name: name.to_owned() }, new, Wait::No);
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&[&DATA[..], &[DEFAULT, "tags"]].concat())?;
    let says_more = DATA.iter().any(|name| update.changes(name));
    if says_more {
        let (data, mut fields) = data(update.desired)?;
        fields.extend(field(DEFAULT, EARLIER));
        // The same change of the same version has the same token, whoever makes it.
        let before = update.observed.optional_text("latest_version")?.unwrap_or_default();
        let said = parameters([
            ("of", Some(update.id.as_str().into())),
            ("after", Some(before.into())),
            ("says", Some(Value::Map(fields.clone()))),
        ]);
        let token = Digest::of(&said.canonical());
        let request = parts([
            ("LaunchTemplateId", known_id(update.id)),
            ("LaunchTemplateData", data),
            ("ClientToken", token.as_str().into()),
        ]);
        calls.set("CreateLaunchTemplateVersion", request, fields);
    }
    if says_more || update.changes(DEFAULT) {
        let latest = Tree::Symbol(Own::Output("latest_version".to_owned()));
        let request = parts([("LaunchTemplateId", known_id(update.id)), ("DefaultVersion", latest)]);
        calls.set("ModifyLaunchTemplate", request, field(DEFAULT, LATEST));
    }
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    calls.remove("DeleteLaunchTemplate", parts([("LaunchTemplateId", known_id(delete.id))]), Wait::No);
    Ok(())
}

fn observe(template: Shown<'_>) -> Option<Seen> {
    let (default, latest) = (template.int("DefaultVersionNumber"), template.int("LatestVersionNumber"));
    let seen = Seen::new(Readiness::Ready)
        .with("name", template.text("LaunchTemplateName"))
        .with(DEFAULT, Some(if default == latest { LATEST } else { EARLIER }))
        .with("latest_version", latest.map(|number| number.to_string()));
    Some(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A version is kept as it was sent: what is sent and what is read are one thing, or every plan would show a change.
    #[test]
    fn what_a_version_says_is_read_as_it_was_defined() {
        let whole: Fields = serde_json::from_str(ROW.examples.whole).unwrap();
        let mut groups_alone = whole.clone();
        groups_alone.insert("public_ip".to_owned(), Value::Null);
        let mut least = Fields::from(["ami", "instance_type"].map(|name| (name.to_owned(), name.into())));
        least.extend(field("metadata_tokens", "required"));
        least.extend(["security_groups", "block_devices"].map(|name| (name.to_owned(), Value::List(Vec::new()))));
        least.extend(["instance_tags", "volume_tags"].map(|name| (name.to_owned(), Value::Map(BTreeMap::new()))));
        least.extend(["monitoring", "spot"].map(|name| (name.to_owned(), false.into())));
        for defined in [whole, groups_alone, least] {
            let (sent, said) = data(Given(&defined)).unwrap();
            let answer: Value = serde_json::from_str(&serde_json::to_string(&sent).unwrap()).unwrap();
            assert_eq!(shown(Shown(Some(&answer))), said);
        }
    }

    #[test]
    fn a_version_is_made_once_for_a_change_and_anew_for_another() {
        let observed: Fields = serde_json::from_str(ROW.examples.whole).unwrap();
        let token = |latest: &str, ami: &str| {
            let (mut observed, mut desired) = (observed.clone(), observed.clone());
            observed.extend(field("latest_version", latest));
            desired.extend(field("ami", ami));
            let id = "lt-1".parse().unwrap();
            let (observed, desired) = (Given(&observed), Given(&desired));
            let change = Update { id: &id, observed, carries: None, desired, changed: &["ami"], mark: None };
            let mut calls = Calls::new(&"aws_launch_template".parse().unwrap());
            update(&mut calls, &change).unwrap();
            calls.done()[0].request.as_map().unwrap()["ClientToken"].clone()
        };
        assert_eq!(token("1", "ami-2"), token("1", "ami-2"));
        assert_ne!(token("1", "ami-2"), token("1", "ami-3"));
        assert_ne!(token("1", "ami-2"), token("2", "ami-2"), "back to what it was before");
    }
}
