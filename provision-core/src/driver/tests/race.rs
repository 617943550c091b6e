//! Many writers, one key: exactly one wins.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::sync::mpsc;

use crate::driver::{ObjectStoreBackend, Store, World, drive};
use crate::id::{BlockAddr, Epoch, Generation, InfraId, Nonce, Revision, RunId};
use crate::machine::{GetAnswer, Machine, PutAnswer, StoreKey};
use crate::stream::event::{BlockEvent, Holder, RunOutcome};
use crate::stream::{Author, ClaimError, NewRun, RunStream, Signer, Timing, claim_block, read_block, read_log};

const WRITERS: u8 = 20;

async fn run<T: Send + 'static>(store: &Arc<dyn Store>, machine: Machine<T>) -> T {
    let world = World { store: store.clone(), clients: Default::default(), checker: None, me: None };
    // A second handle would never be used: nobody interrupts.
    drive(machine, world, mpsc::channel(1).1, |_| {}).await
}

/// Every writer puts its own bytes at the same key; the outcome, read back, is the same for all, and one says "done".
async fn race(store: Arc<dyn Store>, rounds: u32) {
    for round in 0..rounds {
        let key = StoreKey(format!("v1/race/{round:020}"));
        let writers = (0..WRITERS).map(|writer| {
            let (store, key) = (store.clone(), key.clone());
            tokio::spawn(async move {
                let machine = Machine::new(|io| async move {
                    let answer = io.put(key.clone(), vec![writer; 300]).await;
                    (writer, answer, io.get(key).await)
                });
                run(&store, machine).await
            })
        });
        let outcomes: Vec<_> = join_all(writers).await.into_iter().map(Result::unwrap).collect();
        let winners: Vec<_> = outcomes.iter().filter(|(_, answer, _)| *answer == PutAnswer::Done).collect();
        assert_eq!(winners.len(), 1, "round {round}: {outcomes:?}");
        for (writer, answer, found) in &outcomes {
            assert!(matches!(answer, PutAnswer::Done | PutAnswer::Exists), "writer {writer}: {answer:?}");
            let GetAnswer::Found { bytes, .. } = found else { panic!("writer {writer} found {found:?}") };
            assert_eq!(*bytes, vec![winners[0].0; 300], "round {round}");
        }
    }
}

fn directory(path: &Path, fsync: bool) -> Arc<dyn Store> {
    Arc::new(ObjectStoreBackend::directory(path, fsync).unwrap())
}

async fn timed(what: &str, rounds: u32, race: impl Future<Output = ()>) {
    let start = Instant::now();
    race.await;
    println!("{what}: {rounds} rounds of {WRITERS} writers in {:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_writer_wins_each_key_of_a_directory() {
    let folder = tempfile::tempdir().unwrap();
    timed("without fsync", 2_000, race(directory(folder.path(), false), 2_000)).await;
    let folder = tempfile::tempdir().unwrap();
    timed("with fsync", 300, race(directory(folder.path(), true), 300)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_writer_wins_each_key_in_memory() {
    race(Arc::new(ObjectStoreBackend::memory()), 200).await;
}

fn new_run(writer: u8) -> (Arc<Author>, NewRun) {
    let signer = Signer::new(&[writer; 32], "race");
    let infra = InfraId::new("wix").unwrap();
    let author = Author::new(infra, Revision::new("r").unwrap(), Generation(1), signer, Nonce([writer; 16]));
    let holder = Holder {
        name: format!("writer-{writer}"),
        boot_id: String::new(),
        pid_namespace: String::new(),
        pid: 0,
        start_time: 0,
        since: String::new(),
    };
    let run = NewRun {
        id: RunId::new(format!("{writer:064x}")).unwrap(),
        holder,
        plan: crate::id::Digest::of(&[writer]),
        blocks: Default::default(),
        simulated: true,
        timing: Timing::with_lease(Duration::from_secs(120)),
    };
    (Arc::new(author), run)
}

/// Writers take and release one block over and over; nobody is ever inside with another.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_block_has_one_holder_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = directory(folder.path(), false);
    let inside = Arc::new(AtomicU32::new(0));
    let infra = InfraId::new("wix").unwrap();
    let addr: BlockAddr = "us-east.network".parse().unwrap();
    let start = Instant::now();
    let writers = (1..=WRITERS).map(|writer| {
        let (store, inside, infra, addr) = (store.clone(), inside.clone(), infra.clone(), addr.clone());
        tokio::spawn(async move {
            let machine = Machine::new(move |io| async move {
                let (author, new) = new_run(writer);
                let run = RunStream::start(&io, author, new).await.unwrap();
                let mut held = 0_u32;
                let deadline = io.now().boot_ms + 4_000;
                while io.now().boot_ms < deadline {
                    let state = read_block(&io, &infra, &addr).await.unwrap();
                    if state.claim.is_some() {
                        continue;
                    }
                    let claim = match claim_block(&io, &run, &addr, state).await {
                        Ok(claim) => claim,
                        Err(ClaimError::Refused(_) | ClaimError::Busy { .. }) => continue,
                        Err(other) => panic!("{other}"),
                    };
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two hold the block");
                    claim.append(vec![BlockEvent::Reserved { run: run.id().clone() }]).await.unwrap();
                    assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
                    claim.release().await.unwrap();
                    held += 1;
                }
                run.end(RunOutcome::Succeeded).await.unwrap();
                held
            });
            run(&store, machine).await
        })
    });
    let held: u32 = join_all(writers).await.into_iter().map(Result::unwrap).sum();
    println!("{held} claims by {WRITERS} writers in {:?}", start.elapsed());
    let (infra, addr) = (InfraId::new("wix").unwrap(), addr.clone());
    let machine = Machine::new(|io| async move {
        let entries = read_log::<BlockEvent>(&io, &infra, &addr).await.unwrap();
        (entries.len(), read_block(&io, &infra, &addr).await.unwrap())
    });
    let (entries, state) = run(&store, machine).await;
    assert_eq!((entries, state.epoch, state.claim), (held as usize * 3, Epoch(u64::from(held)), None));
    assert!(held >= 10, "{held} claims");
}
