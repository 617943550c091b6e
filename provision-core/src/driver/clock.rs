//! The clocks: the one place where they are read.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

use crate::machine::Now;

/// The clocks now.
pub fn now() -> Now {
    let boot = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(boot.tv_sec).unwrap_or_default();
    let millis = u64::try_from(boot.tv_nsec).unwrap_or_default() / 1_000_000;
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now {
        boot_ms: seconds.saturating_mul(1_000).saturating_add(millis),
        wall_ms: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX),
    }
}

/// A wall-clock time for people, as `2026-01-31 09:05:00 UTC`.
pub fn shown_time(wall_ms: u64) -> String {
    let time = UNIX_EPOCH + Duration::from_millis(wall_ms);
    let text = humantime::format_rfc3339_seconds(time).to_string();
    format!("{} UTC", text.replace('T', " ").trim_end_matches('Z'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_dates() {
        assert_eq!(shown_time(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(shown_time(951_782_399_000), "2000-02-28 23:59:59 UTC");
        assert_eq!(shown_time(951_782_400_000), "2000-02-29 00:00:00 UTC");
        assert_eq!(shown_time(1_767_225_599_999), "2025-12-31 23:59:59 UTC");
    }

    #[test]
    fn clocks_run() {
        let before = now();
        std::thread::sleep(std::time::Duration::from_millis(5));
        assert!(now().boot_ms >= before.boot_ms + 4);
    }
}
