//! Our environments and data centres.
//!
//! A data centre is a type: what comes out of one data centre cannot be put into another one, and what is in staging
//! cannot be used by production. Its clouds stand beside it; each is a target for that cloud's resources.

use provision_aws::{Aws, EuWest1, UsEast1, UsWest2};
use provision_core::prelude::*;

/// Where every change is tried first.
#[environment("staging")]
pub struct Staging;

/// What customers use.
#[environment("prod")]
pub struct Prod;

/// Staging, in Oregon.
#[data_centre(name = "staging", env = Staging, channel = Stable, on(Aws, account = "123456789012", region = UsWest2))]
pub struct StagingWest;

/// Production A, in North Virginia.
#[data_centre(name = "us-east", env = Prod, channel = Stable, on(Aws, account = "123456789012", region = UsEast1))]
pub struct UsEast;

/// Production B, in Ireland: it gets what is new before A does.
#[data_centre(name = "eu-west", env = Prod, channel = Beta, on(Aws, account = "123456789012", region = EuWest1))]
pub struct EuWest;

// The two meet: each may use what the other one returns, where it says `import`.
crossing!(UsEast => EuWest, via = peering);
crossing!(EuWest => UsEast, via = peering);
