//! `aws_iam_role`: names are unique in an account, in any case. Lists show little of a role, so each is read by itself.

use std::collections::{BTreeMap, BTreeSet};

use provision_core::call::{Mark, Read, Readiness, Recovery, Scope, Wait};
use provision_core::dsl::input::FieldKind;
use provision_core::dsl::{Input, Inputs, IntoInput};
use provision_core::id::{InfraId, ObjectId};
use provision_core::prelude::*;
use provision_core::provider::{self, Asked};
use provision_core::schema::Kind;
use provision_core::value::{Fields, Value};

use super::document::{self, PolicyDocument, PolicyDocuments};
use super::list::{ByName, List, PAGE, name_problem, path_of_new, path_problem};
use super::policy::PolicyId;
use super::tags;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, known_id, named, own_id, parts};
use crate::table::reading::{Detail, Page, Reading, Request, detail, parameters};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};
use crate::tags::Tagging;

/// An identity without a password of its own, which services, machines and people take on.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, bucket: Ref<String, D>) {
/// b.put("host", Role { trust: Statement::trust_service("ec2.amazonaws.com") })
///     .managed_policies([ManagedPolicy::aws("AmazonSSMManagedInstanceCore")])
///     .inline_policies([("config", Statement::allow(["s3:GetObject"]).on([text!("{bucket}/*")]))]);
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_iam_role", version = 1, check = check)]
pub struct Role {
    /// Who may take it on: [`Statement`](super::document::Statement)s, or a document as JSON text.
    pub trust: PolicyDocument,
    /// Its name, unique in the account, in all regions: whoever writes one where data centres share an account writes the
    /// data centre's name into it, as the engine does.
    #[attr(replace, name(max = 64, global))]
    pub name: String,
    /// Where it stands among the account's roles: `/team/`. Roles that ask for none stand below `/provision/`, where all of an
    /// infrastructure are found at once; others are read one by one.
    #[attr(replace)]
    pub path: Option<String>,
    /// What it is for.
    #[attr(default = "")]
    pub description: String,
    /// For how many seconds it can be taken on at a time: 3600 to 43200.
    #[attr(default = 3600)]
    pub max_session_seconds: SessionSeconds,
    /// The managed policy that limits what its other policies can allow.
    pub permissions_boundary: Option<PolicyId>,
    /// All managed policies that it has; others are taken off. Leave it unset where
    /// [`PolicyAttachment`](super::policy_attachment::PolicyAttachment)s or somebody else attach some.
    #[attr(set)]
    pub managed_policies: Option<Vec<PolicyId>>,
    /// Policies that are the role's own, by name; others are deleted.
    #[attr(by_key, default)]
    pub inline_policies: PolicyDocuments,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id: the name.
    #[attr(computed)]
    pub id: RoleId,
    /// Its ARN.
    #[attr(computed)]
    pub arn: String,
}

/// A field that takes the length of a session, in seconds.
#[derive(Debug, Clone, Copy)]
pub enum SessionSeconds {}

impl FieldKind for SessionSeconds {
    const KIND: Kind = Kind::Int;
}

impl<D> IntoInput<SessionSeconds, D> for i64 {
    fn into_input(self) -> Input {
        // <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>
        if (3600..=43200).contains(&self) {
            return self.into();
        }
        Input::problem(format!("AWS takes 3600 (an hour) to 43200 seconds (twelve), not {self}"))
    }
}

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let name = inputs.text("name").and_then(|name| name_problem(name, 64)).map(|problem| ("name", problem));
    let path = inputs.text("path").and_then(path_problem).map(|problem| ("path", problem));
    let description = inputs.text("description").filter(|text| text.chars().count() > 1000);
    let description = description.map(|_| ("description", "AWS takes 1000 characters at most".to_owned()));
    name.into_iter().chain(path).chain(description).collect()
}

