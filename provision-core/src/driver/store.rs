//! Stores: put-if-absent, get, list, and overwrite for hints, over `object_store`.

use std::path::Path as FilePath;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use futures::TryStreamExt as _;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    ClientOptions, Error, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, RetryConfig,
};
use serde::{Deserialize, Serialize};
use thiserror::Error as ThisError;

use crate::machine::{GetAnswer, ListAnswer, Listed, PutAnswer, StoreKey};

/// What a store says of an object that tells it from whatever else stood, or will stand, under the same key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub String);

impl Version {
    /// The entity tag with size and time; nothing where the store has no tags.
    fn of(meta: &ObjectMeta) -> Option<Self> {
        // S3 has the time to the millisecond in listings, and to the second elsewhere.
        let seconds = meta.last_modified.timestamp();
        meta.e_tag.as_ref().map(|tag| Self(format!("{tag} {} {seconds}", meta.size)))
    }
}

/// Names in a listing, in order, each with the version of its object where the store says one.
pub type Versions = Vec<(Listed, Option<Version>)>;

/// Where streams stand.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::sync::Mutex;
///
/// use async_trait::async_trait;
/// use provision_core::driver::Store;
/// use provision_core::machine::{GetAnswer, ListAnswer, Listed, PutAnswer, StoreKey};
///
/// /// A store in a map. Its clock counts writes.
/// #[derive(Default)]
/// struct InAMap(Mutex<(u64, BTreeMap<String, (Vec<u8>, u64)>)>);
///
/// #[async_trait]
/// impl Store for InAMap {
///     async fn put_if_absent(&self, key: &StoreKey, bytes: Vec<u8>) -> PutAnswer {
///         let (clock, map) = &mut *self.0.lock().unwrap();
///         if map.contains_key(&key.0) {
///             return PutAnswer::Exists;
///         }
///         *clock += 1;
///         map.insert(key.0.clone(), (bytes, *clock));
///         PutAnswer::Done
///     }
///     async fn put_hint(&self, key: &StoreKey, bytes: Vec<u8>) {
///         let (clock, map) = &mut *self.0.lock().unwrap();
///         *clock += 1;
///         map.insert(key.0.clone(), (bytes, *clock));
///     }
///     async fn get(&self, key: &StoreKey) -> GetAnswer {
///         match self.0.lock().unwrap().1.get(&key.0).cloned() {
///             Some((bytes, modified_ms)) => GetAnswer::Found { bytes, modified_ms },
///             None => GetAnswer::Missing,
///         }
///     }
///     async fn list(&self, prefix: &str) -> ListAnswer {
///         let map = &self.0.lock().unwrap().1;
///         let below = map.keys().filter_map(|key| key.strip_prefix(prefix));
///         let names = below.map(|rest| match rest.split_once('/') {
///             Some((name, _)) => Listed { name: name.to_owned(), folder: true },
///             None => Listed { name: rest.to_owned(), folder: false },
///         });
///         let mut names: Vec<Listed> = names.collect();
///         names.dedup();
///         ListAnswer::Names(names)
///     }
///     fn describe(&self) -> String {
///         "a map".to_owned()
///     }
/// }
///
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use std::sync::Arc;
/// # use provision_core::driver::World;
/// # use provision_core::embed::{Engine, PlanRequest, Simulated};
/// # use provision_core::exec::Binding;
/// # let cloud = toy::cloud();
/// let world = World::new(Arc::new(InAMap::default()), Arc::new(Simulated::Memory(cloud.clone())));
/// let engine = Engine { world, ..toy::engine(&cloud) };
/// let plan = engine.plan(&PlanRequest::default()).finish().await?.plan;
/// engine.apply(plan, Binding::Ceiling).finish().await?;
/// assert_eq!(engine.recorded().finish().await?.len(), 2);
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Store: Send + Sync {
    /// Writes an object if its key is free. Anything but a definite outcome is [`PutAnswer::Unknown`].
    async fn put_if_absent(&self, key: &StoreKey, bytes: Vec<u8>) -> PutAnswer;

    /// Overwrites a hint. Its outcome is of no interest.
    async fn put_hint(&self, key: &StoreKey, bytes: Vec<u8>);

    /// Reads an object.
    async fn get(&self, key: &StoreKey) -> GetAnswer;

    /// Lists the names directly below a prefix that ends with `/`.
    async fn list(&self, prefix: &str) -> ListAnswer;

    /// Lists those names directly below a prefix that come after one of them. A store that can begin there spares what comes
    /// before; by default all are listed, and those thrown away.
    async fn list_after(&self, prefix: &str, after: &str) -> ListAnswer {
        match self.list(prefix).await {
            ListAnswer::Names(mut names) => {
                names.retain(|listed| listed.name.as_str() > after);
                ListAnswer::Names(names)
            }
            failed @ ListAnswer::Failed(_) => failed,
        }
    }

    /// Reads an object, and says which version of it that was. A store that can't tell says none: then no cache keeps it.
    async fn get_version(&self, key: &StoreKey) -> (GetAnswer, Option<Version>) {
        (self.get(key).await, None)
    }

    /// Lists what [`Store::list_after`] lists (or all, without a name to begin after), with the versions that
    /// [`Store::get_version`] would say.
    ///
    /// # Errors
    /// As of [`ListAnswer::Failed`].
    async fn list_versions(&self, prefix: &str, after: Option<&str>) -> Result<Versions, String> {
        let answer = match after {
            Some(after) => self.list_after(prefix, after).await,
            None => self.list(prefix).await,
        };
        match answer {
            ListAnswer::Names(names) => Ok(names.into_iter().map(|listed| (listed, None)).collect()),
            ListAnswer::Failed(reason) => Err(reason),
        }
    }

    /// The store as messages name it.
    fn describe(&self) -> String;
}

