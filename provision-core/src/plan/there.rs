//! What there is of each block, found once: a planner asks for it several times for each resource.

use super::input::{Inputs, Mode};
use crate::desired::DesiredBlock;
use crate::fast::FastMap;
use crate::id::{BlockAddr, EnvName};
use crate::stream::BlockState;

/// What there is of a block.
#[derive(Clone, Copy)]
pub(super) struct There<'a> {
    /// Its definition, unless everything is to go.
    pub(super) definition: Option<&'a DesiredBlock>,
    /// What its log says, if it can be read.
    pub(super) state: Option<&'a BlockState>,
    /// Its environment, by the code or else by its log.
    pub(super) env: Option<&'a EnvName>,
    /// Whether the plan is about it.
    pub(super) selected: bool,
}

impl<'a> There<'a> {
    pub(super) fn of(inputs: Inputs<'a>, block: &BlockAddr) -> Self {
        let definition = match inputs.mode {
            Mode::Apply | Mode::Adopt => inputs.desired.blocks.get(block),
            Mode::Destroy => None,
        };
        let state = inputs.recorded.get(block).and_then(|recorded| recorded.as_ref().ok());
        let dc = inputs.desired.dcs.get(&block.dc);
        let env = dc.map(|dc| &dc.env).or_else(|| state?.env.as_ref());
        Self { definition, state, env, selected: inputs.selection.names(block, env) }
    }
}

/// What there is of every block that the code or a log has.
pub(super) fn there(inputs: Inputs<'_>) -> FastMap<&BlockAddr, There<'_>> {
    let blocks = inputs.desired.blocks.keys().chain(inputs.recorded.keys());
    blocks.map(|block| (block, There::of(inputs, block))).collect()
}
