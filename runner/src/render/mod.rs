//! What a person sees: text for plans, progress, reports and state.

pub(crate) mod plan;
pub(crate) mod progress;
pub(crate) mod report;
pub(crate) mod state;
pub(crate) mod style;

use std::io::Write as _;

use style::RED;

/// A line on standard output. One that nobody reads any more (`| head`) is not an error.
pub(crate) fn line(text: &str) {
    writeln!(anstream::stdout().lock(), "{text}").unwrap_or_default();
}

/// A whole document on standard output, to the last byte.
pub(crate) fn document(text: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).unwrap_or_default();
}

/// A line on standard error, where standard output is a document.
pub(crate) fn aside(text: &str) {
    writeln!(anstream::stderr().lock(), "{text}").unwrap_or_default();
}

/// An error on standard error.
pub(crate) fn error(text: &str) {
    writeln!(anstream::stderr().lock(), "{RED}error:{RED:#} {text}").unwrap_or_default();
}

/// A question without a line end.
pub(crate) fn prompt(text: &str) {
    let mut out = anstream::stdout().lock();
    write!(out, "{text}").and_then(|()| out.flush()).unwrap_or_default();
}
