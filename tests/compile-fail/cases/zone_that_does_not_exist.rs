#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::*;
use provision_aws::prelude::*;
use provision_core::prelude::*;

const ZONE: Zone<EuWest1> = EuWest1::F;

fn main() {}
