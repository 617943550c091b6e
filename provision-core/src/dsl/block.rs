//! What a block's function is given, and what `put` returns.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::rc::Rc;

use super::args::Args;
use super::check::Check;
use super::cidr::Cidr;
use super::dc::DataCentre;
use super::input::Input;
use super::record::{Record, here};
use super::refs::{RawRef, Ref};
use crate::desired::Location;
use crate::schema::Schema;

/// A resource type, as `#[resource]` describes it.
pub trait Resource {
    /// What a ref to it points at: `VpcId`.
    type Id;
    /// Its cloud.
    type Cloud: super::dc::Cloud;
    /// Its fields.
    const SCHEMA: &'static Schema;

    /// What the cloud would refuse, as field and problem: `#[resource(.., check = function)]`.
    fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
        let _ = inputs;
        Vec::new()
    }
}

/// What a definition sets, for [`Resource::check`]; what is not known before apply is not there.
pub struct Inputs<'a>(pub(crate) &'a BTreeMap<&'static str, (Input, Location)>);

impl Inputs<'_> {
    /// A text, if the field is set to one that is known.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field)?.0.as_text()
    }

    /// A boolean, if the field is set to one.
    pub fn bool(&self, field: &str) -> Option<bool> {
        self.0.get(field)?.0.as_bool()
    }

    /// Whether the field is a list without items, or not set.
    pub fn is_empty(&self, field: &str) -> bool {
        self.0.get(field).is_none_or(|(input, _)| input.as_list().is_some_and(<[_]>::is_empty))
    }

    /// A network, if the field is set to one.
    pub fn cidr(&self, field: &str) -> Option<Cidr> {
        self.text(field)?.parse().ok()
    }
}

/// A resource with its required fields: the struct literal.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a resource", label = "not a resource")]
pub trait Definition {
    /// Which resource it defines.
    type Kind: Resource;
}

/// A definition whose fields fit into a block of data centre `D`.
pub trait DefinedIn<D>: Definition {
    /// Its fields, erased.
    fn into_inputs(self) -> Vec<(&'static str, Input)>;
}

/// The block that a function is building, in data centre `D`.
///
/// It is handed out by [`Dc::block`](super::infra::Dc::block). Its methods never fail: what is wrong becomes a finding of
/// [`Infrastructure::finish`](super::infra::Infrastructure::finish), so closures need no `?`.
///
/// ```
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// # use toy::{Network, NetworkExt, NetworkId, Toy, UsEast};
/// use provision_core::prelude::*;
///
/// /// What other blocks can use of a base.
/// #[derive(Args)]
/// struct Base<D> {
///     network: Ref<NetworkId, D>,
/// }
///
/// fn base<D: On<Toy>>(b: &Block<D>, team: &str) -> Base<D> {
///     let main = b.put("main", Network { cidr: cidr!("10.1.0.0/16") }).tags([("team", team)]);
///     Base { network: main.id() }
/// }
///
/// fn branch<D: On<Toy>>(b: &Block<D>, base: &Base<D>) {
///     b.put("branch", Network { cidr: cidr!("10.2.0.0/16") }).tags([("of", text!("{}", base.network))]);
/// }
///
/// let infra = Infrastructure::new("example");
/// let us = infra.dc(UsEast);
/// let main = us.block("base", base, "infra");
/// us.block("branch", branch, &main);
/// let desired = infra.finish().expect("no findings");
/// let branch = &desired.blocks[&"us-east.branch".parse()?];
/// assert_eq!(branch.after, ["us-east.base".parse()?].into(), "it uses something of it");
///
/// // What is wrong and compiles is told with file and line, all at once.
/// fn wrong<D: On<Toy>>(b: &Block<D>, (): ()) {
///     b.put("Main", Network { cidr: cidr!("10.1.0.0/16") });
///     b.put("other", Network { cidr: cidr!("10.1.0.0/16") });
///     b.put("other", Network { cidr: cidr!("10.1.0.0/16") });
/// }
/// let infra = Infrastructure::new("example");
/// infra.dc(UsEast).block("base", wrong, ());
/// assert_eq!(infra.finish().unwrap_err().len(), 2);
/// # Ok::<(), provision_core::id::BadName>(())
/// ```
pub struct Block<D> {
    record: Rc<RefCell<Record>>,
    infra: u64,
    index: usize,
    of: PhantomData<fn() -> D>,
}

impl<D: DataCentre> Block<D> {
    pub(crate) fn new(record: Rc<RefCell<Record>>, index: usize) -> Self {
        let infra = record.borrow().id;
        Self { record, infra, index, of: PhantomData }
    }

