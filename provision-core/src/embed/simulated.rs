//! The simulated cloud in place of every target.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use crate::check::{CheckAnswer, Checker, ReadyCheck};
use crate::driver::Connector;
use crate::provider::Client;
use crate::sim::{FileCloud, SimChecker, SimClient, SimCloud};
use crate::target::TargetId;

/// Every target is this simulated cloud.
#[derive(Clone)]
pub enum Simulated {
    /// One in memory; it is gone with the process.
    Memory(Arc<Mutex<SimCloud>>),
    /// One in a directory, which several processes share.
    File(Arc<FileCloud>),
}

#[async_trait]
impl Connector for Simulated {
    async fn connect(&self, target: &TargetId) -> Result<Arc<dyn Client>, String> {
        Ok(Arc::new(match self {
            Self::Memory(cloud) => SimClient::in_memory(cloud.clone(), target.clone()),
            Self::File(cloud) => SimClient::in_file(cloud.clone(), target.clone()),
        }))
    }

    fn checker(&self) -> Option<Arc<dyn Checker>> {
        Some(Arc::new(self.clone()))
    }
}

/// Health checks are answered by what the cloud holds; no socket is opened.
#[async_trait]
impl Checker for Simulated {
    async fn check(&self, check: &ReadyCheck) -> CheckAnswer {
        match self {
            Self::Memory(cloud) => SimChecker::in_memory(cloud.clone()).check(check).await,
            Self::File(cloud) => SimChecker::in_file(cloud.clone()).check(check).await,
        }
    }
}
