//! The kinds of objects: which call makes one, where its id stands, and what is said of one that is not there.

/// A kind of object.
#[derive(Debug)]
pub(crate) struct Kind {
    /// The call that makes one. Its answer has the id.
    pub(crate) create: &'static str,
    /// The call that lists them.
    pub(crate) describe: &'static str,
    /// The element that holds the id.
    pub(crate) id: &'static str,
    /// The error code for one that does not exist.
    missing: &'static str,
    /// What its error message calls it.
    noun: &'static str,
}

const fn kind(
    create: &'static str,
    describe: &'static str,
    id: &'static str,
    missing: &'static str,
    noun: &'static str,
) -> Kind {
    Kind { create, describe, id, missing, noun }
}

/// Codes as in the EC2 API Reference, "Error codes for the Amazon EC2 API", and in the error lists of the other services' creates
/// and describes.
pub(crate) const KINDS: [Kind; 32] = [
    kind("CreateVpc", "DescribeVpcs", "vpcId", "InvalidVpcID.NotFound", "vpc ID"),
    kind("CreateSubnet", "DescribeSubnets", "subnetId", "InvalidSubnetID.NotFound", "subnet ID"),
    kind("CreateSecurityGroup", "DescribeSecurityGroups", "groupId", "InvalidGroup.NotFound", "security group"),
    kind("RunInstances", "DescribeInstances", "instanceId", "InvalidInstanceID.NotFound", "instance ID"),
    kind(
        "CreateInternetGateway",
        "DescribeInternetGateways",
        "internetGatewayId",
        "InvalidInternetGatewayID.NotFound",
        "internetGateway ID",
    ),
    kind("AllocateAddress", "DescribeAddresses", "allocationId", "InvalidAllocationID.NotFound", "allocation ID"),
    kind("CreateNatGateway", "DescribeNatGateways", "natGatewayId", "NatGatewayNotFound", "NAT gateway"),
    kind("CreateRouteTable", "DescribeRouteTables", "routeTableId", "InvalidRouteTableID.NotFound", "routeTable ID"),
    kind("CreateNetworkAcl", "DescribeNetworkAcls", "networkAclId", "InvalidNetworkAclID.NotFound", "networkAcl ID"),
    kind(
        "CreateVpcEndpoint",
        "DescribeVpcEndpoints",
        "vpcEndpointId",
        "InvalidVpcEndpointId.NotFound",
        "Vpc Endpoint Id",
    ),
    kind(
        "CreateVpcPeeringConnection",
        "DescribeVpcPeeringConnections",
        "vpcPeeringConnectionId",
        "InvalidVpcPeeringConnectionID.NotFound",
        "vpcPeeringConnection ID",
    ),
    kind(
        "CreateNetworkInterface",
        "DescribeNetworkInterfaces",
        "networkInterfaceId",
        "InvalidNetworkInterfaceID.NotFound",
        "networkInterface ID",
    ),
    kind("CreateVolume", "DescribeVolumes", "volumeId", "InvalidVolume.NotFound", "volume"),
    kind("ImportKeyPair", "DescribeKeyPairs", "keyPairId", "InvalidKeyPair.NotFound", "key pair"),
    kind(
        "CreatePlacementGroup",
        "DescribePlacementGroups",
        "groupId",
        "InvalidPlacementGroup.Unknown",
        "Placement Group",
    ),
    kind("CreateFlowLogs", "DescribeFlowLogs", "flowLogId", "InvalidFlowLogId.NotFound", "flow log"),
    kind(
        "CreateLaunchTemplate",
        "DescribeLaunchTemplates",
        "launchTemplateId",
        "InvalidLaunchTemplateId.NotFound",
        "launch template ID",
    ),
    kind(
        "CreateCustomerGateway",
        "DescribeCustomerGateways",
        "customerGatewayId",
        "InvalidCustomerGatewayID.NotFound",
        "customerGateway ID",
    ),
    kind("CreateVpnGateway", "DescribeVpnGateways", "vpnGatewayId", "InvalidVpnGatewayID.NotFound", "vpnGateway ID"),
    kind(
        "CreateVpnConnection",
        "DescribeVpnConnections",
        "vpnConnectionId",
        "InvalidVpnConnectionID.NotFound",
        "vpnConnection ID",
    ),
    kind(
        "CreateTransitGateway",
        "DescribeTransitGateways",
        "transitGatewayId",
        "InvalidTransitGatewayID.NotFound",
        "Transit Gateway",
    ),
    kind(
        "CreateTransitGatewayVpcAttachment",
        "DescribeTransitGatewayVpcAttachments",
        "transitGatewayAttachmentId",
        "InvalidTransitGatewayAttachmentID.NotFound",
        "Transit Gateway Attachment",
    ),
    kind(
        "CreateTransitGatewayRouteTable",
        "DescribeTransitGatewayRouteTables",
        "transitGatewayRouteTableId",
        "InvalidRouteTableID.NotFound",
        "Transit Gateway Route Table",
    ),
    kind("CreateLoadBalancer", "DescribeLoadBalancers", "LoadBalancerArn", "LoadBalancerNotFound", "load balancer"),
    kind("CreateTargetGroup", "DescribeTargetGroups", "TargetGroupArn", "TargetGroupNotFound", "target group"),
    kind("CreateListener", "DescribeListeners", "ListenerArn", "ListenerNotFound", "listener"),
    kind("CreateRule", "DescribeRules", "RuleArn", "RuleNotFound", "rule"),
    kind("CreateRole", "ListRoles", "RoleName", "NoSuchEntity", "role"),
    kind("CreateInstanceProfile", "ListInstanceProfiles", "InstanceProfileName", "NoSuchEntity", "instance profile"),
    kind("CreatePolicy", "ListPolicies", "Arn", "NoSuchEntity", "policy"),
    kind("CreateHostedZone", "ListHostedZones", "Id", "NoSuchHostedZone", "hosted zone"),
    kind(
        "CreateTransitGatewayPeeringAttachment",
        "DescribeTransitGatewayPeeringAttachments",
        "transitGatewayAttachmentId",
        "InvalidTransitGatewayAttachmentID.NotFound",
        "Transit Gateway Attachment",
    ),
];

impl Kind {
    /// The status, code and message for one that does not exist.
    pub(crate) fn missing(&self, id: &str) -> (u16, &'static str, String) {
        let status = if matches!(self.missing, "NoSuchEntity" | "NoSuchHostedZone") { 404 } else { 400 };
        (status, self.missing, format!("The {} '{id}' does not exist", self.noun))
    }
}

/// The kind that a call makes.
pub(crate) fn made_by(action: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.create == action)
}

/// The kind that a call lists.
pub(crate) fn listed_by(action: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.describe == action)
}

/// Whether a call only looks.
pub(crate) fn only_looks(action: &str) -> bool {
    ["Describe", "Get", "List", "Head", "Search"].iter().any(|verb| action.starts_with(verb))
}
