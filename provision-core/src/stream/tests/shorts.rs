//! What entries leave out because those before them have said it, and logs that an earlier build began.

use std::collections::{BTreeMap, BTreeSet};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use proptest::prelude::*;

use super::folds::{applied, claim, claimed, create, done, id, intent, name};
use super::world::{World, author, infra, new_run, run_id};
use crate::call::{Call, Effect, Mark, Recovery, ServerTime, Wait};
use crate::desired::{Channel, DesiredBlock, DesiredResource, Lifecycle, Location};
use crate::id::{BlockAddr, Digest, IntentNo, Seq};
use crate::machine::Memory;
use crate::stream::envelope::{Body, ClaimRef, Entry, EntryProblem, Expected, Head, Unread, read};
use crate::stream::event::{BlockEvent, Intent, Landed};
use crate::stream::key::{Purpose, Signer};
use crate::stream::name::entry_key;
use crate::stream::short::{shorten, whole};
use crate::stream::{BlockState, ReadError, RunStream, claim_block, fold_block, read_block, read_log};
use crate::target::TargetId;
use crate::value::{Expr, Exprs, Fields, OutputRef, Piece, Symbol, Tree, Value};

pub(super) fn addr() -> BlockAddr {
    "us-east.network".parse().unwrap()
}

const SCRIPT: &str = "#!/bin/sh\necho 'a script that is long enough to be named' > /etc/motd\n";

fn tags(value: &str) -> Value {
    Tree::Map(BTreeMap::from([("team".to_owned(), value.into()), ("long".to_owned(), "a long value of a tag".into())]))
}

fn target() -> TargetId {
    TargetId { provider: "aws".parse().unwrap(), account: "123456789012".to_owned(), region: "us-east-1".to_owned() }
}

/// A block of a network and of a host whose script has a ref in it.
fn block(team: &str) -> DesiredBlock {
    let resource = |inputs: Exprs| DesiredResource {
        type_name: "aws_thing".parse().unwrap(),
        version: 1,
        provider: "aws".parse().unwrap(),
        inputs: inputs.into(),
        lifecycle: Lifecycle::default(),
        location: Location::default(),
    };
    let vpc = OutputRef { resource: "us-east.network.vpc".parse().unwrap(), output: "id".to_owned() };
    let motd = vec![Piece::Literal(SCRIPT.to_owned()), Piece::Output(vpc.clone())];
    let host = Exprs::from([
        ("tags".to_owned(), tags(team).widen()),
        ("script".to_owned(), SCRIPT.into()),
        ("motd".to_owned(), Tree::Symbol(Symbol::Text(motd))),
        ("vpc".to_owned(), Tree::Symbol(Symbol::Output(vpc.into()))),
    ]);
    DesiredBlock {
        function: "network".to_owned(),
        params: Value::Null,
        after: BTreeSet::new(),
        resources: BTreeMap::from([(name("vpc"), resource(Exprs::new())), (name("host"), resource(host))]),
        outputs: Tree::Null,
        checks: BTreeMap::new(),
        crossings: BTreeMap::new(),
        lookups: BTreeMap::new(),
    }
}

fn applying(definition: &DesiredBlock) -> BlockEvent {
    BlockEvent::Applying {
        digest: definition.digest(),
        definition: Some(Box::new(definition.clone())),
        env: "prod".parse().unwrap(),
        channel: Channel::Stable,
        targets: BTreeMap::from([(target().provider, target())]),
        found: BTreeMap::new(),
    }
}

fn fields(team: &str) -> Fields {
    Fields::from([
        ("tags".to_owned(), tags(team)),
        ("script".to_owned(), SCRIPT.into()),
        ("motd".to_owned(), format!("{SCRIPT}vpc-1").into()),
        ("vpc".to_owned(), "vpc-1".into()),
    ])
}

