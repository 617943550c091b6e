//! Private ways to AWS' own services, so that what runs here needs no way out for them.

use provision_aws::prelude::*;
use provision_aws::{EndpointType, VpcEndpoint};
use provision_core::prelude::*;

use crate::TAGS;
use crate::network::Network;
use crate::routes::Routes;
use crate::security::Security;

/// The services that Systems Manager needs: sessions on hosts without any SSH, and patches.
const MANAGEMENT: [&str; 3] = ["ssm", "ssmmessages", "ec2messages"];

/// S3 by the private route tables, at no cost, and the others by an interface in each zone.
pub fn endpoints<D: AwsDc>(b: &Block<D>, (net, routes, groups): (&Network<D>, &Routes<D>, &Security<D>)) {
    let vpc = net.vpc;
    b.put("s3", VpcEndpoint { vpc, service: D::service("s3") }).route_tables(routes.private).tags(TAGS);
    for name in MANAGEMENT {
        b.put(name, VpcEndpoint { vpc, service: D::service(name) })
            .endpoint_type(EndpointType::Interface)
            .subnets(net.private)
            .security_groups([groups.endpoints])
            // The service's usual name leads here: nobody has to know that there is an endpoint.
            .private_dns(true)
            .tags(TAGS);
    }
}
