//! The client half over a simulated cloud.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::clock::{Clock, wall_clock};
use super::cloud::SimCloud;
use super::file::FileCloud;
use super::latency::Latency;
use crate::call::{Answer, Bounds, Read, ReadAnswer, Sending};
use crate::provider::{Client, ClientError};
use crate::target::TargetId;

/// The client half for one target of a simulated cloud, of any provider.
///
/// A call takes the time that the [`Latency`] model says: it reaches the cloud half way, so that a runner that dies
/// in between may or may not have made it.
#[derive(Clone)]
pub struct SimClient {
    target: TargetId,
    world: World,
    bounds: Bounds,
    latency: Latency,
}

#[derive(Clone)]
enum World {
    Memory { cloud: Arc<Mutex<SimCloud>>, clock: Clock },
    File(Arc<FileCloud>),
}

impl SimClient {
    /// A client of a cloud in memory, by the wall clock.
    pub fn in_memory(cloud: Arc<Mutex<SimCloud>>, target: TargetId) -> Self {
        Self::in_memory_with_clock(cloud, target, wall_clock())
    }

    /// A client of a cloud in memory, by another clock.
    pub fn in_memory_with_clock(cloud: Arc<Mutex<SimCloud>>, target: TargetId, clock: Clock) -> Self {
        let (bounds, latency) = {
            let cloud = cloud.lock().unwrap_or_else(PoisonError::into_inner);
            (cloud.config().bounds(), cloud.config().latency())
        };
        Self { target, world: World::Memory { cloud, clock }, bounds, latency }
    }

    /// A client of a cloud in a directory.
    pub fn in_file(cloud: Arc<FileCloud>, target: TargetId) -> Self {
        let (bounds, latency) = (cloud.config().bounds(), cloud.config().latency());
        Self { target, world: World::File(cloud), bounds, latency }
    }

    /// Runs `f` where it may block: files and locks are waited for there.
    async fn execute<T: Send + 'static>(&self, f: impl FnOnce(World, TargetId) -> T + Send + 'static) -> Option<T> {
        let (world, target) = (self.world.clone(), self.target.clone());
        match world {
            World::Memory { .. } => Some(f(world, target)),
            World::File(_) => tokio::task::spawn_blocking(move || f(world, target)).await.ok(),
        }
    }
}

async fn pass(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

fn call(world: &World, target: &TargetId, sending: &Sending) -> Answer {
    match world {
        World::Memory { cloud, clock } => {
            let mut cloud = cloud.lock().unwrap_or_else(PoisonError::into_inner);
            cloud.call(clock(), target, sending)
        }
        World::File(cloud) => cloud.call(target, sending),
    }
}

fn read(world: &World, target: &TargetId, read: &Read) -> ReadAnswer {
    match world {
        World::Memory { cloud, clock } => {
            let mut cloud = cloud.lock().unwrap_or_else(PoisonError::into_inner);
            let now = clock();
            if cloud.admit_read(now, target, read) { cloud.read(now, target, read) } else { ReadAnswer::Throttled }
        }
        World::File(cloud) => cloud.read(target, read),
    }
}

#[async_trait]
impl Client for SimClient {
    fn bounds(&self) -> Bounds {
        self.bounds
    }

    async fn verify(&self, _target: &TargetId) -> Result<(), ClientError> {
        Ok(())
    }

    async fn call(&self, sending: &Sending) -> Answer {
        let time = self.latency.call(sending);
        let there = time / 2;
        pass(there).await;
        let owned = sending.clone();
        let answer = self.execute(move |world, target| call(&world, &target, &owned)).await;
        pass(time - there).await;
        answer.unwrap_or_else(|| Answer::Unknown { reason: "the simulated cloud was shut down".to_owned() })
    }

    async fn read(&self, asked: &Read) -> ReadAnswer {
        let time = self.latency.read(asked);
        let there = time / 2;
        pass(there).await;
        let owned = asked.clone();
        let answer = self.execute(move |world, target| read(&world, &target, &owned)).await;
        pass(time - there).await;
        let reason = "the simulated cloud was shut down".to_owned();
        answer.unwrap_or(ReadAnswer::Failed { refusal: None, reason })
    }
}
