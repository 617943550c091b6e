//! The clocks: the one place where they are read.

use std::time::{SystemTime, UNIX_EPOCH};

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
    let (days, seconds) = (wall_ms / 86_400_000, wall_ms / 1_000 % 86_400);
    // Days since 1970 to a date, in eras of 400 years that begin on the first of March.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
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
