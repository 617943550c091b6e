//! `aws_route53_zone`: the create takes no tags, but a reference, which no two zones can share and which lists show. So that
//! carries the mark's incarnation, and the next call sets the tags.

use std::collections::BTreeSet;

use provision_core::call::{Mark, Observed, Read, Readiness, Recovery, Scope, Wait};
use provision_core::dsl::Inputs;
use provision_core::id::{InfraId, ObjectId};
use provision_core::prelude::*;
use provision_core::provider::{self, Asked};
use provision_core::value::{Fields, Value};

use super::name;
use super::zone_vpc::ZoneVpc;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, known_id, named, own_id, parts};
use crate::table::reading::{Detail, Page, Reading, Request, detail, parameters};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};
use crate::tags::{self, Tags as AllTags};

/// A domain and the names in it: on the internet, or in VPCs alone.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, vpc: Ref<VpcId, D>) {
/// b.put("public", HostedZone { name: "example.com" });
/// b.put("inside", HostedZone { name: "prod.internal" }).private(true).vpcs([ZoneVpc::of(vpc)]);
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_route53_zone", version = 1, check = check)]
pub struct HostedZone {
    /// The domain: `example.com`. Several zones can have one name.
    #[attr(replace)]
    pub name: String,
    /// Whether only the VPCs below know its names.
    #[attr(replace, default = false)]
    pub private: bool,
    /// The VPCs that know its names: one at least of a private zone, none of a public one.
    #[attr(set, default)]
    pub vpcs: Vec<ZoneVpc>,
    /// What it is for.
    #[attr(default = "")]
    pub comment: String,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: HostedZoneId,
    /// The servers that know its names, for the zone above or the registrar; none of a private zone.
    #[attr(computed)]
    pub name_servers: Vec<String>,
}

const NEEDS_VPC: &str = "a private zone has a VPC at least: write `.vpcs([ZoneVpc::of(vpc)])`";
const NEEDS_PRIVATE: &str = "a zone with VPCs is private: write `.private(true)`";

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let name = inputs.text("name").and_then(name::problem).map(|problem| ("name", problem));
    let vpcs = match (inputs.bool("private") == Some(true), inputs.is_empty("vpcs")) {
        (true, true) => Some(("vpcs", NEEDS_VPC.to_owned())),
        (false, false) => Some(("vpcs", NEEDS_PRIVATE.to_owned())),
        (true, false) | (false, true) => None,
    };
    let comment = inputs.text("comment").filter(|text| text.chars().count() > 256);
    let comment = comment.map(|_| ("comment", "AWS takes 256 characters at most".to_owned()));
    name.into_iter().chain(vpcs).chain(comment).collect()
}

apis! { aws_sdk_route53 route53;
    CreateHostedZone: Tag, "CallerReference, which is never good for a second zone and of which no term is documented";
        (Name, CallerReference, HostedZoneConfig, VPC as vpc) -> (HostedZone, DelegationSet);
    ChangeTagsForResource: Set, "adds, overwrites and removes the tags that it names";
        (ResourceType, ResourceId, AddTags, RemoveTagKeys) -> ();
    AssociateVPCWithHostedZone as associate_vpc_with_hosted_zone: Set, "a second one changes nothing"; (HostedZoneId, VPC as vpc) -> ();
    DisassociateVPCFromHostedZone as disassociate_vpc_from_hosted_zone: Set, "a second one is refused with VPCAssociationNotFound",
        ["VPCAssociationNotFound" => AlreadySo]; (HostedZoneId, VPC as vpc) -> ();
    UpdateHostedZoneComment: Set, "sets the comment"; (Id, Comment) -> ();
    DeleteHostedZone: Remove, "ids are never used again"; (Id) -> ();
    ListHostedZones: Read, ""; (Marker, MaxItems) -> (HostedZones, IsTruncated, NextMarker);
    GetHostedZone: Read, ""; (Id) -> (HostedZone, DelegationSet, VPCs as vpcs);
    ListTagsForResources: Read, ""; (ResourceType, ResourceIds) -> (ResourceTagSets);
}
shapes! { aws_sdk_route53;
    text TagResourceType;
    text VpcRegion;
    both Tag(Key, Value);
    both Vpc(VPCRegion as vpc_region, VPCId as vpc_id);
    both HostedZoneConfig(Comment, PrivateZone);
    shown HostedZone(Id, Name, CallerReference, Config);
    shown DelegationSet(NameServers);
    shown ResourceTagSet(ResourceId, Tags);
}

