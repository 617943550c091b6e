//! AWS for provision: typed resources, the calls that make them, and the client that sends those.
//!
//! The *pure half* ([`Aws`]) compiles changes into calls and links no SDK; one file per resource type, which says all that
//! there is to say of it. The *client half* (`client`, behind the feature of that name) sends one call or one read with the
//! AWS SDK.
//!
//! Modules of an infrastructure import the setters at once and the types by name, as in
//! `use provision_aws::prelude::*; use provision_aws::{Subnet, Vpc};`: the compiler then writes `Vpc` in its messages,
//! where it would write the whole path of a type that came by `*`.

// The table of types also says how answers are read, which only the client half does.
#![cfg_attr(not(feature = "client"), expect(dead_code, reason = "without the client half nothing is read"))]

#[macro_use]
mod table;
mod tags;

pub mod autoscaling;
pub mod ec2;
pub mod elbv2;
pub mod errors;
pub mod iam;
pub mod provider;
pub mod region;
pub mod route53;
pub mod s3;
mod security;

#[cfg(feature = "client")]
pub mod client;

#[cfg(test)]
mod tests;

pub use autoscaling::group::{
    AutoScalingGroup, AutoScalingGroupId, AutoScalingGroupKind, HealthCheck, TerminationPolicy,
};
pub use ec2::acl_entry::{AclEntry, AclNumber};
pub use ec2::ami::{Ami, AmiId, AmiKind};
pub use ec2::asn::{Asn, PrivateAsn};
pub use ec2::block_device::BlockDevice;
pub use ec2::customer_gateway::{CustomerGateway, CustomerGatewayId, CustomerGatewayKind};
pub use ec2::dhcp_options::{DhcpOptions, DhcpOptionsId, DhcpOptionsKind};
pub use ec2::elastic_ip::{ElasticIp, ElasticIpId, ElasticIpKind};
pub use ec2::flow_logs::{
    FlowLogs, FlowLogsId, FlowLogsKind, HasFlowLogs, LogDestination, LogSource, TrafficType, Watched,
};
pub use ec2::instance::{Instance, InstanceId, InstanceKind};
pub use ec2::internet_gateway::{InternetGateway, InternetGatewayId, InternetGatewayKind};
pub use ec2::key_pair::{KeyPair, KeyPairId, KeyPairKind, SshKey};
pub use ec2::launch_template::{LaunchTemplate, LaunchTemplateId, LaunchTemplateKind};
pub use ec2::machine::{CpuCredits, MetadataTokens};
pub use ec2::nat_gateway::{Connectivity, NatGateway, NatGatewayId, NatGatewayKind};
pub use ec2::network_acl::{NetworkAcl, NetworkAclId, NetworkAclKind};
pub use ec2::network_interface::{NetworkInterface, NetworkInterfaceId, NetworkInterfaceKind};
pub use ec2::placement_group::{PlacementGroup, PlacementGroupId, PlacementGroupKind, PlacementStrategy, SpreadLevel};
pub use ec2::route::{Route, RouteTarget, Way};
pub use ec2::route_table::{RouteTable, RouteTableId, RouteTableKind};
pub use ec2::rule::Rule;
pub use ec2::security_group::{SecurityGroup, SecurityGroupId, SecurityGroupKind};
pub use ec2::subnet::{Subnet, SubnetId, SubnetKind};
pub use ec2::transit_gateway::{TransitGateway, TransitGatewayId, TransitGatewayKind};
pub use ec2::transit_gateway_attachment::{
    TransitGatewayAttachmentId, TransitGatewayVpcAttachment, TransitGatewayVpcAttachmentKind,
};
pub use ec2::transit_gateway_route_table::{
    TransitGatewayRoute, TransitGatewayRouteTable, TransitGatewayRouteTableId, TransitGatewayRouteTableKind,
};
pub use ec2::volume::{Attachment, Volume, VolumeId, VolumeKind, VolumeType};
pub use ec2::vpc::{Vpc, VpcId, VpcKind};
pub use ec2::vpc_endpoint::{EndpointPolicy, EndpointType, IpAddressType, VpcEndpoint, VpcEndpointId, VpcEndpointKind};
pub use ec2::vpc_peering::{
    VpcPeering, VpcPeeringAccepter, VpcPeeringAccepterId, VpcPeeringAccepterKind, VpcPeeringId, VpcPeeringKind,
};
pub use ec2::vpn_connection::{VpnConnection, VpnConnectionId, VpnConnectionKind};
pub use ec2::vpn_gateway::{VpnGateway, VpnGatewayId, VpnGatewayKind};
pub use elbv2::action::{Action, Redirect};
pub use elbv2::condition::Condition;
pub use elbv2::listener::{AlpnPolicy, Listener, ListenerId, ListenerKind, ListenerProtocol};
pub use elbv2::listener_rule::{ListenerRule, ListenerRuleId, ListenerRuleKind};
pub use elbv2::load_balancer::{
    BalancerAddresses, ClientRouting, DesyncMitigation, LoadBalancer, LoadBalancerId, LoadBalancerKind,
    LoadBalancerType, LogsTo, XffProcessing,
};
pub use elbv2::target_group::{
    Algorithm, CrossZone, ProtocolVersion, Stickiness, TargetAddresses, TargetGroup, TargetGroupId, TargetGroupKind,
    TargetProtocol, TargetType,
};
pub use iam::document::{PolicyDocument, PolicyDocuments, Statement};
pub use iam::instance_profile::{InstanceProfile, InstanceProfileId, InstanceProfileKind};
pub use iam::managed_policy::ManagedPolicy;
pub use iam::policy::{Policy, PolicyId, PolicyKind};
pub use iam::policy_attachment::{PolicyAttachment, PolicyAttachmentId, PolicyAttachmentKind};
pub use iam::role::{Role, RoleId, RoleKind};
pub use provider::{Aws, apis};
pub use region::{ApNortheast1, ApSoutheast2, AwsRegion, EuCentral1, EuWest1, UsEast1, UsEast2, UsWest2, Zone};
pub use route53::alias::Alias;
pub use route53::hosted_zone::{HostedZone, HostedZoneId, HostedZoneKind};
pub use route53::record::{Record, RecordId, RecordKind};
pub use route53::record_type::RecordType;
pub use route53::zone_lookup::{FindZone, FindZoneKind};
pub use route53::zone_vpc::ZoneVpc;
pub use s3::bucket::{Bucket, BucketId, BucketKind};
pub use table::{Api, Class};

