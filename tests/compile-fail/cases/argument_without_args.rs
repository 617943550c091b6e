#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::UsEast;
use provision_aws::prelude::*;
use provision_core::prelude::*;

struct Size(u32);

fn sized<D: AwsDc>(_: &Block<D>, _: &Size) {}

fn infrastructure(infra: &Infrastructure) {
    infra.dc(UsEast).block("sized", sized, &Size(1));
}

fn main() {}