    /// Puts a resource into the block, under a name that is unique in it.
    ///
    /// Required fields are in the struct literal, optional ones are setters on what this returns:
    /// `b.put("main", Vpc { cidr }).tags([("team", "infra")])`.
    #[track_caller]
    pub fn put<T: Definition + DefinedIn<D>>(&self, name: impl Into<String>, definition: T) -> Added<'_, T::Kind, D> {
        let at = here();
        // Both call code that is not ours, so the record is not borrowed yet.
        let (name, inputs) = (name.into(), definition.into_inputs());
        let mut record = self.record.borrow_mut();
        let resource = record.resource::<T::Kind>(self.index, name, &at);
        for (field, input) in inputs {
            record.set(resource, field, input, &at);
        }
        Added { block: self, resource, of: PhantomData }
    }

    /// Says how to find out whether the block is healthy: what waits for the block waits until this passes.
    ///
    /// A check may use outputs of this block and of earlier ones. It is asked in every run that changes something here or
    /// in what waits for this block.
    #[track_caller]
    pub fn check<K>(&self, name: impl Into<String>, check: Check<D, K>) {
        self.record.borrow_mut().check(self.index, name.into(), check, &here());
    }

    /// Orders this block after those that returned `earlier`, although it uses nothing of them.
    #[track_caller]
    pub fn after(&self, earlier: &(impl Args + ?Sized)) {
        let earlier = earlier.to_input();
        self.record.borrow_mut().after(self.index, &earlier, &here());
    }
}

/// A resource that was put into a block: its setters, and refs to its outputs.
///
/// The setters and outputs of each type are in the trait that `#[resource]` makes beside it (`VpcExt` beside `Vpc`).
/// Given to a field, it stands for its id.
///
/// ```
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// # use toy::{Network, NetworkExt, Toy, UsEast};
/// use provision_core::prelude::*;
///
/// fn base<D: On<Toy>>(b: &Block<D>, (): ()) {
///     b.put("main", Network { cidr: cidr!("10.1.0.0/16") })
///         .tags([("team", "infra")])
///         .prevent_destroy()
///         .ignore_changes(["tags"])
///         .moved_from("network");
/// }
///
/// let infra = Infrastructure::new("example");
/// infra.dc(UsEast).block("base", base, ());
/// let desired = infra.finish().expect("no findings");
/// let main = &desired.blocks[&"us-east.base".parse()?].resources[&"main".parse()?];
/// assert!(main.lifecycle.prevent_destroy);
/// assert_eq!(main.lifecycle.moved_from, ["us-east.base.network".parse()?]);
/// # Ok::<(), provision_core::id::BadName>(())
/// ```
pub struct Added<'b, R, D> {
    block: &'b Block<D>,
    resource: usize,
    of: PhantomData<fn() -> R>,
}

impl<R, D> Clone for Added<'_, R, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R, D> Copy for Added<'_, R, D> {}

impl<R: Resource, D> Added<'_, R, D> {
    /// A ref to its id.
    pub fn id(&self) -> Ref<R::Id, D> {
        self.output("id")
    }

    /// A ref to an output; `#[resource]` calls it with a name and a kind that the schema has.
    #[doc(hidden)]
    pub fn output<K>(&self, output: &'static str) -> Ref<K, D> {
        Ref::new(RawRef { infra: self.block.infra, resource: self.resource, output })
    }

    /// Keeps the object: it is neither deleted nor replaced, whatever the code says later.
    ///
    /// The block's log remembers it, so taking the definition out of the code does not delete the object either. Whoever
    /// wants it gone first takes this line away and applies.
    pub fn prevent_destroy(self) -> Self {
        self.block.record.borrow_mut().live(self.resource, |life| life.prevent_destroy = true);
        self
    }

    /// A replacement deletes the old object, and what uses it, before it makes the new ones. Without this the new object
    /// is made first, unless the two cannot stand side by side.
    pub fn delete_before_replace(self) -> Self {
        self.block.record.borrow_mut().live(self.resource, |life| life.delete_before_replace = true);
        self
    }

    /// Leaves fields alone once the object is made, whoever changes them: `["desired_capacity"]`.
    #[track_caller]
    pub fn ignore_changes<T: Into<String>>(self, fields: impl IntoIterator<Item = T>) -> Self {
        let fields = fields.into_iter().map(Into::into).collect();
        self.block.record.borrow_mut().ignore(self.resource, fields, &here());
        self
    }

    /// Says where the resource was before it was renamed or put into another block: its object moves, instead of being
    /// deleted there and made anew here.
    ///
    /// `from` is a name in the same block, `<block>.<name>` in the same data centre, or a whole address. The line may stay
    /// as long as it likes: once moved, it says nothing.
    #[track_caller]
    pub fn moved_from(self, from: &str) -> Self {
        self.block.record.borrow_mut().moved_from(self.resource, from, &here());
        self
    }

    /// Sets a field; `#[resource]` calls it with a name and a kind that the schema has.
    #[doc(hidden)]
    #[track_caller]
    pub fn set(self, field: &'static str, input: Input) -> Self {
        self.block.record.borrow_mut().set(self.resource, field, input, &here());
        self
    }
}
