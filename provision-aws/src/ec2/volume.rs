//! `aws_ebs_volume`: found again by its mark; attached by a field.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use provision_core::call::{Mark, Observed, Readiness, Recovery, Wait};
use provision_core::dsl::input::FieldKind;
use provision_core::dsl::{Input, Inputs, IntoInput};
use provision_core::id::ObjectId;
use provision_core::prelude::*;
use provision_core::provider::{self, Asked};
use provision_core::schema::Kind;
use provision_core::value::{Fields, Tree, Value};

use super::instance::InstanceId;
use super::list::{self, List, PAGE};
use super::tags;
use crate::Aws;
use crate::region::AnyZone;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, known_id, own_id, parts};
use crate::table::reading::{Detail, Request, detail, parameters};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

choices! {
    /// Kinds of disks.
    VolumeType {
        /// Solid state, of the second generation: its speed grows with its size.
        Gp2 = "gp2",
        /// Solid state, whose speed is chosen.
        Gp3 = "gp3",
        /// Solid state with provisioned operations.
        Io1 = "io1",
        /// Solid state with provisioned operations, more durable.
        Io2 = "io2",
        /// Spinning, for what is seldom read.
        Sc1 = "sc1",
        /// Spinning, for reading in a row.
        St1 = "st1",
        /// Spinning, of the first generation.
        Standard = "standard",
    }
}

/// A disk that outlives the instances which it is attached to.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, db: Ref<InstanceId, D>) {
/// let [zone, ..] = D::zones();
/// b.put("data", Volume { zone }).size(100).encrypted(true).attached_to([Attachment::new(db, "/dev/sdf")]);
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_ebs_volume", version = 1, check = check)]
pub struct Volume {
    /// The zone, one of the data centre's region; instances of this zone can have it.
    #[attr(replace)]
    pub zone: AnyZone,
    /// How many GiB it has. It can grow; if it is not set, it is as large as its snapshot.
    pub size: Option<i64>,
    /// What kind of disk it is.
    #[attr(default = "gp3")]
    pub volume_type: VolumeType,
    /// How many operations per second it is provisioned with: of `gp3`, `io1` and `io2`.
    pub iops: Option<i64>,
    /// How many MiB per second it is provisioned with: of `gp3`.
    pub throughput: Option<i64>,
    /// Whether it is encrypted; if it is not set, as the account's settings say.
    #[attr(replace)]
    pub encrypted: Option<bool>,
    /// The key of KMS that it is encrypted with, by its ARN; if it is not set, the account's own.
    #[attr(replace)]
    pub kms_key: Option<String>,
    /// The snapshot that it begins with: `snap-…`.
    #[attr(replace)]
    pub snapshot: Option<String>,
    /// Whether several instances can have it at once: of `io1` and `io2`.
    #[attr(replace, default = false)]
    pub multi_attach: bool,
    /// The instances that have it, and as which device: one at most, unless `multi_attach` is set. A change takes it away
    /// from one, which has to have unmounted it, and gives it to the other.
    #[attr(set, default)]
    pub attached_to: Vec<Attachment>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: VolumeId,
}

/// An instance of data centre `D` that has a [`Volume`], and as which device.
///
/// Its erased form is a map: `{"instance": "i-1", "device": "/dev/sdf"}`.
#[derive(Debug, Clone)]
pub struct Attachment<D = ()> {
    instance: Input,
    device: Input,
    of: PhantomData<fn() -> D>,
}

impl<D> Attachment<D> {
    /// To this instance, as this device: `/dev/sdf` to `/dev/sdp`.
    pub fn new(instance: impl IntoInput<InstanceId, D>, device: impl IntoInput<String, D>) -> Self {
        Self { instance: instance.into_input(), device: device.into_input(), of: PhantomData }
    }
}

impl<D> IntoInput<Attachment, D> for Attachment<D> {
    fn into_input(self) -> Input {
        Input::Map([("device".to_owned(), self.device), ("instance".to_owned(), self.instance)].into())
    }
}

