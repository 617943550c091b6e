//! What moto would let pass: things in use, ids that there are not, filters.

use crate::support::{create_vpc, ec2, network, route53, server, zone};

#[tokio::test]
async fn a_network_is_taken_down_in_its_order() {
    let Some(aws) = server().await else { return };
    let (vpc, [one, _]) = network(&aws).await;
    let code = async |action, params: &[(&str, &str)]| {
        let reply = ec2(&aws, action, params).await;
        if reply.status == Some(200) { "done".to_owned() } else { reply.one("Code") }
    };
    let address = ec2(&aws, "AllocateAddress", &[("Domain", "vpc")]).await.one("allocationId");
    let nat = [("SubnetId", one.as_str()), ("AllocationId", &address)];
    assert_eq!(code("CreateNatGateway", &nat).await, "Gateway.NotAttached");
    let gateway = ec2(&aws, "CreateInternetGateway", &[]).await.one("internetGatewayId");
    let attach = [("InternetGatewayId", gateway.as_str()), ("VpcId", vpc.as_str())];
    assert_eq!(code("AttachInternetGateway", &attach).await, "done");
    let nat = ec2(&aws, "CreateNatGateway", &nat).await.one("natGatewayId");
    let table = ec2(&aws, "CreateRouteTable", &[("VpcId", &vpc)]).await.one("routeTableId");
    let other = ec2(&aws, "CreateRouteTable", &[("VpcId", &vpc)]).await.one("routeTableId");
    let associate = |table| [("RouteTableId", table), ("SubnetId", one.as_str())];
    assert_eq!(code("AssociateRouteTable", &associate(&table)).await, "done");
    assert_eq!(code("AssociateRouteTable", &associate(&other)).await, "Resource.AlreadyAssociated");
    for (action, name, id, expected) in [
        ("DeleteSubnet", "SubnetId", &one, "DependencyViolation"),
        ("ReleaseAddress", "AllocationId", &address, "InvalidIPAddress.InUse"),
        ("DeleteVpc", "VpcId", &vpc, "DependencyViolation"),
    ] {
        assert_eq!(code(action, &[(name, id)]).await, expected, "{action}");
    }
    assert_eq!(code("DetachInternetGateway", &attach).await, "DependencyViolation");
    for (action, name, id) in [
        ("DeleteNatGateway", "NatGatewayId", &nat),
        ("ReleaseAddress", "AllocationId", &address),
        ("DeleteSubnet", "SubnetId", &one),
        ("DeleteRouteTable", "RouteTableId", &table),
    ] {
        assert_eq!(code(action, &[(name, id)]).await, "done", "{action}");
    }
    assert_eq!(code("DetachInternetGateway", &attach).await, "done");
}

#[tokio::test]
async fn filters_by_tag_and_unknown_ids_are_heeded() {
    let Some(aws) = server().await else { return };
    let (vpc, [one, _]) = network(&aws).await;
    let gateway = [("Type", "ipsec.1"), ("PublicIp", "192.0.2.1"), ("BgpAsn", "65000")];
    ec2(&aws, "CreateCustomerGateway", &gateway).await;
    ec2(&aws, "CreateNatGateway", &[("SubnetId", &one), ("ConnectivityType", "private")]).await;
    let transit = ec2(&aws, "CreateTransitGateway", &[]).await.one("transitGatewayId");
    let attachment = [
        ("TransitGatewayId", transit.as_str()),
        ("VpcId", vpc.as_str()),
        ("SubnetIds.1", one.as_str()),
        ("TagSpecifications.1.ResourceType", "transit-gateway-attachment"),
        ("TagSpecifications.1.Tag.1.Key", "a"),
        ("TagSpecifications.1.Tag.1.Value", "b"),
    ];
    ec2(&aws, "CreateTransitGatewayVpcAttachment", &attachment).await;
    let tagged = [("Filter.1.Name", "tag:a"), ("Filter.1.Value.1", "b")];
    for (action, element, param, id, code, with_tag) in [
        (
            "DescribeCustomerGateways",
            "customerGatewayId",
            "CustomerGatewayId.1",
            "cgw-0",
            "InvalidCustomerGatewayID.NotFound",
            0,
        ),
        ("DescribeNatGateways", "natGatewayId", "NatGatewayId.1", "nat-0", "NatGatewayNotFound", 0),
        (
            "DescribeTransitGatewayVpcAttachments",
            "transitGatewayAttachmentId",
            "TransitGatewayAttachmentIds.1",
            "tgw-attach-0",
            "InvalidTransitGatewayAttachmentID.NotFound",
            1,
        ),
        (
            "DescribeTransitGatewayRouteTables",
            "transitGatewayRouteTableId",
            "TransitGatewayRouteTableIds.1",
            "tgw-rtb-0",
            "InvalidRouteTableID.NotFound",
            0,
        ),
    ] {
        assert_eq!(ec2(&aws, action, &[]).await.all(element).len(), 1, "{action}");
        assert_eq!(ec2(&aws, action, &tagged).await.all(element).len(), with_tag, "{action}");
        assert_eq!(ec2(&aws, action, &[(param, id)]).await.error(), (400, code.to_owned()), "{action}");
    }
}

