//! Reading streams: hints and listings that are wrong, entries that are missing.

use super::world::{World, author, infra, new_run, run_id};
use crate::id::Seq;
use crate::machine::StoreKey;
use crate::stream::event::RunEvent;
use crate::stream::name::{entry_key, hint_key};
use crate::stream::write::{Written, put_next};
use crate::stream::{ReadError, RunStream, list_blocks, read_log};

/// A run's stream with so many entries, written without any hint.
fn with_entries(count: usize) -> World {
    let mut world = World::new();
    world.run(move |io| async move {
        let author = author(1);
        let mut head = None;
        for n in 0..count {
            let event = match n {
                0 => started(),
                _ => RunEvent::Renewed {},
            };
            let written = put_next(&io, &author, &run_id(1), head.as_ref(), None, vec![event.into()]).await;
            let Ok(Written::Ours(entry)) = written else { panic!("not written") };
            head = Some(entry.head());
        }
    });
    world
}

fn started() -> RunEvent {
    let new = new_run(1);
    RunEvent::Started {
        holder: new.holder,
        lease_ms: 30_000,
        plan: new.plan,
        revision: author(1).revision.clone(),
        generation: author(1).generation,
        blocks: new.blocks,
        simulated: true,
    }
}

fn read(world: &mut World) -> Result<usize, ReadError> {
    let entries = world.run(|io| async move { read_log::<RunEvent>(&io, &infra(), &run_id(1)).await });
    entries.map(|entries| {
        assert!(entries.iter().zip(0..).all(|(entry, seq)| entry.body.seq == Seq(seq)));
        entries.len()
    })
}

fn hint(world: &mut World, text: &str) {
    world.objects.insert(hint_key::<RunEvent>(&run_id(1)).0, (text.into(), 0));
}

#[test]
fn a_wrong_hint_costs_calls_and_never_an_entry() {
    for count in [0, 1, 2, 31, 32, 33, 70] {
        let mut world = with_entries(count);
        assert_eq!(read(&mut world), Ok(count), "no hint");
        for wrong in ["0", "1", "5", "31", "69", "70", "1000000", "18446744073709551615"] {
            hint(&mut world, &format!(r#"{{"seq":{wrong}}}"#));
            assert_eq!(read(&mut world), Ok(count), "hint {wrong}");
        }
        for garbage in ["", "x", "{}", r#"{"seq":-1}"#, r#"{"seq":1,"x":1}"#] {
            hint(&mut world, garbage);
            assert_eq!(read(&mut world), Ok(count), "hint {garbage}");
        }
    }
}

#[test]
fn a_stream_costs_a_hint_a_listing_and_its_entries() {
    let mut world = with_entries(20);
    hint(&mut world, r#"{"seq":19}"#);
    (world.gets, world.lists) = (0, 0);
    assert_eq!(read(&mut world), Ok(20));
    assert_eq!((world.gets, world.lists), (1 + 21, 1));
}

#[test]
fn a_missing_entry_is_an_error_and_not_an_end() {
    for missing in [0, 5, 31, 32, 40, 68] {
        for given in [None, Some(r#"{"seq":0}"#), Some(r#"{"seq":30}"#), Some(r#"{"seq":69}"#), Some(r#"{"seq":1000}"#)]
        {
            let mut world = with_entries(70);
            world.objects.remove(&entry_key::<RunEvent>(&run_id(1), Seq(missing)).0);
            given.into_iter().for_each(|text| hint(&mut world, text));
            let error = read(&mut world).unwrap_err();
            assert!(matches!(error, ReadError::Gap { missing: at, .. } if at == Seq(missing)), "{error}");
        }
    }
}

#[test]
fn entries_that_changed_places_are_found() {
    let mut world = with_entries(4);
    let key = |seq| entry_key::<RunEvent>(&run_id(1), Seq(seq)).0;
    let (a, b) = (world.objects[&key(1)].clone(), world.objects[&key(2)].clone());
    world.objects.insert(key(1), b);
    world.objects.insert(key(2), a);
    let error = read(&mut world).unwrap_err().to_string();
    assert!(error.contains("wrong place"), "{error}");
}

#[test]
fn blocks_are_listed_by_their_streams() {
    let mut world = World::new();
    assert_eq!(world.run(|io| async move { list_blocks(&io).await }), Ok(vec![]));
    for key in ["v1/block/us-east.network/00000000000000000000", "v1/block/us-west.zk/00000000000000000000"] {
        world.objects.insert(key.to_owned(), (vec![], 0));
    }
    let names = world.run(|io| async move { list_blocks(&io).await }).unwrap();
    assert_eq!(names.iter().map(ToString::to_string).collect::<Vec<_>>(), ["us-east.network", "us-west.zk"]);
    world.objects.insert(StoreKey("v1/block/..%2Fx/0".to_owned()).0, (vec![], 0));
    let error = world.run(|io| async move { list_blocks(&io).await }).unwrap_err();
    assert!(matches!(error, ReadError::NotAStream { .. }), "{error}");
}

#[test]
fn a_run_renews_its_lease_and_ends() {
    let mut world = World::new();
    world.run(|io| async move {
        let run = RunStream::start(&io, author(1), new_run(1)).await.unwrap();
        io.sleep(std::time::Duration::from_secs(65)).await;
        run.lease().check(io.now()).unwrap();
        run.end(crate::stream::event::RunOutcome::Succeeded).await.unwrap();
        assert!(run.lease().check(io.now()).is_err(), "a run that has ended has no lease");
    });
    assert_eq!(read(&mut world), Ok(1 + 6 + 1));
}
