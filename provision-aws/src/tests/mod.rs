//! The pure half as a whole: what it compiles for each type, and what holds for all of them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use provision_core::call::{Call, Effect, Mark, Observed, Own, Readiness, Recovery};
use provision_core::id::{ObjectId, Token, TypeName};
use provision_core::prelude::*;
use provision_core::provider::{Change, Provider as _};
use provision_core::schema::{Role, Schema};
use provision_core::value::{Fields, Tree, Value};
use serde::Deserialize;

use crate::provider::{self, Aws, apis, uses};
use crate::table::{Api, Class, Row};
use crate::{Instance, SecurityGroup, Subnet, UsEast1, Vpc};

mod compute;
mod definitions;
mod network;
mod table;
mod wan;

#[environment("prod")]
pub(crate) struct Prod;

/// Where tests define what they define.
#[data_centre(name = "us-east", env = Prod, channel = Stable, on(Aws, account = "123456789012", region = UsEast1))]
pub(crate) struct UsEast;

/// What is found in a block, a line each, sorted.
pub(crate) fn findings<D: DataCentre>(dc: D, block: &str, define: impl FnOnce(&Block<D>, ())) -> String {
    let infra = Infrastructure::new("example");
    infra.dc(dc).block(block, define, ());
    let found = infra.finish().unwrap_err();
    let mut texts: Vec<_> = found.iter().map(|f| format!("{}: {}", f.subject, f.problem)).collect();
    texts.sort();
    texts.join("\n")
}

pub(crate) const VPC: &Schema = Vpc::SCHEMA;
pub(crate) const SUBNET: &Schema = Subnet::SCHEMA;
pub(crate) const SECURITY_GROUP: &Schema = SecurityGroup::SCHEMA;
pub(crate) const INSTANCE: &Schema = Instance::SCHEMA;

pub(crate) fn mark() -> Mark {
    Mark {
        infra: "wix".parse().unwrap(),
        address: "us-east.network.main".parse().unwrap(),
        incarnation: Token::new("0123456789abcdef").unwrap(),
    }
}

pub(crate) fn fields<const N: usize>(entries: [(&str, Value); N]) -> Fields {
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn json(text: &str) -> Fields {
    serde_json::from_str(text).unwrap()
}

fn type_of(schema: &Schema) -> TypeName {
    schema.type_name.parse().unwrap()
}

fn create(schema: &Schema, desired: &Fields) -> Vec<Call> {
    Aws.compile(&type_of(schema), &Change::Create { desired, mark: &mark() }).unwrap()
}

fn refusal(schema: &Schema, desired: &str) -> String {
    let desired = json(desired);
    Aws.compile(&type_of(schema), &Change::Create { desired: &desired, mark: &mark() }).unwrap_err().to_string()
}

fn update(schema: &Schema, observed: &Fields, desired: &Fields, mark: Option<&Mark>) -> Vec<Call> {
    let id = ObjectId::new("x-1").unwrap();
    let changed: Vec<&'static str> = schema
        .fields
        .iter()
        .filter(|field| field.role != Role::Computed)
        .map(|field| field.name)
        .filter(|name| desired.contains_key(*name) && desired.get(*name) != observed.get(*name))
        .collect();
    let observed = Observed { id: id.clone(), mark: None, fields: observed.clone(), readiness: Readiness::Ready };
    let change = Change::Update { id: &id, observed: &observed, desired, changed: &changed, mark };
    Aws.compile(&type_of(schema), &change).unwrap()
}

fn delete(schema: &Schema) -> Vec<Call> {
    let id = ObjectId::new("x-1").unwrap();
    let row = provider::row(&type_of(schema)).unwrap();
    Aws.compile(&type_of(schema), &Change::Delete { id: &id, recorded: &whole(row), observed: None }).unwrap()
}

/// The fields of an object after the calls, by their effects.
fn after(mut fields: Fields, calls: &[Call]) -> Fields {
    for call in calls {
        match &call.effect {
            Effect::Create { fields: new, .. } => fields = new.clone(),
            Effect::Set { fields: set, .. } => fields.extend(set.clone()),
            Effect::Remove => fields.clear(),
        }
    }
    fields
}

/// One line for each call: what is sent, and what it does.
fn shown(calls: &[Call]) -> String {
    let mut text = String::new();
    for call in calls {
        let request = serde_json::to_string(&call.request).unwrap();
        let recovery = serde_json::to_string(&call.recovery).unwrap();
        let effect = serde_json::to_string(&call.effect).unwrap();
        text.push_str(&format!("{} {request}\n  {recovery} {:?}\n  {effect}\n", call.api, call.wait));
    }
    text
}

/// Without what only the server says.
fn ours(schema: &Schema, mut fields: Fields) -> Fields {
    fields.retain(|name, _| schema.field(name).is_none_or(|field| field.role != Role::Computed));
    fields
}

fn whole(row: &Row) -> Fields {
    row.schema.normal_form(json(row.examples.whole))
}

fn rows() -> Vec<&'static Row> {
    provider::rows().collect()
}

