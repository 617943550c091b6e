//! What goes wrong in a run, and at which of its actions.

use std::time::Duration;

/// One thing that goes wrong. Actions, calls and puts are counted from 0 in each run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The runner dies before its n-th action (of any kind but waiting) is performed.
    Kill {
        /// Which action.
        action: usize,
    },
    /// The n-th call never reaches the cloud, and its sender is told nothing.
    LoseRequest {
        /// Which call.
        call: usize,
    },
    /// The n-th call is executed, and its sender is told nothing.
    LoseAnswer {
        /// Which call.
        call: usize,
    },
    /// The n-th call reaches the cloud later, and its sender is told nothing.
    Late {
        /// Which call.
        call: usize,
        /// How much later.
        by: Duration,
    },
    /// The runner dies when it has sent the n-th call, which reaches the cloud later.
    KillLate {
        /// Which call.
        call: usize,
        /// How much later.
        by: Duration,
    },
    /// The outcome of the n-th put is unknown.
    UnknownPut {
        /// Which put.
        put: usize,
        /// Whether it was written.
        written: bool,
    },
    /// The run is interrupted before its n-th action.
    Interrupt {
        /// Which action.
        action: usize,
    },
}

/// What happens to one action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Normal,
    LostRequest,
    LostAnswer,
    Late(Duration),
    DieLate(Duration),
    Unknown { written: bool },
}

/// The faults of one run, and how far it is.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    faults: Vec<Fault>,
    actions: usize,
    calls: usize,
    puts: usize,
}

/// What happens before an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    Nothing,
    Kill,
    Interrupt,
}

impl Schedule {
    pub(crate) fn new(faults: &[Fault]) -> Self {
        Self { faults: faults.to_vec(), ..Self::default() }
    }

    pub(crate) fn action(&mut self) -> Before {
        let at = self.actions;
        self.actions += 1;
        for fault in &self.faults {
            match fault {
                Fault::Kill { action } if *action == at => return Before::Kill,
                Fault::Interrupt { action } if *action == at => return Before::Interrupt,
                _ => {}
            }
        }
        Before::Nothing
    }

    pub(crate) fn call(&mut self) -> Fate {
        let at = self.calls;
        self.calls += 1;
        let fate = self.faults.iter().find_map(|fault| match fault {
            Fault::LoseRequest { call } if *call == at => Some(Fate::LostRequest),
            Fault::LoseAnswer { call } if *call == at => Some(Fate::LostAnswer),
            Fault::Late { call, by } if *call == at => Some(Fate::Late(*by)),
            Fault::KillLate { call, by } if *call == at => Some(Fate::DieLate(*by)),
            _ => None,
        });
        fate.unwrap_or(Fate::Normal)
    }

    pub(crate) fn put(&mut self) -> Fate {
        let at = self.puts;
        self.puts += 1;
        let fate = self.faults.iter().find_map(|fault| match fault {
            Fault::UnknownPut { put, written } if *put == at => Some(Fate::Unknown { written: *written }),
            _ => None,
        });
        fate.unwrap_or(Fate::Normal)
    }

    /// How many actions, calls and puts there were.
    pub(crate) fn counts(&self) -> Counts {
        Counts { actions: self.actions, calls: self.calls, puts: self.puts }
    }
}

/// How many actions a run made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Of any kind but waiting.
    pub actions: usize,
    /// Mutating calls.
    pub calls: usize,
    /// Conditional puts.
    pub puts: usize,
}
