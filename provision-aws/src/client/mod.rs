//! The client half: sends one call or one read with the AWS SDK, once, and says what came back.
//!
//! # Guarantees
//! - One HTTP request for a call: the SDK's retries are off, and so is its correction of clock skew.
//! - A call is signed with exactly the stamp that it was given, in whole seconds, rounded down.
//! - A parameter of a request that this half does not know is an error, never dropped.
//! - What may have reached the server is [`Answer::Unknown`] unless the server itself says that it refused.
//!
//! # Caveats
//! A read of VPCs also asks for two attributes of each VPC on its page, which EC2 answers in calls of their own.

mod answer;
mod connect;
mod observe;
mod read;
mod request;
mod send;

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use provision_core::call::{Answer, Bounds, Read, ReadAnswer, Sending};
use provision_core::provider::{Client, ClientError};
use provision_core::target::TargetId;

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
pub struct Ec2Client {
    target: TargetId,
    bounds: Bounds,
    ec2: aws_sdk_ec2::Client,
    sts: aws_sdk_sts::Client,
}

impl fmt::Debug for Ec2Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ec2Client").field("target", &self.target).field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

#[async_trait]
impl Client for Ec2Client {
    fn bounds(&self) -> Bounds {
        self.bounds
    }

    async fn verify(&self, target: &TargetId) -> Result<(), ClientError> {
        connect::verify(&self.sts, target).await
    }

    async fn call(&self, sending: &Sending) -> Answer {
        send::call(&self.ec2, sending).await
    }

    async fn read(&self, read: &Read) -> ReadAnswer {
        read::read(&self.ec2, read).await
    }
}
