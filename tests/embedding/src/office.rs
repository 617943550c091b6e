//! A place to work from: a folder with a store and a cloud, and engines for whoever works there.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use provision_core::desired::Desired;
use provision_core::driver::{ObjectStoreBackend, World, our_holder};
use provision_core::embed::{Engine, PlanRequest, Simulated};
use provision_core::exec::{Binding, GenerationChoice, RunReport};
use provision_core::id::ObjectId;
use provision_core::plan::{Plan, Providers};
use provision_core::provider::Provider;
use provision_core::sim::{FileCloud, Held, SimConfig, Tamper};
use provision_core::stream::Signer;
use provision_core::stream::event::Holder;
use tempfile::TempDir;

use crate::cloud::Cloud;

/// Whatever goes wrong.
pub type Problem = Box<dyn Error + Send + Sync>;

/// A folder with a store and a cloud.
pub struct Office {
    folder: TempDir,
    simulated: Arc<FileCloud>,
    /// The cloud, for giving it bad days.
    pub cloud: Cloud,
}

impl Office {
    /// A new one, in a folder that goes away with it. Its cloud is quick, and so is what it takes to be sure there.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open() -> Result<Self, Problem> {
        let folder = tempfile::tempdir()?;
        let config = SimConfig {
            stamp: Duration::from_millis(500),
            visibility: Duration::from_millis(50),
            ..SimConfig::instant(1)
        };
        let simulated = Arc::new(FileCloud::open(&folder.path().join("cloud"), config)?);
        let cloud = Cloud::new(Simulated::File(simulated.clone()));
        Ok(Self { folder, simulated, cloud })
    }

    /// An engine for somebody who works here: a process of its own, as far as others can tell by its name and its key.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn engine(&self, who: &str, desired: Desired) -> Result<Engine, Problem> {
        let store = ObjectStoreBackend::directory(&self.folder.path().join("state"), false)?;
        let world = World::new(Arc::new(store), Arc::new(self.cloud.clone()));
        let providers = Providers::new([Arc::new(provision_aws::provider::Aws) as Arc<dyn Provider>]);
        let mut secret = [0; 32];
        secret.iter_mut().zip(who.bytes()).for_each(|(secret, byte)| *secret = byte);
        let holder = Holder { name: who.to_owned(), ..our_holder()? };
        let engine = Engine::new(desired, providers, world, Signer::new(&secret, who))?;
        Ok(Engine { simulated: true, holder, generation: GenerationChoice::AfterHighest, ..engine })
    }

    /// All that the cloud holds.
    ///
    /// # Errors
    /// The cloud's file cannot be read.
    pub fn objects(&self) -> Result<Vec<Held>, Problem> {
        Ok(self.simulated.objects()?)
    }

    /// Does something behind everybody's back. The id is that of what was made.
    ///
    /// # Errors
    /// The cloud refuses.
    pub fn tamper(&self, tamper: &Tamper) -> Result<Option<ObjectId>, Problem> {
        Ok(self.simulated.tamper(tamper)??)
    }
}

/// Plans.
///
/// # Errors
/// There is no plan.
pub async fn plan(engine: &Engine, request: &PlanRequest) -> Result<Plan, Problem> {
    Ok(engine.plan(request).finish().await?.plan)
}

/// Plans, and applies that without asking anybody.
///
/// # Errors
/// There is no plan, or no run.
pub async fn plan_and_apply(engine: &Engine, request: &PlanRequest) -> Result<RunReport, Problem> {
    let plan = plan(engine, request).await?;
    Ok(engine.apply(plan, Binding::Ceiling).finish().await?)
}
