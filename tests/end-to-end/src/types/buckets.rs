//! Buckets, and flow logs, which go there.

use provision_aws::prelude::*;
use provision_aws::{Bucket, FlowLogs, LogDestination, LogSource, TrafficType};
use provision_core::prelude::*;

use super::networks::net;
use super::{Family, Stage, tags};
use crate::infra::West;

pub(super) const FAMILY: Family = Family {
    name: "buckets",
    types: &["aws_s3_bucket", "aws_flow_logs"],
    kept: &[],
    define: |infra, stage| {
        infra.dc(West).block("buckets", buckets, stage);
    },
};

fn buckets<D: AwsDc>(b: &Block<D>, stage: Stage) {
    let tags = tags(stage);
    let key = |name: &str| format!("arn:aws:kms:us-east-1:123456789012:key/{name}");
    let logs = b
        .put("logs", Bucket { name: "end-to-end-logs", region: D::region() })
        .versioning(stage.updated(false, true))
        .kms_key(key(stage.updated("one", "other")))
        .block_public_acls(stage.updated(true, false))
        .ignore_public_acls(stage.updated(true, false))
        .restrict_public_buckets(stage.updated(true, false))
        .block_public_policy(stage.updated(true, false))
        .tags(tags);
    b.put("data", Bucket { name: stage.replaced("end-to-end-data", "end-to-end-more"), region: D::region() });
    let net = net(b, "net", cidr!("10.7.0.0/16"));
    let destination = LogDestination::s3(text!("{}", logs.arn()));
    b.put("all", FlowLogs { source: LogSource::of(net.vpc), destination }).tags(tags);
    let destination = LogDestination::s3(text!("{}/rejected/", logs.arn()));
    b.put("rejected", FlowLogs { source: LogSource::of(net.subnets[0]), destination })
        .traffic(stage.replaced(TrafficType::Reject, TrafficType::Accept))
        .interval(60);
}
