//! A run's own stream: its start, the renewals of its lease, its end.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::lock::Mutex;
use thiserror::Error;

use super::envelope::{Author, Head};
use super::event::{Holder, RunEvent, RunOutcome};
use super::lease::{Lease, LeaseLapsed, Timing};
use super::log::{ReadError, get, put_hint, read_run};
use super::name::{entry_key, shown};
use super::run_state::RunState;
use super::write::{WriteError, Written, put_next, superseded};
use crate::id::{BlockAddr, Digest, RunId};
use crate::machine::Io;
use crate::mutant::{self, Mutant};

/// What a run begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// Its id: the plan's digest, so that a plan has at most one run.
    pub id: RunId,
    /// Who runs it.
    pub holder: Holder,
    /// The plan's digest.
    pub plan: Digest,
    /// The blocks that it may change.
    pub blocks: BTreeSet<BlockAddr>,
    /// Whether it runs in a simulated cloud.
    pub simulated: bool,
    /// The times of its lease.
    pub timing: Timing,
}

/// A run that cannot begin.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StartError {
    /// The stream has entries: a plan has at most one run.
    #[error("run {} of this plan {}: a plan is applied once; plan again", id.short(), used(state))]
    AlreadyUsed {
        /// The run.
        id: RunId,
        /// What its stream amounts to.
        state: Box<RunState>,
    },
    /// It could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

fn used(state: &RunState) -> String {
    let by = state
        .started
        .as_ref()
        .map_or_else(String::new, |start| format!(" by {}, since {}", start.holder.name, start.holder.since));
    let how = if state.ended.is_some() { "has ended" } else { "was begun" };
    format!("{how}{by}")
}

/// The stream of a run that this process has begun. Clones share it.
#[derive(Clone)]
pub struct RunStream {
    io: Io,
    author: Arc<Author>,
    new: Arc<NewRun>,
    lease: Lease,
    /// Held while an entry is written: the next one needs its digest.
    head: Arc<Mutex<Tail>>,
}

enum Tail {
    At(Head),
    Ended,
    Failed(WriteError),
}

impl RunStream {
    /// Begins the run: writes its first entry, and from then on renews its lease in a task of its own.
    ///
    /// # Errors
    /// The plan has a run already, or the store does not take the entry.
    pub async fn start(io: &Io, author: Arc<Author>, new: NewRun) -> Result<Self, StartError> {
        let started = RunEvent::Started {
            holder: new.holder.clone(),
            lease_ms: u64::try_from(new.timing.lease.as_millis()).unwrap_or(u64::MAX),
            plan: new.plan.clone(),
            revision: author.revision.clone(),
            generation: author.generation,
            blocks: new.blocks.clone(),
            simulated: new.simulated,
        };
        let sent = io.now();
        let head = match put_next::<RunEvent>(io, &author, &new.id, None, None, vec![started]).await? {
            Written::Ours(entry) => entry.head(),
            Written::Taken(_) => {
                let state = Box::new(read_run(io, &author.infra, &new.id).await?);
                match &state.head {
                    Some(head) if mutant::on(Mutant::PlanRunsTwice) => head.clone(),
                    _ => return Err(StartError::AlreadyUsed { id: new.id, state }),
                }
            }
        };
        let run = Self {
            io: io.clone(),
            author,
            lease: Lease::new(new.timing, sent),
            new: Arc::new(new),
            head: Arc::new(Mutex::new(Tail::At(head))),
        };
        io.spawn(run.clone().keep());
        Ok(run)
    }

    /// The run's id.
    pub fn id(&self) -> &RunId {
        &self.new.id
    }

    /// Who runs it.
    pub fn holder(&self) -> &Holder {
        &self.new.holder
    }

    /// Its lease.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// What goes into every entry.
    pub fn author(&self) -> &Arc<Author> {
        &self.author
    }

    /// Renews the lease until the run ends or the lease is lost.
    async fn keep(self) {
        loop {
            self.io.sleep(self.new.timing.renew_every).await;
            if mutant::on(Mutant::LeaseExtendedLocally) {
                let (run, now) = (self.clone(), self.io.now());
                self.io.spawn(async move { run.renew().map(drop).await });
                self.lease.sending(now);
                match self.lease.renewed(now) {
                    Ok(()) => continue,
                    Err(_) => return,
                }
            }
            match self.renew().await {
                Ok(_) => {}
                Err(RenewError::Lapsed(_)) | Err(RenewError::Write(_)) => return,
            }
        }
    }

