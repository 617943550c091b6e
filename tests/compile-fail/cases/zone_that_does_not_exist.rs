#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use provision_aws::prelude::*;
use provision_aws::{EuWest1, Zone};
use provision_core::prelude::*;

const ZONE: Zone<EuWest1> = EuWest1::F;

fn main() {}
