//! What the cloud does for a call: pure decisions on the model, by effect and recovery class.

use super::config::SimConfig;
use super::ids::{each_text, is_id, mint, mix, placeholder};
use super::model::{MarkChange, Model, Mutation, Object, Remembered};
use crate::call::{Answer, Effect, Mark, ReadyCall, Recovery, Refusal, Sending, ServerTime, Wait};
use crate::id::{Digest, ObjectId, TypeName};
use crate::target::TargetId;
use crate::value::Fields;

/// A refusal, with code and words.
pub(super) struct Refused {
    pub(super) refusal: Refusal,
    pub(super) message: String,
}

/// What a call does: nothing or one change, and what is answered.
pub(super) struct Decision {
    pub(super) did: Option<Mutation>,
    pub(super) answer: Answer,
}

/// An object that a call or a third party asks for.
pub(super) struct NewObject<'a> {
    pub(super) target: &'a TargetId,
    pub(super) type_name: &'a TypeName,
    pub(super) fields: &'a Fields,
    pub(super) computed: &'a [String],
    pub(super) mark: Option<&'a Mark>,
    pub(super) name: Option<&'a str>,
    pub(super) key: Option<&'a Fields>,
    pub(super) wait: Wait,
}

fn refused(refusal: Refusal, message: impl Into<String>) -> Refused {
    Refused { refusal, message: message.into() }
}

impl Refused {
    pub(super) fn answer(self, now: ServerTime) -> Answer {
        let code = match self.refusal {
            Refusal::Throttled => "RequestLimitExceeded",
            Refusal::Expired => "RequestExpired",
            Refusal::NotFound => "NotFound",
            Refusal::Exists => "AlreadyExists",
            Refusal::AlreadySo => "AlreadySo",
            Refusal::InUse => "DependencyViolation",
            Refusal::TokenMismatch => "IdempotentParameterMismatch",
            Refusal::Denied => "AccessDenied",
            Refusal::Invalid => "InvalidParameter",
        };
        Answer::Refused { refusal: self.refusal, code: code.to_owned(), message: self.message, server_time: Some(now) }
    }
}

/// The rules at one instant.
pub(super) struct Rules<'a> {
    pub(super) config: &'a SimConfig,
    pub(super) model: &'a Model,
    pub(super) now: ServerTime,
}

