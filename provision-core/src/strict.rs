//! JSON that is read strictly: a key that stands twice in one object is an error, at any depth.
//!
//! Serde's derived structs refuse a field that stands twice, but its maps let the last one win. Nesting is bounded by
//! `serde_json`, at 128 levels.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Value};

/// What a list, a map, a key and anything else cost of a [`Budget`]: about 40 bytes of memory each.
const MAP: usize = 16;
const KEY: usize = 2;
const LIST: usize = 2;
const OTHER: usize = 1;

/// How much there may be in a text, whatever it is parsed into: a few bytes of it can become many in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget(pub(crate) usize);

/// Reads JSON, or says what is wrong with it.
pub(crate) fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    from_slice_within(bytes, Budget(usize::MAX))
}

/// Reads JSON that holds no more than the budget allows, or says what is wrong with it.
pub(crate) fn from_slice_within<T: DeserializeOwned>(bytes: &[u8], budget: Budget) -> Result<T, serde_json::Error> {
    let left = Cell::new(budget.0);
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    Walk { left: &left }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    serde_json::from_slice(bytes)
}

/// A key, copied only where it holds escapes.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Goes through everything and keeps nothing.
#[derive(Clone, Copy)]
struct Walk<'a> {
    left: &'a Cell<usize>,
}

impl Walk<'_> {
    fn spend<E: serde::de::Error>(self, cost: usize) -> Result<(), E> {
        let left =
            self.left.get().checked_sub(cost).ok_or_else(|| E::custom("there is more in it than is ever read"))?;
        self.left.set(left);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.spend(OTHER)
    }
    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.spend(OTHER)
    }
    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.spend(OTHER)
    }
    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.spend(OTHER)
    }
    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.spend(OTHER)
    }
    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        self.spend(OTHER)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.spend(LIST)?;
        while seq.next_element_seed(self)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.spend(MAP)?;
        let mut keys = BTreeSet::new();
        while let Some(Key(key)) = map.next_key()? {
            if keys.contains(&key) {
                map.next_value::<IgnoredAny>()?;
                return Err(A::Error::custom(format_args!("the key `{}` stands twice", key.escape_debug())));
            }
            self.spend(KEY)?;
            map.next_value_seed(self)?;
            keys.insert(key);
        }
        Ok(())
    }
}

/// Any JSON in which no key stands twice, read in one pass: for what is kept as it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Strict(pub(crate) Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Keep).map(Self)
    }
}

/// Keeps everything.
struct Keep;

impl<'de> Visitor<'de> for Keep {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
        Ok(b.into())
    }
    fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
        Ok(n.into())
    }
    fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
        Ok(n.into())
    }
    fn visit_f64<E>(self, n: f64) -> Result<Value, E> {
        Ok(n.into())
    }
    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }
    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = seq.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format_args!("the key `{}` stands twice", key.escape_debug())));
            }
            let Strict(value) = access.next_value()?;
            map.insert(key, value);
        }
        Ok(map.into())
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

    #[test]
    fn what_is_kept_is_what_any_reader_reads_and_no_key_stands_twice() {
        for good in ["null", "true", "-3", "18446744073709551615", "1.5", r#""a\u0062""#, r#"{"a":[{"b":1},{"b":[]}]}"#]
        {
            let Strict(read) = serde_json::from_str(good).unwrap();
            assert_eq!(read, serde_json::from_str::<Value>(good).unwrap());
        }
        for bad in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"\u0061":2}}]"#] {
            let error = serde_json::from_str::<Strict>(bad).unwrap_err().to_string();
            assert!(error.starts_with("the key `a` stands twice"), "{error}");
        }
    }

    #[test]
    fn what_holds_more_than_is_allowed_is_refused() {
        let read = |text: &str, budget| from_slice_within::<serde_json::Value>(text.as_bytes(), Budget(budget)).is_ok();
        let cost = MAP + KEY + LIST + 3 * OTHER;
        assert!(read(r#"{"a":[1,"b",null]}"#, cost));
        assert!(!read(r#"{"a":[1,"b",null]}"#, cost - 1));
        assert!(!read(r#"{} {}"#, usize::MAX), "one document");
    }
}
