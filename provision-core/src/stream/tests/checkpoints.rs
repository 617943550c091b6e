//! Checkpoints: what they save, and that none is believed over the log.

use super::world::{World, author, infra, new_run};
use crate::id::{BlockAddr, Seq};
use crate::machine::Io;
use crate::stream::event::BlockEvent;
use crate::stream::key::{Purpose, Signer};
use crate::stream::name::{checkpoint_key, entry_key};
use crate::stream::{BlockState, ReadError, RunStream, claim_block, fold_block, read_block, read_blocks, read_log};

fn addr(n: usize) -> BlockAddr {
    format!("us-east.b{n}").parse().unwrap()
}

/// A run that writes so many events to each of the blocks, one by one.
async fn write(io: &Io, n: u8, blocks: &[usize], events: usize) {
    let run = RunStream::start(io, author(n), new_run(n)).await.expect("the run begins");
    for block in blocks {
        let state = read_block(io, &infra(), &addr(*block)).await.unwrap();
        let claim = claim_block(io, &run, &addr(*block), state).await.unwrap();
        for _ in 0..events {
            claim.append(vec![BlockEvent::Reserved { run: run.id().clone() }]).await.unwrap();
        }
        claim.release().await.unwrap();
    }
    run.end(crate::stream::event::RunOutcome::Succeeded).await.unwrap();
}

fn run(world: &mut World, n: u8, blocks: &'static [usize], events: usize) {
    world.run(move |io| async move { write(&io, n, blocks, events).await });
}

fn checkpoint(block: usize) -> String {
    checkpoint_key::<BlockEvent>(&addr(block)).0
}

fn read(world: &mut World, block: usize) -> Result<BlockState, ReadError> {
    world.run(move |io| async move { read_block(&io, &infra(), &addr(block)).await })
}

fn folded(world: &mut World, block: usize) -> BlockState {
    let log = world.run(move |io| async move { read_log::<BlockEvent>(&io, &infra(), &addr(block)).await });
    fold_block(&addr(block), &log.unwrap()).unwrap()
}

/// How many gets, listings and listed names it costs to read a block.
fn cost(world: &mut World, block: usize) -> (u32, u32, usize) {
    (world.gets, world.lists, world.listed) = (0, 0, 0);
    read(world, block).unwrap();
    (world.gets, world.lists, world.listed)
}

/// A log with a checkpoint in its middle.
fn world() -> World {
    let mut world = World::new();
    run(&mut world, 1, &[0, 1], 20);
    assert!(world.objects.contains_key(&checkpoint(0)));
    run(&mut world, 2, &[0], 3);
    world
}

#[test]
fn what_is_read_from_a_checkpoint_on_is_what_all_entries_say() {
    for runs in 1..6 {
        let mut world = World::new();
        for n in 1..=runs {
            run(&mut world, n, &[0], usize::from(n) * 5);
            assert_eq!(read(&mut world, 0).unwrap(), folded(&mut world, 0), "after {n} runs");
        }
    }
}

#[test]
fn what_a_read_costs_does_not_grow_with_the_log() {
    let mut world = World::new();
    let mut most = (0, 0, 0);
    for n in 1..100 {
        run(&mut world, n, &[0], 6);
        let (gets, lists, listed) = cost(&mut world, 0);
        most = (most.0.max(gets), most.1.max(lists), most.2.max(listed));
    }
    assert_eq!(folded(&mut world, 0).head.unwrap().seq, Seq(99 * 8 - 1));
    // The checkpoint, its entry (where the listing begins), and the entry that is missing; and what was written since.
    assert_eq!(most, (3 + 8, 1, 1 + 8));
}

#[test]
fn no_checkpoint_is_written_for_a_short_log() {
    let mut world = World::new();
    run(&mut world, 1, &[0], 13);
    assert!(!world.objects.contains_key(&checkpoint(0)), "15 events");
    run(&mut world, 2, &[1], 14);
    assert!(world.objects.contains_key(&checkpoint(1)), "16 events");
}

