//! Files, processes and the loop.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::call::{Answer, Bounds, Read, ReadAnswer, Refusal, Scope, Sending};
use crate::driver::{
    Clients, KeyFileError, ObjectStoreBackend, OpenError, Store, World, drive, is_dead, load_or_create_key, our_holder,
};
use crate::id::InfraId;
use crate::machine::{GetAnswer, HolderState, ListAnswer, Listed, Machine, PutAnswer, StoreKey, Verified};
use crate::progress::Progress;
use crate::provider::{Client, ClientError};
use crate::stream::event::Holder;
use crate::target::TargetId;

fn key(text: &str) -> StoreKey {
    StoreKey(text.to_owned())
}

fn world(store: ObjectStoreBackend) -> World {
    World { store: Arc::new(store), clients: Clients::default(), checker: None, me: our_holder().ok() }
}

#[tokio::test]
async fn stores_put_once_list_one_level_and_overwrite_hints_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made/when/missing");
    let opened = ObjectStoreBackend::open(path.to_str().unwrap()).await.unwrap();
    for store in [opened, ObjectStoreBackend::memory()] {
        assert_eq!(store.list("v1/block/").await, ListAnswer::Names(vec![]));
        let entry = key("v1/block/a.b/00000000000000000000");
        assert_eq!(store.get(&entry).await, GetAnswer::Missing);
        assert_eq!(store.put_if_absent(&entry, vec![1]).await, PutAnswer::Done);
        assert_eq!(store.put_if_absent(&entry, vec![2]).await, PutAnswer::Exists);
        store.put_hint(&entry, vec![3]).await;
        let GetAnswer::Found { bytes, modified_ms } = store.get(&entry).await else { panic!("not found") };
        assert_eq!(bytes, [1], "only hints are overwritten");
        assert!(modified_ms > 1_600_000_000_000);
        let hint = key("v1/hint/block/a.b");
        store.put_hint(&hint, vec![1]).await;
        store.put_hint(&hint, vec![2]).await;
        assert!(matches!(store.get(&hint).await, GetAnswer::Found { bytes, .. } if bytes == [2]));
        let listed = |name: &str, folder| ListAnswer::Names(vec![Listed { name: name.to_owned(), folder }]);
        assert_eq!(store.list("v1/block/").await, listed("a.b", true));
        assert_eq!(store.list("v1/block/a.b/").await, listed("00000000000000000000", false));
        assert!(matches!(store.put_if_absent(&key("v1/../x"), vec![]).await, PutAnswer::Unknown(_)));
    }
    assert!(!folder.path().join("made/when/x").exists());
    // Whoever only looks makes none.
    assert!(ObjectStoreBackend::open_existing(path.to_str().unwrap()).await.unwrap().is_some());
    let none = folder.path().join("none");
    assert!(ObjectStoreBackend::open_existing(none.to_str().unwrap()).await.unwrap().is_none() && !none.exists());
    fs::write(&none, "").unwrap();
    let file = ObjectStoreBackend::open_existing(none.to_str().unwrap()).await;
    assert!(matches!(file, Err(OpenError::Directory { .. })));
}

#[tokio::test]
async fn a_listing_begins_after_a_name() {
    let folder = tempfile::tempdir().unwrap();
    for store in [ObjectStoreBackend::directory(folder.path(), false).unwrap(), ObjectStoreBackend::memory()] {
        for name in ["v1/block/a/00", "v1/block/a/01", "v1/block/a/02", "v1/block/a/strange/x", "v1/block/b/02"] {
            assert_eq!(store.put_if_absent(&key(name), vec![1]).await, PutAnswer::Done);
        }
        let listed = |names: &[(&str, bool)]| {
            let listed = names.iter().map(|(name, folder)| Listed { name: (*name).to_owned(), folder: *folder });
            ListAnswer::Names(listed.collect())
        };
        assert_eq!(
            store.list_after("v1/block/a/", "00").await,
            listed(&[("01", false), ("02", false), ("strange", true)])
        );
        assert_eq!(store.list_after("v1/block/a/", "x").await, listed(&[]));
        assert_eq!(store.list_after("v1/block/none/", "00").await, listed(&[]));
    }
}

#[tokio::test]
async fn a_directory_that_failed_once_is_not_believed_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = ObjectStoreBackend::directory(folder.path(), true).unwrap();
    store.put_if_absent(&key("v1/a"), vec![1]).await;
    // A file stands where a folder is needed.
    assert!(matches!(store.put_if_absent(&key("v1/a/b"), vec![1]).await, PutAnswer::Unknown(_)));
    assert!(matches!(store.put_if_absent(&key("v1/c"), vec![1]).await, PutAnswer::Unknown(_)));
    assert!(matches!(store.get(&key("v1/a")).await, GetAnswer::Failed(_)));
}

#[tokio::test]
async fn addresses_that_are_no_stores_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    let open = |address: &str| {
        let address = address.to_owned();
        async move { ObjectStoreBackend::open(&address).await.map(|store| store.describe()).unwrap_err() }
    };
    for bad in ["", "http://x", "s3://", "s3:///a", "s3://b/../c", "gs://x"] {
        assert!(matches!(open(bad).await, OpenError::Address { .. }), "{bad}");
    }
    assert!(matches!(open(file.to_str().unwrap()).await, OpenError::Directory { .. }));
}

