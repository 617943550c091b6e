//! A cache of entries, in a directory: what was read of a store need not be fetched again.
//!
//! Entries are written once, so a copy is as good as what it was copied from, as long as that is what the store still has.
//! Hints and checkpoints are overwritten, and their copies with them. What the store says of itself is read from it each time.
//!
//! # Guarantees
//! A copy stands for an object only if a listing of the store has named the object since, in the version that was copied:
//! one listing vouches for one read. Listings, puts, and reads of what is not there always go to the store. So whatever
//! becomes of the directory, what is read is what the store has; at worst it is fetched. What is read through it is verified
//! like anything that the store says.
//!
//! # Caveats
//! Nothing is ever removed from it: it comes to be as large as what was read of the logs, and may be deleted at any time,
//! also while somebody uses it. Who can write to it can do what who can write to the store can do, as far as this machine
//! reads; so it is its owner's alone.

use std::collections::{BTreeMap, HashMap};
use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::store::{Store, Version, Versions};
use crate::id::Digest;
use crate::machine::{GetAnswer, ListAnswer, PutAnswer, StoreKey};

/// The folders of the store in which each folder is a stream, with entries that are written once.
const STREAMS: [&str; 2] = ["v1/block/", "v1/run/"];

/// The folders of the store that have what stands beside streams: hints and checkpoints.
const BESIDE: [&str; 3] = ["v1/hint/block/", "v1/hint/run/", "v1/hint/checkpoint/block/"];

/// The format of the copies; no other is used.
const FORMAT: u32 = 1;

/// A cache that cannot be used.
#[derive(Debug, Error)]
#[error("the cache {path} cannot be used: {reason}")]
pub struct CacheError {
    /// The directory.
    path: String,
    /// Why.
    reason: io::Error,
}

/// A store with a cache before it.
///
/// ```
/// use std::sync::Arc;
///
/// use provision_core::driver::{Cached, ObjectStoreBackend, Store};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// let far_away = Arc::new(ObjectStoreBackend::memory());
/// let near: Arc<dyn Store> = Arc::new(Cached::open(far_away, dir.path())?);
/// # let _ = near;
/// # Ok(())
/// # }
/// ```
pub struct Cached {
    store: Arc<dyn Store>,
    dir: PathBuf,
    /// What the last listing of each folder named, and nobody has read since.
    vouched: Mutex<HashMap<String, BTreeMap<String, Version>>>,
    /// Set by the first copy that could not be written: the disk may be full.
    full: AtomicBool,
    copies: AtomicU64,
}

/// What stands before the bytes of a copy. With these it is covered by the checksum before it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About<'a> {
    v: u32,
    key: &'a str,
    version: Version,
    /// When the object was written, by the store's clock.
    modified_ms: u64,
}

impl Cached {
    /// Puts a cache before a store: a folder of its own in this directory, made if it is missing, which only this user can
    /// read.
    ///
    /// # Errors
    /// The folder cannot be made, or nothing can be written there.
    pub fn open(store: Arc<dyn Store>, dir: &Path) -> Result<Self, CacheError> {
        let name: String = Digest::of(store.describe().as_bytes()).to_string().chars().take(16).collect();
        let dir = dir.join(name);
        let private = || {
            DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
            std::fs::set_permissions(&dir, Permissions::from_mode(0o700))?;
            let probe = dir.join(format!("{}.tmp", std::process::id()));
            std::fs::write(&probe, [])?;
            std::fs::remove_file(probe)
        };
        private().map_err(|reason| CacheError { path: dir.display().to_string(), reason })?;
        Ok(Self { store, dir, vouched: Mutex::default(), full: AtomicBool::new(false), copies: AtomicU64::new(0) })
    }

    /// Where the copy of an object stands; `None` for what is not kept.
    fn place(&self, key: &StoreKey) -> Option<PathBuf> {
        let (folder, name) = split(&key.0)?;
        let plain = |part: &str| {
            !part.starts_with('.') && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
        };
        let mut parts = key.0.split('/');
        (is_kept(folder) && !name.is_empty() && parts.all(plain)).then(|| self.dir.join(&key.0))
    }

    fn vouched(&self) -> MutexGuard<'_, HashMap<String, BTreeMap<String, Version>>> {
        self.vouched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The version that the last listing named, unless it has vouched for a read already.
    fn vouch(&self, key: &StoreKey) -> Option<Version> {
        let (folder, name) = split(&key.0)?;
        self.vouched().get_mut(folder)?.remove(name)
    }

    fn listed(&self, folder: &str, versions: Versions) -> ListAnswer {
        if is_kept(folder) {
            let named = versions.iter().filter_map(|(listed, version)| Some((listed.name.clone(), version.clone()?)));
            self.vouched().insert(folder.to_owned(), named.collect());
        }
        ListAnswer::Names(versions.into_iter().map(|(listed, _)| listed).collect())
    }

