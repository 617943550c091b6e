#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::{Staging, network};
use provision_aws::Vpc;
use provision_aws::prelude::*;
use provision_core::prelude::*;

#[data_centre(name = "lab", env = Staging, channel = Beta)]
struct Lab;

fn block(b: &Block<Lab>) {
    b.put("main", Vpc { cidr: cidr!("10.1.0.0/16") });
}

fn infrastructure(infra: &Infrastructure) {
    infra.dc(Lab).block("network", network, cidr!("10.1.0.0/16"));
}

fn main() {}
