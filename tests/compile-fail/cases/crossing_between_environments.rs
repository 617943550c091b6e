#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::{EuWest, UsEast, UsStaging};
use provision_core::prelude::*;

crossing!(UsEast => UsStaging, via = peering);

fn main() {}
