//! Refs: typed handles to outputs of resources.

use std::fmt;
use std::marker::PhantomData;

mod sealed {
    /// Holds for a type and itself. Private, so that nobody claims it for two types.
    pub trait Same<T> {}
    impl<T> Same<T> for T {}

    /// A data centre that nothing can name.
    pub struct Elsewhere<T>(std::marker::PhantomData<T>);
    impl<T> Same<Elsewhere<T>> for T {}
}

/// A handle to an output of a resource of data centre `D`: what it points at is a `K`.
///
/// It is `Copy`, and is given to fields (`Subnet { vpc, .. }`), to other blocks (as part of what a block returns) and
/// to texts. A ref of another data centre does not compile.
pub struct Ref<K, D> {
    pub(crate) raw: RawRef,
    of: PhantomData<fn() -> (K, D)>,
}

impl<K, D> Ref<K, D> {
    pub(crate) fn new(raw: RawRef) -> Self {
        Self { raw, of: PhantomData }
    }
}

impl<K, D> Clone for Ref<K, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, D> Copy for Ref<K, D> {}

impl<K, D> fmt::Debug for Ref<K, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.raw.of {
            Origin::Resource(index) => write!(f, "Ref(resource {index}, {})", self.raw.output),
            Origin::Lookup(index) => write!(f, "Ref(lookup {index}, {})", self.raw.output),
        }
    }
}

/// A ref without its types: a place in a table of one infrastructure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RawRef {
    pub(crate) infra: u64,
    pub(crate) of: Origin,
    pub(crate) output: &'static str,
}

/// Whose output a ref points at, by its place in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    Resource(usize),
    Lookup(usize),
}

/// Says that a ref points at what a field wants.
#[diagnostic::on_unimplemented(
    message = "wrong kind of ref: expected a `{Wanted}`, found a `{Self}`",
    label = "this is a `{Self}`; a `{Wanted}` belongs here"
)]
pub trait Is<Wanted>: sealed::Same<Wanted> {}
impl<T> Is<T> for T {}

/// Says that a ref is used in the data centre that it comes from.
#[diagnostic::on_unimplemented(
    message = "a ref of data centre `{Self}` is used in data centre `{Here}`",
    label = "comes from `{Self}`",
    note = "give this block what a block of `{Here}` returned",
    note = "where the two are meant to meet, the code says `crossing!({Self} => {Here}, via = ..)`, and `b.import(..)` takes the ref over"
)]
pub trait SameDc<Here>: sealed::Same<Here> {}
impl<T> SameDc<T> for T {}
// With one implementation alone, rustc would infer the data centre of a rule or a text from the first ref in it, and
// report a mismatch of the whole; with two it waits for the block, and reports the ref.
impl<T> SameDc<sealed::Elsewhere<T>> for T {}