/// A store that cannot be opened.
#[derive(Debug, ThisError)]
pub enum OpenError {
    /// A directory that cannot be used.
    #[error("the directory {path} cannot be used as a store: {reason}")]
    Directory {
        /// The directory.
        path: String,
        /// Why.
        reason: String,
    },
    /// An address that is none.
    #[error("`{given}` is no store: write a directory, `s3://bucket` or `s3://bucket/prefix`")]
    Address {
        /// What was given.
        given: String,
    },
    /// No credentials.
    #[error(
        "no credentials for {store}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use the credentials of a \
         container or a web identity (profiles: `aws configure export-credentials --format env`)"
    )]
    NoCredentials {
        /// The store.
        store: String,
    },
    /// Settings that contradict each other.
    #[error("the settings for {store} cannot be used: {reason}")]
    Settings {
        /// The store.
        store: String,
        /// Why.
        reason: String,
    },
    /// It does not answer, or refuses.
    #[error("{store} cannot be used: {reason}")]
    Unreachable {
        /// The store.
        store: String,
        /// Why.
        reason: String,
    },
}

/// A store over `object_store`: a local directory, S3, or memory.
///
/// # Guarantees
/// A local directory syncs file and directory before a put is answered. After a write there that failed nothing more
/// is read or written through this value: what the system then shows need not be on the disk.
///
/// # Caveats
/// Puts are never retried here: a put that is retried after a lost answer finds its own write and calls it another's.
#[derive(Clone)]
pub struct ObjectStoreBackend {
    /// Without retries.
    puts: Arc<dyn ObjectStore>,
    /// With a few.
    reads: Arc<dyn ObjectStore>,
    /// Empty, or ends with `/`.
    prefix: String,
    name: String,
    /// Set for directories: the first write that failed.
    broken: Option<Arc<OnceLock<String>>>,
}

impl ObjectStoreBackend {
    /// Opens a directory (made if it is missing) or `s3://bucket/prefix`.
    ///
    /// S3 takes its settings from the usual variables: `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID`, …; plain
    /// HTTP is used where the endpoint says so. The instance metadata service is asked only where
    /// `AWS_METADATA_ENDPOINT` is set.
    ///
    /// # Errors
    /// The address is none, or the store cannot be reached or refuses.
    pub async fn open(address: &str) -> Result<Self, OpenError> {
        let store = match address.split_once("://") {
            None if address.is_empty() => return Err(OpenError::Address { given: address.to_owned() }),
            None => Self::directory(FilePath::new(address), true)?,
            Some(("s3", place)) => Self::s3(AmazonS3Builder::from_env(), address, place)?,
            Some(_) => return Err(OpenError::Address { given: address.to_owned() }),
        };
        store.reached().await
    }

    /// Opens what is there, for whoever only looks: a directory is not made. `None` where there is none.
    ///
    /// # Errors
    /// As of [`ObjectStoreBackend::open`].
    pub async fn open_existing(address: &str) -> Result<Option<Self>, OpenError> {
        if !address.is_empty() && !address.contains("://") {
            let failed = |reason: String| OpenError::Directory { path: address.to_owned(), reason };
            match std::fs::metadata(address) {
                Ok(there) if there.is_dir() => {}
                Ok(_) => return Err(failed("it is no directory".to_owned())),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(failed(error.to_string())),
            }
        }
        Self::open(address).await.map(Some)
    }

    /// The store, if it answers.
    pub(super) async fn reached(self) -> Result<Self, OpenError> {
        match self.list("v1/meta/").await {
            ListAnswer::Names(_) => Ok(self),
            ListAnswer::Failed(reason) => Err(OpenError::Unreachable { store: self.name, reason }),
        }
    }

