#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::UsEast;
use provision_core::dsl::check::custom;
use provision_core::prelude::*;

fn alive() -> Result<(), String> {
    Ok(())
}

fn block(b: &Block<UsEast>) {
    b.check("alive", custom(alive, ()));
}

fn main() {}
