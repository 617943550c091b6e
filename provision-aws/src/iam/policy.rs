//! `aws_iam_policy`: a managed policy. Its document has versions, of which one is in force; IAM keeps five.

use std::collections::BTreeSet;

use provision_core::call::{Mark, Read, Readiness, Recovery, Scope, Wait};
use provision_core::dsl::Inputs;
use provision_core::id::{InfraId, ObjectId};
use provision_core::prelude::*;
use provision_core::provider::{self, Asked};
use provision_core::value::{Fields, Value};

use super::document::{self, PolicyDocument};
use super::list::{ByName, List, PAGE, name_problem, path_of_new, path_problem};
use super::tags;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, known_id, named, parts};
use crate::table::reading::{Detail, Page, Reading, Request, detail, parameters};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};
use crate::tags::Tagging;

/// A policy that several roles can have.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, bucket: Ref<String, D>) {
/// let read = b.put("read", Policy { document: Statement::allow(["s3:GetObject"]).on([text!("{bucket}/*")]) });
/// b.put("host", Role { trust: Statement::trust_service("ec2.amazonaws.com") })
///     .managed_policies([ManagedPolicy::of(read.id())]);
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_iam_policy", version = 1, check = check)]
pub struct Policy {
    /// What it allows and denies: [`Statement`](super::document::Statement)s, or a document as JSON text.
    pub document: PolicyDocument,
    /// Its name, unique in the account, in all regions: whoever writes one where data centres share an account writes the
    /// data centre's name into it, as the engine does.
    #[attr(replace, name(max = 128, global))]
    pub name: String,
    /// Where it stands among the account's policies, as that of a role.
    #[attr(replace)]
    pub path: Option<String>,
    /// What it is for.
    #[attr(replace, default = "")]
    pub description: String,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id: the ARN.
    #[attr(computed)]
    pub id: PolicyId,
    /// Versions of the document that are not in force, the oldest first.
    #[attr(computed)]
    pub versions: Vec<String>,
}

/// "Managed policies: the size of each cannot exceed 6,144 characters", and five versions:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
const MAX_DOCUMENT: usize = 6144;
const MAX_VERSIONS: usize = 5;

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let name = inputs.text("name").and_then(|name| name_problem(name, 128)).map(|problem| ("name", problem));
    let path = inputs.text("path").and_then(path_problem).map(|problem| ("path", problem));
    name.into_iter().chain(path).collect()
}

apis! { aws_sdk_iam iam;
    CreatePolicy: Name, "takes no token; a name taken in the account is EntityAlreadyExists";
        (PolicyName, Path, PolicyDocument, Description, Tags) -> (Policy);
    CreatePolicyVersion: Set, "puts a document in force; a second one leaves a version more, which a later change deletes";
        (PolicyArn, PolicyDocument, SetAsDefault) -> ();
    DeletePolicyVersion: Set, "a second one is refused with NoSuchEntity", ["NoSuchEntity" => AlreadySo];
        (PolicyArn, VersionId) -> ();
    TagPolicy: Set, "adds or overwrites the tags that it names"; (PolicyArn, Tags) -> ();
    UntagPolicy: Set, "removes the tags that it names, and does nothing where there are none"; (PolicyArn, TagKeys) -> ();
    DeletePolicy: Remove, "by ARN, which only we use again"; (PolicyArn) -> ();
    ListPolicies: Read, ""; (Scope, PathPrefix, Marker, MaxItems) -> (Policies, IsTruncated, Marker);
    GetPolicy: Read, ""; (PolicyArn) -> (Policy);
    ListPolicyVersions: Read, ""; (PolicyArn, Marker, MaxItems) -> (Versions, IsTruncated, Marker);
    GetPolicyVersion: Read, ""; (PolicyArn, VersionId) -> (PolicyVersion);
}
shapes! { aws_sdk_iam;
    text PolicyScopeType;
    shown Policy(PolicyName, Path, Arn, Description, Tags);
    shown PolicyVersion(VersionId, IsDefaultVersion, Document);
}

