//! The run report: what became of each block, as a file for machines.

mod account;
mod file;
mod json;
mod junit;

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};

pub(crate) use account::{Account, BlockAccount, Counts, Reached, Times, Unplanned};
pub(crate) use file::{ReportFile, create, write};
pub(crate) use json::document as json_document;

/// Milliseconds since 1970.
pub(crate) fn millis(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A time as text: `2026-11-23T03:07:55.120Z`.
pub(crate) fn rfc3339(at: SystemTime) -> String {
    utc(millis(at)).map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true)).unwrap_or_default()
}

fn utc(ms: u64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(i64::try_from(ms).ok()?)
}
