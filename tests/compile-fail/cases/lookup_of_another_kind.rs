#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::{Network, UsEast};
use provision_aws::prelude::*;
use provision_aws::{Ami, Instance};
use provision_core::prelude::*;

fn block(b: &Block<UsEast>, net: &Network<UsEast>) {
    let image = b.find("image", Ami { owner: "amazon" });
    b.put("host", Instance { subnet: image, ami: net.vpc, instance_type: "t3.micro" });
}

fn main() {}
