//! Dry runs, throttles, delays, what is recorded, and what moto would let pass.

use std::time::{Duration, Instant};

use testbed::aws::{KNOWN_IMAGE, Match, Throttle};

use crate::support::{all, create_vpc, ec2, server, vpcs};

#[tokio::test]
async fn a_dry_run_leaves_nothing() {
    let Some(aws) = server().await else { return };
    let dry = ec2(&aws, "CreateVpc", &[("CidrBlock", "10.0.0.0/16"), ("DryRun", "true")]).await;
    assert_eq!(dry.error(), (412, "DryRunOperation".to_owned()));
    assert!(dry.header("Date").is_some());
    assert!(vpcs(&aws).await.is_empty());
    assert_eq!((aws.count("CreateVpc"), aws.count_executed("CreateVpc")), (1, 0));
}

#[tokio::test]
async fn a_throttled_action_is_refused_and_others_are_not() {
    let Some(aws) = server().await else { return };
    aws.set_throttle("CreateVpc", Some(Throttle { burst: 2, per_second: 0.0 }));
    let mut statuses = Vec::new();
    for n in 0..4 {
        let reply = ec2(&aws, "CreateVpc", &[("CidrBlock", &format!("10.{n}.0.0/16"))]).await;
        if reply.status != Some(200) {
            assert_eq!(reply.error(), (503, "RequestLimitExceeded".to_owned()));
        }
        statuses.extend(reply.status);
    }
    assert_eq!(statuses, [200, 200, 503, 503]);
    assert_eq!(ec2(&aws, "DescribeVpcs", &[]).await.status, Some(200));
    assert_eq!(vpcs(&aws).await.len(), 2);
    aws.set_throttle("CreateVpc", None);
    create_vpc(&aws, "10.9.0.0/16").await;
}

#[tokio::test]
async fn a_delayed_action_takes_its_time() {
    let Some(aws) = server().await else { return };
    aws.set_delay("CreateVpc", Duration::from_millis(300));
    let start = Instant::now();
    create_vpc(&aws, "10.0.0.0/16").await;
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn calls_are_recorded_with_what_was_sent() {
    let Some(aws) = server().await else { return };
    create_vpc(&aws, "10.0.0.0/16").await;
    aws.raw_ec2("CreateVpc", &[("CidrBlock", "10.1.0.0/16")]).await;
    assert_eq!(vpcs(&aws).await.len(), 2);
    let calls = aws.calls();
    assert_eq!(calls.len(), 1, "somebody else's are not ours");
    let call = &calls[0];
    assert_eq!((call.seq, call.service.as_str(), call.region.as_str()), (0, "ec2", "us-east-1"));
    assert_eq!(call.params.get("CidrBlock").map(String::as_str), Some("10.0.0.0/16"));
    assert_eq!((call.status, call.executed, &call.faulted), (Some(200), true, &None));
    assert!(call.is(&Match::action("CreateVpc")));
    aws.reset_calls();
    create_vpc(&aws, "10.2.0.0/16").await;
    assert_eq!(aws.calls().iter().map(|call| call.seq).collect::<Vec<_>>(), [1]);
    aws.reset().await;
    assert!(aws.calls().is_empty() && vpcs(&aws).await.is_empty());
}

#[tokio::test]
async fn a_region_is_a_world_of_its_own() {
    let Some(aws) = server().await else { return };
    create_vpc(&aws, "10.0.0.0/16").await;
    let filter = [("Filter.1.Name", "cidr"), ("Filter.1.Value.1", "10.0.0.0/16")];
    assert_eq!(all(&aws.raw_ec2("DescribeVpcs", &filter).await, "vpcId").len(), 1);
    assert_eq!(all(&aws.raw_ec2_in("eu-west-1", "DescribeVpcs", &filter).await, "vpcId").len(), 0);
}

#[tokio::test]
async fn what_is_in_use_is_not_deleted() {
    let Some(aws) = server().await else { return };
    let vpc = create_vpc(&aws, "10.0.0.0/16").await;
    let subnet = [("VpcId", vpc.as_str()), ("CidrBlock", "10.0.1.0/24")];
    let subnet = ec2(&aws, "CreateSubnet", &subnet).await.one("subnetId");
    let group = [("VpcId", vpc.as_str()), ("GroupName", "g"), ("GroupDescription", "d")];
    let group = ec2(&aws, "CreateSecurityGroup", &group).await.one("groupId");
    let run = [
        ("ImageId", KNOWN_IMAGE),
        ("InstanceType", "t3.micro"),
        ("MinCount", "1"),
        ("MaxCount", "1"),
        ("SubnetId", &subnet),
        ("SecurityGroupId.1", &group),
    ];
    let instance = ec2(&aws, "RunInstances", &run).await.one("instanceId");
    let delete = async |action, name, id: &str| {
        let reply = ec2(&aws, action, &[(name, id)]).await;
        if reply.status == Some(200) { "deleted".to_owned() } else { reply.one("Code") }
    };
    for (action, name, id) in [
        ("DeleteSubnet", "SubnetId", &subnet),
        ("DeleteSecurityGroup", "GroupId", &group),
        ("DeleteVpc", "VpcId", &vpc),
    ] {
        assert_eq!(delete(action, name, id).await, "DependencyViolation", "{action}");
    }
    ec2(&aws, "TerminateInstances", &[("InstanceId.1", &instance)]).await;
    assert_eq!(delete("DeleteSubnet", "SubnetId", &subnet).await, "deleted");
    assert_eq!(delete("DeleteVpc", "VpcId", &vpc).await, "DependencyViolation");
    assert_eq!(delete("DeleteSecurityGroup", "GroupId", &group).await, "deleted");
    assert_eq!(delete("DeleteVpc", "VpcId", &vpc).await, "deleted");
    let nowhere = [("VpcId", vpc.as_str()), ("GroupName", "g"), ("GroupDescription", "d")];
    assert_eq!(ec2(&aws, "CreateSecurityGroup", &nowhere).await.one("Code"), "InvalidVpcID.NotFound");
}

#[tokio::test]
async fn what_moto_cannot_do_is_not_taken_for_a_passing_trouble() {
    let Some(aws) = server().await else { return };
    let filter = [("Filter.1.Name", "no-such-filter"), ("Filter.1.Value.1", "x")];
    let reply = ec2(&aws, "DescribeVpcs", &filter).await;
    assert_eq!(reply.error(), (400, "TestbedUnsupported".to_owned()));
    // It answers first and logs then.
    for _ in 0..100 {
        if aws.log_tail().contains("NotImplementedError") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{}", aws.log_tail());
}
