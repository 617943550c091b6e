//! Virtual private clouds.

use provision_core::prelude::*;

use super::{Aws, check};

/// A virtual private cloud: a network of its own.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>) {
/// let vpc = b.put("main", Vpc { cidr: cidr!("10.1.0.0/16") }).dns_hostnames(true).tags([("team", "infra")]);
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_vpc", version = 1, check = check::vpc)]
pub struct Vpc {
    /// Its addresses: a network of /16 to /28.
    #[attr(replace)]
    pub cidr: Cidr,
    /// Whether names are resolved by Amazon's server.
    #[attr(default = true)]
    pub dns_support: bool,
    /// Whether instances with public addresses get public names.
    #[attr(default = false)]
    pub dns_hostnames: bool,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: VpcId,
}
