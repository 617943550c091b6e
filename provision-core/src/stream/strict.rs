//! JSON that is read strictly: a key that stands twice in one object is an error, at any depth.
//!
//! Serde's derived structs refuse a field that stands twice, but its maps let the last one win.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Reads JSON, or says what is wrong with it.
pub(super) fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice::<NoDuplicates>(bytes)?;
    serde_json::from_slice(bytes)
}

struct NoDuplicates;

impl<'de> Deserialize<'de> for NoDuplicates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Walk)
    }
}

/// A key, copied only where it holds escapes.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

struct Walk;

impl<'de> Visitor<'de> for Walk {
    type Value = NoDuplicates;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<NoDuplicates, E> {
        Ok(NoDuplicates)
    }
    fn visit_bool<E>(self, _: bool) -> Result<NoDuplicates, E> {
        Ok(NoDuplicates)
    }
    fn visit_i64<E>(self, _: i64) -> Result<NoDuplicates, E> {
        Ok(NoDuplicates)
    }
    fn visit_u64<E>(self, _: u64) -> Result<NoDuplicates, E> {
        Ok(NoDuplicates)
    }
    fn visit_f64<E>(self, _: f64) -> Result<NoDuplicates, E> {
        Ok(NoDuplicates)
    }
    fn visit_str<E>(self, _: &str) -> Result<NoDuplicates, E> {
        Ok(NoDuplicates)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<NoDuplicates, A::Error> {
        while seq.next_element::<NoDuplicates>()?.is_some() {}
        Ok(NoDuplicates)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NoDuplicates, A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(Key(key)) = map.next_key()? {
            if keys.contains(&key) {
                map.next_value::<IgnoredAny>()?;
                return Err(A::Error::custom(format_args!("the key `{}` stands twice", key.escape_debug())));
            }
            map.next_value::<NoDuplicates>()?;
            keys.insert(key);
        }
        Ok(NoDuplicates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_key_that_stands_twice_is_refused_at_any_depth() {
        type Nested = BTreeMap<String, BTreeMap<String, u8>>;
        assert!(from_slice::<Nested>(br#"{"a":{"b":1,"c":2}}"#).is_ok());
        assert!(serde_json::from_slice::<Nested>(br#"{"a":{"b":1,"b":2}}"#).is_ok(), "what this module is for");
        assert!(from_slice::<Nested>(br#"{"a":{"b":1,"b":2}}"#).is_err());
        assert!(from_slice::<Nested>(br#"{"a":{"b":1,"\u0062":2}}"#).is_err(), "the same key, written otherwise");
    }
}
