//! Instance refreshes, which the proxy makes.

use testbed::aws::{AwsServer, KNOWN_IMAGE};

use crate::support::{Reply, ec2, network, query, server};

const GROUP: [(&str, &str); 1] = [("AutoScalingGroupName", "g")];

/// A group of two instances of the newest version of a template, and the template.
async fn group(aws: &AwsServer) -> String {
    let (_, [subnet, _]) = network(aws).await;
    let template = [
        ("LaunchTemplateName", "template"),
        ("LaunchTemplateData.ImageId", KNOWN_IMAGE),
        ("LaunchTemplateData.InstanceType", "t3.micro"),
    ];
    let template = ec2(aws, "CreateLaunchTemplate", &template).await.one("launchTemplateId");
    let group = [
        ("AutoScalingGroupName", "g"),
        ("LaunchTemplate.LaunchTemplateId", template.as_str()),
        ("LaunchTemplate.Version", "$Latest"),
        ("MinSize", "2"),
        ("MaxSize", "2"),
        ("VPCZoneIdentifier", &subnet),
    ];
    assert_eq!(query(aws, "autoscaling", "CreateAutoScalingGroup", &group).await.status, Some(200));
    template
}

async fn new_version(aws: &AwsServer, template: &str) {
    let version = [
        ("LaunchTemplateId", template),
        ("LaunchTemplateData.ImageId", KNOWN_IMAGE),
        ("LaunchTemplateData.InstanceType", "t3.small"),
    ];
    assert_eq!(ec2(aws, "CreateLaunchTemplateVersion", &version).await.status, Some(200));
}

async fn call(aws: &AwsServer, action: &str, more: &[(&str, &str)]) -> Reply {
    let params: Vec<_> = GROUP.into_iter().chain(more.iter().copied()).collect();
    query(aws, "autoscaling", action, &params).await
}

/// Looks until it is over: the states that were seen, one after the other, and the last answer.
async fn followed(aws: &AwsServer) -> (Vec<String>, Reply) {
    let mut seen = Vec::new();
    loop {
        let reply = call(aws, "DescribeInstanceRefreshes", &[]).await;
        let status = reply.one("Status");
        let over = !["Pending", "InProgress", "Cancelling"].contains(&status.as_str());
        seen.push(status);
        if over {
            return (seen, reply);
        }
    }
}

async fn versions(aws: &AwsServer) -> Vec<String> {
    // The group's own comes first.
    query(aws, "autoscaling", "DescribeAutoScalingGroups", &[]).await.all("Version").split_off(1)
}

#[tokio::test]
async fn a_refresh_replaces_one_instance_after_the_other() {
    let Some(aws) = server().await else { return };
    let template = group(&aws).await;
    new_version(&aws, &template).await;
    assert_eq!(versions(&aws).await, ["1", "1"]);
    let id = call(&aws, "StartInstanceRefresh", &[("Strategy", "Rolling")]).await.one("InstanceRefreshId");
    let second = call(&aws, "StartInstanceRefresh", &[]).await;
    assert_eq!(second.error(), (400, "InstanceRefreshInProgress".to_owned()));
    let (seen, last) = followed(&aws).await;
    assert_eq!(seen, ["InProgress", "InProgress", "InProgress", "Successful"]);
    assert_eq!((last.one("InstanceRefreshId"), last.one("PercentageComplete")), (id, "100".to_owned()));
    assert_eq!(versions(&aws).await, ["2", "2"]);
    call(&aws, "StartInstanceRefresh", &[("Preferences.SkipMatching", "true")]).await;
    assert_eq!(followed(&aws).await.0, ["InProgress", "Successful"], "nothing is left to replace");
    let unknown = query(&aws, "autoscaling", "StartInstanceRefresh", &[("AutoScalingGroupName", "h")]).await;
    assert_eq!(unknown.error(), (400, "ValidationError".to_owned()));
}

#[tokio::test]
async fn a_refresh_can_fail_and_be_cancelled() {
    let Some(aws) = server().await else { return };
    let template = group(&aws).await;
    new_version(&aws, &template).await;
    aws.fail_refresh("g", "the instances do not become healthy").await;
    call(&aws, "StartInstanceRefresh", &[]).await;
    let (seen, last) = followed(&aws).await;
    assert_eq!(seen, ["InProgress", "InProgress", "Failed"]);
    assert_eq!(last.one("StatusReason"), "the instances do not become healthy");
    let mut mixed = versions(&aws).await;
    mixed.sort();
    assert_eq!(mixed, ["1", "2"]);
    assert_eq!(call(&aws, "CancelInstanceRefresh", &[]).await.one("Code"), "ActiveInstanceRefreshNotFound");
    call(&aws, "StartInstanceRefresh", &[]).await;
    assert_eq!(call(&aws, "CancelInstanceRefresh", &[]).await.status, Some(200));
    assert_eq!(followed(&aws).await.0, ["Cancelled"]);
}
