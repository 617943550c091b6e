#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::Network;
use provision_aws::Subnet;
use provision_aws::prelude::*;
use provision_core::prelude::*;

fn block<D: AwsDc>(b: &Block<D>, net: &Network<D>) {
    let [zone, ..] = D::zones();
    b.put("private", Subnet { vpc: net.private, zone, cidr: cidr!("10.1.0.0/24") });
}

fn main() {}
