//! Standard output and standard error: everything that is said goes through here.
//!
//! With `--json`, standard output carries one JSON object per line, whoever speaks: a line of text becomes an event of
//! type `log`, an error a `diagnostic`.

use std::io::Write as _;
use std::sync::OnceLock;
use std::time::SystemTime;

use super::style::{DIM, RED, YELLOW};
use crate::events::{self, Event, Severity};

/// How this process speaks, set once when its command line is known.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manner {
    /// Events instead of text.
    pub(crate) json: bool,
    /// Standard output is a document: lines for people go to standard error.
    pub(crate) document: bool,
    /// Nobody is there who could type what a hint says.
    pub(crate) automated: bool,
}

static MANNER: OnceLock<Manner> = OnceLock::new();

/// Says how this process speaks. The first one counts.
pub(crate) fn set_manner(manner: Manner) {
    if MANNER.set(manner).is_ok() && manner.json {
        event(&events::version());
    }
}

fn manner() -> Manner {
    MANNER.get().copied().unwrap_or_default()
}

/// Whether events are printed instead of text.
pub(crate) fn is_json() -> bool {
    manner().json
}

/// Whether nobody is there who could type what a hint says.
pub(crate) fn is_automated() -> bool {
    manner().automated
}

/// An event on standard output: one line.
pub(crate) fn event(event: &Event) {
    let line = event.line(SystemTime::now());
    // Nobody may read it any more, which is no error. Whoever follows sees each event when it happens.
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).unwrap_or_default();
}

/// A line on standard output. One that nobody reads any more (`| head`) is not an error.
pub(crate) fn line(text: &str) {
    if is_json() {
        let text = anstream::adapter::strip_str(text).to_string();
        if !text.trim().is_empty() {
            event(&events::log(text.trim()));
        }
        return;
    }
    if manner().document {
        writeln!(anstream::stderr().lock(), "{text}").unwrap_or_default();
    } else {
        writeln!(anstream::stdout().lock(), "{text}").unwrap_or_default();
    }
}

/// A whole document on standard output, to the last byte.
pub(crate) fn document(text: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).unwrap_or_default();
}

/// A text for scripts, byte by byte, and a line end.
pub(crate) fn as_it_is(text: &str) {
    writeln!(std::io::stdout().lock(), "{text}").unwrap_or_default();
}

/// An error, on standard error.
pub(crate) fn error(text: &str) {
    if is_json() {
        event(&events::diagnostic(Severity::Error, text, None));
        return;
    }
    writeln!(anstream::stderr().lock(), "{RED}error:{RED:#} {text}").unwrap_or_default();
}

/// Something that may be wrong, on standard error.
pub(crate) fn warning(text: &str) {
    if is_json() {
        event(&events::diagnostic(Severity::Warning, text, None));
        return;
    }
    writeln!(anstream::stderr().lock(), "{YELLOW}warning:{YELLOW:#} {text}").unwrap_or_default();
}

/// What to type next, for people only.
pub(crate) fn hint(text: &str) {
    if !is_json() && !is_automated() {
        writeln!(anstream::stdout().lock(), "{DIM}{text}{DIM:#}").unwrap_or_default();
    }
}

/// A question without a line end.
pub(crate) fn prompt(text: &str) {
    let mut out = anstream::stdout().lock();
    write!(out, "{text}").and_then(|()| out.flush()).unwrap_or_default();
}
