//! Standard output and standard error: everything that is said goes through here.
//!
//! With `--json`, standard output carries one JSON object per line, whoever speaks: a line of text becomes an event of
//! type `log`, an error a `diagnostic`.

use std::io::{self, Write as _};
use std::sync::OnceLock;
use std::time::SystemTime;

use super::plain;
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
/// Why something did not get to standard output.
static LOST: OnceLock<String> = OnceLock::new();

/// That nobody reads any more (`| head`) is no error; anything else that keeps a text from its reader is one, in the end.
fn printed(written: io::Result<()>) {
    if let Err(error) = written
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        LOST.get_or_init(|| error.to_string());
    }
}

/// Whether all that was said got to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// It did, as far as anybody read it.
    All,
    /// Some did not, which standard error says.
    NotAll,
}

/// The last thing that is said: whether the rest could be.
pub(crate) fn end() -> Told {
    printed(io::stdout().lock().flush());
    match LOST.get() {
        None => Told::All,
        Some(error) => {
            complaint(&format!("standard output can't be written: {error}"));
            Told::NotAll
        }
    }
}

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
    // Whoever follows sees each event when it happens.
    let mut out = io::stdout().lock();
    printed(writeln!(out, "{}", super::json_escaped(&line)).and_then(|()| out.flush()));
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
        printed(writeln!(anstream::stdout().lock(), "{text}"));
    }
}

/// A whole document on standard output, to the last byte.
pub(crate) fn document(text: &str) {
    let mut out = io::stdout().lock();
    printed(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// A text for scripts, byte by byte, and a line end.
pub(crate) fn as_it_is(text: &str) {
    printed(writeln!(io::stdout().lock(), "{text}"));
}

/// An error, on standard error. What a server said may be part of it: it stands on one line, and steers no terminal.
pub(crate) fn error(text: &str) {
    if is_json() {
        event(&events::diagnostic(Severity::Error, text, None));
        return;
    }
    complaint(text);
}

/// The same of what is wrong with definitions, which may take several lines: they are ours, and hold nothing of a cloud's.
pub(crate) fn finding(text: &str) {
    if is_json() {
        return error(text);
    }
    let mut lines = text.lines();
    complaint(lines.next().unwrap_or_default());
    for line in lines {
        writeln!(anstream::stderr().lock(), "{}", plain(line)).unwrap_or_default();
    }
}

fn complaint(text: &str) {
    writeln!(anstream::stderr().lock(), "{RED}error:{RED:#} {}", plain(text)).unwrap_or_default();
}

/// Something that may be wrong, on standard error.
pub(crate) fn warning(text: &str) {
    if is_json() {
        event(&events::diagnostic(Severity::Warning, text, None));
        return;
    }
    writeln!(anstream::stderr().lock(), "{YELLOW}warning:{YELLOW:#} {}", plain(text)).unwrap_or_default();
}

/// What to type next, for people only.
pub(crate) fn hint(text: &str) {
    if !is_json() && !is_automated() {
        printed(writeln!(anstream::stdout().lock(), "{DIM}{text}{DIM:#}"));
    }
}

/// A question without a line end.
pub(crate) fn prompt(text: &str) {
    let mut out = anstream::stdout().lock();
    printed(write!(out, "{text}").and_then(|()| out.flush()));
}