    /// Keeps a copy. That it can't is told once, and changes nothing.
    async fn keep(&self, place: &Path, about: &About<'_>, bytes: &[u8]) {
        if self.full.load(Ordering::Relaxed) {
            return;
        }
        if let Err(reason) = self.write(place, &copy(about, bytes)).await
            && !self.full.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(place = %place.display(), %reason, "the cache cannot be written to: nothing more is kept there");
        }
    }

    async fn write(&self, place: &Path, bytes: &[u8]) -> io::Result<()> {
        // Whoever reads it meanwhile finds all of it or none.
        let copy = self.copies.fetch_add(1, Ordering::Relaxed);
        let unfinished = self.dir.join(format!("{}-{copy}.tmp", std::process::id()));
        if let Some(folder) = place.parent() {
            tokio::fs::create_dir_all(folder).await?;
        }
        let written = match tokio::fs::write(&unfinished, bytes).await {
            Ok(()) => tokio::fs::rename(&unfinished, place).await,
            failed @ Err(_) => failed,
        };
        if written.is_err() {
            // What is left of it is in nobody's way, should that fail too.
            tokio::fs::remove_file(&unfinished).await.unwrap_or_default();
        }
        written
    }
}

/// The bytes of a copy: a checksum of the rest, what it is a copy of, and the object.
fn copy(about: &About<'_>, bytes: &[u8]) -> Vec<u8> {
    // Writing a struct of texts and numbers to memory cannot fail; were it to, the copy would be of nothing.
    let rest = [&serde_json::to_vec(about).unwrap_or_default(), &b"\n"[..], bytes].concat();
    [Digest::of(&rest).to_string().as_bytes(), b"\n", &rest].concat()
}

/// The object that is copied there, if that is what is looked for, whole.
fn open(copy: &[u8], key: &StoreKey, wanted: &Version) -> Option<GetAnswer> {
    let line = |bytes: &[u8]| bytes.iter().position(|byte| *byte == b'\n');
    let (sum, rest) = copy.split_at_checked(line(copy)?)?;
    let rest = rest.strip_prefix(b"\n")?;
    if Digest::of(rest).to_string().as_bytes() != sum {
        return None;
    }
    let (about, bytes) = rest.split_at_checked(line(rest)?)?;
    let About { v, key: of, version, modified_ms } = serde_json::from_slice(about).ok()?;
    let bytes = bytes.strip_prefix(b"\n")?.to_vec();
    (v == FORMAT && of == key.0 && version == *wanted).then_some(GetAnswer::Found { bytes, modified_ms })
}

/// The folder of a key, with the `/` at its end, and the name in it.
fn split(key: &str) -> Option<(&str, &str)> {
    key.split_at_checked(key.rfind('/')?.saturating_add(1))
}

/// Whether a folder holds what copies are kept of.
fn is_kept(folder: &str) -> bool {
    let stream = STREAMS.iter().find_map(|kind| folder.strip_prefix(kind)?.strip_suffix('/'));
    BESIDE.contains(&folder) || stream.is_some_and(|stream| !stream.is_empty() && !stream.contains('/'))
}

#[async_trait]
impl Store for Cached {
    async fn put_if_absent(&self, key: &StoreKey, bytes: Vec<u8>) -> PutAnswer {
        self.store.put_if_absent(key, bytes).await
    }

    async fn put_hint(&self, key: &StoreKey, bytes: Vec<u8>) {
        // What a listing named before is not what stands there from now on.
        self.vouch(key);
        self.store.put_hint(key, bytes).await;
    }

    async fn get(&self, key: &StoreKey) -> GetAnswer {
        self.get_version(key).await.0
    }

    async fn get_version(&self, key: &StoreKey) -> (GetAnswer, Option<Version>) {
        let Some(place) = self.place(key) else { return self.store.get_version(key).await };
        if let Some(version) = self.vouch(key)
            && let Ok(copy) = tokio::fs::read(&place).await
            && let Some(found) = open(&copy, key, &version)
        {
            return (found, Some(version));
        }
        let (answer, version) = self.store.get_version(key).await;
        if let (GetAnswer::Found { bytes, modified_ms }, Some(version)) = (&answer, &version) {
            let about = About { v: FORMAT, key: &key.0, version: version.clone(), modified_ms: *modified_ms };
            self.keep(&place, &about, bytes).await;
        }
        (answer, version)
    }

    async fn list(&self, prefix: &str) -> ListAnswer {
        match self.store.list_versions(prefix, None).await {
            Ok(versions) => self.listed(prefix, versions),
            Err(reason) => ListAnswer::Failed(reason),
        }
    }

    async fn list_after(&self, prefix: &str, after: &str) -> ListAnswer {
        match self.store.list_versions(prefix, Some(after)).await {
            Ok(versions) => self.listed(prefix, versions),
            Err(reason) => ListAnswer::Failed(reason),
        }
    }

    async fn list_versions(&self, prefix: &str, after: Option<&str>) -> Result<Versions, String> {
        self.store.list_versions(prefix, after).await
    }

    fn describe(&self) -> String {
        self.store.describe()
    }
}
