//! The client half.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::support::*;
use crate::call::{Read, ReadAnswer, Scope, Wait};
use crate::provider::Client;
use crate::sim::{Clock, FileCloud, SimClient, SimCloud, SimConfig};
use crate::value::Fields;

fn still() -> Clock {
    Arc::new(|| START)
}

fn all() -> Read {
    Read { type_name: "aws_vpc".parse().unwrap(), scope: Scope::Key(Fields::new()), page: None }
}

#[tokio::test]
async fn a_client_reaches_its_target_in_memory_and_in_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = FileCloud::open_with_clock(dir.path(), SimConfig::instant(7), still()).unwrap();
    let memory = Arc::new(Mutex::new(SimCloud::new(SimConfig::instant(7))));
    let clients =
        [SimClient::in_memory_with_clock(memory, target(), still()), SimClient::in_file(Arc::new(file), target())];
    let mut answers = Vec::new();
    for client in clients {
        assert_eq!(client.bounds().stamp, Duration::from_secs(3));
        assert_eq!(client.bounds().visibility, Duration::from_secs(1));
        client.verify(&target()).await.unwrap();
        let answer = client.call(&create(START, "aws_vpc", Fields::new())).await;
        let ReadAnswer::Page { objects, .. } = client.read(&all()).await else { panic!() };
        assert_eq!(objects[0].id, id_of(&answer));
        answers.push(answer);
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn a_call_takes_its_time_and_lands_in_the_middle_of_it() {
    let config = SimConfig { latency_percent: 200, ..SimConfig::instant(7) };
    let call = create(START, "aws_vpc", Fields::new());
    let time = config.latency().call(&call);
    let cloud = Arc::new(Mutex::new(SimCloud::new(config)));
    let client = SimClient::in_memory_with_clock(cloud.clone(), target(), still());
    let landed = || cloud.lock().unwrap().objects(START).len();
    let (early, late) = (tokio::time::sleep(time / 4), tokio::time::sleep(time * 3 / 4));
    let begun = tokio::time::Instant::now();
    let sent = tokio::spawn(async move { client.call(&call).await });
    early.await;
    assert_eq!(landed(), 0);
    late.await;
    assert_eq!((landed(), sent.is_finished()), (1, false));
    sent.await.unwrap();
    assert!(begun.elapsed() >= time);
}

#[test]
fn latencies_stay_in_their_bounds_and_follow_the_seed() {
    let latency = SimConfig { latency_percent: 100, ..SimConfig::instant(7) }.latency();
    let within = |time: Duration, low: u64, high: u64| {
        assert!((Duration::from_millis(low)..=Duration::from_millis(high)).contains(&time), "{time:?}");
    };
    let id = |number: u32| format!("vpc-{number}").parse().unwrap();
    for number in 0..200 {
        let fields = fields([("number", format!("{number}").as_str())]);
        within(latency.call(&create(START, "aws_vpc", fields.clone())), 200, 800);
        within(latency.call(&set(START, "aws_vpc", &id(number), fields)), 50, 150);
        within(latency.call(&remove(START, "aws_vpc", &id(number)).wait(Wait::Gone(9))), 100, 400);
        within(latency.read(&Read { scope: Scope::Id(id(number)), ..all() }), 30, 80);
        within(latency.ready(&id(number)), 1000, 2000);
        within(latency.gone(&id(number)), 500, 1500);
    }
    assert_eq!(SimConfig::instant(7).latency().ready(&id(1)), Duration::ZERO);
    let call = create(START, "aws_vpc", Fields::new());
    let of_seed = |seed| SimConfig { seed, ..SimConfig::default() }.latency().call(&call);
    assert_eq!(of_seed(1), of_seed(1));
    assert!((2..9).any(|seed| of_seed(seed) != of_seed(1)));
}
