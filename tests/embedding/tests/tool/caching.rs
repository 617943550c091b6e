//! A store far away with a cache before it: what was read of its logs is not fetched again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use embedding::cloud::Cloud;
use embedding::infra::wide_company;
use embedding::office::{Office, Problem, plan, plan_and_apply};
use provision_core::desired::Desired;
use provision_core::driver::{Cached, ObjectStoreBackend, Store, Version, Versions, World};
use provision_core::embed::{Engine, PlanRequest, Simulated};
use provision_core::machine::{GetAnswer, ListAnswer, PutAnswer, StoreKey};
use provision_core::sim::{SimCloud, SimConfig};
use provision_core::stream::event::RunOutcome;

/// A store that counts the entries that are read.
struct FarAway {
    store: ObjectStoreBackend,
    entries: AtomicUsize,
}

#[async_trait]
impl Store for FarAway {
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
        let (found, version) = self.store.get_version(key).await;
        let is_entry = key.0.starts_with("v1/block/") || key.0.starts_with("v1/run/");
        if is_entry && matches!(found, GetAnswer::Found { .. }) {
            self.entries.fetch_add(1, Ordering::Relaxed);
        }
        (found, version)
    }
    async fn list(&self, prefix: &str) -> ListAnswer {
        self.store.list(prefix).await
    }
    async fn list_versions(&self, prefix: &str, after: Option<&str>) -> Result<Versions, String> {
        self.store.list_versions(prefix, after).await
    }
    fn describe(&self) -> String {
        self.store.describe()
    }
}

/// How many blocks there are beside the hub.
const BLOCKS: u32 = 1_000;

/// The company with a hub of so many subnets: from eight on its log has a checkpoint.
fn code(subnets: u32) -> Result<Desired, Problem> {
    wide_company(BLOCKS, subnets).map_err(|findings| format!("{findings:?}").into())
}

/// An engine of somebody's, over that store, in a cloud that throttles nobody.
fn engine(office: &Office, store: Arc<dyn Store>, cloud: &Simulated, subnets: u32) -> Result<Engine, Problem> {
    let world = World::new(store, Arc::new(Cloud::new(cloud.clone())));
    Ok(Engine { world, ..office.engine("alice", code(subnets)?)? })
}

#[tokio::test]
async fn a_second_plan_reads_no_entry_from_the_store() -> Result<(), Problem> {
    let (office, dir) = (Office::open()?, tempfile::tempdir()?);
    let cache = dir.path().join("cache");
    let config = SimConfig { throttle: None, ..SimConfig::instant(2) };
    let cloud = Simulated::Memory(Arc::new(Mutex::new(SimCloud::new(config))));
    let store = ObjectStoreBackend::memory();
    let apply = async |subnets| -> Result<(), Problem> {
        let engine = engine(&office, Arc::new(store.clone()), &cloud, subnets)?;
        let applied = plan_and_apply(&engine, &PlanRequest::default()).await?;
        assert_eq!(applied.outcome, RunOutcome::Succeeded, "{:?}", applied.problems);
        Ok(())
    };
    // Plans in a process of its own, which remembers nothing: how many entries came from the store.
    let planned = async |subnets| -> Result<usize, Problem> {
        let far_away = Arc::new(FarAway { store: store.clone(), entries: AtomicUsize::new(0) });
        let cached = Arc::new(Cached::open(far_away.clone(), &cache)?);
        assert!(plan(&engine(&office, cached, &cloud, subnets)?, &PlanRequest::default()).await?.is_empty());
        Ok(far_away.entries.load(Ordering::Relaxed))
    };

    apply(8).await?;
    let first = planned(8).await?;
    assert!(first > 3 * 1_000, "{first}");
    assert_eq!(planned(8).await?, 0);

    // What is written since is read, and nothing else.
    apply(20).await?;
    let new = planned(20).await?;
    assert!((1..100).contains(&new), "{new}");
    assert_eq!(planned(20).await?, 0);

    std::fs::remove_dir_all(&cache)?;
    assert!(planned(20).await? > 3 * 1_000, "what was lost is read");
    Ok(())
}