/// What this was built from: the version, and a digest of the sources. Both halves of it have to be the same, also where the
/// client half is in a process of its own.
pub const BUILD: &str =
    concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"), " ", env!("PROVISION_AWS_DIGEST"));

/// The traits that a module of an infrastructure on AWS needs: [`AwsDc`](prelude::AwsDc), and the setters of resources.
pub mod prelude {
    pub use crate::autoscaling::group::AutoScalingGroupExt as _;
    pub use crate::ec2::ami::AmiExt as _;
    pub use crate::ec2::customer_gateway::CustomerGatewayExt as _;
    pub use crate::ec2::dhcp_options::DhcpOptionsExt as _;
    pub use crate::ec2::elastic_ip::ElasticIpExt as _;
    pub use crate::ec2::flow_logs::FlowLogsExt as _;
    pub use crate::ec2::instance::InstanceExt as _;
    pub use crate::ec2::internet_gateway::InternetGatewayExt as _;
    pub use crate::ec2::key_pair::KeyPairExt as _;
    pub use crate::ec2::launch_template::LaunchTemplateExt as _;
    pub use crate::ec2::nat_gateway::NatGatewayExt as _;
    pub use crate::ec2::network_acl::NetworkAclExt as _;
    pub use crate::ec2::network_interface::NetworkInterfaceExt as _;
    pub use crate::ec2::placement_group::PlacementGroupExt as _;
    pub use crate::ec2::route_table::RouteTableExt as _;
    pub use crate::ec2::security_group::SecurityGroupExt as _;
    pub use crate::ec2::subnet::SubnetExt as _;
    pub use crate::ec2::transit_gateway::TransitGatewayExt as _;
    pub use crate::ec2::transit_gateway_attachment::TransitGatewayVpcAttachmentExt as _;
    pub use crate::ec2::transit_gateway_route_table::TransitGatewayRouteTableExt as _;
    pub use crate::ec2::volume::VolumeExt as _;
    pub use crate::ec2::vpc::VpcExt as _;
    pub use crate::ec2::vpc_endpoint::VpcEndpointExt as _;
    pub use crate::ec2::vpc_peering::{VpcPeeringAccepterExt as _, VpcPeeringExt as _};
    pub use crate::ec2::vpn_connection::VpnConnectionExt as _;
    pub use crate::ec2::vpn_gateway::VpnGatewayExt as _;
    pub use crate::elbv2::listener::ListenerExt as _;
    pub use crate::elbv2::listener_rule::ListenerRuleExt as _;
    pub use crate::elbv2::load_balancer::LoadBalancerExt as _;
    pub use crate::elbv2::target_group::TargetGroupExt as _;
    pub use crate::iam::instance_profile::InstanceProfileExt as _;
    pub use crate::iam::policy::PolicyExt as _;
    pub use crate::iam::role::RoleExt as _;
    pub use crate::region::AwsDc;
    pub use crate::route53::hosted_zone::HostedZoneExt as _;
    pub use crate::route53::record::RecordExt as _;
    pub use crate::route53::zone_lookup::FindZoneExt as _;
    pub use crate::s3::bucket::BucketExt as _;
}
