//! AWS' client half, with its settings from the environment.
//!
//! Endpoint, profile and credentials come from AWS' own variables and files. A server that stands in for AWS in tests
//! has bounds of its own, which these variables name:
//!
//! | variable | for test servers: how many seconds | default |
//! |---|---|---|
//! | `PROVISION_AWS_STAMP_BOUND` | a request is still taken after the stamp of its signature | AWS' 900 |
//! | `PROVISION_AWS_VISIBILITY` | a new object can be invisible to reads | 300 |
//!
//! They must be no smaller than what the endpoint really does: a call that is believed to have failed while it can
//! still land is made twice.

use std::sync::Arc;
use std::time::Duration;

use provision_aws::client::{Ec2Client, Settings};
use provision_core::provider::Client;
use provision_core::target::TargetId;

use crate::error::{CliError, chain};
use crate::setup::seconds;

/// Stamps of signatures have whole seconds.
const LEAST_STAMP_BOUND: Duration = Duration::from_secs(1);

/// The client half for an account and region. Nothing is asked of AWS yet.
pub(crate) async fn connect(target: &TargetId) -> Result<Arc<dyn Client>, String> {
    let settings = settings().map_err(|error| chain(&error))?;
    let client = Ec2Client::connect(target, &settings).await.map_err(|error| error.problem)?;
    Ok(Arc::new(client))
}

fn settings() -> Result<Settings, CliError> {
    let aws = Settings::default();
    let stamp_bound = seconds("PROVISION_AWS_STAMP_BOUND", LEAST_STAMP_BOUND)?;
    let visibility = seconds("PROVISION_AWS_VISIBILITY", Duration::ZERO)?;
    Ok(Settings {
        stamp_bound: stamp_bound.unwrap_or(aws.stamp_bound),
        visibility: visibility.unwrap_or(aws.visibility),
        ..aws
    })
}
