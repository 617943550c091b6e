//! The data that goes in and out of a machine.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::call::{Answer, Read, ReadAnswer, Sending};
use crate::check::{CheckAnswer, ReadyCheck};
use crate::progress::Progress;
use crate::stream::event::Holder;
use crate::target::TargetId;

/// Names an action until its event comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionId(pub u64);

/// Something that a driver has to do. Each but `Emit` is answered by exactly one event of its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Write an entry if its key is free.
    Put {
        /// Where.
        key: StoreKey,
        /// What.
        bytes: Vec<u8>,
    },
    /// Overwrite a hint. Its outcome is of no interest.
    PutHint {
        /// Where; begins with `v1/hint/`.
        key: StoreKey,
        /// What.
        bytes: Vec<u8>,
    },
    /// Read an entry or a hint.
    Get {
        /// Which.
        key: StoreKey,
    },
    /// List the names directly below a prefix that ends with `/`.
    List {
        /// Below which.
        prefix: String,
        /// Only those after this name, where one is given: what comes before it costs nothing.
        after: Option<String>,
    },
    /// Ask an endpoint who we are.
    Verify {
        /// Which.
        target: TargetId,
    },
    /// Send one call, once.
    Call {
        /// Where.
        target: TargetId,
        /// What.
        sending: Box<Sending>,
    },
    /// Send one read, once.
    Read {
        /// Where.
        target: TargetId,
        /// What.
        read: Read,
    },
    /// Ask a health check, once.
    Check {
        /// What is asked.
        check: Box<ReadyCheck>,
    },
    /// Find out whether the process of another run is dead.
    ProbeHolder {
        /// Who it is, as its run recorded it.
        holder: Box<Holder>,
    },
    /// Wake me after this long.
    Sleep {
        /// How long.
        duration: Duration,
    },
    /// Tell whoever watches. No event answers it.
    Emit(Box<Progress>),
}

/// The outcome of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Of a put, also of a hint's.
    Put(PutAnswer),
    /// Of a get.
    Get(GetAnswer),
    /// Of a list.
    List(ListAnswer),
    /// Of a verify.
    Verify(Verified),
    /// Of a call.
    Call(Answer),
    /// Of a read.
    Read(ReadAnswer),
    /// Of a health check.
    Check(CheckAnswer),
    /// Of a probe of a holder.
    Holder(HolderState),
    /// Of a sleep.
    Woke,
}

/// What is known about the process that holds a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HolderState {
    /// It ran on this very kernel, in this PID namespace, and no such process is left.
    Dead,
    /// It runs.
    Alive,
    /// It cannot be seen from here.
    Unknown,
}

/// What an endpoint said about who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// The target is what we reach.
    Yes {
        /// What the endpoint guarantees.
        bounds: crate::call::Bounds,
    },
    /// It is not, or it cannot be reached.
    No {
        /// What is wrong, and what would be right.
        problem: String,
    },
}

/// The outcome of a conditional put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutAnswer {
    /// Written, and durable.
    Done,
    /// The key is taken.
    Exists,
    /// Anything else: it may have been written, or be written later.
    Unknown(String),
}

/// The outcome of a get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GetAnswer {
    /// There.
    Found {
        /// The content.
        bytes: Vec<u8>,
        /// When it was written, by the store's clock in milliseconds: comparable only with others of the same store.
        modified_ms: u64,
    },
    /// Not there.
    Missing,
    /// Not answered.
    Failed(String),
}

/// The outcome of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListAnswer {
    /// Everything directly below the prefix, sorted by name.
    Names(Vec<Listed>),
    /// Not answered.
    Failed(String),
}

/// One name below a prefix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// The name, without the prefix.
    pub name: String,
    /// Whether it has names below it (a folder), else it is an object.
    pub folder: bool,
}

/// The clocks, as they stand when a step is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Now {
    /// Time since boot, sleep included, in milliseconds. Never runs backwards.
    pub boot_ms: u64,
    /// The wall clock, in milliseconds since 1970. May jump.
    pub wall_ms: u64,
}

/// A key of the store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreKey(pub String);

impl fmt::Display for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
