//! How many reads it takes to wait for many objects, and what is believed.

use std::time::Duration;

use futures::future::join_all;

use super::*;
use crate::call::{Read, ReadAnswer, Readiness, ServerTime};
use crate::exec::limiter::{Limiter, Rates};
use crate::machine::{Action, ActionId, Event, Machine, Now};
use crate::plan::Providers;

/// A server of which a list shows these, in pages of ten, and a read of one object these.
#[derive(Clone, Copy)]
struct Server {
    listed: fn(&str) -> bool,
    there: fn(&str) -> bool,
}

/// As it was when the read was sent.
fn object(id: &str, sent: u64) -> Observed {
    let fields = [("sent".to_owned(), i64::try_from(sent).unwrap().into())].into();
    Observed { id: id.parse().unwrap(), mark: None, fields, readiness: Readiness::Pending }
}

impl Server {
    fn answer(self, read: &Read, of: usize, sent: u64) -> ReadAnswer {
        let page = |objects, next| ReadAnswer::Page { objects, next, server_time: Some(ServerTime(1)) };
        match &read.scope {
            Scope::Id(id) => {
                page((self.there)(id.as_str()).then(|| object(id.as_str(), sent)).into_iter().collect(), None)
            }
            Scope::Marked(_) => {
                let from: usize = read.page.as_deref().map_or(0, |page| page.parse().unwrap());
                let ids = (from..of.min(from + 10)).map(|n| n.to_string()).filter(|id| (self.listed)(id));
                let next = (from + 10 < of).then(|| (from + 10).to_string());
                page(ids.map(|id| object(&id, sent)).collect(), next)
            }
            other => panic!("{other:?}"),
        }
    }
}

/// A read on its way.
struct Sent {
    read: Read,
    at: u64,
}

/// So many objects are looked at so many times, with pauses of 100 ms, while a read takes 50: whether each saw its own at last,
/// and the reads.
fn look(server: Server, objects: usize, times: usize) -> (Vec<bool>, Vec<Read>) {
    let (seen, reads) = look_from(|_| 0, server, objects, times);
    (seen.into_iter().map(|seen| seen.is_some()).collect(), reads)
}

/// As [`look`], where each begins at its own instant; what each saw at last.
fn look_from(
    begin: fn(usize) -> u64,
    server: Server,
    objects: usize,
    times: usize,
) -> (Vec<Option<Observed>>, Vec<Read>) {
    let mut machine = Machine::new(move |io| async move {
        let limiter = Limiter::new(&Rates::default(), &Providers::default());
        let (watch, infra) = (Watch::default(), "wix".parse().unwrap());
        let target = TargetId { provider: "aws".parse().unwrap(), account: "1".to_owned(), region: "r".to_owned() };
        let type_name = "instance".parse().unwrap();
        let reader = Reader { io: &io, limiter: &limiter, attempts: 3 };
        let looks = (0..objects).map(|n| {
            let (watch, infra, target, type_name, io) = (&watch, &infra, &target, &type_name, &io);
            async move {
                let mut seen = None;
                io.sleep(Duration::from_millis(begin(n))).await;
                for _ in 0..times {
                    let id = n.to_string().parse().unwrap();
                    seen = watch.look(reader, infra, (target, type_name), &id).await.unwrap();
                    io.sleep(Duration::from_millis(100)).await;
                }
                seen
            }
        });
        join_all(looks).await
    });
    let (mut reads, mut came, mut now) = (Vec::new(), 0, 0);
    let mut due: BTreeMap<(u64, u64), (ActionId, Option<Sent>)> = BTreeMap::new();
    let mut event = None;
    loop {
        let at = Now { boot_ms: now, wall_ms: now };
        for (id, action) in machine.step(at, event.take()) {
            came += 1;
            match action {
                Action::Read { read, .. } => drop(due.insert((now + 50, came), (id, Some(Sent { read, at: now })))),
                Action::Sleep { duration } => {
                    let later = u64::try_from(duration.as_millis()).unwrap();
                    due.insert((now + later, came), (id, None));
                }
                other => panic!("{other:?}"),
            }
        }
        if let Some(seen) = machine.take_result() {
            return (seen, reads);
        }
        let ((when, _), (id, read)) = due.pop_first().expect("it waits for something");
        now = when;
        event = Some(match read {
            Some(Sent { read, at }) => {
                let answer = server.answer(&read, objects, at);
                reads.push(read);
                (id, Event::Read(answer))
            }
            None => (id, Event::Woke),
        });
    }
}

fn of_one(reads: &[Read]) -> usize {
    reads.iter().filter(|read| matches!(read.scope, Scope::Id(_))).count()
}

const ALL: Server = Server { listed: |_| true, there: |_| true };

#[test]
fn one_object_takes_one_read_each_time() {
    let (seen, reads) = look(ALL, 1, 4);
    assert_eq!((seen, reads.len(), of_one(&reads)), (vec![true], 4, 4));
}

#[test]
fn many_are_looked_for_by_one_list() {
    let (seen, reads) = look(ALL, 95, 3);
    assert!(seen.into_iter().all(|seen| seen));
    // Each time the first one looks alone, while the others come.
    assert!(of_one(&reads) <= 6, "{}", of_one(&reads));
    assert!(reads.len() - of_one(&reads) <= 3 * 10 + 10, "{} reads, of ten pages", reads.len());
}

#[test]
fn few_do_not_read_a_long_list() {
    // The first list tells how long it is: 95 objects on ten pages, of which two wait.
    let server = Server { listed: |id| id.len() == 1, there: |_| true };
    let (seen, reads) = look(server, 2, 10);
    assert!(seen.into_iter().all(|seen| seen));
    assert!(reads.len() <= 20, "{}", reads.len());
}

#[test]
fn that_something_is_not_there_is_not_told_from_a_list() {
    let server = Server { listed: |id| !id.ends_with('7'), there: |id| id != "17" };
    let (seen, _) = look(server, 40, 1);
    let absent: Vec<usize> = seen.iter().enumerate().filter(|(_, seen)| !**seen).map(|(n, _)| n).collect();
    assert_eq!(absent, [17], "those without our mark are there");
}

#[test]
fn a_list_that_shows_nothing_is_not_read_again() {
    let server = Server { listed: |_| false, there: |_| true };
    let (seen, reads) = look(server, 20, 5);
    assert!(seen.into_iter().all(|seen| seen));
    assert_eq!(reads.len() - of_one(&reads), 2, "two pages, once");
    assert_eq!(of_one(&reads), 100);
}

/// What it waits for may have begun after the list was sent: the list may still show the object as ready as it was before.
#[test]
fn nobody_is_told_by_a_list_that_was_sent_before_they_came() {
    // The first looks alone until 50, then the list is on its way until 100.
    let begin = |n| if n == 9 { 60 } else { 0 };
    let (seen, reads) = look_from(begin, ALL, 10, 1);
    assert!(reads.iter().any(|read| matches!(read.scope, Scope::Marked(_))));
    let sent = seen[9].as_ref().unwrap().fields["sent"].as_int().unwrap();
    assert!(sent >= 60, "it came at 60, and was told what was so at {sent}");
}
