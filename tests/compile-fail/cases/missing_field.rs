#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use provision_aws::prelude::*;
use provision_aws::{Subnet, VpcId};
use provision_core::prelude::*;

fn block<D: AwsDc>(b: &Block<D>, vpc: Ref<VpcId, D>) {
    b.put("private", Subnet { vpc, cidr: cidr!("10.1.0.0/24") });
}

fn main() {}
