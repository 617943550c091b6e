//! `aws_s3_bucket`: nobody else in the world can have its name. What is set of a bucket, a read each shows.

use provision_core::call::{Mark, Observed, Read, Readiness, Recovery, Scope, Wait};
use provision_core::dsl::Inputs;
use provision_core::id::ObjectId;
use provision_core::prelude::*;
use provision_core::provider::{self, Asked};
use provision_core::value::{Fields, Value};

use crate::Aws;
use crate::region::AnyRegion;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, known_id, named, own_id, parts};
use crate::table::reading::{Detail, Page, Reading, Request, detail, parameters};
use crate::table::shown::Shown;
use crate::table::{Answered, Row};
use crate::tags;

/// Where objects are kept. It is deleted only while it is empty.
///
/// Begin its name with that of the infrastructure and `-`: then it is found also where a log was lost.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>) {
/// b.put("logs", Bucket { name: "example-us-east-logs", region: D::region() }).versioning(true);
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_s3_bucket", version = 1, check = check)]
pub struct Bucket {
    /// Its name, which nobody else in the world has.
    #[attr(replace)]
    pub name: String,
    /// The data centre's region: `D::region()`.
    #[attr(replace)]
    pub region: AnyRegion,
    /// Whether it keeps what is overwritten and deleted.
    #[attr(default = false)]
    pub versioning: bool,
    /// Whether requests are refused that would let the public in by lists of access.
    #[attr(default = true)]
    pub block_public_acls: bool,
    /// Whether lists of access that let the public in do not count.
    #[attr(default = true)]
    pub ignore_public_acls: bool,
    /// Whether policies are refused that would let the public in.
    #[attr(default = true)]
    pub block_public_policy: bool,
    /// Whether a policy that lets the public in holds for the account alone.
    #[attr(default = true)]
    pub restrict_public_buckets: bool,
    /// The key of KMS that its objects are encrypted with, unless they say otherwise. Unset, it is one of S3's.
    pub kms_key: Option<String>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id: the name.
    #[attr(computed)]
    pub id: BucketId,
    /// Its ARN.
    #[attr(computed)]
    pub arn: String,
}

/// What is wrong with a name: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>. Names with dots
/// are none for us: requests to them have no certificate.
fn name_problem(name: &str) -> Option<String> {
    let shown = name.escape_debug();
    let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let whole = (3..=63).contains(&name.len()) && name.bytes().all(good);
    if !whole || !edge(name.bytes().next()) || !edge(name.bytes().last()) {
        return Some(format!(
            "`{shown}` is not a bucket's name: write 3 to 63 of a-z, 0-9 and `-`, without `-` at the ends"
        ));
    }
    let start = ["xn--", "sthree-", "amzn-s3-demo-"].into_iter().find(|start| name.starts_with(start));
    let end = ["-s3alias", "--ol-s3", "--x-s3", "--table-s3", "-an"].into_iter().find(|end| name.ends_with(end));
    match (start, end) {
        (Some(start), _) => Some(format!("`{shown}`: S3 keeps names that begin with `{start}` for itself")),
        (None, Some(end)) => Some(format!("`{shown}`: S3 keeps names that end with `{end}` for itself")),
        (None, None) => None,
    }
}

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    inputs.text("name").and_then(name_problem).map(|problem| ("name", problem)).into_iter().collect()
}

