//! Claims: who gets a block, who is refused, who is superseded, and what group commit writes.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;

use super::world::{Process, PutFault, World, author, author_of, infra, new_run, run_id};
use crate::id::{BlockAddr, Epoch, Seq};
use crate::machine::{Action, Io};
use crate::stream::event::{BlockEvent, ObjectRecord, RunOutcome, TakeOver};
use crate::stream::{
    BlockState, Claim, ClaimError, ReadError, RunStream, StartError, WriteError, claim_block, read_block, read_log,
};
use crate::target::TargetId;
use crate::value::{Fields, Value};

fn addr() -> BlockAddr {
    "us-east.network".parse().unwrap()
}

fn reserved(n: u8) -> BlockEvent {
    BlockEvent::Reserved { run: run_id(n) }
}

async fn claimed(io: &Io, n: u8) -> Result<Claim, ClaimError> {
    let run = RunStream::start(io, author(n), new_run(n)).await.expect("the run begins");
    let state = read_block(io, &infra(), &addr()).await?;
    claim_block(io, &run, &addr(), state).await
}

/// A run that claims the block and ends without a word.
fn leave_claimed(world: &mut World, n: u8) {
    world.run(move |io| async move { drop(claimed(&io, n).await.unwrap()) });
}

fn entries(world: &mut World) -> Vec<Vec<BlockEvent>> {
    let read = world.run(|io| async move { read_log::<BlockEvent>(&io, &infra(), &addr()).await });
    read.unwrap().into_iter().map(|entry| entry.body.events.clone()).collect()
}

fn last_takeover(world: &mut World) -> Option<TakeOver> {
    match entries(world).last().map(Vec::as_slice) {
        Some([BlockEvent::Claimed { took_over, .. }]) => *took_over,
        other => panic!("the last entry is {other:?}"),
    }
}

#[test]
fn a_held_block_is_refused_with_its_holder() {
    let mut world = World::new();
    leave_claimed(&mut world, 1);
    let before = entries(&mut world);
    let error = world.run(|io| async move { claimed(&io, 2).await.err().unwrap() });
    let text = error.to_string();
    for part in ["us-east.network", "user1@host", "run 01010101", "since 2026-01-31 09:05:00 UTC", "32 s"] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    assert_eq!(entries(&mut world), before);
}

#[test]
fn a_released_block_is_claimed_with_the_next_epoch() {
    let mut world = World::new();
    world.run(|io| async move {
        let claim = claimed(&io, 1).await.unwrap();
        claim.release().await.unwrap();
        let late = claim.append(vec![reserved(1)]).await.unwrap_err();
        assert!(matches!(late, WriteError::GivenBack { .. }), "{late}");
        let next = claimed(&io, 2).await.unwrap();
        assert_eq!(next.epoch(), Epoch(2));
        assert_eq!(next.state().claim.as_ref().unwrap().run, run_id(2));
    });
    assert_eq!(last_takeover(&mut world), None);
}

#[test]
fn a_dead_holder_is_taken_over_at_once() {
    let mut world = World::new();
    leave_claimed(&mut world, 1);
    world.dead.insert(1);
    let before = world.ms;
    leave_claimed(&mut world, 2);
    assert_eq!(world.ms, before, "nothing is waited for");
    assert_eq!(last_takeover(&mut world), Some(TakeOver::HolderDead));
}

#[test]
fn a_run_that_ended_holds_nothing() {
    let mut world = World::new();
    world.run(|io| async move {
        let claim = claimed(&io, 1).await.unwrap();
        claim.run().end(RunOutcome::Failed).await.unwrap();
    });
    leave_claimed(&mut world, 2);
    assert_eq!(last_takeover(&mut world), Some(TakeOver::RunEnded));
}

#[test]
fn a_silent_holder_is_taken_over_when_its_lease_is_past() {
    for (silent_s, taken) in [(29, false), (31, false), (32, false), (33, true)] {
        let mut world = World::new();
        leave_claimed(&mut world, 1);
        world.ms += silent_s * 1_000;
        let result = world.run(|io| async move { claimed(&io, 2).await.map(drop) });
        assert_eq!(result.is_ok(), taken, "after {silent_s} s: {result:?}");
        if taken {
            assert_eq!(last_takeover(&mut world), Some(TakeOver::LeaseExpired));
        }
    }
}

#[test]
fn a_holder_that_renews_is_not_taken_over() {
    let mut world = World::new();
    let mut first = Process::new(|io| async move {
        let claim = claimed(&io, 1).await.unwrap();
        io.sleep(Duration::from_secs(300)).await;
        claim.append(vec![reserved(1)]).await
    });
    let is_late_renewal = |ms: u64| move |action: &Action| matches!(action, Action::Put { .. }) && ms > 0;
    let mut renewals = 0;
    first.run_to(&mut world, |action| {
        renewals += u32::from(is_late_renewal(1)(action));
        renewals == 9
    });
    assert!(world.ms > 1_000_000 + 60_000, "several leases have passed");
    assert!(world.run(|io| async move { claimed(&io, 2).await.map(drop) }).is_err());
    assert_eq!(first.run(&mut world), Ok(()));
}

