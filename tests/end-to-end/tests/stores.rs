//! The state on S3: however many write, each key has one winner.
#![expect(clippy::disallowed_methods, reason = "tests measure time and have settings of their own")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use end_to_end::World;
use end_to_end::pool::say;
use end_to_end::state::ADDRESS;
use futures::future::join_all;
use provision_core::driver::{ObjectStoreBackend, Store};
use provision_core::machine::{GetAnswer, PutAnswer, StoreKey};
use testbed::aws::{Fault, Rule};

const BINARY: &str = env!("CARGO_BIN_EXE_e2e-provision");
const WRITERS: usize = 20;
const ROUNDS: usize = 100;
/// Set in the process that this test starts of itself: settings come from the environment, as a runner's do.
const WRITING: &str = "E2E_WRITING";

/// A race for each key, by writers that share nothing but the bucket.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_writers_a_hundred_rounds_one_winner_each() {
    if std::env::var_os(WRITING).is_some() {
        return race().await;
    }
    let Some(world) = World::start(BINARY).await else { return };
    // Some answers are lost: then the key is read back, and has been written by one of them all the same.
    let rule = world.aws.add_rule(Rule::new(end_to_end::world::puts("v1/race/"), Fault::LoseAnswer).nth(500).times(20));
    let began = Instant::now();
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    world.aws.set_env(&mut command);
    command.args(["--exact", "twenty_writers_a_hundred_rounds_one_winner_each", "--nocapture"]).env(WRITING, "1");
    let output = tokio::time::timeout(Duration::from_secs(120), tokio::process::Command::from(command).output());
    let output = output.await.expect("it ends").unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(rule.hits(), 20);
    let entries = world.bucket().entries("v1/race/").await;
    assert_eq!(entries.len(), ROUNDS);
    say(&format!("{WRITERS} writers, {ROUNDS} rounds on S3 in {:.1?}: one winner each", began.elapsed()));
}

async fn race() {
    let writers: Vec<Arc<ObjectStoreBackend>> =
        join_all((0..WRITERS).map(|_| async { Arc::new(ObjectStoreBackend::open(ADDRESS).await.expect("the store")) }))
            .await;
    for round in 0..ROUNDS {
        let key = StoreKey(format!("v1/race/{round:03}"));
        let writes = writers.iter().enumerate().map(|(writer, store)| {
            let (key, store) = (key.clone(), store.clone());
            tokio::spawn(async move { (writer, store.put_if_absent(&key, bytes(writer, round)).await) })
        });
        let mut winners = Vec::new();
        let mut unknown = Vec::new();
        for write in join_all(writes).await {
            match write.expect("no writer panics") {
                (writer, PutAnswer::Done) => winners.push(writer),
                (_, PutAnswer::Exists) => {}
                (writer, PutAnswer::Unknown(_)) => unknown.push(writer),
            }
        }
        let GetAnswer::Found { bytes: found, .. } = writers[0].get(&key).await else { panic!("round {round}") };
        winners.extend(unknown.into_iter().filter(|writer| found == bytes(*writer, round)));
        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        assert_eq!(found, bytes(winners[0], round), "round {round}");
    }
}

fn bytes(writer: usize, round: usize) -> Vec<u8> {
    format!("round {round}, writer {writer}").into_bytes()
}
