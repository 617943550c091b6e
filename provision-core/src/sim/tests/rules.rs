//! What calls do.

use std::time::Duration;

use super::support::*;
use crate::call::{Answer, Effect, Readiness, Recovery, Refusal, Scope, Wait};
use crate::id::ObjectId;
use crate::sim::{Rate, SimCloud, SimConfig, Tamper};
use crate::value::{Fields, Value};

#[test]
fn ids_tell_their_type_and_are_told_from_texts_that_look_like_one() {
    let mut world = World::new();
    let group = world.create("aws_security_group", Fields::new());
    let digits = group.as_str().strip_prefix("security-group-").unwrap();
    assert_eq!(digits.len(), 17);
    assert!(digits.bytes().all(|b| b.is_ascii_hexdigit()));
    assert!(SimCloud::made_id(group.as_str()));
    assert!(!SimCloud::made_id("ami-0c55b159cbfafe1f0"), "an image of the real cloud");
    world.create("aws_instance", fields([("image", "ami-0c55b159cbfafe1f0")]));
    let ids: std::collections::BTreeSet<_> = (0..2000).map(|_| world.create("aws_vpc", Fields::new())).collect();
    assert_eq!(ids.len(), 2000);
}

#[test]
fn answers_and_fields_hold_the_outputs() {
    let mut world = World::new();
    let call = create(START, "aws_instance", fields([("name", "a"), ("zone", "z")])).computed(&[
        "id",
        "private_ip",
        "public_address",
        "arn",
        "zone",
    ]);
    let Answer::Done { id: Some(id), outputs, .. } = world.call(&call) else { panic!() };
    let text = |name: &str| outputs.get(name).and_then(Value::as_text).unwrap().to_owned();
    assert_eq!(text("id"), id.as_str());
    assert!(text("private_ip").starts_with("10."), "{}", text("private_ip"));
    assert!(text("public_address").parse::<std::net::Ipv4Addr>().is_ok());
    assert!(text("arn").starts_with("arn-"));
    assert_eq!(text("zone"), "z", "what the request determines is not made up");
    let seen = world.by_id("aws_instance", &id).unwrap();
    assert_eq!(seen.fields.get("id").and_then(Value::as_text), Some(id.as_str()));
    assert!(outputs.iter().all(|(name, value)| seen.fields.get(name) == Some(value)));
}

#[test]
fn a_token_gives_the_same_object_again_within_its_term() {
    let mut world = World::new();
    let token_of = |digit| Recovery::Token { token: token(digit), term_seconds: 60 };
    let call = |now, name| create(now, "aws_instance", fields([("name", name)])).recovery(token_of(1));
    let first = world.call(&call(START, "a").computed(&["private_ip"]));
    assert_eq!(world.call(&call(START, "a").computed(&["private_ip"])), first);
    assert_eq!(refusal(&world.call(&call(START, "b"))), Some(Refusal::TokenMismatch));
    assert_ne!(id_of(&world.call(&call(START, "b").recovery(token_of(2)))), id_of(&first));
    let mut other = target();
    other.region = "eu-2".to_owned();
    assert_ne!(id_of(&world.cloud.call(START, &other, &call(START, "a"))), id_of(&first), "tokens are a target's own");
    world.pass(60_000);
    assert_eq!(id_of(&world.call(&call(world.now, "a"))), id_of(&first));
    world.pass(1);
    assert_ne!(id_of(&world.call(&call(world.now, "a"))), id_of(&first), "past its term a token protects nothing");
}

#[test]
fn a_token_outlives_its_object() {
    let mut world = World::new();
    let recovery = Recovery::Token { token: token(1), term_seconds: 60 };
    let call = create(START, "aws_instance", Fields::new()).recovery(recovery);
    let id = world.made(&call);
    assert_eq!(refusal(&world.call(&remove(START, "aws_instance", &id))), None);
    assert_eq!(world.made(&call), id);
    assert_eq!(world.by_id("aws_instance", &id), None);
}

