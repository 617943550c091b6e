//! Our environments and data centres.
//!
//! A data centre is a type: what comes out of one data centre cannot be put into another one, and what is in staging
//! cannot be used by production. Its clouds stand beside it; each is a target for that cloud's resources.

use provision_aws::prelude::*;
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

/// Production, in North Virginia.
#[data_centre(name = "us-east", env = Prod, channel = Stable, on(Aws, account = "123456789012", region = UsEast1))]
pub struct UsEast;
