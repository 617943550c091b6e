//! `aws_iam_role_policy_attachment`: carries no mark; role and policy are its key.

use std::collections::BTreeSet;

use provision_core::call::{Mark, Observed, Read, Readiness, Recovery, Scope, Wait};
use provision_core::id::{InfraId, ObjectId};
use provision_core::prelude::*;
use provision_core::value::{Fields, Value};

use super::list::{PAGE, next};
use super::policy::PolicyId;
use super::role::RoleId;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, parts};
use crate::table::reading::{Page, Reading, Request};
use crate::table::shown::Shown;
use crate::table::{Answered, Row};

/// A managed policy of a role, where the two are made in different blocks: elsewhere
/// [`managed_policies`](super::role::RoleExt::managed_policies) is shorter. One that somebody attached before becomes ours.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, role: Ref<RoleId, D>) {
/// b.put("logs", PolicyAttachment { role, policy: ManagedPolicy::aws("CloudWatchAgentServerPolicy") });
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_iam_role_policy_attachment", version = 1)]
pub struct PolicyAttachment {
    /// The role.
    #[attr(replace)]
    pub role: RoleId,
    /// The managed policy.
    #[attr(replace)]
    pub policy: PolicyId,
    /// Its id: `role/arn`.
    #[attr(computed)]
    pub id: PolicyAttachmentId,
}

apis! { aws_sdk_iam iam;
    AttachRolePolicy: NaturalKey, "attaching what is attached changes nothing"; (RoleName, PolicyArn) -> ();
    DetachRolePolicy: Remove, "by role and policy, which only we put together", ["NoSuchEntity" => AlreadySo];
        (RoleName, PolicyArn) -> ();
}

pub(crate) static ROW: Row = Row {
    schema: PolicyAttachment::SCHEMA,
    identity_key: &["role", "policy"],
    create,
    update,
    delete,
    answers: &[Answered { api: "AttachRolePolicy", id: &[], outputs: &[] }],
    reading: &Attachments,
    apis: APIS,
    #[cfg(test)]
    examples: Examples { whole: r#"{"role":"host","policy":"arn:aws:iam::aws:policy/ReadOnlyAccess"}"#, changes: &[] },
};

fn request(role: &str, policy: &str) -> Part {
    parts([("RoleName", role.into()), ("PolicyArn", policy.into())])
}

fn create(calls: &mut Calls, desired: Given<'_>, _: &Mark) -> Result<(), String> {
    let (role, policy) = (desired.text("role")?, desired.text("policy")?);
    let mut key = field("role", role);
    key.extend(field("policy", policy));
    let new = New { fields: key.clone(), computed: &["id"], mark: None };
    calls.create("AttachRolePolicy", request(role, policy), Recovery::NaturalKey { key }, new, Wait::No);
    Ok(())
}

fn update(_: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&[])
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    let last = |name: &str| delete.last(name).and_then(Value::as_text);
    let (role, policy) = match (last("role"), last("policy")) {
        (Some(role), Some(policy)) => (role, policy),
        _ => taken_apart(delete.id)?,
    };
    calls.remove("DetachRolePolicy", request(role, policy), Wait::No);
    Ok(())
}

fn id_of(role: &str, policy: &str) -> String {
    format!("{role}/{policy}")
}

/// Role and policy. Names of roles have no `/`.
fn taken_apart(id: &ObjectId) -> Result<(&str, &str), String> {
    let parts = id.as_str().split_once('/').filter(|(role, policy)| !role.is_empty() && policy.starts_with("arn:"));
    parts.ok_or_else(|| format!("`{id}` is not an attachment; write `role/arn:aws:iam::aws:policy/ReadOnlyAccess`"))
}

/// What is attached to a role comes in one list, so roles of recorded attachments are asked, once each.
struct Attachments;

