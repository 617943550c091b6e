//! Health, as the simulated cloud tells it: what is asked about is healthy once its objects are ready.

use sha2::{Digest as _, Sha256};

use super::cloud::SimCloud;
use super::reads::readiness;
use crate::call::{Readiness, ServerTime};
use crate::check::{Ask, CheckAnswer, ReadyCheck};

impl SimCloud {
    /// Answers a health check, without a socket.
    pub fn check(&self, now: ServerTime, check: &ReadyCheck) -> CheckAnswer {
        CheckAnswer { result: self.health(now, check), simulated: true }
    }

    fn health(&self, now: ServerTime, check: &ReadyCheck) -> Result<(), String> {
        let config = self.config();
        if config.unhealthy.contains(&check.block) || self.fails(check) {
            return Err(match check.ask {
                Ask::Http { .. } => "it answers 503 Service Unavailable".to_owned(),
                Ask::Tcp { .. } => "connection refused".to_owned(),
                Ask::Custom { .. } => "it is not healthy".to_owned(),
            });
        }
        for (target, type_name, id) in &check.objects {
            let object = self.model.object(now, id).filter(|object| object.target == *target);
            match object.map(|object| readiness(object, now)) {
                Some(Readiness::Ready) => {}
                Some(Readiness::Pending) => return Err(format!("{type_name} {id} is not ready yet")),
                Some(Readiness::Failed(reason)) => return Err(format!("{type_name} {id}: {reason}")),
                Some(Readiness::Going) | None => return Err(format!("{type_name} {id} is not there")),
            }
        }
        Ok(())
    }

    /// Whether the seed makes it fail, always.
    fn fails(&self, check: &ReadyCheck) -> bool {
        let config = self.config();
        if config.unhealthy_per_mille == 0 {
            return false;
        }
        let digest = Sha256::digest(format!("{} {} {}", config.seed, check.block, check.check));
        let [a, b, c, d, ..] = *digest.as_slice() else { return false };
        u64::from(u32::from_be_bytes([a, b, c, d])) % 1_000 < config.unhealthy_per_mille
    }
}
