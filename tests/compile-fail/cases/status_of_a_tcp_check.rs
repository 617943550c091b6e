#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::UsEast;
use provision_core::dsl::check::tcp;
use provision_core::prelude::*;

fn block(b: &Block<UsEast>) {
    b.check("alive", tcp("web.internal:443").status(200));
}

fn main() {}
