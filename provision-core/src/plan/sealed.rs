//! A plan as a file: one JSON document with the format's name and version, the plan, and the plan's digest.
//!
//! # Guarantees
//! - What [`open`] returns has the digest that the document names: a document in which a byte was changed is refused, or
//!   is the same plan written otherwise.
//! - A key that is unknown or stands twice is an error, at any depth. No input panics, goes deep on the stack, or takes
//!   memory without bound.
//!
//! # Caveats
//! A value that is nested more than about a hundred levels deep can be sealed and not opened: whoever writes a file opens it
//! first. The digest finds accidents. Whoever can write the file can write another plan into it: approvals name the digest.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use thiserror::Error;

use super::data::{Moved, Plan, ResourcePlan, Retirement};
use super::input::Missing;
use crate::id::{Digest, ResourceAddr};
use crate::lookup::{FoundObject, Query};
use crate::strict::{self, Budget};

/// The name of the format.
const FORMAT: &str = "provision-plan";
/// The version that is written and read: rises when a reader of this one would misunderstand a document.
const VERSION: u32 = 1;
/// The version of what stands in it.
const PLAN_VERSION: &str = "1";
/// How every document begins.
const START: &str = r#"{"format":"provision-plan","#;

/// No plan file is larger, in bytes: about 40,000 resources.
pub const MOST_BYTES: usize = 128 << 20;
/// No plan holds more values; bounds the memory that reading takes to about a gigabyte.
const MOST_VALUES: Budget = Budget(32 << 20);

/// Why bytes are not a plan that can be shown or applied.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SealedError {
    /// They are something else.
    #[error("this is not a plan file; `plan --out FILE` writes one")]
    NotAPlan,
    /// The end is missing.
    #[error("the plan file is cut off: its end is missing; copy it again, or make a new plan")]
    Truncated,
    /// A later version wrote it.
    #[error(
        "the plan file has format {found}, and this build reads format {VERSION}: use the build that wrote it, or make a new plan"
    )]
    Newer {
        /// Its format.
        found: String,
    },
    /// There is more of it than is ever read.
    #[error("the plan file is larger than {MOST_BYTES} bytes: this is no plan")]
    TooLarge,
    /// A key that is unknown or stands twice, a value that cannot be, or anything else that no plan holds.
    #[error("the plan file is damaged: {0}")]
    Malformed(String),
    /// What it holds is not what was sealed.
    #[error("the plan file was altered: its digest is {says}, and what it holds has {is}; make a new plan")]
    Altered {
        /// The digest that it names.
        says: Digest,
        /// The digest of what it holds.
        is: Digest,
    },
    /// It says what no planner says, and what must not be executed.
    #[error("the plan file contradicts itself: {0}")]
    Inconsistent(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "format")]
    _format: String,
    #[serde(rename = "version")]
    _version: u32,
    digest: Digest,
    plan: Plan,
}

/// What of a document says who can read it; whatever else it holds.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