pub(crate) static ROW: Row = Row {
    schema: HostedZone::SCHEMA,
    identity_key: &[],
    create,
    update,
    delete,
    answers: &[Answered {
        api: "CreateHostedZone",
        id: &[],
        outputs: &[("name_servers", &["DelegationSet", "NameServers"])],
    }],
    reading: &Zones,
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"name":"prod.internal","private":true,"comment":"names of prod","tags":{"team":"infra"},
            "vpcs":[{"region":"us-east-1","vpc":"vpc-1"},{"region":"us-east-1","vpc":"vpc-2"}]}"#,
        changes: &[
            r#"{"vpcs":[{"region":"us-east-1","vpc":"vpc-3"}]}"#,
            r#"{"comment":""}"#,
            r#"{"tags":{"other":"1"}}"#,
        ],
    },
};

/// The most that a call takes of `AddTags` and of `RemoveTagKeys`:
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeTagsForResource.html>.
const TAGS_AT_ONCE: usize = 10;

/// One call's tags. The first one has the mark's.
fn tagging(calls: &mut Calls, id: &Part, add: &AllTags, remove: &[&str], now: &AllTags, mark: Option<&Mark>) {
    let given = |list: Part| Some(list).filter(|list| list.as_list().is_some_and(|list| !list.is_empty()));
    let request = named([
        ("ResourceType", Some("hostedzone".into())),
        ("ResourceId", Some(id.clone())),
        ("AddTags", given(tags::list(add))),
        ("RemoveTagKeys", given(remove.to_vec().into())),
    ]);
    let fields = field("tags", tags::value(now));
    calls.set_mark("ChangeTagsForResource", request, fields, mark);
}

/// Brings tags from one state to another, in as many calls as it takes.
fn change_tags(calls: &mut Calls, id: &Part, have: &AllTags, want: &AllTags, mark: Option<&Mark>) {
    let mut now = have.clone();
    let mut left: Vec<(&String, &String)> = want.iter().filter(|(key, value)| have.get(*key) != Some(*value)).collect();
    let mut add = mark.map(tags::of_mark).unwrap_or_default();
    let mut mark = mark;
    while !add.is_empty() || !left.is_empty() {
        let (some, rest) = left.split_at(left.len().min(TAGS_AT_ONCE - add.len()));
        let some: AllTags = some.iter().map(|&(key, value)| (key.clone(), value.clone())).collect();
        left = rest.to_vec();
        now.extend(some.clone());
        let changes = !some.is_empty();
        add.extend(some);
        if changes {
            tagging(calls, id, &add, &[], &now, mark.take());
        } else {
            let request = named([
                ("ResourceType", Some("hostedzone".into())),
                ("ResourceId", Some(id.clone())),
                ("AddTags", Some(tags::list(&add))),
            ]);
            calls.set_mark("ChangeTagsForResource", request, Fields::new(), mark.take());
        }
        add.clear();
    }
    let gone: Vec<&str> = have.keys().filter(|key| !want.contains_key(*key)).map(String::as_str).collect();
    for keys in gone.chunks(TAGS_AT_ONCE) {
        now.retain(|key, _| !keys.contains(&key.as_str()));
        tagging(calls, id, &AllTags::new(), keys, &now, None);
    }
}

type Vpcs = BTreeSet<(String, String)>;

