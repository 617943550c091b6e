//! What is kept of the traffic.

use provision_aws::prelude::*;
use provision_aws::{Bucket, FlowLogs, LogDestination, LogSource};
use provision_core::prelude::*;

use crate::TAGS;
use crate::network::Network;

/// What other blocks can use of the logs.
#[derive(Args)]
pub struct Logs<D> {
    /// The ARN of the bucket: hosts write below a folder of their own.
    pub bucket: Ref<String, D>,
}

/// Writes down who talked to whom in the VPC, by the hour, in a bucket that nobody outside reads.
///
/// AWS lets flow logs into the bucket itself. It would not do so for the balancer's access logs: those need a policy.
pub fn logs<D: AwsDc>(b: &Block<D>, (net, protected): (&Network<D>, bool)) -> Logs<D> {
    let name = format!("example-{}-logs", D::NAME);
    let bucket = b.put("bucket", Bucket { name, region: D::region() }).versioning(true).tags(TAGS);
    if protected {
        bucket.prevent_destroy();
    }
    let destination = LogDestination::s3(text!("{}/flows/", bucket.arn()));
    b.put("flows", FlowLogs { source: LogSource::of(net.vpc), destination }).parquet(true).hourly(true).tags(TAGS);
    Logs { bucket: bucket.arn() }
}
