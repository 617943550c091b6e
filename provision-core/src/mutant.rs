//! Faults that are put into the protocol on purpose, so that a simulation can prove that its checks notice each of them.
//!
//! A [`Mutant`] switches off one rule, at the line that upholds it. Nothing in the product switches one on: `with` is
//! for tests alone, and `tests/layers.rs` makes sure that nothing here calls it. In a release build there is no switch,
//! and every site compiles to nothing.
//!
//! The switch belongs to a thread, because a [`Machine`](crate::machine::Machine) and all its tasks run on the thread
//! that steps it: tests beside it, with another mutant or none, do not notice. Switch it on around the steps.

#[cfg(debug_assertions)]
use std::cell::Cell;

/// Declares the enum and everything that lists it in one place, so that no variant can miss in [`Mutant::ALL`].
macro_rules! mutants {
    ($($name:ident: $breaks:literal,)*) => {
        /// A fault that can be put into the protocol.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Mutant {
            $(#[doc = $breaks] $name,)*
        }

        impl Mutant {
            /// Every mutant.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name, as the code has it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// What it does wrong.
            pub const fn breaks(self) -> &'static str {
                match self {
                    $(Self::$name => $breaks,)*
                }
            }
        }
    };
}

mutants! {
    // Streams and claims.
    PlainPut: "Entries are written with a put that overwrites.",
    PutRetriedWithOtherBytes: "A put whose outcome is unknown is retried with an entry that was composed anew.",
    UnknownPutIsDone: "A put whose outcome is unknown counts as written and is not read back.",
    ExistsIsNotReadBack: "An entry that exists counts as another writer's and is not read back.",
    ClaimWithoutEpoch: "A writer that finds the next entry of a block taken goes on after it, and the fold lets it.",
    LeaseNeverLapses: "The holder's lease is good whatever the clocks say.",
    LeaseExtendedLocally: "The lease is extended whether or not the renewing entry was written.",
    RenewalCountsFromItsAnswer: "A renewed lease counts from the answer and not from before the entry was sent.",
    LapsedLeaseComesBack: "A lease that has lapsed is good again once it is renewed.",
    LeaseNotCheckedBeforeCall: "Calls are made without asking the lease.",
    NeverTakesOver: "An open claim is never judged to have expired.",
    TakesOverAlive: "An open claim is superseded without judging its holder.",
    ClocksCompared: "A successor compares its own clock with the store's stamp of the holder's last entry.",
    ChainNotVerified: "An entry may name any predecessor.",
    SignatureNotVerified: "An entry may have any signature.",
    GapNotNoticed: "A stream that misses an entry in the middle is read up to there and written on there.",
    OlderGenerationAccepted: "Neither claim nor fold refuse a generation below the block's last one.",
    OlderGenerationDestroys: "What misses in the code is destroyed whatever the generations are.",
    DeposedForgotten: "An object that was replaced is no longer due to be deleted.",
    CheckpointTrusted: "A checkpoint is believed without looking whether the log bears it out.",
    CommitAcknowledgedEarly: "What was appended to a block's log counts as written, in its state too, while it is still on its way.",
    PlanRunsTwice: "A plan that has a run already is run once more in the same stream.",

    StalePlanApplied: "A sealed plan is applied although another run has changed a block since it was made.",
    AsksAnew: "A run asks the clouds anew for what its plan has found.",
    ResumedByTheLiving: "A run is resumed although whoever runs it may be alive.",

    // Calls.
    IntentAfterCall: "A call is sent before its intent is written.",
    IntentNotAwaited: "A call is sent while its intent is still being written.",
    TokenMadeAnew: "A repeated request carries another token.",
    TokenUsedPastItsTerm: "A request is repeated although the API may have forgotten its token by then.",
    StampRenewedOnRepeat: "A repeated request has a new stamp and a new last instant.",
    SdkRetryLeftOn: "A call whose answer was lost is sent again at once, as an SDK does by itself.",
    TagIsRepeated: "A create that only its mark can tell is repeated.",
    RepeatMayArriveForgotten: "Nothing is held back while a repeated request may still arrive a second time.",
    NoWaitForLastInstant: "A call counts as not landed before its last instant has passed.",
    NoWaitForVisibility: "A call counts as not landed although what it made may not be visible yet.",
    AbsentAfterOneRead: "One read that shows nothing is enough.",
    LastInstantByOwnClock: "Whether the last instant has passed is told by the runner's clock.",
    UnknownIsRefused: "A call without an answer counts as refused and is made again.",
    OpenIntentsForgotten: "The open intents of an earlier run are closed without looking.",
    AdoptByNameAlone: "A create that is refused because something exists takes that for its object, whoever's it is.",
    AdoptByAddressAlone: "A create whose answer was lost takes any object that carries its resource's address.",
    DeleteByName: "A removal goes to whatever has the object's name or key at that moment.",
    ReadyAtOnce: "An object counts as ready at the first look.",

    AdoptsTwice: "An object that is one resource's is adopted by another one.",
    AdoptsWhatIsMarked: "An object that carries another infrastructure's mark is adopted.",
    AdoptsUnseen: "A run takes an object over without saying so before it looks whether another one does.",
    AdoptedForgotten: "That an object was adopted is not recorded.",

    // Order and plan.
    DeleteBeforeItsUsersUpdate: "The delete of an object does not wait for those who use it.",
    DeleteBeforeItsSuccessor: "An object that nothing uses is deleted before its successor is made.",
    FailedCheckPasses: "A health check that fails counts as passed.",
    HealthForgotten: "That a check has not passed since something was changed is forgotten with the run.",
    OnePassIsEnough: "One attempt of a health check that passes is enough, however many have to.",
    SimulatedCheckCounts: "What a simulated cloud says about health counts in a run that is not simulated.",
    GateIgnored: "Blocks and environments do not wait for those before them.",
    CeilingIgnored: "Whatever turns out to be necessary under the claims is done, also beyond the approved plan.",
    MovesWithOpenCalls: "An object changes its address although a call on it is open.",
    MovedOutForgotten: "The log that an object leaves forgets it at once.",
    SuccessorBeforeItGoes: "What is to go before its successor is made does not go first.",
    GoesBeforeItsGates: "What goes before its successor is made does not wait for what its successor waits for.",
    UsersStayWhileItGoes: "What goes before its successor is made does not take its users along.",
    IgnoredFieldsSet: "A field whose changes are to be ignored is set back.",
    ProtectionForgotten: "What is protected goes when its definition leaves the code.",
    OneNameForAll: "A new object gets the name of the one that it replaces.",
}

