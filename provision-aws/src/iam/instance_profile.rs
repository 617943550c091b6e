//! `aws_iam_instance_profile`: names are unique in an account. A profile has one role at most.

use provision_core::call::{Mark, Readiness, Recovery, Wait};
use provision_core::dsl::{Input, Inputs, IntoInput};
use provision_core::id::ObjectId;
use provision_core::prelude::*;
use provision_core::provider::{self, Asked};
use provision_core::value::Value;

use super::list::{ByName, List, name_problem, path_of_new, path_problem};
use super::role::RoleId;
use super::tags;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, known_id, own_id, parts};
use crate::table::reading::Detail;
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};
use crate::tags::Tagging;

/// What gives an instance a role.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>) {
/// let role = b.put("host", Role { trust: Statement::trust_service("ec2.amazonaws.com") });
/// b.put("host-profile", InstanceProfile { role: role.id() });
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_iam_instance_profile", version = 1, check = check)]
pub struct InstanceProfile {
    /// The role that instances get.
    pub role: RoleId,
    /// Its name, unique in the account, in all regions: whoever writes one where data centres share an account writes the
    /// data centre's name into it, as the engine does.
    #[attr(replace, name(max = 128, global))]
    pub name: String,
    /// Where it stands among the account's profiles, as that of a role.
    #[attr(replace)]
    pub path: Option<String>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id: the name.
    #[attr(computed)]
    pub id: InstanceProfileId,
    /// Its ARN.
    #[attr(computed)]
    pub arn: String,
}

/// The name of a profile that somebody else made.
impl<D> IntoInput<InstanceProfileId, D> for &str {
    fn into_input(self) -> Input {
        self.into()
    }
}

impl<D> IntoInput<InstanceProfileId, D> for String {
    fn into_input(self) -> Input {
        self.into()
    }
}

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let name = inputs.text("name").and_then(|name| name_problem(name, 128)).map(|problem| ("name", problem));
    let path = inputs.text("path").and_then(path_problem).map(|problem| ("path", problem));
    name.into_iter().chain(path).collect()
}

apis! { aws_sdk_iam iam;
    CreateInstanceProfile: Name, "takes no token; a name taken in the account is EntityAlreadyExists";
        (InstanceProfileName, Path, Tags) -> (InstanceProfile);
    AddRoleToInstanceProfile: Set, "a second one is refused with LimitExceeded: a profile has one role";
        (InstanceProfileName, RoleName) -> ();
    RemoveRoleFromInstanceProfile: Set, "a second one is refused with NoSuchEntity", ["NoSuchEntity" => AlreadySo];
        (InstanceProfileName, RoleName) -> ();
    TagInstanceProfile: Set, "adds or overwrites the tags that it names"; (InstanceProfileName, Tags) -> ();
    UntagInstanceProfile: Set, "removes the tags that it names, and does nothing where there are none";
        (InstanceProfileName, TagKeys) -> ();
    DeleteInstanceProfile: Remove, "by name, which only we use again"; (InstanceProfileName) -> ();
    ListInstanceProfiles: Read, ""; (PathPrefix, Marker, MaxItems) -> (InstanceProfiles, IsTruncated, Marker);
    GetInstanceProfile: Read, ""; (InstanceProfileName) -> (InstanceProfile);
}
shapes! { aws_sdk_iam;
    shown InstanceProfile(InstanceProfileName, Path, Arn, Roles, Tags);
}

pub(crate) static ROW: Row = Row {
    schema: InstanceProfile::SCHEMA,
    identity_key: &["name"],
    create,
    update,
    delete,
    answers: &[Answered {
        api: "CreateInstanceProfile",
        id: &["InstanceProfile", "InstanceProfileName"],
        outputs: &[("arn", &["InstanceProfile", "Arn"])],
    }],
    reading: &LIST,
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"role":"host","name":"host","path":"/provision/wix/","tags":{"team":"infra"}}"#,
        changes: &[r#"{"role":"other"}"#, r#"{"tags":{"other":"1"}}"#],
    },
};

const TAGGING: Tagging = Tagging {
    desired: tags::desired,
    set: |id, all| ("TagInstanceProfile", tags::set(NAME, id.as_str(), all)),
    remove: |id, keys| ("UntagInstanceProfile", tags::remove(NAME, id.as_str(), keys)),
};

const NAME: &str = "InstanceProfileName";

fn add(calls: &mut Calls, profile: Part, role: &str) {
    calls.set("AddRoleToInstanceProfile", parts([(NAME, profile), ("RoleName", role.into())]), field("role", role));
}

fn remove(calls: &mut Calls, profile: Part, role: &str) {
    let request = parts([(NAME, profile), ("RoleName", role.into())]);
    calls.set("RemoveRoleFromInstanceProfile", request, field("role", Value::Null));
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (name, role) = (desired.text("name")?, desired.text("role")?);
    if let Some(problem) = name_problem(name, 128) {
        return Err(format!("the field `name`: {problem}"));
    }
    let path = path_of_new(desired.optional_text("path")?, mark);
    let (all, users) = tags::of_new(desired, mark)?;
    let mut fields = field("name", name);
    fields.extend(field("path", path.as_str()));
    fields.extend(field("role", Value::Null));
    fields.extend(field("tags", users));
    let request = parts([(NAME, name.into()), ("Path", path.into()), ("Tags", all)]);
    let new = New { fields, computed: &["id", "arn"], mark: Some(mark) };
    calls.create("CreateInstanceProfile", request, Recovery::Name { name: name.to_owned() }, new, Wait::No);
    add(calls, own_id(), role);
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    tags::only(update, &["role"])?;
    if update.changes("role") {
        // A profile has one role: there is no way without a gap.
        if let Some(role) = update.observed.optional_text("role")? {
            remove(calls, known_id(update.id), role);
        }
        add(calls, known_id(update.id), update.desired.text("role")?);
    }
    TAGGING.update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    if let Some(role) = delete.last("role").and_then(Value::as_text) {
        remove(calls, known_id(delete.id), role);
    }
    calls.remove("DeleteInstanceProfile", parts([(NAME, known_id(delete.id))]), Wait::No);
    Ok(())
}

static LIST: List = List {
    schema: InstanceProfile::SCHEMA,
    list: "ListInstanceProfiles",
    objects: "InstanceProfiles",
    also: &[],
    get: "GetInstanceProfile",
    id: (NAME, NAME),
    object: "InstanceProfile",
    by_name: ByName::Shown,
    observe,
    whole: |_, seen| seen,
    details: &[Detail {
        of: provider::Detail { name: "tags", batch: 1, asked: Asked::Always },
        request: |ids| LIST.one(ids.first().map_or("", ObjectId::as_str)),
        seen: |_, answer| LIST.seen(answer).into_iter().collect(),
    }],
};

fn observe(profile: Shown<'_>) -> Seen {
    Seen::new(Readiness::Ready)
        .with("name", profile.text(NAME))
        .with("path", profile.text("Path"))
        .with("arn", profile.text("Arn"))
        .with_or_null("role", profile.list("Roles").find_map(|role| role.text("RoleName")))
}
