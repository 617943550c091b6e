//! The cloud in a directory.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::support::*;
use crate::call::{Answer, Recovery, Refusal, Sending, ServerTime, Wait};
use crate::id::ObjectId;
use crate::sim::{Clock, FileCloud, FileCloudError, SimCloud, SimConfig, Tamper};
use crate::value::Fields;

#[derive(Clone, Default)]
struct Ticks(Arc<AtomicU64>);

impl Ticks {
    fn clock(&self) -> Clock {
        let ticks = self.0.clone();
        Arc::new(move || at(ticks.load(Ordering::SeqCst)))
    }
    fn set(&self, millis: u64) -> ServerTime {
        self.0.store(millis, Ordering::SeqCst);
        at(millis)
    }
}

fn config() -> SimConfig {
    SimConfig { latency_percent: 100, ..SimConfig::instant(7) }
}

fn open(dir: &Path, ticks: &Ticks) -> FileCloud {
    FileCloud::open_with_clock(dir, config(), ticks.clock()).unwrap()
}

fn journal(dir: &Path) -> std::path::PathBuf {
    dir.join("journal.jsonl")
}

/// A call of each kind, as a function of the time and of the objects made before.
type Step = fn(ServerTime, &[ObjectId]) -> Sending;

const STEPS: &[Step] = &[
    |now, _| create(now, "aws_vpc", fields([("cidr", "10.0.0.0/16"), ("$odd", "a\nb\u{1F980}")])).marked(mark("main")),
    |now, made| {
        create(now, "aws_security_group", fields([("vpc", made[0].as_str())]))
            .recovery(Recovery::Name { name: "web".to_owned() })
    },
    |now, _| {
        create(now, "aws_instance", Fields::new())
            .computed(&["private_ip"])
            .wait(Wait::Ready(9))
            .recovery(Recovery::Token { token: token(1), term_seconds: 60 })
    },
    |now, made| set(now, "aws_vpc", &made[0], fields([("dns", "on")])).marked(mark("other")),
    |now, made| remove(now, "aws_vpc", &made[0]),
    |now, made| remove(now, "aws_instance", &made[2]).wait(Wait::Gone(9)),
    |now, _| {
        create(now, "aws_instance", Fields::new())
            .computed(&["private_ip"])
            .wait(Wait::Ready(9))
            .recovery(Recovery::Token { token: token(1), term_seconds: 60 })
    },
    |now, made| remove(now, "aws_security_group", &made[1]),
    |now, made| remove(now, "aws_vpc", &made[0]),
];

/// Runs the steps in the clouds that `pick` gives and in a model in memory, which all have to agree throughout.
fn run(ticks: &Ticks, mut pick: impl FnMut(usize) -> Vec<Arc<FileCloud>>) {
    let mut model = SimCloud::new(config());
    let mut made = Vec::new();
    for (number, step) in STEPS.iter().enumerate() {
        let now = ticks.set(number as u64 * 400);
        let sending = step(now, &made);
        let expected = model.call(now, &target(), &sending);
        let clouds = pick(number);
        assert_eq!(clouds[0].call(&target(), &sending), expected, "step {number}");
        if let Answer::Done { id: Some(id), .. } = expected {
            made.push(id);
        }
        for cloud in clouds {
            assert_eq!(cloud.objects().unwrap(), model.objects(now), "step {number}");
        }
    }
    let tokens_replayed = made[3] == made[2];
    assert!(tokens_replayed, "the steps cover a token");
}

#[test]
fn two_processes_see_one_cloud() {
    let (dir, ticks) = (tempfile::tempdir().unwrap(), Ticks::default());
    let one = Arc::new(open(dir.path(), &ticks));
    let two = Arc::new(open(dir.path(), &ticks));
    run(&ticks, |number| if number % 2 == 0 { vec![one.clone(), two.clone()] } else { vec![two.clone(), one.clone()] });
}

