//! How long things take.

use std::time::Duration;

use super::ids::mix;
use crate::call::{Effect, Read, Scope, Sending};
use crate::id::ObjectId;

/// How long calls, reads and changes of state take: a pure function of the seed and of what is asked, so that it does
/// not depend on the order in which concurrent calls arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    seed: u64,
    percent: u32,
}

impl Latency {
    /// A model with this seed; `percent` scales all of it, and 0 is instant.
    pub fn new(seed: u64, percent: u32) -> Self {
        Self { seed, percent }
    }

    fn between(&self, low: u64, high: u64, parts: &[&[u8]]) -> Duration {
        if self.percent == 0 {
            return Duration::ZERO;
        }
        let span = high.saturating_sub(low).max(1);
        let millis = low + mix(self.seed, parts) % span;
        Duration::from_millis(millis.saturating_mul(u64::from(self.percent)) / 100)
    }

    /// From sending a call to its answer: creates 200 to 800 ms, depending on the type; removals 100 to 400; sets 50 to
    /// 150.
    pub fn call(&self, sending: &Sending) -> Duration {
        let call = &sending.call;
        let kind = call.type_name.as_str().as_bytes();
        let request = call.request.canonical();
        let object = sending.object.as_ref().map_or("", ObjectId::as_str);
        let parts: &[&[u8]] = &[b"call", call.api.as_bytes(), object.as_bytes(), &request];
        match call.effect {
            Effect::Create { .. } => {
                let of_type = mix(self.seed, &[b"type", kind]) % 300;
                self.between(200 + of_type, 500 + of_type, parts)
            }
            Effect::Set { .. } => self.between(50, 150, parts),
            Effect::Remove => self.between(100, 400, parts),
        }
    }

    /// From sending a read to its answer: 30 to 80 ms.
    pub fn read(&self, read: &Read) -> Duration {
        let scope = match &read.scope {
            Scope::Marked(infra) => infra.to_string(),
            Scope::Id(id) => id.to_string(),
            Scope::Mark(mark) => format!("{}{}", mark.address, mark.incarnation),
            Scope::Key(fields) => fields.keys().cloned().collect(),
            Scope::Tagged(tags) => tags.keys().cloned().collect(),
            Scope::Detail { detail, objects } => format!("{detail}{}", objects.len()),
            Scope::Query(fields) => fields.keys().cloned().collect(),
        };
        let page = read.page.as_deref().unwrap_or_default();
        self.between(30, 80, &[b"read", read.type_name.as_str().as_bytes(), scope.as_bytes(), page.as_bytes()])
    }

    /// From a call that has to be waited for until its object is ready: 1 to 2 s.
    pub fn ready(&self, id: &ObjectId) -> Duration {
        self.between(1000, 2000, &[b"ready", id.as_str().as_bytes()])
    }

    /// From a removal that has to be waited for until its object is gone: 0.5 to 1.5 s.
    pub fn gone(&self, id: &ObjectId) -> Duration {
        self.between(500, 1500, &[b"gone", id.as_str().as_bytes()])
    }
}
