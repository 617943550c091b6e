//! Lists that do not show everything: how many reads it takes, and what comes out.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;

use super::*;
use crate::call::{Call, Mark};
use crate::exec::limiter::Rates;
use crate::id::{ProviderName, Token};
use crate::machine::{Action, Event, Machine, Now};
use crate::plan::Providers;
use crate::provider::{CannotCompile, Change, Provider};
use crate::schema::Schema;

/// Load balancers: pages of 100, tags in batches of 20. And records, which carry no mark: they are listed by their zone.
struct Balancers;

const DETAILS: &[Detail] = &[
    Detail { name: "tags", batch: 20, asked: Asked::Always },
    Detail { name: "attributes", batch: 1, asked: Asked::Set(&["idle_timeout", "logs"]) },
    Detail { name: "refresh", batch: 1, asked: Asked::Waiting },
];

impl Provider for Balancers {
    fn name(&self) -> ProviderName {
        "aws".parse().unwrap()
    }
    fn schemas(&self) -> &'static [&'static Schema] {
        &[]
    }
    fn identity_key(&self, _: &TypeName) -> &'static [&'static str] {
        &[]
    }
    fn details(&self, type_name: &TypeName) -> &'static [Detail] {
        if type_name.as_str() == "record" { &[] } else { DETAILS }
    }
    fn lists(&self, type_name: &TypeName, infra: &InfraId, recorded: &BTreeSet<ObjectId>) -> Vec<Scope> {
        if type_name.as_str() != "record" {
            return vec![Scope::Marked(infra.clone())];
        }
        let zones: BTreeSet<&str> = recorded.iter().filter_map(|id| Some(id.as_str().split_once('/')?.0)).collect();
        zones.into_iter().map(|zone| Scope::Key([("zone".to_owned(), zone.into())].into())).collect()
    }
    fn compile(&self, _: &TypeName, _: &Change<'_>) -> Result<Vec<Call>, CannotCompile> {
        Ok(Vec::new())
    }
}

fn target() -> TargetId {
    TargetId { provider: "aws".parse().unwrap(), account: "1".to_owned(), region: "us".to_owned() }
}

fn ours(n: usize) -> Mark {
    let address = format!("us.web.lb{n}").parse().unwrap();
    Mark { infra: "wix".parse().unwrap(), address, incarnation: Token::new("0123456789abcdef").unwrap() }
}

fn object(id: &str) -> Observed {
    Observed { id: id.parse().unwrap(), mark: None, fields: Default::default(), readiness: Readiness::Ready }
}

/// The answer to a read, of 300 balancers, of which every third is somebody else's and the first has just gone.
fn answer(read: &Read) -> ReadAnswer {
    let page = |objects: Vec<Observed>, next: Option<String>| ReadAnswer::Page {
        objects,
        next,
        server_time: Some(ServerTime(1_000)),
    };
    match &read.scope {
        Scope::Detail { detail, objects } if detail == "tags" => {
            assert!(objects.len() <= 20);
            let numbers = objects.iter().map(|id| id.as_str()[3..].parse::<usize>().unwrap()).filter(|n| *n > 0);
            let seen = numbers.map(|n| {
                let mark = (n % 3 != 0).then(|| ours(n));
                let fields = [("tags".to_owned(), Value::Map([("n".to_owned(), n.to_string().into())].into()))].into();
                Observed { mark, fields, ..object(&format!("lb-{n}")) }
            });
            page(seen.collect(), None)
        }
        Scope::Detail { detail, objects } if detail == "attributes" => {
            let fields = [("idle_timeout".to_owned(), 60.into())].into();
            page(vec![Observed { fields, ..object(objects[0].as_str()) }], None)
        }
        Scope::Detail { objects, .. } => {
            let readiness = Readiness::Failed("the refresh was cancelled".to_owned());
            page(vec![Observed { readiness, ..object(objects[0].as_str()) }], None)
        }
        Scope::Key(key) => {
            let zone = key["zone"].as_text().unwrap();
            page(["a", "b", "c"].map(|name| object(&format!("{zone}/{name}"))).into(), None)
        }
        _ => {
            let from: usize = read.page.as_deref().map_or(0, |page| page.parse().unwrap());
            let next = (from + 100 < 300).then(|| (from + 100).to_string());
            page((from..from + 100).map(|n| object(&format!("lb-{n}"))).collect(), next)
        }
    }
}

/// What comes of it, and which reads it took.
fn run<T: Send + 'static, F: Future<Output = T> + Send>(
    read: impl FnOnce(Io, Limiter) -> F + Send + 'static,
) -> (T, Vec<Read>) {
    let now = Now { boot_ms: 0, wall_ms: 0 };
    let providers = Providers::new([Arc::new(Balancers) as Arc<dyn Provider>]);
    let limiter = Limiter::new(&Rates::default(), &providers);
    let mut machine = Machine::new(move |io| async move { read(io, limiter).await });
    let (mut reads, mut due) = (Vec::new(), VecDeque::from(machine.step(now, None)));
    loop {
        if let Some(result) = machine.take_result() {
            return (result, reads);
        }
        let (id, action) = due.pop_front().expect("it waits for an answer");
        let Action::Read { read, .. } = action else { panic!("{action:?}") };
        due.extend(machine.step(now, Some((id, Event::Read(answer(&read))))));
        reads.push(read);
    }
}

