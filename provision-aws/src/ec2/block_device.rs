//! The disks that an instance begins with: a setting of instances and of launch templates.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use provision_core::dsl::input::FieldKind;
use provision_core::dsl::{Input, IntoInput};
use provision_core::schema::Kind;
use provision_core::value::{Tree, Value};

use super::volume::VolumeType;
use crate::table::calls::{Part, parts};
use crate::table::shown::Shown;

/// A disk that an instance of data centre `D` begins with, and that goes with it. The root disk is the one with the name
/// that the image gives it: `/dev/xvda` for Amazon Linux, `/dev/sda1` for most others.
///
/// Its erased form is a map: `{"device": "/dev/xvda", "keep": false, "size": 20, "volume_type": "gp3"}`.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, subnet: Ref<SubnetId, D>, inside: Ref<SecurityGroupId, D>) {
/// b.put("db", Instance { subnet, ami: "ami-12c6146b", instance_type: "t3.micro" })
///     .security_groups([inside])
///     .block_devices([BlockDevice::new("/dev/xvda", 20), BlockDevice::new("/dev/sdf", 100).encrypted().keep()]);
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct BlockDevice<D = ()> {
    settings: BTreeMap<&'static str, Input>,
    of: PhantomData<fn() -> D>,
}

impl<D> BlockDevice<D> {
    /// A disk of so many GiB, of the type `gp3`, that is deleted with its instance.
    pub fn new(device: impl Into<String>, gib: i64) -> Self {
        let device = device.into();
        let device = match device.is_empty() {
            true => Input::problem("a block device has a name: write `/dev/sdf`"),
            false => device.into(),
        };
        let size = if gib > 0 { gib.into() } else { Input::problem(format!("a disk has 1 GiB at least, not {gib}")) };
        let kind = VolumeType::Gp3.as_str().into();
        let settings =
            BTreeMap::from([("device", device), ("size", size), ("volume_type", kind), ("keep", false.into())]);
        Self { settings, of: PhantomData }
    }

    fn with(mut self, name: &'static str, value: Input) -> Self {
        self.settings.insert(name, value);
        self
    }

    /// What kind of disk it is.
    #[must_use]
    pub fn volume_type(self, kind: VolumeType) -> Self {
        self.with("volume_type", kind.as_str().into())
    }

    /// How many operations per second it is provisioned with: of `gp3`, `io1` and `io2`.
    #[must_use]
    pub fn iops(self, iops: i64) -> Self {
        self.with("iops", iops.into())
    }

    /// How many MiB per second it is provisioned with: of `gp3`.
    #[must_use]
    pub fn throughput(self, mib: i64) -> Self {
        self.with("throughput", mib.into())
    }

    /// Encrypts it, with the account's own key unless another one is named.
    #[must_use]
    pub fn encrypted(self) -> Self {
        self.with("encrypted", true.into())
    }

    /// Encrypts it with this key of KMS, by its ARN.
    #[must_use]
    pub fn kms_key(self, arn: impl IntoInput<String, D>) -> Self {
        self.encrypted().with("kms_key", arn.into_input())
    }

    /// Begins with what this snapshot holds: `snap-…`.
    #[must_use]
    pub fn snapshot(self, id: impl IntoInput<String, D>) -> Self {
        self.with("snapshot", id.into_input())
    }

    /// Keeps it when its instance goes. It is nobody's then: nothing of ours deletes it.
    #[must_use]
    pub fn keep(self) -> Self {
        self.with("keep", true.into())
    }
}

impl<D> IntoInput<BlockDevice, D> for BlockDevice<D> {
    fn into_input(self) -> Input {
        Input::Map(self.settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

impl FieldKind for BlockDevice {
    const KIND: Kind = Kind::Object;
}

/// Settings, and what EC2 calls them in the `Ebs` of a mapping.
const EBS: [(&str, &str); 7] = [
    ("size", "VolumeSize"),
    ("volume_type", "VolumeType"),
    ("iops", "Iops"),
    ("throughput", "Throughput"),
    ("encrypted", "Encrypted"),
    ("kms_key", "KmsKeyId"),
    ("snapshot", "SnapshotId"),
];

/// The devices as EC2's `BlockDeviceMappings`.
pub(crate) fn mappings(devices: &[Value]) -> Result<Part, String> {
    devices.iter().map(mapping).collect::<Result<_, _>>().map(Tree::List)
}

fn mapping(device: &Value) -> Result<Part, String> {
    let map = device.as_map().ok_or("a block device is a map")?;
    let mut ebs = BTreeMap::new();
    let mut name = None;
    for (setting, value) in map {
        match (setting.as_str(), EBS.iter().find(|(known, _)| known == setting)) {
            (_, Some((_, aws))) => {
                ebs.insert((*aws).to_owned(), value.widen());
            }
            ("keep", None) => {
                let keep = value.as_bool().ok_or("`keep` of a block device is true or false")?;
                ebs.insert("DeleteOnTermination".to_owned(), (!keep).into());
            }
            ("device", None) => name = Some(value.widen()),
            (unknown, None) => return Err(format!("a block device has no `{unknown}`")),
        }
    }
    let name = name.ok_or("a block device has a name, `device`")?;
    Ok(parts([("DeviceName", name), ("Ebs", Tree::Map(ebs))]))
}

/// The devices of a launch template, which shows them as they were given.
pub(crate) fn shown<'a>(mappings: impl Iterator<Item = Shown<'a>>) -> Value {
    Value::List(mappings.map(shown_one).collect())
}

fn shown_one(mapping: Shown<'_>) -> Value {
    let ebs = mapping.at("Ebs");
    let mut map = BTreeMap::new();
    for (setting, aws) in EBS {
        if let Some(value) = ebs.at(aws).0 {
            map.insert(setting.to_owned(), value.clone());
        }
    }
    map.insert("device".to_owned(), mapping.text("DeviceName").unwrap_or_default().into());
    map.insert("keep".to_owned(), (ebs.bool("DeleteOnTermination") == Some(false)).into());
    Value::Map(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_survive_the_way_to_a_template_and_back() {
        let devices: Value = serde_json::from_str(
            r#"[{"device":"/dev/xvda","keep":false,"size":20,"volume_type":"gp3"},
                {"device":"/dev/sdf","encrypted":true,"iops":4000,"keep":true,"kms_key":"arn:aws:kms:x","size":100,
                 "snapshot":"snap-1","throughput":250,"volume_type":"gp3"}]"#,
        )
        .unwrap();
        let sent = mappings(devices.as_list().unwrap()).unwrap();
        let answer: Value = serde_json::from_str(&serde_json::to_string(&sent).unwrap()).unwrap();
        assert_eq!(shown(Shown(Some(&answer)).items()), devices);
    }

    #[test]
    fn a_setting_that_does_not_exist_is_refused() {
        let device: Value = serde_json::from_str(r#"{"device":"/dev/sdf","sise":1}"#).unwrap();
        assert!(mappings(&[device]).unwrap_err().contains("no `sise`"));
    }
}