#[test]
fn a_name_is_taken_once_in_each_network_until_its_object_is_gone() {
    let config = SimConfig { latency_percent: 100, ..SimConfig::instant(7) };
    let mut world = World::with(config);
    let (one, two) = (world.create("aws_vpc", Fields::new()), world.create("aws_vpc", Fields::new()));
    let named = |now, vpc: &ObjectId, name: &str| {
        create(now, "aws_security_group", fields([("name", name), ("vpc", vpc.as_str())]))
            .recovery(Recovery::Name { name: name.to_owned() })
    };
    let web = world.made(&named(START, &one, "web"));
    assert_eq!(refusal(&world.call(&named(START, &one, "web"))), Some(Refusal::Exists));
    assert_eq!(refusal(&world.call(&named(START, &one, "db"))), None);
    assert_eq!(refusal(&world.call(&named(START, &two, "web"))), None);
    let gone = remove(START, "aws_security_group", &web).wait(Wait::Gone(60));
    assert_eq!(refusal(&world.call(&gone)), None);
    assert_eq!(refusal(&world.call(&named(START, &one, "web"))), Some(Refusal::Exists), "on its way out");
    world.pass(1500);
    assert_eq!(refusal(&world.call(&named(world.now, &one, "web"))), None);
}

#[test]
fn a_natural_key_is_taken_once() {
    let mut world = World::new();
    let vpc = world.create("aws_vpc", Fields::new());
    let subnet = |cidr: &str| {
        let key = fields([("vpc", vpc.as_str()), ("cidr", cidr)]);
        create(START, "aws_subnet", key.clone()).recovery(Recovery::NaturalKey { key })
    };
    let id = world.made(&subnet("10.0.0.0/24"));
    assert_eq!(refusal(&world.call(&subnet("10.0.0.0/24"))), Some(Refusal::Exists));
    assert_eq!(refusal(&world.call(&subnet("10.0.1.0/24"))), None);
    assert_eq!(refusal(&world.call(&remove(START, "aws_subnet", &id))), None);
    assert_eq!(refusal(&world.call(&subnet("10.0.0.0/24"))), None);
}

#[test]
fn a_tag_protects_from_nothing() {
    let mut world = World::new();
    let call = create(START, "aws_vpc", Fields::new()).marked(mark("main"));
    assert_ne!(world.made(&call), world.made(&call));
    assert_eq!(world.read("aws_vpc", Scope::Mark(mark("main"))).len(), 2);
}

#[test]
fn sets_are_idempotent_unset_by_null_and_need_their_object() {
    let mut world = World::new();
    let id = world.create("aws_vpc", fields([("cidr", "10.0.0.0/16"), ("note", "x")]));
    let mut change = fields([("dns", "on")]);
    change.insert("note".to_owned(), Value::Null);
    let call = set(START, "aws_vpc", &id, change).marked(mark("main"));
    for _ in 0..2 {
        assert_eq!(refusal(&world.call(&call)), None);
        let seen = world.by_id("aws_vpc", &id).unwrap();
        assert_eq!(seen.fields, fields([("cidr", "10.0.0.0/16"), ("dns", "on"), ("id", id.as_str())]));
        assert_eq!(seen.mark, Some(mark("main")));
    }
    let unmarked = set(START, "aws_vpc", &id, fields([("dns", "off")]));
    assert_eq!(refusal(&world.call(&unmarked)), None);
    assert_eq!(world.by_id("aws_vpc", &id).unwrap().mark, Some(mark("main")), "a set without a mark keeps it");
    assert_eq!(refusal(&world.call(&set(START, "aws_subnet", &id, Fields::new()))), Some(Refusal::NotFound));
    assert_eq!(refusal(&world.call(&remove(START, "aws_vpc", &id))), None);
    assert_eq!(refusal(&world.call(&call)), Some(Refusal::NotFound));
}

