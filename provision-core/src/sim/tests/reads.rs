//! What reads show.

use std::time::Duration;

use super::support::*;
use crate::call::{Read, ReadAnswer, Refusal, Scope};
use crate::sim::{Rate, SimConfig};
use crate::value::{Fields, Value};

#[test]
fn each_scope_selects_what_it_says() {
    let mut world = World::new();
    let ours = world.made(&create(START, "aws_vpc", fields([("name", "a")])).marked(mark("main")));
    let theirs = world.create("aws_vpc", fields([("name", "b")]));
    let mut foreign_mark = mark("main");
    foreign_mark.infra = "other".parse().unwrap();
    let foreign = world.made(&create(START, "aws_vpc", fields([("name", "b")])).marked(foreign_mark));
    let value = Value::Map([("a".to_owned(), "1".into()), ("b".to_owned(), "2".into())].into());
    let tagged = world.create("aws_vpc", [("tags".to_owned(), value)].into());
    let ids = |scope| world.read("aws_vpc", scope).into_iter().map(|seen| seen.id).collect::<Vec<_>>();
    assert_eq!(ids(Scope::Marked("wix".parse().unwrap())), vec![ours.clone()]);
    assert_eq!(ids(Scope::Id(theirs.clone())), vec![theirs.clone()]);
    assert_eq!(ids(Scope::Mark(mark("main"))), vec![ours.clone()]);
    let mut another = mark("main");
    another.incarnation = token(9);
    assert!(ids(Scope::Mark(another)).is_empty(), "another incarnation");
    assert_eq!(ids(Scope::Key(fields([("name", "b")]))), [theirs.clone(), foreign.clone()]);
    let unset: Fields = [("zone".to_owned(), Value::Null), ("name".to_owned(), "a".into())].into();
    assert_eq!(ids(Scope::Key(unset)), vec![ours.clone()]);
    assert!(world.read("aws_subnet", Scope::Id(ours)).is_empty(), "another type");
    let tags = |pairs: &[(&str, &str)]| pairs.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
    assert_eq!(ids(Scope::Tagged(tags(&[("a", "1"), ("b", "2")]))), [tagged]);
    assert!(ids(Scope::Tagged(tags(&[("a", "1"), ("b", "3")]))).is_empty(), "all of them");
    let mut elsewhere = target();
    elsewhere.region = "eu-2".to_owned();
    let all = Read { type_name: "aws_vpc".parse().unwrap(), scope: Scope::Key(Fields::new()), page: None };
    let ReadAnswer::Page { objects, .. } = world.cloud.read(START, &elsewhere, &all) else { panic!() };
    assert!(objects.is_empty(), "another target");
}

#[test]
fn pages_hold_all_objects_once_while_others_come_and_go() {
    let mut world = World::with(SimConfig { page_size: 2, ..SimConfig::instant(7) });
    let ids: Vec<_> = (0..5).map(|_| world.create("aws_vpc", Fields::new())).collect();
    let mut read = Read { type_name: "aws_vpc".parse().unwrap(), scope: Scope::Key(Fields::new()), page: None };
    let mut seen = Vec::new();
    loop {
        let ReadAnswer::Page { objects, next, .. } = world.cloud.read(START, &target(), &read) else { panic!() };
        assert!(objects.len() <= 2);
        seen.extend(objects.into_iter().map(|object| object.id));
        if seen.len() == 2 {
            assert_eq!(refusal(&world.call(&remove(START, "aws_vpc", &ids[0]))), None);
        }
        let Some(next) = next else { break };
        read.page = Some(next);
    }
    assert_eq!(seen, ids);
    read.page = Some("page-x".to_owned());
    let answer = world.cloud.read(START, &target(), &read);
    assert!(matches!(answer, ReadAnswer::Failed { refusal: Some(Refusal::Invalid), .. }), "{answer:?}");
}

#[test]
fn new_objects_are_invisible_for_a_while_but_never_past_the_bound() {
    let config =
        SimConfig { lag: Duration::from_secs(9), visibility: Duration::from_millis(500), ..SimConfig::instant(7) };
    let mut world = World::with(config);
    for _ in 0..100 {
        world.create("aws_vpc", Fields::new());
    }
    let visible = |world: &World| world.read("aws_vpc", Scope::Key(Fields::new())).len();
    assert!(visible(&world) < 10);
    assert_eq!(world.cloud.objects(world.now).len(), 100);
    world.pass(250);
    assert!((20..80).contains(&visible(&world)), "{}", visible(&world));
    world.pass(250);
    assert_eq!(visible(&world), 100);
}

#[test]
fn reads_are_throttled_by_whoever_asks() {
    let rate = Rate { burst: 1, per_second: 1 };
    let mut world = World::with(SimConfig { throttle: Some(rate), ..SimConfig::instant(7) });
    let read = Read { type_name: "aws_vpc".parse().unwrap(), scope: Scope::Key(Fields::new()), page: None };
    assert!(world.cloud.admit_read(START, &target(), &read));
    assert!(!world.cloud.admit_read(START, &target(), &read));
    assert!(world.cloud.admit_read(at(1000), &target(), &read));
}

#[test]
fn what_reads_do_not_show_is_there_all_the_same() {
    let unread = [("aws_instance".parse().unwrap(), ["user_data".to_owned()].into())].into();
    let mut world = World::with(SimConfig { unread, ..SimConfig::instant(7) });
    let given = fields([("ami", "a"), ("user_data", "run")]);
    let instance = world.create("aws_instance", given.clone());
    let vpc = world.create("aws_vpc", given);
    assert!(!world.by_id("aws_instance", &instance).unwrap().fields.contains_key("user_data"));
    assert!(world.by_id("aws_vpc", &vpc).unwrap().fields.contains_key("user_data"), "that is another field");
    assert!(world.cloud.objects(START).iter().all(|held| held.fields.contains_key("user_data")));
}
