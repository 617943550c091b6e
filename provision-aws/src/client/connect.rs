//! How a client comes to be, and who it is.

use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, imds};
use aws_sdk_ec2::config::ProvideCredentials;
use provision_core::call::{Bounds, Refusal};
use provision_core::provider::ClientError;
use provision_core::target::TargetId;

use super::answer::{Failure, Probe};
use super::{AwsClient, Sdk, Settings};
use crate::provider::NAME;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The instance metadata service is one hop away, or absent.
const METADATA_TIMEOUT: Duration = Duration::from_secs(1);

const WHERE_CREDENTIALS_COME_FROM: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, \
    or run where a role is attached (web identity, ECS, EC2)";

impl AwsClient {
    /// A client with the credentials that the environment, a profile, a web identity, ECS or EC2 has, in this order.
    ///
    /// Nothing is asked of AWS yet: [`provision_core::provider::Client::verify`] does that.
    ///
    /// # Errors
    /// A target of another provider, or without a region.
    pub async fn connect(target: &TargetId, settings: &Settings) -> Result<Self, ClientError> {
        let metadata = imds::Client::builder()
            .connect_timeout(METADATA_TIMEOUT)
            .read_timeout(METADATA_TIMEOUT)
            .operation_timeout(METADATA_TIMEOUT)
            .max_attempts(1)
            .build();
        let region = Region::new(target.region.clone());
        let chain = DefaultCredentialsChain::builder().region(region).imds_client(metadata).build().await;
        Self::with_credentials(target, settings, chain).await
    }

    /// A client with these credentials.
    ///
    /// # Errors
    /// A target of another provider, or without a region.
    pub async fn with_credentials(
        target: &TargetId,
        settings: &Settings,
        credentials: impl ProvideCredentials + 'static,
    ) -> Result<Self, ClientError> {
        let wrong = |problem: &str| ClientError { target: target.clone(), problem: problem.to_owned() };
        if target.provider.as_str() != NAME {
            return Err(wrong("the AWS client is for targets of the provider `aws`"));
        }
        if target.region.is_empty() {
            return Err(wrong("the target names no region; write one as `us-east-1`"));
        }
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(settings.timeout)
            .operation_timeout(settings.timeout)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(target.region.clone()))
            .credentials_provider(credentials)
            .retry_config(RetryConfig::disabled())
            .disable_clock_skew_correction(true)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .timeout_config(timeouts);
        if let Some(url) = &settings.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        let config = loader.load().await;
        Ok(Self {
            target: target.clone(),
            bounds: Bounds { stamp: settings.stamp_bound, visibility: settings.visibility },
            sdk: Sdk::new(&config),
        })
    }
}

/// Asks who we are, and compares the account with the target's.
pub(crate) async fn verify(sts: &aws_sdk_sts::Client, target: &TargetId) -> Result<(), ClientError> {
    let probe = Probe::default();
    let answer = sts.get_caller_identity().customize().interceptor(probe.clone()).send().await;
    let problem = match answer {
        Ok(identity) => match identity.account() {
            Some(account) if account == target.account => return Ok(()),
            Some(account) => format!(
                "the credentials are of account {account}, the target is account {}: use credentials of that account",
                target.account
            ),
            None => "the answer to GetCallerIdentity names no account".to_owned(),
        },
        Err(error) => match probe.failure(&error) {
            Failure::Refused { code, message, .. } if code == "NotSent" => {
                format!("no AWS credentials: {WHERE_CREDENTIALS_COME_FROM} ({message})")
            }
            Failure::Refused { refusal: Refusal::Denied | Refusal::Expired, code, message } => {
                format!("AWS does not take the credentials: {code}: {message}")
            }
            Failure::Refused { code, message, .. } => format!("GetCallerIdentity was refused: {code}: {message}"),
            Failure::Unknown { reason } => format!("the endpoint cannot be reached: {reason}"),
        },
    };
    Err(ClientError { target: target.clone(), problem })
}
