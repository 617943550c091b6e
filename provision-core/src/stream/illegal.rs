//! What cannot follow in a stream.

use thiserror::Error;

use crate::id::{BlockAddr, Digest, Epoch, Generation, IntentNo, ResourceName, RunId};

/// An event that cannot follow what stands before it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Illegal {
    /// The entry is not under the claim that is open.
    #[error("it stands under {found}, and the open claim is {open}")]
    NotTheClaim {
        /// The entry's claim.
        found: String,
        /// The open one.
        open: String,
    },
    /// A claim that does not continue the epochs.
    #[error("it claims epoch {found}, and the last one is {last}")]
    Epoch {
        /// The claim's.
        found: Epoch,
        /// The last one.
        last: Epoch,
    },
    /// A claim of a held block that does not say why it may.
    #[error("it claims a block that run {0} holds, and does not say why it takes over")]
    Held(RunId),
    /// A claim that takes over from nobody.
    #[error("it takes over a claim, and none is open")]
    NothingToTakeOver,
    /// The generation fell.
    #[error("its generation is {found}, and the block's last one is {last}")]
    Generation {
        /// The entry's.
        found: Generation,
        /// The last one.
        last: Generation,
    },
    /// A definition that stands nowhere.
    #[error("it refers to the definition {0}, which the stream does not hold")]
    NoDefinition(Digest),
    /// Two definitions with one digest.
    #[error("it gives another definition for the digest {0}")]
    OtherDefinition(Digest),
    /// An intent's number was used before.
    #[error("its intent {found} should have number {least} or higher")]
    IntentNumber {
        /// The intent's.
        found: IntentNo,
        /// The lowest that is free.
        least: IntentNo,
    },
    /// An intent that is not open.
    #[error("it closes intent {0}, which is not open")]
    NotOpen(IntentNo),
    /// An intent for an object that another one is open for.
    #[error("intent {open} is still open for the same object of `{resource}`")]
    StillOpen {
        /// The resource.
        resource: ResourceName,
        /// The open one.
        open: IntentNo,
    },
    /// An intent, or an outcome, that does not fit its call.
    #[error("intent {intent}: {problem}")]
    Mismatch {
        /// Which.
        intent: IntentNo,
        /// What does not fit.
        problem: &'static str,
    },
    /// The resource has an object.
    #[error("`{0}` has an object already")]
    HasObject(ResourceName),
    /// The resource has no such object.
    #[error("`{resource}` has no object {id}")]
    NoObject {
        /// The resource.
        resource: ResourceName,
        /// The object.
        id: String,
    },
    /// A simulated result among real ones.
    #[error("the simulated cloud says how healthy {0} is, in a run that is not simulated")]
    SimulatedCheck(BlockAddr),
    /// An event that belongs at another place in a run's stream.
    #[error("a run's stream begins with its start, once, and ends with its end")]
    RunOrder,
}
