//! The event stream of `--json`: one JSON object per line.
//!
//! Keys and types are those of Terraform's machine-readable UI, so that its consumers can read ours: `version`, `log`,
//! `diagnostic`, `planned_change`, `change_summary`, `apply_start`, `apply_progress`, `apply_complete`, `apply_errored`. Ours are
//! `apply_skipped`, `claimed`, `moved`, `recovered`, `check_start`, `check_progress`, `check_complete`, `interrupted` and `run_complete`.

mod end;
mod plan;
mod stream;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use serde_json::{Value, json};

pub(crate) use end::run_complete;
pub(crate) use plan::planned;
pub(crate) use stream::Stream;

use crate::report::rfc3339;

/// The version of this format: the one of Terraform that it follows. A second number that rises adds something; ignore what
/// you do not know.
const UI: &str = "1.2";

/// One event, without the time at which it is printed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    level: Level,
    message: String,
    kind: &'static str,
    /// The key under which the rest stands, and the rest.
    body: Vec<(&'static str, Value)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Info,
    Warning,
    Error,
}

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Warning,
    Error,
}

impl Event {
    fn info(kind: &'static str, message: String, body: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        Self { level: Level::Info, message, kind, body: body.into_iter().collect() }
    }

    /// The event as a line, printed at this time.
    pub(crate) fn line(&self, at: SystemTime) -> String {
        let mut object = json!({
            "@level": match self.level {
                Level::Info => "info",
                Level::Warning => "warn",
                Level::Error => "error",
            },
            "@message": self.message,
            "@module": "provision",
            "@timestamp": rfc3339(at),
            "type": self.kind,
        });
        for (key, value) in &self.body {
            object[*key] = value.clone();
        }
        object.to_string()
    }
}

/// The first event.
pub(crate) fn version() -> Event {
    let version = env!("CARGO_PKG_VERSION");
    Event::info("version", format!("provision {version}"), [("provision", version.into()), ("ui", UI.into())])
}

/// A line that is meant for people.
pub(crate) fn log(text: &str) -> Event {
    Event::info("log", text.to_owned(), [])
}

/// An error or a warning; `address` is the resource or block that it is about.
pub(crate) fn diagnostic(severity: Severity, text: &str, address: Option<String>) -> Event {
    let (level, name, word) = match severity {
        Severity::Warning => (Level::Warning, "warning", "Warning"),
        Severity::Error => (Level::Error, "error", "Error"),
    };
    let mut body = json!({ "severity": name, "summary": text, "detail": "" });
    if let Some(address) = address {
        body["address"] = address.into();
    }
    let message = format!("{word}: {text}");
    Event { level, message, kind: "diagnostic", body: vec![("diagnostic", body)] }
}
