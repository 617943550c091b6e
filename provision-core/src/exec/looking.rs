//! Looking at objects while an action runs: waiting until one is ready or gone, and reading one again.

use std::collections::BTreeMap;
use std::time::Duration;

use super::attempt::Subject;
use super::context::{ActionError, Exec};
use super::procedure::{Next, Observation, Procedure, UntilGone, UntilReady};
use crate::call::{Call, Effect, Look, Observed, Readiness, Recovery, Scope, ServerTime, Wait};
use crate::id::{ObjectId, ResourceAddr, TypeName};
use crate::mutant::{self, Mutant};
use crate::plan::Presence;
use crate::progress::Progress;
use crate::schema::{Role, Schema};
use crate::stream::event::{BlockEvent, ObjectRecord};
use crate::value::{Fields, Value};

/// How often a waiting procedure looks at first. Later it does after each twentieth of the time that it has waited: what it
/// waits for is seen late by 2.5 % of that time on average, however long it takes.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const LATE_BY: u64 = 20;
/// The longest time between two looks.
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_secs(10);
/// How often the server's clock is looked at.
const CLOCK_EVERY: Duration = Duration::from_millis(500);

impl Exec {
    /// Waits as the call asks for; what is due is written first, so that a crash while waiting loses nothing.
    pub(super) async fn wait(
        &self,
        subject: &Subject<'_>,
        type_name: &TypeName,
        id: &ObjectId,
        wait: Wait,
        due: &mut Vec<BlockEvent>,
        outputs: &mut Fields,
    ) -> Result<(), ActionError> {
        let (procedure, deadline, what): (&(dyn Procedure + Sync), _, _) = match wait {
            Wait::No => return Ok(()),
            Wait::Ready(seconds) => (&UntilReady, seconds, "to be ready"),
            Wait::Gone(seconds) => (&UntilGone, seconds, "to be gone"),
        };
        if !due.is_empty() {
            self.claim(&subject.addr.block)?.append(std::mem::take(due)).await?;
        }
        let began = self.io.now().boot_ms;
        let not_ready = |reason: String| ActionError::NotReady { type_name: type_name.clone(), id: id.clone(), reason };
        self.io.emit(Progress::Waiting { resource: subject.addr.clone(), why: format!("{type_name} {id} {what}") });
        let (reader, of) = (self.reader(), (subject.target, type_name));
        loop {
            let seen = self.watch.look(reader, &self.plan.infra, of, id).await;
            let next = match &seen {
                Ok(Some(observed)) => procedure.next(Observation::Seen(&reader.readiness(of, observed).await)),
                Ok(None) => procedure.next(Observation::NotThere),
                Err(_) => procedure.next(Observation::Unanswered),
            };
            match next {
                Next::Done => {
                    if let Ok(Some(observed)) = seen {
                        let schema = self.providers.schema(&subject.target.provider, type_name);
                        outputs.extend(schema.map(|schema| computed(schema, &observed.fields)).unwrap_or_default());
                    }
                    return Ok(());
                }
                Next::Fail(reason) => return Err(not_ready(reason)),
                Next::Wait => {}
            }
            let waited = self.io.now().boot_ms.saturating_sub(began);
            if waited > u64::from(deadline) * 1_000 {
                return Err(not_ready(format!("waited {deadline} s for it {what}")));
            }
            let pause = Duration::from_millis(waited / LATE_BY);
            self.pause(pause.clamp(LOOK_EVERY, LOOK_AT_LEAST_EVERY)).await?;
        }
    }

    /// What the call needs to know of other objects, asked right before it is made.
    pub(super) async fn look_up(
        &self,
        subject: &Subject<'_>,
        call: Option<&Call>,
    ) -> Result<BTreeMap<Look, Value>, ActionError> {
        let mut looked = BTreeMap::new();
        for look in call.map(Call::looks).unwrap_or_default() {
            let api = call.map(|call| call.api.clone()).unwrap_or_default();
            let read = self.reader().all((subject.target, &look.source), &Scope::Query(look.query.clone())).await;
            let found = read.and_then(|all| match &all.objects[..] {
                // As for lookups of definitions, the id is not among the fields.
                [one] if look.field == "id" => Ok(one.id.as_str().into()),
                [one] => one.fields.get(&look.field).cloned().ok_or_else(|| format!("{} does not have it", one.id)),
                [] => Err("there is none".to_owned()),
                [first, second, ..] => Err(format!("there is more than one: {}, {}", first.id, second.id)),
            });
            match found {
                Ok(value) => drop(looked.insert(look, value)),
                Err(reason) => return Err(ActionError::Look { api, look: Box::new(look), reason }),
            }
        }
        Ok(looked)
    }

