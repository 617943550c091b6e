//! What became of a run, as data: of each action, each check, and each block.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{BlockAddr, CheckName, ObjectId, ResourceAddr, RunId};
use crate::progress::{CheckResult, Verb};
use crate::stream::event::RunOutcome;

/// What became of a run.
///
/// ```
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let engine = toy::engine(&toy::cloud());
/// use provision_core::embed::PlanRequest;
/// use provision_core::exec::{ActionResult, Binding, BlockResult};
/// use provision_core::progress::Verb;
///
/// let plan = engine.plan(&PlanRequest::default()).finish().await?.plan;
/// let report = engine.apply(plan, Binding::Ceiling).finish().await?;
/// for action in &report.actions {
///     assert_eq!((action.verb, &action.result), (Verb::Create, &ActionResult::Done), "{}", action.resource);
/// }
/// for (address, block) in &report.blocks {
///     assert_eq!(block.result, BlockResult::Succeeded, "{address}: {:?}", block.reason);
/// }
/// assert!(report.problems.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
    /// Its id.
    pub run: RunId,
    /// How it ended.
    pub outcome: RunOutcome,
    /// What became of each action.
    pub actions: Vec<ActionReport>,
    /// What became of each check.
    pub checks: Vec<CheckReport>,
    /// What became of each block of the plan.
    pub blocks: BTreeMap<BlockAddr, BlockReport>,
    /// What could not be given back or recorded at the end: the claims then end with the run.
    pub problems: Vec<String>,
}

/// What became of one action. Times are the runner's, in milliseconds since 1970: shown, never compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionReport {
    /// The resource.
    pub resource: ResourceAddr,
    /// What was to be done.
    pub verb: Verb,
    /// What became of it.
    pub result: ActionResult,
    /// When it began, if it did.
    pub began_ms: Option<u64>,
    /// When it ended, if it began.
    pub ended_ms: Option<u64>,
}

/// What became of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionResult {
    /// It was done.
    Done,
    /// Nothing had to be done after all.
    Unneeded,
    /// It failed.
    Failed {
        /// Why.
        error: String,
    },
    /// It was begun, and the run was interrupted before it was done: the next run goes on with it.
    CutOff {
        /// The object that it had made by then, if it had.
        made: Option<ObjectId>,
    },
    /// It was not begun.
    Skipped {
        /// Why.
        why: String,
        /// Whose failure it would have had to wait for: the address of a resource, or `<block>, check <name>`. `None` where
        /// the run was interrupted.
        cause: Option<String>,
    },
}

/// What became of a health check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReport {
    /// Whose health it tells.
    pub block: BlockAddr,
    /// Its name.
    pub check: CheckName,
    /// What became of it.
    pub result: CheckResult,
    /// Whether the simulated cloud answered.
    pub simulated: bool,
    /// When it began.
    pub began_ms: u64,
    /// When it ended.
    pub ended_ms: u64,
}

/// What became of a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockReport {
    /// When its first action began, if one did.
    pub started_ms: Option<u64>,
    /// When its last action or check ended.
    pub ended_ms: Option<u64>,
    /// How it ended.
    pub result: BlockResult,
    /// Why it ended so, where that is no success.
    pub reason: Option<String>,
    /// What that is due to: the address of a resource or of a block, or `<block>, check <name>`.
    pub cause: Option<String>,
}

/// How a block ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockResult {
    /// Nothing had to be done.
    Unchanged,
    /// Everything was done, and its checks passed.
    Succeeded,
    /// Something failed.
    Failed,
    /// Nothing of it was begun.
    Skipped,
    /// It was begun, and the run was interrupted.
    Interrupted,
    /// It could not be planned.
    Refused,
}