#[test]
fn references_hold_at_both_ends() {
    let mut world = World::new();
    let vpc = world.create("aws_vpc", Fields::new());
    let group = world.create("aws_security_group", fields([("vpc", vpc.as_str())]));
    let rule = Value::List(vec![Value::Map(fields([("from", group.as_str())]))]);
    let rules: Fields = [("rules".to_owned(), rule)].into();
    assert_eq!(refusal(&world.call(&set(START, "aws_security_group", &group, rules.clone()))), None);
    let other = world.create("aws_security_group", rules);
    let removal = remove(START, "aws_vpc", &vpc);
    assert_eq!(refusal(&world.call(&removal)), Some(Refusal::InUse));
    let group_removal = remove(START, "aws_security_group", &group);
    assert_eq!(refusal(&world.call(&group_removal)), Some(Refusal::InUse), "a reference deep inside counts");
    let no_rules: Fields = [("rules".to_owned(), Value::List(Vec::new()))].into();
    assert_eq!(refusal(&world.call(&set(START, "aws_security_group", &other, no_rules))), None);
    assert_eq!(refusal(&world.call(&group_removal)), None, "a reference to itself does not count");
    assert_eq!(refusal(&world.call(&removal)), None);
    assert_eq!(refusal(&world.call(&removal)), Some(Refusal::NotFound));
    let dangling = create(START, "aws_subnet", fields([("vpc", vpc.as_str())]));
    assert_eq!(refusal(&world.call(&dangling)), Some(Refusal::NotFound));
    let bent = set(START, "aws_security_group", &other, fields([("vpc", group.as_str())]));
    assert_eq!(refusal(&world.call(&bent)), Some(Refusal::NotFound));
}

#[test]
fn late_and_early_calls_are_refused_and_do_nothing() {
    let mut world = World::new();
    let call = create(START, "aws_vpc", Fields::new());
    world.now = at(3000);
    assert_eq!(refusal(&world.call(&call)), None, "the last instant itself is in time");
    world.now = at(3001);
    assert_eq!(refusal(&world.call(&call)), Some(Refusal::Expired));
    let mut lying = call.clone();
    lying.last_instant = at(60_000);
    assert_eq!(refusal(&world.call(&lying)), Some(Refusal::Expired), "the server believes stamps alone");
    let mut short = create(world.now, "aws_vpc", Fields::new());
    short.last_instant = START;
    assert_eq!(refusal(&world.call(&short)), Some(Refusal::Expired));
    assert_eq!(refusal(&world.call(&create(at(60_000), "aws_vpc", Fields::new()))), Some(Refusal::Expired));
    assert_eq!(world.cloud.objects(world.now).len(), 1);
}

#[test]
fn what_has_to_be_waited_for_takes_its_time() {
    let mut world = World::with(SimConfig { latency_percent: 100, ..SimConfig::instant(7) });
    let vpc = world.create("aws_vpc", Fields::new());
    let call = create(START, "aws_instance", fields([("vpc", vpc.as_str())])).wait(Wait::Ready(60));
    let id = world.made(&call);
    let readiness = |world: &World| world.by_id("aws_instance", &id).map(|seen| seen.readiness);
    world.pass(999);
    assert_eq!(readiness(&world), Some(Readiness::Pending));
    world.pass(1001);
    assert_eq!(readiness(&world), Some(Readiness::Ready));
    let end = world.now;
    let removal = remove(end, "aws_instance", &id).wait(Wait::Gone(60));
    assert_eq!(refusal(&world.call(&removal)), None);
    assert_eq!(refusal(&world.call(&removal)), None, "a removal of what is on its way out is done");
    world.pass(499);
    assert_eq!(readiness(&world), Some(Readiness::Going));
    assert_eq!(refusal(&world.call(&remove(end, "aws_vpc", &vpc))), Some(Refusal::InUse), "it still holds its network");
    let user = create(end, "aws_address", fields([("instance", id.as_str())]));
    assert_eq!(refusal(&world.call(&user)), Some(Refusal::NotFound), "nothing new may refer to it");
    assert_eq!(refusal(&world.call(&set(end, "aws_instance", &id, Fields::new()))), Some(Refusal::NotFound));
    world.pass(1001);
    assert_eq!(readiness(&world), None);
    assert_eq!(refusal(&world.call(&removal)), Some(Refusal::NotFound));
    assert_eq!(refusal(&world.call(&remove(end, "aws_vpc", &vpc))), None);
}

