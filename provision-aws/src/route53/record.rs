//! `aws_route53_record`: carries no mark; zone, name, type and set identifier are its key. One operation makes, sets and
//! deletes records: as `CREATE`, which refuses what is there, as `UPSERT`, and as `DELETE`, which takes exact values.

use std::collections::BTreeSet;

use provision_core::call::{Mark, Observed, Read, Readiness, Recovery, Scope, Wait};
use provision_core::dsl::input::FieldKind;
use provision_core::dsl::{Input, Inputs, IntoInput};
use provision_core::id::{InfraId, ObjectId};
use provision_core::prelude::*;
use provision_core::schema::Kind;
use provision_core::value::{Fields, Tree, Value};

use super::alias::Alias;
use super::hosted_zone::HostedZoneId;
use super::record_type::RecordType;
use super::{name, txt};
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, named, parts};
use crate::table::reading::{Page, Reading, Request, parameters};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// What a name of a zone stands for.
///
/// Either `values` or an `alias`. With `set_identifier` and `weight` several records share a name and a type, and each is
/// answered as often as its weight says.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, zone: Ref<HostedZoneId, D>, address: Ref<String, D>) {
/// b.put("www", Record { zone, name: "www.example.com", record_type: RecordType::A }).ttl(60).values([address]);
/// b.put("blue", Record { zone, name: "api.example.com", record_type: RecordType::Cname })
///     .values(["blue.example.com"]).set_identifier("blue").weight(10);
/// b.put("short", Record { zone, name: "example.com", record_type: RecordType::A })
///     .alias(Alias::in_zone(zone, "www.example.com"));
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_route53_record", version = 1, check = check)]
pub struct Record {
    /// The zone that it is in.
    #[attr(replace)]
    pub zone: HostedZoneId,
    /// The whole name, which ends with the zone's: `www.example.com`, `*.example.com`.
    #[attr(replace)]
    pub name: String,
    /// What it says about the name.
    #[attr(replace)]
    pub record_type: RecordType,
    /// For how many seconds others may remember it; 300 for a new one that sets none. An alias has that of its target.
    pub ttl: Option<Ttl>,
    /// What it says: addresses, names, or texts without quotes.
    #[attr(set, default)]
    pub values: Vec<String>,
    /// The name in AWS that it stands for.
    pub alias: Option<Alias>,
    /// Tells records of one name and type apart; a record without one has to be gone before the first one that has one.
    #[attr(replace)]
    pub set_identifier: Option<String>,
    /// How often it is answered, beside others of its name and type: 0 to 255.
    pub weight: Option<Weight>,
    /// The health check without which it is not answered.
    pub health_check: Option<String>,
    /// Its id: `zone/name/type`, and `/set-identifier`.
    #[attr(computed)]
    pub id: RecordId,
}

macro_rules! bounded {
    ($($(#[$doc:meta])* $kind:ident, $range:expr, $rule:literal;)*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub enum $kind {}

        impl FieldKind for $kind {
            const KIND: Kind = Kind::Int;
        }

        impl<D> IntoInput<$kind, D> for i64 {
            fn into_input(self) -> Input {
                if $range.contains(&self) { self.into() } else { Input::problem(format!("AWS takes {}, not {self}", $rule)) }
            }
        }
    )* };
}
bounded! {
    /// A field that takes for how many seconds an answer may be remembered.
    Ttl, (0..=2_147_483_647), "0 to 2147483647 seconds";
    /// A field that takes how often a record is answered, beside others.
    Weight, (0..=255), "weights of 0 to 255";
}

/// The one of a new record whose definition sets none.
const TTL: i64 = 300;

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let name = inputs.text("name").and_then(name::problem).map(|problem| ("name", problem));
    let identifier = inputs.text("set_identifier").and_then(identifier_problem);
    name.into_iter().chain(identifier.map(|problem| ("set_identifier", problem))).collect()
}

/// It is a part of the record's id.
fn identifier_problem(identifier: &str) -> Option<String> {
    let good = (1..=128).contains(&identifier.len()) && identifier.bytes().all(|b| b.is_ascii_graphic());
    (!good).then(|| {
        format!("`{}` is no set identifier here: write 1 to 128 visible ASCII characters", identifier.escape_debug())
    })
}

const SENT: &str =
    "made with CREATE, which refuses a record of the same name, type and set identifier (InvalidChangeBatch)";

