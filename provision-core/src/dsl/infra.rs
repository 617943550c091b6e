//! Where everything starts: the infrastructure and its data centres.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;

use super::args::Args;
use super::block::Block;
use super::crossing::{Crossing, Imported};
use super::dc::{DataCentre, Environments};
use super::record::{Record, here};
use super::refs::Ref;
use crate::desired::{Desired, Finding};
use crate::id::{BadName, InfraId};

/// The infrastructure as it is being described.
///
/// ```
/// use provision_core::prelude::*;
///
/// #[environment("staging")]
/// pub struct Staging;
/// #[environment("prod")]
/// pub struct Prod;
/// #[data_centre(name = "us-east", env = Prod, channel = Stable)]
/// pub struct UsEast;
///
/// fn nothing<D: DataCentre>(_: &Block<D>, (): ()) {}
///
/// let infra = Infrastructure::new("example");
/// infra.environments::<(Staging, Prod)>();
/// let us = infra.dc(UsEast);
/// us.block("empty", nothing, ());
/// let desired = infra.finish().expect("nothing is wrong");
/// assert_eq!(desired.environments[0].as_str(), "staging");
/// ```
pub struct Infrastructure {
    record: Rc<RefCell<Record>>,
}

impl Infrastructure {
    /// An infrastructure with nothing in it. One store holds the state of one infrastructure, by this name.
    #[track_caller]
    pub fn new(name: impl Into<String>) -> Self {
        Self { record: Rc::new(RefCell::new(Record::new(name.into(), here()))) }
    }

    /// Says in which order environments are applied: each is applied and checked before the next one's first call.
    ///
    /// Without it they come in the order in which data centres first name them.
    #[track_caller]
    pub fn environments<E: Environments>(&self) {
        self.record.borrow_mut().environments(&E::names(), &here());
    }

    /// Says that traffic from one place never gets to another, whatever else the code says: it is asked before each plan, of
    /// what is written, and a plan is refused unless the answer is a clear no.
    ///
    /// Places and ports as in [`Question::parse`](crate::reach::Question::parse).
    ///
    /// ```
    /// # use provision_core::prelude::*;
    /// # let infra = Infrastructure::new("example");
    /// infra.never("internet", "us-east.db.main:5432");
    /// ```
    ///
    /// What a block knows of itself it says itself: [`Block::never`].
    #[track_caller]
    pub fn never(&self, from: &str, to: &str) {
        self.record.borrow_mut().never(from, to, &here());
    }

    /// A data centre, to put blocks into.
    #[track_caller]
    pub fn dc<D: DataCentre>(&self, _marker: D) -> Dc<D> {
        let index = self.record.borrow_mut().dc::<D>(&here());
        Dc { record: Rc::clone(&self.record), index, of: PhantomData }
    }

    /// Its name, whatever else may be wrong with it.
    ///
    /// # Errors
    /// The name does not follow the grammar of names.
    pub fn name(&self) -> Result<InfraId, BadName> {
        InfraId::new(self.record.borrow().infra_name())
    }

    /// What was described.
    ///
    /// # Errors
    /// Everything that is wrong with it, sorted by place.
    pub fn finish(self) -> Result<Desired, Vec<Finding>> {
        self.record.borrow().finish()
    }
}

/// A data centre.
pub struct Dc<D> {
    record: Rc<RefCell<Record>>,
    index: usize,
    of: PhantomData<fn() -> D>,
}

impl<D: DataCentre> Dc<D> {
    /// Takes over a ref of another data centre, where the code has a
    /// [`crossing!`](crate::crossing) from there to here: for blocks that are built alike in every data centre, and are
    /// given what they use of another one like anything else.
    ///
    /// A block that uses it waits for the one that it comes from. Inside of a block, [`Block::import`] does the same.
    ///
    /// ```
    /// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
    /// # use toy::{Lab, Network, NetworkExt, NetworkId, Prod, Toy, UsEast};
    /// use provision_core::prelude::*;
    ///
    /// #[data_centre(name = "eu-west", env = Prod, channel = Stable, on(Toy, account = "acme-eu", region = Lab))]
    /// pub struct EuWest;
    /// crossing!(EuWest => UsEast, via = peering);
    ///
    /// fn network<D: On<Toy>>(b: &Block<D>, beside: Option<Ref<NetworkId, D>>) -> Ref<NetworkId, D> {
    ///     let network = b.put("main", Network { cidr: cidr!("10.1.0.0/16") });
    ///     if let Some(beside) = beside {
    ///         network.tags([("beside", text!("{beside}"))]);
    ///     }
    ///     network.id()
    /// }
    ///
    /// let infra = Infrastructure::new("example");
    /// let (us, eu) = (infra.dc(UsEast), infra.dc(EuWest));
    /// let theirs = eu.block("network", network, None);
    /// us.block("network", network, Some(us.import(theirs).here()));
    /// let desired = infra.finish().expect("no findings");
    /// let block = &desired.blocks[&"us-east.network".parse()?];
    /// assert_eq!(block.after, ["eu-west.network".parse()?].into());
    /// assert_eq!(block.crossings[&"eu-west".parse()?], "peering");
    /// # Ok::<(), provision_core::id::BadName>(())
    /// ```
    #[track_caller]
    pub fn import<K, O: Crossing<D>>(&self, from: Ref<K, O>) -> Imported<K, O, D> {
        self.record.borrow_mut().import_into::<O, D>(self.index, from.raw, &here());
        Imported::new(from.raw)
    }

    /// A block: its name, the function that builds it, and what the function is given (several things as a tuple).
    ///
    /// Returns what the function returns, for the blocks that come after. What a block uses is what it was given, and
    /// that was returned before: blocks cannot depend on each other in a circle. The function is a plain one, not a
    /// closure that captures, and blocks do not nest. What it returns is recorded as the block's outputs, which
    /// `provision output` shows.
    #[track_caller]
    pub fn block<A: Args, T: Args, F: FnOnce(&Block<D>, A) -> T>(
        &self,
        name: impl Into<String>,
        build: F,
        args: A,
    ) -> T {
        let (at, name, params) = (here(), name.into(), args.to_input());
        let index = self.record.borrow_mut().open_block(self.index, name, function_path::<F>(), params, &at);
        let returned = build(&Block::new(Rc::clone(&self.record), index), args);
        // Code that is not ours, so the record is not borrowed yet.
        let outputs = returned.to_input();
        self.record.borrow_mut().close_block(index, outputs, &at);
        returned
    }
}

/// The path of a function, without what it is generic over; or why it is not the function of a block.
pub(super) fn function_path<F>() -> Result<String, String> {
    if size_of::<F>() != 0 {
        return Err("the function of a block captures something; hand that in as an argument".to_owned());
    }
    let path = std::any::type_name::<F>();
    Ok(path.find('<').filter(|end| *end > 0).and_then(|end| path.get(..end)).unwrap_or(path).to_owned())
}
