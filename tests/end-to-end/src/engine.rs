//! The engine of provision in the test's own process, with the real client: hundreds of runs, for which a process each would be
//! too slow.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sts::config::Credentials;
use provision_aws::Aws;
use provision_aws::client::{AwsClient, Settings};
use provision_core::check::{CheckAnswer, Checker, ReadyCheck};
use provision_core::driver::{Connector, ObjectStoreBackend, World};
use provision_core::dsl::Infrastructure;
use provision_core::embed::Engine;
use provision_core::exec::GenerationChoice;
use provision_core::id::Generation;
use provision_core::machine::Memory;
use provision_core::plan::Providers;
use provision_core::provider::{Client, Provider};
use provision_core::stream::Signer;
use provision_core::target::TargetId;
use testbed::aws::AwsServer;

use crate::world::{STAMP_BOUND, VISIBILITY};

/// A state of its own, on a server.
pub struct State {
    world: World,
    memory: Memory,
}

/// Nothing answers at the addresses of a test server's machines: whoever asks is told that all is well.
struct AllWell;

#[async_trait]
impl Checker for AllWell {
    async fn check(&self, _: &ReadyCheck) -> CheckAnswer {
        CheckAnswer { result: Ok(()), simulated: false }
    }
}

/// Clients of the real SDK for a server.
struct Sdk {
    url: String,
}

#[async_trait]
impl Connector for Sdk {
    async fn connect(&self, target: &TargetId) -> Result<Arc<dyn Client>, String> {
        let settings = Settings {
            endpoint_url: Some(self.url.clone()),
            stamp_bound: Duration::from_secs(STAMP_BOUND),
            visibility: Duration::from_secs(VISIBILITY.parse().unwrap_or(1)),
            ..Settings::default()
        };
        // The test server goes by the account in place of a key.
        let credentials = Credentials::new(&target.account, "secret", None, None, "a test");
        let client = AwsClient::with_credentials(target, &settings, credentials).await;
        Ok(Arc::new(client.map_err(|error| error.problem)?))
    }
}

impl State {
    /// An empty one.
    pub fn new(aws: &AwsServer) -> Self {
        let sdk = Sdk { url: aws.endpoint_url().to_owned() };
        let world = World::new(Arc::new(ObjectStoreBackend::memory()), Arc::new(sdk)).checked_by(Arc::new(AllWell));
        Self { world, memory: Memory::default() }
    }

    /// The engine for these definitions.
    ///
    /// # Panics
    /// Where they have findings.
    pub fn engine(&self, infra: Infrastructure) -> Engine {
        let desired = infra.finish().unwrap_or_else(|findings| panic!("{findings:#?}"));
        let providers = Providers::new([Arc::new(Aws) as Arc<dyn Provider>]);
        let signer = Signer::new(&[7; 32], "tester");
        let engine = Engine::new(desired, providers, self.world.clone(), signer);
        let engine = engine.unwrap_or_else(|error| panic!("{error}"));
        Engine { generation: GenerationChoice::Given(Generation(1)), memory: self.memory.clone(), ..engine }
    }
}
