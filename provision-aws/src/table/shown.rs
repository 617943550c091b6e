//! An answer of AWS, taken apart by name.

use std::collections::BTreeMap;

use provision_core::call::Readiness;
use provision_core::value::{Fields, Value};

use super::Path;

/// A part of an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<'a>(pub(crate) Option<&'a Value>);

impl<'a> Shown<'a> {
    /// A part of it.
    pub(crate) fn at(self, name: &str) -> Self {
        Self(self.0.and_then(|value| value.as_map()?.get(name)))
    }

    /// What a path leads to; of a list, the first item.
    pub(crate) fn path(self, path: Path) -> Self {
        path.iter().fold(self, |at, name| at.first().at(name))
    }

    /// Of a list, its first item.
    pub(crate) fn first(self) -> Self {
        match self.0.and_then(Value::as_list) {
            Some(list) => Self(list.first()),
            None => self,
        }
    }

    /// Its items, if it is a list.
    pub(crate) fn items(self) -> impl Iterator<Item = Self> + use<'a> {
        self.0.and_then(Value::as_list).unwrap_or_default().iter().map(|item| Self(Some(item)))
    }

    /// The items of a list in it.
    pub(crate) fn list(self, name: &str) -> impl Iterator<Item = Self> + use<'a> {
        self.at(name).items()
    }

    /// A text in it.
    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        self.at(name).as_text()
    }

    /// It, if it is a text.
    pub(crate) fn as_text(self) -> Option<&'a str> {
        self.0.and_then(Value::as_text)
    }

    /// A number in it.
    pub(crate) fn int(self, name: &str) -> Option<i64> {
        self.at(name).0.and_then(Value::as_int)
    }

    /// A boolean in it.
    pub(crate) fn bool(self, name: &str) -> Option<bool> {
        self.at(name).0.and_then(Value::as_bool)
    }

    /// A list of `Key` and `Value` in it.
    pub(crate) fn pairs(self, name: &str) -> BTreeMap<String, String> {
        let pair = |item: Self| Some((item.text("Key")?.to_owned(), item.text("Value").unwrap_or_default().to_owned()));
        self.list(name).filter_map(pair).collect()
    }
}

/// An object as a read shows it: the fields that the answer holds. What it does not hold counts as not observed.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) readiness: Readiness,
    pub(crate) fields: Fields,
}

impl Seen {
    pub(crate) fn new(readiness: Readiness) -> Self {
        Self { readiness, fields: Fields::new() }
    }

    /// A field, if the answer holds it.
    pub(crate) fn with(mut self, name: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.fields.insert(name.to_owned(), value.into());
        }
        self
    }

    /// A field that the object may not have, which is known too.
    pub(crate) fn with_or_null(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        let value = value.map(Into::into).filter(|value: &Value| value.as_text() != Some(""));
        self.with(name, Some(value.unwrap_or(Value::Null)))
    }

    /// An output that is a text always: empty where the object has none.
    pub(crate) fn with_or_empty(self, name: &str, value: Option<&str>) -> Self {
        self.with(name, Some(value.unwrap_or_default()))
    }
}
