//! How a simulated cloud behaves.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::latency::Latency;
use crate::call::Bounds;
use crate::id::{BlockAddr, TypeName};
use crate::schema::Schema;

/// How a simulated cloud behaves. All of it is deterministic: the same seed and the same calls give the same answers.
///
/// ```
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// # let engine = toy::engine(&toy::cloud());
/// use std::time::Duration;
///
/// use provision_core::sim::{SimCloud, SimConfig};
///
/// // New objects are seen late, and reads show no more than those of the real clouds.
/// let config = SimConfig { lag: Duration::from_millis(800), unread: engine.providers.unread(), ..SimConfig::instant(7) };
/// let cloud = SimCloud::new(config);
/// # let _ = cloud;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimConfig {
    /// What ids, placeholders, lags and latencies derive from.
    pub seed: u64,
    /// A call is refused when the server's clock is further than this from the call's stamp, in either direction.
    pub stamp: Duration,
    /// The promise to runners: no object is invisible for longer than this.
    pub visibility: Duration,
    /// New objects are invisible to reads for a time between nothing and this, capped by `visibility`. Off at zero.
    pub lag: Duration,
    /// Whether calls cannot see an invisible object either, and are refused with "not found".
    pub lag_calls: bool,
    /// The fields that reads do not show, by type: [`Providers::unread`](crate::plan::Providers::unread).
    pub unread: BTreeMap<TypeName, BTreeSet<String>>,
    /// The data sources of which something is made up where the cloud holds nothing of the type:
    /// [`Providers::data_sources`](crate::plan::Providers::data_sources).
    pub data_sources: BTreeMap<TypeName, &'static Schema>,
    /// How many objects one page of a read holds; at least one.
    pub page_size: usize,
    /// How many calls and reads a target takes per API; `None`: any number.
    pub throttle: Option<Rate>,
    /// The blocks whose health checks never pass.
    pub unhealthy: BTreeSet<BlockAddr>,
    /// How many of a thousand health checks never pass: which ones derives from the seed.
    pub unhealthy_per_mille: u64,
    /// How long calls, reads and changes of state take, as a percentage of a small real cloud; 0 is instant.
    pub latency_percent: u32,
}

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many at once.
    pub burst: u32,
    /// How many per second after that.
    pub per_second: u32,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            stamp: Duration::from_secs(3),
            visibility: Duration::from_secs(1),
            lag: Duration::ZERO,
            lag_calls: false,
            unread: BTreeMap::new(),
            data_sources: BTreeMap::new(),
            page_size: 1000,
            throttle: None,
            unhealthy: BTreeSet::new(),
            unhealthy_per_mille: 0,
            latency_percent: 100,
        }
    }
}

impl SimConfig {
    /// The default with another seed and no latency: for tests and simulations that own the clock.
    pub fn instant(seed: u64) -> Self {
        Self { seed, latency_percent: 0, ..Self::default() }
    }

    /// What the endpoint guarantees.
    pub fn bounds(&self) -> Bounds {
        Bounds { stamp: self.stamp, visibility: self.visibility }
    }

    /// The latency model.
    pub fn latency(&self) -> Latency {
        Latency::new(self.seed, self.latency_percent)
    }
}