apis! { aws_sdk_route53 route53;
    ChangeResourceRecordSets: NaturalKey, SENT; (HostedZoneId, ChangeBatch) -> ();
    ChangeResourceRecordSets: Set, "set with UPSERT, which sets the whole record"; (HostedZoneId, ChangeBatch) -> ();
    ChangeResourceRecordSets: Remove, "removed with DELETE, which refuses another record than the one it names by all values";
        (HostedZoneId, ChangeBatch) -> ();
    ListResourceRecordSets: Read, "";
        (HostedZoneId, StartRecordName, StartRecordType, StartRecordIdentifier, MaxItems)
        -> (ResourceRecordSets, IsTruncated, NextRecordName, NextRecordType, NextRecordIdentifier);
}
shapes! { aws_sdk_route53;
    text RrType;
    text ChangeAction;
    both ResourceRecord(Value);
    both AliasTarget(HostedZoneId, DNSName as dns_name, EvaluateTargetHealth);
    both ResourceRecordSet(Name, Type as r#type, SetIdentifier, Weight, TTL as ttl, ResourceRecords, AliasTarget,
        HealthCheckId);
    sent Change(Action, ResourceRecordSet);
    sent ChangeBatch(Changes);
}

pub(crate) static ROW: Row = Row {
    schema: Record::SCHEMA,
    identity_key: KEY,
    create,
    update,
    delete,
    answers: &[Answered { api: "ChangeResourceRecordSets", id: &[], outputs: &[] }],
    reading: &Records,
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"zone":"Z1","name":"api.example.com","record_type":"A","ttl":60,"values":["192.0.2.1","192.0.2.2"],
            "set_identifier":"blue","weight":10,"health_check":"4a8c5f4e-0000-0000-0000-000000000000"}"#,
        changes: &[
            r#"{"values":["192.0.2.3"]}"#,
            r#"{"ttl":300}"#,
            r#"{"weight":0}"#,
            r#"{"health_check":"4a8c5f4e-1111-0000-0000-000000000000"}"#,
        ],
    },
};

const KEY: &[&str] = &["zone", "name", "record_type", "set_identifier"];

/// A record's fields, in the form that compares, and all of them.
fn whole(given: Given<'_>, before: Option<Given<'_>>) -> Result<Fields, String> {
    let record_type = given.text("record_type")?;
    if RecordType::from_text(record_type).is_none() {
        return Err(format!("the field `record_type`: `{record_type}` is none that a record can have"));
    }
    let record_name = given.text("name")?;
    if let Some(problem) = name::problem(record_name) {
        return Err(format!("the field `name`: {problem}"));
    }
    let identifier = given.optional_text("set_identifier")?;
    if let Some(problem) = identifier.and_then(identifier_problem) {
        return Err(format!("the field `set_identifier`: {problem}"));
    }
    let mut values: Vec<Value> = given.texts("values")?.into_iter().map(Value::from).collect();
    values.sort();
    values.dedup();
    // What the definition leaves to the server is what it was.
    let kept = |name: &str| {
        let set = |given: Given<'_>| given.0.get(name).filter(|value| !value.is_null()).cloned();
        set(given).or_else(|| before.and_then(set)).unwrap_or(Value::Null)
    };
    let alias = if values.is_empty() { kept("alias") } else { Value::Null };
    let ttl = match (alias.is_null(), kept("ttl")) {
        (true, Value::Null) => TTL.into(),
        (true, ttl) => ttl,
        (false, _) => Value::Null,
    };
    if values.is_empty() && alias.is_null() {
        return Err("a record has `values`, or an `alias`".to_owned());
    }
    if !given.list("values")?.is_empty() && given.0.get("alias").is_some_and(|alias| !alias.is_null()) {
        return Err("a record has `values` or an `alias`, not both".to_owned());
    }
    if !alias.is_null() && given.optional_int("ttl")?.is_some() {
        return Err("an alias is remembered as long as its target: leave `ttl` unset".to_owned());
    }
    let weight = kept("weight");
    if identifier.is_some() == weight.is_null() {
        return Err("`set_identifier` and `weight` go together: set both, or neither".to_owned());
    }
    let mut fields = field("zone", given.text("zone")?);
    fields.extend(field("name", record_name));
    fields.extend(field("record_type", record_type));
    fields.extend(field("ttl", ttl));
    fields.extend(field("values", Value::List(values)));
    fields.extend(field("alias", alias));
    fields.extend(field("set_identifier", identifier.map_or(Value::Null, Value::from)));
    fields.extend(field("weight", weight));
    fields.extend(field("health_check", kept("health_check")));
    Ok(fields)
}

