//! Infrastructure as typed Rust: the core that knows no cloud.
//!
//! | what you want to do | where to start |
//! |---|---|
//! | describe an infrastructure | [`dsl`], with the types of a provider crate |
//! | plan and apply in a process of your own | [`embed::Engine`] |
//! | read what a plan will do, or keep it in a file | [`plan::Plan`], [`plan::seal`], [`plan::open`] |
//! | read what is recorded | [`embed::Engine::recorded`] and [`stream::BlockState`], [`outputs`], [`history`] |
//! | take over what is there | [`embed::Engine::find`] and [`exec::Found`], [`embed::PlanRequest::adopt`] |
//! | find out what somebody changed | [`embed::Engine::drift`] and [`drift::DriftReport`] |
//! | ask health checks your own way | [`embed::Engine::dialer`], [`check::Dialer`], [`check::Checker`] |
//! | write a provider | [`provider::Provider`] and [`provider::Client`] |
//! | try all that without a cloud | [`sim`], [`embed::Simulated`] |
//! | keep state elsewhere | [`driver::Store`] |
//!
//! From a definition to what became of it, in a simulated cloud and a store in memory:
//!
//! ```
//! # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
//! # use toy::{Lab, Network, NetworkExt, NetworkId, Toy, ToyProvider};
//! use std::sync::{Arc, Mutex};
//!
//! use provision_core::driver::{ObjectStoreBackend, World};
//! use provision_core::embed::{Engine, PlanRequest, Simulated};
//! use provision_core::exec::Binding;
//! use provision_core::plan::{Outcome, Providers};
//! use provision_core::prelude::*;
//! use provision_core::provider::Provider;
//! use provision_core::sim::{SimCloud, SimConfig};
//! use provision_core::stream::Signer;
//! use provision_core::stream::event::RunOutcome;
//!
//! // What there should be. `Toy`, `Lab`, `Network` are a provider crate's.
//! #[environment("prod")]
//! pub struct Prod;
//! #[data_centre(name = "us-east", env = Prod, channel = Stable, on(Toy, account = "1", region = Lab))]
//! pub struct UsEast;
//!
//! fn base<D: On<Toy>>(b: &Block<D>, cidr: Cidr) -> Ref<NetworkId, D> {
//!     b.put("main", Network { cidr }).tags([("team", "infra")]).id()
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let infra = Infrastructure::new("example");
//! infra.dc(UsEast).block("base", base, cidr!("10.1.0.0/16"));
//! let desired = infra.finish().expect("no findings");
//!
//! // Where: a cloud, and a store for the state.
//! let cloud = Arc::new(Mutex::new(SimCloud::new(SimConfig::instant(0))));
//! let world = World::new(Arc::new(ObjectStoreBackend::memory()), Arc::new(Simulated::Memory(cloud)));
//! let providers = Providers::new([Arc::new(ToyProvider) as Arc<dyn Provider>]);
//! let signer = Signer::new(&[7; 32], "alice@laptop");
//! let engine = Engine { simulated: true, ..Engine::new(desired, providers, world, signer)? };
//!
//! // What would be done, and doing it.
//! let plan = engine.plan(&PlanRequest::default()).finish().await?.plan;
//! let network = "us-east.base.main".parse()?;
//! assert!(plan.resource(&network).is_some_and(|network| network.allowed.contains(&Outcome::Create)));
//!
//! let report = engine.apply(plan, Binding::Ceiling).finish().await?;
//! assert_eq!((report.outcome, report.actions.len()), (RunOutcome::Succeeded, 1));
//! assert!(engine.plan(&PlanRequest::default()).finish().await?.plan.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! `ARCHITECTURE.md` in the repository is the map of the code, `docs/guarantees.md` says what one can rely on.

pub mod call;
pub mod check;
pub mod desired;
pub mod drift;
pub mod driver;
pub mod dsl;
pub mod embed;
pub mod exec;
mod fast;
pub mod history;
pub mod id;
pub mod lookup;
pub mod machine;
pub mod mutant;
pub mod outputs;
pub mod plan;
pub mod progress;
pub mod provider;
pub mod reach;
pub mod schema;
pub mod sim;
pub mod stream;
mod strict;
pub mod target;
pub mod value;

pub use provision_macros::{cidr, crossing, data_centre, data_source, environment, resource, text};

/// What a module of an infrastructure, or a crate of resource types, starts with: `use provision_core::prelude::*;`.
pub mod prelude {
    pub use provision_macros::{Args, cidr, crossing, data_centre, data_source, environment, resource, text};

    pub use crate::desired::{Channel, Desired, Finding};
    pub use crate::dsl::{
        Added, Args, Block, Cidr, Cloud, Crossing, DataCentre, Dc, Environment, Imported, Infrastructure, IntoInput,
        Lookup, On, Ref, Region, Tags, Text,
    };
}