    /// A store in memory.
    pub fn memory() -> Self {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        Self { puts: store.clone(), reads: store, prefix: String::new(), name: "memory".to_owned(), broken: None }
    }

    /// A directory. Without `fsync` it is good for tests alone.
    ///
    /// # Errors
    /// It cannot be made or used.
    pub fn directory(path: &FilePath, fsync: bool) -> Result<Self, OpenError> {
        let failed = |reason: String| OpenError::Directory { path: path.display().to_string(), reason };
        std::fs::create_dir_all(path).map_err(|error| failed(error.to_string()))?;
        let files = LocalFileSystem::new_with_prefix(path).map_err(|error| failed(error.to_string()))?;
        let store: Arc<dyn ObjectStore> = Arc::new(files.with_fsync(fsync));
        Ok(Self {
            puts: store.clone(),
            reads: store,
            prefix: String::new(),
            name: format!("the directory {}", path.display()),
            broken: Some(Arc::default()),
        })
    }

    pub(super) fn s3(builder: AmazonS3Builder, address: &str, place: &str) -> Result<Self, OpenError> {
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let prefix = prefix.trim_end_matches('/');
        if bucket.is_empty()
            || prefix.split('/').any(|part| part == "." || part == "..")
            || Path::parse(prefix).is_err()
        {
            return Err(OpenError::Address { given: address.to_owned() });
        }
        let name = address.to_owned();
        let given = |key: AmazonS3ConfigKey| builder.get_config_value(&key).filter(|value| !value.is_empty());
        let credentials = [
            AmazonS3ConfigKey::AccessKeyId,
            AmazonS3ConfigKey::WebIdentityTokenFile,
            AmazonS3ConfigKey::ContainerCredentialsRelativeUri,
            AmazonS3ConfigKey::ContainerCredentialsFullUri,
            AmazonS3ConfigKey::MetadataEndpoint,
        ];
        if !credentials.into_iter().any(|key| given(key).is_some()) {
            return Err(OpenError::NoCredentials { store: name });
        }
        let endpoint = given(AmazonS3ConfigKey::S3Endpoint).or_else(|| given(AmazonS3ConfigKey::Endpoint));
        let plain = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
        let mut options =
            ClientOptions::new().with_timeout(Duration::from_secs(10)).with_connect_timeout(Duration::from_secs(3));
        options = options.with_allow_http(plain);
        let build = |max_retries| {
            let retry = RetryConfig { max_retries, retry_timeout: Duration::from_secs(15), ..Default::default() };
            builder
                .clone()
                .with_bucket_name(bucket)
                .with_client_options(options.clone())
                .with_conditional_put(S3ConditionalPut::ETagMatch)
                .with_retry(retry)
                .build()
                .map_err(|error| OpenError::Settings { store: name.clone(), reason: error.to_string() })
        };
        let (puts, reads) = (Arc::new(build(0)?), Arc::new(build(2)?));
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Self { puts, reads, prefix, name, broken: None })
    }

    fn path(&self, key: &str) -> Result<Path, String> {
        Path::parse(format!("{}{key}", self.prefix)).map_err(|error| format!("the key `{key}` cannot be used: {error}"))
    }

    fn broken(&self) -> Option<String> {
        let reason = self.broken.as_ref()?.get()?;
        Some(format!("an earlier write failed, so that nothing is certain to be on the disk: {reason}"))
    }

    fn unknown(&self, reason: String) -> PutAnswer {
        if let Some(broken) = &self.broken {
            broken.get_or_init(|| reason.clone());
        }
        PutAnswer::Unknown(reason)
    }
}

/// What went wrong, in one line that is not endless.
fn explain(error: &Error) -> String {
    let text = error.to_string();
    if text.contains("NoSuchBucket") {
        return "the bucket does not exist".to_owned();
    }
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().take(500).collect()
}

#[async_trait]
impl Store for ObjectStoreBackend {
    async fn put_if_absent(&self, key: &StoreKey, bytes: Vec<u8>) -> PutAnswer {
        if let Some(reason) = self.broken() {
            return PutAnswer::Unknown(reason);
        }
        let path = match self.path(&key.0) {
            Ok(path) => path,
            Err(reason) => return PutAnswer::Unknown(reason),
        };
        let options = PutOptions { mode: PutMode::Create, ..Default::default() };
        match self.puts.put_opts(&path, PutPayload::from(bytes), options).await {
            Ok(_) => PutAnswer::Done,
            Err(Error::AlreadyExists { .. }) => PutAnswer::Exists,
            Err(error) => self.unknown(explain(&error)),
        }
    }

