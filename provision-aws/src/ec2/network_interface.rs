//! `aws_network_interface`: found again by its mark alone, because its token has no documented term.

use std::net::Ipv4Addr;

use provision_core::call::{Mark, Readiness, Recovery, Wait};
use provision_core::dsl::Inputs;
use provision_core::prelude::*;
use provision_core::value::{Tree, Value};

use super::instance::InstanceId;
use super::list::{List, PAGE};
use super::security_group::SecurityGroupId;
use super::subnet::SubnetId;
use super::tags;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, boolean, field, known_id, own_id, parts};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// A network interface that outlives the instance which has it: an address that stays, a second leg, an appliance.
///
/// A place on an instance holds one: what is attached and has to be replaced needs `.delete_before_replace()`.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, subnet: Ref<SubnetId, D>, inside: Ref<SecurityGroupId, D>, host: Ref<InstanceId, D>) {
/// let leg = b.put("leg", NetworkInterface { subnet })
///     .security_groups([inside])
///     .private_ip("10.1.1.10")
///     .source_dest_check(false)
///     .instance(host);
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_network_interface", version = 1, check = check)]
pub struct NetworkInterface {
    /// The subnet that it lies in.
    #[attr(replace)]
    pub subnet: SubnetId,
    /// The groups whose rules hold for it: one at least.
    #[attr(set, default)]
    pub security_groups: Vec<SecurityGroupId>,
    /// Its first private address, of the subnet.
    #[attr(replace)]
    pub private_ip: Option<String>,
    /// What it is for.
    #[attr(default = "")]
    pub description: String,
    /// Whether it takes only traffic that is meant for it, as it should where nothing is routed or translated.
    #[attr(default = true)]
    pub source_dest_check: bool,
    /// The instance that it is attached to, beside the interface that the instance was started with.
    pub instance: Option<InstanceId>,
    /// The number that it has there; 1 if it is not set. The instance's own first interface has 0.
    pub device_index: Option<i64>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: NetworkInterfaceId,
    /// Its first private address, whoever chose it.
    #[attr(computed)]
    pub address: String,
    /// Its hardware address.
    #[attr(computed)]
    pub mac_address: String,
}

/// Where the attachment goes if nothing is said: after the interface that every instance has.
const FIRST_FREE: i64 = 1;

const NO_GROUP: &str = "an interface has a security group at least, else AWS gives it the VPC's own: \
                        write `.security_groups([group])`";

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    if inputs.is_empty("security_groups") {
        problems.push(("security_groups", NO_GROUP.to_owned()));
    }
    if let Some(address) = inputs.text("private_ip").filter(|address| address.parse::<Ipv4Addr>().is_err()) {
        problems.push(("private_ip", format!("`{}` is not an IPv4 address", address.escape_debug())));
    }
    if let Some(description) = inputs.text("description").filter(|text| text.chars().count() > MAX_DESCRIPTION) {
        let length = description.chars().count();
        problems.push(("description", format!("{length} characters; AWS takes {MAX_DESCRIPTION} at most")));
    }
    if let Some(index) = inputs.value("device_index") {
        if inputs.is_empty("instance") {
            problems.push(("device_index", "says where on an instance: write `.instance(..)` too".to_owned()));
        }
        if index.as_int().is_some_and(|index| index < FIRST_FREE) {
            problems.push((
                "device_index",
                "counts from 1: 0 is the interface that the instance was started with".to_owned(),
            ));
        }
    }
    problems
}

/// As EC2 answers a longer one: "Value for parameter description exceeds the maximum length of 255".
const MAX_DESCRIPTION: usize = 255;

apis! { aws_sdk_ec2 ec2;
    CreateNetworkInterface: Tag, "ClientToken, whose term is not documented; two interfaces may differ in nothing";
        (SubnetId, Groups, PrivateIpAddress, Description, ClientToken, TagSpecifications) -> (NetworkInterface);
    ModifyNetworkInterfaceAttribute: Set, "sets an attribute to a value";
        (NetworkInterfaceId, Groups, Description, SourceDestCheck) -> ();
    AttachNetworkInterface: Set, "a second one is refused with InvalidNetworkInterface.InUse";
        (NetworkInterfaceId, InstanceId, DeviceIndex) -> ();
    DetachNetworkInterface: Set, "a second one is refused with InvalidAttachmentID.NotFound",
        ["InvalidAttachmentID.NotFound" => AlreadySo]; (AttachmentId) -> ();
    DeleteNetworkInterface: Remove, "ids are never used again", ["InvalidParameterValue" => InUse];
        (NetworkInterfaceId) -> ();
    DescribeNetworkInterfaces: Read, "";
        (NetworkInterfaceIds, Filters, NextToken, MaxResults) -> (NetworkInterfaces, NextToken);
}
shapes! { aws_sdk_ec2;
    text NetworkInterfaceStatus;
    both AttributeValue(Value);
    shown NetworkInterfaceAttachment(AttachmentId, InstanceId, DeviceIndex, Status);
    shown NetworkInterface(NetworkInterfaceId, SubnetId, Groups, PrivateIpAddress, Description, SourceDestCheck, Attachment,
        MacAddress, Status, Tags as tag_set);
}