/// The blocks that nothing changed in cost the same, whatever happened in others.
#[test]
fn many_blocks_cost_what_changed_and_a_few_calls_each() {
    const ALL: [usize; 40] = {
        let mut all = [0; 40];
        let mut n = 0;
        while n < 40 {
            all[n] = n;
            n += 1;
        }
        all
    };
    let mut world = World::new();
    run(&mut world, 1, &ALL, 14);
    let read = |world: &mut World| {
        (world.gets, world.lists, world.listed) = (0, 0, 0);
        let read = world.run(|io| async move { read_blocks(&io, &infra(), ALL.map(addr)).await });
        assert!(read.len() == 40 && read.values().all(Result::is_ok));
        (world.gets, world.lists, world.listed)
    };
    // Two listings name the 40 hints and the 40 checkpoints.
    assert_eq!(read(&mut world), (40 * 3, 40 + 2, 40 + 80));
    run(&mut world, 2, &[3, 17], 2);
    assert_eq!(read(&mut world), (40 * 3 + 2 * 4, 40 + 2, 40 + 80 + 2 * 4));
    // Without checkpoints each is read from its beginning, and none is asked for.
    world.objects.retain(|key, _| !key.starts_with("v1/hint/checkpoint/"));
    let (gets, lists, listed) = read(&mut world);
    let entries = u32::try_from(listed - 40).unwrap();
    assert_eq!((gets, lists), (entries + 40 * 2, 40 + 1 + 1));
    // Neither hints nor checkpoints.
    world.objects.retain(|key, _| !key.starts_with("v1/hint/"));
    assert_eq!(read(&mut world), (entries + 40, 40 + 2, listed - 40));
}

/// Puts other bytes in place of the checkpoint of block 0.
fn with(world: &mut World, change: impl FnOnce(String) -> String) {
    let key = checkpoint(0);
    let text = String::from_utf8(world.objects[&key].0.clone()).unwrap();
    world.objects.insert(key, (change(text).into_bytes(), 0));
}

/// The body, signed with this key.
fn signed(body: &str, key: u8) -> String {
    let signer = Signer::new(&[key; 32], "");
    let sig = hex::encode(signer.sign(Purpose::Checkpoint, body.as_bytes()));
    format!("{body}\n{{\"key\":\"{}\",\"sig\":\"{sig}\"}}\n", signer.public())
}

fn body(text: &str) -> &str {
    text.lines().next().unwrap()
}

#[test]
fn one_that_does_not_fit_is_ignored() {
    type Change = Box<dyn Fn(&World, String) -> String>;
    let lie = |text: &str| body(text).replace("\"epoch\":1,\"generation\"", "\"epoch\":9,\"generation\"");
    let wrong: Vec<(&str, Change)> = vec![
        ("nothing", Box::new(|_, _| String::new())),
        ("garbage", Box::new(|_, _| "x\ny\n".to_owned())),
        ("cut", Box::new(|_, text| text[..text.len() / 2].to_owned())),
        ("edited", Box::new(move |_, text| text.replacen(body(&text), &lie(&text), 1))),
        ("signed by another", Box::new(|_, text| signed(body(&text), 9))),
        ("a lie that is signed by another", Box::new(move |_, text| signed(&lie(&text), 9))),
        ("newer", Box::new(|_, text| signed(&body(&text).replacen("{\"v\":2,", "{\"v\":3,", 1), 1))),
        ("older", Box::new(|_, text| signed(&body(&text).replacen("{\"v\":2,", "{\"v\":1,", 1), 1))),
        ("of another infrastructure", Box::new(|_, text| signed(&body(&text).replace("\"wix\"", "\"wax\""), 1))),
        ("of another block", Box::new(|world, _| String::from_utf8(world.objects[&checkpoint(1)].0.clone()).unwrap())),
        ("with something unknown", Box::new(|_, text| signed(&body(&text).replacen("{\"v\"", "{\"x\":1,\"v\"", 1), 1))),
        ("at another entry", Box::new(|_, text| signed(&body(&text).replacen("\"seq\":21", "\"seq\":20", 1), 1))),
        ("at no entry", Box::new(|_, text| signed(&body(&text).replacen("\"seq\":21", "\"seq\":99", 1), 1))),
    ];
    for (what, change) in wrong {
        let mut world = world();
        let expected = folded(&mut world, 0);
        let before = world.objects[&checkpoint(0)].0.clone();
        let text = change(&world, String::from_utf8(before.clone()).unwrap());
        assert_ne!(text.as_bytes(), before, "{what}: nothing was changed");
        with(&mut world, |_| text);
        assert_eq!(read(&mut world, 0).as_ref(), Ok(&expected), "{what}");
        // The checkpoint, the hint, 27 entries, the one that is missing, and maybe the entry that it was to stand at.
        let (gets, _, _) = cost(&mut world, 0);
        assert!((30..=31).contains(&gets), "{what}: {gets} gets, so it was believed");
    }
}

