#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::UsEast;
use provision_aws::Ami;
use provision_aws::prelude::*;
use provision_core::prelude::*;

fn block(b: &Block<UsEast>, (): ()) {
    b.find("image", Ami {});
    b.find("other", Ami { owner: 123 });
}

fn main() {}
