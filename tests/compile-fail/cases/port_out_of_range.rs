#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use provision_aws::prelude::*;
use provision_aws::{Rule, SecurityGroup, VpcId};
use provision_core::prelude::*;

fn block<D: AwsDc>(b: &Block<D>, vpc: Ref<VpcId, D>) {
    b.put("open", SecurityGroup { vpc, description: "open" }).ingress([Rule::tcp(70_000, cidr!("10.0.0.0/8"))]);
}

fn main() {}
