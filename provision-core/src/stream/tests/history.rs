//! What a log tells of the past, and reading many of them.

use super::folds::{claim, claimed, id, intent, name};
use super::world::{World, author_of, run_id};
use crate::call::Effect;
use crate::history::{Deed, deeds, told};
use crate::id::{Digest, IntentNo, Seq};
use crate::stream::envelope::{Entry, Head};
use crate::stream::event::{BlockEvent, Landed, TakeOver};
use crate::stream::list_runs;
use crate::stream::{NewRun, RunStream, read_runs};
use crate::value::Fields;

/// Entries of one event each, under the claim of the run in front of it.
fn entries(events: &[(u8, BlockEvent)]) -> Vec<Entry<BlockEvent>> {
    let author = author_of(1, 7);
    let addr = "us-east.network".parse().unwrap();
    let mut head: Option<Head> = None;
    let mut out = Vec::new();
    for (run, event) in events {
        let claim = Some(claim(*run, (*run).into()));
        let (body, bytes) = author.compose(&addr, head.as_ref(), claim, vec![event.clone().into()]);
        let entry = Entry { body: body.into(), hash: Digest::of(&bytes), modified_ms: 0 };
        head = Some(entry.head());
        out.push(entry);
    }
    out
}

fn create() -> Effect {
    Effect::Create { fields: Fields::new(), computed: Vec::new(), mark: None }
}

fn set(field: &str) -> Effect {
    Effect::Set { fields: Fields::from([(field.to_owned(), "x".into())]), mark: None }
}

fn done(number: u64, created: Option<&str>) -> BlockEvent {
    let id = created.map(id);
    BlockEvent::Done { intent: IntentNo(number), id, outputs: Fields::new(), how: Landed::Answered }
}

fn shown(deeds: &[Deed]) -> Vec<String> {
    deeds.iter().map(|deed| serde_json::to_string(deed).unwrap()).collect()
}

#[test]
fn what_a_run_did_is_what_stands_under_its_claim() {
    let log = entries(&[
        (1, claimed(1, 1, None)),
        (1, intent(1, "main", None, create())),
        (1, done(1, Some("vpc-1"))),
        (1, intent(2, "main", Some("vpc-1"), set("dns"))),
        (1, done(2, None)),
        (1, intent(3, "other", None, create())),
        (2, claimed(2, 2, Some(TakeOver::LeaseExpired))),
        (2, done(3, Some("vpc-2"))),
        (2, intent(4, "main", Some("vpc-1"), set("tags"))),
        (2, BlockEvent::Failed { intent: IntentNo(4), code: "No".to_owned(), message: "not now".to_owned() }),
        (2, intent(5, "main", Some("vpc-1"), set("tags"))),
        (2, done(5, None)),
        (2, intent(6, "main", Some("vpc-1"), set("dns"))),
        (2, done(6, None)),
        (2, intent(7, "other", Some("vpc-2"), Effect::Remove)),
        (2, done(7, None)),
        (2, BlockEvent::Gone { resource: name("main"), id: id("vpc-1") }),
        (2, BlockEvent::Released {}),
    ]);
    assert_eq!(
        shown(&deeds(&log, &run_id(1))),
        [
            r#"{"resource":"main","did":"created","type_name":"aws_vpc","id":"vpc-1"}"#,
            r#"{"resource":"other","did":"left_open","api":"Do"}"#,
        ]
    );
    assert_eq!(
        shown(&deeds(&log, &run_id(2))),
        [
            r#"{"resource":"other","did":"created","type_name":"aws_vpc","id":"vpc-2"}"#,
            r#"{"resource":"main","did":"failed","api":"Do","code":"No","message":"not now"}"#,
            r#"{"resource":"main","did":"updated","type_name":"aws_vpc","id":"vpc-1","fields":["dns","tags"]}"#,
            r#"{"resource":"other","did":"deleted","type_name":"aws_vpc","id":"vpc-2"}"#,
            r#"{"resource":"main","did":"found_gone","id":"vpc-1"}"#,
        ]
    );
    assert!(deeds(&log, &run_id(3)).is_empty());
    let of_main: Vec<Seq> =
        told(&log).iter().filter(|told| told.resource == Some(&name("main"))).map(|told| told.entry.body.seq).collect();
    assert_eq!(of_main, [1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 16].map(Seq));
}

#[test]
fn many_runs_are_read_side_by_side_and_know_when_they_began() {
    let mut world = World::new();
    for n in 1..=40 {
        world.ms = 1_000_000 + u64::from(n) * 1_000;
        world.run(move |io| async move {
            let new = NewRun { id: run_id(n), ..super::world::new_run(n) };
            let run = RunStream::start(&io, super::world::author(n), new).await.unwrap();
            io.sleep(std::time::Duration::from_millis(500)).await;
            run.end(crate::stream::event::RunOutcome::Succeeded).await.unwrap();
        });
    }
    world.objects.insert(format!("v1/run/{}/{:020}", run_id(7), 0), (b"damaged\n".to_vec(), 1));
    let runs = world.run(|io| async move {
        let runs = list_runs(&io).await.unwrap();
        read_runs(&io, &super::world::infra(), runs).await
    });
    assert_eq!(runs.len(), 40);
    assert!(runs[&run_id(7)].is_err() && runs[&run_id(8)].is_ok(), "a damaged one harms no other");
    let third = runs[&run_id(3)].as_ref().unwrap();
    assert_eq!((third.began_ms, third.modified_ms, third.ended.is_some()), (1_003_000, 1_003_500, true));
}
