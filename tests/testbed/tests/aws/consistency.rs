//! New objects that are not found for a while.

use std::time::Duration;

use testbed::aws::{KNOWN_IMAGE, Lag};

use crate::support::{create_vpc, ec2, server};

/// Long enough for a few calls on a busy machine.
const LAG: Duration = Duration::from_secs(5);

#[tokio::test]
async fn new_objects_are_not_found_until_the_lag_is_over() {
    let Some(aws) = server().await else { return };
    let old = create_vpc(&aws, "10.0.0.0/16").await;
    tokio::time::sleep(LAG).await;
    aws.set_lag(Lag { reads: LAG, uses: Duration::ZERO });
    let vpc = create_vpc(&aws, "10.1.0.0/16").await;
    let subnet = ec2(&aws, "CreateSubnet", &[("VpcId", &vpc), ("CidrBlock", "10.1.1.0/24")]).await;
    let subnet = subnet.one("subnetId");
    let group = [("VpcId", vpc.as_str()), ("GroupName", "g"), ("GroupDescription", "d")];
    let group = ec2(&aws, "CreateSecurityGroup", &group).await.one("groupId");
    let run = [
        ("ImageId", KNOWN_IMAGE),
        ("InstanceType", "t3.micro"),
        ("MinCount", "1"),
        ("MaxCount", "1"),
        ("SubnetId", &subnet),
    ];
    let instance = ec2(&aws, "RunInstances", &run).await.one("instanceId");
    let kinds = [
        ("DescribeVpcs", "VpcId.1", "vpcId", &vpc, "InvalidVpcID.NotFound"),
        ("DescribeSubnets", "SubnetId.1", "subnetId", &subnet, "InvalidSubnetID.NotFound"),
        ("DescribeSecurityGroups", "GroupId.1", "groupId", &group, "InvalidGroup.NotFound"),
        ("DescribeInstances", "InstanceId.1", "instanceId", &instance, "InvalidInstanceID.NotFound"),
    ];
    for (action, param, element, id, code) in kinds {
        assert!(!ec2(&aws, action, &[]).await.all(element).contains(id), "{action}");
        let by_id = ec2(&aws, action, &[(param, id)]).await;
        assert_eq!(by_id.error(), (400, code.to_owned()), "{action}");
    }
    assert!(ec2(&aws, "DescribeVpcs", &[]).await.all("vpcId").contains(&old));
    tokio::time::sleep(LAG).await;
    for (action, param, element, id, _) in kinds {
        assert!(ec2(&aws, action, &[]).await.all(element).contains(id), "{action}");
        assert!(ec2(&aws, action, &[(param, id)]).await.all(element).contains(id), "{action}");
    }
}

#[tokio::test]
async fn a_new_object_cannot_be_used_until_its_lag_is_over() {
    let Some(aws) = server().await else { return };
    aws.set_lag(Lag { reads: Duration::ZERO, uses: LAG });
    let vpc = create_vpc(&aws, "10.0.0.0/16").await;
    let subnet = async || ec2(&aws, "CreateSubnet", &[("VpcId", &vpc), ("CidrBlock", "10.0.1.0/24")]).await;
    assert_eq!(subnet().await.error(), (400, "InvalidVpcID.NotFound".to_owned()));
    tokio::time::sleep(LAG).await;
    assert_eq!(subnet().await.status, Some(200));
}
