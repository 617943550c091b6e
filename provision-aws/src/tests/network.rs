//! What authors of networks write wrong.

use provision_core::prelude::*;

use super::{UsEast, findings};
use crate::prelude::*;
use crate::{
    Connectivity, DhcpOptions, ElasticIp, EndpointType, FlowLogs, InstanceId, InternetGateway, LogDestination,
    LogSource, NatGateway, NetworkInterface, Route, RouteTable, Subnet, Vpc, VpcEndpoint,
};

const AMAZONS: &str = "AmazonProvidedDNS";

fn wrong<D: AwsDc>(b: &Block<D>, (): ()) {
    let vpc = b.put("main", Vpc { cidr: cidr!("10.0.0.0/16") });
    let [zone, ..] = D::zones();
    let subnet = b.put("subnet", Subnet { vpc, zone, cidr: cidr!("10.0.0.0/24") });
    let internet = b.put("internet", InternetGateway { vpc });
    let leg = b.put("leg", NetworkInterface { subnet }).private_ip("10.0.0.300").device_index(0);
    let host: Ref<InstanceId, D> = b
        .put("host", crate::Instance { subnet, ami: "ami-1", instance_type: "t3.micro" })
        .security_groups([b.put("inside", crate::SecurityGroup { vpc, description: "inside" })])
        .id();
    let address = b.put("address", ElasticIp {}).instance(host).network_interface(leg).address("10.0.0");
    b.put("out", NatGateway { subnet });
    b.put("partners", NatGateway { subnet })
        .connectivity(Connectivity::Private)
        .allocation(address)
        .internet_gateway(internet);
    b.put("table", RouteTable { vpc }).routes([
        Route::to(cidr!("0.0.0.0/0"), internet),
        Route::to(cidr!("0.0.0.0/0"), leg),
        Route::to_prefix_list("s3", internet),
    ]);
    b.put("gateway", VpcEndpoint { vpc, service: "s3" }).subnets([subnet]).private_dns(true).policy("[]");
    b.put("interface", VpcEndpoint { vpc, service: D::service("ssm") }).endpoint_type(EndpointType::Interface);
    b.put("nothing", DhcpOptions {});
    b.put("names", DhcpOptions {}).domain_name_servers(["ns.example.com"]).ntp_servers([AMAZONS; 5]);
    b.put("flows", FlowLogs { source: LogSource::of(vpc), destination: LogDestination::log_group("arn:aws:logs:x:*") })
        .interval(30)
        .hourly(true);
}

#[test]
fn what_aws_would_refuse_is_found() {
    insta::assert_snapshot!(findings(UsEast, "net", wrong));
}