pub(crate) static ROW: Row = Row {
    schema: Policy::SCHEMA,
    identity_key: &["name"],
    create,
    update,
    delete,
    answers: &[Answered { api: "CreatePolicy", id: &["Policy", "Arn"], outputs: &[] }],
    reading: &Policies,
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"name":"read","path":"/provision/wix/","description":"reads","tags":{"team":"infra"},
            "versions":["v1","v2","v4","v10"],
            "document":{"Statement":[{"Action":["s3:GetObject"],"Effect":"Allow","Resource":["*"]}],
                "Version":"2012-10-17"}}"#,
        changes: &[
            r#"{"document":{"Statement":[{"Action":["s3:GetObject*"],"Effect":"Allow","Resource":["*"]}],
                "Version":"2012-10-17"}}"#,
            r#"{"tags":{"other":"1"}}"#,
        ],
    },
};

const TAGGING: Tagging = Tagging {
    desired: tags::desired,
    set: |id, all| ("TagPolicy", tags::set("PolicyArn", id.as_str(), all)),
    remove: |id, keys| ("UntagPolicy", tags::remove("PolicyArn", id.as_str(), keys)),
};

fn document(fields: Given<'_>) -> Result<(&Value, String), String> {
    let document = fields.0.get("document").filter(|value| !value.is_null());
    let document = document.ok_or("the field `document` is not set; it is required")?;
    let text = document.to_plain_text();
    if text.len() > MAX_DOCUMENT {
        return Err(format!("the field `document`: {} characters; AWS takes {MAX_DOCUMENT} at most", text.len()));
    }
    Ok((document, text))
}

/// What a version says of the others is not ours, so the effect is that of a read: nothing.
fn delete_version(calls: &mut Calls, id: &ObjectId, version: &str) {
    calls.set(
        "DeletePolicyVersion",
        parts([("PolicyArn", known_id(id)), ("VersionId", version.into())]),
        Fields::new(),
    );
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (name, (document, text)) = (desired.text("name")?, document(desired)?);
    if let Some(problem) = name_problem(name, 128) {
        return Err(format!("the field `name`: {problem}"));
    }
    let path = path_of_new(desired.optional_text("path")?, mark);
    let description = desired.optional_text("description")?.unwrap_or_default();
    let (all, users) = tags::of_new(desired, mark)?;
    let mut fields = field("name", name);
    fields.extend(field("path", path.as_str()));
    fields.extend(field("document", document.clone()));
    fields.extend(field("description", description));
    fields.extend(field("tags", users));
    let request = named([
        ("PolicyName", Some(name.into())),
        ("Path", Some(path.into())),
        ("PolicyDocument", Some(text.into())),
        ("Description", Some(description).filter(|text| !text.is_empty()).map(Part::from)),
        ("Tags", Some(all)),
    ]);
    let new = New { fields, computed: &["id", "versions"], mark: Some(mark) };
    calls.create("CreatePolicy", request, Recovery::Name { name: name.to_owned() }, new, Wait::No);
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    tags::only(update, &["document"])?;
    if update.changes("document") {
        let versions = update.observed.texts("versions")?;
        // One is in force, one is to come: the oldest make room.
        let spare = versions.len().saturating_sub(MAX_VERSIONS - 2);
        for version in versions.into_iter().take(spare) {
            delete_version(calls, update.id, version);
        }
        let (document, text) = document(update.desired)?;
        let request =
            parts([("PolicyArn", known_id(update.id)), ("PolicyDocument", text.into()), ("SetAsDefault", true.into())]);
        calls.set("CreatePolicyVersion", request, field("document", document.clone()));
    }
    TAGGING.update(calls, update)
}

/// IAM refuses to delete a policy that has versions which are not in force.
fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    let versions = delete.last("versions").and_then(Value::as_list).unwrap_or_default();
    for version in versions.iter().filter_map(Value::as_text) {
        delete_version(calls, delete.id, version);
    }
    calls.remove("DeletePolicy", parts([("PolicyArn", known_id(delete.id))]), Wait::No);
    Ok(())
}

static LIST: List = List {
    schema: Policy::SCHEMA,
    list: "ListPolicies",
    objects: "Policies",
    // Those of AWS are more than a thousand.
    also: &[("Scope", "Local")],
    get: "GetPolicy",
    id: ("PolicyArn", "Arn"),
    object: "Policy",
    by_name: ByName::Listed,
    observe,
    whole: |policy, seen| seen.with("description", Some(policy.text("Description").unwrap_or_default())),
    details: DETAILS,
};

fn observe(policy: Shown<'_>) -> Seen {
    Seen::new(Readiness::Ready).with("name", policy.text("PolicyName")).with("path", policy.text("Path"))
}

const DOCUMENT: &str = "document";