    /// Where an object can carry no mark, one that is there before the call is made is not ours: after a lost answer, nothing
    /// else tells ours from it.
    pub(super) async fn key_is_free(&self, subject: &Subject<'_>, call: &Call) -> Result<(), ActionError> {
        let (Effect::Create { mark: None, .. }, Recovery::NaturalKey { key }) = (&call.effect, &call.recovery) else {
            return Ok(());
        };
        let read = self.reader().all((subject.target, &call.type_name), &Scope::Key(key.clone())).await;
        let there = read.map_err(|reason| ActionError::KeyUnread { type_name: call.type_name.clone(), reason })?;
        match there.objects.into_iter().next() {
            None => Ok(()),
            Some(other) => Err(ActionError::NotOurs {
                api: call.api.clone(),
                type_name: call.type_name.clone(),
                id: other.id,
                whose: "it was there before".to_owned(),
            }),
        }
    }

    /// Waits until no request that was repeated can arrive a second time any more.
    pub(super) async fn until_nothing_arrives(
        &self,
        subject: &Subject<'_>,
        type_name: &TypeName,
        id: &ObjectId,
        until: Option<ServerTime>,
    ) -> Result<(), ActionError> {
        let Some(until) = until.filter(|_| !mutant::on(Mutant::RepeatMayArriveForgotten)) else { return Ok(()) };
        let unknown = |reason| ActionError::NotReady {
            type_name: type_name.clone(),
            id: id.clone(),
            reason: format!("whether a repeated call on it may still arrive is not known: {reason}"),
        };
        let mut told = false;
        loop {
            self.lease.check(self.io.now())?;
            let read = self.reader().all((subject.target, type_name), &Scope::Id(id.clone())).await;
            match read.map_err(unknown)?.server_time {
                Some(now) if now > until => return Ok(()),
                Some(_) => {}
                None => return Err(unknown("the answer does not say when it was given".to_owned())),
            }
            if !told {
                told = true;
                let why = format!("a repeated call on {id} may still arrive; it can't after its last instant");
                self.io.emit(Progress::Waiting { resource: subject.addr.clone(), why });
            }
            self.pause(CLOCK_EVERY).await?;
        }
    }

    /// The object as the plan saw it, or read again where the plan could not know it.
    pub(super) async fn observe_again(
        &self,
        addr: &ResourceAddr,
        record: Option<&ObjectRecord>,
        settled_any: bool,
    ) -> Result<Option<Observed>, ActionError> {
        let Some(record) = record else { return Ok(None) };
        if !settled_any {
            match self.world.presence(&record.target, &record.type_name, &record.id) {
                Presence::Present(observed) => return Ok(Some(observed.clone())),
                Presence::Absent => return Ok(None),
                Presence::Unknown(_) => {}
            }
        }
        let unknown = |reason| ActionError::NotReady {
            type_name: record.type_name.clone(),
            id: record.id.clone(),
            reason: format!("whether it is there is not known: {reason}"),
        };
        for again in [true, false] {
            let seen = self.reader().one((&record.target, &record.type_name), &record.id).await.map_err(unknown)?;
            match seen {
                Some(observed) if observed.readiness == Readiness::Going => return Ok(None),
                Some(observed) => return Ok(Some(observed)),
                None if mutant::on(Mutant::AbsentAfterOneRead) => break,
                None if again => self.pause(self.bounds(&record.target)?.visibility).await?,
                None => {}
            }
        }
        let why = format!("{} is not there any more", record.id);
        self.io.emit(Progress::Waiting { resource: addr.clone(), why });
        Ok(None)
    }
}

/// The computed fields that a read showed.
pub(super) fn computed(schema: &Schema, fields: &Fields) -> Fields {
    let computed = schema.fields.iter().filter(|field| field.role == Role::Computed);
    computed.filter_map(|field| Some((field.name.to_owned(), fields.get(field.name)?.clone()))).collect()
}

/// Those of the named computed fields that a read showed.
pub(super) fn outputs_of(observed: &Observed, computed: &[String]) -> Fields {
    computed.iter().filter_map(|name| Some((name.clone(), observed.fields.get(name)?.clone()))).collect()
}