pub(crate) static ROW: Row = Row {
    schema: NetworkInterface::SCHEMA,
    identity_key: &["subnet", "private_ip"],
    create,
    update,
    delete,
    answers: &[Answered {
        api: "CreateNetworkInterface",
        id: &["NetworkInterface", "NetworkInterfaceId"],
        outputs: &[
            ("address", &["NetworkInterface", "PrivateIpAddress"]),
            ("mac_address", &["NetworkInterface", "MacAddress"]),
        ],
    }],
    reading: &List {
        schema: NetworkInterface::SCHEMA,
        api: "DescribeNetworkInterfaces",
        ids: "NetworkInterfaceIds",
        filters: "Filters",
        most: PAGE,
        objects: &["NetworkInterfaces"],
        id: "NetworkInterfaceId",
        keys: &[
            ("subnet", "subnet-id"),
            ("private_ip", "addresses.private-ip-address"),
            ("description", "description"),
            ("instance", "attachment.instance-id"),
        ],
        observe,
        details: &[],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"subnet":"subnet-1","security_groups":["sg-1","sg-2"],"private_ip":"10.1.1.10","description":"a leg",
            "source_dest_check":false,"instance":"i-1","device_index":1,"tags":{}}"#,
        changes: &[
            r#"{"security_groups":["sg-9"]}"#,
            r#"{"description":""}"#,
            r#"{"source_dest_check":true}"#,
            r#"{"instance":"i-2"}"#,
            r#"{"device_index":2}"#,
            r#"{"tags":{"other":"1"}}"#,
        ],
    },
};

/// New interfaces are usable in seconds; EC2 documents no time.
const READY_SECONDS: u32 = 300;

/// What reads show beside the fields: by this id alone EC2 takes an attachment away.
const ATTACHMENT: &str = "attachment_id";

fn groups<'a>(fields: Given<'a>) -> Result<Vec<&'a str>, String> {
    let mut groups = fields.texts("security_groups")?;
    groups.sort_unstable();
    groups.dedup();
    if groups.is_empty() { Err(NO_GROUP.to_owned()) } else { Ok(groups) }
}

fn set(calls: &mut Calls, id: Part, (parameter, value): (&str, Part), to: (&str, Value)) {
    let request = parts([("NetworkInterfaceId", id), (parameter, value)]);
    calls.set("ModifyNetworkInterfaceAttribute", request, field(to.0, to.1));
}

fn attach(calls: &mut Calls, id: Part, desired: Given<'_>) -> Result<(), String> {
    let Some(instance) = desired.optional_text("instance")? else { return Ok(()) };
    let given = desired.optional_int("device_index")?;
    let mut fields = field("instance", instance);
    fields.extend(given.into_iter().flat_map(|index| field("device_index", index)));
    let index = given.unwrap_or(FIRST_FREE);
    let request = parts([("NetworkInterfaceId", id), ("InstanceId", instance.into()), ("DeviceIndex", index.into())]);
    calls.set_and_wait("AttachNetworkInterface", request, fields, Wait::Ready(READY_SECONDS));
    Ok(())
}

