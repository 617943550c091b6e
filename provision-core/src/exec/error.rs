//! Why a run could not be made.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::id::BlockAddr;
use crate::plan::Cycle;
use crate::stream::{ClaimError, ReadError, StartError, StoreError, WriteError};
use crate::target::TargetId;

/// Why a run could not be made. Nothing was changed in any cloud; only after [`RunError::Driver`] that is not known.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RunError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stream cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A target cannot be used.
    #[error("{target}: {problem}")]
    Target {
        /// Which.
        target: TargetId,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// The plan has a run already.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A block could not be claimed.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// It was interrupted while it waited for a block that another run holds.
    #[error("interrupted while {0} was waited for; nothing was done")]
    Interrupted(BlockAddr),
    /// The log cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The plan was made of something else than this build.
    #[error("this plan {0}; plan again")]
    OtherPlan(String),
    /// A block has changed since the plan was sealed.
    #[error(
        "this plan is stale, so nothing is done: the state of {block} is not the one that it was made from (another run \
         changed it{by}); plan again"
    )]
    Stale {
        /// The block.
        block: BlockAddr,
        /// Who wrote there last.
        by: String,
    },
    /// The world has changed since the plan was approved.
    #[error("the world has changed since the plan was made, so nothing is done: {0}; plan again")]
    Changed(String),
    /// The actions cannot be ordered.
    #[error(transparent)]
    Cycle(#[from] Cycle),
    /// A selection names what there is not.
    #[error("`{name}` is selected, and neither the code nor the state has {what} of that name")]
    Selection {
        /// What kind of thing.
        what: String,
        /// Its name.
        name: String,
        /// The names that there are.
        known: BTreeSet<String>,
    },
    /// No block is all that a selection asks for.
    #[error("nothing is selected: no block is {0}, neither in the code nor in the state; leave one of these out")]
    NothingSelected(String),
    /// Most of what there is would go.
    #[error(
        "{leaving} of {recorded} objects would be deleted because the code no longer has them; if that is what you want, give --allow-many-deletions"
    )]
    ManyDeletions {
        /// How many.
        leaving: usize,
        /// Of how many.
        recorded: usize,
    },
    /// What drives the run is missing or gone: random numbers, a runtime, its task. If it was begun, it ended as if its
    /// process had been killed: the next run finds out what landed.
    #[error("the run could not be driven to its end: {0}")]
    Driver(String),
}