#[test]
fn a_log_that_was_rolled_back_or_written_anew_is_read_as_it_is() {
    let world = world();
    let checkpoint = world.objects[&checkpoint(0)].clone();
    // The whole store as it was before, but for the hints.
    let mut earlier = World::new();
    run(&mut earlier, 3, &[0], 5);
    let expected = folded(&mut earlier, 0);
    earlier.objects.insert(self::checkpoint(0), checkpoint.clone());
    assert_eq!(read(&mut earlier, 0), Ok(expected), "its entry is missing");
    run(&mut earlier, 4, &[0], 40);
    earlier.objects.insert(self::checkpoint(0), checkpoint);
    let expected = folded(&mut earlier, 0);
    assert_eq!(read(&mut earlier, 0), Ok(expected), "another entry stands there");
}

/// A state that cannot go on is not what the log says, whoever signed it.
#[test]
fn where_the_log_does_not_follow_all_of_it_is_read() {
    let mut world = world();
    let expected = folded(&mut world, 0);
    // By a writer that has gone mad: two epochs later than its own entry.
    with(&mut world, |text| {
        signed(&body(&text).replace("\"epoch\":1,\"generation\"", "\"epoch\":3,\"generation\""), 1)
    });
    assert_eq!(read(&mut world, 0), Ok(expected));
}

#[test]
fn damage_above_a_checkpoint_is_found() {
    let mut world = world();
    world.objects.remove(&entry_key::<BlockEvent>(&addr(0), Seq(23)).0);
    assert!(matches!(read(&mut world, 0), Err(ReadError::Gap { missing: Seq(23), .. })));
}

/// These bytes are read back by the same format alone: a change of them, or of what they mean to the fold, needs another one.
#[test]
fn the_form_of_a_checkpoint_stays_as_it_is() {
    let world = world();
    let text = String::from_utf8(world.objects[&checkpoint(1)].0.clone()).unwrap();
    insta::assert_snapshot!(body(&text), @r#"{"v":2,"kind":"block","stream":"us-east.b1","infra":"wix","state":{"head":{"seq":21,"hash":"9efa99e1bbf22a8d24958c8b03a25ef697c451619b900a731e2ec97edca67fee","heading":{"kind":"block","stream":"us-east.b1","infra":"wix","writer":{"key":"ed25519:8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c","name":"user1@host (8a88e3dd)"},"revision":"abc123","generation":7,"claim":{"run":"0101010101010101010101010101010101010101010101010101010101010101","epoch":1}}},"claim":null,"epoch":1,"generation":7,"revision":"abc123","writer":"user1@host (8a88e3dd)","digest":null,"defined":null,"env":null,"channel":null,"targets":{},"found":{},"resources":{},"deposed":{},"open":{},"arriving":{},"moved":{},"came":{},"adopting":{},"health":"told","next_intent":0,"definitions":{},"events":22,"checkpoint":22}}"#);
}
