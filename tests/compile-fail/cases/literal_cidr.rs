#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use provision_aws::prelude::*;
use provision_core::prelude::*;

const HOST_BITS: Cidr = cidr!("10.1.2.0/16");
const MALFORMED: Cidr = cidr!("10.1.0.0");

fn main() {}