apis! { aws_sdk_s3 s3;
    CreateBucket: Name, "a name taken by the account is BucketAlreadyOwnedByYou (in us-east-1: done), by another BucketAlreadyExists";
        (Bucket, CreateBucketConfiguration) -> ();
    PutBucketTagging: Set, "sets all tags"; (Bucket, Tagging) -> ();
    PutBucketVersioning: Set, "sets the state"; (Bucket, VersioningConfiguration) -> ();
    PutPublicAccessBlock: Set, "sets all four switches"; (Bucket, PublicAccessBlockConfiguration) -> ();
    PutBucketEncryption: Set, "sets the whole rule"; (Bucket, ServerSideEncryptionConfiguration) -> ();
    DeleteBucket: Remove, "by name, which only we use again while it is ours"; (Bucket) -> ();
    ListBuckets: Read, ""; (Prefix, MaxBuckets, ContinuationToken) -> (Buckets, ContinuationToken);
    GetBucketTagging: Read, "", ["NoSuchTagSet" => AlreadySo, "PermanentRedirect" => NotFound,
        "AuthorizationHeaderMalformed" => NotFound]; (Bucket) -> (TagSet);
    GetBucketVersioning: Read, "", ["PermanentRedirect" => NotFound, "AuthorizationHeaderMalformed" => NotFound];
        (Bucket) -> (Status);
    GetPublicAccessBlock: Read, "", ["NoSuchPublicAccessBlockConfiguration" => AlreadySo,
        "PermanentRedirect" => NotFound, "AuthorizationHeaderMalformed" => NotFound];
        (Bucket) -> (PublicAccessBlockConfiguration);
    GetBucketEncryption: Read, "", ["ServerSideEncryptionConfigurationNotFoundError" => AlreadySo,
        "PermanentRedirect" => NotFound, "AuthorizationHeaderMalformed" => NotFound];
        (Bucket) -> (ServerSideEncryptionConfiguration);
    GetBucketLocation: Read, "", ["PermanentRedirect" => NotFound, "AuthorizationHeaderMalformed" => NotFound];
        (Bucket) -> (LocationConstraint);
}
shapes! { aws_sdk_s3;
    text BucketLocationConstraint;
    text BucketVersioningStatus;
    text ServerSideEncryption;
    both Tag(Key, Value);
    sent Tagging(TagSet);
    sent CreateBucketConfiguration(LocationConstraint, Tags);
    sent VersioningConfiguration(Status);
    both PublicAccessBlockConfiguration(BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets);
    both ServerSideEncryptionByDefault(SSEAlgorithm as sse_algorithm, KMSMasterKeyID as kms_master_key_id);
    both ServerSideEncryptionRule(ApplyServerSideEncryptionByDefault, BucketKeyEnabled);
    both ServerSideEncryptionConfiguration(Rules);
    shown Bucket(Name);
}

pub(crate) static ROW: Row = Row {
    schema: Bucket::SCHEMA,
    identity_key: &["name"],
    create,
    update,
    delete,
    answers: &[Answered { api: "CreateBucket", id: &[], outputs: &[] }],
    reading: &Buckets,
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"name":"wix-logs","region":"eu-west-1","versioning":true,"block_public_acls":true,
            "ignore_public_acls":true,"block_public_policy":false,"restrict_public_buckets":true,"tags":{"team":"infra"},
            "kms_key":"arn:aws:kms:eu-west-1:123456789012:key/1"}"#,
        changes: &[
            r#"{"versioning":false}"#,
            r#"{"block_public_acls":false}"#,
            r#"{"ignore_public_acls":false}"#,
            r#"{"block_public_policy":true}"#,
            r#"{"restrict_public_buckets":false}"#,
            r#"{"kms_key":"arn:aws:kms:eu-west-1:123456789012:key/2"}"#,
            r#"{"tags":{"other":"1"}}"#,
        ],
    },
};

/// The four switches, with S3's names of them. New buckets have them all since April 2023:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>.
const SWITCHES: [(&str, &str); 4] = [
    ("block_public_acls", "BlockPublicAcls"),
    ("ignore_public_acls", "IgnorePublicAcls"),
    ("block_public_policy", "BlockPublicPolicy"),
    ("restrict_public_buckets", "RestrictPublicBuckets"),
];

fn put_switches(calls: &mut Calls, bucket: Part, desired: Given<'_>) -> Result<(), String> {
    let (mut fields, mut block) = (Fields::new(), Vec::new());
    for (name, parameter) in SWITCHES {
        let on = desired.bool_or(name, true)?;
        fields.extend(field(name, on));
        block.push((parameter.to_owned(), on.into()));
    }
    let block = Part::Map(block.into_iter().collect());
    calls.set("PutPublicAccessBlock", parts([("Bucket", bucket), ("PublicAccessBlockConfiguration", block)]), fields);
    Ok(())
}