/// The document.
///
/// ```
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let engine = toy::engine(&toy::cloud());
/// use provision_core::embed::PlanRequest;
/// use provision_core::plan::{SealedError, open, seal};
///
/// let plan = engine.plan(&PlanRequest::default()).finish().await?.plan;
/// let file = seal(&plan);
/// assert_eq!(open(&file), Ok(plan));
///
/// // Neither half of it nor something that looks like it is a plan.
/// assert_eq!(open(&file[..file.len() / 2]), Err(SealedError::Truncated));
/// let altered = String::from_utf8(file)?.replace("10.2.0.0", "10.3.0.0");
/// assert!(matches!(open(altered.as_bytes()), Err(SealedError::Altered { .. })));
/// # Ok(())
/// # }
/// ```
pub fn seal(plan: &Plan) -> Vec<u8> {
    let canonical = plan.canonical();
    let digest = Digest::of(&canonical);
    let mut bytes = format!(r#"{START}"version":{VERSION},"digest":"{digest}","plan":"#).into_bytes();
    bytes.extend(canonical);
    bytes.extend(b"}\n");
    bytes
}

/// The plan of a document.
///
/// # Errors
/// Why there is none.
pub fn open(bytes: &[u8]) -> Result<Plan, SealedError> {
    if bytes.len() > MOST_BYTES {
        return Err(SealedError::TooLarge);
    }
    let head: Head = serde_json::from_slice(bytes).map_err(|error| not_a_document(bytes, &error))?;
    if head.format != FORMAT {
        return Err(SealedError::NotAPlan);
    }
    if head.version > VERSION {
        return Err(SealedError::Newer { found: head.version.to_string() });
    }
    if head.version < VERSION {
        return Err(SealedError::Malformed(format!("there never was a format {}", head.version)));
    }
    let malformed = |error: serde_json::Error| SealedError::Malformed(error.to_string());
    let document: Document = strict::from_slice_within(bytes, MOST_VALUES).map_err(malformed)?;
    let (says, is) = (document.digest, document.plan.digest());
    if says != is {
        return Err(SealedError::Altered { says, is });
    }
    contradiction(&document.plan)?;
    Ok(document.plan)
}

impl Plan {
    /// How the plan treats blocks that have left the code: it deletes something of one, or keeps them all.
    pub fn missing(&self) -> Missing {
        let mut left = self.changes().filter(|(_, change)| change.definition.is_none());
        let deletes = left.any(|(_, change)| change.resources.values().any(ResourcePlan::retires));
        if deletes { Missing::DestroyOlder } else { Missing::Keep }
    }
}

fn not_a_document(bytes: &[u8], error: &serde_json::Error) -> SealedError {
    let ours = bytes.starts_with(START.as_bytes());
    let begun = !bytes.is_empty() && START.as_bytes().starts_with(bytes);
    // A number that is cut in two is no number, and the parser does not say that it met the end.
    let ends = bytes.trim_ascii_end().ends_with(b"}");
    match (ours, error.is_eof() || !ends) {
        (true, true) => SealedError::Truncated,
        (true, false) => SealedError::Malformed(error.to_string()),
        (false, _) if begun => SealedError::Truncated,
        (false, _) => SealedError::NotAPlan,
    }
}

/// What an executor takes for granted and types do not say.
fn contradiction(plan: &Plan) -> Result<(), SealedError> {
    let no = |what: String| Err(SealedError::Inconsistent(what));
    if plan.format_version != PLAN_VERSION {
        return Err(SealedError::Newer { found: plan.format_version.clone() });
    }
    let mut environments = BTreeSet::new();
    if let Some(twice) = plan.environments.iter().find(|env| !environments.insert(*env)) {
        return no(format!("environment {twice} stands twice in the order"));
    }
    for (block, change) in plan.changes() {
        if let Some((name, target)) = change.targets.iter().find(|(name, target)| **name != target.provider) {
            return no(format!("{block}: {target} stands for {name}"));
        }
        if change.after.contains(block) {
            return no(format!("{block} waits for itself"));
        }
    }
    let mut answers: BTreeMap<&Query, (&ResourceAddr, &FoundObject)> = BTreeMap::new();
    for (addr, found) in &plan.lookups {
        let (first, same) = answers.entry(&found.query).or_insert((addr, found));
        if *same != found {
            return no(format!("{first} and {addr} ask the same and find {} and {}", same.id, found.id));
        }
    }
    let mut going: BTreeMap<&Retirement, ResourceAddr> = BTreeMap::new();
    for (addr, resource) in plan.resources() {
        for retirement in &resource.retire {
            if let Some(other) = going.insert(retirement, addr.clone()) {
                return no(format!("{} {} goes twice: {other} and {addr}", retirement.type_name, retirement.id));
            }
        }
        let itself = match &resource.moved {
            Some(Moved::In { from }) => *from == addr,
            Some(Moved::Out { to }) => *to == addr,
            None => false,
        };
        if itself {
            return no(format!("{addr} moves to where it is"));
        }
    }
    Ok(())
}
