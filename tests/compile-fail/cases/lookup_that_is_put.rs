#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::UsEast;
use provision_aws::prelude::*;
use provision_aws::{Ami, Vpc};
use provision_core::prelude::*;

fn block(b: &Block<UsEast>, (): ()) {
    b.put("image", Ami { owner: "amazon" });
    b.find("main", Vpc { cidr: cidr!("10.0.0.0/16") });
}

fn main() {}
