#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use provision_aws::Vpc;
use provision_aws::prelude::*;
use provision_core::prelude::*;

fn block<D: AwsDc>(b: &Block<D>) {
    b.put("main", Vpc { cidr: "10.1.0.0/16" });
}

fn main() {}
