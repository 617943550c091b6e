//! A store that counts what is done to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use provision_core::driver::{ObjectStoreBackend, Store, Version, Versions};
use provision_core::machine::{GetAnswer, ListAnswer, PutAnswer, StoreKey};
use serde::{Deserialize, Serialize};

/// What was done to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// Entries that were written, and their bytes.
    pub(crate) puts: u64,
    pub(crate) put_bytes: u64,
    /// Hints that were overwritten.
    pub(crate) hints: u64,
    /// Objects that were read, and their bytes.
    pub(crate) gets: u64,
    pub(crate) get_bytes: u64,
    /// Listings.
    pub(crate) lists: u64,
}

#[derive(Default)]
struct Cells {
    puts: AtomicU64,
    put_bytes: AtomicU64,
    hints: AtomicU64,
    gets: AtomicU64,
    get_bytes: AtomicU64,
    lists: AtomicU64,
}

/// A store, and what was done to it. Clones count together.
#[derive(Clone)]
pub(crate) struct Counting {
    store: ObjectStoreBackend,
    cells: Arc<Cells>,
}

impl Counting {
    pub(crate) fn new(store: ObjectStoreBackend) -> Self {
        Self { store, cells: Arc::default() }
    }

    pub(crate) fn counts(&self) -> Counts {
        let of = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
        let Cells { puts, put_bytes, hints, gets, get_bytes, lists } = &*self.cells;
        Counts {
            puts: of(puts),
            put_bytes: of(put_bytes),
            hints: of(hints),
            gets: of(gets),
            get_bytes: of(get_bytes),
            lists: of(lists),
        }
    }
}

fn add(cell: &AtomicU64, number: usize) {
    cell.fetch_add(u64::try_from(number).unwrap_or(u64::MAX), Ordering::Relaxed);
}

#[async_trait]
impl Store for Counting {
    async fn put_if_absent(&self, key: &StoreKey, bytes: Vec<u8>) -> PutAnswer {
        add(&self.cells.puts, 1);
        add(&self.cells.put_bytes, bytes.len());
        self.store.put_if_absent(key, bytes).await
    }

    async fn put_hint(&self, key: &StoreKey, bytes: Vec<u8>) {
        add(&self.cells.hints, 1);
        self.store.put_hint(key, bytes).await;
    }

    async fn get(&self, key: &StoreKey) -> GetAnswer {
        self.get_version(key).await.0
    }

    async fn get_version(&self, key: &StoreKey) -> (GetAnswer, Option<Version>) {
        add(&self.cells.gets, 1);
        let (answer, version) = self.store.get_version(key).await;
        if let GetAnswer::Found { bytes, .. } = &answer {
            add(&self.cells.get_bytes, bytes.len());
        }
        (answer, version)
    }

    async fn list(&self, prefix: &str) -> ListAnswer {
        add(&self.cells.lists, 1);
        self.store.list(prefix).await
    }

    async fn list_after(&self, prefix: &str, after: &str) -> ListAnswer {
        add(&self.cells.lists, 1);
        self.store.list_after(prefix, after).await
    }

    async fn list_versions(&self, prefix: &str, after: Option<&str>) -> Result<Versions, String> {
        add(&self.cells.lists, 1);
        self.store.list_versions(prefix, after).await
    }

    fn describe(&self) -> String {
        self.store.describe()
    }
}
