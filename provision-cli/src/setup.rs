//! From flags and environment to a run: store, key, generation, clouds.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use provision_core::check::{Checker, CustomChecks};
use provision_core::desired::Desired;
use provision_core::driver::{
    Clients, Connector, NetworkChecker, NetworkDialer, ObjectStoreBackend, Store, World, draw_nonce,
    load_or_create_key, our_holder, our_name,
};
use provision_core::embed::Simulated;
use provision_core::exec::{Binding, GenerationChoice, Rates, RunSpec, Settings};
use provision_core::id::{BlockAddr, Revision};
use provision_core::plan::Mode;
use provision_core::sim::{FileCloud, SimConfig};
use provision_core::stream::{Signer, Timing};

use crate::cache;
use crate::cli::Cli;
use crate::clouds;
use crate::error::CliError;

const LOCAL_STATE: &str = ".provision/state";
const SIMULATED_STATE: &str = ".provision/simulated/state";
const SIMULATED_CLOUD: &str = ".provision/simulated/cloud";
/// How slow the simulated cloud is, in percent of its model: an apply of the example takes about six seconds.
const SIMULATED_LATENCY: u32 = 70;
/// The blocks whose health checks never pass in the simulated cloud.
const UNHEALTHY: &str = "PROVISION_SIMULATE_UNHEALTHY";
/// The shortest lease that is worth having.
const LEAST_LEASE: Duration = Duration::from_millis(500);

/// The store's address.
pub(crate) fn store_address(cli: &Cli) -> Result<String, CliError> {
    match (cli.simulate, &cli.state) {
        (true, Some(_)) if cli.state_typed => Err(CliError::SimulatedState),
        (true, _) => Ok(SIMULATED_STATE.to_owned()),
        (false, Some(address)) => Ok(address.clone()),
        (false, None) => Ok(LOCAL_STATE.to_owned()),
    }
}

/// Why a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// To make a run: a directory is made where it is missing.
    Run,
    /// To plan: where there is no directory there is nothing yet, and none is made.
    Plan,
    /// To look at what there is: there has to be something.
    Look,
}

/// Opens the store, with a cache before it if it is far away.
pub(crate) async fn open_store(cli: &Cli, opening: Opening) -> Result<Arc<dyn Store>, CliError> {
    let store = open_backend(cli, opening).await?;
    Ok(cache::before(Arc::new(store), &store_address(cli)?, cli.cache.as_deref()))
}

async fn open_backend(cli: &Cli, opening: Opening) -> Result<ObjectStoreBackend, CliError> {
    let address = store_address(cli)?;
    let found = match opening {
        Opening::Run => return Ok(ObjectStoreBackend::open(&address).await?),
        Opening::Plan | Opening::Look => ObjectStoreBackend::open_existing(&address).await?,
    };
    match (found, opening) {
        (Some(store), _) => Ok(store),
        (None, Opening::Look) => Err(no_state(cli)?),
        (None, Opening::Run | Opening::Plan) => Ok(ObjectStoreBackend::memory()),
    }
}

/// That there is nothing to look at.
pub(crate) fn no_state(cli: &Cli) -> Result<CliError, CliError> {
    let store = store_address(cli)?;
    Ok(if cli.simulate { CliError::NoSimulatedState(store) } else { CliError::NoState(store) })
}

/// The simulated cloud's file.
pub(crate) fn simulated_cloud(must_exist: bool) -> Result<Arc<FileCloud>, CliError> {
    let dir = Path::new(SIMULATED_CLOUD);
    if must_exist && !dir.exists() {
        return Err(CliError::NoSimulatedCloud(SIMULATED_CLOUD.to_owned()));
    }
    let (unhealthy, unhealthy_per_mille) = unhealthy()?;
    let providers = clouds::providers();
    let (unread, data_sources) = (providers.unread(), providers.data_sources());
    let config = SimConfig {
        latency_percent: SIMULATED_LATENCY,
        unread,
        data_sources,
        unhealthy,
        unhealthy_per_mille,
        ..SimConfig::default()
    };
    Ok(Arc::new(FileCloud::open(dir, config)?))
}