apis! { aws_sdk_iam iam;
    CreateRole: Name, "takes no token; a name taken in the account is EntityAlreadyExists";
        (RoleName, Path, AssumeRolePolicyDocument, Description, MaxSessionDuration, PermissionsBoundary, Tags) -> (Role);
    UpdateAssumeRolePolicy: Set, "sets the whole document"; (RoleName, PolicyDocument) -> ();
    UpdateRole: Set, "sets both values"; (RoleName, Description, MaxSessionDuration) -> ();
    PutRolePermissionsBoundary: Set, "sets the boundary"; (RoleName, PermissionsBoundary) -> ();
    AttachRolePolicy: Set, "attaching what is attached changes nothing"; (RoleName, PolicyArn) -> ();
    DetachRolePolicy: Set, "a second one is refused with NoSuchEntity", ["NoSuchEntity" => AlreadySo];
        (RoleName, PolicyArn) -> ();
    PutRolePolicy: Set, "sets the whole document of that name"; (RoleName, PolicyName, PolicyDocument) -> ();
    DeleteRolePolicy: Set, "a second one is refused with NoSuchEntity", ["NoSuchEntity" => AlreadySo];
        (RoleName, PolicyName) -> ();
    TagRole: Set, "adds or overwrites the tags that it names"; (RoleName, Tags) -> ();
    UntagRole: Set, "removes the tags that it names, and does nothing where there are none"; (RoleName, TagKeys) -> ();
    DeleteRole: Remove, "by name, which only we use again"; (RoleName) -> ();
    ListRoles: Read, ""; (PathPrefix, Marker, MaxItems) -> (Roles, IsTruncated, Marker);
    GetRole: Read, ""; (RoleName) -> (Role);
    ListAttachedRolePolicies: Read, ""; (RoleName, Marker, MaxItems) -> (AttachedPolicies, IsTruncated, Marker);
    ListRolePolicies: Read, ""; (RoleName, Marker, MaxItems) -> (PolicyNames, IsTruncated, Marker);
    GetRolePolicy: Read, ""; (RoleName, PolicyName) -> (PolicyName, PolicyDocument);
}
shapes! { aws_sdk_iam;
    shown AttachedPermissionsBoundary(PermissionsBoundaryArn);
    shown AttachedPolicy(PolicyArn);
    shown Role(RoleName, Path, Arn, AssumeRolePolicyDocument, Description, MaxSessionDuration, PermissionsBoundary, Tags);
}

pub(crate) static ROW: Row = Row {
    schema: Role::SCHEMA,
    identity_key: &["name"],
    create,
    update,
    delete,
    answers: &[Answered { api: "CreateRole", id: &["Role", "RoleName"], outputs: &[("arn", &["Role", "Arn"])] }],
    reading: &Roles,
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"name":"host","description":"hosts","max_session_seconds":3600,"tags":{"team":"infra"},
            "path":"/provision/wix/","permissions_boundary":"arn:aws:iam::aws:policy/PowerUserAccess",
            "trust":{"Statement":[{"Action":["sts:AssumeRole"],"Effect":"Allow",
                "Principal":{"Service":["ec2.amazonaws.com"]}}],"Version":"2012-10-17"},
            "managed_policies":["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
                                "arn:aws:iam::aws:policy/ReadOnlyAccess"],
            "inline_policies":{"read":{"Statement":[{"Action":["s3:GetObject"],"Effect":"Allow","Resource":["*"]}],
                "Version":"2012-10-17"}}}"#,
        changes: &[
            r#"{"trust":{"Statement":[{"Action":["sts:AssumeRole"],"Effect":"Allow",
                "Principal":{"Service":["ecs-tasks.amazonaws.com"]}}],"Version":"2012-10-17"}}"#,
            r#"{"description":""}"#,
            r#"{"max_session_seconds":7200}"#,
            r#"{"permissions_boundary":"arn:aws:iam::aws:policy/ReadOnlyAccess"}"#,
            r#"{"managed_policies":["arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy",
                                    "arn:aws:iam::aws:policy/ReadOnlyAccess"]}"#,
            r#"{"inline_policies":{"list":{"Statement":[{"Action":["s3:ListBucket"],"Effect":"Allow","Resource":["*"]}],
                "Version":"2012-10-17"}}}"#,
            r#"{"inline_policies":{"read":{"Statement":[{"Action":["s3:GetObject*"],"Effect":"Allow","Resource":["*"]}],
                "Version":"2012-10-17"}}}"#,
            r#"{"tags":{"other":"1"}}"#,
        ],
    },
};

const TAGGING: Tagging = Tagging {
    desired: tags::desired,
    set: |id, all| ("TagRole", tags::set("RoleName", id.as_str(), all)),
    remove: |id, keys| ("UntagRole", tags::remove("RoleName", id.as_str(), keys)),
};

/// A document of a definition, as JSON.
pub(super) fn text_of(document: &Value) -> String {
    document.to_plain_text()
}

fn trust(fields: Given<'_>) -> Result<&Value, String> {
    fields
        .0
        .get("trust")
        .filter(|value| !value.is_null())
        .ok_or_else(|| "the field `trust` is not set; it is required".into())
}