fn put_versioning(calls: &mut Calls, bucket: Part, on: bool) {
    let status = if on { "Enabled" } else { "Suspended" };
    let request = parts([("Bucket", bucket), ("VersioningConfiguration", parts([("Status", status.into())]))]);
    calls.set("PutBucketVersioning", request, field("versioning", on));
}

fn put_key(calls: &mut Calls, bucket: Part, key: &str) {
    let by_default = parts([("SSEAlgorithm", "aws:kms".into()), ("KMSMasterKeyID", key.into())]);
    // A key of the bucket's own, made from that of KMS, is asked for once and not for each object.
    let rule = parts([("ApplyServerSideEncryptionByDefault", by_default), ("BucketKeyEnabled", true.into())]);
    let rules = parts([("Rules", Part::List(vec![rule]))]);
    let request = parts([("Bucket", bucket), ("ServerSideEncryptionConfiguration", rules)]);
    calls.set("PutBucketEncryption", request, field("kms_key", key));
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (name, region) = (desired.text("name")?, desired.text("region")?);
    if let Some(problem) = name_problem(name) {
        return Err(format!("the field `name`: {problem}"));
    }
    let users = tags::desired_plain(desired)?;
    let mut fields = field("name", name);
    fields.extend(field("region", region));
    fields.extend(field("versioning", false));
    fields.extend(field("tags", tags::value(&users)));
    for (switch, _) in SWITCHES {
        fields.extend(field(switch, true));
    }
    // S3 does not take the name of its first region: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>.
    let configuration = named([
        ("LocationConstraint", (region != FIRST_REGION).then(|| region.into())),
        ("Tags", Some(tags::list(&tags::with_mark(&users, mark)))),
    ]);
    let request = parts([("Bucket", name.into()), ("CreateBucketConfiguration", configuration)]);
    let new = New { fields, computed: &["id", "arn"], mark: Some(mark) };
    calls.create("CreateBucket", request, Recovery::Name { name: name.to_owned() }, new, Wait::No);
    // Of a new bucket that need not be said; of one that S3 took for made it does.
    put_switches(calls, own_id(), desired)?;
    if desired.bool_or("versioning", false)? {
        put_versioning(calls, own_id(), true);
    }
    if let Some(key) = desired.optional_text("kms_key")? {
        put_key(calls, own_id(), key);
    }
    Ok(())
}

const FIRST_REGION: &str = "us-east-1";

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    let [(a, _), (b, _), (c, _), (d, _)] = SWITCHES;
    update.only(&["versioning", "kms_key", "tags", a, b, c, d])?;
    let bucket = || known_id(update.id);
    if SWITCHES.iter().any(|(name, _)| update.changes(name)) {
        put_switches(calls, bucket(), update.desired)?;
    }
    if update.changes("versioning") {
        put_versioning(calls, bucket(), update.desired.bool_or("versioning", false)?);
    }
    if update.changes("kms_key") {
        put_key(calls, bucket(), update.desired.text("kms_key")?);
    }
    let changes = update.changes("tags");
    if changes || update.mark.is_some() {
        // All tags are set at once, so those of the mark are among them.
        let users = tags::desired_plain(if changes { update.desired } else { update.observed })?;
        let mark = update.mark.or(update.carries);
        let all = mark.map_or_else(|| users.clone(), |mark| tags::with_mark(&users, mark));
        let tagging = parts([("TagSet", tags::list(&all))]);
        let fields = if changes { field("tags", tags::value(&users)) } else { Fields::new() };
        calls.set_mark("PutBucketTagging", parts([("Bucket", bucket()), ("Tagging", tagging)]), fields, update.mark);
    }
    Ok(())
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    calls.remove("DeleteBucket", parts([("Bucket", known_id(delete.id))]), Wait::No);
    Ok(())
}