    async fn put_hint(&self, key: &StoreKey, bytes: Vec<u8>) {
        let hint = key.0.starts_with("v1/hint/");
        if let (true, None, Ok(path)) = (hint, self.broken(), self.path(&key.0))
            && let Err(error) = self.puts.put(&path, PutPayload::from(bytes)).await
        {
            tracing::debug!(%key, error = explain(&error), "a hint was not written");
        }
    }

    async fn get(&self, key: &StoreKey) -> GetAnswer {
        self.get_version(key).await.0
    }

    async fn get_version(&self, key: &StoreKey) -> (GetAnswer, Option<Version>) {
        if let Some(reason) = self.broken() {
            return (GetAnswer::Failed(reason), None);
        }
        let path = match self.path(&key.0) {
            Ok(path) => path,
            Err(reason) => return (GetAnswer::Failed(reason), None),
        };
        let found = match self.reads.get(&path).await {
            Ok(found) => found,
            Err(error @ Error::NotFound { .. }) if error.to_string().contains("NoSuchBucket") => {
                return (GetAnswer::Failed(explain(&error)), None);
            }
            Err(Error::NotFound { .. }) => return (GetAnswer::Missing, None),
            Err(error) => return (GetAnswer::Failed(explain(&error)), None),
        };
        let modified_ms = u64::try_from(found.meta.last_modified.timestamp_millis()).unwrap_or_default();
        let version = Version::of(&found.meta);
        match found.bytes().await {
            Ok(bytes) => (GetAnswer::Found { bytes: bytes.to_vec(), modified_ms }, version),
            Err(error) => (GetAnswer::Failed(explain(&error)), None),
        }
    }

    async fn list(&self, prefix: &str) -> ListAnswer {
        names(self.list_versions(prefix, None).await)
    }

    async fn list_after(&self, prefix: &str, after: &str) -> ListAnswer {
        names(self.list_versions(prefix, Some(after)).await)
    }

    async fn list_versions(&self, prefix: &str, after: Option<&str>) -> Result<Versions, String> {
        let folder = prefix.trim_end_matches('/');
        let path = self.path(folder)?;
        let Some(after) = after else {
            let listed = self.reads.list_with_delimiter(Some(&path)).await.map_err(|error| explain(&error))?;
            let folders = listed.common_prefixes.iter().map(|folder| Ok((name_below(&path, folder, true)?, None)));
            let objects = listed.objects.iter();
            let objects = objects.map(|object| Ok((name_below(&path, &object.location, false)?, Version::of(object))));
            return sorted(folders.chain(objects));
        };
        let offset = self.path(&format!("{folder}/{after}"))?;
        let listed = self.reads.list_with_offset(Some(&path), &offset).try_collect::<Vec<_>>().await;
        let listed = listed.map_err(|error| explain(&error))?;
        // Here all that is below is listed, and not what stands directly below it alone.
        sorted(listed.iter().map(|object| {
            let listed = first_below(&path, &object.location)?;
            let version = if listed.folder { None } else { Version::of(object) };
            Ok((listed, version))
        }))
    }

    fn describe(&self) -> String {
        self.name.clone()
    }
}

/// What was listed, without the versions.
fn names(listed: Result<Versions, String>) -> ListAnswer {
    match listed {
        Ok(versions) => ListAnswer::Names(versions.into_iter().map(|(listed, _)| listed).collect()),
        Err(reason) => ListAnswer::Failed(reason),
    }
}

/// The names in order, or what is wrong with one of them.
fn sorted(names: impl Iterator<Item = Result<(Listed, Option<Version>), String>>) -> Result<Versions, String> {
    let mut names: Versions = names.collect::<Result<_, _>>()?;
    names.sort_by(|(one, _), (other, _)| one.cmp(other));
    names.dedup_by(|(one, _), (other, _)| one == other);
    Ok(names)
}

/// The name directly below the prefix on the way to the location.
fn first_below(prefix: &Path, location: &Path) -> Result<Listed, String> {
    let mut parts = location.prefix_match(prefix).into_iter().flatten();
    let first =
        parts.next().ok_or_else(|| format!("the listing of `{prefix}` holds `{location}`, which is not below it"))?;
    Ok(Listed { name: first.as_ref().to_owned(), folder: parts.next().is_some() })
}

/// The server is not believed: what it lists stands directly below the prefix, or the listing is wrong.
fn name_below(prefix: &Path, location: &Path, folder: bool) -> Result<Listed, String> {
    let mut parts = location.prefix_match(prefix).into_iter().flatten();
    match (parts.next(), parts.next()) {
        (Some(name), None) => Ok(Listed { name: name.as_ref().to_owned(), folder }),
        _ => Err(format!("the listing of `{prefix}` holds `{location}`, which does not stand directly below it")),
    }
}
