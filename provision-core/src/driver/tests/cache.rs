//! The cache: what comes from it, what never does, and what becomes of it in bad hands.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use tempfile::TempDir;

use crate::driver::{Cached, ObjectStoreBackend, Store, Version, Versions};
use crate::machine::{GetAnswer, ListAnswer, PutAnswer, StoreKey};

/// A store that counts what is read, and may not say versions.
struct Far {
    store: ObjectStoreBackend,
    gets: AtomicU32,
    tells: bool,
}

#[async_trait]
impl Store for Far {
    async fn put_if_absent(&self, key: &StoreKey, bytes: Vec<u8>) -> PutAnswer {
        self.store.put_if_absent(key, bytes).await
    }
    async fn put_hint(&self, key: &StoreKey, bytes: Vec<u8>) {
        self.store.put_hint(key, bytes).await;
    }
    async fn get(&self, key: &StoreKey) -> GetAnswer {
        self.get_version(key).await.0
    }
    async fn get_version(&self, key: &StoreKey) -> (GetAnswer, Option<Version>) {
        self.gets.fetch_add(1, Ordering::Relaxed);
        let (answer, version) = self.store.get_version(key).await;
        (answer, version.filter(|_| self.tells))
    }
    async fn list(&self, prefix: &str) -> ListAnswer {
        self.store.list(prefix).await
    }
    async fn list_versions(&self, prefix: &str, after: Option<&str>) -> Result<Versions, String> {
        let listed = self.store.list_versions(prefix, after).await?;
        Ok(listed.into_iter().map(|(name, version)| (name, version.filter(|_| self.tells))).collect())
    }
    fn describe(&self) -> String {
        "far away".to_owned()
    }
}

const FOLDER: &str = "v1/block/us-east.network/";

fn key(name: &str) -> StoreKey {
    StoreKey(format!("{FOLDER}{name}"))
}

struct Place {
    dir: TempDir,
    far: Arc<Far>,
}

impl Place {
    async fn new() -> Self {
        Self::telling(true).await
    }

    async fn telling(tells: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = ObjectStoreBackend::directory(&dir.path().join("store"), false).unwrap();
        for name in ["00", "01", "02"] {
            assert_eq!(store.put_if_absent(&key(name), format!("entry {name}\n").into_bytes()).await, PutAnswer::Done);
        }
        Self { dir, far: Arc::new(Far { store, gets: AtomicU32::new(0), tells }) }
    }

    fn cached(&self) -> Cached {
        Cached::open(self.far.clone(), &self.dir.path().join("cache")).unwrap()
    }

    /// Lists the log and reads the entry, in a process of its own. How often the store was read.
    async fn read(&self, name: &str) -> (GetAnswer, u32) {
        let cached = self.cached();
        assert!(matches!(cached.list(FOLDER).await, ListAnswer::Names(_)));
        let before = self.far.gets.load(Ordering::Relaxed);
        let found = cached.get(&key(name)).await;
        (found, self.far.gets.load(Ordering::Relaxed) - before)
    }

    fn copies(&self) -> Vec<PathBuf> {
        fn all(folder: &Path) -> Vec<PathBuf> {
            let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            entries.flat_map(|path| if path.is_dir() { all(&path) } else { vec![path] }).collect()
        }
        all(&self.dir.path().join("cache"))
    }

    fn object(&self, name: &str) -> PathBuf {
        self.dir.path().join("store").join(key(name).0)
    }
}

