//! The fold of a block, case by case.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{author_of, holder, run_id};
use crate::call::{Call, Effect, Recovery, ServerTime, Wait};
use crate::desired::{Channel, DesiredBlock};
use crate::id::{Digest, Epoch, IntentNo, ObjectId, ResourceName, TypedId};
use crate::stream::envelope::{ClaimRef, Entry};
use crate::stream::event::{BlockEvent, Intent, Landed, ObjectRecord, TakeOver};
use crate::stream::{BlockState, Illegal};
use crate::target::TargetId;
use crate::value::{Fields, Tree, Value};

pub(super) fn claim(run: u8, epoch: u64) -> ClaimRef {
    ClaimRef { run: run_id(run), epoch: Epoch(epoch) }
}

pub(super) fn claimed(run: u8, epoch: u64, took_over: Option<TakeOver>) -> BlockEvent {
    BlockEvent::Claimed { run: run_id(run), epoch: Epoch(epoch), holder: holder(run), took_over }
}

pub(super) fn name(text: &str) -> ResourceName {
    ResourceName::new(text).unwrap()
}

pub(super) fn id(text: &str) -> ObjectId {
    ObjectId::new(text).unwrap()
}

pub(super) fn vpc(text: &str) -> TypedId {
    TypedId { type_name: "aws_vpc".parse().unwrap(), id: id(text) }
}

