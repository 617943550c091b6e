//! The bucket with the state, past the proxy and past the project's own code.

use futures::TryStreamExt as _;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _};
use serde_json::Value;
use testbed::aws::AwsServer;

/// The bucket of every test.
pub const BUCKET: &str = "provision-state";
/// The prefix in the bucket.
pub const PREFIX: &str = "e2e";
/// `--state`.
pub const ADDRESS: &str = "s3://provision-state/e2e";

/// Somebody with rights on the bucket.
#[derive(Debug)]
pub struct Bucket {
    store: AmazonS3,
}

/// An entry as it stands in the bucket.
#[derive(Debug, Clone)]
pub struct Raw {
    /// Its key without the prefix: `v1/block/west.network/00000000000000000000`.
    pub key: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Raw {
    /// What it says, its seal left aside.
    ///
    /// # Panics
    /// Where it is not JSON.
    pub fn body(&self) -> Value {
        let first = self.bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        serde_json::from_slice(first).unwrap_or_else(|error| panic!("{}: {error}", self.key))
    }
}

impl Bucket {
    /// The bucket of a server.
    ///
    /// # Panics
    /// Where the server's address is none.
    pub fn of(aws: &AwsServer) -> Self {
        let store = AmazonS3Builder::new()
            .with_endpoint(aws.direct_url())
            .with_allow_http(true)
            .with_region(aws.region())
            .with_bucket_name(BUCKET)
            .with_access_key_id("somebody")
            .with_secret_access_key("else")
            .build();
        Self { store: store.unwrap_or_else(|error| panic!("{error}")) }
    }

    /// Everything below a folder such as `v1/block/`, sorted by key.
    ///
    /// # Panics
    /// Where the server does not answer.
    pub async fn entries(&self, folder: &str) -> Vec<Raw> {
        let below = Path::from(format!("{PREFIX}/{folder}"));
        let list: Vec<_> = self.store.list(Some(&below)).try_collect().await.unwrap_or_else(|error| panic!("{error}"));
        let mut entries = Vec::new();
        for meta in list {
            let found = self.store.get(&meta.location).await.unwrap_or_else(|error| panic!("{error}"));
            let bytes = found.bytes().await.unwrap_or_else(|error| panic!("{error}")).to_vec();
            let key = meta.location.as_ref().trim_start_matches(PREFIX).trim_start_matches('/').to_owned();
            entries.push(Raw { key, bytes });
        }
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        entries
    }

    /// Overwrites an object, which nothing of the project ever does to an entry.
    ///
    /// # Panics
    /// Where the server does not take it.
    pub async fn overwrite(&self, key: &str, bytes: Vec<u8>) {
        let path = Path::from(format!("{PREFIX}/{key}"));
        self.store.put(&path, bytes.into()).await.unwrap_or_else(|error| panic!("{error}"));
    }

    /// The key of the entry that holds the intent of the first call of this API, without the prefix.
    ///
    /// # Panics
    /// Where there is none.
    pub async fn key_of_intent(&self, api: &str) -> String {
        let entries = self.entries("v1/block/").await;
        let found = entries.iter().find(|entry| {
            let events = entry.body()["events"].clone();
            events.as_array().is_some_and(|events| {
                events.iter().any(|event| {
                    let text = event.to_string();
                    text.contains("ntent") && text.contains(&format!("\"api\":\"{api}\"")) && text.contains("\"call\"")
                })
            })
        });
        found.map(|entry| entry.key.clone()).unwrap_or_else(|| panic!("no intent of {api}"))
    }
}