const A_VPC: &str = r#"{"cidr":"10.1.0.0/16","dns_support":true,"dns_hostnames":true,"tags":{"team":"infra"}}"#;
const A_SUBNET: &str = r#"{"vpc":"vpc-1","zone":"us-east-1a","cidr":"10.1.1.0/24","public_ip":true,"tags":{}}"#;
const A_GROUP: &str = r#"{"vpc":"vpc-1","name":"zk","description":"ZooKeeper","tags":{},
    "ingress":[{"protocol":"tcp","from_port":2181,"to_port":2181,"cidr":"10.0.0.0/8"},
               {"protocol":"tcp","from_port":2888,"to_port":3888,"group":"self"}],
    "egress":[{"protocol":"tcp","from_port":443,"to_port":443,"cidr":"0.0.0.0/0"}]}"#;
const AN_INSTANCE: &str = r#"{"subnet":"subnet-1","ami":"ami-1","instance_type":"t3.micro","tags":{},
    "security_groups":["sg-2","sg-1"],"user_data":"a script","key_name":"ops"}"#;

fn examples() -> Vec<(&'static Schema, Fields)> {
    rows().into_iter().map(|row| (row.schema, whole(row))).collect()
}

/// Calls that change something.
fn mutating() -> Vec<&'static Api> {
    uses().filter(|api| api.class != Class::Read).collect()
}

#[test]
fn a_vpc_is_three_calls_of_which_the_first_carries_the_mark() {
    insta::assert_snapshot!(shown(&create(VPC, &json(A_VPC))));
}

#[test]
fn a_subnet_has_its_range_as_key() {
    insta::assert_snapshot!(shown(&create(SUBNET, &json(A_SUBNET))));
}