#[tokio::test]
async fn placement_groups_are_there() {
    let Some(aws) = server().await else { return };
    let group = [
        ("GroupName", "p"),
        ("Strategy", "spread"),
        ("TagSpecification.1.ResourceType", "placement-group"),
        ("TagSpecification.1.Tag.1.Key", "a"),
        ("TagSpecification.1.Tag.1.Value", "b"),
    ];
    assert_eq!(ec2(&aws, "CreatePlacementGroup", &group).await.one("strategy"), "spread");
    assert_eq!(ec2(&aws, "CreatePlacementGroup", &group).await.one("Code"), "InvalidPlacementGroup.Duplicate");
    let tagged = [("Filter.1.Name", "tag:a"), ("Filter.1.Value.1", "b")];
    assert_eq!(ec2(&aws, "DescribePlacementGroups", &tagged).await.all("groupName"), ["p"]);
    assert_eq!(ec2(&aws, "DeletePlacementGroup", &[("GroupName", "p")]).await.status, Some(200));
    assert_eq!(
        ec2(&aws, "DeletePlacementGroup", &[("GroupName", "p")]).await.one("Code"),
        "InvalidPlacementGroup.Unknown"
    );
    create_vpc(&aws, "10.0.0.0/16").await;
}

#[tokio::test]
async fn records_are_changed_as_they_are() {
    let Some(aws) = server().await else { return };
    let made = zone(&aws, "one.test", "a").await.one("Id");
    let path = format!(
        "{}/rrset",
        made.trim_start_matches('/').strip_prefix("hostedzone").map_or(String::new(), |id| format!("/hostedzone{id}"))
    );
    let change = async |action: &str, weight: &str, value: &str| {
        let body = format!(
            "<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeBatch><Changes><Change><Action>{action}</Action><ResourceRecordSet><Name>w.one.test</Name><Type>A</Type><SetIdentifier>{weight}</SetIdentifier><Weight>{weight}</Weight><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>{value}</Value></ResourceRecord></ResourceRecords></ResourceRecordSet></Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
        );
        let reply = route53(&aws, "POST", &path, &body).await;
        if reply.status == Some(200) { "done".to_owned() } else { reply.one("Code") }
    };
    assert_eq!(change("CREATE", "90", "192.0.2.1").await, "done");
    assert_eq!(change("CREATE", "10", "192.0.2.2").await, "done");
    assert_eq!(change("CREATE", "10", "192.0.2.3").await, "InvalidChangeBatch");
    assert_eq!(change("DELETE", "10", "192.0.2.3").await, "InvalidChangeBatch");
    assert_eq!(change("DELETE", "10", "192.0.2.2").await, "done");
    assert_eq!(change("DELETE", "10", "192.0.2.2").await, "InvalidChangeBatch");
    assert_eq!(route53(&aws, "GET", &path, "").await.all("Weight"), ["90"]);
}
