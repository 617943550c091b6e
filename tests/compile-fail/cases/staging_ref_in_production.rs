#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::{Network, UsEast, UsStaging};
use provision_aws::Instance;
use provision_aws::prelude::*;
use provision_core::prelude::*;

fn block(b: &Block<UsEast>, staging: &Network<UsStaging>) {
    b.put("host", Instance { subnet: staging.private, ami: "ami-1", instance_type: "t3.micro" });
}

fn main() {}
