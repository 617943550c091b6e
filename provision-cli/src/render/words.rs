//! The words for what happens: the same ones in plain lines, in the live display and in the event stream.

use std::time::Duration;

use provision_core::progress::{CheckResult, Progress, Verb};

use super::plain;
use super::style::{DIM, GREEN, RED, YELLOW};

/// A line for an event. Every line of a resource or block begins with its address. What a server says is on that line too,
/// and steers no terminal.
pub(crate) fn text(progress: &Progress) -> String {
    match progress {
        Progress::Phase { what } => format!("{DIM}{} …{DIM:#}", plain(what)),
        Progress::Claimed { block, run } => format!("{DIM}{block}: claimed by run {}{DIM:#}", run.short()),
        Progress::Started { resource, verb } => format!("{DIM}{resource}: {} …{DIM:#}", doing(*verb)),
        Progress::Waiting { resource, why } => format!("{DIM}{resource}: waiting: {}{DIM:#}", plain(why)),
        Progress::Finished { resource, verb, id, took_ms } => {
            let id = id.as_ref().map(|id| format!(" {}", plain(id))).unwrap_or_default();
            format!("{GREEN}{resource}: {}{GREEN:#}{id} after {}", done(*verb), seconds(*took_ms))
        }
        Progress::Failed { resource, error, .. } => format!("{RED}{resource}: failed:{RED:#} {}", plain(error)),
        Progress::Skipped { resource, why, .. } => format!("{YELLOW}{resource}: not done:{YELLOW:#} {}", plain(why)),
        Progress::Moved { resource, from } => format!("{GREEN}{resource}: moved{GREEN:#} from {from}"),
        Progress::Checking { block, check, what } => format!("{DIM}{block}: check {check}: {}{DIM:#}", plain(what)),
        Progress::Checked { block, check, result, simulated, took_ms } => {
            let by = if *simulated { " (simulated)" } else { "" };
            let took = seconds(*took_ms);
            match result {
                CheckResult::Passed => format!("{GREEN}{block}: check {check} passed{by}{GREEN:#} after {took}"),
                CheckResult::Failed { reason } => {
                    format!("{RED}{block}: check {check} failed{by}:{RED:#} {}", plain(reason))
                }
                CheckResult::Interrupted => format!("{YELLOW}{block}: check {check}{YELLOW:#} was interrupted"),
            }
        }
        Progress::Recovered { resource, what } => format!("{resource}: of an interrupted run: {}", plain(what)),
    }
}

/// What is being done.
pub(crate) fn doing(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "creating",
        Verb::Update => "updating",
        Verb::Replace => "replacing",
        Verb::Delete => "deleting",
        Verb::Move => "moving",
        Verb::Adopt => "taking over",
    }
}

/// What was done.
pub(crate) fn done(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "created",
        Verb::Update => "updated",
        Verb::Replace => "replaced",
        Verb::Delete => "deleted",
        Verb::Move => "moved",
        Verb::Adopt => "taken over",
    }
}

/// Milliseconds as seconds with one digit: `12.3 s`.
pub(crate) fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
}

/// How long something goes on already, for a display that changes all the time: `12 s`, `2 m 05 s`, `1 h 02 m`.
pub(crate) fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} m {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} m"),
    }
}

/// How long something took, in milliseconds: exact where it was short.
pub(crate) fn took(ms: u64) -> String {
    if ms < 60_000 { seconds(ms) } else { elapsed(Duration::from_millis(ms)) }
}

/// An address in so many columns: what is cut out is in the middle, since blocks often differ in their last letters.
pub(crate) fn short(address: &str, width: usize) -> String {
    let length = address.chars().count();
    if length <= width {
        return address.to_owned();
    }
    let tail = width / 2;
    let head = width.saturating_sub(tail + 1);
    let start: String = address.chars().take(head).collect();
    let end: String = address.chars().skip(length - tail).collect();
    format!("{start}…{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_their_middle() {
        assert_eq!(short("us-east.shard-17", 16), "us-east.shard-17");
        assert_eq!(short("us-east.shard-17", 10), "us-e…rd-17");
        assert_eq!(short("us-east.shard-17", 1), "…");
    }

    #[test]
    fn times_are_as_exact_as_is_useful() {
        let shown = [0, 999, 59_949, 60_000, 125_000, 3_720_000].map(took);
        assert_eq!(shown, ["0.0 s", "0.9 s", "59.9 s", "1 m 00 s", "2 m 05 s", "1 h 02 m"]);
        assert_eq!(elapsed(Duration::from_millis(59_999)), "59 s");
    }
}