#[cfg(debug_assertions)]
thread_local! {
    static ON: Cell<Option<Mutant>> = const { Cell::new(None) };
}

/// Whether the mutant is switched on in this thread.
#[cfg(debug_assertions)]
pub(crate) fn on(mutant: Mutant) -> bool {
    ON.get() == Some(mutant)
}

/// No mutant is switched on in a release build.
#[cfg(not(debug_assertions))]
pub(crate) const fn on(_: Mutant) -> bool {
    false
}

#[cfg(not(debug_assertions))]
const _: () = assert!(!on(Mutant::PlainPut));

/// Runs `f` with the mutant, or with none, switched on in this thread. Afterwards, also after a panic, it is as before.
#[cfg(debug_assertions)]
pub fn with<T>(mutant: Option<Mutant>, f: impl FnOnce() -> T) -> T {
    struct Restore(Option<Mutant>);
    impl Drop for Restore {
        fn drop(&mut self) {
            ON.set(self.0);
        }
    }
    let _restore = Restore(ON.replace(mutant));
    f()
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn one_is_on_inside_and_none_before_and_after() {
        let which = || Mutant::ALL.iter().copied().filter(|mutant| on(*mutant)).collect::<Vec<_>>();
        assert_eq!(which(), []);
        with(Some(Mutant::ReadyAtOnce), || {
            assert_eq!(which(), [Mutant::ReadyAtOnce]);
            with(Some(Mutant::PlainPut), || assert_eq!(which(), [Mutant::PlainPut]));
            with(None, || assert_eq!(which(), []));
            assert_eq!(which(), [Mutant::ReadyAtOnce]);
            let elsewhere = std::thread::spawn(|| on(Mutant::ReadyAtOnce)).join().unwrap();
            assert!(!elsewhere, "another thread has its own");
        });
        assert_eq!(which(), []);
    }

    #[test]
    fn a_panic_switches_it_off_too() {
        let panicked = std::panic::catch_unwind(|| with(Some(Mutant::PlainPut), || panic!("on purpose")));
        assert!(panicked.is_err());
        assert!(!on(Mutant::PlainPut));
    }

    #[test]
    fn each_is_listed_once_and_says_what_it_breaks() {
        let names: BTreeSet<&str> = Mutant::ALL.iter().map(|mutant| mutant.name()).collect();
        let texts: BTreeSet<&str> = Mutant::ALL.iter().map(|mutant| mutant.breaks()).collect();
        assert_eq!(names.len(), Mutant::ALL.len());
        assert_eq!(texts.len(), Mutant::ALL.len());
        // The enum numbers its variants in their order: the list has every one, in that order.
        assert!(Mutant::ALL.iter().enumerate().all(|(at, mutant)| *mutant as usize == at));
        assert!(Mutant::ALL.iter().all(|mutant| format!("{mutant:?}") == mutant.name()));
        assert!(texts.iter().all(|text| text.ends_with('.') && text.len() > 20));
    }
}
