//! Client tokens.

use futures::future::join_all;
use testbed::aws::{AwsServer, KNOWN_IMAGE};

use crate::support::{Reply, all, ec2, server};

async fn run(aws: &AwsServer, token: &str, count: &str) -> Reply {
    let params = [
        ("ImageId", KNOWN_IMAGE),
        ("InstanceType", "t3.micro"),
        ("MinCount", count),
        ("MaxCount", count),
        ("ClientToken", token),
    ];
    ec2(aws, "RunInstances", &params).await
}

async fn instances(aws: &AwsServer) -> usize {
    all(&aws.raw_ec2("DescribeInstances", &[]).await, "instanceId").len()
}

#[tokio::test]
async fn the_same_token_and_parameters_are_one_call() {
    let Some(aws) = server().await else { return };
    let first = run(&aws, "t", "1").await;
    let again = run(&aws, "t", "1").await;
    assert_eq!(first.one("instanceId"), again.one("instanceId"));
    assert_eq!(first.body, again.body);
    assert_ne!(run(&aws, "u", "1").await.one("instanceId"), first.one("instanceId"));
    assert_eq!(instances(&aws).await, 2);
    assert_eq!((aws.count("RunInstances"), aws.count_executed("RunInstances")), (3, 2));
}

#[tokio::test]
async fn the_same_token_with_other_parameters_is_refused() {
    let Some(aws) = server().await else { return };
    run(&aws, "t", "1").await;
    let other = run(&aws, "t", "2").await;
    assert_eq!(other.error(), (400, "IdempotentParameterMismatch".to_owned()));
    assert_eq!(instances(&aws).await, 1);
}

#[tokio::test]
async fn calls_at_once_with_one_token_are_one_call() {
    let Some(aws) = server().await else { return };
    let replies = join_all((0..10).map(|_| run(&aws, "t", "1"))).await;
    assert!(replies.iter().all(|reply| reply.one("instanceId") == replies[0].one("instanceId")));
    assert_eq!(instances(&aws).await, 1);
}

#[tokio::test]
async fn a_token_whose_call_failed_is_not_spent() {
    let Some(aws) = server().await else { return };
    let with_image = async |image| {
        let params = [
            ("ImageId", image),
            ("InstanceType", "t3.micro"),
            ("MinCount", "1"),
            ("MaxCount", "1"),
            ("ClientToken", "t"),
        ];
        ec2(&aws, "RunInstances", &params).await
    };
    let unknown = with_image("ami-0123456789abcdef0").await;
    assert_eq!(unknown.error(), (400, "InvalidAMIID.NotFound".to_owned()));
    assert_eq!(with_image(KNOWN_IMAGE).await.status, Some(200));
}

#[tokio::test]
async fn instances_are_found_by_their_token() {
    let Some(aws) = server().await else { return };
    let first = run(&aws, "t", "1").await.one("instanceId");
    run(&aws, "u", "1").await;
    let by = async |token| {
        let params = [
            ("Filter.1.Name", "client-token"),
            ("Filter.1.Value.1", token),
            ("Filter.2.Name", "instance-state-name"),
            ("Filter.2.Value.1", "running"),
        ];
        ec2(&aws, "DescribeInstances", &params).await.all("instanceId")
    };
    assert_eq!(by("t").await, [first]);
    assert!(by("v").await.is_empty());
}
