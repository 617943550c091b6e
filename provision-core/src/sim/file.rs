//! A simulated cloud in a directory.

use std::error::Error as _;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::clock::{Clock, wall_clock};
use super::cloud::SimCloud;
use super::config::SimConfig;
use super::journal::{FileCloudError, Journal, Lock};

use super::model::{Mutation, Record};
use super::reads::Held;
use super::rules::Decision;
use super::tamper::{Tamper, TamperError, created};
use crate::call::{Answer, Read, ReadAnswer, Sending, ServerTime};
use crate::check::{CheckAnswer, ReadyCheck};
use crate::id::ObjectId;
use crate::target::TargetId;

/// The file in the directory.
const FILE: &str = "journal.jsonl";

/// A simulated cloud that lives in a directory and is shared by all processes that open it.
///
/// # Guarantees
/// A change is durable before it is answered. Calls of all processes are executed one after another, each on what all
/// before it did. A process that dies in the middle of a write leaves a cloud in which that call did not happen. Each
/// call writes as many bytes as its change has.
///
/// # Assumptions
/// The file system honours file locks: a local one does.
///
/// # Caveats
/// Its time is the clock's, but never before its last change. Calls are counted for throttling per process.
pub struct FileCloud {
    clock: Clock,
    config: SimConfig,
    state: Mutex<State>,
}

struct State {
    journal: Journal,
    cloud: SimCloud,
}

impl FileCloud {
    /// Opens the cloud in this directory, or begins one. A cloud keeps the seed that it was begun with.
    ///
    /// # Errors
    /// A directory that cannot be used, or a journal that is damaged, foreign or newer than this build.
    pub fn open(dir: &Path, config: SimConfig) -> Result<Self, FileCloudError> {
        Self::open_with_clock(dir, config, wall_clock())
    }

    /// The same, by another clock.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with_clock(dir: &Path, config: SimConfig, clock: Clock) -> Result<Self, FileCloudError> {
        let io = |source| FileCloudError::Io { doing: "create", path: dir.to_owned(), source };
        fs::create_dir_all(dir).map_err(io)?;
        let (journal, seed) = Journal::open(dir.join(FILE), config.seed)?;
        let cloud = SimCloud::new(config).with_seed(seed);
        let config = cloud.config().clone();
        let cloud = Self { clock, config, state: Mutex::new(State { journal, cloud }) };
        cloud.locked(Lock::Shared, |_, _| Ok(()))?;
        Ok(cloud)
    }

    /// How it behaves.
    pub fn config(&self) -> &SimConfig {
        &self.config
    }

    /// Executes a call. What goes wrong with the file makes the answer unknown.
    pub fn call(&self, target: &TargetId, sending: &Sending) -> Answer {
        let called = self.locked(Lock::Exclusive, |open, now| {
            let Decision { did, answer } = open.cloud.decide(now, target, sending);
            open.commit(now, did)?;
            Ok(answer)
        });
        called.unwrap_or_else(|error| Answer::Unknown { reason: with_source(&error) })
    }

    /// Answers one page of a read.
    pub fn read(&self, target: &TargetId, read: &Read) -> ReadAnswer {
        let answer = self.locked(Lock::Shared, |open, now| {
            if open.cloud.admit_read(now, target, read) {
                Ok(open.cloud.read(now, target, read))
            } else {
                Ok(ReadAnswer::Throttled)
            }
        });
        answer.unwrap_or_else(|error| ReadAnswer::Failed { refusal: None, reason: with_source(&error) })
    }

    /// Answers a health check, without a socket.
    pub fn check(&self, check: &ReadyCheck) -> CheckAnswer {
        let answer = self.locked(Lock::Shared, |open, now| Ok(open.cloud.check(now, check)));
        answer.unwrap_or_else(|error| CheckAnswer { result: Err(with_source(&error)), simulated: true })
    }

    /// Does something behind the runners' back.
    ///
    /// # Errors
    /// What goes wrong with the file; inside, what the cloud's own rules refuse.
    pub fn tamper(&self, tamper: &Tamper) -> Result<Result<Option<ObjectId>, TamperError>, FileCloudError> {
        self.locked(Lock::Exclusive, |open, now| match open.cloud.decide_tamper(now, tamper) {
            Ok(did) => {
                let id = created(did.as_ref());
                open.commit(now, did)?;
                Ok(Ok(id))
            }
            Err(refused) => Ok(Err(refused)),
        })
    }

    /// All that the cloud holds, in the order in which it came to be.
    ///
    /// # Errors
    /// What goes wrong with the file.
    pub fn objects(&self) -> Result<Vec<Held>, FileCloudError> {
        self.locked(Lock::Shared, |open, now| Ok(open.cloud.objects(now)))
    }

    /// Runs `f` under the lock, on the cloud as all processes left it.
    fn locked<T>(
        &self,
        lock: Lock,
        f: impl FnOnce(&mut Open<'_>, ServerTime) -> Result<T, FileCloudError>,
    ) -> Result<T, FileCloudError> {
        // Whatever a thread that panicked had read, the journal's offset says so.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { journal, cloud } = &mut *state;
        journal.locked(lock, |journal| {
            journal.tail(|record| cloud.model.apply(record))?;
            let now = cloud.model.not_before((self.clock)());
            f(&mut Open { journal, cloud }, now)
        })
    }
}

/// The state while the lock is held.
struct Open<'a> {
    journal: &'a mut Journal,
    cloud: &'a mut SimCloud,
}

impl Open<'_> {
    /// Makes a change durable, then takes it in.
    fn commit(&mut self, now: ServerTime, did: Option<Mutation>) -> Result<(), FileCloudError> {
        let Some(did) = did else { return Ok(()) };
        let record = Record { at: now, did };
        self.journal.append(&record)?;
        self.cloud.model.apply(record).map_err(|bad| self.journal.corrupt(bad))
    }
}

/// An error and what caused it, in one line.
fn with_source(error: &FileCloudError) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