impl Attachments {
    fn role_of(read: &Read) -> Result<&str, String> {
        match &read.scope {
            Scope::Id(id) => taken_apart(id).map(|(role, _)| role),
            Scope::Key(key) => {
                let role = key.get("role").and_then(Value::as_text);
                role.ok_or_else(|| "attachments are looked for by their `role`".to_owned())
            }
            Scope::Marked(_) | Scope::Mark(_) | Scope::Tagged(_) => Err("attachments carry no tags".to_owned()),
            Scope::Detail { detail, .. } => Err(format!("`{detail}` is no list")),
            Scope::Query(_) => Err(format!("{} is no data source", read.type_name)),
        }
    }
}

impl Reading for Attachments {
    fn request(&self, read: &Read) -> Result<Request, String> {
        let mut all =
            Fields::from([("RoleName".to_owned(), Self::role_of(read)?.into()), ("MaxItems".to_owned(), PAGE.into())]);
        all.extend(read.page.as_deref().map(|page| ("Marker".to_owned(), page.into())));
        Ok(Request { api: "ListAttachedRolePolicies", parameters: Value::Map(all) })
    }

    fn page_of(&self, read: &Read, answer: Shown<'_>) -> Page {
        let role = Self::role_of(read).unwrap_or_default();
        let policies = answer.list("AttachedPolicies").filter_map(|policy| policy.text("PolicyArn"));
        let objects = policies.filter_map(|policy| {
            let id = ObjectId::new(id_of(role, policy)).ok()?;
            let mut fields = field("role", role);
            fields.extend(field("policy", policy));
            fields.extend(field("id", id.as_str()));
            let wanted = match &read.scope {
                Scope::Id(wanted) => *wanted == id,
                Scope::Key(key) => key.iter().all(|(name, value)| fields.get(name) == Some(value)),
                Scope::Marked(_) | Scope::Mark(_) | Scope::Tagged(_) | Scope::Detail { .. } | Scope::Query(_) => false,
            };
            wanted.then_some(Observed { id, mark: None, fields, readiness: Readiness::Ready })
        });
        Page { objects: objects.collect(), next: next(answer) }
    }

    fn made(&self, request: Shown<'_>, _: Shown<'_>) -> Fields {
        match (request.text("RoleName"), request.text("PolicyArn")) {
            (Some(role), Some(policy)) => field("id", id_of(role, policy)),
            _ => Fields::new(),
        }
    }

    fn lists(&self, _: &InfraId, recorded: &BTreeSet<ObjectId>) -> Vec<Scope> {
        let roles: BTreeSet<&str> = recorded.iter().filter_map(|id| Some(taken_apart(id).ok()?.0)).collect();
        roles.into_iter().map(|role| Scope::Key(field("role", role))).collect()
    }

    fn page_size(&self) -> Option<i64> {
        Some(PAGE)
    }

    fn per(&self) -> Option<&'static str> {
        Some("role")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_attachments_of_a_role_are_one_list() {
        let ids = ["b/arn:aws:iam::aws:policy/x/Y", "a/arn:1", "b/arn:2", "no attachment"];
        let recorded = ids.into_iter().filter_map(|id| ObjectId::new(id).ok()).collect();
        let lists = Attachments.lists(&"wix".parse().unwrap(), &recorded);
        assert_eq!(lists, [Scope::Key(field("role", "a")), Scope::Key(field("role", "b"))]);

        let answer: Value =
            serde_json::from_str(r#"{"AttachedPolicies":[{"PolicyArn":"arn:1"},{"PolicyArn":"arn:2"}]}"#).unwrap();
        let seen = |scope| {
            let read = Read { type_name: "x".parse().unwrap(), scope, page: None };
            let found = Attachments.page_of(&read, Shown(Some(&answer))).objects;
            found.into_iter().map(|one| one.id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(seen(lists[1].clone()), ["b/arn:1", "b/arn:2"]);
        assert_eq!(seen(Scope::Id(ObjectId::new("b/arn:2").unwrap())), ["b/arn:2"]);
    }
}