fn bytes(found: &GetAnswer) -> &str {
    match found {
        GetAnswer::Found { bytes, .. } => std::str::from_utf8(bytes).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_was_read_once_is_not_read_again() {
    let place = Place::new().await;
    let (first, gets) = place.read("01").await;
    assert_eq!((bytes(&first), gets), ("entry 01\n", 1));
    assert_eq!(place.read("01").await, (first, 0), "with its time");
    assert_eq!(place.read("02").await.1, 1, "another one");
    assert_eq!(place.copies().len(), 2, "and nothing unfinished: {:?}", place.copies());
}

/// A read is vouched for by a listing that came before it, and by none twice.
#[tokio::test]
async fn a_copy_without_a_listing_is_not_believed() {
    let place = Place::new().await;
    drop(place.read("01").await);
    let cached = place.cached();
    let gets = || place.far.gets.load(Ordering::Relaxed);
    let before = gets();
    drop(cached.get(&key("01")).await);
    assert_eq!(gets() - before, 1, "nobody listed it");
    assert!(matches!(cached.list_after(FOLDER, "01").await, ListAnswer::Names(names) if names.len() == 1));
    drop(cached.get(&key("01")).await);
    assert_eq!(gets() - before, 2, "the listing begins after it");
    assert!(matches!(cached.list_after(FOLDER, "00").await, ListAnswer::Names(names) if names.len() == 2));
    drop(cached.get(&key("01")).await);
    assert_eq!(gets() - before, 2);
    drop(cached.get(&key("01")).await);
    assert_eq!(gets() - before, 3, "once for each listing");
}

#[tokio::test]
async fn what_an_operator_replaced_or_removed_is_seen() {
    let place = Place::new().await;
    drop(place.read("01").await);
    // As long as before.
    fs::remove_file(place.object("01")).unwrap();
    fs::write(place.object("01"), "entry 0x\n").unwrap();
    let (replaced, gets) = place.read("01").await;
    assert_eq!((bytes(&replaced), gets), ("entry 0x\n", 1));
    assert_eq!(place.read("01").await, (replaced, 0));
    fs::remove_file(place.object("01")).unwrap();
    assert_eq!(place.read("01").await, (GetAnswer::Missing, 1));
}

#[tokio::test]
async fn a_copy_that_was_touched_is_read_from_the_store_and_made_anew() {
    let place = Place::new().await;
    let good = place.read("01").await.0;
    let [copy] = &place.copies()[..] else { panic!("{:?}", place.copies()) };
    let whole = fs::read(copy).unwrap();
    let flipped = (0..whole.len()).map(|at| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    });
    let cut = (0..whole.len()).map(|at| whole[..at].to_vec());
    let longer = [[&whole[..], b"x"].concat(), [&whole[..], &whole].concat()];
    for (n, spoiled) in flipped.chain(cut).chain(longer).enumerate() {
        fs::write(copy, &spoiled).unwrap();
        assert_eq!(place.read("01").await, (good.clone(), 1), "{n}");
        assert_eq!(fs::read(copy).unwrap(), whole, "{n}");
    }
    // A whole copy of another entry, and something else that is no file.
    drop(place.read("02").await);
    let other = place.copies().into_iter().find(|path| path != copy).unwrap();
    fs::copy(other, copy).unwrap();
    assert_eq!(place.read("01").await, (good.clone(), 1));
    fs::remove_file(copy).unwrap();
    fs::create_dir(copy).unwrap();
    assert_eq!(place.read("01").await, (good.clone(), 1));
    fs::remove_dir_all(place.dir.path().join("cache")).unwrap();
    assert_eq!(place.read("01").await, (good.clone(), 1));
    assert_eq!(place.read("01").await, (good, 0));
}

#[tokio::test]
async fn what_is_overwritten_is_read_anew_and_what_is_not_is_not() {
    let place = Place::new().await;
    let cached = place.cached();
    let gets = || place.far.gets.load(Ordering::Relaxed);
    for folder in ["v1/hint/block/", "v1/hint/run/", "v1/hint/checkpoint/block/"] {
        let hint = StoreKey(format!("{folder}us-east.network"));
        for text in ["one", "two"] {
            cached.put_hint(&hint, text.into()).await;
            // Not listed since it was written: the object. Listed: its copy. Not listed again: the object.
            for (listed, read) in [(false, 1), (true, 0), (false, 1)] {
                if listed {
                    assert!(matches!(cached.list(folder).await, ListAnswer::Names(names) if names.len() == 1));
                }
                let before = gets();
                assert_eq!(bytes(&cached.get(&hint).await), text);
                assert_eq!(gets() - before, read, "{hint} {text} {listed}");
            }
            // This names what is overwritten then.
            drop(cached.list(folder).await);
        }
    }
}

#[tokio::test]
async fn of_nothing_else_copies_are_kept() {
    let place = Place::new().await;
    let cached = place.cached();
    for odd in [
        "v1/block/us-east.network",
        "v1/block/../00",
        "v1/block/a/b/00",
        "v1/meta/infra",
        "v1/hint/other/00",
        "v1/hint/block",
        "x",
    ] {
        drop(cached.get(&StoreKey(odd.to_owned())).await);
    }
    assert_eq!(place.copies(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_store_that_cannot_tell_versions_apart_is_read_each_time() {
    let place = Place::telling(false).await;
    assert_eq!((place.read("01").await.1, place.read("01").await.1), (1, 1));
    assert_eq!(place.copies(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_told_and_one_that_fails_later_changes_nothing() {
    let place = Place::new().await;
    let file = place.dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Cached::open(place.far.clone(), &file).err().unwrap().to_string();
    assert!(error.starts_with(&format!("the cache {}/", file.display())), "{error}");

    let cached = place.cached();
    fs::remove_dir_all(place.dir.path().join("cache")).unwrap();
    fs::write(place.dir.path().join("cache"), "").unwrap();
    for name in ["01", "01", "02"] {
        assert_eq!(bytes(&cached.get(&key(name)).await), format!("entry {name}\n"));
    }
}

#[tokio::test]
async fn a_cache_is_its_owners_alone() {
    let place = Place::new().await;
    let dir = place.dir.path().join("cache");
    fs::create_dir(&dir).unwrap();
    drop(place.read("01").await);
    let [own] = &fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>()[..] else {
        panic!("one folder for a store")
    };
    let mode = || fs::metadata(own).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o700);
    fs::set_permissions(own, fs::Permissions::from_mode(0o755)).unwrap();
    drop(place.cached());
    assert_eq!(mode(), 0o700, "what somebody opened is closed again");
}
