//! The table of types: what a type has to say of itself, in one file, and what reads that.

use provision_core::call::{Mark, Observed};
use provision_core::schema::Schema;

#[macro_use]
mod apis;
#[macro_use]
mod choices;
pub(crate) mod calls;
pub(crate) mod reading;
pub(crate) mod shown;

pub use apis::{Api, Class};
pub(crate) use calls::{Calls, Delete, Given, Update};
pub(crate) use reading::{Reading, Request};
use shown::Shown;

/// A resource type: what its file says, and one line in the module of its service names.
pub(crate) struct Row {
    pub(crate) schema: &'static Schema,
    /// What no two objects can share. With the classes name and natural key it is also what recovery looks for; with the class
    /// tag it only says that a replacement cannot stand beside the old object.
    pub(crate) identity_key: &'static [&'static str],
    pub(crate) create: fn(&mut Calls, Given<'_>, &Mark) -> Result<(), String>,
    pub(crate) update: fn(&mut Calls, &Update<'_>) -> Result<(), String>,
    pub(crate) delete: fn(&mut Calls, &Delete<'_>) -> Result<(), String>,
    /// What the answers of its calls hold that is kept.
    pub(crate) answers: &'static [Answered],
    /// How its objects are read.
    pub(crate) reading: &'static dyn Reading,
    /// The operations that are its own.
    pub(crate) apis: &'static [Api],
    /// What the tests of all types try it with.
    #[cfg(test)]
    pub(crate) examples: Examples,
}

/// A data source: what can be looked up and is not made.
pub(crate) struct Source {
    pub(crate) schema: &'static Schema,
    /// The operations that are its own; others are those of a row.
    pub(crate) apis: &'static [Api],
    /// The request that asks for what the query means.
    pub(crate) request: fn(Given<'_>) -> Result<Request, String>,
    /// What of a page of the answer the query means, with the query's own fields as far as they are known.
    pub(crate) found: fn(Given<'_>, Shown<'_>) -> Vec<Observed>,
}

/// Where an answer holds what is kept of it.
pub(crate) struct Answered {
    pub(crate) api: &'static str,
    /// The new object's id; of a list, the first one.
    pub(crate) id: Path,
    /// Computed fields that the answer holds for good.
    pub(crate) outputs: &'static [(&'static str, Path)],
}

/// Names from the outside in; of a list, the first item. An empty one leads nowhere.
pub(crate) type Path = &'static [&'static str];

/// Definitions of a type, as JSON.
#[cfg(test)]
pub(crate) struct Examples {
    /// A whole definition.
    pub(crate) whole: &'static str,
    /// Fields that can change in place, with other values.
    pub(crate) changes: &'static [&'static str],
}
