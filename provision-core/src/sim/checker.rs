//! Who asks a simulated cloud how healthy its objects are.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::clock::{Clock, wall_clock};
use super::cloud::SimCloud;
use super::file::FileCloud;
use crate::check::{CheckAnswer, Checker, ReadyCheck};

/// Answers health checks by what a simulated cloud holds; opens no socket.
#[derive(Clone)]
pub struct SimChecker(World);

#[derive(Clone)]
enum World {
    Memory { cloud: Arc<Mutex<SimCloud>>, clock: Clock },
    File(Arc<FileCloud>),
}

impl SimChecker {
    /// Of a cloud in memory, by the wall clock.
    pub fn in_memory(cloud: Arc<Mutex<SimCloud>>) -> Self {
        Self(World::Memory { cloud, clock: wall_clock() })
    }

    /// Of a cloud in a directory.
    pub fn in_file(cloud: Arc<FileCloud>) -> Self {
        Self(World::File(cloud))
    }
}

#[async_trait]
impl Checker for SimChecker {
    async fn check(&self, check: &ReadyCheck) -> CheckAnswer {
        match &self.0 {
            World::Memory { cloud, clock } => {
                cloud.lock().unwrap_or_else(PoisonError::into_inner).check(clock(), check)
            }
            World::File(cloud) => {
                let (cloud, check) = (cloud.clone(), check.clone());
                let answered = tokio::task::spawn_blocking(move || cloud.check(&check)).await;
                answered.unwrap_or_else(|_| CheckAnswer {
                    result: Err("the simulated cloud was shut down".to_owned()),
                    simulated: true,
                })
            }
        }
    }
}
