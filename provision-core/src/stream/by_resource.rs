//! What is kept of a block by its own key, and found by its resource too.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::event::Intent;
use super::fold::Deposed;
use crate::id::ResourceName;

/// Something of a resource, which it is of for good.
pub trait OfResource {
    /// The resource.
    fn resource(&self) -> &ResourceName;
}

impl OfResource for Intent {
    fn resource(&self) -> &ResourceName {
        &self.resource
    }
}

impl OfResource for Deposed {
    fn resource(&self) -> &ResourceName {
        &self.resource
    }
}

/// A map whose values are found by their resource without looking at the others: of ten thousand calls that are open at
/// once, each asks for those of its own resource. Serialised and read as the map that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByResource<K, V> {
    all: BTreeMap<K, V>,
    of: BTreeMap<ResourceName, BTreeSet<K>>,
}

impl<K, V> Default for ByResource<K, V> {
    fn default() -> Self {
        Self { all: BTreeMap::new(), of: BTreeMap::new() }
    }
}

impl<K, V> Deref for ByResource<K, V> {
    type Target = BTreeMap<K, V>;
    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl<K: Ord + Clone, V: OfResource> ByResource<K, V> {
    /// Those of a resource, in the order of their keys.
    pub fn of<'a>(&'a self, resource: &ResourceName) -> impl Iterator<Item = &'a V> + use<'a, K, V> {
        self.of.get(resource).into_iter().flatten().filter_map(|key| self.all.get(key))
    }

    /// Puts one in.
    pub fn insert(&mut self, key: K, value: V) {
        self.remove(&key);
        self.of.entry(value.resource().clone()).or_default().insert(key.clone());
        self.all.insert(key, value);
    }

    /// Takes one out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let value = self.all.remove(key)?;
        if let Some(keys) = self.of.get_mut(value.resource()) {
            keys.remove(key);
            if keys.is_empty() {
                self.of.remove(value.resource());
            }
        }
        Some(value)
    }

    /// One of them, to change anything but its resource.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.all.get_mut(key)
    }
}

impl<K: Ord + Clone, V: OfResource> FromIterator<(K, V)> for ByResource<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(all: I) -> Self {
        let mut found = Self::default();
        all.into_iter().for_each(|(key, value)| found.insert(key, value));
        found
    }
}

impl<K: Serialize + Ord, V: Serialize> Serialize for ByResource<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.all.serialize(serializer)
    }
}

impl<'de, K: Deserialize<'de> + Ord + Clone, V: Deserialize<'de> + OfResource> Deserialize<'de> for ByResource<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(BTreeMap::deserialize(deserializer)?.into_iter().collect())
    }
}