/// Region and id of each.
fn vpcs(fields: Given<'_>) -> Result<Vpcs, String> {
    let one = |value: &Value| {
        let text = |name: &str| value.as_map()?.get(name)?.as_text().map(str::to_owned);
        Some((text("region")?, text("vpc")?))
    };
    let all = fields.list("vpcs")?.iter().map(one).collect::<Option<_>>();
    all.ok_or_else(|| "the field `vpcs` has a `vpc` and its `region` each".to_owned())
}

fn vpcs_field(vpcs: &Vpcs) -> Fields {
    let one = |(region, vpc): &(String, String)| {
        parameters([("region", Some(region.as_str().into())), ("vpc", Some(vpc.as_str().into()))])
    };
    field("vpcs", Value::List(vpcs.iter().map(one).collect()))
}

fn vpc_part((region, vpc): &(String, String)) -> Part {
    parts([("VPCRegion", region.as_str().into()), ("VPCId", vpc.as_str().into())])
}

/// New ones first: a private zone loses its last VPC never.
fn change_vpcs(calls: &mut Calls, id: &Part, have: &Vpcs, want: &Vpcs) {
    let mut now = have.clone();
    let request = |vpc| parts([("HostedZoneId", id.clone()), ("VPC", vpc_part(vpc))]);
    for vpc in want.difference(have) {
        now.insert(vpc.clone());
        calls.set("AssociateVPCWithHostedZone", request(vpc), vpcs_field(&now));
    }
    for vpc in have.difference(want) {
        now.remove(vpc);
        calls.set("DisassociateVPCFromHostedZone", request(vpc), vpcs_field(&now));
    }
}

/// What the reference of every zone of an infrastructure begins with.
fn of_infra(infra: &InfraId) -> String {
    format!("provision:{infra}:")
}

/// The reference of the zone that a create makes: 116 characters at most, of the 128 that Route 53 takes.
fn reference(mark: &Mark) -> String {
    format!("{}{}", of_infra(&mark.infra), mark.incarnation)
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (zone, private) = (desired.text("name")?, desired.bool_or("private", false)?);
    if let Some(problem) = name::problem(zone) {
        return Err(format!("the field `name`: {problem}"));
    }
    let comment = desired.optional_text("comment")?.unwrap_or_default();
    let (wanted, users) = (vpcs(desired)?, tags::desired(desired)?);
    let first: Vpcs = wanted.iter().take(1).cloned().collect();
    match (private, first.is_empty()) {
        (true, true) => return Err(format!("the field `vpcs`: {NEEDS_VPC}")),
        (false, false) => return Err(format!("the field `vpcs`: {NEEDS_PRIVATE}")),
        (true, false) | (false, true) => {}
    }
    let mut fields = field("name", zone);
    fields.extend(field("private", private));
    fields.extend(field("comment", comment));
    fields.extend(vpcs_field(&first));
    fields.extend(field("tags", Value::Map(Fields::new())));
    let request = named([
        ("Name", Some(zone.into())),
        ("CallerReference", Some(reference(mark).into())),
        ("HostedZoneConfig", Some(parts([("Comment", comment.into()), ("PrivateZone", private.into())]))),
        ("VPC", first.first().map(vpc_part)),
    ]);
    let new = New { fields, computed: &["id", "name_servers"], mark: Some(mark) };
    calls.create("CreateHostedZone", request, Recovery::Tag, new, Wait::No);
    change_tags(calls, &own_id(), &AllTags::new(), &users, Some(mark));
    change_vpcs(calls, &own_id(), &first, &wanted);
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&["vpcs", "comment", "tags"])?;
    let id = known_id(update.id);
    if update.changes("vpcs") {
        let wanted = vpcs(update.desired)?;
        if wanted.is_empty() {
            return Err(format!("the field `vpcs`: {NEEDS_VPC}"));
        }
        change_vpcs(calls, &id, &vpcs(update.observed)?, &wanted);
    }
    if update.changes("comment") {
        let comment = update.desired.optional_text("comment")?.unwrap_or_default();
        let request = parts([("Id", id.clone()), ("Comment", comment.into())]);
        calls.set("UpdateHostedZoneComment", request, field("comment", comment));
    }
    let have = tags::have(update.observed);
    let want = if update.changes("tags") { tags::desired(update.desired)? } else { have.clone() };
    change_tags(calls, &id, &have, &want, update.mark);
    Ok(())
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    calls.remove("DeleteHostedZone", parts([("Id", known_id(delete.id))]), Wait::No);
    Ok(())
}

