//! One call under one intent.

use std::collections::BTreeSet;
use std::time::Duration;

use super::context::{ActionError, Again, Exec, Turn, backoff};
use super::looking::outputs_of;
use super::settle::Settled;
use crate::call::{Answer, Api, Effect, Mark, ReadyCall, Refusal, Scope, Sending, ServerTime};
use crate::id::{IntentNo, ObjectId, ResourceAddr};
use crate::machine::Now;
use crate::mutant::{self, Mutant};
use crate::progress::Progress;
use crate::stream::BlockState;
use crate::stream::event::{BlockEvent, Intent, Landed};
use crate::target::TargetId;
use crate::value::Fields;

/// After how many tries it is told that a call is throttled: the first ones say only that the limit was not known yet.
const TOLD_THROTTLED: u32 = 5;

/// What a call is for.
pub(super) struct Subject<'a> {
    pub(super) addr: &'a ResourceAddr,
    pub(super) target: &'a TargetId,
    pub(super) version: u32,
    pub(super) depends_on: &'a BTreeSet<ResourceAddr>,
}

/// A call about to be made.
pub(super) struct Step {
    pub(super) object: Option<ObjectId>,
    pub(super) mark: Option<Mark>,
    pub(super) call: ReadyCall,
}

/// How an attempt ended.
pub(super) enum Tried {
    /// The call landed.
    Landed {
        id: Option<ObjectId>,
        outputs: Fields,
        /// What the log has to say about it: to be written with, or before, the next thing.
        event: BlockEvent,
    },
    /// It did not land and never will; a new intent may follow.
    Again { why: String },
    /// Its stamp grew too old while it waited for its turn: as before, but nothing went wrong, and no patience is lost.
    TooLate,
}

impl Exec {
    /// Writes the intent (with the events that are due), sends the call, and finds out what became of it.
    ///
    /// `make` gets the intent's number, which names and tokens derive from.
    pub(super) async fn attempt<T>(
        &self,
        subject: &Subject<'_>,
        (api, object): (&Api, Option<&ObjectId>),
        due: &mut Vec<BlockEvent>,
        make: impl FnOnce(IntentNo) -> Result<(Step, T), ActionError>,
    ) -> Result<(Tried, T), ActionError> {
        // Where calls are held up by their pace, the turn comes before the intent, whose stamp would else grow old. Where they
        // are not, all intents that are due are written at once.
        let turn = match self.limiter.is_paced(subject.target, api) {
            true => Some(self.turn(subject.addr, (subject.target, object), api, Again::No).await?),
            false => None,
        };
        self.go_on()?;
        let now = self.io.now();
        if !mutant::on(Mutant::LeaseNotCheckedBeforeCall) {
            self.lease.check(now)?;
        }
        let stamp = ServerTime(now.wall_ms);
        let last_instant = stamp.plus(self.bounds(subject.target)?.stamp);
        let with_intent = |state: &BlockState| {
            let (step, made) = make(state.next_intent)?;
            let intent = Intent {
                number: state.next_intent,
                resource: subject.addr.name.clone(),
                version: subject.version,
                target: subject.target.clone(),
                object: step.object,
                mark: step.mark,
                call: step.call,
                depends_on: subject.depends_on.clone(),
                stamp,
                last_instant,
            };
            let mut events = std::mem::take(due);
            events.push(BlockEvent::Intent(Box::new(intent.clone())));
            Ok::<_, ActionError>((events, (intent, made)))
        };
        let (intent, made) = self.claim(&subject.addr.block)?.append_with(with_intent).await?;
        let mut sending = Sending {
            call: intent.call.clone(),
            object: intent.object.clone(),
            stamp: intent.stamp,
            last_instant: intent.last_instant,
        };
        if mutant::on(Mutant::DeleteByName) {
            sending = self.by_name(subject.addr, &intent, sending).await;
        }
        Ok((self.send(subject.addr, &intent, &sending, turn).await?, made))
    }

