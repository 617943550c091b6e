//! Key pairs and placement groups.

use provision_aws::prelude::*;
use provision_aws::{KeyPair, PlacementGroup, PlacementStrategy};
use provision_core::prelude::*;

use super::{Family, Stage, tags};
use crate::infra::West;

pub(super) const FAMILY: Family = Family {
    name: "keys",
    types: &["aws_key_pair", "aws_placement_group"],
    kept: &[],
    define: |infra, stage| {
        infra.dc(West).block("keys", keys, stage);
    },
};

const ONE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMnUwbTmGDLdgnM4vUp8hh7sk7/2fMSAXnGGVKmWzlYn ops@example.org";
const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHGJTMLS4zuxvmM3uk3mX9dG0g5GD8jfVyj1Yg9v5Tyk dev@example.org";

fn keys<D: AwsDc>(b: &Block<D>, stage: Stage) {
    let tags = tags(stage);
    b.put("ops", KeyPair { public_key: stage.replaced(ONE, OTHER) }).tags(tags);
    b.put("named", KeyPair { public_key: ONE }).name("of everybody").tags(tags);
    b.put("near", PlacementGroup { strategy: PlacementStrategy::Cluster }).tags(tags);
    b.put("apart", PlacementGroup { strategy: PlacementStrategy::Partition })
        .partitions(stage.replaced(2, 3))
        .tags(tags);
}
