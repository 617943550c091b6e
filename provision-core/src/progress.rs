//! What a run tells whoever watches it, as data.

use serde::{Deserialize, Serialize};

use crate::id::{BlockAddr, CheckName, ResourceAddr, RunId};

/// One thing that happened in a run.
///
/// ```
/// use provision_core::progress::{Progress, Verb};
///
/// // It is serialised as it is, for whoever watches from elsewhere.
/// let started = Progress::Started { resource: "us-east.base.main".parse()?, verb: Verb::Create };
/// let json = serde_json::to_string(&started)?;
/// assert_eq!(json, r#"{"type":"started","resource":"us-east.base.main","verb":"create"}"#);
/// assert_eq!(serde_json::from_str::<Progress>(&json)?, started);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Progress {
    /// Something that takes a while has begun: reading logs, reading objects, waiting for another runner.
    Phase {
        /// What is being done.
        what: String,
    },
    /// A block was claimed.
    Claimed {
        /// The block.
        block: BlockAddr,
        /// The run.
        run: RunId,
    },
    /// An action began.
    Started {
        /// The resource.
        resource: ResourceAddr,
        /// What is done to it.
        verb: Verb,
    },
    /// An action waits for something: the object to be ready, a retry, a last instant.
    Waiting {
        /// The resource.
        resource: ResourceAddr,
        /// For what.
        why: String,
    },
    /// An action ended well.
    Finished {
        /// The resource.
        resource: ResourceAddr,
        /// What was done to it.
        verb: Verb,
        /// The object's id.
        id: Option<String>,
        /// How long it took, in milliseconds.
        took_ms: u64,
    },
    /// An action failed.
    Failed {
        /// The resource.
        resource: ResourceAddr,
        /// What was to be done to it.
        verb: Verb,
        /// Why it failed.
        error: String,
    },
    /// An action was not begun because something that it depends on failed.
    Skipped {
        /// The resource.
        resource: ResourceAddr,
        /// What was to be done to it.
        verb: Verb,
        /// Because of what.
        why: String,
    },
    /// A resource's object came from another address.
    Moved {
        /// The resource.
        resource: ResourceAddr,
        /// Where it was.
        from: ResourceAddr,
    },
    /// A health check began, or an attempt of it did not succeed.
    Checking {
        /// Whose health it tells.
        block: BlockAddr,
        /// Its name.
        check: CheckName,
        /// What is asked, or what was seen.
        what: String,
    },
    /// A health check ended.
    Checked {
        /// Whose health it tells.
        block: BlockAddr,
        /// Its name.
        check: CheckName,
        /// How.
        result: CheckResult,
        /// Whether the simulated cloud answered.
        simulated: bool,
        /// How long it took, in milliseconds.
        took_ms: u64,
    },
    /// A call of an interrupted run was found to have landed, or is known not to land any more.
    Recovered {
        /// The resource.
        resource: ResourceAddr,
        /// What was found.
        what: String,
    },
}

/// What an action does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// A new object.
    Create,
    /// An object is changed in place.
    Update,
    /// A new object takes the place of the old one, which goes later.
    Replace,
    /// An object goes.
    Delete,
    /// An object changes its address.
    Move,
    /// An object that is there becomes the resource's.
    Adopt,
}

/// What became of a health check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    /// The block is healthy.
    Passed,
    /// It was not within the deadline.
    Failed {
        /// What the last attempt saw.
        reason: String,
    },
    /// The run was interrupted before it told.
    Interrupted,
}
