//! The end of a run as events.

use provision_core::plan::Mode;
use serde_json::json;

use super::Event;
use crate::report::{Account, json_document};

/// The `change_summary` of what was done, and the `run_complete` with the whole account.
pub(crate) fn run_complete(account: &Account) -> Vec<Event> {
    let counts = account.counts();
    let operation = match account.mode {
        Mode::Apply => "apply",
        Mode::Destroy => "destroy",
        Mode::Adopt => "import",
    };
    let changes = json!({
        "add": counts.added, "change": counts.changed, "import": counts.adopted, "remove": counts.destroyed,
        "operation": operation,
    });
    let message = account.sentence();
    vec![
        Event::info("change_summary", message.clone(), [("changes", changes)]),
        Event::info("run_complete", message, [("report", json_document(account))]),
    ]
}
