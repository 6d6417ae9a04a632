//! The wait that a `Retry-After` header asks for (RFC 9110, 10.2.3). The host's
//! standard verdict is compiled from this same file, so that it and an adapter
//! never disagree.

use std::time::{Duration, UNIX_EPOCH};

/// Longest wait that is taken from a header, in milliseconds: a day. Whoever asks
/// for more has most likely made a mistake, and would silence an alert for good.
pub(crate) const MAX_WAIT_MS: u64 = 24 * 60 * 60 * 1000;

/// The wait in milliseconds, at most [`MAX_WAIT_MS`]. `value` is in seconds, or a
/// date in one of HTTP's three forms (IMF-fixdate, RFC 850, asctime), which is seen
/// from `now_ms`, milliseconds since the Unix epoch. None when it is neither.
pub(crate) fn wait_ms(value: &str, now_ms: u64) -> Option<u64> {
    let value = value.trim_matches([' ', '\t']);
    // Digits alone: a number's usual parser would take a sign, which the header has not.
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // What does not fit is longer than the longest.
        let seconds = value.parse::<u64>().unwrap_or(u64::MAX);
        return Some(seconds.saturating_mul(1000).min(MAX_WAIT_MS));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    let now = UNIX_EPOCH + Duration::from_millis(now_ms);
    let wait = at.duration_since(now).unwrap_or_default();
    Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).min(MAX_WAIT_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-01T00:00:00Z, a Thursday.
    const NOW_MS: u64 = 1_767_225_600_000;

    #[test]
    fn every_form_of_the_header_is_read() {
        for (value, wait) in [
            ("7", 7_000),
            (" 007 ", 7_000),
            ("0", 0),
            ("Thu, 01 Jan 2026 00:01:00 GMT", 60_000),
            ("Thursday, 01-Jan-26 00:01:00 GMT", 60_000),
            ("Thu Jan  1 00:01:00 2026", 60_000),
            ("Wed, 31 Dec 2025 00:00:00 GMT", 0),
        ] {
            assert_eq!(wait_ms(value, NOW_MS), Some(wait), "{value}");
        }
    }

    #[test]
    fn what_is_no_form_of_the_header_is_ignored() {
        for value in ["", " ", "+5", "-5", "5.5", "5s", "soon", "Thu, 01 Jan 2026", "1e3", "٣"] {
            assert_eq!(wait_ms(value, NOW_MS), None, "{value}");
        }
    }

    #[test]
    fn nobody_waits_longer_than_a_day() {
        for value in ["86401", "99999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            assert_eq!(wait_ms(value, NOW_MS), Some(MAX_WAIT_MS), "{value}");
        }
        assert_eq!(wait_ms("86400", NOW_MS), Some(MAX_WAIT_MS));
    }
}
