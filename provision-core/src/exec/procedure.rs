//! Procedures: what depends on what a run sees is chosen by a pure function of what was chosen before and what is
//! observed now.

use crate::call::Readiness;
use crate::mutant::{self, Mutant};

/// A pure chooser. The first one waits until an object is ready; later ones will choose calls, each choice an event
/// before it is acted on.
pub trait Procedure {
    /// What to do next.
    fn next(&self, observation: Observation<'_>) -> Next;
}

/// What a procedure sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observation<'a> {
    /// The object as a read showed it.
    Seen(&'a Readiness),
    /// A read showed no object.
    NotThere,
    /// The read was not answered.
    Unanswered,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Look again later.
    Wait,
    /// It is as it should be.
    Done,
    /// It will never be.
    Fail(String),
}

/// Waits until an object is ready.
#[derive(Debug, Clone, Copy)]
pub struct UntilReady;

/// Waits until an object is gone.
#[derive(Debug, Clone, Copy)]
pub struct UntilGone;

impl Procedure for UntilReady {
    fn next(&self, observation: Observation<'_>) -> Next {
        if mutant::on(Mutant::ReadyAtOnce) {
            return Next::Done;
        }
        match observation {
            Observation::Seen(Readiness::Ready) => Next::Done,
            // A new object may not be visible yet; the deadline bounds the wait.
            Observation::Seen(Readiness::Pending) | Observation::NotThere | Observation::Unanswered => Next::Wait,
            Observation::Seen(Readiness::Failed(reason)) => Next::Fail(reason.clone()),
            Observation::Seen(Readiness::Going) => Next::Fail("it was removed by somebody else".to_owned()),
        }
    }
}

impl Procedure for UntilGone {
    fn next(&self, observation: Observation<'_>) -> Next {
        match observation {
            Observation::NotThere => Next::Done,
            Observation::Seen(_) | Observation::Unanswered => Next::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_waits_for_what_is_not_visible_yet_and_gives_up_on_what_has_failed() {
        assert_eq!(UntilReady.next(Observation::NotThere), Next::Wait);
        assert_eq!(UntilReady.next(Observation::Seen(&Readiness::Pending)), Next::Wait);
        assert_eq!(UntilReady.next(Observation::Seen(&Readiness::Ready)), Next::Done);
        assert!(matches!(UntilReady.next(Observation::Seen(&Readiness::Failed("x".into()))), Next::Fail(_)));
        assert!(matches!(UntilReady.next(Observation::Seen(&Readiness::Going)), Next::Fail(_)));
    }

    #[test]
    fn gone_is_only_what_a_read_does_not_show() {
        assert_eq!(UntilGone.next(Observation::Seen(&Readiness::Going)), Next::Wait);
        assert_eq!(UntilGone.next(Observation::Unanswered), Next::Wait);
        assert_eq!(UntilGone.next(Observation::NotThere), Next::Done);
    }
}
