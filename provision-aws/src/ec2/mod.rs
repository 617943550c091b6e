//! EC2: networks, who may talk to whom in them, and machines. A file per type.

use crate::table::{Row, Source};

pub(crate) mod list;
pub mod machine;
pub(crate) mod permission;
pub(crate) mod tags;
mod vpc_attachment;
pub(crate) mod vpc_peering_accepting;

pub mod acl_entry;
pub mod acl_lookup;
pub mod ami;
pub mod asn;
pub mod block_device;
pub mod customer_gateway;
pub mod dhcp_options;
pub mod elastic_ip;
pub mod flow_logs;
pub mod instance;
pub mod internet_gateway;
pub mod key_pair;
pub mod launch_template;
pub mod nat_gateway;
pub mod network_acl;
pub mod network_interface;
pub mod placement_group;
pub mod route;
pub mod route_table;
pub mod rule;
pub mod security_group;
pub mod subnet;
pub mod transit_gateway;
pub mod transit_gateway_attachment;
pub mod transit_gateway_route_table;
pub mod volume;
pub mod vpc;
pub mod vpc_endpoint;
pub mod vpc_peering;
pub mod vpn_connection;
pub mod vpn_gateway;

/// EC2's types.
pub(crate) static ROWS: &[&Row] = &[
    &vpc::ROW,
    &subnet::ROW,
    &security_group::ROW,
    &instance::ROW,
    &internet_gateway::ROW,
    &elastic_ip::ROW,
    &nat_gateway::ROW,
    &route_table::ROW,
    &vpc_endpoint::ROW,
    &network_interface::ROW,
    &flow_logs::ROW,
    &dhcp_options::ROW,
    &network_acl::ROW,
    &vpc_peering::ROW,
    &vpc_peering::ACCEPTER,
    &customer_gateway::ROW,
    &vpn_gateway::ROW,
    &vpn_connection::ROW,
    &transit_gateway::ROW,
    &transit_gateway_attachment::ROW,
    &transit_gateway_route_table::ROW,
    &key_pair::ROW,
    &launch_template::ROW,
    &placement_group::ROW,
    &volume::ROW,
];

/// EC2's data sources.
pub(crate) static DATA_SOURCES: &[&Source] = &[&ami::SOURCE, &acl_lookup::SUBNET_ACL, &acl_lookup::DEFAULT_ACL];
