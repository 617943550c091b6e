#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::{EuWest, Network, UsEast};
use provision_aws::prelude::*;
use provision_aws::{Subnet, UsEast1};
use provision_core::prelude::*;

crossing!(EuWest => UsEast, via = peering);

fn block(b: &Block<UsEast>, theirs: &Network<EuWest>) {
    let subnet = b.import(theirs.private);
    b.put("private", Subnet { vpc: subnet, zone: UsEast1::A, cidr: cidr!("10.1.0.0/24") });
}

fn main() {}
