//! Blocks of a plan that somebody holds: whoever applies would meet that.

use provision_core::id::BlockAddr;
use provision_core::machine::HolderState;
use provision_core::stream::OpenClaim;

use crate::render::plain;
use crate::render::style::YELLOW;

/// A block that another run holds, or held when it was cut off.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) block: BlockAddr,
    pub(crate) claim: OpenClaim,
    /// What is known of its process.
    pub(crate) process: HolderState,
}

impl Held {
    /// Who holds it since when, and what becomes of an apply.
    pub(crate) fn line(&self) -> String {
        let Self { block, claim, process } = self;
        let (name, since) = (plain(&claim.holder.name), plain(&claim.holder.since));
        let run = claim.run.short();
        let says = match process {
            HolderState::Alive => format!(
                "is held by {name} (run {run}, since {since}), which is still running: an apply is refused, or waits with \
                 --lock-timeout"
            ),
            HolderState::Dead => {
                format!("was held by {name} (run {run}, since {since}), whose process is gone: an apply takes it over")
            }
            HolderState::Unknown => format!(
                "is held by {name} (run {run}, since {since}): until it gives the block back or shows no sign of life, an \
                 apply is refused, or waits with --lock-timeout"
            ),
        };
        format!("{YELLOW}note:{YELLOW:#} {block} {says}")
    }
}