/// The request for a record, all of whose fields are given.
fn request(action: &str, fields: &Fields) -> Result<Part, String> {
    let given = Given(fields);
    let record_type = given.text("record_type")?;
    let value = |text: &str| if record_type == RecordType::Txt.as_str() { txt::quoted(text) } else { text.to_owned() };
    let values: Vec<Part> =
        given.texts("values")?.into_iter().map(|text| parts([("Value", value(text).into())])).collect();
    let part = |name: &str| fields.get(name).filter(|value| !value.is_null()).map(Value::widen);
    let alias = fields.get("alias").filter(|alias| !alias.is_null()).map(super::alias::part).transpose()?;
    let record = named([
        ("Name", part("name")),
        ("Type", part("record_type")),
        ("SetIdentifier", part("set_identifier")),
        ("Weight", part("weight")),
        ("TTL", part("ttl")),
        ("ResourceRecords", (!values.is_empty()).then_some(Tree::List(values))),
        ("AliasTarget", alias),
        ("HealthCheckId", part("health_check")),
    ]);
    let change = parts([("Action", action.into()), ("ResourceRecordSet", record)]);
    let batch = parts([("Changes", Tree::List(vec![change]))]);
    Ok(parts([("HostedZoneId", given.text("zone")?.into()), ("ChangeBatch", batch)]))
}

const CHANGE: &str = "ChangeResourceRecordSets";

fn create(calls: &mut Calls, desired: Given<'_>, _: &Mark) -> Result<(), String> {
    let fields = whole(desired, None)?;
    let key = KEY.iter().filter_map(|name| Some(((*name).to_owned(), fields.get(*name)?.clone()))).collect();
    let request = request("CREATE", &fields)?;
    let fields = fields.into_iter().filter(|(_, value)| !value.is_null()).collect();
    let new = New { fields, computed: &["id"], mark: None };
    calls.create(CHANGE, request, Recovery::NaturalKey { key }, new, Wait::No);
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&["ttl", "values", "alias", "weight", "health_check"])?;
    if !update.changed.is_empty() {
        let all = whole(update.desired, Some(update.observed))?;
        let request = request("UPSERT", &all)?;
        let changes = |(name, value): &(String, Value)| update.observed.0.get(name).unwrap_or(&Value::Null) != value;
        calls.set(CHANGE, request, all.into_iter().filter(changes).collect());
    }
    Ok(())
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    let key = key_of(delete.id);
    let last = |name: &str| Some((name.to_owned(), delete.last(name).cloned()?));
    let mut fields: Fields =
        ["zone", "name", "record_type", "ttl", "values", "alias", "set_identifier", "weight", "health_check"]
            .into_iter()
            .filter_map(last)
            .collect();
    // Its id says which one it is, whatever else is recorded.
    fields.extend(key.unwrap_or_default());
    calls.remove(CHANGE, request("DELETE", &fields)?, Wait::No);
    Ok(())
}

/// The id of a record. A `/` in its name, as in reverse zones, stands as in Route 53's own answers.
fn id_of(key: &Fields) -> Option<String> {
    let text = |name: &str| key.get(name).and_then(Value::as_text);
    let (zone, record) = (text("zone")?, text("name")?.replace('/', "\\057"));
    let record_type = text("record_type")?;
    Some(match text("set_identifier") {
        Some(identifier) => format!("{zone}/{record}/{record_type}/{identifier}"),
        None => format!("{zone}/{record}/{record_type}"),
    })
}

/// The key that an id stands for.
fn key_of(id: &ObjectId) -> Option<Fields> {
    let mut parts = id.as_str().splitn(4, '/');
    let (zone, record, record_type) = (parts.next()?, parts.next()?, parts.next()?);
    let mut key = field("zone", zone);
    key.extend(field("name", name::observed(record)));
    key.extend(field("record_type", record_type));
    key.extend(field("set_identifier", parts.next().map_or(Value::Null, Value::from)));
    Some(key)
}

/// The records of a zone are one list, so zones of recorded ones are asked, once each.
struct Records;

/// "The maximum number of resource records sets to include in the response body for this request", 300 at most:
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html>.
const PAGE: i64 = 300;

