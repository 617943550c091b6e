#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::{EuWest, Network, UsEast};
use provision_aws::Instance;
use provision_aws::prelude::*;
use provision_core::prelude::*;

fn block(b: &Block<UsEast>, here: &Network<UsEast>, there: &Network<EuWest>) {
    b.put("host", Instance { subnet: here.private, ami: "ami-1", instance_type: "t3.micro" })
        .user_data(text!("peer={}", there.vpc));
}

fn main() {}
