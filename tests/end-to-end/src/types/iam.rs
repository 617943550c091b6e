//! Roles, policies, attachments, instance profiles.

use provision_aws::prelude::*;
use provision_aws::{InstanceProfile, ManagedPolicy, Policy, PolicyAttachment, Role, Statement};
use provision_core::prelude::*;

use super::{Family, Stage, tags};
use crate::infra::West;

pub(super) const FAMILY: Family = Family {
    name: "iam",
    types: &["aws_iam_role", "aws_iam_policy", "aws_iam_role_policy_attachment", "aws_iam_instance_profile"],
    kept: &[],
    define: |infra, stage| {
        infra.dc(West).block("iam", iam, stage);
    },
};

fn iam<D: AwsDc>(b: &Block<D>, stage: Stage) {
    let tags = tags(stage);
    let read = stage.updated("s3:GetObject", "s3:GetObjectVersion");
    let policy = b.put("read", Policy { document: Statement::allow([read]).on(["arn:aws:s3:::data/*"]) }).tags(tags);
    let boundary = b
        .put("boundary", Policy { document: Statement::allow(["s3:*"]).on(["*"]) })
        .description(stage.replaced("the most", "the very most"));
    let service = stage.updated("ec2.amazonaws.com", "ecs-tasks.amazonaws.com");
    let own = |action: &str| Statement::allow([action]).on(["*"]).when("Bool", "aws:SecureTransport", ["true"]);
    let aws = ManagedPolicy::aws(stage.updated("AmazonSSMManagedInstanceCore", "CloudWatchAgentServerPolicy"));
    let host = b
        .put("host", Role { trust: Statement::trust_service(service) })
        .description(stage.updated("hosts", "all hosts"))
        .max_session_seconds(stage.updated(3600, 7200))
        .managed_policies([aws, ManagedPolicy::of(policy.id())])
        .inline_policies(stage.updated(
            [("logs", own("logs:PutLogEvents")), ("metrics", own("cloudwatch:PutMetricData"))],
            [("logs", own("logs:CreateLogStream")), ("traces", own("xray:PutTraceSegments"))],
        ))
        .tags(tags);
    let other = b
        .put("other", Role { trust: Statement::trust("123456789012") })
        .name(stage.replaced("other", "another"))
        .path("/end-to-end/");
    let other = if stage >= Stage::Updated { other.permissions_boundary(boundary.id()) } else { other };
    b.put("attached", PolicyAttachment { role: other, policy: ManagedPolicy::of(policy.id()) });
    b.put("profile", InstanceProfile { role: stage.updated(host, other) }).tags(tags);
    b.put("named", InstanceProfile { role: host }).name(stage.replaced("profile-a", "profile-b"));
}
