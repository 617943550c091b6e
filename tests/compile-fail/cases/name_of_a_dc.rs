#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::Prod;
use provision_aws::prelude::*;
use provision_core::prelude::*;

#[data_centre(name = "US.East", env = Prod, channel = Stable)]
struct Shouting;

fn main() {}
