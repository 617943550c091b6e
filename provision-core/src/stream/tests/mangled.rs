//! Entries that were written by somebody else's program: signed, in their place, and wrong inside.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine as _};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::folds::{claim, create, done, folded, intent};
use super::shorts::{life, log, write};
use super::world::World;
use crate::stream::event::BlockEvent;
use crate::stream::key::{Purpose, Signer};
use crate::stream::short::{FILLED, whole};
use crate::stream::{BlockState, ReadError};

/// What a store holds, with times.
type Objects = BTreeMap<String, (Vec<u8>, u64)>;

/// A log with short events, and what they say.
static LOG: LazyLock<(Objects, Vec<Vec<BlockEvent>>)> = LazyLock::new(|| {
    let mut world = World::new();
    write(&mut world, 1, life());
    let entries = log(&mut world).unwrap();
    (world.objects, entries.iter().map(|entry| entry.body.events.clone()).collect())
});

/// These bytes with another body, signed by who writes the log.
fn signed(body: &Value) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(body).unwrap();
    let signature = BASE64_STANDARD_NO_PAD.encode(Signer::new(&[1; 32], "").sign(Purpose::Entry, &bytes));
    bytes.extend(format!("\n{{\"sig\":\"{signature}\"}}\n").bytes());
    bytes
}

/// All places in a value, the innermost last.
fn places<'a>(value: &'a Value, at: &str, all: &mut Vec<(String, &'a Value)>) {
    all.push((at.to_owned(), value));
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| places(value, &format!("{at}/{}", escaped(key)), all)),
        Value::Array(list) => list.iter().enumerate().for_each(|(n, value)| places(value, &format!("{at}/{n}"), all)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What stands in for parts, known and unknown, edits, and values that belong nowhere.
fn intruder() -> impl Strategy<Value = Value> {
    let kind =
        prop::sample::select(&["$defined", "$recorded", "$uses", "$target", "$mark", "$set", "$base64", "$edit", "$?"]);
    let name = prop::sample::select(&[
        "tags",
        "script",
        "motd",
        "id",
        "defined",
        "aws",
        "all",
        "address",
        "incarnation",
        "nothing",
        "",
    ]);
    let edit = prop::sample::select(vec![
        json!({"resources": null}),
        json!({"resources": {"host": {"inputs": {"tags": [1]}}}}),
        json!({"after": [0, 1, []]}),
        json!([[]]),
        json!({}),
    ]);
    prop_oneof![
        (kind, name).prop_map(|(kind, name)| json!({kind: name})),
        edit.clone().prop_map(|edit| json!({"$edit": edit})),
        edit,
        prop::sample::select(vec![json!(null), json!(0), json!(-1), json!(u64::MAX), json!("x"), json!([]), json!({})]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// One part of one entry is another thing, or the part of another place. It is then refused by name, or the short events
    /// of that entry are still what they were.
    #[test]
    fn a_wrong_part_is_found_and_never_panics(
        entry in 1..8_usize, place: prop::sample::Index, other: prop::sample::Index, intruder in intruder(), kind in 0..4,
    ) {
        let (objects, events) = &*LOG;
        let mut world = World::new();
        world.objects.clone_from(objects);
        let (key, bytes) = objects.iter().filter(|(key, _)| key.starts_with("v1/block/")).nth(entry).unwrap();
        let line = bytes.0.split(|byte| *byte == b'\n').next().unwrap();
        let mut body: Value = serde_json::from_slice(line).unwrap();
        let before = body["events"].clone();
        let mut all = Vec::new();
        places(&before, "", &mut all);
        let (at, _) = place.get(&all);
        let (_, copy) = other.get(&all);
        match (at.rsplit_once('/'), body["events"].pointer_mut(at)) {
            (Some((parent, name)), Some(_)) if kind == 0 => match body["events"].pointer_mut(parent) {
                Some(Value::Object(map)) => drop(map.remove(&name.replace("~1", "/").replace("~0", "~"))),
                Some(Value::Array(list)) => drop(list.remove(name.parse().unwrap())),
                other => panic!("{other:?} holds nothing"),
            },
            (_, Some(part)) if kind == 1 => *part = (*copy).clone(),
            (_, Some(part)) => *part = intruder,
            (_, None) => panic!("{at} is no place"),
        }
        world.objects.insert(key.clone(), (signed(&body), 1));
        // The next one would name another digest.
        world.objects.retain(|other, _| !other.starts_with("v1/block/") || other <= key);
        world.objects.retain(|other, _| !other.starts_with("v1/hint/"));
        match log(&mut world) {
            Ok(entries) => {
                let (now, then) = (&entries[entry].body.events, &events[entry]);
                let short = before.as_array().unwrap().iter().map(|event| event.get("short").is_some());
                let shorts: Vec<_> = then.iter().zip(short).filter_map(|(event, short)| short.then_some(event)).collect();
                prop_assert!(shorts.iter().all(|event| now.contains(event)), "{body} was read as {now:?}");
            }
            Err(ReadError::Entry(error)) => {
                prop_assert_eq!(error.seq.0, u64::try_from(entry).unwrap());
                prop_assert!(error.to_string().starts_with("block us-east.network, entry "), "{}", error);
            }
            Err(ReadError::Illegal { seq, .. }) => prop_assert_eq!(seq.0, u64::try_from(entry).unwrap()),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}

/// What comes of an event that says this of its inputs, again and again: the first problem.
fn growing(inputs: &Value) -> (String, BlockState) {
    let mut state = folded(&[intent(0, "main", None, create()), done(0, Some("a"))]).unwrap();
    let event = |inputs: &Value| json!({"resource": "main", "inputs": inputs, "outputs": inputs, "depends_on": []});
    let mut first = event(&json!({"a": "a text that is named"}));
    first["event"] = "applied".into();
    let mut next = event(inputs);
    next["short"] = "applied".into();
    let apply = |state: &mut BlockState, event: Value| {
        let event: BlockEvent = serde_json::from_value(event).map_err(|error| error.to_string())?;
        state.apply_event(Some(&claim(1, 1)), &event).map_err(|illegal| illegal.to_string())
    };
    apply(&mut state, first).unwrap();
    for _ in 0..20 {
        match whole(&state, next.clone()) {
            Ok(event) => apply(&mut state, event).unwrap(),
            Err(problem) => return (problem, state),
        }
    }
    panic!("it grew without end")
}

#[test]
fn events_that_double_what_was_recorded_are_refused() {
    let twice = json!({"a": [{"$recorded": "a"}, {"$recorded": "a"}]});
    let (problem, state) = growing(&twice);
    assert!(problem.contains("takes more than"), "{problem}");
    let bytes = serde_json::to_vec(&state).unwrap().len();
    assert!(bytes < 4 * FILLED, "{bytes}");
}

#[test]
fn events_that_nest_what_was_recorded_are_refused() {
    let nested = (0..50).fold(json!({"$recorded": "a"}), |inner, _| json!([inner]));
    let (problem, _) = growing(&json!({ "a": nested }));
    assert!(problem.contains("nest deeper"), "{problem}");
}