fn fields(pairs: &[(&str, Value)]) -> Fields {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn target() -> TargetId {
    TargetId { provider: "aws".parse().unwrap(), account: "1".to_owned(), region: "us-east-1".to_owned() }
}

pub(super) fn intent(number: u64, resource: &str, object: Option<&str>, effect: Effect) -> BlockEvent {
    BlockEvent::Intent(Box::new(Intent {
        number: IntentNo(number),
        resource: name(resource),
        version: 1,
        target: target(),
        object: object.map(id),
        mark: None,
        call: Call {
            api: "Do".to_owned(),
            type_name: "aws_vpc".parse().unwrap(),
            request: Value::Null,
            recovery: Recovery::Tag,
            effect,
            wait: Wait::No,
        },
        depends_on: BTreeSet::new(),
        stamp: ServerTime(10),
        last_instant: ServerTime(20),
    }))
}

pub(super) fn create() -> Effect {
    Effect::Create { fields: fields(&[("cidr", "10.0.0.0/16".into())]), computed: vec![], mark: None }
}

pub(super) fn set() -> Effect {
    Effect::Set { fields: fields(&[("dns", true.into()), ("cidr", Value::Null)]), mark: None }
}

pub(super) fn done(number: u64, object: Option<&str>) -> BlockEvent {
    let outputs = fields(&[("arn", "arn:x".into())]);
    BlockEvent::Done { intent: IntentNo(number), id: object.map(id), outputs, how: Landed::Answered }
}

pub(super) fn applied(resource: &str) -> BlockEvent {
    BlockEvent::Applied {
        resource: name(resource),
        inputs: fields(&[("cidr", "10.0.0.0/16".into())]),
        outputs: fields(&[("owner", "1".into())]),
        depends_on: BTreeSet::from(["us-east.network.other".parse().unwrap()]),
    }
}

pub(super) fn folded(events: &[BlockEvent]) -> Result<BlockState, Illegal> {
    let mut state = BlockState::default();
    state.apply_event(Some(&claim(1, 1)), &claimed(1, 1, None))?;
    events.iter().try_for_each(|event| state.apply_event(Some(&claim(1, 1)), event))?;
    Ok(state)
}

pub(super) fn failed(events: &[BlockEvent]) -> Illegal {
    let (last, before) = events.split_last().unwrap();
    folded(before).unwrap_or_else(|illegal| panic!("refused too early: {illegal}"));
    folded(&[before, std::slice::from_ref(last)].concat()).unwrap_err()
}

#[test]
fn a_resource_lives_and_goes() {
    let life = [
        intent(1, "main", None, create()),
        done(1, Some("vpc-1")),
        intent(2, "main", Some("vpc-1"), set()),
        done(2, None),
        applied("main"),
    ];
    let state = folded(&life).unwrap();
    let main = &state.resources[&name("main")];
    let expected = fields(&[("arn", "arn:x".into()), ("dns", true.into()), ("owner", "1".into())]);
    assert_eq!(main.object.fields, expected, "set merges, null unsets");
    assert_eq!(main.applied, Some(fields(&[("cidr", "10.0.0.0/16".into())])));
    assert_eq!(main.object.depends_on.len(), 1);
    assert_eq!(state.next_intent, IntentNo(3));
    assert!(state.open.is_empty());

    let end = [intent(3, "main", Some("vpc-1"), Effect::Remove), done(3, None)];
    assert!(folded(&[life.as_slice(), &end].concat()).unwrap().resources.is_empty());
}

#[test]
fn a_deposed_object_waits_beside_its_successor() {
    let mut events = vec![
        intent(1, "main", None, create()),
        done(1, Some("vpc-1")),
        BlockEvent::Deposed { resource: name("main"), id: id("vpc-1") },
        intent(2, "main", None, create()),
        done(2, Some("vpc-2")),
        intent(3, "main", Some("vpc-1"), Effect::Remove),
        applied("main"),
    ];
    let state = folded(&events).unwrap();
    assert_eq!(state.resources[&name("main")].object.id, id("vpc-2"));
    assert_eq!(state.deposed.keys().collect::<Vec<_>>(), [&vpc("vpc-1")]);
    events.push(done(3, None));
    let state = folded(&events).unwrap();
    assert_eq!(state.resources[&name("main")].object.id, id("vpc-2"), "the delete was of the other one");
    assert!(state.deposed.is_empty());
}

/// What makes the object of a resource of a type, under an id that it has of itself.
fn made(number: u64, resource: &str, type_name: &str, object: &str) -> [BlockEvent; 2] {
    let mut event = intent(number, resource, None, create());
    if let BlockEvent::Intent(intent) = &mut event {
        intent.call.type_name = type_name.parse().unwrap();
    }
    [event, done(number, Some(object))]
}

#[test]
fn ids_are_unique_within_their_type_alone() {
    let both = [made(1, "role", "aws_iam_role", "web"), made(2, "profile", "aws_instance_profile", "web")].concat();
    let each = |event: fn(&str) -> BlockEvent| [event("role"), event("profile")];
    let types = |all: Vec<&TypedId>| all.iter().map(|object| object.to_string()).collect::<Vec<_>>();
    let expected = ["aws_iam_role web", "aws_instance_profile web"];

    let deposed = each(|resource| BlockEvent::Deposed { resource: name(resource), id: id("web") });
    let state = folded(&[&both[..], &deposed].concat()).unwrap();
    assert_eq!(types(state.deposed.keys().collect()), expected);
    let gone = BlockEvent::Gone { resource: name("role"), id: id("web") };
    let state = folded(&[&both[..], &deposed, &[gone]].concat()).unwrap();
    assert_eq!(types(state.deposed.keys().collect()), expected[1..]);

    let moved = each(|resource| BlockEvent::MovedOut {
        resource: name(resource),
        to: format!("us-east.other.{resource}").parse().unwrap(),
    });
    let state = folded(&[&both[..], &moved].concat()).unwrap();
    assert_eq!(types(state.moved.keys().collect()), expected);

    let adopting = each(|resource| BlockEvent::Adopting { resource: name(resource), id: id("web") });
    assert_eq!(folded(&adopting).unwrap().adopting.len(), 2);
}

#[test]
fn what_cannot_follow_is_refused() {
    let made = [intent(1, "main", None, create()), done(1, Some("vpc-1"))];
    let after = |events: &[BlockEvent]| failed(&[made.as_slice(), events].concat());
    assert_eq!(after(&[done(1, Some("vpc-2"))]), Illegal::NotOpen(IntentNo(1)));
    assert_eq!(after(&[BlockEvent::Abandoned { intent: IntentNo(9) }]), Illegal::NotOpen(IntentNo(9)));
    let second = [intent(2, "main", None, create()), done(2, Some("vpc-2"))];
    assert_eq!(after(&second), Illegal::HasObject(name("main")));
    assert!(matches!(after(&[intent(1, "b", None, create())]), Illegal::IntentNumber { .. }));
    assert!(matches!(after(&[intent(2, "main", Some("vpc-9"), set())]), Illegal::NoObject { .. }));
    assert!(matches!(after(&[intent(2, "b", Some("vpc-1"), Effect::Remove)]), Illegal::NoObject { .. }));
    assert!(matches!(after(&[intent(2, "main", None, set())]), Illegal::Mismatch { .. }));
    assert!(matches!(after(&[intent(2, "b", Some("vpc-1"), create())]), Illegal::Mismatch { .. }));
    let open = intent(2, "main", Some("vpc-1"), set());
    for next in [
        applied("main"),
        intent(3, "main", Some("vpc-1"), Effect::Remove),
        BlockEvent::Deposed { resource: name("main"), id: id("vpc-1") },
        BlockEvent::Gone { resource: name("main"), id: id("vpc-1") },
        BlockEvent::MovedOut { resource: name("main"), to: "us-east.b.main".parse().unwrap() },
    ] {
        assert!(matches!(after(&[open.clone(), next]), Illegal::StillOpen { .. }));
    }
    assert!(matches!(after(&[applied("b")]), Illegal::NoObject { .. }));
    assert!(matches!(failed(&[intent(1, "main", None, create()), done(1, None)]), Illegal::Mismatch { .. }));
    let twice = failed(&[intent(1, "main", None, create()), intent(2, "main", None, create())]);
    assert!(matches!(twice, Illegal::StillOpen { .. }));
}

#[test]
fn an_open_intent_can_be_sent_again_with_a_later_stamp_alone() {
    let again = |change: fn(&mut Intent)| {
        let BlockEvent::Intent(mut intent) = intent(1, "main", None, create()) else { unreachable!() };
        change(&mut intent);
        BlockEvent::Intent(intent)
    };
    let first = again(|_| {});
    let later = folded(&[first.clone(), again(|intent| intent.last_instant = ServerTime(30))]).unwrap();
    assert_eq!(later.open[&IntentNo(1)].last_instant, ServerTime(30));
    let earlier = failed(&[first.clone(), again(|intent| intent.last_instant = ServerTime(19))]);
    assert!(matches!(earlier, Illegal::Mismatch { .. }));
    let other = failed(&[first, again(|intent| intent.call.api = "Other".to_owned())]);
    assert!(matches!(other, Illegal::Mismatch { .. }));
}

#[test]
fn claims_follow_each_other() {
    let mut state = folded(&[]).unwrap();
    let refused = |state: &BlockState, claim: ClaimRef, event: BlockEvent| {
        state.clone().apply_event(Some(&claim), &event).unwrap_err()
    };
    assert!(matches!(refused(&state, claim(2, 2), claimed(2, 2, None)), Illegal::Held(_)));
    let skipped = refused(&state, claim(2, 3), claimed(2, 3, Some(TakeOver::RunEnded)));
    assert!(matches!(skipped, Illegal::Epoch { .. }));
    let mixed = refused(&state, claim(1, 1), claimed(2, 2, Some(TakeOver::RunEnded)));
    assert!(matches!(mixed, Illegal::NotTheClaim { .. }));
    state.apply_event(Some(&claim(2, 2)), &claimed(2, 2, Some(TakeOver::HolderDead))).unwrap();
    assert!(matches!(refused(&state, claim(1, 1), applied("main")), Illegal::NotTheClaim { .. }));
    assert!(state.clone().apply_event(None, &applied("main")).is_err());
    state.apply_event(Some(&claim(2, 2)), &BlockEvent::Released {}).unwrap();
    assert!(matches!(refused(&state, claim(2, 2), BlockEvent::Released {}), Illegal::NotTheClaim { .. }));
    let from_nobody = refused(&state, claim(3, 3), claimed(3, 3, Some(TakeOver::RunEnded)));
    assert_eq!(from_nobody, Illegal::NothingToTakeOver);
}

#[test]
fn the_generation_never_falls() {
    let mut state = BlockState::default();
    let addr = "us-east.network".parse().unwrap();
    let entry = |generation, head: Option<&_>, event: BlockEvent| {
        let (body, bytes) = author_of(1, generation).compose(&addr, head, Some(claim(1, 1)), vec![event.into()]);
        Entry { body: body.into(), hash: Digest::of(&bytes), modified_ms: 0 }
    };
    state.apply(&entry(7, None, claimed(1, 1, None))).unwrap();
    let head = state.head.clone();
    state.apply(&entry(8, head.as_ref(), BlockEvent::Reserved { run: run_id(1) })).unwrap();
    let fell = state.apply(&entry(7, head.as_ref(), BlockEvent::Released {}));
    assert!(matches!(fell, Err(Illegal::Generation { .. })), "{fell:?}");
}

#[test]
fn definitions_are_found_by_digest() {
    let block = |function: &str| DesiredBlock {
        function: function.to_owned(),
        params: Value::Null,
        after: BTreeSet::new(),
        resources: BTreeMap::new(),
        outputs: Tree::Null,
        checks: BTreeMap::new(),
        lookups: BTreeMap::new(),
        crossings: BTreeMap::new(),
    };
    let applying = |digest: &[u8], definition: Option<DesiredBlock>| BlockEvent::Applying {
        digest: Digest::of(digest),
        definition: definition.map(Box::new),
        env: "prod".parse().unwrap(),
        channel: Channel::Stable,
        targets: BTreeMap::from([("aws".parse().unwrap(), target())]),
        found: BTreeMap::new(),
    };
    let (a, b) = (applying(b"a", Some(block("a"))), applying(b"b", Some(block("b"))));
    let state = folded(&[a.clone(), b, applying(b"a", None)]).unwrap();
    assert_eq!(state.definition.unwrap().function, "a");
    assert_eq!(state.definitions.len(), 2);
    assert!(matches!(failed(&[applying(b"a", None)]), Illegal::NoDefinition(_)));
    assert!(matches!(failed(&[a, applying(b"a", Some(block("c")))]), Illegal::OtherDefinition(_)));
}

#[test]
fn resources_move() {
    let out = BlockEvent::MovedOut { resource: name("main"), to: "us-east.b.main".parse().unwrap() };
    let made = [intent(1, "main", None, create()), done(1, Some("vpc-1"))];
    let record: ObjectRecord = folded(&made).unwrap().resources[&name("main")].object.clone();
    assert!(folded(&[made.as_slice(), &[out]].concat()).unwrap().resources.is_empty());
    let moved_in = BlockEvent::MovedIn {
        resource: name("main"),
        from: "us-east.b.main".parse().unwrap(),
        epoch: Epoch(1),
        applied: None,
        protected: false,
        record: Box::new(record.clone()),
    };
    assert_eq!(folded(std::slice::from_ref(&moved_in)).unwrap().resources[&name("main")].object, record);
    assert_eq!(failed(&[made.as_slice(), &[moved_in]].concat()), Illegal::HasObject(name("main")));
}

#[test]
fn the_state_digest_sees_objects_and_no_claims() {
    let made = [intent(1, "main", None, create()), done(1, Some("vpc-1"))];
    let state = folded(&made).unwrap();
    let released = folded(&[made.as_slice(), &[BlockEvent::Released {}]].concat()).unwrap();
    assert_eq!(state.state_digest(), released.state_digest());
    assert_ne!(state.state_digest(), folded(&made[..1]).unwrap().state_digest());
}

#[test]
fn an_unknown_key_in_an_event_is_refused() {
    let events = [
        claimed(1, 1, None),
        BlockEvent::Released {},
        intent(1, "main", None, create()),
        intent(1, "main", Some("vpc-1"), set()),
        done(1, Some("vpc-1")),
        applied("main"),
        BlockEvent::Failed { intent: IntentNo(1), code: "a".to_owned(), message: "b".to_owned() },
        BlockEvent::Gone { resource: name("main"), id: id("vpc-1") },
        BlockEvent::Reserved { run: run_id(1) },
    ];
    for event in events {
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<BlockEvent>(&text).unwrap(), event);
        let unknown = format!("{},\"new\":1}}", text.strip_suffix('}').unwrap());
        assert!(serde_json::from_str::<BlockEvent>(&unknown).is_err(), "{unknown}");
    }
}