impl FieldKind for Attachment {
    const KIND: Kind = Kind::Object;
}

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    let kind = inputs.text("volume_type").unwrap_or("gp3");
    if !inputs.is_set("size") && !inputs.is_set("snapshot") {
        problems.push(("size", "a volume has a size, or begins with a snapshot: write `.size(20)`".to_owned()));
    }
    for name in ["size", "iops", "throughput"] {
        if let Some(amount) = inputs.int(name).filter(|amount| *amount < 1) {
            problems.push((name, format!("is 1 at least, not {amount}")));
        }
    }
    if inputs.is_set("iops") && !matches!(kind, "gp3" | "io1" | "io2") {
        problems.push(("iops", format!("cannot be chosen for `{kind}`, but for gp3, io1 and io2")));
    }
    if !inputs.is_set("iops") && matches!(kind, "io1" | "io2") {
        problems.push(("iops", format!("AWS wants to be told how many a volume of type `{kind}` has")));
    }
    if inputs.is_set("throughput") && kind != "gp3" {
        problems.push(("throughput", format!("cannot be chosen for `{kind}`, but for gp3")));
    }
    if inputs.bool("multi_attach") == Some(true) && !matches!(kind, "io1" | "io2") {
        problems.push(("multi_attach", format!("`{kind}` has it not, but io1 and io2")));
    }
    if inputs.is_set("kms_key") && inputs.bool("encrypted") != Some(true) {
        problems.push(("kms_key", "needs `.encrypted(true)`".to_owned()));
    }
    if let Some(key) = inputs.text("kms_key").filter(|key| !key.starts_with("arn:")) {
        problems.push(("kms_key", format!("`{}` is not an ARN, which is what AWS answers", key.escape_debug())));
    }
    problems
}

apis! { aws_sdk_ec2 ec2;
    CreateVolume: Tag, "its ClientToken has no documented term; two volumes differ in nothing";
        (AvailabilityZone, Size, VolumeType, Iops, Throughput, Encrypted, KmsKeyId, SnapshotId, MultiAttachEnabled,
         ClientToken, TagSpecifications) -> (VolumeId);
    ModifyVolume: Set, "sets size, type and speed to values"; (VolumeId, Size, VolumeType, Iops, Throughput) -> ();
    AttachVolume: Set, "a second one is refused with VolumeInUse"; (VolumeId, InstanceId, Device) -> ();
    DetachVolume: Set, "a second one is refused with IncorrectState",
        ["IncorrectState" => AlreadySo, "InvalidAttachment.NotFound" => AlreadySo]; (VolumeId, InstanceId, Device) -> ();
    DeleteVolume: Remove, "ids are never used again"; (VolumeId) -> ();
    DescribeVolumes: Read, ""; (VolumeIds, Filters, NextToken, MaxResults) -> (Volumes, NextToken);
    DescribeVolumesModifications: Read, ""; (Filters) -> (VolumesModifications);
}
shapes! { aws_sdk_ec2;
    text VolumeType;
    text VolumeState;
    text VolumeAttachmentState;
    text VolumeModificationState;
    shown VolumeAttachment(InstanceId, Device, State);
    shown Volume(VolumeId, AvailabilityZone, Size, VolumeType, Iops, Throughput, Encrypted, KmsKeyId, SnapshotId,
        MultiAttachEnabled, Attachments, State, Tags);
    shown VolumeModification(VolumeId, ModificationState, TargetSize, TargetVolumeType, TargetIops, TargetThroughput);
}

pub(crate) static ROW: Row = Row {
    schema: Volume::SCHEMA,
    identity_key: &[],
    create,
    update,
    delete,
    answers: &[Answered { api: "CreateVolume", id: &["VolumeId"], outputs: &[] }],
    reading: &List {
        schema: Volume::SCHEMA,
        api: "DescribeVolumes",
        ids: "VolumeIds",
        filters: "Filters",
        most: PAGE,
        objects: &["Volumes"],
        id: "VolumeId",
        keys: &[("zone", "availability-zone"), ("volume_type", "volume-type"), ("snapshot", "snapshot-id")],
        observe,
        details: &[MODIFICATION],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"zone":"us-east-1a","size":20,"volume_type":"gp3","iops":3000,"throughput":125,"encrypted":true,
            "multi_attach":false,"attached_to":[{"instance":"i-1","device":"/dev/sdf"}],"tags":{}}"#,
        changes: &[
            r#"{"size":30}"#,
            r#"{"iops":4000,"throughput":250}"#,
            r#"{"attached_to":[]}"#,
            r#"{"attached_to":[{"instance":"i-2","device":"/dev/sdf"}]}"#,
            r#"{"volume_type":"gp2"}"#,
            r#"{"tags":{"other":"1"}}"#,
        ],
    },
};

/// What is under way of a change, which the list shows only when it is done. Filters take 200 values:
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>.
const MODIFICATION: Detail = Detail {
    of: provider::Detail { name: "modification", batch: 200, asked: Asked::Always },
    request: |ids| {
        let ids = ids.iter().map(|id| id.as_str().into()).collect();
        let volumes = parameters([("Name", Some("volume-id".into())), ("Values", Some(Value::List(ids)))]);
        let filters = Value::List(vec![volumes, list::filter("modification-state", "modifying")]);
        Request { api: "DescribeVolumesModifications", parameters: parameters([("Filters", Some(filters))]) }
    },
    seen: |ids, answer| ids.iter().map(|id| modifying(id, answer)).collect(),
};

