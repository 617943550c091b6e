//! Client halves with settings from the environment.
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

use async_trait::async_trait;
use provision_core::driver::Connector;
use provision_core::provider::Client;
use provision_core::target::TargetId;

use super::{AwsClient, Settings};
use crate::provider::NAME;

/// Stamps of signatures have whole seconds.
const LEAST_STAMP_BOUND: Duration = Duration::from_secs(1);

/// Makes clients with settings from these variables: a function from a variable's name to its value, if it is set.
#[derive(Debug, Clone, Copy)]
pub struct Variables(pub fn(&str) -> Option<String>);

#[async_trait]
impl Connector for Variables {
    /// Nothing is asked of AWS yet.
    async fn connect(&self, target: &TargetId) -> Result<Arc<dyn Client>, String> {
        if target.provider.as_str() != NAME {
            return Err(format!("there is no client for {} here", target.provider));
        }
        let client = AwsClient::connect(target, &self.settings()?).await.map_err(|error| error.problem)?;
        Ok(Arc::new(client))
    }
}

impl Variables {
    fn settings(&self) -> Result<Settings, String> {
        let aws = Settings::default();
        let stamp_bound = self.seconds("PROVISION_AWS_STAMP_BOUND", LEAST_STAMP_BOUND)?;
        let visibility = self.seconds("PROVISION_AWS_VISIBILITY", Duration::ZERO)?;
        Ok(Settings {
            stamp_bound: stamp_bound.unwrap_or(aws.stamp_bound),
            visibility: visibility.unwrap_or(aws.visibility),
            ..aws
        })
    }

    /// A duration in seconds; fractions are allowed.
    fn seconds(&self, name: &str, least: Duration) -> Result<Option<Duration>, String> {
        let Some(value) = (self.0)(name).filter(|value| !value.is_empty()) else { return Ok(None) };
        let parsed = value.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        match parsed.filter(|duration| *duration >= least) {
            Some(duration) => Ok(Some(duration)),
            None => {
                let least = least.as_secs_f64();
                Err(format!("{name} holds `{value}`: write a number of seconds, at least {least}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_of_seconds_is_refused() {
        let bound = |value: fn(&str) -> Option<String>| Variables(value).settings().map(|found| found.stamp_bound);
        assert_eq!(bound(|_| None), Ok(Settings::default().stamp_bound));
        assert_eq!(bound(|_| Some(String::new())), Ok(Settings::default().stamp_bound));
        assert_eq!(bound(|_| Some("2.5".to_owned())), Ok(Duration::from_millis(2500)));
        let problem =
            |bad: &str| format!("PROVISION_AWS_STAMP_BOUND holds `{bad}`: write a number of seconds, at least 1");
        assert_eq!(bound(|_| Some("0.5".to_owned())), Err(problem("0.5")));
        assert_eq!(bound(|_| Some("-1".to_owned())), Err(problem("-1")));
        assert_eq!(bound(|_| Some("soon".to_owned())), Err(problem("soon")));
        assert_eq!(bound(|_| Some("inf".to_owned())), Err(problem("inf")));
    }
}
