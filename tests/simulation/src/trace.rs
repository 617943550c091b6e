//! What happened, in order.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use provision_core::call::{Answer, Effect, Read, Sending};
use provision_core::check::{CheckAnswer, ReadyCheck};
use provision_core::id::{ResourceAddr, Token};
use provision_core::machine::PutAnswer;
use provision_core::target::TargetId;

use crate::fault::What;

/// The bytes of an entry: shared by the worlds and traces that hold them.
pub type Bytes = Arc<[u8]>;

/// One action and its outcome, or something that befell a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Did {
    /// A conditional put.
    Put {
        /// Where.
        key: String,
        /// What it says: the entry, as JSON that leaves nothing out.
        whole: Bytes,
        /// What its sender was told at once.
        answer: PutAnswer,
    },
    /// A put whose sender was told nothing, or is told later, was executed.
    PutLanded {
        /// Where.
        key: String,
        /// What it says: the entry, as JSON that leaves nothing out.
        whole: Bytes,
        /// What its sender would have been told.
        answer: PutAnswer,
    },
    /// A hint was written.
    Hint {
        /// Where.
        key: String,
        /// Whether other bytes stood there.
        overwrote: bool,
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
    /// A health check was asked.
    Check {
        /// What.
        check: Box<ReadyCheck>,
        /// What was answered.
        answer: CheckAnswer,
    },
    /// A call.
    Call {
        /// Where.
        target: TargetId,
        /// What.
        sending: Arc<Sending>,
        /// What its sender was told at once.
        answer: Answer,
    },
    /// A call whose sender was told nothing, or is told later, was executed.
    Landed {
        /// What.
        sending: Arc<Sending>,
        /// What its sender would have been told.
        answer: Answer,
    },
    /// Something that the run said to whoever watches.
    Said(String),
    /// The process began.
    Began {
        /// For what.
        what: String,
    },
    /// The process has ended.
    Ended {
        /// How.
        how: String,
    },
    /// Something went wrong.
    Fault(What),
    /// What a third party did.
    Drifted(String),
    /// Resources that the log calls applied while their objects are not ready.
    NotReady(Vec<ResourceAddr>),
    /// The process died.
    Died,
    /// The run was interrupted.
    Interrupted,
}

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When, in virtual milliseconds.
    pub ms: u64,
    /// In which process.
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

/// An entry that came to stand.
#[derive(Debug, Clone, Copy)]
pub struct Stood<'a> {
    /// When.
    pub ms: u64,
    /// Who sent it.
    pub run: u32,
    /// Where.
    pub key: &'a str,
    /// What.
    pub bytes: &'a [u8],
}

impl Trace {
    /// A number that two traces share only if they are the same.
    pub fn hash(&self) -> u64 {
        hash(format!("{:?}", self.steps).as_bytes())
    }

    /// What was done.
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

    /// All calls that the cloud executed, with their answers, at the time when it did.
    pub fn executed(&self) -> impl Iterator<Item = (&Step, &Sending, &Answer)> {
        self.steps.iter().filter_map(|step| match &step.did {
            Did::Call { sending, answer, .. } | Did::Landed { sending, answer } => {
                matches!(answer, Answer::Done { .. }).then_some((step, &**sending, answer))
            }
            _ => None,
        })
    }

    /// The keys of all puts, whatever became of them.
    pub fn puts(&self) -> impl Iterator<Item = &str> {
        self.did().filter_map(|did| if let Did::Put { key, .. } = did { Some(key.as_str()) } else { None })
    }

    /// All entries that came to stand.
    pub fn stood(&self) -> impl Iterator<Item = Stood<'_>> {
        self.steps.iter().filter_map(|Step { ms, run, did }| match did {
            Did::Put { key, whole, answer: PutAnswer::Done }
            | Did::PutLanded { key, whole, answer: PutAnswer::Done } => {
                Some(Stood { ms: *ms, run: *run, key, bytes: whole })
            }
            _ => None,
        })
    }

    /// The incarnations of all creates that were sent.
    pub fn tokens(&self) -> BTreeSet<Token> {
        let marks = self.calls().filter_map(|called| match &called.sending.call.effect {
            Effect::Create { mark, .. } => mark.clone(),
            Effect::Set { .. } | Effect::Remove => None,
        });
        marks.map(|mark| mark.incarnation).collect()
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
