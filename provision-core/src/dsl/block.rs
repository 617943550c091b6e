//! What a block's function is given, and what `put` returns.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;

use super::args::Args;
use super::check::Check;
use super::cidr::Cidr;
use super::crossing::{Crossing, Imported};
use super::dc::DataCentre;
use super::input::Input;
use super::lookup::{AskedIn, Lookup, Query};
use super::record::{FieldRow, Record, here};
use super::refs::{Origin, RawRef, Ref};
use super::text::{IntoText, Text};
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
pub struct Inputs<'a>(pub(crate) &'a [FieldRow]);

impl Inputs<'_> {
    /// What the field is set to, refs and all.
    pub fn value(&self, field: &str) -> Option<&Input> {
        self.0.iter().find(|(name, ..)| *name == field).map(|(_, input, _)| input)
    }

    /// Whether the field is set, to whatever.
    pub fn is_set(&self, field: &str) -> bool {
        self.value(field).is_some_and(|input| !input.is_null())
    }

    /// A text, if the field is set to one that is known.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.value(field)?.as_text()
    }

    /// A whole number, if the field is set to one that is known.
    pub fn int(&self, field: &str) -> Option<i64> {
        self.value(field)?.as_int()
    }

    /// A boolean, if the field is set to one.
    pub fn bool(&self, field: &str) -> Option<bool> {
        self.value(field)?.as_bool()
    }

    /// The items of a list, if the field is set to one; each may be known or not.
    pub fn list(&self, field: &str) -> Option<&[Input]> {
        self.value(field)?.as_list()
    }

    /// Whether the field is a list without items, or not set.
    pub fn is_empty(&self, field: &str) -> bool {
        self.value(field).is_none_or(|input| input.as_list().is_some_and(<[_]>::is_empty))
    }

    /// A network, if the field is set to one.
    pub fn cidr(&self, field: &str) -> Option<Cidr> {
        self.text(field)?.parse().ok()
    }
}

/// A resource with its required fields: the struct literal.
pub trait Definition {
    /// Which resource it defines.
    type Kind: Resource;
}

/// A definition whose fields fit into a block of data centre `D`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a resource",
    label = "not a resource",
    note = "what is there already is looked up: `b.find(..)`"
)]
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
    pub(super) record: Rc<RefCell<Record>>,
    pub(super) infra: u64,
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

    /// Looks up something that is there already, under a name that is unique in the block.
    ///
    /// Required fields are in the struct literal, others are setters on what this returns:
    /// `b.find("image", Ami { owner: "099720109477" }).name("ubuntu-*").newest(true)`. Exactly one object has to fit.
    /// What is asked is known when the code is written, and takes no refs: lookups are answered when a plan is made, so
    /// that the plan says what they found, and a run of it does not ask again.
    #[track_caller]
    pub fn find<T: Query + AskedIn<D>>(&self, name: impl Into<String>, query: T) -> Lookup<'_, T::Source, D> {
        let at = here();
        // Both call code that is not ours, so the record is not borrowed yet.
        let (name, fields) = (name.into(), query.into_query());
        let mut record = self.record.borrow_mut();
        let lookup = record.lookup::<T::Source>(self.index, name, &at);
        for (field, input) in fields {
            record.ask(lookup, field, input, &at);
        }
        Lookup::new(self, lookup)
    }

    /// Takes over a ref of another data centre, where the code has a
    /// [`crossing!`](crate::crossing) from there to here.
    ///
    /// The block waits for the one that the ref comes from, and for its health checks, as it does for those of its own
    /// data centre.
    #[track_caller]
    pub fn import<K, O: Crossing<D>>(&self, from: Ref<K, O>) -> Imported<K, O, D> {
        self.record.borrow_mut().import::<O, D>(self.index, from.raw, &here());
        Imported::new(from.raw)
    }

    /// Says how to find out whether the block is healthy: what waits for the block waits until this passes.
    ///
    /// A check may use outputs of this block and of earlier ones. It is asked in every run that changes something here or
    /// in what waits for this block.
    #[track_caller]
    pub fn check<K>(&self, name: impl Into<String>, check: Check<D, K>) {
        self.record.borrow_mut().check(self.index, name.into(), check, &here());
    }

    /// Says that traffic from one place never gets to another, as [`Infrastructure::never`] does, of places that are named
    /// by refs: a ref stands for the address of the resource that it points at. What a module rules out of its own
    /// resources holds in every data centre that it is built in.
    ///
    /// ```
    /// # use provision_core::prelude::*;
    /// # fn f<D: DataCentre, K, L>(b: &Block<D>, database: Ref<K, D>, web: Ref<L, D>) {
    /// b.never("internet", text!("{database}:5432"));
    /// b.never(web, text!("{database}:22"));
    /// # }
    /// ```
    ///
    /// [`Infrastructure::never`]: super::infra::Infrastructure::never
    #[track_caller]
    pub fn never(&self, from: impl IntoText<D>, to: impl IntoText<D>) {
        let at = here();
        // Both call code that is not ours, so the record is not borrowed yet.
        let (from, to) = (Text::new().push(from), Text::new().push(to));
        self.record.borrow_mut().block_never(self.index, &from.to_input(), &to.to_input(), &at);
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
        Ref::new(RawRef { infra: self.block.infra, of: Origin::Resource(self.resource), output })
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