/// Once a change is under way the volume counts as changed, and not ready. When it is `optimizing`, which can take a day,
/// the list shows it and the volume can be used: <https://docs.aws.amazon.com/ebs/latest/userguide/monitoring-volume-modifications.html>.
fn modifying(id: &ObjectId, answer: Shown<'_>) -> Observed {
    let of = |it: &Shown<'_>| it.text("VolumeId") == Some(id.as_str());
    let is = |it: &Shown<'_>| it.text("ModificationState") == Some("modifying");
    let Some(change) = answer.list("VolumesModifications").find(|it| of(it) && is(it)) else {
        return detail(id, Fields::new());
    };
    let seen = Seen::new(Readiness::Pending)
        .with("size", change.int("TargetSize"))
        .with("volume_type", change.text("TargetVolumeType"))
        .with("iops", change.int("TargetIops"))
        .with("throughput", change.int("TargetThroughput"));
    Observed { readiness: seen.readiness, ..detail(id, seen.fields) }
}

/// AWS states no bounds for these; they are taken from what others have found to be enough: five minutes for a volume,
/// <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/ebs_volume#timeouts>, twice.
const SECONDS: u32 = 600;

/// Instance and device.
type Attachments = BTreeSet<(String, String)>;

fn attachments(value: Option<&Value>) -> Result<Attachments, String> {
    let list = value
        .filter(|value| !value.is_null())
        .map_or(Ok(&[][..]), |value| value.as_list().ok_or("the field `attached_to` is a list"))?;
    let one = |item: &Value| {
        let text = |name: &str| item.as_map()?.get(name)?.as_text();
        Some((text("instance")?.to_owned(), text("device")?.to_owned()))
    };
    list.iter().map(|item| one(item).ok_or("an attachment has an `instance` and a `device`".to_owned())).collect()
}

fn value(attachments: &Attachments) -> Value {
    let one = |(instance, device): &(String, String)| {
        let map = [("device", device), ("instance", instance)];
        Value::Map(map.into_iter().map(|(name, value)| (name.to_owned(), value.as_str().into())).collect())
    };
    let mut list: Vec<Value> = attachments.iter().map(one).collect();
    list.sort();
    Value::List(list)
}

/// The calls that bring the attachments to those that are wanted. What is attached elsewhere has to be let go first.
fn attach(calls: &mut Calls, id: &Part, have: &Attachments, want: &Attachments) {
    let mut now = have.clone();
    let steps = have.difference(want).map(|it| ("DetachVolume", it));
    for (api, it) in steps.chain(want.difference(have).map(|it| ("AttachVolume", it))) {
        if !now.remove(it) {
            now.insert(it.clone());
        }
        let (instance, device) = it;
        let request = parts([
            ("VolumeId", id.clone()),
            ("InstanceId", instance.as_str().into()),
            ("Device", device.as_str().into()),
        ]);
        calls.set_and_wait(api, request, field("attached_to", value(&now)), Wait::Ready(SECONDS));
    }
}

/// Fields, with what EC2 calls them in its calls.
const SETTINGS: [(&str, &str); 8] = [
    ("size", "Size"),
    ("volume_type", "VolumeType"),
    ("iops", "Iops"),
    ("throughput", "Throughput"),
    ("encrypted", "Encrypted"),
    ("kms_key", "KmsKeyId"),
    ("snapshot", "SnapshotId"),
    ("multi_attach", "MultiAttachEnabled"),
];
/// Those of them that change in place.
const IN_PLACE: usize = 4;

/// The settings that are set, for a request and as fields.
fn settings(fields: Given<'_>, which: impl Fn(&str) -> bool) -> (Vec<(String, Part)>, Fields) {
    let (mut request, mut set) = (Vec::new(), Fields::new());
    for (name, aws) in SETTINGS {
        if let Some(value) = fields.get(name).filter(|_| which(name)) {
            request.push((aws.to_owned(), value.widen()));
            set.insert(name.to_owned(), value.clone());
        }
    }
    (request, set)
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let zone = desired.text("zone")?;
    let attached = attachments(desired.get("attached_to"))?;
    let (specification, users) = tags::specification("volume", desired, mark)?;
    let (mut request, mut fields) = settings(desired, |_| true);
    fields.extend(field("zone", zone));
    fields.extend(field("attached_to", value(&Attachments::new())));
    fields.extend(field("tags", users));
    request.extend([
        ("AvailabilityZone".to_owned(), zone.into()),
        ("ClientToken".to_owned(), mark.incarnation.as_str().into()),
        ("TagSpecifications".to_owned(), specification),
    ]);
    let new = New { fields, computed: &["id"], mark: Some(mark) };
    let request = Tree::Map(request.into_iter().collect());
    calls.create("CreateVolume", request, Recovery::Tag, new, Wait::Ready(SECONDS));
    attach(calls, &own_id(), &Attachments::new(), &attached);
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&["size", "volume_type", "iops", "throughput", "attached_to", "tags"])?;
    let in_place = |name: &str| SETTINGS[..IN_PLACE].iter().any(|(known, _)| *known == name);
    let (mut request, fields) = settings(update.desired, |name| in_place(name) && update.changes(name));
    if !fields.is_empty() {
        request.push(("VolumeId".to_owned(), known_id(update.id)));
        let request = Tree::Map(request.into_iter().collect());
        calls.set_and_wait("ModifyVolume", request, fields, Wait::Ready(SECONDS));
    }
    if update.changes("attached_to") {
        let (have, want) = (update.observed.get("attached_to"), update.desired.get("attached_to"));
        attach(calls, &known_id(update.id), &attachments(have)?, &attachments(want)?);
    }
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    let id = known_id(delete.id);
    attach(calls, &id, &attachments(delete.last("attached_to"))?, &Attachments::new());
    calls.remove("DeleteVolume", parts([("VolumeId", id)]), Wait::Gone(SECONDS));
    Ok(())
}

