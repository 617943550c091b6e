//! What happens to a test whose server cannot be had: a visible skip, or a failure where the testbed
//! is required.

use std::{fmt::Display, io::Write};

/// A part of the testbed that cannot be had on this machine, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part} cannot be had: {reason}")]
pub struct Unavailable {
    part: &'static str,
    reason: String,
}

impl Unavailable {
    /// `part` names the server or tool, `reason` says what went wrong.
    pub fn new(part: &'static str, reason: impl Display) -> Self {
        Self { part, reason: reason.to_string() }
    }

    /// Which part it is.
    pub fn part(&self) -> &'static str {
        self.part
    }

    /// Why it cannot be had.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// Whether a part that cannot be had is a failure (`PROVISION_TESTBED=required`) rather than a skip.
pub fn required() -> bool {
    std::env::var("PROVISION_TESTBED").is_ok_and(|value| value == "required")
}

/// The part, or nothing (and a note on stderr that the test harness does not swallow) where it cannot
/// be had. See [`available!`](crate::available!), which returns from the test.
///
/// # Panics
/// Where the part cannot be had and [`required`] says that it must.
pub fn available<T>(part: Result<T, Unavailable>) -> Option<T> {
    part.map_err(|unavailable| skip_or_panic(&unavailable, required())).ok()
}

/// The part, or a `return` out of a test that has no result, with a visible note that it was skipped.
#[macro_export]
macro_rules! available {
    ($part:expr) => {
        match $crate::available($part) {
            Some(part) => part,
            None => return,
        }
    };
}

fn skip_or_panic(unavailable: &Unavailable, required: bool) {
    assert!(!required, "PROVISION_TESTBED=required, but {unavailable}");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    say(&format!("SKIPPED {test}: {unavailable}"));
}

/// A line on stderr. Written to the stream itself: the harness captures only what the print macros write,
/// and a skip or a download that nobody sees is what this is to prevent.
pub(crate) fn say(line: &str) {
    // Nothing can be done about a closed stderr, and no test depends on it.
    let _written = writeln!(std::io::stderr().lock(), "testbed: {line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_part_is_a_skip_where_it_is_not_required() {
        skip_or_panic(&Unavailable::new("moto", "no Python"), false);
    }

    #[test]
    #[should_panic(expected = "PROVISION_TESTBED=required, but moto cannot be had: no Python")]
    fn a_missing_part_is_a_failure_where_it_is_required() {
        skip_or_panic(&Unavailable::new("moto", "no Python"), true);
    }
}