/// Managed policies, sorted.
fn managed(fields: Given<'_>) -> Result<BTreeSet<String>, String> {
    Ok(fields.texts("managed_policies")?.into_iter().map(str::to_owned).collect())
}

fn inline(fields: Given<'_>) -> Result<BTreeMap<String, Value>, String> {
    let Some(value) = fields.0.get("inline_policies").filter(|value| !value.is_null()) else {
        return Ok(BTreeMap::new());
    };
    let map = value.as_map().ok_or("the field `inline_policies` is a map of documents")?;
    if let Some(problem) = map.keys().find_map(|name| name_problem(name, 128)) {
        return Err(format!("the field `inline_policies`: {problem}"));
    }
    Ok(map.clone())
}

fn change_managed(calls: &mut Calls, role: &Part, have: &BTreeSet<String>, want: &BTreeSet<String>) {
    let mut now = have.clone();
    let request = |arn: &str| parts([("RoleName", role.clone()), ("PolicyArn", arn.into())]);
    let value = |now: &BTreeSet<String>| {
        field("managed_policies", Value::List(now.iter().map(|arn| arn.as_str().into()).collect()))
    };
    for arn in want.difference(have) {
        now.insert(arn.clone());
        calls.set("AttachRolePolicy", request(arn), value(&now));
    }
    for arn in have.difference(want) {
        now.remove(arn);
        calls.set("DetachRolePolicy", request(arn), value(&now));
    }
}

fn change_inline(calls: &mut Calls, role: &Part, have: &BTreeMap<String, Value>, want: &BTreeMap<String, Value>) {
    let mut now = have.clone();
    let value = |now: &BTreeMap<String, Value>| field("inline_policies", Value::Map(now.clone()));
    for (name, document) in want.iter().filter(|(name, document)| have.get(*name) != Some(document)) {
        now.insert(name.clone(), document.clone());
        let text = text_of(document);
        let request =
            parts([("RoleName", role.clone()), ("PolicyName", name.as_str().into()), ("PolicyDocument", text.into())]);
        calls.set("PutRolePolicy", request, value(&now));
    }
    for name in have.keys().filter(|name| !want.contains_key(*name)) {
        now.remove(name);
        let request = parts([("RoleName", role.clone()), ("PolicyName", name.as_str().into())]);
        calls.set("DeleteRolePolicy", request, value(&now));
    }
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (name, trust) = (desired.text("name")?, trust(desired)?);
    if let Some(problem) = name_problem(name, 64) {
        return Err(format!("the field `name`: {problem}"));
    }
    let path = path_of_new(desired.optional_text("path")?, mark);
    let description = desired.optional_text("description")?.unwrap_or_default();
    let seconds = desired.optional_int("max_session_seconds")?.unwrap_or(3600);
    let boundary = desired.optional_text("permissions_boundary")?;
    let (all, users) = tags::of_new(desired, mark)?;
    let mut fields = field("name", name);
    fields.extend(field("trust", trust.clone()));
    fields.extend(field("path", path.as_str()));
    fields.extend(field("description", description));
    fields.extend(field("max_session_seconds", seconds));
    fields.extend(field("managed_policies", Value::List(Vec::new())));
    fields.extend(field("inline_policies", Value::Map(BTreeMap::new())));
    fields.extend(field("tags", users));
    fields.extend(boundary.map(|arn| field("permissions_boundary", arn)).unwrap_or_default());
    let request = named([
        ("RoleName", Some(name.into())),
        ("Path", Some(path.into())),
        ("AssumeRolePolicyDocument", Some(text_of(trust).into())),
        ("Description", Some(description).filter(|text| !text.is_empty()).map(Part::from)),
        ("MaxSessionDuration", Some(seconds.into())),
        ("PermissionsBoundary", boundary.map(Part::from)),
        ("Tags", Some(all)),
    ]);
    let new = New { fields, computed: &["id", "arn"], mark: Some(mark) };
    calls.create("CreateRole", request, Recovery::Name { name: name.to_owned() }, new, Wait::No);
    change_managed(calls, &own_id(), &BTreeSet::new(), &managed(desired)?);
    change_inline(calls, &own_id(), &BTreeMap::new(), &inline(desired)?);
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    let in_place =
        ["trust", "description", "max_session_seconds", "permissions_boundary", "managed_policies", "inline_policies"];
    tags::only(update, &in_place)?;
    let (role, desired) = (known_id(update.id), update.desired);
    // What limits comes before what allows.
    if update.changes("permissions_boundary") {
        let arn = desired.text("permissions_boundary")?;
        let request = parts([("RoleName", role.clone()), ("PermissionsBoundary", arn.into())]);
        calls.set("PutRolePermissionsBoundary", request, field("permissions_boundary", arn));
    }
    if update.changes("trust") {
        let document = trust(desired)?;
        let request = parts([("RoleName", role.clone()), ("PolicyDocument", text_of(document).into())]);
        calls.set("UpdateAssumeRolePolicy", request, field("trust", document.clone()));
    }
    if update.changes("description") || update.changes("max_session_seconds") {
        let description = desired.optional_text("description")?.unwrap_or_default();
        let seconds = desired.optional_int("max_session_seconds")?.unwrap_or(3600);
        let request = parts([
            ("RoleName", role.clone()),
            ("Description", description.into()),
            ("MaxSessionDuration", seconds.into()),
        ]);
        let mut fields = field("description", description);
        fields.extend(field("max_session_seconds", seconds));
        calls.set("UpdateRole", request, fields);
    }
    if update.changes("managed_policies") {
        change_managed(calls, &role, &managed(update.observed)?, &managed(desired)?);
    }
    if update.changes("inline_policies") {
        change_inline(calls, &role, &inline(update.observed)?, &inline(desired)?);
    }
    TAGGING.update(calls, update)
}

