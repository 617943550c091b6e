//! From flags and environment to a run: store, key, generation, clouds.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use provision_core::desired::Desired;
use provision_core::driver::{
    Clients, Connector, ObjectStoreBackend, World, draw_nonce, load_or_create_key, our_holder, our_name,
};
use provision_core::exec::{Binding, GenerationChoice, RunSpec, Settings};
use provision_core::id::Revision;
use provision_core::plan::Mode;
use provision_core::sim::{FileCloud, SimConfig};
use provision_core::stream::{Signer, Timing};

use crate::cli::Cli;
use crate::clouds;
use crate::error::CliError;

const LOCAL_STATE: &str = ".provision/state";
const SIMULATED_STATE: &str = ".provision/simulated/state";
const SIMULATED_CLOUD: &str = ".provision/simulated/cloud";
/// How slow the simulated cloud is, in percent of its model: an apply of the example takes about six seconds.
const SIMULATED_LATENCY: u32 = 70;
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

/// Opens the store.
pub(crate) async fn open_store(cli: &Cli) -> Result<ObjectStoreBackend, CliError> {
    Ok(ObjectStoreBackend::open(&store_address(cli)?).await?)
}

/// The simulated cloud's file.
pub(crate) fn simulated_cloud(must_exist: bool) -> Result<Arc<FileCloud>, CliError> {
    let dir = Path::new(SIMULATED_CLOUD);
    if must_exist && !dir.exists() {
        return Err(CliError::NoSimulatedCloud(SIMULATED_CLOUD.to_owned()));
    }
    Ok(Arc::new(FileCloud::open(dir, SimConfig { latency_percent: SIMULATED_LATENCY, ..SimConfig::default() })?))
}

/// What a run's actions act on.
pub(crate) async fn world(cli: &Cli) -> Result<World, CliError> {
    let store = open_store(cli).await?;
    let connector: Arc<dyn Connector> =
        if cli.simulate { Arc::new(clouds::Simulated(simulated_cloud(false)?)) } else { Arc::new(clouds::Real) };
    Ok(World { store: Arc::new(store), clients: Clients::new(connector), me: Some(our_holder()?) })
}

/// What a run is made of.
pub(crate) fn spec(cli: &Cli, desired: Desired, mode: Mode, many_deletions: bool) -> Result<RunSpec, CliError> {
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
    let secret = load_or_create_key(&key_path()?)?;
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
        signer: Signer::new(&secret, &our_name()),
        timing,
        simulated: cli.simulate,
        binding: Binding::Ceiling,
        lock_timeout: Duration::ZERO,
        many_deletions,
        settings: Settings::default(),
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
