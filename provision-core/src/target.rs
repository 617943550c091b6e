//! Targets: where a provider's calls go.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::ProviderName;

/// The identity of a target: known before anything runs, and recorded in each block's log, so that what has left the
/// code can still be read and destroyed.
///
/// The connection (endpoint, credentials) is not part of it: it is the client half's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetId {
    /// The provider.
    pub provider: ProviderName,
    /// The account, project or cluster.
    pub account: String,
    /// The region, where the provider has regions.
    pub region: String,
}

impl fmt::Display for TargetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.provider, self.account, self.region)
    }
}
