//! When an event happened, as its emitter wrote it: RFC 3339, and nothing that only
//! resembles it.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// The error for a time in any other form.
pub(super) const FORMS: &str = "must be RFC 3339 with an offset: 2026-01-31T12:00:00Z, \
    2026-01-31T12:00:00.25Z or 2026-01-31T13:00:00+01:00; a local time without an offset is \
    ambiguous";

/// A time that an emitter tells of; None for another text, and for a time that was
/// never set.
pub fn told(text: &str) -> Option<Timestamp> {
    rfc3339(text).filter(was_set)
}

/// Whether a time is meant as one. Those before 1970 are how some languages write one
/// that was never set (Go: the year 1).
pub(super) fn was_set(time: &Timestamp) -> bool {
    *time >= Timestamp::UNIX_EPOCH
}

/// A time with its offset; None when it is not RFC 3339.
pub(super) fn rfc3339(text: &str) -> Option<Timestamp> {
    let (local, offset) = local_time(text)?;
    in_offset(local, seconds_of(offset)?)
}

/// The same, where a time without an offset is UTC.
pub(super) fn rfc3339_or_utc(text: &str) -> Option<Timestamp> {
    match local_time(text)? {
        (local, "") => in_offset(local, 0),
        (local, offset) => in_offset(local, seconds_of(offset)?),
    }
}

fn in_offset(local: DateTime, seconds: i32) -> Option<Timestamp> {
    Offset::from_seconds(seconds).ok()?.to_timestamp(local).ok()
}

/// What stands before the offset, and the offset as written.
fn local_time(text: &str) -> Option<(DateTime, &str)> {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let fits = |(byte, shape): (&u8, &u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b't'),
        sign => byte == sign,
    };
    let (whole, rest) = text.split_at_checked(SHAPE.len())?;
    if !whole.as_bytes().iter().zip(SHAPE).all(fits) {
        return None;
    }
    let (fraction, offset) = match rest.strip_prefix('.') {
        None => ("", rest),
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            rest.split_at_checked(digits).filter(|(fraction, _)| !fraction.is_empty())?
        }
    };
    let part = |from: usize, to: usize| whole[from..to].parse::<i8>().ok();
    // A leap second, which clocks here do not have.
    let second = part(17, 19)?;
    let second = if second == 60 { 59 } else { second };
    let year = whole[..4].parse().ok()?;
    let local = DateTime::new(
        year,
        part(5, 7)?,
        part(8, 10)?,
        part(11, 13)?,
        part(14, 16)?,
        second,
        nanoseconds(fraction),
    );
    Some((local.ok()?, offset))
}

/// Of a fraction of a second; what is finer is cut.
fn nanoseconds(fraction: &str) -> i32 {
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    digits.fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0'))
}

fn seconds_of(offset: &str) -> Option<i32> {
    if matches!(offset, "Z" | "z") {
        return Some(0);
    }
    let [sign @ (b'+' | b'-'), a, b, b':', c, d] = offset.as_bytes() else { return None };
    let number = |tens: u8, ones: u8| {
        let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
        digits.then(|| i32::from(tens - b'0') * 10 + i32::from(ones - b'0'))
    };
    let (hours, minutes) = (number(*a, *b)?, number(*c, *d)?);
    let seconds = (hours < 24 && minutes < 60).then_some((hours * 60 + minutes) * 60)?;
    Some(if *sign == b'-' { -seconds } else { seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Option<String> {
        rfc3339(text).map(|time| time.to_string())
    }

    #[test]
    fn all_forms_of_rfc_3339_are_taken() {
        for (text, time) in [
            ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
            ("2026-01-31t12:00:00z", "2026-01-31T12:00:00Z"),
            ("2026-01-31T12:00:00.25Z", "2026-01-31T12:00:00.25Z"),
            ("2026-01-31T12:00:00.1234567899Z", "2026-01-31T12:00:00.123456789Z"),
            ("2026-01-31T13:30:00+01:30", "2026-01-31T12:00:00Z"),
            ("2026-01-31T12:00:00-00:00", "2026-01-31T12:00:00Z"),
            ("2026-01-31T12:00:00-23:59", "2026-02-01T11:59:00Z"),
            ("1990-12-31T23:59:60Z", "1990-12-31T23:59:59Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(utc(text).as_deref(), Some(time), "{text}");
        }
    }

    #[test]
    fn what_only_resembles_it_is_not() {
        for text in [
            "2026-01-31T12:00:00",
            "2026-01-31T12:00:00+00",
            "2026-01-31T12:00:00+0000",
            "2026-01-31T12:00:00+25:00",
            "2026-01-31T12:00:00+01:60",
            "2026-01-31T12:00:00+01:00:00",
            "2026-01-31T12:00:00,5Z",
            "2026-01-31T12:00:00.Z",
            "2026-01-31T12:00:00Z[Europe/Berlin]",
            "2026-01-31T12:00:00 Z",
            "2026-01-31 12:00:00Z",
            "2026-01-31T12:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T12:00:61Z",
            "2026-02-30T12:00:00Z",
            "2026-13-01T12:00:00Z",
            "+002026-01-31T12:00:00Z",
            "20260131T120000Z",
            "2026-01-31",
            "2026-01-31T12:00:0é",
            "yesterday",
            "",
        ] {
            assert_eq!(utc(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_that_was_never_set_is_none() {
        assert_eq!(told("0001-01-01T00:00:00Z"), None);
        assert_eq!(told("1969-12-31T23:59:59.999Z"), None);
        assert_eq!(told("1970-01-01T00:00:00Z"), Some(Timestamp::UNIX_EPOCH));
        assert_eq!(told("1970-01-01T00:00:00+01:00"), None);
    }

    #[test]
    fn a_time_without_an_offset_is_utc_where_that_is_asked_for() {
        let utc = |text| rfc3339_or_utc(text).map(|time| time.to_string());
        assert_eq!(utc("2025-12-16T07:48:32.5").as_deref(), Some("2025-12-16T07:48:32.5Z"));
        assert_eq!(utc("2025-12-16T08:48:32+01:00").as_deref(), Some("2025-12-16T07:48:32Z"));
        assert_eq!(utc("2025-12-16"), None);
    }
}
