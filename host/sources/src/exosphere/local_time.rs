//! The platform's times: its wall clock, without an offset from UTC. How far it is off
//! is told by the ids of states, whose first eight digits are seconds of UTC.

use alerts_domain::Timestamp;
use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::{Deserialize, Deserializer, de::Error as _};

/// Time zones are multiples of this apart, in seconds.
const ZONES_APART_S: i64 = 15 * 60;
/// Farthest that a zone is from UTC, in seconds; beyond it something else is wrong.
const FARTHEST_S: i64 = 26 * 60 * 60;

/// A time by the platform's wall clock, in microseconds since 1970 if it were UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LocalTime(pub(crate) i64);

/// How far the platform's wall clock is ahead of UTC, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, Deserialize)]
pub(crate) struct ClockOffset(i64);

impl LocalTime {
    fn parse(text: &str) -> Option<Self> {
        // One that does have an offset is no local time; it is taken at its word.
        if let Ok(timestamp) = text.parse::<Timestamp>() {
            return Some(Self(timestamp.as_microsecond()));
        }
        let utc = Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()?;
        Some(Self(utc.as_microsecond()))
    }

    /// When that was.
    pub(crate) fn in_utc(self, offset: ClockOffset) -> Timestamp {
        let us = self.0.saturating_sub(offset.0.saturating_mul(1_000_000));
        Timestamp::from_microsecond(us).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The offset by which it is the moment at which the state with this id was made,
    /// or a little before.
    pub(crate) fn offset_by(self, state_id: &str) -> Option<ClockOffset> {
        let ahead_s = self.0.div_euclid(1_000_000) - made_at(state_id)?.as_second();
        let rounded = (ahead_s + ZONES_APART_S / 2).div_euclid(ZONES_APART_S) * ZONES_APART_S;
        (rounded.abs() <= FARTHEST_S).then_some(ClockOffset(rounded))
    }

    pub(crate) fn saturating_sub(self, by: SignedDuration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl<'de> Deserialize<'de> for LocalTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom(format!("`{text:.40}` is no time")))
    }
}

/// When a state was made, to the second, by its id (a MongoDB ObjectId).
pub(crate) fn made_at(state_id: &str) -> Option<Timestamp> {
    let is_id = state_id.len() == 24 && state_id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let second = i64::from_str_radix(is_id.then(|| state_id.get(..8))??, 16).ok()?;
    Timestamp::from_second(second).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(text: &str) -> LocalTime {
        LocalTime::parse(text).unwrap()
    }

    /// An id of a state that was made then.
    fn state(at: &str) -> String {
        format!("{:08x}bb7bbd78d9644850", at.parse::<Timestamp>().unwrap().as_second())
    }

    #[test]
    fn a_time_has_milliseconds_or_none_and_is_what_its_offset_makes_of_it() {
        assert_eq!(local("2026-11-20T01:06:39"), local("2026-11-20T01:06:39.000000"));
        assert!(local("2026-11-20T01:06:39") < local("2026-11-20T01:06:39.001000"));
        let utc = local("2026-11-27T18:29:45.912000").in_utc(ClockOffset(5 * 3600 + 1800));
        assert_eq!(utc.to_string(), "2026-11-27T12:59:45.912Z");
        assert_eq!(LocalTime::parse("yesterday"), None);
        assert_eq!(local("2026-11-20T01:06:39Z"), local("2026-11-20T01:06:39"));
    }

    #[test]
    fn the_offset_is_told_by_the_oldest_state_in_any_zone_and_over_a_clock_change() {
        for (created_at, state_at, minutes) in [
            ("2026-11-27T12:59:41.105000", "2026-11-27T12:59:41Z", 0),
            ("2026-11-27T18:29:45.912000", "2026-11-27T12:59:45Z", 330),
            ("2026-11-27T07:59:50.108000", "2026-11-27T12:59:50Z", -300),
            ("2026-11-01T01:59:55.396000", "2026-11-01T05:59:55Z", -240),
            ("2026-11-01T01:00:01.489000", "2026-11-01T06:00:01Z", -300),
            // Nepal; and a first state that is written three seconds later.
            ("2026-11-27T18:44:45.912000", "2026-11-27T12:59:48Z", 345),
        ] {
            let offset = local(created_at).offset_by(&state(state_at)).unwrap();
            assert_eq!(offset, ClockOffset(minutes * 60), "{created_at}");
            let off = local(created_at).in_utc(offset).duration_since(state_at.parse().unwrap());
            assert!(off.abs() < SignedDuration::from_secs(4), "{created_at}: {off}");
        }
    }

    #[test]
    fn what_is_no_id_of_a_state_and_no_zone_on_earth_tells_no_offset() {
        let time = local("2026-11-27T12:59:41");
        for id in ["", "xyz", "6b097cd1", "zzzzzzzzbb7bbd78d9644850", "é6b097cd1bb7bbd78d96448"] {
            assert_eq!(time.offset_by(id), None, "{id}");
        }
        assert_eq!(time.offset_by(&state("2026-11-20T12:59:41Z")), None, "a week off");
    }
}