/// `device_index` goes too, if it is among the fields.
fn detach(calls: &mut Calls, attachment: Option<&Value>, of: Given<'_>) {
    let id = attachment.and_then(Value::as_text).map_or(Tree::Null, Part::from);
    let mut fields = field("instance", Value::Null);
    if of.0.contains_key("device_index") {
        fields.extend(field("device_index", Value::Null));
    }
    calls.set_and_wait("DetachNetworkInterface", parts([("AttachmentId", id)]), fields, Wait::Ready(READY_SECONDS));
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (subnet, groups) = (desired.text("subnet")?, groups(desired)?);
    let description = desired.optional_text("description")?.unwrap_or_default();
    let (specification, users) = tags::specification("network-interface", desired, mark)?;
    let mut request = vec![
        ("SubnetId", subnet.into()),
        ("Groups", Part::from(groups.clone())),
        ("ClientToken", mark.incarnation.as_str().into()),
        ("TagSpecifications", specification),
    ];
    let mut fields = field("subnet", subnet);
    fields.extend(field("security_groups", Value::from(groups)));
    fields.extend(field("description", description));
    fields.extend(field("source_dest_check", true));
    fields.extend(field("tags", users));
    if !description.is_empty() {
        request.push(("Description", description.into()));
    }
    if let Some(address) = desired.optional_text("private_ip")? {
        request.push(("PrivateIpAddress", address.into()));
        fields.extend(field("private_ip", address));
    }
    for name in ["instance", "device_index"] {
        if desired.0.contains_key(name) {
            fields.extend(field(name, Value::Null));
        }
    }
    let request = Tree::Map(request.into_iter().map(|(name, part)| (name.to_owned(), part)).collect());
    let new = New { fields, computed: &["id", "address", "mac_address"], mark: Some(mark) };
    calls.create("CreateNetworkInterface", request, Recovery::Tag, new, Wait::Ready(READY_SECONDS));
    if !desired.bool_or("source_dest_check", true)? {
        set(calls, own_id(), ("SourceDestCheck", boolean(false)), ("source_dest_check", false.into()));
    }
    attach(calls, own_id(), desired)
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&["security_groups", "description", "source_dest_check", "instance", "device_index", "tags"])?;
    let desired = update.desired;
    if update.changes("security_groups") {
        let groups = groups(desired)?;
        let value = Value::from(groups.clone());
        set(calls, known_id(update.id), ("Groups", groups.into()), ("security_groups", value));
    }
    if update.changes("description") {
        let text = desired.optional_text("description")?.unwrap_or_default();
        let value = parts([("Value", text.into())]);
        set(calls, known_id(update.id), ("Description", value), ("description", text.into()));
    }
    if update.changes("source_dest_check") {
        let check = desired.bool_or("source_dest_check", true)?;
        set(calls, known_id(update.id), ("SourceDestCheck", boolean(check)), ("source_dest_check", check.into()));
    }
    if update.changes("instance") || update.changes("device_index") {
        if update.observed.optional_text("instance")?.is_some() {
            detach(calls, update.observed.0.get(ATTACHMENT), desired);
        }
        attach(calls, known_id(update.id), desired)?;
    }
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    // Somebody may have detached it, or the instance is gone: then nothing is to be taken away.
    let attached = delete.last("instance").is_some_and(|instance| !instance.is_null());
    if attached && delete.recorded.optional_text("instance")?.is_some() {
        detach(calls, delete.last(ATTACHMENT), delete.recorded);
    }
    calls.remove("DeleteNetworkInterface", parts([("NetworkInterfaceId", known_id(delete.id))]), Wait::No);
    Ok(())
}

/// One that is on its way from or to an instance is ready when it has arrived.
fn observe(interface: Shown<'_>) -> Option<Seen> {
    let attachment = interface.at("Attachment");
    let readiness = match (interface.text("Status"), attachment.text("Status")) {
        (Some("pending" | "attaching" | "detaching"), _) | (_, Some("attaching" | "detaching")) => Readiness::Pending,
        _ => Readiness::Ready,
    };
    let attached = Some(attachment).filter(|it| !matches!(it.text("Status"), None | Some("detaching" | "detached")));
    let groups = interface.list("Groups").filter_map(|group| group.text("GroupId"));
    let seen = Seen::new(readiness)
        .with("subnet", interface.text("SubnetId"))
        .with("security_groups", Some(Value::List(groups.map(Value::from).collect())))
        .with("private_ip", interface.text("PrivateIpAddress"))
        .with("description", Some(interface.text("Description").unwrap_or_default()))
        .with("source_dest_check", interface.bool("SourceDestCheck"))
        .with_or_null("instance", attached.and_then(|it| it.text("InstanceId")))
        .with_or_null("device_index", attached.and_then(|it| it.int("DeviceIndex")))
        .with_or_null(ATTACHMENT, attached.and_then(|it| it.text("AttachmentId")))
        .with_or_empty("address", interface.text("PrivateIpAddress"))
        .with_or_empty("mac_address", interface.text("MacAddress"));
    Some(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_on_its_way_is_not_ready_and_one_that_leaves_has_no_instance() {
        let seen = |status: &str, attachment: &str| {
            let answer = format!(
                r#"{{"NetworkInterfaceId":"eni-1","Status":"{status}","Attachment":{{"Status":"{attachment}",
                    "InstanceId":"i-1","DeviceIndex":1,"AttachmentId":"eni-attach-1"}}}}"#
            );
            let answer: Value = serde_json::from_str(&answer).unwrap();
            let Seen { readiness, fields } = observe(Shown(Some(&answer))).unwrap();
            (readiness, fields["instance"].clone(), fields[ATTACHMENT].clone())
        };
        assert_eq!(seen("in-use", "attached"), (Readiness::Ready, "i-1".into(), "eni-attach-1".into()));
        assert_eq!(seen("in-use", "detaching"), (Readiness::Pending, Value::Null, Value::Null));
        assert_eq!(seen("in-use", "attaching").0, Readiness::Pending);
    }
}