fn call(number: u64, object: Option<&str>, request: Value, effect: Effect) -> BlockEvent {
    let mark = Mark {
        infra: infra(),
        address: addr().resource(name("host")),
        incarnation: "0123456789abcdef0123456789abcdef".parse().unwrap(),
    };
    let effect = match effect {
        Effect::Create { fields, computed, .. } => Effect::Create { fields, computed, mark: Some(mark.clone()) },
        other => other,
    };
    BlockEvent::Intent(Box::new(Intent {
        number: IntentNo(number),
        resource: name("host"),
        version: 1,
        target: target(),
        object: object.map(id),
        mark: Some(mark),
        call: Call {
            api: "Do".to_owned(),
            type_name: "aws_thing".parse().unwrap(),
            request,
            recovery: Recovery::Tag,
            effect,
            wait: Wait::No,
        },
        depends_on: BTreeSet::from([addr().resource(name("vpc"))]),
        stamp: ServerTime(10),
        last_instant: ServerTime(20),
    }))
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Tree::Map(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A host is made, gets another tag, and the one that it had.
pub(super) fn life() -> Vec<Vec<BlockEvent>> {
    let request = map([
        ("Data", BASE64_STANDARD.encode(format!("{SCRIPT}vpc-1")).into()),
        ("Script", SCRIPT.into()),
        ("Token", "0123456789abcdef0123456789abcdef".into()),
        ("$like", map([("$ref", "data".into())])),
    ]);
    let make = Effect::Create { fields: fields("infra"), computed: vec!["id".to_owned()], mark: None };
    let set = |team| Effect::Set { fields: Fields::from([("tags".to_owned(), tags(team))]), mark: None };
    let is_applied = |team| BlockEvent::Applied {
        resource: name("host"),
        inputs: fields(team),
        outputs: Fields::from([("id".to_owned(), "host-1".into())]),
        depends_on: BTreeSet::from([addr().resource(name("vpc"))]),
    };
    let landed = |number, made: Option<&str>| BlockEvent::Done {
        intent: IntentNo(number),
        id: made.map(id),
        outputs: Fields::new(),
        how: Landed::Answered,
    };
    vec![
        vec![applying(&block("infra")), call(0, None, request, make)],
        vec![landed(0, Some("host-1")), is_applied("infra")],
        vec![applying(&block("core"))],
        vec![call(1, Some("host-1"), map([("Tags", tags("core"))]), set("core"))],
        vec![landed(1, None), is_applied("core")],
        vec![applying(&block("infra")), call(2, Some("host-1"), map([("Tags", tags("infra"))]), set("infra"))],
        vec![landed(2, None), is_applied("infra")],
    ]
}

/// Run `n` claims the block and writes these entries.
pub(super) fn write(world: &mut World, n: u8, entries: Vec<Vec<BlockEvent>>) {
    world.run(move |io| async move {
        let run = RunStream::start(&io, author(n), new_run(n)).await.expect("the run begins");
        let state = read_block(&io, &infra(), &addr()).await.unwrap();
        let claim = claim_block(&io, &run, &addr(), state).await.unwrap();
        for events in entries {
            claim.append(events).await.unwrap();
        }
        claim.release().await.unwrap();
        run.end(crate::stream::event::RunOutcome::Succeeded).await.unwrap();
    });
}

pub(super) fn log(world: &mut World) -> Result<Vec<Entry<BlockEvent>>, ReadError> {
    world.run(|io| async move { read_log::<BlockEvent>(&io, &infra(), &addr()).await })
}

fn texts(world: &World) -> Vec<String> {
    let entries = world.objects.iter().filter(|(key, _)| key.starts_with("v1/block/"));
    entries.map(|(_, (bytes, _))| String::from_utf8(bytes.clone()).unwrap()).collect()
}

#[test]
fn what_was_written_short_is_read_whole() {
    let mut world = World::new();
    write(&mut world, 1, life());
    let entries = log(&mut world).unwrap();
    let events: Vec<_> = entries.iter().map(|entry| entry.body.events.clone()).collect();
    assert_eq!(events[1..=life().len()], life()[..]);
    let state = world.run(|io| async move { read_block(&io, &infra(), &addr()).await });
    assert_eq!(state, fold_block(&addr(), &entries), "from bytes, and from events");
    let state = state.unwrap();
    assert_eq!(
        state.definitions.keys().collect::<Vec<_>>(),
        [&block("infra").digest()],
        "no more than the present one"
    );
}

#[test]
fn nothing_large_is_said_twice() {
    let mut world = World::new();
    write(&mut world, 1, life());
    let all = texts(&world).concat();
    let count = |what: &str| all.matches(what).count();
    // The definition has it in `script`, and as the known part of `motd`; the intent has that with what it came to be.
    assert_eq!(count("a script that is long enough"), 3, "{all}");
    assert_eq!(count(&BASE64_STANDARD.encode(SCRIPT)[..40]), 0);
    assert_eq!(count("a long value of a tag"), 1, "each edit says what differs");
    assert_eq!(count("123456789012"), 1);
}

/// These bytes stand in stores, and what they leave out is what the fold made of those before: a change of either is a new
/// format.
#[test]
fn the_bytes_of_short_events_stay_as_they_are() {
    let mut world = World::new();
    write(&mut world, 1, life());
    let bodies: Vec<_> = texts(&world).into_iter().map(|text| text.lines().next().unwrap().to_owned()).collect();
    insta::assert_snapshot!(bodies[1..6].join("\n"), @r##"
    {"v":2,"seq":1,"nonce":"5b2d31052335ef227f996e6316150ac7","prev":"12badf3db4a4d84a4a9aece95cee7be0c5e8ad9e56e84e4d128f9b273f5d7558","whole":"c86b1f07725f4849e4dccf7be64445c5","events":[{"event":"applying","digest":"c68edf9363f2fbd42948b0262f6b523ae9b85324c3b3860b1423e4e734458bf2","definition":{"function":"network","params":null,"after":[],"resources":{"host":{"type_name":"aws_thing","version":1,"provider":"aws","inputs":{"motd":{"$text":["#!/bin/sh\necho 'a script that is long enough to be named' > /etc/motd\n",{"$ref":"us-east.network.vpc#id"}]},"script":"#!/bin/sh\necho 'a script that is long enough to be named' > /etc/motd\n","tags":{"long":"a long value of a tag","team":"infra"},"vpc":{"$ref":"us-east.network.vpc#id"}}},"vpc":{"type_name":"aws_thing","version":1,"provider":"aws","inputs":{}}}},"env":"prod","channel":"stable","targets":{"aws":{"provider":"aws","account":"123456789012","region":"us-east-1"}}},{"call":{"api":"Do","effect":{"create":{"computed":["id"],"fields":{"motd":"#!/bin/sh\necho 'a script that is long enough to be named' > /etc/motd\nvpc-1","script":{"$defined":"script"},"tags":{"$defined":"tags"},"vpc":"vpc-1"},"mark":{"$mark":"all"}}},"recovery":"tag","request":{"$$like":{"$$ref":"data"},"Data":{"$base64":"motd"},"Script":{"$defined":"script"},"Token":{"$mark":"incarnation"}},"type_name":"aws_thing","wait":"no"},"depends_on":{"$uses":"defined"},"last_instant":20,"mark":{"address":"us-east.network.host","incarnation":"0123456789abcdef0123456789abcdef","infra":"wix"},"number":0,"object":null,"resource":"host","short":"intent","stamp":10,"target":{"$target":"aws"},"version":1}]}
    {"v":2,"seq":2,"nonce":"a29a15e4a10a336cb171b5cc101ad974","prev":"97d37384808d373baf8d2c9682414f721b5581da9aca57a72045594615f13b43","whole":"655b5a34fc146da64bf5d75e4904a7bb","events":[{"event":"done","intent":0,"id":"host-1","outputs":{},"how":"answered"},{"depends_on":{"$uses":"defined"},"inputs":{"$inputs":"recorded"},"outputs":{"id":"host-1"},"resource":"host","short":"applied"}]}
    {"v":2,"seq":3,"nonce":"d462837bb39118525fd1f487e500b00d","prev":"53f37e3af35ad0a53b6ec34eaed8c4a3ee029f4bc8505de0cc0184c5864accda","whole":"f606b09ccfc897c1636efbb94ac1b426","events":[{"channel":"stable","definition":{"$edit":{"resources":{"host":{"inputs":{"tags":{"team":["core"]}}}}}},"digest":"65075cce376e3a7e0098b10071f8e6a986584d35d09d0827df395ce54b859ace","env":"prod","short":"applying","targets":{"aws":{"$target":"aws"}}}]}
    {"v":2,"seq":4,"nonce":"34d158f6844e1fe2d90798adf28ea095","prev":"bca72bcda6e52ced42b266627bac4a79a6b5593a71ea879e5d3b4e3418ba7565","whole":"396946e0555eaff1671255aab8dbfc03","events":[{"call":{"api":"Do","effect":{"set":{"fields":{"tags":{"$defined":"tags"}},"mark":null}},"recovery":"tag","request":{"Tags":{"$defined":"tags"}},"type_name":"aws_thing","wait":"no"},"depends_on":{"$uses":"defined"},"last_instant":20,"mark":{"address":"us-east.network.host","incarnation":"0123456789abcdef0123456789abcdef","infra":"wix"},"number":1,"object":"host-1","resource":"host","short":"intent","stamp":10,"target":{"$target":"aws"},"version":1}]}
    {"v":2,"seq":5,"nonce":"057e818c932657ebc4b5d66e25f7a889","prev":"0ce52a1c76e4995d5c8fdad13d812a121801bde4990f38a6085aa12f349fc8f8","whole":"138134de11e78add1e47aacdc953dcaa","events":[{"event":"done","intent":1,"id":null,"outputs":{},"how":"answered"},{"depends_on":{"$uses":"defined"},"inputs":{"$inputs":"recorded"},"outputs":{"id":"host-1"},"resource":"host","short":"applied"}]}
    "##);
}

fn state_after(events: &[BlockEvent]) -> BlockState {
    let mut state = BlockState::default();
    state.apply_event(Some(&claim(1, 1)), &claimed(1, 1, None)).unwrap();
    events.iter().for_each(|event| state.apply_event(Some(&claim(1, 1)), event).unwrap());
    state
}

#[test]
fn what_is_left_out_and_not_known_is_an_error() {
    let life = life().concat();
    let (state, make) = (state_after(&life[..1]), &life[1]);
    let short = shorten(&state, make).unwrap().written;
    assert!(whole(&state, short.clone()).is_ok());
    let unknown = whole(&BlockState::default(), short.clone()).unwrap_err();
    assert!(unknown.contains("which is not known"), "{unknown}");
    let edit = shorten(&state, &applying(&block("core"))).unwrap().written;
    assert!(whole(&BlockState::default(), edit).unwrap_err().contains("edits a definition"));
    let mut doubled = short;
    doubled["event"] = "intent".into();
    assert!(whole(&state, doubled).is_err());
    assert!(whole(&state, serde_json::json!({"short": "released"})).is_err());
}

/// After other entries it would be read as something else: the writer's sum of it says so.
#[test]
fn what_is_filled_in_otherwise_is_not_believed() {
    let mut world = World::new();
    write(&mut world, 1, life());
    let entries = log(&mut world).unwrap();
    let bytes = &world.objects[&entry_key::<BlockEvent>(&addr(), Seq(2)).0].0;
    let head = entries[1].head();
    let read = |mut said: BlockState| {
        let expected = Expected { infra: &infra(), id: &addr(), seq: Seq(2), prev: Some(&head) };
        read::<BlockEvent>(&Memory::default(), bytes, 0, &expected, &mut said)
    };
    let state = fold_block(&addr(), &entries[..2]).unwrap();
    assert!(read(state.clone()).is_ok());
    let mut other = state;
    let Some(Intent { call, .. }) = other.open.get_mut(&IntentNo(0)) else { panic!("it is open") };
    let Effect::Create { fields, .. } = &mut call.effect else { panic!("it creates") };
    fields.insert("motd".to_owned(), "something else that is as long as that".into());
    let Err(Unread::Entry(error)) = read(other) else { panic!("it was read") };
    assert_eq!(error.problem, EntryProblem::OtherWhole);
}

/// An entry as the format before had it.
fn old(body: Body<BlockEvent>) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(&Body { v: 1, ..body }).unwrap();
    let signer = Signer::new(&[1; 32], "");
    let sig = hex::encode(signer.sign(Purpose::Entry, &bytes));
    bytes.extend(format!("\n{{\"key\":\"{}\",\"sig\":\"{sig}\"}}\n", signer.public()).bytes());
    bytes
}

/// A log that a build before this one wrote, in which a definition comes back.
fn old_log() -> World {
    let back = BlockEvent::Applying {
        digest: block("infra").digest(),
        definition: None,
        env: "prod".parse().unwrap(),
        channel: Channel::Stable,
        targets: BTreeMap::new(),
        found: BTreeMap::new(),
    };
    let events = [
        vec![claimed(1, 1, None)],
        vec![applying(&block("infra")), intent(0, "main", None, create())],
        vec![done(0, Some("vpc-1")), applied("main")],
        vec![applying(&block("core"))],
        vec![back],
        vec![BlockEvent::Released {}],
    ];
    let (mut world, mut head) = (World::new(), None::<Head>);
    for events in events {
        let says = events.into_iter().map(Into::into).collect();
        let under = ClaimRef { run: run_id(1), epoch: crate::id::Epoch(1) };
        let body = author(1).compose(&addr(), head.as_ref(), Some(under), says).0;
        let (key, bytes) = (entry_key::<BlockEvent>(&addr(), body.seq), old(body.clone()));
        head = Some(Entry { body: body.into(), hash: Digest::of(&bytes), modified_ms: 0 }.head());
        world.objects.insert(key.0, (bytes, 1));
    }
    world
}

#[test]
fn a_log_of_the_format_before_is_read_and_gone_on_with() {
    let mut world = old_log();
    let state = world.run(|io| async move { read_block(&io, &infra(), &addr()).await }).unwrap();
    assert_eq!(state.digest, Some(block("infra").digest()));
    assert_eq!(state.definitions.len(), 2, "an entry of the format may name either");
    let before = texts(&world);

    let mut more = life();
    // The first one is there already, and the numbers of calls go on.
    more.drain(..2);
    more.truncate(1);
    write(&mut world, 2, more);
    assert_eq!(texts(&world)[..before.len()], before[..], "nothing of it is written anew");
    let after = texts(&world)[before.len()..].concat();
    assert!(after.contains("$edit") && !after.contains("a script"), "what it said counts as said: {after}");
    let entries = log(&mut world).unwrap();
    assert_eq!(entries.iter().map(|entry| entry.body.v).collect::<Vec<_>>(), [1, 1, 1, 1, 1, 1, 2, 2, 2]);
    let state = world.run(|io| async move { read_block(&io, &infra(), &addr()).await });
    assert_eq!(state, fold_block(&addr(), &entries));
    let state = state.unwrap();
    assert_eq!((state.definition.as_deref(), state.definitions.len()), (Some(&block("core")), 1));
    assert!(state.resources.contains_key(&name("main")));
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop_oneof!["[a-c$\"]{0,3}", "[a-b]{20}"].prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Tree::List),
            prop::collection::btree_map(key(), inner, 0..3).prop_map(Tree::Map),
        ]
    })
}

