//! What happened, in order.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use provision_core::call::{Answer, Effect, Read, Sending};
use provision_core::id::Token;
use provision_core::machine::PutAnswer;
use provision_core::target::TargetId;

/// One action and its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Did {
    /// A conditional put.
    Put {
        /// Where.
        key: String,
        /// What.
        bytes: Vec<u8>,
        /// What its sender was told.
        answer: PutAnswer,
    },
    /// A hint was written.
    Hint {
        /// Where.
        key: String,
    },
    /// A key was read.
    Get {
        /// Which.
        key: String,
        /// The hash of what was there.
        found: Option<u64>,
    },
    /// Something else was looked at: a list, an endpoint, a process.
    Look(String),
    /// A read of the cloud.
    Read(Read),
    /// A call.
    Call {
        /// Where.
        target: TargetId,
        /// What.
        sending: Box<Sending>,
        /// What its sender was told.
        answer: Answer,
    },
    /// A call reached the cloud long after it was sent.
    Landed {
        /// What.
        sending: Box<Sending>,
        /// What nobody was told.
        answer: Answer,
    },
    /// Something that the run said to whoever watches.
    Said(String),
    /// The runner died.
    Died,
    /// The run was interrupted.
    Interrupted,
}

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When, in virtual milliseconds.
    pub ms: u64,
    /// In which run.
    pub run: u32,
    /// What.
    pub did: Did,
}

/// What happened, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trace {
    /// The steps.
    pub steps: Vec<Step>,
}

/// A call as a trace has it.
#[derive(Debug, Clone, Copy)]
pub struct Called<'a> {
    /// Its place in the trace.
    pub at: usize,
    /// Where.
    pub target: &'a TargetId,
    /// What.
    pub sending: &'a Sending,
    /// What its sender was told.
    pub answer: &'a Answer,
}

impl Trace {
    /// A number that two traces share only if they are the same.
    pub fn hash(&self) -> u64 {
        hash(format!("{:?}", self.steps).as_bytes())
    }

    /// What was done, without what was said.
    pub fn did(&self) -> impl Iterator<Item = &Did> {
        self.steps.iter().map(|step| &step.did)
    }

    /// All calls.
    pub fn calls(&self) -> impl Iterator<Item = Called<'_>> {
        self.did().enumerate().filter_map(|(at, did)| match did {
            Did::Call { target, sending, answer } => Some(Called { at, target, sending, answer }),
            _ => None,
        })
    }

    /// The keys of all puts, whatever became of them.
    pub fn puts(&self) -> impl Iterator<Item = &str> {
        self.did().filter_map(|did| if let Did::Put { key, .. } = did { Some(key.as_str()) } else { None })
    }

    /// The incarnations of all creates that were sent.
    pub fn tokens(&self) -> BTreeSet<Token> {
        let marks = self.calls().filter_map(|called| match &called.sending.call.effect {
            Effect::Create { mark, .. } => mark.clone(),
            Effect::Set { .. } | Effect::Remove => None,
        });
        marks.map(|mark| mark.incarnation).collect()
    }

    /// A line per step, for whoever reads a failed test.
    pub fn table(&self) -> String {
        let mut out = String::new();
        for Step { ms, run, did } in &self.steps {
            let text = match did {
                Did::Put { key, bytes, answer } => {
                    let events = events(bytes);
                    let names: Vec<&str> = events.iter().filter_map(|event| event["event"].as_str()).collect();
                    format!("put {key} {names:?} -> {answer:?}")
                }
                Did::Hint { .. } | Did::Get { .. } | Did::Look(_) => continue,
                Did::Read(read) => format!("read {} {:?}", read.type_name, read.scope),
                Did::Call { sending, answer, .. } => {
                    format!(
                        "call {} {:?} -> {answer:?}",
                        sending.call.api,
                        sending.object.as_ref().map(|id| id.as_str())
                    )
                }
                Did::Landed { sending, answer } => format!("landed {} -> {answer:?}", sending.call.api),
                Did::Said(text) => format!("  {text}"),
                Did::Died => "died".to_owned(),
                Did::Interrupted => "interrupted".to_owned(),
            };
            out.push_str(&format!("{ms:>8} run {run} {text}\n"));
        }
        out
    }
}

/// A number that stands for some bytes.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// The events of an entry, as JSON; none if it is no entry.
pub fn events(entry: &[u8]) -> Vec<serde_json::Value> {
    let body = entry.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    body["events"].as_array().cloned().unwrap_or_default()
}