/// What a read asks for, as far as it is known: zone, name, type and set identifier.
fn asked(read: &Read) -> Result<Fields, String> {
    match &read.scope {
        Scope::Id(id) => key_of(id).ok_or_else(|| {
            format!("`{id}` is not a record; write `zone/name/type`, or `zone/name/type/set-identifier`")
        }),
        Scope::Key(key) => Ok(key.clone()),
        Scope::Marked(_) | Scope::Mark(_) | Scope::Tagged(_) => Err("records carry no tags".to_owned()),
        Scope::Detail { detail, .. } => Err(format!("`{detail}` is no list")),
        Scope::Query(_) => Err(format!("{} is no data source", read.type_name)),
    }
}

/// Where a list goes on: name, type and set identifier.
type Start = (Option<String>, Option<String>, Option<String>);

fn from_page(page: &str) -> Start {
    let mut parts = page.splitn(3, ' ').map(|part| Some(part.to_owned()).filter(|part| !part.is_empty()));
    (parts.next().flatten(), parts.next().flatten(), parts.next().flatten())
}

fn observed(zone: &str, record: Shown<'_>) -> Option<Observed> {
    let record_type = record.text("Type")?;
    let is_txt = record_type == RecordType::Txt.as_str();
    let value = |text: &str| if is_txt { txt::observed(text) } else { text.to_owned() };
    let values = record.list("ResourceRecords").filter_map(|one| one.text("Value")).map(|text| value(text).into());
    let alias = record.at("AliasTarget");
    let Seen { readiness, mut fields } = Seen::new(Readiness::Ready)
        .with("zone", Some(zone))
        .with("name", record.text("Name").map(name::observed))
        .with("record_type", Some(record_type))
        .with_or_null("ttl", record.int("TTL"))
        .with("values", Some(Value::List(values.collect())))
        .with_or_null("alias", alias.0.map(|_| super::alias::observed(alias)))
        .with_or_null("set_identifier", record.text("SetIdentifier"))
        .with_or_null("weight", record.int("Weight"))
        .with_or_null("health_check", record.text("HealthCheckId"));
    let id = ObjectId::new(id_of(&fields)?).ok()?;
    fields.insert("id".to_owned(), id.as_str().into());
    Some(Observed { id, mark: None, fields, readiness })
}

impl Reading for Records {
    fn request(&self, read: &Read) -> Result<Request, String> {
        let key = asked(read)?;
        let text = |name: &str| key.get(name).and_then(Value::as_text).map(str::to_owned);
        let zone = text("zone").ok_or("records are looked for by their `zone`")?;
        let (from, record_type, identifier) = match &read.page {
            Some(page) => from_page(page),
            None if text("name").is_some() => {
                let record_type = text("record_type");
                let identifier = text("set_identifier").filter(|_| record_type.is_some());
                (text("name"), record_type, identifier)
            }
            None => (None, None, None),
        };
        let parameters = parameters([
            ("HostedZoneId", Some(zone.into())),
            ("StartRecordName", from.map(Value::from)),
            ("StartRecordType", record_type.map(Value::from)),
            ("StartRecordIdentifier", identifier.map(Value::from)),
            ("MaxItems", Some(PAGE.into())),
        ]);
        Ok(Request { api: "ListResourceRecordSets", parameters })
    }

    /// A list that begins at a name goes on past it: then the rest is not read.
    fn page_of(&self, read: &Read, answer: Shown<'_>) -> Page {
        let key = asked(read).unwrap_or_default();
        let zone = key.get("zone").and_then(Value::as_text).unwrap_or_default();
        let of_key = |found: &Observed| key.iter().all(|(name, value)| found.fields.get(name) == Some(value));
        let all = answer.list("ResourceRecordSets").filter_map(|record| observed(zone, record));
        let objects = all.filter(of_key).collect();
        let next = || {
            let text = |name: &str| answer.text(name).unwrap_or_default();
            let next = text("NextRecordName");
            let wanted = key.get("name").and_then(Value::as_text);
            let on = wanted.is_none_or(|wanted| name::observed(next) == wanted);
            let token = || format!("{next} {} {}", text("NextRecordType"), text("NextRecordIdentifier"));
            on.then(|| token().trim_end().to_owned())
        };
        Page { objects, next: answer.bool("IsTruncated").filter(|more| *more).and_then(|_| next()) }
    }

    fn lists(&self, _: &InfraId, recorded: &BTreeSet<ObjectId>) -> Vec<Scope> {
        let zones: BTreeSet<&str> = recorded.iter().filter_map(|id| Some(id.as_str().split_once('/')?.0)).collect();
        zones.into_iter().map(|zone| Scope::Key(field("zone", zone))).collect()
    }