impl Rules<'_> {
    /// What the call does.
    pub(super) fn decide(&self, target: &TargetId, sending: &Sending) -> Decision {
        self.try_decide(target, sending)
            .unwrap_or_else(|refused| Decision { did: None, answer: refused.answer(self.now) })
    }

    fn try_decide(&self, target: &TargetId, sending: &Sending) -> Result<Decision, Refused> {
        self.in_time(sending)?;
        let call = &sending.call;
        match (&call.effect, &sending.object) {
            (Effect::Create { fields, computed, mark }, None) => {
                let new = NewObject {
                    target,
                    type_name: &call.type_name,
                    fields,
                    computed,
                    mark: mark.as_ref(),
                    name: if let Recovery::Name { name } = &call.recovery { Some(name) } else { None },
                    key: if let Recovery::NaturalKey { key } = &call.recovery { Some(key) } else { None },
                    wait: call.wait,
                };
                self.create_call(call, &new)
            }
            (Effect::Set { fields, mark }, Some(id)) => {
                let mark = mark.clone().map_or(MarkChange::Keep, MarkChange::To);
                let did = self.set((target, &call.type_name, id), fields, mark, call.wait)?;
                Ok(Decision { did, answer: self.done(None, Fields::new()) })
            }
            (Effect::Remove, Some(id)) => {
                let did = self.remove((target, &call.type_name, id), call.wait)?;
                Ok(Decision { did, answer: self.done(None, Fields::new()) })
            }
            (Effect::Create { .. }, Some(id)) => {
                Err(refused(Refusal::Invalid, format!("{} creates an object, but names {id}", call.api)))
            }
            (Effect::Set { .. } | Effect::Remove, None) => {
                Err(refused(Refusal::Invalid, format!("{} acts on an object, but names none", call.api)))
            }
        }
    }

    fn done(&self, id: Option<ObjectId>, outputs: Fields) -> Answer {
        Answer::Done { id, outputs, server_time: Some(self.now) }
    }

    /// The server's bounds on time: the stamp's, as every server counts it, and the call's own last instant.
    fn in_time(&self, sending: &Sending) -> Result<(), Refused> {
        let Sending { stamp, last_instant, .. } = sending;
        let now = self.now;
        if now > *last_instant {
            return Err(refused(Refusal::Expired, format!("{} is after the last instant {}", now.0, last_instant.0)));
        }
        if now > stamp.plus(self.config.stamp) || *stamp > now.plus(self.config.stamp) {
            let bound = self.config.stamp.as_millis();
            let text = format!("{} is not within {bound} ms of the stamp {}", now.0, stamp.0);
            return Err(refused(Refusal::Expired, text));
        }
        Ok(())
    }

    fn create_call(&self, call: &ReadyCall, new: &NewObject<'_>) -> Result<Decision, Refused> {
        let request = Digest::of(&call.request.canonical());
        if let Recovery::Token { token, .. } = &call.recovery
            && let Some(known) = self.model.token(new.target, &call.api, token)
            && self.now <= known.until
        {
            if known.request != request {
                return Err(refused(Refusal::TokenMismatch, format!("{token} came with another request before")));
            }
            let answer = self.done(Some(known.id.clone()), known.outputs.clone());
            return Ok(Decision { did: None, answer });
        }
        let (object, outputs) = self.create(new)?;
        let token = match &call.recovery {
            Recovery::Token { token, term_seconds } => Some(Remembered {
                api: call.api.clone(),
                token: token.clone(),
                request,
                until: self.now.plus(std::time::Duration::from_secs(*term_seconds)),
                id: object.id.clone(),
                outputs: outputs.clone(),
            }),
            Recovery::Name { .. } | Recovery::Tag | Recovery::NaturalKey { .. } | Recovery::Set | Recovery::Remove => {
                None
            }
        };
        let answer = self.done(Some(object.id.clone()), outputs);
        Ok(Decision { did: Some(Mutation::Created { object: Box::new(object), token }), answer })
    }

    /// A new object and its outputs.
    pub(super) fn create(&self, new: &NewObject<'_>) -> Result<(Object, Fields), Refused> {
        self.refs_exist(new.fields, None)?;
        self.name_is_free(new)?;
        self.key_is_free(new)?;
        let seed = self.config.seed;
        let number = self.model.next();
        let id = mint(seed, number, new.type_name).map_err(|bad| refused(Refusal::Invalid, bad.to_string()))?;
        let mut fields: Fields = new.fields.clone();
        fields.retain(|_, value| !value.is_null());
        let mut outputs = Fields::new();
        for name in new.computed {
            let value = fields.entry(name.clone()).or_insert_with(|| placeholder(seed, &id, name));
            outputs.insert(name.clone(), value.clone());
        }
        fields.insert("id".to_owned(), id.as_str().into());
        let object = Object {
            number,
            target: new.target.clone(),
            type_name: new.type_name.clone(),
            name: new.name.map(str::to_owned),
            fields,
            mark: new.mark.cloned(),
            visible_at: self.visible_at(&id),
            ready_at: self.ready_at(&id, new.wait).unwrap_or(self.now),
            gone_at: None,
            failed: None,
            id,
        };
        Ok((object, outputs))
    }

    /// Sets fields of an object; `None` if it is so already.
    pub(super) fn set(
        &self,
        of: (&TargetId, &TypeName, &ObjectId),
        fields: &Fields,
        mark: MarkChange,
        wait: Wait,
    ) -> Result<Option<Mutation>, Refused> {
        let object = self.living(of)?;
        self.refs_exist(fields, Some(&object.id))?;
        if fields.get("id").is_some_and(|id| id.as_text() != Some(object.id.as_str())) {
            return Err(refused(Refusal::Invalid, "an id never changes"));
        }
        let is_so = fields.iter().all(|(name, value)| match object.fields.get(name) {
            Some(held) => held == value,
            None => value.is_null(),
        });
        let mark_is_so = match &mark {
            MarkChange::Keep => true,
            MarkChange::To(mark) => object.mark.as_ref() == Some(mark),
            MarkChange::Off => object.mark.is_none(),
        };
        if is_so && mark_is_so {
            return Ok(None);
        }
        let ready_at = self.ready_at(&object.id, wait);
        Ok(Some(Mutation::Changed { id: object.id.clone(), fields: fields.clone(), mark, ready_at }))
    }

    /// Removes an object; `None` if it is on its way out already.
    pub(super) fn remove(
        &self,
        (target, type_name, id): (&TargetId, &TypeName, &ObjectId),
        wait: Wait,
    ) -> Result<Option<Mutation>, Refused> {
        let object = self.there(target, type_name, id)?;
        if !object.lives() {
            return Ok(None);
        }
        if let Some(user) = self.model.user_of(self.now, id) {
            return Err(refused(Refusal::InUse, format!("{id} is in use by {}", user.id)));
        }
        let gone_at = match wait {
            Wait::Gone(_) => Some(self.now.plus(self.config.latency().gone(id))).filter(|gone| *gone > self.now),
            Wait::No | Wait::Ready(_) => None,
        };
        Ok(Some(Mutation::Removed { id: id.clone(), gone_at }))
    }

    /// The object, if it is there and calls can see it, be it on its way out.
    fn there(&self, target: &TargetId, type_name: &TypeName, id: &ObjectId) -> Result<&Object, Refused> {
        self.model
            .object(self.now, id)
            .filter(|object| object.target == *target && object.type_name == *type_name && self.calls_see(object))
            .ok_or_else(|| refused(Refusal::NotFound, format!("there is no {type_name} {id}")))
    }

    /// The object, if it is there and stays.
    fn living(&self, (target, type_name, id): (&TargetId, &TypeName, &ObjectId)) -> Result<&Object, Refused> {
        let object = self.there(target, type_name, id)?;
        if object.lives() { Ok(object) } else { Err(refused(Refusal::NotFound, format!("{id} is being removed"))) }
    }

    fn calls_see(&self, object: &Object) -> bool {
        !self.config.lag_calls || object.visible_at <= self.now
    }

    /// Every id in the fields is one of an object that is there and stays, or of the object itself.
    fn refs_exist(&self, fields: &Fields, own: Option<&ObjectId>) -> Result<(), Refused> {
        let mut missing = None;
        for (name, value) in fields {
            each_text(value, &mut |text| {
                if missing.is_some() || own.is_some_and(|own| own.as_str() == text) || !is_id(text) {
                    return;
                }
                let found = ObjectId::new(text).ok().and_then(|id| self.model.object(self.now, &id));
                if !found.is_some_and(|object| object.lives() && self.calls_see(object)) {
                    missing = Some(format!("`{name}` refers to {text}, which does not exist"));
                }
            });
        }
        missing.map_or(Ok(()), |message| Err(refused(Refusal::NotFound, message)))
    }

    /// Names are unique per target, type and parents: the ids that stand directly in the fields, such as the network
    /// that a group is in. What is on its way out still holds its name.
    fn name_is_free(&self, new: &NewObject<'_>) -> Result<(), Refused> {
        let Some(name) = new.name else { return Ok(()) };
        let holder = self
            .model
            .of_type(self.now, new.target, new.type_name, 0)
            .find(|other| other.name.as_deref() == Some(name) && parents(&other.fields) == parents(new.fields));
        match holder {
            Some(other) => Err(refused(Refusal::Exists, format!("the name `{name}` is taken by {}", other.id))),
            None => Ok(()),
        }
    }

    fn key_is_free(&self, new: &NewObject<'_>) -> Result<(), Refused> {
        let Some(key) = new.key else { return Ok(()) };
        let holder =
            self.model.of_type(self.now, new.target, new.type_name, 0).find(|other| has_fields(&other.fields, key));
        match holder {
            Some(other) => Err(refused(Refusal::Exists, format!("{} has the same key", other.id))),
            None => Ok(()),
        }
    }

    fn ready_at(&self, id: &ObjectId, wait: Wait) -> Option<ServerTime> {
        match wait {
            Wait::Ready(_) => Some(self.now.plus(self.config.latency().ready(id))),
            Wait::No | Wait::Gone(_) => None,
        }
    }

    fn visible_at(&self, id: &ObjectId) -> ServerTime {
        let most = u64::try_from(self.config.lag.min(self.config.visibility).as_millis()).unwrap_or(u64::MAX);
        let lag = mix(self.config.seed, &[b"lag", id.as_str().as_bytes()]) % most.saturating_add(1).max(1);
        ServerTime(self.now.0.saturating_add(lag))
    }
}

/// Whether the fields have these values; `Null` stands for an unset field.
pub(super) fn has_fields(fields: &Fields, wanted: &Fields) -> bool {
    wanted.iter().all(|(name, value)| match fields.get(name) {
        Some(held) => held == value,
        None => value.is_null(),
    })
}

/// The ids that stand directly in the fields, but for the object's own.
fn parents(fields: &Fields) -> Vec<(&str, &str)> {
    let texts = fields.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_text()?)));
    texts.filter(|(name, text)| *name != "id" && is_id(text)).collect()
}
