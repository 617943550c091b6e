//! Exclusive keys: calls on one API object go one after the other, whichever resources they are for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures::lock::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::id::ObjectId;
use crate::target::TargetId;

/// A lock per object that is being called.
#[derive(Default)]
pub(super) struct Keys {
    locks: Mutex<BTreeMap<(TargetId, ObjectId), Lock>>,
}

type Lock = Weak<AsyncMutex<()>>;

/// Held while a call on the object is on its way.
pub(super) struct Key {
    _guard: Option<OwnedMutexGuard<()>>,
}

impl Keys {
    /// Waits until no other call on the object is on its way. A create has no object yet, and so no key.
    pub(super) async fn lock(&self, target: &TargetId, object: Option<&ObjectId>) -> Key {
        let Some(object) = object else { return Key { _guard: None } };
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            let slot = locks.entry((target.clone(), object.clone())).or_default();
            slot.upgrade().unwrap_or_else(|| {
                let lock = Arc::new(AsyncMutex::new(()));
                *slot = Arc::downgrade(&lock);
                lock
            })
        };
        Key { _guard: Some(lock.lock_owned().await) }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn target() -> TargetId {
        let provider = crate::id::ProviderName::new("aws").unwrap();
        TargetId { provider, account: "1".to_owned(), region: "r".to_owned() }
    }

    #[test]
    fn calls_on_one_object_wait_for_each_other() {
        let (keys, target) = (Keys::default(), target());
        let (a, b) = (ObjectId::new("sg-a").unwrap(), ObjectId::new("sg-b").unwrap());
        let first = keys.lock(&target, Some(&a)).now_or_never().unwrap();
        assert!(keys.lock(&target, Some(&a)).now_or_never().is_none(), "the same object waits");
        assert!(keys.lock(&target, Some(&b)).now_or_never().is_some(), "another object does not");
        assert!(keys.lock(&target, None).now_or_never().is_some(), "a create does not");
        drop(first);
        assert!(keys.lock(&target, Some(&a)).now_or_never().is_some());
    }
}
