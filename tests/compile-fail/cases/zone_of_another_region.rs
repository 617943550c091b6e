#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::UsEast;
use provision_aws::prelude::*;
use provision_aws::{EuWest1, Subnet, VpcId};
use provision_core::prelude::*;

fn block(b: &Block<UsEast>, vpc: Ref<VpcId, UsEast>) {
    b.put("private", Subnet { vpc, zone: EuWest1::A, cidr: cidr!("10.1.0.0/24") });
}

fn main() {}
