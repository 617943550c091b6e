//! Crossings: refs of one data centre that another one uses on purpose.

use std::fmt;
use std::marker::PhantomData;

use super::args::Args;
use super::dc::{Cloud, DataCentre, Environment, On, Region};
use super::input::{FieldKind, Input, IntoInput};
use super::record::Record;
use super::refs::{RawRef, Ref};
use super::text::{IntoText, Text};
use crate::desired::Location;
use crate::id::DcName;
use crate::schema::Kind;
use crate::value::Tree;

/// Says that refs of this data centre may be used in data centre `To`: [`crossing!`](crate::crossing) writes it.
#[diagnostic::on_unimplemented(
    message = "a ref of data centre `{Self}` is imported into `{To}`, and no crossing leads there",
    label = "comes from `{Self}`",
    note = "where the two are meant to meet, say so beside them: `crossing!({Self} => {To}, via = ..);`"
)]
pub trait Crossing<To: DataCentre>: DataCentre {
    /// What carries what crosses: `peering`.
    const VIA: &'static str;
}

mod sealed {
    /// Holds for a type and itself. Private, so that nobody claims it for two types.
    pub trait Same<T> {}
    impl<T> Same<T> for T {}
}

/// Says that two data centres are of one environment: no crossing leads from one environment to another.
#[diagnostic::on_unimplemented(
    message = "a crossing from `{Self}` to `{To}`: environments do not mix",
    label = "of another environment",
    note = "what one environment has is never used by another one: each gets its own"
)]
pub trait SameEnvironment<To>: sealed::Same<To> {}
impl<T> SameEnvironment<T> for T {}

/// Compiles where both are of one environment; [`crossing!`](crate::crossing) calls it.
#[doc(hidden)]
pub const fn of_one_environment<From: SameEnvironment<To>, To>() {}

/// An id of something on a cloud: what `#[resource]` makes as `VpcId`.
pub trait OfCloud {
    /// The cloud.
    type Cloud: Cloud;
}

/// A ref that data centre `D` has taken over from data centre `O`: [`Block::import`](super::Block::import),
/// [`Dc::import`](super::Dc::import).
///
/// A field takes it like a ref of its own data centre, and so does a text. A field of kind [`Foreign`] gets the other data
/// centre's account and region with it. [`Self::here`] is for functions that ask for a [`Ref`].
pub struct Imported<K, O, D> {
    raw: RawRef,
    of: Types<K, O, D>,
}

type Types<K, O, D> = PhantomData<fn() -> (K, O, D)>;

impl<K, O, D> Imported<K, O, D> {
    pub(super) fn new(raw: RawRef) -> Self {
        Self { raw, of: PhantomData }
    }

    /// As a ref of the data centre that took it over.
    pub fn here(self) -> Ref<K, D> {
        Ref::new(self.raw)
    }
}

impl<K, O, D> Clone for Imported<K, O, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, O, D> Copy for Imported<K, O, D> {}

impl<K, O, D> fmt::Debug for Imported<K, O, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Imported({:?})", self.raw)
    }
}

impl<K, O, D> IntoInput<K, D> for Imported<K, O, D> {
    fn into_input(self) -> Input {
        Input::output(self.raw)
    }
}

impl<K, O, D> IntoText<D> for Imported<K, O, D> {
    fn append_to(self, text: &mut Text<D>) {
        self.here().append_to(text);
    }
}

impl<K, O, D> Args for Imported<K, O, D> {
    fn to_input(&self) -> Input {
        Input::output(self.raw)
    }
}

