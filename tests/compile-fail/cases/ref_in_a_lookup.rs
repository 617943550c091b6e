#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::{Network, UsEast};
use provision_aws::Ami;
use provision_aws::prelude::*;
use provision_core::prelude::*;

fn block(b: &Block<UsEast>, net: &Network<UsEast>) {
    b.find("image", Ami { owner: net.vpc });
    b.find("other", Ami { owner: "amazon" }).name(net.inside);
}

fn main() {}
