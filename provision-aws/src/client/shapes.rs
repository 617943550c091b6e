//! Between the SDK's structures and trees: what `apis!` and `shapes!` of the table of types expand to.

use std::collections::BTreeMap;

use provision_core::value::Value;

/// A part of an answer, as a tree; `None` if it is not there.
pub(crate) trait Show {
    fn show(&self) -> Option<Value>;
}

impl Show for String {
    fn show(&self) -> Option<Value> {
        Some(self.as_str().into())
    }
}

impl Show for bool {
    fn show(&self) -> Option<Value> {
        Some((*self).into())
    }
}

impl Show for i32 {
    fn show(&self) -> Option<Value> {
        Some(i64::from(*self).into())
    }
}

impl Show for i64 {
    fn show(&self) -> Option<Value> {
        Some((*self).into())
    }
}

impl<T: Show> Show for Option<T> {
    fn show(&self) -> Option<Value> {
        self.as_ref().and_then(Show::show)
    }
}

impl<T: Show> Show for Vec<T> {
    fn show(&self) -> Option<Value> {
        Some(Value::List(self.iter().filter_map(Show::show).collect()))
    }
}

/// Named parts, without those that are not there.
pub(crate) fn structure<const N: usize>(parts: [(&str, Option<Value>); N]) -> Value {
    let there = parts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Map(there.collect::<BTreeMap<_, _>>())
}

/// What a builder of the SDK makes: some refuse what lacks a required part.
pub(crate) trait Built<T> {
    fn built(self) -> Result<T, String>;
}

impl<T> Built<T> for T {
    fn built(self) -> Result<T, String> {
        Ok(self)
    }
}

impl<T> Built<T> for Result<T, aws_smithy_types::error::operation::BuildError> {
    fn built(self) -> Result<T, String> {
        self.map_err(|error| error.to_string())
    }
}

/// The builder of an operation.
macro_rules! operation {
    ($client:expr, $api:ident) => {
        pastey::paste!($client.[<$api:snake>]())
    };
    ($client:expr, $api:ident as $name:ident) => {
        $client.$name()
    };
}
pub(crate) use operation;

/// Sets a parameter of a builder.
macro_rules! set {
    ($builder:ident, $take:ident, $param:ident) => {
        pastey::paste!($builder.[<set_ $param:snake>]($take.get(stringify!($param))?))
    };
    ($builder:ident, $take:ident, $param:ident as $name:ident) => {
        pastey::paste!($builder.[<set_ $name>]($take.get(stringify!($param))?))
    };
}
pub(crate) use set;

/// A part of a structure, by name.
macro_rules! part {
    ($from:expr, $part:ident) => {
        (stringify!($part), pastey::paste!($crate::client::shapes::Show::show(&$from.[<$part:snake>])))
    };
    ($from:expr, $part:ident as $name:ident) => {
        (stringify!($part), $crate::client::shapes::Show::show(&$from.$name))
    };
}
pub(crate) use part;

/// An enumeration: a text, in requests and answers.
macro_rules! text {
    ($sdk:ident $shape:ident) => {
        impl $crate::client::shapes::Show for $sdk::types::$shape {
            fn show(&self) -> Option<provision_core::value::Value> {
                Some(self.as_str().into())
            }
        }
        impl $crate::client::take::Param for $sdk::types::$shape {
            const KIND: &'static str = "a text";

            fn param(value: &provision_core::value::Value) -> Result<Option<Self>, $crate::client::take::BadRequest> {
                Ok(value.as_text().map(Self::from))
            }
        }
    };
}
pub(crate) use text;

/// A structure of answers.
macro_rules! shown {
    ($sdk:ident $shape:ident ($($part:ident $(as $name:ident)?),*)) => {
        impl $crate::client::shapes::Show for $sdk::types::$shape {
            fn show(&self) -> Option<provision_core::value::Value> {
                Some($crate::client::shapes::structure([$($crate::client::shapes::part!(self, $part $(as $name)?)),*]))
            }
        }
    };
}
pub(crate) use shown;

/// A structure of requests.
macro_rules! sent {
    ($sdk:ident $shape:ident ($($param:ident $(as $name:ident)?),*)) => {
        impl $crate::client::take::Param for $sdk::types::$shape {
            const KIND: &'static str = "a structure";

            fn param(
                value: &provision_core::value::Value,
            ) -> Result<Option<Self>, $crate::client::take::BadRequest> {
                if value.as_map().is_none() {
                    return Ok(None);
                }
                let mut take = $crate::client::take::Take::new(value)?;
                let builder = Self::builder();
                $(let builder = $crate::client::shapes::set!(builder, take, $param $(as $name)?);)*
                take.finish()?;
                $crate::client::shapes::Built::<Self>::built(builder.build()).map(Some)
            }
        }
    };
}
pub(crate) use sent;

/// A structure of both.
macro_rules! both {
    ($sdk:ident $shape:ident ($($part:ident $(as $name:ident)?),*)) => {
        $crate::client::shapes::shown!($sdk $shape ($($part $(as $name)?),*));
        $crate::client::shapes::sent!($sdk $shape ($($part $(as $name)?),*));
    };
}
pub(crate) use both;
