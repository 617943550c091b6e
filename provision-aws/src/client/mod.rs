//! The client half: sends one call or one read with the AWS SDK, once, and says what came back.
//!
//! # Guarantees
//! - One HTTP request for a call: the SDK's retries are off, and so is its correction of clock skew.
//! - A call is signed with exactly the stamp that it was given, in whole seconds, rounded down.
//! - A parameter of a request that this half does not know is an error, never dropped.
//! - What may have reached the server is [`Answer::Unknown`] unless the server itself says that it refused.
//!

pub(crate) mod answer;
mod call;
mod connect;
mod read;
pub(crate) mod shapes;
pub(crate) mod take;
mod variables;

#[cfg(test)]
mod tests;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_smithy_async::time::StaticTimeSource;
use provision_core::call::{Answer, Bounds, Read, ReadAnswer, Sending, ServerTime};
use provision_core::provider::{Client, ClientError};
use provision_core::target::TargetId;
use provision_core::value::Value;

use answer::{Failure, Reply};
use take::BadRequest;

use crate::table::Api;

pub use variables::Variables;

/// What an endpoint is like, and how long to wait for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where to send everything, in place of AWS' own endpoints. `None` leaves it to the SDK, which reads
    /// `AWS_ENDPOINT_URL` and the profile.
    pub endpoint_url: Option<String>,
    /// How long after its stamp the endpoint still takes a request.
    pub stamp_bound: Duration,
    /// How long a new object can be invisible to reads.
    pub visibility: Duration,
    /// How long to wait for an answer.
    pub timeout: Duration,
}

impl Default for Settings {
    /// AWS itself.
    ///
    /// IAM's guide says "in most cases" five minutes for a stamp, and EC2's and others' errors say 15: the larger one is
    /// the safe one (<https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html>). For
    /// eventual consistency EC2 states no bound and advises waits that grow to five minutes
    /// (<https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>).
    fn default() -> Self {
        Self {
            endpoint_url: None,
            stamp_bound: Duration::from_secs(15 * 60),
            visibility: Duration::from_secs(5 * 60),
            timeout: Duration::from_secs(30),
        }
    }
}

/// The client half for one account and region.
#[derive(Clone)]
pub struct AwsClient {
    target: TargetId,
    bounds: Bounds,
    sdk: Sdk,
}

/// The SDK's clients, by the names of their services in the table of types.
#[derive(Clone)]
pub(crate) struct Sdk {
    pub(crate) autoscaling: aws_sdk_autoscaling::Client,
    pub(crate) ec2: aws_sdk_ec2::Client,
    pub(crate) elbv2: aws_sdk_elasticloadbalancingv2::Client,
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) route53: aws_sdk_route53::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) sts: aws_sdk_sts::Client,
}

impl Sdk {
    fn new(config: &SdkConfig) -> Self {
        // A name of a host per bucket is nothing that an endpoint other than AWS' own has.
        let paths = config.endpoint_url().is_some();
        let s3 = aws_sdk_s3::config::Builder::from(config).force_path_style(paths).build();
        Self {
            autoscaling: aws_sdk_autoscaling::Client::new(config),
            ec2: aws_sdk_ec2::Client::new(config),
            elbv2: aws_sdk_elasticloadbalancingv2::Client::new(config),
            iam: aws_sdk_iam::Client::new(config),
            route53: aws_sdk_route53::Client::new(config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            sts: aws_sdk_sts::Client::new(config),
        }
    }
}

/// Sends an operation's request, once, signed with the stamp if there is one.
///
/// # Errors
/// A request that does not fit the operation: nothing is sent.
pub(crate) type Send = for<'a> fn(&'a Sdk, &'a Value, Option<ServerTime>) -> Pending<'a>;
type Pending<'a> = Pin<Box<dyn Future<Output = Result<Reply, BadRequest>> + std::marker::Send + 'a>>;

impl Api {
    /// Sends a request of it, once.
    ///
    /// # Errors
    /// A request that does not fit the operation: nothing is sent.
    pub(crate) async fn send(
        &self,
        sdk: &Sdk,
        request: &Value,
        stamp: Option<ServerTime>,
    ) -> Result<Reply, BadRequest> {
        let mut reply = (self.send)(sdk, request, stamp).await?;
        if let Reply::Failed { failure: Failure::Refused { refusal, code, .. }, .. } = &mut reply
            && let Some((_, meaning)) = self.errors.iter().find(|(known, _)| known == code)
        {
            *refusal = *meaning;
        }
        Ok(reply)
    }
}

/// Everything of the SDK that asks what time it is gets the stamp: signing, above all.
pub(crate) fn pinned(stamp: ServerTime) -> StaticTimeSource {
    StaticTimeSource::new(SystemTime::UNIX_EPOCH + Duration::from_secs(stamp.0 / 1000))
}

impl fmt::Debug for AwsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsClient").field("target", &self.target).field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

#[async_trait]
impl Client for AwsClient {
    fn bounds(&self) -> Bounds {
        self.bounds
    }

    async fn verify(&self, target: &TargetId) -> Result<(), ClientError> {
        connect::verify(&self.sdk.sts, target).await
    }

    async fn call(&self, sending: &Sending) -> Answer {
        call::call(&self.sdk, sending).await
    }

    async fn read(&self, read: &Read) -> ReadAnswer {
        read::read(&self.sdk, read).await
    }
}
