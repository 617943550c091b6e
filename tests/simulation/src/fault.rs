//! What goes wrong, and at which action of which process.

use provision_core::call::{Effect, Recovery};
use provision_core::machine::Action;

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fault {
    /// In which process: they are counted from 1 over a world's whole life.
    pub process: u32,
    /// At which of its actions, counted from 0; waiting and telling are no actions.
    pub action: usize,
    /// What.
    pub what: What,
}

/// What goes wrong. Times are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// The process dies before the action is performed.
    Kill,
    /// The process dies when it has sent the call or the put, which arrives later.
    KillLate {
        /// How much later.
        ms: u64,
    },
    /// The call or the put never arrives, and its sender is told nothing.
    LoseRequest,
    /// The call or the put is executed, and its sender is told nothing.
    LoseAnswer,
    /// The call or the put arrives later, and its sender is told nothing.
    Late {
        /// How much later.
        ms: u64,
    },
    /// The call or the put is executed at once, and its sender is told so later.
    Slow {
        /// How much later.
        ms: u64,
    },
    /// The call or the read is refused: too many of them.
    Throttle,
    /// The store or the cloud does not answer what was asked.
    Fail,
    /// The read shows nothing of what is there, or the listing lacks its last name.
    Hide,
    /// The process stands still before the action.
    Pause {
        /// How long.
        ms: u64,
        /// Which of its clocks stand still as well.
        frozen: Frozen,
    },
    /// The process' wall clock is set to another time before the action, for good.
    Jump {
        /// Ahead, or back.
        ms: i64,
    },
    /// The run is interrupted before the action.
    Interrupt,
    /// A third party does something before the action.
    Drift(Drift),
    /// Another process begins before the action.
    Rival(Rival),
}

/// The clocks that stand still while a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Frozen {
    /// None: the process was stopped.
    None,
    /// Boot time: the machine was suspended in a way that its kernel did not see.
    Boot,
    /// The wall clock: nobody has set it since the machine was resumed.
    Wall,
    /// Both.
    Both,
}

/// What a third party does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Drift {
    /// Removes the youngest object that nothing uses.
    Remove,
    /// Sets a field of the oldest object.
    Set,
    /// Makes an object with the name or key that the call is about to take; removes it when the process has ended.
    Squat,
    /// Removes the object that the call is about (without a call: the youngest that it can), and makes one of its own
    /// with the same name or key; removes it when the process has ended.
    Swap,
}

/// Who begins beside a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rival {
    /// A process with the same definitions.
    Same,
    /// A process with older definitions of an older generation.
    Older,
    /// A process that applies the very plan that this one applies.
    Twin,
}

impl What {
    /// Whether it strikes before the action, which then goes on as if nothing had been.
    pub fn is_before(self) -> bool {
        match self {
            Self::Pause { .. } | Self::Jump { .. } | Self::Interrupt | Self::Drift(_) | Self::Rival(_) => true,
            Self::Kill
            | Self::KillLate { .. }
            | Self::LoseRequest
            | Self::LoseAnswer
            | Self::Late { .. }
            | Self::Slow { .. }
            | Self::Throttle
            | Self::Fail
            | Self::Hide => false,
        }
    }

    /// Whether the process is dead afterwards.
    pub fn kills(self) -> bool {
        matches!(self, Self::Kill | Self::KillLate { .. })
    }

    /// Whether the very run that meets it must cope with it.
    pub fn is_coped_with(self) -> bool {
        match self {
            Self::LoseRequest | Self::LoseAnswer | Self::Late { .. } | Self::Throttle | Self::Fail | Self::Hide => true,
            Self::Kill
            | Self::KillLate { .. }
            | Self::Slow { .. }
            | Self::Pause { .. }
            | Self::Jump { .. }
            | Self::Interrupt
            | Self::Drift(_)
            | Self::Rival(_) => false,
        }
    }
}

/// What kind of action a process was about to perform: what can go wrong depends on it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A conditional put.
    Put,
    /// A hint.
    Hint,
    /// A key is read.
    Get,
    /// Keys are listed.
    List,
    /// An endpoint is asked who we are.
    Verify,
    /// Whether a process lives is asked.
    Probe,
    /// The cloud is read.
    Read,
    /// A health check is asked.
    Check,
    /// A call that creates an object whose name or key is its alone.
    CreateNamed,
    /// A call that removes an object.
    Remove,
    /// Any other call.
    Call,
}

impl Kind {
    /// The kind of an action; waiting and telling have none.
    pub fn of(action: &Action) -> Option<Self> {
        Some(match action {
            Action::Put { .. } => Self::Put,
            Action::PutHint { .. } => Self::Hint,
            Action::Get { .. } => Self::Get,
            Action::List { .. } => Self::List,
            Action::Verify { .. } => Self::Verify,
            Action::ProbeHolder { .. } => Self::Probe,
            Action::Read { .. } => Self::Read,
            Action::Call { sending, .. } => match (&sending.call.effect, &sending.call.recovery) {
                (Effect::Create { .. }, Recovery::Name { .. } | Recovery::NaturalKey { .. }) => Self::CreateNamed,
                (Effect::Remove, _) => Self::Remove,
                (Effect::Create { .. } | Effect::Set { .. }, _) => Self::Call,
            },
            Action::Check { .. } => Self::Check,
            Action::Sleep { .. } | Action::Emit(_) => return None,
        })
    }

    /// Whether the action changes the store or a cloud.
    pub fn writes(self) -> bool {
        match self {
            Self::Put | Self::Hint | Self::CreateNamed | Self::Remove | Self::Call => true,
            Self::Get | Self::List | Self::Verify | Self::Probe | Self::Read | Self::Check => false,
        }
    }
}
