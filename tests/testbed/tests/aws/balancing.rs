//! Load balancers and Auto Scaling groups, as the real services have them.

use testbed::aws::KNOWN_IMAGE;

use crate::support::{ec2, network, query, server};

#[tokio::test]
async fn a_repeated_create_is_one_and_a_different_one_is_refused() {
    let Some(aws) = server().await else { return };
    let (vpc, [one, two]) = network(&aws).await;
    let elb = async |action, params: &[(&str, &str)]| query(&aws, "elasticloadbalancing", action, params).await;
    let balancer = |scheme| {
        vec![("Name", "lb"), ("Subnets.member.1", one.as_str()), ("Subnets.member.2", two.as_str()), ("Scheme", scheme)]
    };
    let arn = elb("CreateLoadBalancer", &balancer("internal")).await.one("LoadBalancerArn");
    assert_eq!(elb("CreateLoadBalancer", &balancer("internal")).await.one("LoadBalancerArn"), arn);
    let other = elb("CreateLoadBalancer", &balancer("internet-facing")).await;
    assert_eq!(other.error(), (400, "DuplicateLoadBalancerName".to_owned()));
    let group = [("Name", "tg"), ("Protocol", "HTTP"), ("Port", "80"), ("VpcId", vpc.as_str())];
    let group_arn = elb("CreateTargetGroup", &group).await.one("TargetGroupArn");
    assert_eq!(elb("CreateTargetGroup", &group).await.one("TargetGroupArn"), group_arn);
    let listener = [
        ("LoadBalancerArn", arn.as_str()),
        ("Protocol", "HTTP"),
        ("Port", "80"),
        ("DefaultActions.member.1.Type", "forward"),
        ("DefaultActions.member.1.TargetGroupArn", &group_arn),
    ];
    let first = elb("CreateListener", &listener).await.one("ListenerArn");
    assert_eq!(elb("CreateListener", &listener).await.one("ListenerArn"), first);
    let named: Vec<_> = (1..=21).map(|n| (format!("ResourceArns.member.{n}"), arn.clone())).collect();
    let named: Vec<_> = named.iter().map(|(name, arn)| (name.as_str(), arn.as_str())).collect();
    assert_eq!(elb("DescribeTags", &named).await.one("Code"), "ValidationError");
    assert_eq!(elb("DescribeTags", &named[..20]).await.status, Some(200));
    assert_eq!(ec2(&aws, "DeleteSubnet", &[("SubnetId", &one)]).await.one("Code"), "DependencyViolation");
}

#[tokio::test]
async fn a_group_is_made_once_and_deleted_when_empty() {
    let Some(aws) = server().await else { return };
    let (_, [subnet, _]) = network(&aws).await;
    let template = [
        ("LaunchTemplateName", "template"),
        ("LaunchTemplateData.ImageId", KNOWN_IMAGE),
        ("LaunchTemplateData.InstanceType", "t3.micro"),
    ];
    let template = ec2(&aws, "CreateLaunchTemplate", &template).await.one("launchTemplateId");
    let asg = async |action, params: &[(&str, &str)]| query(&aws, "autoscaling", action, params).await;
    let group = [
        ("AutoScalingGroupName", "g"),
        ("LaunchTemplate.LaunchTemplateId", template.as_str()),
        ("LaunchTemplate.Version", "$Latest"),
        ("MinSize", "1"),
        ("MaxSize", "2"),
        ("VPCZoneIdentifier", &subnet),
    ];
    assert_eq!(asg("CreateAutoScalingGroup", &group).await.status, Some(200));
    assert_eq!(asg("CreateAutoScalingGroup", &group).await.error(), (400, "AlreadyExists".to_owned()));
    let name = [("AutoScalingGroupName", "g")];
    assert_eq!(asg("DeleteAutoScalingGroup", &name).await.error(), (400, "ResourceInUse".to_owned()));
    let empty = [("AutoScalingGroupName", "g"), ("MinSize", "0"), ("DesiredCapacity", "0")];
    assert_eq!(asg("UpdateAutoScalingGroup", &empty).await.status, Some(200));
    assert_eq!(asg("DeleteAutoScalingGroup", &name).await.status, Some(200));
    let left = asg("DescribeAutoScalingGroups", &[]).await;
    assert_eq!((left.status, left.all("AutoScalingGroupName").len()), (Some(200), 0));
}