#[test]
fn a_superseded_writer_writes_nothing_ever() {
    let mut world = World::new();
    let mut first = Process::new(|io| async move {
        let claim = claimed(&io, 1).await.unwrap();
        let paused = claim.append(vec![reserved(1)]).await;
        io.sleep(Duration::from_secs(1)).await;
        let again = claim.append(vec![reserved(1)]).await;
        (paused, again, claim.run().lease().check(io.now()).is_ok())
    });
    // Paused between the decision to write and the write.
    let mut puts = 0;
    first.run_to(&mut world, |action| {
        puts += u32::from(matches!(action, Action::Put { .. }));
        puts == 3
    });
    world.ms += 60_000;
    leave_claimed(&mut world, 2);
    let before = entries(&mut world);
    let (paused, again, lease) = first.run(&mut world);
    let error = paused.unwrap_err();
    assert!(matches!(&error, WriteError::Superseded { by, .. } if by.starts_with("user2@host")), "{error}");
    assert_eq!(again, Err(error), "once superseded, always");
    assert!(!lease);
    assert_eq!(entries(&mut world), before);
}

#[test]
fn of_two_that_claim_at_once_one_wins_and_the_other_is_told_by_whom() {
    let mut world = World::new();
    let claims = |n| move |io: Io| async move { claimed(&io, n).await.map(|claim| claim.epoch()) };
    let mut first = Process::new(claims(1));
    // The first stands right before its claiming put: the run's first entry was the put before it.
    let mut puts = 0;
    first.run_to(&mut world, |action| {
        puts += u32::from(matches!(action, Action::Put { .. }));
        puts == 2
    });
    assert_eq!(world.run(claims(2)), Ok(Epoch(1)));
    let error = first.run(&mut world).unwrap_err();
    assert!(matches!(&error, ClaimError::Refused(refused) if refused.run == run_id(2)), "{error}");
}

#[test]
fn events_that_queue_up_share_an_entry() {
    let mut world = World::new();
    world.run(|io| async move {
        let claim = claimed(&io, 1).await.unwrap();
        // The read is answered while the first event's put is on its way: the others queue up behind it.
        let others = async {
            io.get(crate::machine::StoreKey("v1/x".to_owned())).await;
            let appends = (1..10).map(|n| claim.append(vec![reserved(n)]));
            assert!(join_all(appends).await.iter().all(Result::is_ok));
        };
        let (first, ()) = futures::join!(claim.append(vec![reserved(0)]), others);
        first.unwrap();
    });
    let entries = entries(&mut world);
    assert_eq!(entries[1..], [vec![reserved(0)], (1..10).map(reserved).collect()]);
}

#[test]
fn an_append_returns_only_when_its_event_stands() {
    let mut world = World::new();
    let mut n = 0;
    world.faults = Box::new(move |key| {
        n += u32::from(key.0.starts_with("v1/block/"));
        if n == 2 { PutFault::LostRequest } else { PutFault::None }
    });
    world.run(|io| async move {
        let claim = claimed(&io, 1).await.unwrap();
        claim.append(vec![reserved(1)]).await.unwrap();
        let read = read_block(&io, &infra(), &addr()).await.unwrap();
        assert_eq!(read, *claim.state());
        assert_eq!(read.head.unwrap().seq, Seq(1));
    });
}

#[test]
fn unknown_outcomes_are_resolved_without_a_second_entry() {
    for fault in [PutFault::LostAnswer, PutFault::LostRequest, PutFault::Late] {
        for at in 0..6 {
            let mut world = World::new();
            let mut n = 0;
            world.faults = Box::new(move |_| {
                n += 1;
                if n == at + 1 { fault } else { PutFault::None }
            });
            world.run(|io| async move {
                let claim = claimed(&io, 1).await.unwrap();
                claim.append(vec![reserved(1)]).await.unwrap();
                claim.append(vec![reserved(2)]).await.unwrap();
                claim.release().await.unwrap();
                claim.run().end(RunOutcome::Succeeded).await.unwrap();
            });
            assert_eq!(entries(&mut world).len(), 4, "{fault:?} of put {at}");
        }
    }
}

#[test]
fn an_outcome_that_stays_unknown_ends_the_claim() {
    let mut world = World::new();
    let mut n = 0;
    world.faults = Box::new(move |key| {
        n += u32::from(key.0.starts_with("v1/block/"));
        if n >= 2 && key.0.starts_with("v1/block/") { PutFault::LostRequest } else { PutFault::None }
    });
    world.run(|io| async move {
        let claim = claimed(&io, 1).await.unwrap();
        let (first, second) = futures::join!(claim.append(vec![reserved(1)]), claim.append(vec![reserved(2)]));
        assert!(matches!(first, Err(WriteError::Unresolved { .. })), "{first:?}");
        assert_eq!(first, second);
        assert_eq!(claim.append(vec![reserved(3)]).await, first);
    });
    assert_eq!(entries(&mut world).len(), 1);
}