#[test]
fn a_cloud_that_is_opened_again_is_the_same() {
    let (dir, ticks) = (tempfile::tempdir().unwrap(), Ticks::default());
    run(&ticks, |_| vec![Arc::new(open(dir.path(), &ticks)), Arc::new(open(dir.path(), &ticks))]);
}

#[test]
fn a_cut_anywhere_in_the_last_line_loses_that_line_alone() {
    let (dir, ticks) = (tempfile::tempdir().unwrap(), Ticks::default());
    let cloud = open(dir.path(), &ticks);
    let first = id_of(&cloud.call(&target(), &create(START, "aws_vpc", Fields::new())));
    let before = fs::read(journal(dir.path())).unwrap();
    let second = create(START, "aws_vpc", fields([("note", "\u{1F980}")]));
    let second_id = id_of(&cloud.call(&target(), &second));
    let whole = fs::read(journal(dir.path())).unwrap();
    for length in before.len()..whole.len() {
        let cut = tempfile::tempdir().unwrap();
        fs::write(journal(cut.path()), &whole[..length]).unwrap();
        let cloud = open(cut.path(), &ticks);
        let ids = |cloud: &FileCloud| cloud.objects().unwrap().into_iter().map(|held| held.id).collect::<Vec<_>>();
        assert_eq!(ids(&cloud), vec![first.clone()], "cut at {length}");
        assert_eq!(id_of(&cloud.call(&target(), &second)), second_id);
        assert_eq!(fs::read(journal(cut.path())).unwrap(), whole, "what was torn is cut off");
        assert_eq!(ids(&open(cut.path(), &ticks)), [first.clone(), second_id.clone()]);
    }
}

#[test]
fn a_cut_anywhere_in_the_header_begins_anew() {
    let (dir, ticks) = (tempfile::tempdir().unwrap(), Ticks::default());
    drop(open(dir.path(), &ticks));
    let whole = fs::read(journal(dir.path())).unwrap();
    for length in 0..whole.len() {
        fs::write(journal(dir.path()), &whole[..length]).unwrap();
        assert!(open(dir.path(), &ticks).objects().unwrap().is_empty());
        assert_eq!(fs::read(journal(dir.path())).unwrap(), whole);
    }
}