/// IAM refuses to delete a role that has policies, whoever gave it them.
fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    let role = known_id(delete.id);
    let mut last = Fields::new();
    for name in ["managed_policies", "inline_policies"] {
        last.extend(delete.last(name).map(|value| (name.to_owned(), value.clone())));
    }
    change_managed(calls, &role, &managed(Given(&last))?, &BTreeSet::new());
    change_inline(calls, &role, &inline(Given(&last))?, &BTreeMap::new());
    calls.remove("DeleteRole", parts([("RoleName", role)]), Wait::No);
    Ok(())
}

static LIST: List = List {
    schema: Role::SCHEMA,
    list: "ListRoles",
    objects: "Roles",
    also: &[],
    get: "GetRole",
    id: ("RoleName", "RoleName"),
    object: "Role",
    by_name: ByName::Shown,
    observe,
    whole,
    details: DETAILS,
};

fn observe(role: Shown<'_>) -> Seen {
    Seen::new(Readiness::Ready)
        .with("name", role.text("RoleName"))
        .with("path", role.text("Path"))
        .with("arn", role.text("Arn"))
        .with("trust", role.text("AssumeRolePolicyDocument").map(document::observed))
}

fn whole(role: Shown<'_>, seen: Seen) -> Seen {
    seen.with("description", Some(role.text("Description").unwrap_or_default()))
        .with("max_session_seconds", role.int("MaxSessionDuration"))
        .with_or_null("permissions_boundary", role.at("PermissionsBoundary").text("PermissionsBoundaryArn"))
}

const INLINE: &str = "inline_policies";

/// Each asks about one role. The documents of inline policies come one by one, too: a page each, after a page of names.
const DETAILS: &[Detail] = &[
    Detail {
        of: provider::Detail { name: "role", batch: 1, asked: Asked::Always },
        request: |ids| LIST.one(ids.first().map_or("", ObjectId::as_str)),
        seen: |_, answer| LIST.seen(answer).into_iter().collect(),
    },
    Detail {
        of: provider::Detail { name: "managed_policies", batch: 1, asked: Asked::Always },
        request: |ids| of_role("ListAttachedRolePolicies", ids, [("MaxItems", PAGE.into())]),
        seen: |ids, answer| {
            let all = answer.list("AttachedPolicies").filter_map(|policy| policy.text("PolicyArn")).map(Value::from);
            let fields = field("managed_policies", Value::List(all.collect()));
            ids.iter().map(|id| detail(id, fields.clone())).collect()
        },
    },
    Detail {
        of: provider::Detail { name: INLINE, batch: 1, asked: Asked::Always },
        request: |ids| of_role("ListRolePolicies", ids, [("MaxItems", PAGE.into())]),
        seen: |_, _| Vec::new(),
    },
];

fn of_role<const N: usize>(api: &'static str, ids: &[ObjectId], also: [(&str, Value); N]) -> Request {
    let mut all: BTreeMap<String, Value> = also.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    all.extend(ids.first().map(|id| ("RoleName".to_owned(), id.as_str().into())));
    Request { api, parameters: Value::Map(all) }
}

/// Roles, as lists and as one by one, with the documents of their inline policies.
struct Roles;

