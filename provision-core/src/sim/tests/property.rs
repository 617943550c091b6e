//! Random calls against a small independent oracle.

use proptest::prelude::*;

use super::support::*;
use crate::call::{Answer, Refusal, ServerTime, Wait};
use crate::id::ObjectId;
use crate::sim::{SimCloud, SimConfig};
use crate::value::{Fields, Value};

/// What to do; numbers select among the objects made so far.
#[derive(Debug, Clone)]
enum Op {
    Create { refs: Vec<usize> },
    Set { object: usize, refs: Vec<usize> },
    Remove { object: usize, wait: bool },
    Pass { millis: u64 },
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let refs = || prop::collection::vec(any::<usize>(), 0..3);
    let op = prop_oneof![
        3 => refs().prop_map(|refs| Op::Create { refs }),
        2 => (any::<usize>(), refs()).prop_map(|(object, refs)| Op::Set { object, refs }),
        3 => (any::<usize>(), any::<bool>()).prop_map(|(object, wait)| Op::Remove { object, wait }),
        1 => (0..900_u64).prop_map(|millis| Op::Pass { millis }),
    ];
    prop::collection::vec(op, 1..60)
}

/// An object as the oracle has it: which ones it refers to, and until when it is there.
struct Known {
    id: ObjectId,
    refs: Vec<usize>,
    removed: bool,
    until: ServerTime,
}

struct Oracle {
    known: Vec<Known>,
    now: ServerTime,
}

const FOREVER: ServerTime = ServerTime(u64::MAX);

impl Oracle {
    fn there(&self, index: usize) -> bool {
        self.now < self.known[index].until
    }
    fn can_be_used(&self, index: usize) -> bool {
        self.there(index) && !self.known[index].removed
    }
    fn used(&self, index: usize) -> bool {
        let users = self.known.iter().enumerate();
        users.filter(|(user, _)| *user != index && self.there(*user)).any(|(_, user)| user.refs.contains(&index))
    }
    fn expect_set(&self, object: usize, refs: &[usize]) -> Option<Refusal> {
        let all = self.can_be_used(object) && refs.iter().all(|index| self.can_be_used(*index));
        (!all).then_some(Refusal::NotFound)
    }
    fn expect_remove(&self, object: usize) -> Option<Refusal> {
        if !self.there(object) {
            Some(Refusal::NotFound)
        } else if !self.known[object].removed && self.used(object) {
            Some(Refusal::InUse)
        } else {
            None
        }
    }
}

fn holding(oracle: &Oracle, refs: &[usize]) -> Fields {
    let list = refs.iter().map(|index| Value::from(oracle.known[*index].id.as_str())).collect();
    [("refs".to_owned(), Value::List(list))].into()
}

fn assert_integrity(cloud: &SimCloud, now: ServerTime) {
    let held = cloud.objects(now);
    for object in &held {
        let text = serde_json::to_string(&object.fields).unwrap();
        for word in text.split('"').filter(|word| SimCloud::made_id(word)) {
            assert!(held.iter().any(|other| other.id.as_str() == word), "{} holds the dead {word}", object.id);
        }
    }
}

/// Runs the operations and compares each answer with the oracle's.
fn run(ops: &[Op], config: &SimConfig) -> Vec<Answer> {
    let mut cloud = SimCloud::new(config.clone());
    let mut oracle = Oracle { known: Vec::new(), now: START };
    let mut answers = Vec::new();
    for op in ops {
        let made = oracle.known.len();
        let pick = |refs: &[usize]| refs.iter().filter(|_| made > 0).map(|index| index % made).collect::<Vec<_>>();
        let now = oracle.now;
        match op {
            Op::Pass { millis } => oracle.now = now.plus(std::time::Duration::from_millis(*millis)),
            Op::Create { refs } => {
                let refs = pick(refs);
                let expected = (!refs.iter().all(|index| oracle.can_be_used(*index))).then_some(Refusal::NotFound);
                let answer = cloud.call(now, &target(), &create(now, "aws_thing", holding(&oracle, &refs)));
                assert_eq!(refusal(&answer), expected, "{op:?}");
                if expected.is_none() {
                    oracle.known.push(Known { id: id_of(&answer), refs, removed: false, until: FOREVER });
                }
                answers.push(answer);
            }
            Op::Set { object, refs } if made > 0 => {
                let (object, refs) = (object % made, pick(refs));
                let expected = oracle.expect_set(object, &refs);
                let call = set(now, "aws_thing", &oracle.known[object].id, holding(&oracle, &refs));
                let answer = cloud.call(now, &target(), &call);
                assert_eq!(refusal(&answer), expected, "{op:?}");
                if expected.is_none() {
                    oracle.known[object].refs = refs;
                }
                answers.push(answer);
            }
            Op::Remove { object, wait } if made > 0 => {
                let object = object % made;
                let expected = oracle.expect_remove(object);
                let id = oracle.known[object].id.clone();
                let wait = if *wait { Wait::Gone(9) } else { Wait::No };
                let answer = cloud.call(now, &target(), &remove(now, "aws_thing", &id).wait(wait));
                assert_eq!(refusal(&answer), expected, "{op:?}");
                let known = &mut oracle.known[object];
                if expected.is_none() && !known.removed {
                    known.removed = true;
                    known.until = if wait == Wait::No { now } else { now.plus(config.latency().gone(&id)) };
                }
                answers.push(answer);
            }
            Op::Set { .. } | Op::Remove { .. } => {}
        }
        let there = (0..oracle.known.len()).filter(|index| oracle.there(*index));
        let expected: Vec<_> = there.map(|index| oracle.known[index].id.clone()).collect();
        let held: Vec<_> = cloud.objects(oracle.now).into_iter().map(|held| held.id).collect();
        assert_eq!(held, expected);
        assert_integrity(&cloud, oracle.now);
    }
    answers
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn every_answer_is_the_oracles_and_the_same_again(ops in ops(), seed in any::<u64>()) {
        let config = SimConfig { latency_percent: 100, ..SimConfig::instant(seed) };
        let answers = run(&ops, &config);
        prop_assert_eq!(run(&ops, &config), answers);
    }
}

#[test]
fn another_seed_is_another_cloud() {
    let ops = [Op::Create { refs: Vec::new() }];
    assert_ne!(run(&ops, &SimConfig::instant(1)), run(&ops, &SimConfig::instant(2)));
}
