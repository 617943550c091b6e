#![allow(unused)]

#[path = "../src/lib.rs"]
mod infra;

use infra::{Network, UsEast};
use provision_aws::prelude::*;
use provision_aws::{Aws, VpcId};
use provision_core::dsl::Foreign;
use provision_core::prelude::*;

#[resource(cloud = Aws, kind = "aws_peering", version = 1)]
pub struct Peering {
    #[attr(replace)]
    pub peer: Foreign<VpcId>,
    #[attr(computed)]
    pub id: PeeringId,
}

fn block(b: &Block<UsEast>, net: &Network<UsEast>) {
    b.put("eu-west", Peering { peer: net.vpc });
}

fn main() {}
