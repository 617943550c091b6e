#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::Network;
use provision_aws::Instance;
use provision_aws::prelude::*;
use provision_core::prelude::*;

fn block<D: AwsDc>(b: &Block<D>, net: &Network<D>) {
    b.put("host", Instance { subnet: net.public, ami: "ami-1", instance_type: "t3.micro" });
}

fn main() {}