/// Zones of an account: a list that shows whose they are, but neither their VPCs nor their tags.
struct Zones;

/// "If you have more than 100 hosted zones, you can use the maxitems parameter to list them in groups of up to 100":
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHostedZones.html>.
const PAGE: i64 = 100;

/// "The ResourceId element for each resource for which you want to get a list of tags", ten at most:
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListTagsForResources.html>.
const TAGS_BATCH: usize = 10;

/// `/hostedzone/Z1` and `Z1` are one.
fn bare(id: &str) -> &str {
    id.strip_prefix("/hostedzone/").unwrap_or(id)
}

/// A zone of a list.
pub(super) fn observed(zone: Shown<'_>) -> Option<Observed> {
    let id = ObjectId::new(bare(zone.text("Id")?)).ok()?;
    let config = zone.at("Config");
    let Seen { readiness, fields } = Seen::new(Readiness::Ready)
        .with("id", Some(id.as_str()))
        .with("name", zone.text("Name").map(name::observed))
        .with("private", Some(config.bool("PrivateZone").unwrap_or(false)))
        .with("comment", Some(config.text("Comment").unwrap_or_default()));
    Some(Observed { id, mark: None, fields, readiness })
}

/// What only the zone by itself shows.
fn alone(answer: Shown<'_>) -> Fields {
    let vpc = |vpc: Shown<'_>| Some((vpc.text("VPCRegion")?.to_owned(), vpc.text("VPCId")?.to_owned()));
    let mut fields = vpcs_field(&answer.list("VPCs").filter_map(vpc).collect());
    let servers = answer.at("DelegationSet").list("NameServers").filter_map(Shown::as_text).map(Value::from);
    fields.extend(field("name_servers", Value::List(servers.collect())));
    fields
}

const DETAILS: &[Detail] = &[
    Detail {
        of: provider::Detail { name: "zone", batch: 1, asked: Asked::Always },
        request: |ids| get(ids.first().map_or("", ObjectId::as_str)),
        seen: |ids, answer| ids.iter().map(|id| detail(id, alone(answer))).collect(),
    },
    Detail {
        of: provider::Detail { name: "tags", batch: TAGS_BATCH, asked: Asked::Always },
        request: |ids| {
            let ids = Value::List(ids.iter().map(|id| id.as_str().into()).collect());
            let parameters = parameters([("ResourceType", Some("hostedzone".into())), ("ResourceIds", Some(ids))]);
            Request { api: "ListTagsForResources", parameters }
        },
        seen: |_, answer| {
            let one = |set: Shown<'_>| {
                let id = ObjectId::new(bare(set.text("ResourceId")?)).ok()?;
                let (mark, users) = tags::read(set.pairs("Tags"));
                Some(Observed { mark, ..detail(&id, field("tags", users)) })
            };
            answer.list("ResourceTagSets").filter_map(one).collect()
        },
    },
];

fn get(id: &str) -> Request {
    Request { api: "GetHostedZone", parameters: parameters([("Id", Some(id.into()))]) }
}

impl Reading for Zones {
    fn request(&self, read: &Read) -> Result<Request, String> {
        match &read.scope {
            Scope::Id(id) => return Ok(get(id.as_str())),
            Scope::Detail { detail, .. } => return Err(format!("`{detail}` is no list")),
            Scope::Query(_) => return Err(format!("{} is no data source", read.type_name)),
            Scope::Marked(_) | Scope::Mark(_) | Scope::Key(_) | Scope::Tagged(_) => {}
        }
        let page = read.page.as_deref().map(Value::from);
        Ok(Request {
            api: "ListHostedZones",
            parameters: parameters([("MaxItems", Some(PAGE.into())), ("Marker", page)]),
        })
    }