/// What a run's actions act on.
///
/// `custom` are the functions that health checks name.
pub(crate) async fn world(cli: &Cli, custom: &CustomChecks, opening: Opening) -> Result<World, CliError> {
    let store = open_store(cli, opening).await?;
    let (connector, checker): (Arc<dyn Connector>, Arc<dyn Checker>) = if cli.simulate {
        let cloud = simulated_cloud(false)?;
        (Arc::new(Simulated::File(cloud.clone())), Arc::new(Simulated::File(cloud)))
    } else {
        (Arc::new(clouds::Real::found()), Arc::new(NetworkChecker::new(Arc::new(NetworkDialer), custom.clone())))
    };
    Ok(World { store, clients: Clients::new(connector), checker: Some(checker), me: Some(our_holder()?) })
}

/// Which health checks never pass in the simulated cloud, for demonstrations and tests: blocks, or how many of a thousand
/// checks; which ones the cloud's seed says.
fn unhealthy() -> Result<(BTreeSet<BlockAddr>, u64), CliError> {
    let Ok(value) = std::env::var(UNHEALTHY) else { return Ok((BTreeSet::new(), 0)) };
    if let Ok(per_mille) = value.parse() {
        return Ok((BTreeSet::new(), per_mille));
    }
    let blocks = value.split(',').map(str::trim).filter(|block| !block.is_empty()).map(str::parse);
    let blocks = blocks.collect::<Result<BTreeSet<BlockAddr>, _>>();
    blocks.map(|blocks| (blocks, 0)).map_err(|bad| {
        let problem = format!("{bad}; write blocks with commas in between, or a number of a thousand");
        CliError::Variable { name: UNHEALTHY.to_owned(), value, problem }
    })
}

/// The signer of what this user writes.
pub(crate) fn signer() -> Result<Signer, CliError> {
    Ok(Signer::new(&load_or_create_key(&key_path()?)?, &our_name()))
}

/// A signer for who writes nothing: nobody has had its key before, and nobody will have it again.
pub(crate) fn no_signer() -> Result<Signer, CliError> {
    let mut secret = [0; 32];
    let halves = [draw_nonce()?.0, draw_nonce()?.0];
    secret.iter_mut().zip(halves.as_flattened()).for_each(|(byte, random)| *byte = *random);
    Ok(Signer::new(&secret, &our_name()))
}

/// What plans and runs are made of.
pub(crate) fn spec(cli: &Cli, desired: Desired, mode: Mode, signer: Signer) -> Result<RunSpec, CliError> {
    let local = !store_address(cli)?.contains("://");
    let generation = match (cli.generation, local) {
        (Some(generation), _) => GenerationChoice::Given(generation),
        (None, true) => GenerationChoice::AfterHighest,
        (None, false) => GenerationChoice::Highest,
    };
    let revision = match &cli.revision {
        Some(revision) => revision.clone(),
        None => Revision::new("unversioned")?,
    };
    let timing = seconds("PROVISION_LEASE", LEAST_LEASE)?.map_or_else(Timing::default, Timing::with_lease);
    Ok(RunSpec {
        desired: Arc::new(desired),
        providers: clouds::providers(),
        revision,
        generation,
        nonce: draw_nonce()?,
        writer_nonce: draw_nonce()?,
        mode,
        selection: Default::default(),
        adoptions: Default::default(),
        holder: our_holder()?,
        signer,
        timing,
        simulated: cli.simulate,
        binding: Binding::Ceiling,
        lock_timeout: Duration::ZERO,
        many_deletions: true,
        settings: Settings::default(),
        rates: Rates::default(),
    })
}

/// Where the signing key is: `PROVISION_KEY`, or `provision/key` in the user's configuration folder.
fn key_path() -> Result<PathBuf, CliError> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(path) = set("PROVISION_KEY") {
        return Ok(path);
    }
    let config = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")));
    Ok(config.ok_or(CliError::NoHome)?.join("provision").join("key"))
}

/// A duration in seconds from the environment; fractions are allowed.
pub(crate) fn seconds(name: &'static str, least: Duration) -> Result<Option<Duration>, CliError> {
    let Some(value) = std::env::var(name).ok().filter(|value| !value.is_empty()) else { return Ok(None) };
    let parsed = value.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    match parsed.filter(|duration| *duration >= least) {
        Some(duration) => Ok(Some(duration)),
        None => {
            let problem = format!("write a number of seconds, at least {}", least.as_secs_f64());
            Err(CliError::Variable { name: name.to_owned(), value, problem })
        }
    }
}