#[test]
fn a_key_is_made_once_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/key");
    let keys: Vec<_> = std::thread::scope(|scope| {
        let makers: Vec<_> = (0..8).map(|_| scope.spawn(|| load_or_create_key(&path).unwrap())).collect();
        makers.into_iter().map(|maker| maker.join().unwrap()).collect()
    });
    assert!(keys.iter().all(|key| *key == keys[0] && *key != [0; 32]));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left over");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(load_or_create_key(&path), Err(KeyFileError::Open(_))));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, "ed25519-secret:12").unwrap();
    assert!(matches!(load_or_create_key(&path), Err(KeyFileError::NoKey(_))));
}

#[test]
fn a_process_is_dead_when_the_kernel_says_so_and_not_before() {
    let me = our_holder().unwrap();
    assert!(!is_dead(&me, &me));
    let mut child = Command::new("sleep").arg("60").stdout(Stdio::null()).spawn().unwrap();
    let start_time = || {
        let text = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        text.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().parse().unwrap()
    };
    let holder = Holder { pid: child.id(), start_time: start_time(), ..me.clone() };
    assert!(!is_dead(&holder, &me));
    assert!(is_dead(&Holder { start_time: holder.start_time + 1, ..holder.clone() }, &me), "the id was used again");
    child.kill().unwrap();
    std::thread::sleep(Duration::from_millis(100));
    assert!(is_dead(&holder, &me), "killed, not yet reaped");
    child.wait().unwrap();
    assert!(is_dead(&holder, &me));
    assert!(!is_dead(&Holder { boot_id: "other".to_owned(), ..holder.clone() }, &me));
    assert!(!is_dead(&Holder { pid_namespace: "other".to_owned(), ..holder.clone() }, &me));
    assert!(!is_dead(&Holder { pid: 0, ..holder }, &me));
}

#[tokio::test]
async fn targets_without_a_client_are_refused() {
    let target = TargetId { provider: "aws".parse().unwrap(), account: "1".to_owned(), region: String::new() };
    let machine = Machine::new(|io| async move {
        io.emit(Progress::Phase { what: "looking".to_owned() });
        let scope = Scope::Marked(InfraId::new("wix").unwrap());
        let read = Read { type_name: "aws_vpc".parse().unwrap(), scope, page: None };
        let me = our_holder().unwrap();
        (io.verify(target.clone()).await, io.read(target, read).await, io.probe_holder(me).await)
    });
    let mut seen = 0;
    let (verified, read, holder) =
        drive(machine, world(ObjectStoreBackend::memory()), mpsc::channel(1).1, |_| seen += 1).await;
    assert!(matches!(verified, Verified::No { problem } if problem.contains("no client for target aws:1:")));
    assert!(matches!(read, ReadAnswer::Failed { refusal: Some(Refusal::Invalid), .. }));
    assert_eq!((holder, seen), (HolderState::Alive, 1));
}

#[tokio::test]
async fn interrupts_reach_the_protocol_and_hints_reach_the_store() {
    let (sender, receiver) = mpsc::channel(2);
    let machine = Machine::new(|io| async move {
        io.interrupted().await;
        io.put_hint(StoreKey("v1/hint/run/x".to_owned()), vec![7]);
        io.interrupts()
    });
    let store = ObjectStoreBackend::memory();
    let looked = store.clone();
    let run = tokio::spawn(drive(machine, world(store), receiver, |_| {}));
    tokio::time::sleep(Duration::from_millis(20)).await;
    sender.send(()).await.unwrap();
    assert_eq!(run.await.unwrap(), 1);
    assert!(matches!(looked.get(&key("v1/hint/run/x")).await, GetAnswer::Found { .. }));
}

struct Broken;

#[async_trait::async_trait]
impl Client for Broken {
    fn bounds(&self) -> Bounds {
        Bounds { stamp: Duration::ZERO, visibility: Duration::ZERO }
    }
    async fn verify(&self, _: &TargetId) -> Result<(), ClientError> {
        Ok(())
    }
    async fn call(&self, _: &Sending) -> Answer {
        panic!("a bug of an SDK")
    }
    async fn read(&self, _: &Read) -> ReadAnswer {
        panic!("a bug of an SDK")
    }
}

#[tokio::test]
async fn a_client_that_panics_leaves_an_unknown_outcome_and_no_hanging_run() {
    let target = TargetId { provider: "aws".parse().unwrap(), account: "1".to_owned(), region: String::new() };
    let mut world = world(ObjectStoreBackend::memory());
    let broken: BTreeMap<TargetId, Arc<dyn Client>> = BTreeMap::from([(target.clone(), Arc::new(Broken) as _)]);
    world.clients = Clients::new(Arc::new(broken));
    let machine = Machine::new(|io| async move {
        let scope = Scope::Marked(InfraId::new("wix").unwrap());
        io.read(target, Read { type_name: "aws_vpc".parse().unwrap(), scope, page: None }).await
    });
    let read = drive(machine, world, mpsc::channel(1).1, |_| {}).await;
    assert!(matches!(read, ReadAnswer::Failed { refusal: None, .. }), "{read:?}");
}
