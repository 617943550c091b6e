//! What is pending before it is there.

use std::time::Duration;

use crate::support::{ec2, network, query, server};

#[tokio::test]
async fn what_was_made_is_pending_until_it_has_settled() {
    let Some(aws) = server().await else { return };
    let (_, [one, two]) = network(&aws).await;
    // For longer than the test takes: the time is ended by hand.
    aws.set_settling(Duration::from_secs(600));
    let nat = [("SubnetId", one.as_str()), ("ConnectivityType", "private")];
    let made = ec2(&aws, "CreateNatGateway", &nat).await;
    assert_eq!(made.one("state"), "pending");
    let id = made.one("natGatewayId");
    let subnets = [("Name", "lb"), ("Subnets.member.1", one.as_str()), ("Subnets.member.2", two.as_str())];
    query(&aws, "elasticloadbalancing", "CreateLoadBalancer", &subnets).await;
    let nat = async || ec2(&aws, "DescribeNatGateways", &[("NatGatewayId.1", &id)]).await.one("state");
    let balancer =
        async || query(&aws, "elasticloadbalancing", "DescribeLoadBalancers", &[]).await.all("Code").concat();
    assert_eq!((nat().await.as_str(), balancer().await.as_str()), ("pending", "provisioning"));
    aws.set_settling(Duration::ZERO);
    assert_eq!((nat().await.as_str(), balancer().await.as_str()), ("available", "active"));
    aws.set_state(&id, Some("failed")).await;
    assert_eq!(nat().await, "failed");
    aws.set_state(&id, None).await;
    aws.set_settling(Duration::from_secs(600));
    ec2(&aws, "DeleteNatGateway", &[("NatGatewayId", &id)]).await;
    assert_eq!(nat().await, "deleting");
    aws.set_settling(Duration::ZERO);
    assert_eq!(nat().await, "deleted");
}
