//! The providers that this build has, and how their client halves are made.

use std::sync::Arc;

use async_trait::async_trait;
use provision_core::driver::Connector;
use provision_core::plan::Providers;
use provision_core::provider::{Client, Provider};
use provision_core::target::TargetId;

/// The pure halves.
pub(crate) fn providers() -> Providers {
    Providers::new([Arc::new(provision_aws::provider::Aws) as Arc<dyn Provider>])
}

/// The clouds themselves.
pub(crate) struct Real;

#[async_trait]
impl Connector for Real {
    #[cfg(feature = "aws")]
    async fn connect(&self, target: &TargetId) -> Result<Arc<dyn Client>, String> {
        match target.provider.as_str() {
            "aws" => crate::aws::connect(target).await,
            other => Err(format!("this build has no client for {other}")),
        }
    }

    #[cfg(not(feature = "aws"))]
    async fn connect(&self, target: &TargetId) -> Result<Arc<dyn Client>, String> {
        let provider = &target.provider;
        Err(format!("this build links no client for {provider}: build with `--features {provider}`, or use --simulate"))
    }
}
