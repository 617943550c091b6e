//! The DSL: infrastructure written as typed Rust, recorded as [`Desired`](crate::desired::Desired).
//!
//! | module | what it holds |
//! |---|---|
//! | [`infra`] | [`Infrastructure`], [`Dc`]: where everything starts, and [`Infrastructure::finish`] |
//! | [`block`] | [`Block`], [`Added`]: what a block's function is given, and what `put` returns |
//! | [`dc`] | the traits of data centres, environments, clouds and regions |
//! | [`refs`] | [`Ref`]: a handle to an output, typed by what it points at and by its data centre |
//! | [`input`] | [`IntoInput`]: what a field takes |
//! | [`args`] | [`Args`]: what a block takes and returns |
//! | [`lookup`] | [`Lookup`]: what a block finds instead of making it |
//! | [`crossing`] | [`Crossing`]: refs that another data centre uses on purpose |
//! | [`check`] | health checks of a block |
//! | [`cidr`], [`text`] | networks; texts with refs inside |
//!
//! Values are erased as soon as they enter: behind a setter or a struct literal stands one push into a table. Nothing
//! here returns a `Result` to the author of a module: what is wrong is collected, with file and line, and reported at
//! once.
//!
//! ```
//! use provision_core::prelude::*;
//!
//! // A provider crate has these:
//! pub enum Toy {}
//! impl Cloud for Toy {
//!     const NAME: &'static str = "toy";
//! }
//! pub enum Lab {}
//! impl Region<Toy> for Lab {
//!     const NAME: &'static str = "lab";
//! }
//! /// A network.
//! #[resource(cloud = Toy, kind = "toy_network", version = 1)]
//! pub struct Network {
//!     /// Its addresses.
//!     #[attr(replace)]
//!     pub cidr: Cidr,
//!     /// Labels.
//!     #[attr(by_key, default)]
//!     pub tags: Tags,
//!     /// Its id.
//!     #[attr(computed)]
//!     pub id: NetworkId,
//! }
//!
//! // The infrastructure:
//! #[environment("prod")]
//! pub struct Prod;
//! #[data_centre(name = "us-east", env = Prod, channel = Stable, on(Toy, account = "1", region = Lab))]
//! pub struct UsEast;
//!
//! #[derive(Args)]
//! pub struct Base<D> {
//!     pub network: Ref<NetworkId, D>,
//! }
//!
//! fn base<D: On<Toy>>(b: &Block<D>, cidr: Cidr) -> Base<D> {
//!     let network = b.put("main", Network { cidr }).tags([("team", "infra")]);
//!     Base { network: network.id() }
//! }
//!
//! let infra = Infrastructure::new("example");
//! infra.dc(UsEast).block("base", base, cidr!("10.1.0.0/16"));
//! let desired = infra.finish().expect("nothing is wrong");
//! assert_eq!(desired.blocks.len(), 1);
//! ```

pub mod args;
pub mod block;
pub mod check;
pub mod cidr;
pub mod crossing;
pub mod dc;
mod finish;
pub mod infra;
pub mod input;
pub mod lookup;
mod never;
mod record;
pub mod refs;
pub mod text;

pub use args::Args;
pub use block::{Added, Block, DefinedIn, Definition, Inputs, Resource};
pub use cidr::Cidr;
pub use crossing::{Crossing, Foreign, Imported, OfCloud};
pub use dc::{Cloud, DataCentre, Environment, On, Region};
pub use infra::{Dc, Infrastructure};
pub use input::{Input, IntoInput, Tags};
pub use lookup::{AskedIn, DataSource, KnownInput, Lookup, Query};
pub use refs::{Is, Ref, SameDc};
pub use text::Text;