    async fn send(
        &self,
        addr: &ResourceAddr,
        intent: &Intent,
        sending: &Sending,
        mut turn: Option<Turn>,
    ) -> Result<Tried, ActionError> {
        let began = self.io.now().boot_ms;
        let (mut tries, mut again) = (0, Again::No);
        loop {
            let asked = self.io.now().boot_ms;
            let turn = match turn.take() {
                Some(turn) => turn,
                None => {
                    let on = (&intent.target, intent.object.as_ref());
                    let turn = self.turn(addr, on, &intent.call.api, again).await;
                    self.unless_interrupted(addr, intent, turn).await?
                }
            };
            // Up to here the call was never sent, or definitely refused.
            if self.io.interrupts() > 0 {
                self.close(addr, intent, "NotSent", "the run was interrupted").await?;
                return Err(ActionError::Interrupted);
            }
            if !self.stamp_is_good(sending)? {
                turn.not_sent();
                // For its turn: writing that it was not sent takes time, too.
                let waited = self.io.now().boot_ms > asked;
                let why = "its stamp grew too old before it could be sent";
                self.close(addr, intent, "NotSent", why).await?;
                return Ok(match again {
                    Again::No if !waited => Tried::Again { why: why.to_owned() },
                    Again::No | Again::Throttled => Tried::TooLate,
                });
            }
            let mut answer = self.io.call(intent.target.clone(), sending.clone()).await;
            if mutant::on(Mutant::SdkRetryLeftOn) {
                answer = self.retried(intent, sending, answer).await;
            }
            tries += 1;
            if matches!(answer, Answer::Refused { refusal: Refusal::Throttled, .. }) {
                turn.throttled(&self.io);
                again = Again::Throttled;
                if tries == TOLD_THROTTLED {
                    let why = format!("{} is throttled: it goes on as fast as the cloud lets it", intent.call.api);
                    self.io.emit(Progress::Waiting { resource: addr.clone(), why });
                }
                continue;
            }
            drop(turn);
            again = Again::No;
            tracing::debug!(api = %intent.call.api, intent = %intent.number, tries, outcome = outcome(&answer), "called");
            let (refusal, code, message) = match answer {
                Answer::Done { id, outputs, server_time: _ } => {
                    return Ok(landed(intent, id, outputs, Landed::Answered));
                }
                Answer::Unknown { reason } if mutant::on(Mutant::UnknownIsRefused) => {
                    self.close(addr, intent, "Unknown", &reason).await?;
                    return Ok(Tried::Again { why: reason });
                }
                Answer::Unknown { reason } => return self.find_out(addr, intent, sending, &reason).await,
                Answer::Refused { refusal, code, message, server_time: _ } => (refusal, code, message),
            };
            let waited = Duration::from_millis(self.io.now().boot_ms.saturating_sub(began));
            match refusal {
                Refusal::Throttled => {}
                Refusal::AlreadySo => return Ok(landed(intent, None, Fields::new(), Landed::Answered)),
                // What was just made may not be visible yet: neither to a call that uses it nor to one that removes it.
                Refusal::NotFound if waited < self.bounds(&intent.target)?.visibility => {
                    if tries == 1 {
                        let why = format!("{} is refused, as if nothing were there: {message}", intent.call.api);
                        self.io.emit(Progress::Waiting { resource: addr.clone(), why });
                    }
                    self.pause_or_close(addr, intent, backoff(tries)).await?;
                }
                Refusal::NotFound if matches!(intent.call.effect, Effect::Remove) => {
                    return Ok(landed(intent, None, Fields::new(), Landed::Found));
                }
                Refusal::InUse if waited < self.settings.in_use => {
                    if tries == 1 {
                        let why = format!("{} is refused while it is in use: {message}", intent.call.api);
                        self.io.emit(Progress::Waiting { resource: addr.clone(), why });
                    }
                    self.pause_or_close(addr, intent, backoff(tries)).await?;
                }
                Refusal::Exists | Refusal::TokenMismatch => {
                    return self.whose(addr, intent, code, message).await;
                }
                Refusal::Expired => {
                    self.close(addr, intent, &code, &message).await?;
                    return Ok(Tried::Again { why: format!("{code}: {message}") });
                }
                Refusal::NotFound | Refusal::InUse | Refusal::Denied | Refusal::Invalid => {
                    self.close(addr, intent, &code, &message).await?;
                    return Err(ActionError::Refused { api: intent.call.api.clone(), code, message });
                }
            }
        }
    }