fn observe(volume: Shown<'_>) -> Option<Seen> {
    let on_their_way =
        volume.list("Attachments").any(|it| matches!(it.text("State"), Some("attaching" | "detaching" | "busy")));
    let readiness = match volume.text("State") {
        Some("deleted") => return None,
        Some("deleting") => Readiness::Going,
        Some("creating") => Readiness::Pending,
        Some("error") => Readiness::Failed("the disk under the volume failed: its data is lost".to_owned()),
        Some(_) | None if on_their_way => Readiness::Pending,
        Some(_) | None => Readiness::Ready,
    };
    let attached = volume.list("Attachments").filter(|it| matches!(it.text("State"), Some("attaching" | "attached")));
    let attached = attached.filter_map(|it| Some((it.text("InstanceId")?.to_owned(), it.text("Device")?.to_owned())));
    let seen = Seen::new(readiness)
        .with("zone", volume.text("AvailabilityZone"))
        .with("size", volume.int("Size"))
        .with("volume_type", volume.text("VolumeType"))
        .with("iops", volume.int("Iops"))
        .with("throughput", volume.int("Throughput"))
        .with("encrypted", volume.bool("Encrypted"))
        .with_or_null("kms_key", volume.text("KmsKeyId"))
        .with_or_null("snapshot", volume.text("SnapshotId"))
        .with("multi_attach", Some(volume.bool("MultiAttachEnabled").unwrap_or(false)))
        .with("attached_to", Some(value(&attached.collect())));
    Some(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(json: &str) -> Seen {
        let answer: Value = serde_json::from_str(json).unwrap();
        observe(Shown(Some(&answer))).unwrap()
    }

    #[test]
    fn a_volume_that_is_being_detached_is_not_attached_and_not_ready() {
        let with = |state: &str| {
            seen(&format!(
                r#"{{"State":"in-use","Attachments":[{{"InstanceId":"i-1","Device":"/dev/sdf","State":"{state}"}}]}}"#
            ))
        };
        let attached = with("attached");
        assert_eq!(attached.readiness, Readiness::Ready);
        assert_eq!(attachments(attached.fields.get("attached_to")).unwrap().len(), 1);
        let detaching = with("detaching");
        assert_eq!(detaching.readiness, Readiness::Pending);
        assert!(attachments(detaching.fields.get("attached_to")).unwrap().is_empty());
    }

    /// Else the next plan would ask for the change once more, which AWS refuses.
    #[test]
    fn a_change_that_is_under_way_counts_as_made() {
        let answer: Value = serde_json::from_str(
            r#"{"VolumesModifications":[{"VolumeId":"vol-1","ModificationState":"modifying","TargetSize":30},
                {"VolumeId":"vol-2","ModificationState":"optimizing","TargetSize":30}]}"#,
        )
        .unwrap();
        let of = |id: &str| modifying(&id.parse().unwrap(), Shown(Some(&answer)));
        assert_eq!((of("vol-1").readiness, of("vol-1").fields.get("size")), (Readiness::Pending, Some(&30.into())));
        assert_eq!((of("vol-2").readiness, of("vol-2").fields.len()), (Readiness::Ready, 0));
    }

    #[test]
    fn a_volume_is_let_go_before_it_is_attached_elsewhere() {
        let set = |instance: &str| Attachments::from([(instance.to_owned(), "/dev/sdf".to_owned())]);
        let mut calls = Calls::new(&"aws_ebs_volume".parse().unwrap());
        attach(&mut calls, &"vol-1".into(), &set("i-1"), &set("i-2"));
        let apis: Vec<_> = calls.done().into_iter().map(|call| call.api).collect();
        assert_eq!(apis, ["DetachVolume", "AttachVolume"]);
    }
}
