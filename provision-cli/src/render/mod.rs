//! What a person sees: text for plans, progress, reports and state.

pub(crate) mod adoption;
mod board;
pub(crate) mod drift;
pub(crate) mod graph;
pub(crate) mod history;
mod out;
pub(crate) mod output;
pub(crate) mod plan;
pub(crate) mod progress;
pub(crate) mod report;
pub(crate) mod runs;
pub(crate) mod show;
pub(crate) mod state;
pub(crate) mod style;
mod table;
mod terminal;
pub(crate) mod words;

use serde::Serialize;

pub(crate) use out::{
    Manner, Told, as_it_is, document, end, error, event, finding, hint, is_json, line, prompt, set_manner, warning,
};

/// The version of what `--json` prints: additions do not raise it.
pub(crate) const FORMAT_VERSION: &str = "1";

/// A value as JSON, indented. Control characters that JSON leaves as they are would still reach a terminal.
pub(crate) fn json(value: &impl Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => line(&json_escaped(&text)),
        Err(error) => self::error(&format!("bug: this cannot be written as JSON: {error}")),
    }
}

fn json_escaped(text: &str) -> String {
    let escaped = |c: char| match c {
        '\n' => "\n".to_owned(),
        c if is_unsafe(c) => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    text.chars().map(escaped).collect()
}

/// Text from elsewhere on one line, without anything that would steer a terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if is_unsafe(c) { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// Control characters, and those that turn the direction of writing; all lie in the first plane.
fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A point of time of the store's clock.
pub(crate) fn time(ms: u64) -> String {
    provision_core::driver::shown_time(ms)
}
