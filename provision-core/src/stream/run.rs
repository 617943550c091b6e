//! A run's own stream: its start, the renewals of its lease, its end.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::lock::Mutex;
use thiserror::Error;

use super::envelope::{Author, Head};
use super::event::{Holder, RunEvent, RunOutcome, TakeOver};
use super::lease::{Lease, LeaseLapsed, Timing};
use super::log::{ReadError, get, put_hint, read_run};
use super::name::{entry_key, shown};
use super::run_state::{Checked, RunStart, RunState};
use super::write::{WriteError, Written, put_next, superseded};
use crate::id::{BlockAddr, Digest, InfraId, RunId};
use crate::machine::{HolderState, Io, Now, StoreKey};
use crate::mutant::{self, Mutant};

/// Stores may stamp whole seconds: two such stamps differ by up to one second more than the times.
const STAMP_GRAIN: Duration = Duration::from_secs(1);

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
    /// The plan's run has ended: a plan has at most one run.
    #[error("{}", used(id, state))]
    AlreadyUsed {
        /// The run.
        id: RunId,
        /// What its stream amounts to.
        state: Box<RunState>,
    },
    /// The plan's run goes on, or it is not sure that it does not.
    #[error(
        "this plan is being applied by {} (run {}, since {}): wait until that has ended; if its process is gone, the run \
         can be resumed {} s after its last sign of life",
        holder.name, id.short(), holder.since, wait.as_secs()
    )]
    StillRuns {
        /// The run.
        id: RunId,
        /// Who runs it.
        holder: Box<Holder>,
        /// How long the holder must have been silent.
        wait: Duration,
    },
    /// It could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

fn used(id: &RunId, state: &RunState) -> String {
    let by = state
        .started
        .as_ref()
        .map_or_else(String::new, |start| format!(" (by {}, since {})", start.holder.name, start.holder.since));
    let run = id.short();
    match state.ended {
        Some(RunOutcome::Succeeded) => format!("this plan was already applied by run {run}{by}; plan again"),
        Some(RunOutcome::Failed) => format!("this plan is already used: run {run}{by} failed; plan again"),
        Some(RunOutcome::Interrupted) => {
            format!("this plan is already used: run {run}{by} was interrupted; plan again")
        }
        Some(RunOutcome::Refused) => {
            format!("this plan is already used: run {run}{by} was refused before it called anything; plan again")
        }
        None => format!("this plan is already used: run {run}{by} was begun; plan again"),
    }
}

/// The stream of a run that this process has begun. Clones share it.
#[derive(Clone)]
pub struct RunStream {
    io: Io,
    author: Arc<Author>,
    new: Arc<NewRun>,
    lease: Lease,
    /// Why this process could go on with a run that another one had begun.
    resumed: Option<TakeOver>,
    /// Held while an entry is written: the next one needs its digest.
    head: Arc<Mutex<Tail>>,
}

enum Tail {
    At(Head),
    Ended,
    Failed(WriteError),
}