    fn made(&self, request: Shown<'_>, _: Shown<'_>) -> Fields {
        let zone = request.text("HostedZoneId").unwrap_or_default();
        let record = request.at("ChangeBatch").path(&["Changes", "ResourceRecordSet"]);
        let made = observed(zone, record).and_then(|made| made.fields.get("id").cloned());
        made.map(|id| field("id", id)).unwrap_or_default()
    }

    fn page_size(&self) -> Option<i64> {
        Some(PAGE)
    }

    fn per(&self) -> Option<&'static str> {
        Some("zone")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fields;

    fn read(scope: Scope) -> Read {
        Read { type_name: "aws_route53_record".parse().unwrap(), scope, page: None }
    }

    #[test]
    fn ids_say_which_record_it_is() {
        for id in ["Z1/*.example.com/A", "Z1/api.example.com/CNAME/blue/1", "Z1/0\\05725.2.0.192.in-addr.arpa/NS"] {
            let id = ObjectId::new(id).unwrap();
            assert_eq!(id_of(&key_of(&id).unwrap()).unwrap(), id.as_str());
        }
        assert!(key_of(&ObjectId::new("Z1/www").unwrap()).is_none());
    }

    #[test]
    fn a_zones_records_are_one_list_and_one_record_is_a_part_of_it() {
        let recorded = ["Z2/a/A", "Z1/b/A", "Z1/c/A"].map(|id| ObjectId::new(id).unwrap()).into();
        let lists = Records.lists(&"wix".parse().unwrap(), &recorded);
        assert_eq!(lists, [Scope::Key(field("zone", "Z1")), Scope::Key(field("zone", "Z2"))]);
        let answer: Value = serde_json::from_str(
            r#"{"ResourceRecordSets":[
                {"Name":"\\052.b.","Type":"TXT","TTL":5,"ResourceRecords":[{"Value":"\"x\" \"y\""}]},
                {"Name":"c.b.","Type":"A","AliasTarget":{"HostedZoneId":"Z9","DNSName":"lb.aws.","EvaluateTargetHealth":true}}
            ],"IsTruncated":true,"NextRecordName":"d.b.","NextRecordType":"A","NextRecordIdentifier":"blue"}"#,
        )
        .unwrap();
        let page = Records.page_of(&read(lists[0].clone()), Shown(Some(&answer)));
        assert_eq!(page.objects.len(), 2);
        assert_eq!(page.objects[0].fields["values"], Value::List(vec!["xy".into()]));
        assert_eq!(
            page.objects[1].fields["alias"].to_plain_text(),
            r#"{"evaluate_health":true,"name":"lb.aws","zone":"Z9"}"#
        );
        assert_eq!(page.next.as_deref(), Some("d.b. A blue"));
        assert_eq!(from_page("d.b. A blue").2.as_deref(), Some("blue"));

        let one = read(Scope::Id(ObjectId::new("Z1/*.b/TXT").unwrap()));
        let page = Records.page_of(&one, Shown(Some(&answer)));
        assert_eq!((page.objects.len(), page.next), (1, None));
        assert_eq!(
            Records.request(&one).unwrap().parameters.to_plain_text(),
            r#"{"HostedZoneId":"Z1","MaxItems":300,"StartRecordName":"*.b","StartRecordType":"TXT"}"#
        );
    }

    #[test]
    fn a_record_says_one_thing() {
        let with = |more: &[(&str, Value)]| {
            let mut all = fields([("zone", "Z1".into()), ("name", "a.b".into()), ("record_type", "A".into())]);
            all.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
            whole(Given(&all), None)
        };
        let one = || Value::List(vec!["192.0.2.1".into()]);
        assert!(with(&[]).unwrap_err().contains("`values`, or an `alias`"));
        assert!(with(&[("values", one()), ("weight", 1.into())]).unwrap_err().contains("go together"));
        let alias: Value = serde_json::from_str(r#"{"zone":"Z1","name":"c.b","evaluate_health":false}"#).unwrap();
        assert!(with(&[("values", one()), ("alias", alias.clone())]).unwrap_err().contains("not both"));
        assert_eq!(with(&[("values", one())]).unwrap()["ttl"], 300.into());
        assert!(with(&[("alias", alias.clone()), ("ttl", 5.into())]).unwrap_err().contains("leave `ttl` unset"));
        assert!(with(&[("alias", alias)]).unwrap()["ttl"].is_null());
    }
}