#[test]
fn a_group_loses_the_outbound_rule_that_aws_gives_it_unless_it_is_wanted() {
    insta::assert_snapshot!(shown(&create(SECURITY_GROUP, &json(A_GROUP))));
    let open = json(r#"{"vpc":"vpc-1","name":"a","description":"b","egress":[{"protocol":"all","cidr":"0.0.0.0/0"}]}"#);
    assert_eq!(create(SECURITY_GROUP, &open).len(), 1, "nothing to revoke, nothing to authorize");
}

#[test]
fn an_instance_has_a_token() {
    insta::assert_snapshot!(shown(&create(INSTANCE, &json(AN_INSTANCE))));
}

#[test]
fn updates_authorize_before_they_revoke_and_tag_before_they_untag() {
    let observed = SECURITY_GROUP.normal_form(json(A_GROUP));
    let mut desired = observed.clone();
    let rules = r#"{"ingress":[{"protocol":"tcp","from_port":2181,"to_port":2181,"cidr":"10.2.0.0/16"}],
        "tags":{"team":"infra"}}"#;
    desired.extend(json(rules));
    let mut calls = update(SECURITY_GROUP, &observed, &desired, None);
    let mut untagged = desired.clone();
    untagged.extend(json(r#"{"tags":{"tier":"1"}}"#));
    calls.extend(update(SECURITY_GROUP, &desired, &untagged, Some(&mark())));
    insta::assert_snapshot!(shown(&calls));
}

#[test]
fn other_updates_and_deletes() {
    let mut calls = Vec::new();
    let vpc = json(A_VPC);
    let mut off = vpc.clone();
    off.extend(json(r#"{"dns_support":false,"dns_hostnames":false}"#));
    calls.extend(update(VPC, &vpc, &off, None));
    let subnet = json(A_SUBNET);
    let mut private = subnet.clone();
    private.extend(json(r#"{"public_ip":false}"#));
    calls.extend(update(SUBNET, &subnet, &private, None));
    let instance = json(AN_INSTANCE);
    let mut regrouped = instance.clone();
    regrouped.extend(json(r#"{"security_groups":["sg-3"]}"#));
    calls.extend(update(INSTANCE, &instance, &regrouped, None));
    for schema in [VPC, SUBNET, SECURITY_GROUP, INSTANCE] {
        calls.extend(delete(schema));
    }
    insta::assert_snapshot!(shown(&calls));
}

#[test]
fn what_aws_would_refuse_or_change_on_its_own_is_refused_with_what_would_be_right() {
    assert!(refusal(VPC, r#"{"cidr":"10.1.2.0/16"}"#).contains("write `10.1.0.0/16`"));
    assert!(refusal(VPC, r#"{"cidr":"10.0.0.0/8"}"#).contains("from /16 to /28"));
    assert!(refusal(VPC, r#"{}"#).contains("`cidr` is not set"));
    let hostnames = r#"{"cidr":"10.1.0.0/16","dns_support":false,"dns_hostnames":true}"#;
    assert!(refusal(VPC, hostnames).contains("needs `dns_support`"));
    assert!(refusal(SECURITY_GROUP, r#"{"vpc":"v","name":"sg-a","description":"d"}"#).contains("for itself"));
    assert!(refusal(SECURITY_GROUP, r#"{"vpc":"v","name":"ä","description":"d"}"#).contains("1 to 255"));
    let groupless = r#"{"subnet":"s","ami":"a","instance_type":"t","security_groups":[]}"#;
    assert!(refusal(INSTANCE, groupless).contains("a security group at least"));
    let long = format!(
        r#"{{"subnet":"s","ami":"a","instance_type":"t","security_groups":["sg"],"user_data":"{}"}}"#,
        "x".repeat(17_000)
    );
    assert!(refusal(INSTANCE, &long).contains("16384 at most"));
}

#[test]
fn fields_that_force_a_replacement_are_not_updated() {
    let (observed, mut desired) = (json(A_VPC), json(A_VPC));
    desired.insert("cidr".to_owned(), "10.2.0.0/16".into());
    let id = ObjectId::new("vpc-1").unwrap();
    let observed = Observed { id: id.clone(), mark: None, fields: observed, readiness: Readiness::Ready };
    let change = Change::Update { id: &id, observed: &observed, desired: &desired, changed: &["cidr"], mark: None };
    assert!(Aws.compile(&type_of(VPC), &change).unwrap_err().to_string().contains("has to be replaced"));
}

#[test]
fn every_type_has_its_row_and_every_schema_its_type() {
    for schema in Aws.schemas() {
        let calls = delete(schema);
        let (last, before) = calls.split_last().unwrap();
        assert_eq!(last.effect, Effect::Remove, "{}", schema.type_name);
        assert!(before.iter().all(|call| matches!(call.effect, Effect::Set { .. })), "{}", schema.type_name);
    }
    let unknown: TypeName = "aws_nothing".parse().unwrap();
    let id = ObjectId::new("x").unwrap();
    assert!(Aws.compile(&unknown, &Change::Delete { id: &id, recorded: &Fields::new(), observed: None }).is_err());
}

#[test]
fn what_the_planner_takes_for_unique_is_what_recovery_looks_for() {
    for (schema, desired) in examples() {
        let key: BTreeSet<&str> = Aws.identity_key(&type_of(schema)).iter().copied().collect();
        match &create(schema, &desired)[0].recovery {
            Recovery::NaturalKey { key: looked } => assert_eq!(key, looked.keys().map(String::as_str).collect()),
            Recovery::Name { name } => {
                assert!(key.iter().any(|field| desired[*field].as_text() == Some(name.as_str())));
            }
            // What AWS gives to one object, and does not look for.
            Recovery::Tag => assert!(key.iter().all(|field| desired.contains_key(*field)), "{}", schema.type_name),
            _ => assert!(key.is_empty(), "{}", schema.type_name),
        }
    }
}

#[test]
fn computed_fields_are_those_of_the_schema() {
    for (schema, desired) in examples() {
        let calls = create(schema, &desired);
        let Effect::Create { computed, mark: set, .. } = &calls[0].effect else { panic!("{:?}", calls[0]) };
        let named: BTreeSet<&str> = computed.iter().map(String::as_str).collect();
        let role = |field: &&provision_core::schema::Field| field.role == provision_core::schema::Role::Computed;
        assert_eq!(named, schema.fields.iter().filter(role).map(|field| field.name).collect(), "{}", schema.type_name);
        // What can carry no mark is found by what no two objects can share.
        let by_key = matches!(calls[0].recovery, Recovery::NaturalKey { .. });
        assert!(set.as_ref() == Some(&mark()) || (set.is_none() && by_key), "{}", schema.type_name);
        assert!(calls[1..].iter().all(|call| matches!(call.effect, Effect::Set { .. })));
    }
}

#[derive(Deserialize)]
struct Operation {
    takes_token: bool,
    takes_tags: bool,
    parameters: BTreeSet<String>,
}

/// What the models of AWS' services say of each operation.
fn facts() -> BTreeMap<String, Operation> {
    serde_json::from_str(include_str!("../../tools/aws-facts.json")).unwrap()
}

#[test]
fn the_recovery_classes_agree_with_the_models() {
    let facts = facts();
    let ours: BTreeSet<&str> = apis().map(|api| api.name).collect();
    assert_eq!(ours, facts.keys().map(String::as_str).collect(), "run provision-aws/tools/aws_facts.py");
    for api in uses() {
        let operation = &facts[api.name];
        let token = operation.takes_token;
        assert!(api.class != Class::Token || token, "{}: there is no token", api.name);
        assert!(!token || api.parameters.contains(&"ClientToken"), "{}: a token is used where there is one", api.name);
        let creates = matches!(api.class, Class::Token | Class::Name | Class::Tag);
        assert!(!creates || operation.takes_tags, "{}: a create carries the mark", api.name);
        assert!(!api.reason.is_empty() || api.class == Class::Read, "{}: why?", api.name);
        let unknown: Vec<_> = api.parameters.iter().filter(|name| !operation.parameters.contains(**name)).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", api.name);
    }
}

/// [`provider::api`] finds one of them: it has to do for all.
#[test]
fn uses_of_one_operation_are_sent_alike() {
    let of = |api: &Api| (api.service, api.parameters, api.errors);
    for api in uses() {
        for other in uses().filter(|other| other.name == api.name) {
            assert_eq!(of(api), of(other), "{}", api.name);
        }
    }
}

/// The names of a request, as `TagSpecifications.Tags.Key`.
fn names(tree: &Tree<Own>, prefix: &str, out: &mut BTreeSet<String>) {
    match tree {
        Tree::List(list) => list.iter().for_each(|item| names(item, prefix, out)),
        Tree::Map(map) => {
            for (name, part) in map {
                let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                names(part, &path, out);
                out.insert(path);
            }
        }
        _ => {}
    }
}

#[test]
fn every_call_is_named_as_in_the_model_and_recovered_as_in_the_table() {
    let facts = facts();
    let mut seen = BTreeSet::new();
    let mut calls = Vec::new();
    for row in rows() {
        let desired = whole(row);
        calls.extend(create(row.schema, &desired));
        for change in row.examples.changes {
            let mut other = desired.clone();
            other.extend(json(change));
            let other = row.schema.normal_form(other);
            calls.extend(update(row.schema, &desired, &other, None));
            calls.extend(update(row.schema, &other, &desired, None));
        }
        calls.extend(delete(row.schema));
    }
    for call in &calls {
        let class = match call.recovery {
            Recovery::Token { .. } => Class::Token,
            Recovery::Name { .. } => Class::Name,
            Recovery::Tag => Class::Tag,
            Recovery::NaturalKey { .. } => Class::NaturalKey,
            Recovery::Set => Class::Set,
            Recovery::Remove => Class::Remove,
        };
        let row = provider::row(&call.type_name).unwrap();
        let mut known = row.apis.iter().chain(provider::shared_apis()).filter(|api| api.name == call.api);
        assert!(known.any(|api| api.class == class), "{} of {} is no {class:?}", call.api, call.type_name);
        let mut named = BTreeSet::new();
        names(&call.request, "", &mut named);
        let unknown: Vec<_> = named.difference(&facts[&call.api].parameters).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", call.api);
        seen.insert((call.api.clone(), format!("{class:?}")));
    }
    let of = |api: &Api| (api.name.to_owned(), format!("{:?}", api.class));
    let table: BTreeSet<(String, String)> = mutating().into_iter().map(of).collect();
    assert_eq!(seen, table, "every call of the table is compiled by something");
}

prop_compose! {
    fn some_tags()(keys in prop::collection::btree_map("[a-c]", "[x-z]", 0..4)) -> Value {
        Value::Map(keys.into_iter().map(|(key, value)| (key, value.into())).collect())
    }
}

prop_compose! {
    fn some_rules()(rules in prop::collection::vec((0..3_i64, 0..4_usize), 0..5)) -> Value {
        let peers = [("cidr", "10.0.0.0/8"), ("cidr", "0.0.0.0/0"), ("group", "sg-1"), ("group", "self")];
        Value::List(rules.into_iter().map(|(port, peer)| {
            let peer = peers[peer];
            let mut rule = fields([(peer.0, peer.1.into())]);
            if port == 0 {
                rule.insert("protocol".to_owned(), "all".into());
            } else {
                rule.extend(fields([("protocol", "tcp".into()), ("from_port", port.into()), ("to_port", port.into())]));
            }
            Value::Map(rule)
        }).collect())
    }
}

/// A resource and another definition of it that differs in what can change in place.
fn some_change() -> impl Strategy<Value = (&'static Schema, Fields, Fields)> {
    let rows = rows();
    let parts = (some_tags(), some_rules(), some_rules(), prop::collection::vec("sg-[1-3]", 1..4));
    let drawn = parts.prop_map(|(tags, ingress, egress, groups)| {
        fields([("tags", tags), ("ingress", ingress), ("egress", egress), ("security_groups", groups.into())])
    });
    let side = (prop::collection::vec(any::<bool>(), 16), drawn).boxed();
    (0..rows.len(), side.clone(), side).prop_map(move |(row, from, to)| {
        let row = rows[row];
        let with = |(chosen, drawn): (Vec<bool>, Fields)| {
            let mut all = whole(row);
            let mut chosen = chosen.into_iter();
            let of = |name: &str| match name {
                "ingress" | "egress" => row.schema == SECURITY_GROUP,
                "security_groups" => row.schema == INSTANCE,
                _ => row.schema.field(name).is_some(),
            };
            all.extend(drawn.into_iter().filter(|(name, _)| of(name)));
            for change in row.examples.changes.iter().filter(|_| chosen.next() == Some(true)) {
                all.extend(json(change));
            }
            row.schema.normal_form(all)
        };
        (row.schema, with(from), with(to))
    })
}

proptest! {
    /// What the executor relies on: a run may end after any call, and the next plan gets the object to its goal.
    #[test]
    fn every_prefix_of_the_calls_leaves_an_object_that_an_update_brings_to_its_goal((schema, from, to) in some_change()) {
        for (before, calls) in [(Fields::new(), create(schema, &to)), (from.clone(), update(schema, &from, &to, None))] {
            let least = usize::from(before.is_empty());
            for end in least..=calls.len() {
                let half_way = schema.normal_form(after(before.clone(), &calls[..end]));
                let rest = update(schema, &half_way, &to, None);
                prop_assert_eq!(ours(schema, schema.normal_form(after(half_way, &rest))), ours(schema, to.clone()));
                prop_assert!(end < calls.len() || rest.is_empty(), "{:?}", rest);
            }
        }
    }

    /// Nothing that is wanted before and after is missing in between.
    #[test]
    fn no_rule_that_stays_is_revoked_on_the_way((schema, from, to) in some_change()) {
        let rules = |fields: &Fields| -> BTreeSet<Value> {
            fields.get("ingress").and_then(Value::as_list).unwrap_or_default().iter().cloned().collect()
        };
        if schema == SECURITY_GROUP {
            let calls = update(SECURITY_GROUP, &from, &to, None);
            let stays: BTreeSet<Value> = rules(&from).intersection(&rules(&to)).cloned().collect();
            for end in 0..=calls.len() {
                prop_assert!(stays.is_subset(&rules(&after(from.clone(), &calls[..end]))));
            }
        }
    }
}

#[test]
fn a_mark_is_set_again_when_asked_for_and_nothing_else() {
    for (schema, fields) in examples() {
        assert!(update(schema, &fields, &fields, None).is_empty());
        if matches!(create(schema, &fields)[0].effect, Effect::Create { mark: None, .. }) {
            continue;
        }
        let calls = update(schema, &fields, &fields, Some(&mark()));
        assert_eq!(calls.len(), 1, "{}", schema.type_name);
        assert_eq!(calls[0].effect, Effect::Set { fields: Fields::new(), mark: Some(mark()) });
    }
}
