#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::{EuWest, UsEast};
use provision_core::prelude::*;

crossing!(EuWest => UsEast);
crossing!(EuWest, UsEast);
crossing!(EuWest => UsEast, by = peering);

fn main() {}