impl RunStream {
    /// Begins the run: writes its first entry, and from then on renews its lease in a task of its own. If the plan's run was
    /// begun by a process that is gone, this one goes on with it.
    ///
    /// # Errors
    /// The plan's run has ended, or goes on; or the store does not take the entry.
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
        let (head, sent, resumed) =
            match put_next::<RunEvent>(io, &author, &new.id, None, None, vec![started.into()]).await? {
                Written::Ours(entry) => (entry.head(), sent, None),
                Written::Taken(_) => Self::resume(io, &author, &new).await?,
            };
        let run = Self {
            io: io.clone(),
            author,
            lease: Lease::new(new.timing, sent),
            new: Arc::new(new),
            resumed,
            head: Arc::new(Mutex::new(Tail::At(head))),
        };
        io.spawn(run.clone().keep());
        Ok(run)
    }

    /// Goes on with a run that was begun. From the entry that says so, whoever ran it before can write nothing.
    async fn resume(io: &Io, author: &Author, new: &NewRun) -> Result<(Head, Now, Option<TakeOver>), StartError> {
        let began = Box::new(read_run(io, &author.infra, &new.id).await?);
        let used = |state| StartError::AlreadyUsed { id: new.id.clone(), state };
        let (Some(start), Some(head)) = (began.started.clone(), began.head.clone()) else { return Err(used(began)) };
        if mutant::on(Mutant::PlanRunsTwice) {
            return Ok((head, io.now(), None));
        }
        let judged = match began.ended {
            // It called nothing, so the plan is as good as new.
            Some(RunOutcome::Refused) => Some((TakeOver::RunEnded, head)),
            Some(RunOutcome::Succeeded | RunOutcome::Failed | RunOutcome::Interrupted) => return Err(used(began)),
            None => judge_run(io, author, new, &start, &began).await?,
        };
        let Some((took_over, at)) = judged else {
            let wait = patience(&start, new.timing);
            return Err(StartError::StillRuns { id: new.id.clone(), holder: Box::new(start.holder), wait });
        };
        let sent = io.now();
        let lease_ms = u64::try_from(new.timing.lease.as_millis()).unwrap_or(u64::MAX);
        let resumed = RunEvent::Resumed { holder: new.holder.clone(), lease_ms, took_over };
        match put_next(io, author, &new.id, Some(&at), None, vec![resumed.into()]).await? {
            Written::Ours(entry) => Ok((entry.head(), sent, Some(took_over))),
            // It lives after all, or somebody else was faster.
            Written::Taken(_) => {
                let state = Box::new(read_run(io, &author.infra, &new.id).await?);
                match (&state.started, state.ended) {
                    (Some(start), None) => Err(StartError::StillRuns {
                        id: new.id.clone(),
                        wait: patience(start, new.timing),
                        holder: Box::new(start.holder.clone()),
                    }),
                    _ => Err(used(state)),
                }
            }
        }
    }

    /// Why this process could go on with the run, if another one had begun it.
    pub fn resumed(&self) -> Option<TakeOver> {
        self.resumed
    }

    /// Writes what a health check told.
    ///
    /// # Errors
    /// The entry was not written; nothing more is written to the run's stream.
    pub async fn checked(&self, checked: Checked) -> Result<(), WriteError> {
        let Checked { block, check, result, simulated } = checked;
        let mut tail = self.head.lock().await;
        self.write(&mut tail, RunEvent::Checked { block, check, result, simulated }).await.map(drop)
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
        let result = match put_next(&self.io, &self.author, id, Some(&at), None, vec![event.into()]).await {
            Ok(Written::Ours(entry)) => Ok(entry.head()),
            Ok(Written::Taken(taken)) => Err(superseded::<RunEvent>(&self.author, id, Some(&at), &taken)),
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

/// The plan's run as far as it got, if it was begun and cut off; nothing is written. Whether it can be gone on with is
/// judged when it is begun again: here it is only not known to live.
///
/// # Errors
/// The run has ended, or its process lives; or its stream cannot be read.
pub async fn earlier_run(
    io: &Io,
    infra: &InfraId,
    id: &RunId,
    timing: Timing,
) -> Result<Option<Box<RunState>>, StartError> {
    let state = Box::new(read_run(io, infra, id).await?);
    let Some(start) = &state.started else { return Ok(None) };
    match state.ended {
        Some(RunOutcome::Refused) => Ok(None),
        Some(RunOutcome::Succeeded | RunOutcome::Failed | RunOutcome::Interrupted) => {
            Err(StartError::AlreadyUsed { id: id.clone(), state })
        }
        None if io.probe_holder(start.holder.clone()).await == HolderState::Alive => Err(StartError::StillRuns {
            id: id.clone(),
            wait: patience(start, timing),
            holder: Box::new(start.holder.clone()),
        }),
        None => Ok(Some(state)),
    }
}

/// How long a holder must have been silent before its run counts as given up.
pub(super) fn patience(start: &RunStart, timing: Timing) -> Duration {
    Duration::from_millis(start.lease_ms).saturating_add(timing.margin.max(STAMP_GRAIN))
}

/// Whether the process that runs it may be superseded, and the head at which: as with claims, it is dead, or the store's
/// own clock says that its lease is over.
async fn judge_run(
    io: &Io,
    author: &Author,
    new: &NewRun,
    start: &RunStart,
    began: &RunState,
) -> Result<Option<(TakeOver, Head)>, StartError> {
    let at = |state: &RunState, why| state.head.clone().map(|head| (why, head));
    if mutant::on(Mutant::TakesOverAlive) || mutant::on(Mutant::ResumedByTheLiving) {
        return Ok(at(began, TakeOver::LeaseExpired));
    }
    if io.probe_holder(start.holder.clone()).await == HolderState::Dead {
        return Ok(at(began, TakeOver::HolderDead));
    }
    // First the store's time, then the holder's last entry: one that lands after that was sent by a lapsed holder.
    let Some(now) = store_time(io).await? else { return Ok(None) };
    let state = read_run(io, &author.infra, &new.id).await?;
    let (Some(start), None) = (&state.started, state.ended) else { return Ok(None) };
    let silent = Duration::from_millis(now.saturating_sub(state.modified_ms));
    Ok(at(&state, TakeOver::LeaseExpired).filter(|_| silent > patience(start, new.timing)))
}

/// The store's time at something that was written just now. Where the write was lost it is an earlier one, which only makes
/// others look more alive.
async fn store_time(io: &Io) -> Result<Option<u64>, ReadError> {
    let key = StoreKey("v1/hint/clock".to_owned());
    io.put_hint_and_wait(key.clone(), b"now".to_vec()).await;
    Ok(get(io, &key).await?.map(|(_, modified_ms)| modified_ms))
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