/// What a field holds that takes a `K` of another data centre: a map of its `id`, and the `account` and `region` of that
/// data centre on `K`'s cloud.
///
/// ```
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// # use toy::{Lab, NetworkId, Network, Prod, Toy, UsEast};
/// use provision_core::dsl::crossing::Foreign;
/// use provision_core::prelude::*;
///
/// // In a provider crate:
/// /// Two networks that reach each other.
/// #[resource(cloud = Toy, kind = "toy_peering", version = 1)]
/// pub struct Peering {
///     /// One of them.
///     #[attr(replace)]
///     pub network: NetworkId,
///     /// The other one, which is elsewhere.
///     #[attr(replace)]
///     pub peer: Foreign<NetworkId>,
///     /// Its id.
///     #[attr(computed)]
///     pub id: PeeringId,
/// }
///
/// // In the infrastructure:
/// #[data_centre(name = "eu-west", env = Prod, channel = Stable, on(Toy, account = "acme-eu", region = Lab))]
/// pub struct EuWest;
/// crossing!(EuWest => UsEast, via = peering);
///
/// fn network<D: On<Toy>>(b: &Block<D>, cidr: Cidr) -> Ref<NetworkId, D> {
///     b.put("main", Network { cidr }).id()
/// }
/// fn peering(b: &Block<UsEast>, (ours, theirs): (Ref<NetworkId, UsEast>, Ref<NetworkId, EuWest>)) {
///     b.put("eu-west", Peering { network: ours, peer: b.import(theirs) });
/// }
///
/// let infra = Infrastructure::new("example");
/// let (us, eu) = (infra.dc(UsEast), infra.dc(EuWest));
/// let theirs = eu.block("network", network, cidr!("10.2.0.0/16"));
/// let ours = us.block("network", network, cidr!("10.1.0.0/16"));
/// us.block("peering", peering, (ours, theirs));
/// let desired = infra.finish().expect("no findings");
/// let block = &desired.blocks[&"us-east.peering".parse()?];
/// assert_eq!(block.crossings[&"eu-west".parse()?], "peering");
/// assert_eq!(
///     serde_json::to_string(&block.resources[&"eu-west".parse()?].inputs["peer"])?,
///     r##"{"account":"acme-eu","id":{"$ref":"eu-west.network.main#id"},"region":"lab"}"##
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Foreign<K> {
    of: PhantomData<fn() -> K>,
}

impl<K: OfCloud> FieldKind for Foreign<K> {
    const KIND: Kind = Kind::Object;
}

impl<K: OfCloud, O: On<K::Cloud>, D> IntoInput<Foreign<K>, D> for Imported<K, O, D> {
    fn into_input(self) -> Input {
        let region = <O::Region as Region<K::Cloud>>::NAME;
        let fields = [("id", Input::output(self.raw)), ("account", O::ACCOUNT.into()), ("region", region.into())];
        Tree::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

impl Record {
    /// A block takes over a ref of another data centre.
    pub(crate) fn import<O: Crossing<D>, D: DataCentre>(&mut self, block: usize, raw: RawRef, at: &Location) {
        let label = self.blocks[block].label.clone();
        let dc = self.dc_of(block).cloned();
        self.crosses::<O, D>(dc, raw, &label, at);
        self.take(block, |_| label.clone(), &Input::output(raw), at);
    }

    /// A data centre takes over a ref of another one, for the blocks that are given it.
    pub(crate) fn import_into<O: Crossing<D>, D: DataCentre>(&mut self, dc: usize, raw: RawRef, at: &Location) {
        let row = &self.dcs[dc];
        let (label, name) = (row.label.clone(), row.name.clone());
        self.crosses::<O, D>(name, raw, &label, at);
    }

    fn crosses<O: Crossing<D>, D: DataCentre>(&mut self, to: Option<DcName>, raw: RawRef, who: &str, at: &Location) {
        let (from_env, to_env) = (<O::Env as Environment>::NAME, <D::Env as Environment>::NAME);
        if from_env != to_env {
            // `crossing!` does not compile then; an `impl` by hand does.
            let problem =
                format!("imports a ref of {}, which is of environment {from_env}: environments do not mix", O::NAME);
            self.finding(at, who, problem);
        }
        if let Some(dc) = to {
            self.imports.insert((dc, raw), O::VIA.to_owned());
        }
    }
}
