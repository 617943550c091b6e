//! Lookups: what a block finds instead of making it.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use super::block::{Added, Block, Inputs, Resource};
use super::cidr::Cidr;
use super::input::{Input, IntoInput, Tags};
use super::record::here;
use super::refs::{Is, Origin, RawRef, Ref, SameDc};
use super::text::{IntoText, Text};
use crate::schema::Schema;

/// A data source, as `#[data_source]` describes it: what can be looked up and is never made.
pub trait DataSource {
    /// What a ref to what is found points at: `AmiId`.
    type Id;
    /// Its cloud.
    type Cloud: super::dc::Cloud;
    /// Its fields: the computed ones are what is found, the others are the query.
    const SCHEMA: &'static Schema;

    /// What is wrong with a query, as field and problem: `#[data_source(.., check = function)]`.
    fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
        let _ = inputs;
        Vec::new()
    }
}

/// A data source with the required fields of a query: the struct literal.
pub trait Query {
    /// Which data source it asks.
    type Source: DataSource;
}

/// A query that can be asked in a block of data centre `D`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a data source",
    label = "not a data source",
    note = "what is to be made is put into the block: `b.put(..)`"
)]
pub trait AskedIn<D>: Query {
    /// Its fields, erased.
    fn into_query(self) -> Vec<(&'static str, Input)>;
}

/// What a field of kind `Kind` takes in a query: a value that is known when the code is written.
///
/// Refs are not: whatever they point at may come to be, or change, only after the plan was made that needs the answer.
#[diagnostic::on_unimplemented(
    message = "expected a `{Kind}` that is known when the code is written, found `{Self}`",
    label = "a `{Kind}` belongs here"
)]
pub trait KnownInput<Kind> {
    /// The erased value.
    fn into_known(self) -> Input;
}

/// Would let a query depend on something else; nothing implements it, so that its message is shown.
#[diagnostic::on_unimplemented(
    message = "a lookup takes no refs, and this is a ref to a `{Self}`",
    label = "not known when the plan is made",
    note = "a lookup is answered when a plan is made, before anything in the plan is: give it values"
)]
pub trait RefInQuery {}

macro_rules! known {
    ($($from:ty => $kind:ty),* $(,)?) => { $(
        impl KnownInput<$kind> for $from {
            fn into_known(self) -> Input {
                IntoInput::<$kind, ()>::into_input(self)
            }
        }
    )* };
}
known!(bool => bool, &str => String, String => String, &String => String, i64 => i64, Cidr => Cidr);

// The bound is on what is pointed at: of a bound on the ref itself, rustc shows this trait's message instead.
impl<K, G: RefInQuery, O> KnownInput<K> for Ref<G, O> {
    fn into_known(self) -> Input {
        Input::output(self.raw)
    }
}

impl<K, R: Resource, O> KnownInput<K> for Added<'_, R, O>
where
    R::Id: RefInQuery,
{
    fn into_known(self) -> Input {
        Input::output(self.id().raw)
    }
}

impl<K, S: DataSource, O> KnownInput<K> for Lookup<'_, S, O>
where
    S::Id: RefInQuery,
{
    fn into_known(self) -> Input {
        Input::output(self.id().raw)
    }
}

impl<K, T: KnownInput<K>, const N: usize> KnownInput<Vec<K>> for [T; N] {
    fn into_known(self) -> Input {
        Input::List(self.into_iter().map(KnownInput::into_known).collect())
    }
}

impl<K, T: KnownInput<K>> KnownInput<Vec<K>> for Vec<T> {
    fn into_known(self) -> Input {
        Input::List(self.into_iter().map(KnownInput::into_known).collect())
    }
}

impl<K, T: KnownInput<K> + Clone> KnownInput<Vec<K>> for &[T] {
    fn into_known(self) -> Input {
        Input::List(self.iter().cloned().map(KnownInput::into_known).collect())
    }
}

fn named_texts<N: Into<String>, V: KnownInput<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Input {
    let mut map = BTreeMap::new();
    for (name, value) in pairs {
        let name = name.into();
        let twice = map.contains_key(&name).then(|| format!("the key `{}` stands twice", name.escape_debug()));
        map.insert(name, twice.map_or_else(|| value.into_known(), Input::problem));
    }
    Input::Map(map)
}

impl<N: Into<String>, V: KnownInput<String>, const LEN: usize> KnownInput<Tags> for [(N, V); LEN] {
    fn into_known(self) -> Input {
        named_texts(self)
    }
}

impl<N: Into<String>, V: KnownInput<String>> KnownInput<Tags> for BTreeMap<N, V> {
    fn into_known(self) -> Input {
        named_texts(self)
    }
}

/// Something that a block looks up: the setters of its query, and refs to what is found.
///
/// The setters and outputs of each data source are in the trait that `#[data_source]` makes beside it (`AmiExt` beside
/// `Ami`). Given to a field, it stands for the id of what is found.
///
/// ```
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// # use toy::{Image, ImageExt, Network, NetworkExt, Toy, UsEast};
/// use provision_core::prelude::*;
///
/// fn base<D: On<Toy>>(b: &Block<D>, (): ()) {
///     let image = b.find("image", Image { owner: "acme" }).name("linux-*");
///     b.put("main", Network { cidr: cidr!("10.1.0.0/16") }).tags([("image", text!("{}", image.id()))]);
/// }
///
/// let infra = Infrastructure::new("example");
/// infra.dc(UsEast).block("base", base, ());
/// let desired = infra.finish().expect("no findings");
/// let image = &desired.blocks[&"us-east.base".parse()?].lookups[&"image".parse()?];
/// assert_eq!(image.query["name"].as_text(), Some("linux-*"));
/// # Ok::<(), provision_core::id::BadName>(())
/// ```
pub struct Lookup<'b, S, D> {
    block: &'b Block<D>,
    lookup: usize,
    of: PhantomData<fn() -> S>,
}

impl<S, D> Clone for Lookup<'_, S, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S, D> Copy for Lookup<'_, S, D> {}

impl<'b, S: DataSource, D> Lookup<'b, S, D> {
    pub(super) fn new(block: &'b Block<D>, lookup: usize) -> Self {
        Self { block, lookup, of: PhantomData }
    }

    /// A ref to the id of what is found.
    pub fn id(&self) -> Ref<S::Id, D> {
        self.output("id")
    }

    /// A ref to an output; `#[data_source]` calls it with a name and a kind that the schema has.
    #[doc(hidden)]
    pub fn output<K>(&self, output: &'static str) -> Ref<K, D> {
        Ref::new(RawRef { infra: self.block.infra, of: Origin::Lookup(self.lookup), output })
    }

    /// Sets a field of the query; `#[data_source]` calls it with a name and a kind that the schema has.
    #[doc(hidden)]
    #[track_caller]
    pub fn set(self, field: &'static str, input: Input) -> Self {
        self.block.record.borrow_mut().ask(self.lookup, field, input, &here());
        self
    }
}

impl<K, D, S: DataSource, O: SameDc<D>> IntoInput<K, D> for Lookup<'_, S, O>
where
    S::Id: Is<K>,
{
    fn into_input(self) -> Input {
        Input::output(self.id().raw)
    }
}

impl<D, S: DataSource, O: SameDc<D>> IntoText<D> for Lookup<'_, S, O> {
    fn append_to(self, text: &mut Text<D>) {
        self.id().append_to(text);
    }
}