    /// Writes a renewing entry and returns its head.
    async fn renew(&self) -> Result<Head, RenewError> {
        let mut tail = self.head.lock().await;
        // What has lapsed is not renewed: a successor may have judged already.
        if !mutant::on(Mutant::LapsedLeaseComesBack) {
            self.lease.check(self.io.now())?;
        }
        self.lease.sending(self.io.now());
        let head = match self.write(&mut tail, RunEvent::Renewed {}).await {
            Ok(head) => head,
            Err(error) => {
                if !mutant::on(Mutant::LeaseExtendedLocally) {
                    self.lease.lose(error.to_string());
                }
                return Err(error.into());
            }
        };
        if mutant::on(Mutant::RenewalCountsFromItsAnswer) || mutant::on(Mutant::LeaseExtendedLocally) {
            self.lease.sending(self.io.now());
        }
        self.lease.renewed(self.io.now())?;
        Ok(head)
    }

    /// The store's stamp of an entry that is written now, with the lease renewed by it.
    ///
    /// # Errors
    /// The entry cannot be written or read.
    pub(super) async fn stamp(&self) -> Result<u64, StampError> {
        let head = self.renew().await?;
        let key = entry_key::<RunEvent>(&self.new.id, head.seq);
        match get(&self.io, &key).await? {
            Some((_, modified_ms)) => Ok(modified_ms),
            None => Err(StampError::Read(ReadError::Gap {
                stream: shown::<RunEvent>(&self.new.id),
                missing: head.seq,
                found: head.seq,
            })),
        }
    }

    async fn write(&self, tail: &mut Tail, event: RunEvent) -> Result<Head, WriteError> {
        let id = &self.new.id;
        let at = match tail {
            Tail::At(head) => head.clone(),
            Tail::Ended => return Err(WriteError::GivenBack { stream: shown::<RunEvent>(id) }),
            Tail::Failed(error) => return Err(error.clone()),
        };
        // If the future is dropped during the put, the next writer must not go on from a head that may have moved.
        *tail = Tail::Failed(WriteError::Unresolved {
            stream: shown::<RunEvent>(id),
            seq: at.seq.next(),
            reason: "the write was given up".to_owned(),
        });
        let result = match put_next(&self.io, &self.author, id, Some(&at), None, vec![event]).await {
            Ok(Written::Ours(entry)) => Ok(entry.head()),
            Ok(Written::Taken(taken)) => Err(superseded::<RunEvent>(&self.io, &self.author, id, Some(&at), &taken)),
            Err(error) => Err(error),
        };
        *tail = match &result {
            Ok(head) => Tail::At(head.clone()),
            Err(error) => Tail::Failed(error.clone()),
        };
        result
    }

    /// Ends the run: its claims count no more.
    ///
    /// # Errors
    /// The entry was not written; the lease then runs out by itself.
    pub async fn end(&self, outcome: RunOutcome) -> Result<(), WriteError> {
        let mut tail = self.head.lock().await;
        let head = self.write(&mut tail, RunEvent::Ended { outcome }).await?;
        *tail = Tail::Ended;
        self.lease.lose("the run has ended".to_owned());
        put_hint::<RunEvent>(&self.io, &self.new.id, head.seq);
        Ok(())
    }
}

#[derive(Debug)]
enum RenewError {
    Lapsed(LeaseLapsed),
    Write(WriteError),
}

/// No stamp of the store could be had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StampError {
    /// The lease has lapsed.
    #[error(transparent)]
    Lapsed(#[from] LeaseLapsed),
    /// The entry was not written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The entry cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<LeaseLapsed> for RenewError {
    fn from(lapsed: LeaseLapsed) -> Self {
        Self::Lapsed(lapsed)
    }
}

impl From<WriteError> for RenewError {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

impl From<RenewError> for StampError {
    fn from(error: RenewError) -> Self {
        match error {
            RenewError::Lapsed(lapsed) => Self::Lapsed(lapsed),
            RenewError::Write(error) => Self::Write(error),
        }
    }
}
