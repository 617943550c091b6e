#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::{EuWest, Network, UsEast};
use provision_aws::Subnet;
use provision_aws::UsEast1;
use provision_aws::prelude::*;
use provision_core::prelude::*;

// The other way round is another crossing.
crossing!(UsEast => EuWest, via = peering);

fn block(b: &Block<UsEast>, theirs: &Network<EuWest>) {
    b.put("private", Subnet { vpc: b.import(theirs.vpc), zone: UsEast1::A, cidr: cidr!("10.1.0.0/24") });
}

fn main() {}