#[test]
fn an_illegal_event_is_a_bug_and_writes_nothing() {
    let mut world = World::new();
    world.run(|io| async move {
        let claim = claimed(&io, 1).await.unwrap();
        let before = claim.state();
        let illegal = BlockEvent::Abandoned { intent: crate::id::IntentNo(3) };
        let error = claim.append(vec![reserved(1), illegal]).await.unwrap_err();
        assert!(matches!(error, WriteError::Illegal { .. }), "{error}");
        assert_eq!(claim.state(), before);
        claim.append(vec![reserved(2)]).await.unwrap();
    });
    assert_eq!(entries(&mut world).concat().len(), 2);
}

#[test]
fn an_older_generation_claims_nothing() {
    let mut world = World::new();
    world.run(|io| async move {
        claimed(&io, 1).await.unwrap().release().await.unwrap();
        let old = RunStream::start(&io, author_of(2, 6), new_run(2)).await.unwrap();
        let error = claim_block(&io, &old, &addr(), BlockState::default()).await.err().unwrap();
        assert!(matches!(error, ClaimError::OlderGeneration { .. }), "{error}");
    });
    assert_eq!(entries(&mut world).len(), 2);
}

#[test]
fn a_plan_has_at_most_one_run() {
    let mut world = World::new();
    world.run(|io| async move {
        let first = RunStream::start(&io, author(1), new_run(1)).await.unwrap();
        let error = RunStream::start(&io, author(2), new_run(1)).await.err().unwrap();
        assert!(error.to_string().contains("is being applied by user1@host"), "{error}");
        first.end(RunOutcome::Succeeded).await.unwrap();
        let error = RunStream::start(&io, author(2), new_run(1)).await.err().unwrap();
        assert!(matches!(error, StartError::AlreadyUsed { .. }), "{error}");
        assert!(error.to_string().contains("was already applied by run"), "{error}");
    });
}

#[test]
fn a_lease_that_lapsed_is_not_renewed() {
    let mut world = World::new();
    let mut first = Process::new(|io| async move {
        let run = RunStream::start(&io, author(1), new_run(1)).await.unwrap();
        io.sleep(Duration::from_secs(45)).await;
        run.lease().check(io.now()).is_ok()
    });
    // Paused with a renewal on its way; it lands, and the lease is lost all the same.
    let mut puts = 0;
    first.run_to(&mut world, |action| {
        puts += u32::from(matches!(action, Action::Put { .. }));
        puts == 2
    });
    world.ms += 31_000;
    assert!(!first.run(&mut world));
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let mut world = World::new();
    world.run(|io| async move {
        let claim = claimed(&io, 1).await.unwrap();
        // JSON that is nested deeper than any reader follows.
        let deep = (0..200).fold(Value::Null, |inner, _| Value::List(vec![inner]));
        let record = BlockEvent::MovedIn {
            resource: "main".parse().unwrap(),
            from: "us-east.b.main".parse().unwrap(),
            epoch: Epoch(1),
            applied: None,
            protected: false,
            record: Box::new(record(deep)),
        };
        let error = claim.append(vec![record]).await.unwrap_err();
        assert!(matches!(error, WriteError::Unreadable { .. }), "{error}");
    });
    assert_eq!(entries(&mut world).len(), 1);
}

fn record(field: Value) -> ObjectRecord {
    ObjectRecord {
        type_name: "aws_vpc".parse().unwrap(),
        version: 1,
        target: TargetId { provider: "aws".parse().unwrap(), account: "1".to_owned(), region: String::new() },
        id: "vpc-1".parse().unwrap(),
        mark: None,
        fields: Fields::from([("field".to_owned(), field)]),
        depends_on: BTreeSet::new(),
    }
}

#[test]
fn a_stream_with_a_hole_is_not_claimed_also_if_the_hint_hides_it() {
    let mut world = World::new();
    world.run(|io| async move {
        for n in 1..4 {
            claimed(&io, n).await.unwrap().release().await.unwrap();
        }
    });
    let key = |seq| format!("v1/block/us-east.network/{seq:020}");
    world.objects.insert("v1/hint/block/us-east.network".to_owned(), (br#"{"seq":1}"#.to_vec(), 0));
    world.objects.remove(&key(2)).unwrap();
    let error = world.run(|io| async move { claimed(&io, 4).await.err().unwrap() });
    assert!(matches!(error, ClaimError::Read(ReadError::Gap { missing: Seq(2), .. })), "{error}");
    assert!(!world.objects.contains_key(&key(2)));
}
