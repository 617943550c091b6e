#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use provision_aws::Aws;
use provision_core::prelude::*;

#[data_source(cloud = Aws, kind = "aws_thing")]
pub struct Thing {
    #[attr(replace)]
    pub name: String,
    #[attr(computed)]
    pub id: ThingId,
}

fn main() {}
