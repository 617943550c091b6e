//! Maps in which what the code names is found fast.
//!
//! What stands in them are addresses and names of definitions, which nobody sends to make them collide, so no secret has to
//! go into a hash, and hashing takes a quarter of the time. Their order is never looked at.

use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;

/// A map without order.
pub(crate) type FastMap<K, V> = HashMap<K, V, FixedState>;

/// A set without order.
pub(crate) type FastSet<K> = HashSet<K, FixedState>;
