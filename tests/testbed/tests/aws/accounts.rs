//! Several accounts in one server.

use crate::support::{ec2, of_account, server};

const PEER: &str = "222222222222";

#[tokio::test]
async fn an_account_is_a_world_of_its_own_and_peers_with_another() {
    let Some(aws) = server().await else { return };
    let identity = of_account(&aws, PEER, "sts", "GetCallerIdentity", &[]).await;
    assert_eq!(identity.one("Account"), PEER);
    let theirs = of_account(&aws, PEER, "ec2", "CreateVpc", &[("CidrBlock", "10.1.0.0/16")]).await.one("vpcId");
    assert_eq!(aws.calls()[1].account, PEER);
    let ours = ec2(&aws, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).await.one("vpcId");
    assert_eq!(ec2(&aws, "DescribeVpcs", &[("VpcId.1", &theirs)]).await.one("Code"), "InvalidVpcID.NotFound");

    let tag = [
        ("TagSpecification.1.ResourceType", "vpc-peering-connection"),
        ("TagSpecification.1.Tag.1.Key", "side"),
        ("TagSpecification.1.Tag.1.Value", "ours"),
    ];
    let peering: Vec<_> =
        [("VpcId", ours.as_str()), ("PeerVpcId", &theirs), ("PeerOwnerId", PEER)].into_iter().chain(tag).collect();
    let id = ec2(&aws, "CreateVpcPeeringConnection", &peering).await.one("vpcPeeringConnectionId");
    let again = ec2(&aws, "CreateVpcPeeringConnection", &peering).await.one("vpcPeeringConnectionId");
    assert_eq!(again, id, "a second request is the first");
    let accept = [("VpcPeeringConnectionId", id.as_str())];
    let wrong = ec2(&aws, "AcceptVpcPeeringConnection", &accept).await;
    assert_eq!(wrong.one("Code"), "OperationNotPermitted");
    assert_eq!(of_account(&aws, PEER, "ec2", "AcceptVpcPeeringConnection", &accept).await.status, Some(200));
    let by_tag = [("Filter.1.Name", "tag:side"), ("Filter.1.Value.1", "ours")];
    let describe = "DescribeVpcPeeringConnections";
    assert_eq!(ec2(&aws, describe, &by_tag).await.one("code"), "active");
    let seen = of_account(&aws, PEER, "ec2", describe, &[]).await;
    assert_eq!(
        (seen.all("vpcPeeringConnectionId"), seen.all("key").len()),
        (vec![id], 0),
        "each side has its own tags"
    );
    assert!(of_account(&aws, PEER, "ec2", describe, &by_tag).await.all("vpcPeeringConnectionId").is_empty());
}