/// Buckets by their names; each by itself shows what is set of it, where it is and its tags.
struct Buckets;

/// A page of the list takes 10,000: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html>.
const PAGE: i64 = 10_000;

fn observed(name: &str) -> Option<Observed> {
    let id = ObjectId::new(name).ok()?;
    let mut fields = field("id", name);
    fields.extend(field("name", name));
    fields.extend(field("arn", arn(name)));
    Some(Observed { id, mark: None, fields, readiness: Readiness::Ready })
}

fn arn(name: &str) -> String {
    format!("arn:aws:s3:::{name}")
}

const fn one(name: &'static str) -> provider::Detail {
    provider::Detail { name, batch: 1, asked: Asked::Always }
}

fn of_bucket(api: &'static str, ids: &[ObjectId]) -> Request {
    Request { api, parameters: parameters([("Bucket", ids.first().map(|id| id.as_str().into()))]) }
}

fn with(ids: &[ObjectId], fields: Fields) -> Vec<Observed> {
    ids.iter().map(|id| detail(id, fields.clone())).collect()
}

const TAGS: &str = "tags";

/// Each asks about one bucket. That of another region, which the list shows too, is none of this target's.
const DETAILS: &[Detail] = &[
    Detail {
        of: one("region"),
        request: |ids| of_bucket("GetBucketLocation", ids),
        seen: |ids, answer| {
            // The first region has no name here, and one of Europe's an old one.
            let region = match answer.text("LocationConstraint") {
                None | Some("") => FIRST_REGION,
                Some("EU") => "eu-west-1",
                Some(region) => region,
            };
            with(ids, field("region", region))
        },
    },
    Detail {
        of: one(TAGS),
        request: |ids| of_bucket("GetBucketTagging", ids),
        seen: |ids, answer| {
            let (mark, users) = tags::read(answer.pairs("TagSet"));
            let fields = field("tags", users);
            ids.iter().map(|id| Observed { mark: mark.clone(), ..detail(id, fields.clone()) }).collect()
        },
    },
    Detail {
        of: one("versioning"),
        request: |ids| of_bucket("GetBucketVersioning", ids),
        seen: |ids, answer| with(ids, field("versioning", answer.text("Status") == Some("Enabled"))),
    },
    Detail {
        of: one("public_access"),
        request: |ids| of_bucket("GetPublicAccessBlock", ids),
        seen: |ids, answer| {
            let block = answer.at("PublicAccessBlockConfiguration");
            let on = |(name, part): (&str, &str)| (name.to_owned(), Value::from(block.bool(part).unwrap_or(false)));
            with(ids, SWITCHES.into_iter().map(on).collect())
        },
    },
    Detail {
        of: one("encryption"),
        request: |ids| of_bucket("GetBucketEncryption", ids),
        seen: |ids, answer| {
            let rule = answer.path(&["ServerSideEncryptionConfiguration", "Rules"]).items().next();
            let by_default = rule.map(|rule| rule.at("ApplyServerSideEncryptionByDefault"));
            let key = by_default.and_then(|by_default| by_default.text("KMSMasterKeyID"));
            with(ids, field("kms_key", key.map_or(Value::Null, Value::from)))
        },
    },
];

/// The name that a read asks for, if it asks for one.
fn asked(read: &Read) -> Result<Option<&str>, String> {
    match &read.scope {
        Scope::Id(id) => Ok(Some(id.as_str())),
        Scope::Key(key) => match key.iter().next().map(|(field, value)| (field.as_str(), value.as_text())) {
            Some(("name", Some(name))) if key.len() == 1 => Ok(Some(name)),
            _ => Err("S3 looks for the `name` of a bucket, and for nothing else".to_owned()),
        },
        Scope::Marked(_) | Scope::Mark(_) | Scope::Tagged(_) => Ok(None),
        Scope::Detail { detail, .. } => Err(format!("`{detail}` is no list")),
        Scope::Query(_) => Err(format!("{} is no data source", read.type_name)),
    }
}