    /// The answer was lost.
    async fn find_out(
        &self,
        addr: &ResourceAddr,
        intent: &Intent,
        sending: &Sending,
        reason: &str,
    ) -> Result<Tried, ActionError> {
        let why = format!("the answer of {} was lost ({reason}): finding out whether it landed", intent.call.api);
        self.io.emit(Progress::Waiting { resource: addr.clone(), why });
        match self.settle(addr, intent, Some(sending)).await? {
            Settled::Landed { id, outputs, how } => Ok(landed(intent, id, outputs, how)),
            Settled::NotLanded => {
                let abandoned = BlockEvent::Abandoned { intent: intent.number };
                self.claim(&addr.block)?.append(vec![abandoned]).await?;
                Ok(Tried::Again { why: reason.to_owned() })
            }
        }
    }

    /// The API says that the object exists. It is ours only if it carries this intent's mark.
    async fn whose(
        &self,
        addr: &ResourceAddr,
        intent: &Intent,
        code: String,
        message: String,
    ) -> Result<Tried, ActionError> {
        let (target, type_name) = (&intent.target, &intent.call.type_name);
        let read = |scope| async move {
            self.reader()
                .all((target, type_name), &scope)
                .await
                .map_err(|reason| ActionError::Unsettled { api: intent.call.api.clone(), reason })
        };
        let key = intent.call.effect.fields().and_then(|fields| self.taken_key(intent, fields));
        let visibility = self.bounds(target)?.visibility;
        let began = self.io.now().boot_ms;
        loop {
            if let (Some(mark), Effect::Create { computed, .. }) = (&intent.mark, &intent.call.effect)
                && let Some(found) = read(Scope::Mark(mark.clone())).await?.objects.first()
            {
                return Ok(landed(intent, Some(found.id.clone()), outputs_of(found, computed), Landed::Found));
            }
            if let Some(key) = &key
                && let Some(other) = read(Scope::Key(key.clone())).await?.objects.into_iter().next()
            {
                if mutant::on(Mutant::AdoptByNameAlone)
                    && let Effect::Create { computed, .. } = &intent.call.effect
                {
                    return Ok(landed(intent, Some(other.id.clone()), outputs_of(&other, computed), Landed::Found));
                }
                self.close(addr, intent, &code, &message).await?;
                let whose = other.mark.map_or_else(
                    || "it carries no mark of ours".to_owned(),
                    |mark| format!("its mark is {} of {}", mark.address, mark.infra),
                );
                let (api, type_name) = (intent.call.api.clone(), type_name.clone());
                return Err(ActionError::NotOurs { api, type_name, id: other.id, whose });
            }
            if Duration::from_millis(self.io.now().boot_ms.saturating_sub(began)) > visibility {
                self.close(addr, intent, &code, &message).await?;
                return Err(ActionError::Refused { api: intent.call.api.clone(), code, message });
            }
            self.pause(backoff(0).min(visibility)).await?;
        }
    }

    /// The fields that no two objects of the type can share, among these.
    pub(super) fn taken_key(&self, intent: &Intent, fields: &Fields) -> Option<Fields> {
        let provider = self.providers.get(&intent.target.provider)?;
        let key = provider.identity_key(&intent.call.type_name);
        let key: Fields =
            key.iter().filter_map(|name| Some(((*name).to_owned(), fields.get(*name)?.clone()))).collect();
        (!key.is_empty()).then_some(key)
    }

    /// For [`Mutant::SdkRetryLeftOn`]: sends the call up to twice more while it is not answered.
    async fn retried(&self, intent: &Intent, sending: &Sending, mut answer: Answer) -> Answer {
        for _ in 0..2 {
            if matches!(answer, Answer::Unknown { .. }) {
                answer = self.io.call(intent.target.clone(), stamped_anew(sending, self.io.now())).await;
            }
        }
        answer
    }

