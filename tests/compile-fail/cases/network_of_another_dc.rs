#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::{EuWest, UsEast, hosts, network};
use provision_aws::prelude::*;
use provision_core::prelude::*;

fn infrastructure(infra: &Infrastructure) {
    let eu = infra.dc(EuWest).block("network", network, cidr!("10.2.0.0/16"));
    infra.dc(UsEast).block("hosts", hosts, &eu);
}

fn main() {}