#[test]
fn damage_is_named_and_nothing_is_changed() {
    let (dir, ticks) = (tempfile::tempdir().unwrap(), Ticks::default());
    let path = journal(dir.path());
    let cloud = open(dir.path(), &ticks);
    let vpc = id_of(&cloud.call(&target(), &create(START, "aws_vpc", Fields::new())));
    assert_eq!(refusal(&cloud.call(&target(), &remove(START, "aws_vpc", &vpc))), None);
    let whole = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let damaged = [
        (format!("{}\n{{\n{}\n", lines[0], lines[2]), "line 2"),
        (format!("{}\n{}\n", lines[0], lines[2]), "changes vpc-"),
        (format!("{}\n{}\n{}\n", lines[0], lines[1], lines[1]), "line 3: it creates vpc-"),
        (whole.replacen(":1,", ":2,", 1), "format 2"),
        ("something else\n".to_owned(), "not the journal"),
        ("something else".to_owned(), "not the journal"),
    ];
    for (content, words) in damaged {
        fs::write(&path, &content).unwrap();
        let error = FileCloud::open(dir.path(), config()).err().unwrap().to_string();
        assert!(error.contains(words) && error.contains("journal.jsonl"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
    fs::write(&path, format!("{}\n", lines[0])).unwrap();
    assert!(matches!(cloud.objects(), Err(FileCloudError::Shrunk { .. })));
    let answer = cloud.call(&target(), &create(START, "aws_vpc", Fields::new()));
    assert!(matches!(answer, Answer::Unknown { .. }), "{answer:?}");
    let no_dir = FileCloud::open(&path, config());
    assert!(matches!(no_dir, Err(FileCloudError::Io { doing: "create", .. })));
}

#[test]
fn a_call_writes_its_own_change_alone() {
    let (dir, ticks) = (tempfile::tempdir().unwrap(), Ticks::default());
    let cloud = open(dir.path(), &ticks);
    let size = || fs::metadata(journal(dir.path())).unwrap().len();
    let mut before = size();
    let mut made = Vec::new();
    for _ in 0..100 {
        made.push(id_of(&cloud.call(&target(), &create(START, "aws_vpc", Fields::new()))));
        let grown = size() - before;
        assert!(grown < 500, "{grown}");
        before = size();
    }
    assert_eq!(refusal(&cloud.call(&target(), &create(at(99_999), "aws_vpc", Fields::new()))), Some(Refusal::Expired));
    assert_eq!(size(), before, "what is refused leaves no line");
}

#[test]
fn the_seed_of_a_cloud_stays() {
    let (dir, ticks) = (tempfile::tempdir().unwrap(), Ticks::default());
    drop(open(dir.path(), &ticks));
    let other = FileCloud::open(dir.path(), SimConfig::instant(8)).unwrap();
    assert_eq!(other.config().seed, 7);
}

#[test]
fn time_never_runs_backwards() {
    let (dir, ticks) = (tempfile::tempdir().unwrap(), Ticks::default());
    let cloud = open(dir.path(), &ticks);
    let now = ticks.set(5000);
    cloud.call(&target(), &create(now, "aws_vpc", Fields::new()));
    ticks.set(0);
    let answer = open(dir.path(), &ticks).call(&target(), &create(now, "aws_vpc", Fields::new()));
    assert!(matches!(answer, Answer::Done { server_time, .. } if server_time == Some(now)), "{answer:?}");
}

#[test]
fn of_many_at_once_one_wins() {
    let (dir, ticks) = (tempfile::tempdir().unwrap(), Ticks::default());
    let clouds: Vec<_> = (0..4).map(|_| open(dir.path(), &ticks)).collect();
    for round in 0..10 {
        let key = fields([("cidr", format!("10.{round}.0.0/16").as_str())]);
        let call = create(START, "aws_subnet", key.clone()).recovery(Recovery::NaturalKey { key });
        let answers: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = clouds.iter().map(|cloud| scope.spawn(|| cloud.call(&target(), &call))).collect();
            threads.into_iter().map(|thread| refusal(&thread.join().unwrap())).collect()
        });
        assert_eq!(answers.iter().filter(|refusal| refusal.is_none()).count(), 1, "{answers:?}");
        assert_eq!(answers.iter().filter(|refusal| **refusal == Some(Refusal::Exists)).count(), 3, "{answers:?}");
    }
    assert!(clouds.iter().all(|cloud| cloud.objects().unwrap().len() == 10));
}

#[test]
fn third_parties_reach_a_file_too() {
    let (dir, ticks) = (tempfile::tempdir().unwrap(), Ticks::default());
    let cloud = open(dir.path(), &ticks);
    let vpc = id_of(&cloud.call(&target(), &create(START, "aws_vpc", Fields::new()).marked(mark("main"))));
    cloud.tamper(&Tamper::Mark { id: vpc.clone(), mark: None }).unwrap().unwrap();
    cloud.tamper(&Tamper::Fail { id: vpc.clone(), reason: "broken".to_owned() }).unwrap().unwrap();
    let again = open(dir.path(), &ticks);
    assert_eq!(again.objects().unwrap(), cloud.objects().unwrap());
    assert_eq!(again.objects().unwrap()[0].mark, None);
    again.tamper(&Tamper::Remove { id: vpc.clone() }).unwrap().unwrap();
    let refused = cloud.tamper(&Tamper::Remove { id: vpc }).unwrap().unwrap_err();
    assert_eq!(refused.refusal, Refusal::NotFound);
}