/// Each asks about one policy. The document comes after the list of versions, which says which one is in force.
const DETAILS: &[Detail] = &[
    Detail {
        of: provider::Detail { name: "policy", batch: 1, asked: Asked::Always },
        request: |ids| LIST.one(ids.first().map_or("", ObjectId::as_str)),
        seen: |_, answer| LIST.seen(answer).into_iter().collect(),
    },
    Detail {
        of: provider::Detail { name: DOCUMENT, batch: 1, asked: Asked::Always },
        request: |ids| of_policy("ListPolicyVersions", ids, ("MaxItems", PAGE.into())),
        seen: |_, _| Vec::new(),
    },
];

fn of_policy(api: &'static str, ids: &[ObjectId], also: (&str, Value)) -> Request {
    let arn = ids.first().map(|id| id.as_str().into());
    Request { api, parameters: parameters([("PolicyArn", arn), (also.0, Some(also.1))]) }
}

/// Policies, as lists and as one by one, with the documents in force.
struct Policies;

/// `v10` after `v9`.
fn number(version: &str) -> u64 {
    version.trim_start_matches('v').split('.').next().and_then(|digits| digits.parse().ok()).unwrap_or(u64::MAX)
}

/// The page's token says which version is in force and which are not: `v3,v1,v2`.
fn versions_token(answer: Shown<'_>) -> Option<String> {
    let default = answer.list("Versions").find(|version| version.bool("IsDefaultVersion") == Some(true))?;
    let others = answer.list("Versions").filter(|version| version.bool("IsDefaultVersion") != Some(true));
    let mut others: Vec<&str> = others.filter_map(|version| version.text("VersionId")).collect();
    others.sort_by_key(|version| number(version));
    others.insert(0, default.text("VersionId")?);
    Some(others.join(","))
}

impl Reading for Policies {
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

    fn made(&self, _: Shown<'_>, _: Shown<'_>) -> Fields {
        field("versions", Value::List(Vec::new()))
    }

    fn detail_request(&self, detail: &Detail, objects: &[ObjectId], page: Option<&str>) -> Result<Request, String> {
        let Some(token) = page else { return Ok((detail.request)(objects)) };
        let default = token.split(',').next().unwrap_or_default();
        Ok(of_policy("GetPolicyVersion", objects, ("VersionId", default.into())))
    }

    fn detail_page(&self, detail: &Detail, objects: &[ObjectId], page: Option<&str>, answer: Shown<'_>) -> Page {
        if detail.of.name != DOCUMENT {
            return Page { objects: (detail.seen)(objects, answer), next: None };
        }
        let Some(token) = page else { return Page { objects: Vec::new(), next: versions_token(answer) } };
        let others = token.split(',').skip(1).map(Value::from).collect();
        let mut fields = field("versions", Value::List(others));
        let text = answer.at("PolicyVersion").text("Document");
        fields.extend(text.map(|text| field("document", document::observed(text))).unwrap_or_default());
        Page { objects: objects.iter().map(|id| self::detail(id, fields.clone())).collect(), next: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_in_force_comes_after_the_versions() {
        let id = [ObjectId::new("arn:1").unwrap()];
        let of = DETAILS.iter().find(|detail| detail.of.name == DOCUMENT).unwrap();
        let versions = r#"{"Versions":[{"VersionId":"v10","IsDefaultVersion":false},
            {"VersionId":"v9","IsDefaultVersion":false},{"VersionId":"v11","IsDefaultVersion":true}]}"#;
        let versions: Value = serde_json::from_str(versions).unwrap();
        let page = Policies.detail_page(of, &id, None, Shown(Some(&versions)));
        assert_eq!((page.objects.len(), page.next.as_deref()), (0, Some("v11,v9,v10")));
        let request = Policies.detail_request(of, &id, page.next.as_deref()).unwrap();
        assert_eq!(request.parameters.to_plain_text(), r#"{"PolicyArn":"arn:1","VersionId":"v11"}"#);
        let answer: Value = serde_json::from_str(r#"{"PolicyVersion":{"Document":"%7B%7D"}}"#).unwrap();
        let seen = Policies.detail_page(of, &id, page.next.as_deref(), Shown(Some(&answer)));
        let fields = Value::Map(seen.objects[0].fields.clone()).to_plain_text();
        assert_eq!((fields.as_str(), seen.next), (r#"{"document":{},"versions":["v9","v10"]}"#, None));
    }
}
