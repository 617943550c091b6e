//! Calls made by hand.

use std::time::Duration;

use crate::call::{Answer, Call, Effect, Mark, Observed, Read, ReadAnswer, Recovery, Refusal};
use crate::call::{Scope, Sending, ServerTime, Wait};
use crate::id::{ObjectId, Token};
use crate::sim::{SimCloud, SimConfig};
use crate::target::TargetId;
use crate::value::{Fields, Value};

pub(super) const START: ServerTime = ServerTime(1_000_000);

pub(super) fn target() -> TargetId {
    TargetId { provider: "aws".parse().unwrap(), account: "1".to_owned(), region: "eu-1".to_owned() }
}

pub(super) fn token(digit: u8) -> Token {
    Token::new(format!("{digit:02x}").repeat(16)).unwrap()
}

pub(super) fn mark(name: &str) -> Mark {
    Mark { infra: "wix".parse().unwrap(), address: format!("dc.net.{name}").parse().unwrap(), incarnation: token(0) }
}

pub(super) fn fields<const N: usize>(pairs: [(&str, &str); N]) -> Fields {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}

pub(super) fn at(millis: u64) -> ServerTime {
    START.plus(Duration::from_millis(millis))
}

/// A call that is signed when it is sent.
pub(super) fn sending(now: ServerTime, type_name: &str, effect: Effect, object: Option<&ObjectId>) -> Sending {
    let (recovery, request) = match &effect {
        Effect::Create { fields, .. } => (Recovery::Tag, fields.clone()),
        Effect::Set { fields, .. } => (Recovery::Set, fields.clone()),
        Effect::Remove => (Recovery::Remove, Fields::new()),
    };
    Sending {
        call: Call {
            api: format!("Call{type_name}"),
            type_name: type_name.parse().unwrap(),
            request: Value::Map(request),
            recovery,
            effect,
            wait: Wait::No,
        },
        object: object.cloned(),
        stamp: now,
        last_instant: now.plus(Duration::from_secs(3)),
    }
}

pub(super) fn create(now: ServerTime, type_name: &str, fields: Fields) -> Sending {
    sending(now, type_name, Effect::Create { fields, computed: Vec::new(), mark: None }, None)
}

pub(super) fn set(now: ServerTime, type_name: &str, id: &ObjectId, fields: Fields) -> Sending {
    sending(now, type_name, Effect::Set { fields, mark: None }, Some(id))
}

pub(super) fn remove(now: ServerTime, type_name: &str, id: &ObjectId) -> Sending {
    sending(now, type_name, Effect::Remove, Some(id))
}

pub(super) trait With: Sized {
    fn recovery(self, recovery: Recovery) -> Self;
    fn wait(self, wait: Wait) -> Self;
    fn marked(self, mark: Mark) -> Self;
    fn computed(self, names: &[&str]) -> Self;
}

impl With for Sending {
    fn recovery(mut self, recovery: Recovery) -> Self {
        self.call.recovery = recovery;
        self
    }
    fn wait(mut self, wait: Wait) -> Self {
        self.call.wait = wait;
        self
    }
    fn marked(mut self, new: Mark) -> Self {
        match &mut self.call.effect {
            Effect::Create { mark, .. } | Effect::Set { mark, .. } => *mark = Some(new),
            Effect::Remove => {}
        }
        self
    }
    fn computed(mut self, names: &[&str]) -> Self {
        if let Effect::Create { computed, .. } = &mut self.call.effect {
            *computed = names.iter().map(|name| (*name).to_owned()).collect();
        }
        self
    }
}

/// A cloud and its clock.
pub(super) struct World {
    pub(super) cloud: SimCloud,
    pub(super) now: ServerTime,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(SimConfig::instant(7))
    }

    pub(super) fn with(config: SimConfig) -> Self {
        Self { cloud: SimCloud::new(config), now: START }
    }

    pub(super) fn pass(&mut self, millis: u64) {
        self.now = self.now.plus(Duration::from_millis(millis));
    }

    pub(super) fn call(&mut self, sending: &Sending) -> Answer {
        self.cloud.call(self.now, &target(), sending)
    }

    pub(super) fn made(&mut self, sending: &Sending) -> ObjectId {
        id_of(&self.call(sending))
    }

    pub(super) fn create(&mut self, type_name: &str, fields: Fields) -> ObjectId {
        self.made(&create(self.now, type_name, fields))
    }

    pub(super) fn read(&self, type_name: &str, scope: Scope) -> Vec<Observed> {
        let read = Read { type_name: type_name.parse().unwrap(), scope, page: None };
        match self.cloud.read(self.now, &target(), &read) {
            ReadAnswer::Page { objects, next: None, server_time } if server_time == Some(self.now) => objects,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn by_id(&self, type_name: &str, id: &ObjectId) -> Option<Observed> {
        self.read(type_name, Scope::Id(id.clone())).pop()
    }
}

pub(super) fn id_of(answer: &Answer) -> ObjectId {
    match answer {
        Answer::Done { id: Some(id), .. } => id.clone(),
        other => panic!("{other:?}"),
    }
}

/// What a call was refused for; `None` if it was done.
pub(super) fn refusal(answer: &Answer) -> Option<Refusal> {
    match answer {
        Answer::Done { .. } => None,
        Answer::Refused { refusal, server_time: Some(_), .. } => Some(*refusal),
        other => panic!("{other:?}"),
    }
}
