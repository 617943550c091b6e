//! Stores: put-if-absent, get, list, and overwrite for hints, over `object_store`.

use std::path::Path as FilePath;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    ClientOptions, Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, RetryConfig,
};
use thiserror::Error as ThisError;

use crate::machine::{GetAnswer, ListAnswer, Listed, PutAnswer, StoreKey};

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
        if let Some(reason) = self.broken() {
            return GetAnswer::Failed(reason);
        }
        let path = match self.path(&key.0) {
            Ok(path) => path,
            Err(reason) => return GetAnswer::Failed(reason),
        };
        let found = match self.reads.get(&path).await {
            Ok(found) => found,
            Err(error @ Error::NotFound { .. }) if error.to_string().contains("NoSuchBucket") => {
                return GetAnswer::Failed(explain(&error));
            }
            Err(Error::NotFound { .. }) => return GetAnswer::Missing,
            Err(error) => return GetAnswer::Failed(explain(&error)),
        };
        let modified_ms = u64::try_from(found.meta.last_modified.timestamp_millis()).unwrap_or_default();
        match found.bytes().await {
            Ok(bytes) => GetAnswer::Found { bytes: bytes.to_vec(), modified_ms },
            Err(error) => GetAnswer::Failed(explain(&error)),
        }
    }

    async fn list(&self, prefix: &str) -> ListAnswer {
        let path = match self.path(prefix.trim_end_matches('/')) {
            Ok(path) => path,
            Err(reason) => return ListAnswer::Failed(reason),
        };
        let listed = match self.reads.list_with_delimiter(Some(&path)).await {
            Ok(listed) => listed,
            Err(error) => return ListAnswer::Failed(explain(&error)),
        };
        let folders = listed.common_prefixes.iter().map(|folder| (folder, true));
        let objects = listed.objects.iter().map(|object| (&object.location, false));
        let names: Result<Vec<_>, _> =
            folders.chain(objects).map(|(location, folder)| name_below(&path, location, folder)).collect();
        match names {
            Ok(mut names) => {
                names.sort();
                names.dedup();
                ListAnswer::Names(names)
            }
            Err(reason) => ListAnswer::Failed(reason),
        }
    }

    fn describe(&self) -> String {
        self.name.clone()
    }
}

/// The server is not believed: what it lists stands directly below the prefix, or the listing is wrong.
fn name_below(prefix: &Path, location: &Path, folder: bool) -> Result<Listed, String> {
    let mut parts = location.prefix_match(prefix).into_iter().flatten();
    match (parts.next(), parts.next()) {
        (Some(name), None) => Ok(Listed { name: name.as_ref().to_owned(), folder }),
        _ => Err(format!("the listing of `{prefix}` holds `{location}`, which does not stand directly below it")),
    }
}
