//! What a process has found out about immutable bytes.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::id::Digest;

/// How many bytes a memory covers unless it is told. What they were decoded to takes a few times as much.
const BYTES: usize = 32 << 20;

/// What was found out about immutable bytes, by their digest: it holds for the same bytes wherever they are read again,
/// so that no entry is verified and parsed twice. Clones share it, and so may all machines of a process.
///
/// # Guarantees
/// It changes no action and no answer, only what they cost. It is bounded: what was not asked for goes first.
///
/// # Caveats
/// Nothing that depends on where or when bytes were read may be put into it.
#[derive(Clone)]
pub struct Memory {
    shelves: Arc<Mutex<Shelves>>,
}

/// What was asked for lately stands on the first shelf. When that is full, the second one is thrown away and takes its
/// place.
struct Shelves {
    /// How many bytes a shelf covers.
    bytes: usize,
    first: Shelf,
    second: Shelf,
}

#[derive(Default)]
struct Shelf {
    bytes: usize,
    known: HashMap<Digest, Known>,
}

#[derive(Clone)]
struct Known {
    /// How many bytes it was found out about.
    bytes: usize,
    what: Arc<dyn Any + Send + Sync>,
}

impl Memory {
    /// One that covers so many bytes.
    pub fn of(bytes: usize) -> Self {
        let shelves = Shelves { bytes: bytes / 2, first: Shelf::default(), second: Shelf::default() };
        Self { shelves: Arc::new(Mutex::new(shelves)) }
    }

    /// What is known about the bytes with this digest. What was put in as another type is not.
    pub(crate) fn recall<T: Send + Sync + 'static>(&self, digest: &Digest) -> Option<Arc<T>> {
        let what = self.shelves().recall(digest)?;
        what.downcast().ok()
    }

    /// Remembers what was found out about so many bytes with this digest.
    pub(crate) fn remember<T: Send + Sync + 'static>(&self, digest: Digest, bytes: usize, what: Arc<T>) {
        self.shelves().put(digest, Known { bytes, what });
    }

    /// A lock that a panicking thread left is taken all the same: what it guards is always true.
    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::of(BYTES)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

impl Shelves {
    fn recall(&mut self, digest: &Digest) -> Option<Arc<dyn Any + Send + Sync>> {
        if let Some(known) = self.first.known.get(digest) {
            return Some(known.what.clone());
        }
        let (digest, known) = self.second.known.remove_entry(digest)?;
        let what = known.what.clone();
        self.put(digest, known);
        Some(what)
    }

    fn put(&mut self, digest: Digest, known: Known) {
        if self.first.bytes.saturating_add(known.bytes) > self.bytes {
            self.second = std::mem::take(&mut self.first);
        }
        self.first.bytes = self.first.bytes.saturating_add(known.bytes);
        if let Some(before) = self.first.known.insert(digest, known) {
            self.first.bytes = self.first.bytes.saturating_sub(before.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(n: u8) -> Digest {
        Digest::of(&[n])
    }

    #[test]
    fn what_was_not_asked_for_goes_first() {
        let memory = Memory::of(4);
        for n in 0..20 {
            memory.remember(digest(n), 1, Arc::new(n));
            assert_eq!(memory.recall::<u8>(&digest(0)).as_deref(), Some(&0), "asked for all the time");
        }
        assert_eq!(memory.recall::<u8>(&digest(1)), None);
        assert_eq!(memory.recall::<u8>(&digest(19)).as_deref(), Some(&19));
        let shelves = memory.shelves();
        assert!(shelves.first.bytes + shelves.second.bytes <= 4);
    }

    #[test]
    fn what_is_known_as_another_type_is_not_known() {
        let memory = Memory::default();
        memory.remember(digest(1), 1, Arc::new(1_u8));
        assert_eq!(memory.recall::<u16>(&digest(1)), None);
        assert_eq!(memory.recall::<u8>(&digest(1)).as_deref(), Some(&1));
    }
}
