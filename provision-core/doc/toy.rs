// A cloud for the examples in the documentation: one resource type, one data source and their provider, and an
// infrastructure of it.

use std::sync::{Arc, Mutex};

use provision_core::call::{Call, Effect, Mark, Recovery, Wait};
use provision_core::driver::{ObjectStoreBackend, World};
use provision_core::embed::{Engine, Simulated};
use provision_core::id::{ProviderName, TypeName};
use provision_core::plan::Providers;
use provision_core::prelude::*;
use provision_core::provider::{CannotCompile, Change, Provider};
use provision_core::schema::Schema;
use provision_core::sim::{SimCloud, SimConfig};
use provision_core::stream::Signer;
use provision_core::value::{Fields, Tree};

/// The cloud.
pub enum Toy {}
impl Cloud for Toy {
    const NAME: &'static str = "toy";
}

/// Its only region.
pub enum Lab {}
impl Region<Toy> for Lab {
    const NAME: &'static str = "lab";
}

/// A network.
#[resource(cloud = Toy, kind = "toy_network", version = 1)]
pub struct Network {
    /// Its addresses.
    #[attr(replace)]
    pub cidr: Cidr,
    /// Labels.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: NetworkId,
}

/// An image that somebody else made.
#[data_source(cloud = Toy, kind = "toy_image")]
pub struct Image {
    /// Whose it is.
    pub owner: String,
    /// Its name; `*` stands for anything.
    pub name: Option<String>,
    /// Its id.
    #[attr(computed)]
    pub id: ImageId,
    /// How old it is, in days.
    #[attr(computed)]
    pub age: i64,
}

/// The pure half of its provider.
pub struct ToyProvider;

impl Provider for ToyProvider {
    fn name(&self) -> ProviderName {
        "toy".parse().expect("a literal")
    }

    fn schemas(&self) -> &'static [&'static Schema] {
        <[&Schema]>::as_ref(&[Network::SCHEMA])
    }

    fn data_sources(&self) -> &'static [&'static Schema] {
        <[&Schema]>::as_ref(&[Image::SCHEMA])
    }

    fn compile(&self, type_name: &TypeName, change: &Change<'_>) -> Result<Vec<Call>, CannotCompile> {
        let marked = |mark: &Mark| Some(mark.clone());
        let (api, recovery, fields, effect) = match change {
            Change::Create { desired, mark } => {
                let effect = Effect::Create {
                    fields: (*desired).clone(),
                    computed: vec!["id".to_owned()],
                    mark: marked(mark),
                };
                ("Create", Recovery::Tag, (*desired).clone(), effect)
            }
            Change::Update { desired, mark, .. } => {
                let effect = Effect::Set { fields: (*desired).clone(), mark: mark.and_then(marked) };
                ("Set", Recovery::Set, (*desired).clone(), effect)
            }
            Change::Delete { .. } => ("Remove", Recovery::Remove, Fields::new(), Effect::Remove),
        };
        Ok(vec![Call {
            api: format!("{api} {type_name}"),
            type_name: type_name.clone(),
            request: Tree::Map(fields.iter().map(|(name, value)| (name.clone(), value.widen())).collect()),
            recovery,
            effect,
            wait: Wait::No,
        }])
    }

    fn identity_key(&self, _: &TypeName) -> &'static [&'static str] {
        &[]
    }
}

/// Where customers are.
#[environment("prod")]
pub struct Prod;

/// The only data centre.
#[data_centre(name = "us-east", env = Prod, channel = Stable, on(Toy, account = "acme", region = Lab))]
pub struct UsEast;

/// What other blocks can use of a base.
#[derive(Args)]
pub struct Base<D> {
    /// Its network.
    pub network: Ref<NetworkId, D>,
}

/// Two blocks, the second after the first.
pub fn infrastructure() -> Desired {
    fn base<D: On<Toy>>(b: &Block<D>, cidr: Cidr) -> Base<D> {
        Base { network: b.put("main", Network { cidr }).id() }
    }
    fn branch<D: On<Toy>>(b: &Block<D>, main: &Base<D>) {
        b.put("branch", Network { cidr: cidr!("10.2.0.0/16") }).tags([("main", text!("{}", main.network))]);
    }
    let infra = Infrastructure::new("example");
    let us = infra.dc(UsEast);
    let main = us.block("base", base, cidr!("10.1.0.0/16"));
    us.block("branch", branch, &main);
    infra.finish().expect("nothing is wrong")
}

/// An engine of it, with a cloud and a store in memory.
pub fn engine(cloud: &Arc<Mutex<SimCloud>>) -> Engine {
    let providers = Providers::new([Arc::new(ToyProvider) as Arc<dyn Provider>]);
    let world = World::new(Arc::new(ObjectStoreBackend::memory()), Arc::new(Simulated::Memory(cloud.clone())));
    let engine = Engine::new(infrastructure(), providers, world, Signer::new(&[7; 32], "docs")).expect("a kernel");
    Engine { simulated: true, ..engine }
}

/// A cloud that answers at once.
pub fn cloud() -> Arc<Mutex<SimCloud>> {
    let providers = Providers::new([Arc::new(ToyProvider) as Arc<dyn Provider>]);
    let config = SimConfig { data_sources: providers.data_sources(), ..SimConfig::instant(0) };
    Arc::new(Mutex::new(SimCloud::new(config)))
}