    /// For [`Mutant::DeleteByName`]: the same removal, of whatever has the object's name or key now.
    async fn by_name(&self, addr: &ResourceAddr, intent: &Intent, sending: Sending) -> Sending {
        let (Effect::Remove, Some(id), Ok(claim)) = (&intent.call.effect, &intent.object, self.claim(&addr.block))
        else {
            return sending;
        };
        let state = claim.state();
        let deposed = state.deposed_of(&addr.name, id).map(|deposed| &deposed.record);
        let record = deposed.or_else(|| state.resources.get(&addr.name).map(|state| &state.object));
        let Some(key) = record.and_then(|record| self.taken_key(intent, &record.fields)) else { return sending };
        let read = self.reader().all((&intent.target, &intent.call.type_name), &Scope::Key(key)).await;
        match read.ok().and_then(|all| all.objects.into_iter().next()) {
            Some(found) => Sending {
                call: with_text(&sending.call, id.as_str(), found.id.as_str()),
                object: Some(found.id),
                ..sending
            },
            None => sending,
        }
    }

    /// Whether a call with this stamp may still be sent: the lease holds, and the server would take it.
    pub(super) fn stamp_is_good(&self, sending: &Sending) -> Result<bool, ActionError> {
        let now = self.io.now();
        if !mutant::on(Mutant::LeaseNotCheckedBeforeCall) {
            self.lease.check(now)?;
        }
        // Half of the bound: the rest is for the way.
        let span = sending.last_instant.0.saturating_sub(sending.stamp.0);
        Ok(now.wall_ms >= sending.stamp.0 && now.wall_ms - sending.stamp.0 <= span / 2)
    }

    /// Waits before the same call is sent again; closes the intent if the run is interrupted meanwhile.
    async fn pause_or_close(
        &self,
        addr: &ResourceAddr,
        intent: &Intent,
        duration: Duration,
    ) -> Result<(), ActionError> {
        let paused = self.pause(duration).await;
        self.unless_interrupted(addr, intent, paused).await
    }

    /// Closes the intent of a call that was not sent, or definitely refused, if the run is interrupted.
    async fn unless_interrupted<T>(
        &self,
        addr: &ResourceAddr,
        intent: &Intent,
        waited: Result<T, ActionError>,
    ) -> Result<T, ActionError> {
        match waited {
            Err(ActionError::Interrupted) => {
                self.close(addr, intent, "NotSent", "the run was interrupted").await?;
                Err(ActionError::Interrupted)
            }
            other => other,
        }
    }

    /// Records that the call was definitely refused, or never sent.
    async fn close(&self, addr: &ResourceAddr, intent: &Intent, code: &str, message: &str) -> Result<(), ActionError> {
        let failed = BlockEvent::Failed { intent: intent.number, code: code.to_owned(), message: message.to_owned() };
        Ok(self.claim(&addr.block)?.append(vec![failed]).await?)
    }
}

/// An answer in a word, for the log: bodies stay out of it.
fn outcome(answer: &Answer) -> &'static str {
    match answer {
        Answer::Done { .. } => "done",
        Answer::Refused { .. } => "refused",
        Answer::Unknown { .. } => "unknown",
    }
}

fn landed(intent: &Intent, id: Option<ObjectId>, outputs: Fields, how: Landed) -> Tried {
    let event = BlockEvent::Done { intent: intent.number, id: id.clone(), outputs: outputs.clone(), how };
    Tried::Landed { id, outputs, event }
}

/// For mutants: the same call with a stamp of now.
pub(super) fn stamped_anew(sending: &Sending, now: Now) -> Sending {
    let bound = Duration::from_millis(sending.last_instant.0.saturating_sub(sending.stamp.0));
    let stamp = ServerTime(now.wall_ms);
    Sending { stamp, last_instant: stamp.plus(bound), ..sending.clone() }
}

/// For mutants: the same call with another text wherever this one stands.
pub(super) fn with_text(call: &ReadyCall, from: &str, to: &str) -> ReadyCall {
    let quoted = |text: &str| format!("\"{text}\"");
    let json = serde_json::to_string(call).unwrap_or_default().replace(&quoted(from), &quoted(to));
    serde_json::from_str(&json).unwrap_or_else(|_| call.clone())
}