fn by<'a>(io: &'a Io, limiter: &'a Limiter) -> Reader<'a> {
    Reader { io, limiter, attempts: 3 }
}

fn asked(reads: &[Read], what: impl Fn(&Scope) -> bool) -> usize {
    reads.iter().filter(|read| what(&read.scope)).count()
}

#[test]
fn tags_are_read_in_batches_and_tell_what_is_ours() {
    let (all, reads) = run(|io, limiter| async move {
        let (target, type_name) = (target(), "lb".parse().unwrap());
        let infra = "wix".parse().unwrap();
        by(&io, &limiter).ours((&target, &type_name), &infra, &Known::default()).await.unwrap()
    });
    assert_eq!(asked(&reads, |scope| matches!(scope, Scope::Marked(_))), 3);
    assert_eq!(asked(&reads, |scope| matches!(scope, Scope::Detail { .. })), 15, "300 in batches of 20");
    assert_eq!(all.objects.len(), 200, "neither somebody else's nor what has gone");
    assert_eq!(all.objects[0].mark, Some(ours(1)));
    assert!(all.objects[0].fields.contains_key("tags"));
}

fn record(id: &str, fields: &[(&str, Value)]) -> ObjectRecord {
    ObjectRecord {
        type_name: "lb".parse().unwrap(),
        version: 1,
        target: target(),
        id: id.parse().unwrap(),
        mark: None,
        fields: fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        depends_on: BTreeSet::new(),
    }
}

#[test]
fn what_few_objects_set_is_read_of_those_alone() {
    let (all, reads) = run(|io, limiter| async move {
        let (target, type_name) = (target(), "lb".parse().unwrap());
        let sets = record("lb-1", &[("idle_timeout", 30.into())]);
        let sets_not = record("lb-2", &[("name", "x".into()), ("logs", Value::Null)]);
        let records = vec![&sets, &sets_not];
        let known = Known { ids: records.iter().map(|record| record.id.clone()).collect(), records };
        by(&io, &limiter).ours((&target, &type_name), &"wix".parse().unwrap(), &known).await.unwrap()
    });
    let attributes = |scope: &Scope| matches!(scope, Scope::Detail { detail, .. } if detail == "attributes");
    assert_eq!(asked(&reads, attributes), 1);
    let shown: Vec<&str> = all
        .objects
        .iter()
        .filter(|object| object.fields.contains_key("idle_timeout"))
        .map(|object| object.id.as_str())
        .collect();
    assert_eq!((shown, all.objects.len()), (vec!["lb-1"], 200), "the others stay as they are");
}

#[test]
fn one_object_that_is_asked_for_is_read_whole() {
    let (_, reads) = run(|io, limiter| async move {
        let (target, type_name) = (target(), "lb".parse().unwrap());
        by(&io, &limiter).all((&target, &type_name), &Scope::Id("lb-1".parse().unwrap())).await.unwrap()
    });
    let attributes = |scope: &Scope| matches!(scope, Scope::Detail { detail, .. } if detail == "attributes");
    assert!(asked(&reads, attributes) > 0);
}

#[test]
fn what_carries_no_mark_is_listed_where_the_recorded_ones_are() {
    let (all, reads) = run(|io, limiter| async move {
        let (target, type_name) = (target(), "record".parse().unwrap());
        let ids = ["z1/a", "z1/gone", "z2/b"].map(|id| id.parse().unwrap()).into();
        let recorded = Known { ids, records: Vec::new() };
        by(&io, &limiter).ours((&target, &type_name), &"wix".parse().unwrap(), &recorded).await.unwrap()
    });
    assert_eq!(reads.len(), 2, "one for each zone");
    let ids: Vec<&str> = all.objects.iter().map(|object| object.id.as_str()).collect();
    assert_eq!(ids, ["z1/a", "z2/b"]);
}

#[test]
fn an_object_that_is_waited_for_may_have_failed_elsewhere() {
    let pending = Observed { readiness: Readiness::Pending, ..object("lb-1") };
    let (stands, reads) = run(move |io, limiter| async move {
        let (target, type_name) = (target(), "lb".parse().unwrap());
        let ready = by(&io, &limiter).readiness((&target, &type_name), &object("lb-1")).await;
        (ready, by(&io, &limiter).readiness((&target, &type_name), &pending).await)
    });
    assert_eq!(stands, (Readiness::Ready, Readiness::Failed("the refresh was cancelled".to_owned())));
    assert_eq!(reads.len(), 1, "what is ready is not asked about");
}