#[test]
fn calls_that_name_their_object_wrongly_are_invalid() {
    let mut world = World::new();
    let id = world.create("aws_vpc", Fields::new());
    let effects = [
        (Effect::Create { fields: Fields::new(), computed: Vec::new(), mark: None }, Some(&id)),
        (Effect::Set { fields: Fields::new(), mark: None }, None),
        (Effect::Set { fields: fields([("id", "other")]), mark: None }, Some(&id)),
        (Effect::Remove, None),
    ];
    for (effect, object) in effects {
        assert_eq!(refusal(&world.call(&sending(START, "aws_vpc", effect, object))), Some(Refusal::Invalid));
    }
}

#[test]
fn throttling_is_per_target_and_api_and_ends() {
    let rate = Rate { burst: 2, per_second: 10 };
    let mut world = World::with(SimConfig { throttle: Some(rate), ..SimConfig::instant(7) });
    let call = create(START, "aws_vpc", Fields::new());
    let refusals: Vec<_> = (0..3).map(|_| refusal(&world.call(&call))).collect();
    assert_eq!(refusals, [None, None, Some(Refusal::Throttled)]);
    assert_eq!(refusal(&world.call(&create(START, "aws_subnet", Fields::new()))), None, "another API");
    let mut other = target();
    other.account = "2".to_owned();
    assert_eq!(refusal(&world.cloud.call(START, &other, &call)), None, "another target");
    world.pass(99);
    assert_eq!(refusal(&world.call(&call)), Some(Refusal::Throttled));
    world.pass(1);
    assert_eq!(refusal(&world.call(&call)), None);
    assert_eq!(refusal(&world.call(&call)), Some(Refusal::Throttled));
    assert_eq!(world.cloud.objects(world.now).len(), 5);
}

#[test]
fn third_parties_obey_the_cloud_alone() {
    let mut world = World::new();
    let vpc = world.made(&create(START, "aws_vpc", fields([("cidr", "a")])).marked(mark("main")));
    let tamper = |world: &mut World, tamper: &Tamper| world.cloud.tamper(START, tamper);
    tamper(&mut world, &Tamper::Set { id: vpc.clone(), fields: fields([("cidr", "b")]) }).unwrap();
    tamper(&mut world, &Tamper::Mark { id: vpc.clone(), mark: None }).unwrap();
    tamper(&mut world, &Tamper::Fail { id: vpc.clone(), reason: "broken".to_owned() }).unwrap();
    let seen = world.by_id("aws_vpc", &vpc).unwrap();
    assert_eq!(seen.fields.get("cidr").and_then(Value::as_text), Some("b"));
    assert_eq!(seen.mark, None);
    assert_eq!(seen.readiness, Readiness::Failed("broken".to_owned()));
    let made = Tamper::Create {
        target: target(),
        type_name: "aws_subnet".parse().unwrap(),
        fields: fields([("vpc", vpc.as_str())]),
        mark: Some(mark("main")),
        name: None,
    };
    let subnet = tamper(&mut world, &made).unwrap().unwrap();
    let gone = Tamper::Remove { id: vpc };
    assert_eq!(tamper(&mut world, &gone).unwrap_err().refusal, Refusal::InUse);
    tamper(&mut world, &Tamper::Remove { id: subnet }).unwrap();
    tamper(&mut world, &gone).unwrap();
    assert_eq!(tamper(&mut world, &gone).unwrap_err().refusal, Refusal::NotFound);
}

#[test]
fn an_object_may_be_invisible_to_calls_too() {
    let lag = Duration::from_secs(1);
    let mut world = World::with(SimConfig { lag, lag_calls: true, ..SimConfig::instant(7) });
    let vpc = world.create("aws_vpc", Fields::new());
    let call = |now| create(now, "aws_subnet", fields([("vpc", vpc.as_str())]));
    assert_eq!(refusal(&world.call(&call(START))), Some(Refusal::NotFound));
    world.pass(1000);
    assert_eq!(refusal(&world.call(&call(world.now))), None);
}
