#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::UsEast;
use provision_aws::prelude::*;
use provision_core::prelude::*;

struct Lab {
    size: u32,
}

fn lab<D: AwsDc>(_: &Block<D>, (): ()) -> Lab {
    Lab { size: 1 }
}

fn infrastructure(infra: &Infrastructure) {
    infra.dc(UsEast).block("lab", lab, ());
}

fn main() {}