/// How far the reading of inline policies is: which names are left, and what was read. It is the page's token, so that each
/// read remains one request.
struct Progress {
    left: Vec<String>,
    read: BTreeMap<String, Value>,
}

impl Progress {
    fn token(self) -> String {
        let left = Value::List(self.left.into_iter().map(Value::from).collect());
        parameters([("left", Some(left)), ("read", Some(Value::Map(self.read)))]).to_plain_text()
    }

    fn from_token(token: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(token).ok()?;
        let map = value.as_map()?;
        let left = map.get("left")?.as_list()?.iter().filter_map(|name| name.as_text().map(str::to_owned)).collect();
        Some(Self { left, read: map.get("read")?.as_map()?.clone() })
    }

    fn page(self, objects: &[ObjectId]) -> Page {
        if self.left.is_empty() {
            let fields = field(INLINE, Value::Map(self.read));
            return Page { objects: objects.iter().map(|id| detail(id, fields.clone())).collect(), next: None };
        }
        Page { objects: Vec::new(), next: Some(self.token()) }
    }
}

impl Reading for Roles {
    fn request(&self, read: &Read) -> Result<Request, String> {
        LIST.request(read)
    }

    fn page_of(&self, read: &Read, answer: Shown<'_>) -> Page {
        LIST.page_of(read, answer)
    }

    fn lists(&self, infra: &InfraId, recorded: &BTreeSet<ObjectId>) -> Vec<Scope> {
        LIST.lists(infra, recorded)
    }

    fn page_size(&self) -> Option<i64> {
        LIST.page_size()
    }

    fn details(&self) -> &'static [Detail] {
        LIST.details()
    }

    fn detail_request(&self, detail: &Detail, objects: &[ObjectId], page: Option<&str>) -> Result<Request, String> {
        let Some(token) = page else { return Ok((detail.request)(objects)) };
        let progress = Progress::from_token(token).ok_or_else(|| format!("`{}` has no such page", detail.of.name))?;
        let name = progress.left.first().ok_or_else(|| format!("`{}` has no further page", detail.of.name))?;
        Ok(of_role("GetRolePolicy", objects, [("PolicyName", name.as_str().into())]))
    }

    fn detail_page(&self, detail: &Detail, objects: &[ObjectId], page: Option<&str>, answer: Shown<'_>) -> Page {
        if detail.of.name != INLINE {
            return Page { objects: (detail.seen)(objects, answer), next: None };
        }
        let Some(mut progress) = page.and_then(Progress::from_token) else {
            let left = answer.list("PolicyNames").filter_map(Shown::as_text).map(str::to_owned).collect();
            return Progress { left, read: BTreeMap::new() }.page(objects);
        };
        if !progress.left.is_empty() {
            let name = progress.left.remove(0);
            let document = answer.text("PolicyDocument").map_or(Value::Null, document::observed);
            progress.read.insert(name, document);
        }
        progress.page(objects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole chain of reads of a role's inline policies.
    #[test]
    fn documents_of_inline_policies_come_one_by_one() {
        let id = [ObjectId::new("host").unwrap()];
        let inline = DETAILS.iter().find(|detail| detail.of.name == INLINE).unwrap();
        let answers = [
            r#"{"PolicyNames":["a","b"]}"#,
            r#"{"PolicyName":"a","PolicyDocument":"%7B%22Statement%22%3A%5B%5D%7D"}"#,
            r#"{"PolicyName":"b","PolicyDocument":"%7B%7D"}"#,
        ];
        let (mut page, mut asked, mut found) = (None, Vec::new(), Vec::new());
        for answer in answers {
            let request = Roles.detail_request(inline, &id, page.as_deref()).unwrap();
            asked.push(format!("{} {}", request.api, request.parameters.to_plain_text()));
            let answer: Value = serde_json::from_str(answer).unwrap();
            let shown = Roles.detail_page(inline, &id, page.as_deref(), Shown(Some(&answer)));
            page = shown.next;
            found.extend(shown.objects);
        }
        assert_eq!(page, None);
        assert_eq!(
            asked,
            [
                r#"ListRolePolicies {"MaxItems":1000,"RoleName":"host"}"#,
                r#"GetRolePolicy {"PolicyName":"a","RoleName":"host"}"#,
                r#"GetRolePolicy {"PolicyName":"b","RoleName":"host"}"#,
            ]
        );
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].fields[INLINE].to_plain_text(), r#"{"a":{"Statement":[]},"b":{}}"#);
        assert!(Roles.detail_request(inline, &id, Some("nonsense")).is_err());
    }
}