    /// A zone that was made and not tagged yet is told by its reference: the mark of the create that made it.
    fn page_of(&self, read: &Read, answer: Shown<'_>) -> Page {
        let found = |zone: Shown<'_>| {
            let mut found = observed(zone)?;
            let made_with = zone.text("CallerReference").unwrap_or_default();
            let wanted = match &read.scope {
                Scope::Marked(infra) => made_with.starts_with(&of_infra(infra)),
                Scope::Mark(mark) => {
                    found.mark = Some(mark.clone());
                    made_with == reference(mark)
                }
                Scope::Key(key) => key.iter().all(|(name, value)| found.fields.get(name) == Some(value)),
                Scope::Tagged(_) => true,
                Scope::Id(_) | Scope::Detail { .. } | Scope::Query(_) => false,
            };
            wanted.then_some(found)
        };
        if matches!(read.scope, Scope::Id(_)) {
            let one = observed(answer.at("HostedZone")).map(|mut zone| {
                zone.fields.extend(alone(answer));
                zone
            });
            return Page { objects: one.into_iter().collect(), next: None };
        }
        let more = answer.bool("IsTruncated").filter(|more| *more);
        let next = more.and_then(|_| answer.text("NextMarker")).map(str::to_owned);
        Page { objects: answer.list("HostedZones").filter_map(found).collect(), next }
    }

    fn made(&self, _: Shown<'_>, answer: Shown<'_>) -> Fields {
        answer.at("HostedZone").text("Id").map(|id| field("id", bare(id))).unwrap_or_default()
    }

    fn page_size(&self) -> Option<i64> {
        Some(PAGE)
    }

    fn details(&self) -> &'static [Detail] {
        DETAILS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::mark;

    #[test]
    fn a_zone_without_tags_yet_is_told_by_its_reference() {
        let answer = format!(
            r#"{{"HostedZones":[{{"Id":"/hostedzone/Z1","Name":"a.b.","CallerReference":"{}"}},
                {{"Id":"/hostedzone/Z2","Name":"a.b.","CallerReference":"provision:wix:00"}},
                {{"Id":"/hostedzone/Z3","Name":"a.b.","CallerReference":"terraform"}}]}}"#,
            reference(&mark())
        );
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let found = |scope| {
            let read = Read { type_name: "x".parse().unwrap(), scope, page: None };
            let found = Zones.page_of(&read, Shown(Some(&answer))).objects.into_iter();
            found.map(|zone| (zone.id.to_string(), zone.mark)).collect::<Vec<_>>()
        };
        assert_eq!(found(Scope::Mark(mark())), [("Z1".to_owned(), Some(mark()))]);
        let ours = found(Scope::Marked(mark().infra));
        assert_eq!(ours, [("Z1".to_owned(), None), ("Z2".to_owned(), None)], "whose they are, their tags say");
        assert_eq!(found(Scope::Key(field("name", "a.b"))).len(), 3);
        assert!(reference(&mark()).len() <= 128);
    }

    #[test]
    fn tags_go_in_calls_of_ten() {
        let type_name = "aws_route53_zone".parse().unwrap();
        let mut calls = Calls::new(&type_name);
        let many: AllTags = (0..17).map(|n| (format!("k{n}"), "v".to_owned())).collect();
        change_tags(&mut calls, &"Z1".into(), &AllTags::new(), &many, Some(&mark()));
        change_tags(&mut calls, &"Z1".into(), &many, &AllTags::new(), None);
        let lengths = calls.done().into_iter().map(|call| {
            let length = |name: &str| call.request.as_map().and_then(|map| map.get(name)?.as_list().map(<[_]>::len));
            (length("AddTags"), length("RemoveTagKeys"))
        });
        let expected = [(Some(10), None), (Some(10), None), (None, Some(10)), (None, Some(7))];
        assert_eq!(lengths.collect::<Vec<_>>(), expected);
    }
}
