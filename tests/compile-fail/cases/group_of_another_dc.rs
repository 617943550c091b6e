#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::{EuWest, Network, UsEast};
use provision_aws::prelude::*;
use provision_aws::{Rule, SecurityGroup};
use provision_core::prelude::*;

fn block(b: &Block<UsEast>, here: &Network<UsEast>, there: &Network<EuWest>) {
    b.put("open", SecurityGroup { vpc: here.vpc, description: "open" }).ingress([Rule::tcp_from(22, there.inside)]);
}

fn main() {}