impl Reading for Buckets {
    /// Buckets whose names do not begin with the infrastructure's are not among its own; they are found by their names.
    fn request(&self, read: &Read) -> Result<Request, String> {
        let (prefix, most) = match (asked(read)?, &read.scope) {
            // In the order of names, the one that is asked for comes first.
            (Some(name), _) => (Some(name.to_owned()), 1),
            (None, Scope::Marked(infra) | Scope::Mark(Mark { infra, .. })) => (Some(format!("{infra}-")), PAGE),
            (None, _) => (None, PAGE),
        };
        let page = read.page.as_deref().map(Value::from);
        let parameters = parameters([
            ("Prefix", prefix.map(Value::from)),
            ("MaxBuckets", Some(most.into())),
            ("ContinuationToken", page),
        ]);
        Ok(Request { api: "ListBuckets", parameters })
    }

    fn page_of(&self, read: &Read, answer: Shown<'_>) -> Page {
        let wanted = asked(read).unwrap_or_default();
        let names = answer.list("Buckets").filter_map(|bucket| bucket.text("Name"));
        let names = names.filter(|name| wanted.is_none_or(|wanted| wanted == *name));
        let next = answer.text("ContinuationToken").filter(|_| wanted.is_none()).map(str::to_owned);
        Page { objects: names.filter_map(observed).collect(), next }
    }

    fn made(&self, request: Shown<'_>, _: Shown<'_>) -> Fields {
        let Some(name) = request.text("Bucket") else { return Fields::new() };
        let mut made = field("id", name);
        made.extend(field("arn", arn(name)));
        made
    }

    fn page_size(&self) -> Option<i64> {
        Some(PAGE)
    }

    /// In us-east-1 the create of a bucket that is there is done.
    fn answers_what_stood_there(&self) -> Option<&'static Detail> {
        DETAILS.iter().find(|detail| detail.of.name == TAGS)
    }

    fn details(&self) -> &'static [Detail] {
        DETAILS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_s3_does_not_take_are_refused() {
        for name in ["ab", "Logs", "a.b.c", "-logs", "logs-", "x".repeat(64).as_str(), "xn--logs", "logs-s3alias"] {
            assert!(name_problem(name).is_some(), "{name}");
        }
        assert_eq!(name_problem("wix-us-east-logs"), None);
    }

    #[test]
    fn a_bucket_is_found_by_its_whole_name() {
        let id = ObjectId::new("wix-logs").unwrap();
        let read = Read { type_name: "aws_s3_bucket".parse().unwrap(), scope: Scope::Id(id), page: None };
        let request = Buckets.request(&read).unwrap();
        assert_eq!(request.parameters.to_plain_text(), r#"{"MaxBuckets":1,"Prefix":"wix-logs"}"#);
        let answer = r#"{"Buckets":[{"Name":"wix-logs-2"},{"Name":"wix-logs"}],"ContinuationToken":"t"}"#;
        let answer: Value = serde_json::from_str(answer).unwrap();
        let page = Buckets.page_of(&read, Shown(Some(&answer)));
        assert_eq!((page.objects.len(), page.objects[0].id.as_str(), page.next), (1, "wix-logs", None));
    }

    #[test]
    fn tags_are_set_all_at_once_with_the_mark() {
        let mark = crate::tests::mark();
        let (observed, desired) =
            (field("tags", Value::Map(Fields::new())), field("tags", Value::Map(field("a", "b"))));
        let id = ObjectId::new("wix-logs").unwrap();
        let update = Update {
            id: &id,
            observed: Given(&observed),
            carries: Some(&mark),
            desired: Given(&desired),
            changed: &["tags"],
            mark: None,
        };
        let mut calls = Calls::new(&"aws_s3_bucket".parse().unwrap());
        super::update(&mut calls, &update).unwrap();
        let text = serde_json::to_string(&calls.done()[0].request).unwrap();
        assert!(text.contains("provision:incarnation") && text.contains(r#"{"Key":"a","Value":"b"}"#), "{text}");
    }
}
