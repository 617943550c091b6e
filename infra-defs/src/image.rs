//! What our hosts start from.

use provision_aws::prelude::*;
use provision_aws::{Ami, AmiId};
use provision_core::prelude::*;

/// Amazon, which makes Amazon Linux.
const AMAZON: &str = "137112412989";

/// The newest Amazon Linux. It is looked up when a plan is made: the plan says which one it is, and what a newer one changes.
pub fn image<D: AwsDc>(b: &Block<D>) -> Ref<AmiId, D> {
    b.find("image", Ami { owner: AMAZON }).name("al202*-ami-202*-kernel-*-x86_64").newest(true).id()
}