/// Names that look like what short events are made of, among them.
fn key() -> impl Strategy<Value = String> {
    prop_oneof!["[ab]", Just("$set".to_owned()), Just("$defined".to_owned()), Just("$$mark".to_owned())]
}

fn any_fields() -> impl Strategy<Value = Fields> {
    prop::collection::btree_map(key(), value(), 0..4)
}

proptest! {
    /// Whatever a call sets and whatever was defined or recorded before.
    #[test]
    fn every_event_is_read_as_it_was(
        defined in any_fields(), made in any_fields(), inputs in any_fields(), request in value(), same in 0..4_u8,
    ) {
        let mut block = block("infra");
        let exprs = defined.iter().map(|(name, value)| (name.clone(), value.widen::<Symbol>())).collect::<Exprs>();
        block.resources.get_mut(&name("host")).unwrap().inputs = exprs.into();
        let made = if same & 1 == 0 { made } else { defined };
        let inputs = if same & 2 == 0 { inputs } else { made.clone() };
        let request = map([("all", request), ("again", Tree::Map(made.clone()))]);
        let make = Effect::Create { fields: made, computed: Vec::new(), mark: None };
        let is_applied = BlockEvent::Applied {
            resource: name("host"), inputs: inputs.clone(), outputs: inputs, depends_on: BTreeSet::new(),
        };
        let events = vec![vec![applying(&block), call(0, None, request, make)], vec![done(0, Some("a")), is_applied]];
        let mut world = World::new();
        write(&mut world, 1, events.clone());
        let read: Vec<_> = log(&mut world).unwrap().iter().map(|entry| entry.body.events.clone()).collect();
        prop_assert_eq!(&read[1..3], &events[..]);
    }
}

/// A field may be called like what stands for something: its event is then not short.
#[test]
fn what_would_be_read_as_something_else_is_written_whole() {
    let state = state_after(&life().concat()[..1]);
    let sets = |name: &str| {
        let fields = Fields::from([(name.to_owned(), "tags".into())]);
        call(0, None, Value::Null, Effect::Create { fields, computed: Vec::new(), mark: None })
    };
    assert!(shorten(&state, &sets("defined")).is_some());
    assert_eq!(shorten(&state, &sets("$defined")), None);
}

/// Where the definition does not know a value, that is no name of it.
#[test]
fn a_ref_is_no_value() {
    let life = life().concat();
    let short = shorten(&state_after(&life[..1]), &life[1]).unwrap().written;
    let motd: Expr = Tree::from(format!("{SCRIPT}vpc-1"));
    assert_eq!(short["call"]["effect"]["create"]["fields"]["motd"], serde_json::to_value(motd).unwrap());
    assert_eq!(short["call"]["effect"]["create"]["fields"]["script"], serde_json::json!({"$defined": "script"}));
    assert_eq!(short["call"]["request"]["Data"], serde_json::json!({"$base64": "motd"}));
}
