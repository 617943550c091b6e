#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::{EuWest, Network, UsEast};
use provision_aws::prelude::*;
use provision_aws::{AmiId, Instance};
use provision_core::prelude::*;

fn block(b: &Block<UsEast>, (net, image): (&Network<UsEast>, Ref<AmiId, EuWest>)) {
    b.put("host", Instance { subnet: net.private, ami: image, instance_type: "t3.micro" });
}

fn main() {}
