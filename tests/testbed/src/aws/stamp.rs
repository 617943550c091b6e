//! How old a request's signature stamp may be when the request is executed.

use std::time::{Duration, SystemTime};

use super::{answer::Answer, call::Call};

/// What the real services allow, into the past and into the future.
pub(crate) const REAL_BOUND: Duration = Duration::from_secs(15 * 60);

/// The refusal of a call whose stamp is missing, older than `bound` or too far in the future. S3 is left out:
/// it has rules of its own and the state's writes need none of them.
pub(crate) fn refusal(call: &Call, now: SystemTime, bound: Duration) -> Option<Answer> {
    if call.is_s3() {
        return None;
    }
    let Some(stamp) = &call.stamp else {
        let message = "Request is missing Authentication Token";
        return Some(Answer::error(call, 403, "MissingAuthenticationToken", message));
    };
    let Some(signed) = parse(stamp) else {
        let message = format!("Date in X-Amz-Date is not valid: {stamp}");
        return Some(Answer::error(call, 400, "IncompleteSignature", &message));
    };
    let fresh = match now.duration_since(signed) {
        Ok(age) => age <= bound,
        Err(ahead) => ahead.duration() <= REAL_BOUND,
    };
    (!fresh).then(|| {
        if call.is_ec2() {
            return Answer::error(call, 400, "RequestExpired", "Request has expired.");
        }
        // The other services do not say RequestExpired.
        let message = format!(
            "Signature expired: {stamp} is now earlier than the bound of {} s before {}",
            bound.as_secs(),
            httpdate::fmt_http_date(now)
        );
        Answer::error(call, 403, "SignatureDoesNotMatch", &message)
    })
}

/// `20261122T172430Z`.
fn parse(stamp: &str) -> Option<SystemTime> {
    let bytes = stamp.as_bytes();
    if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let number = |range| stamp.get(range).and_then(|digits: &str| digits.parse::<u64>().ok());
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let (hour, minute, second) = (number(9..11)?, number(11..13)?, number(13..15)?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Of the proleptic Gregorian calendar, with years that begin in March so that a leap day is the last.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let year = if month > 2 { year } else { year - 1 };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn call(service: &str, stamp: Option<&str>) -> Call {
        let own = str::to_owned;
        Call {
            account: own("a"),
            service: own(service),
            region: own("r"),
            action: own("A"),
            params: BTreeMap::new(),
            stamp: stamp.map(own),
        }
    }

    #[test]
    fn stamps_are_read_as_http_dates_are() {
        for (stamp, date) in [
            ("19700101T000000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            ("20240229T235959Z", "Thu, 29 Feb 2024 23:59:59 GMT"),
            ("20261122T172430Z", "Sun, 22 Nov 2026 17:24:30 GMT"),
            ("21000301T000000Z", "Mon, 01 Mar 2100 00:00:00 GMT"),
        ] {
            assert_eq!(parse(stamp), httpdate::parse_http_date(date).ok(), "{stamp}");
        }
        for wrong in ["", "2026-11-22T17:24Z", "20261322T172430Z", "20261122T1724xxZ"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_a_stamp_within_the_bound_is_taken() {
        let stamp = "20261122T172430Z";
        let signed = parse(stamp).unwrap();
        let status = |service, stamp, now| {
            refusal(&call(service, stamp), now, Duration::from_secs(3)).map(|answer| answer.status)
        };
        let second = Duration::from_secs(1);
        assert_eq!(status("ec2", Some(stamp), signed + 3 * second), None);
        assert_eq!(status("ec2", Some(stamp), signed + 4 * second), Some(400));
        assert_eq!(status("sts", Some(stamp), signed + 4 * second), Some(403));
        assert_eq!(status("s3", Some(stamp), signed + 4 * second), None);
        assert_eq!(status("ec2", Some(stamp), signed - 60 * second), None);
        assert_eq!(status("ec2", Some(stamp), signed - REAL_BOUND - second), Some(400));
        assert_eq!(status("ec2", None, signed), Some(403));
    }
}
