#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::{EuWest, Network, UsEast};
use provision_core::dsl::check::http;
use provision_core::prelude::*;

fn block(b: &Block<UsEast>, here: &Network<UsEast>, there: &Network<EuWest>) {
    b.check("alive", http(text!("http://{}/", there.vpc)));
}

fn main() {}
