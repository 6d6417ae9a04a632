//! Times and spans of time, for people.

/// Seconds since the Unix epoch of a time in RFC 3339; none when the text is no such
/// time. A fraction of a second is passed over.
pub fn unix_seconds(time: &str) -> Option<i64> {
    let (date_and_time, rest) = time.split_at_checked(19)?;
    let number = |from: usize, to: usize| {
        let digits = date_and_time.get(from..to)?;
        digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse::<i64>().ok())?
    };
    let bytes = date_and_time.as_bytes();
    let separators = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    let is_separated = separators.iter().all(|(at, separator)| bytes[*at] == *separator);
    if !is_separated || !matches!(bytes[10], b'T' | b't' | b' ') {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    // 60 is a leap second.
    if !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    let offset = offset_seconds(rest)?;
    Some(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset)
}

/// What follows the seconds: a fraction, perhaps, and the offset from UTC.
fn offset_seconds(rest: &str) -> Option<i64> {
    let offset = match rest.strip_prefix('.') {
        Some(fraction) => {
            let offset = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
            (offset.len() < fraction.len()).then_some(offset)?
        }
        None => rest,
    };
    if matches!(offset, "Z" | "z") {
        return Some(0);
    }
    let sign = match offset.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let number = |digits: &str| (digits.len() == 2).then(|| digits.parse::<u8>().ok())?;
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then(|| sign * (i64::from(hours) * 3600 + i64::from(minutes) * 60))
}

/// Days from the Unix epoch to a day of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March have their leap day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days_before_month = (153 * month + 2) / 5;
    let days_before_year = 365 * year + year / 4 - year / 100 + year / 400;
    /// From the first of March of the year 0 to the Unix epoch.
    const TO_EPOCH: i64 = 719_468;
    days_before_year + days_before_month + day - 1 - TO_EPOCH
}

/// A time in UTC, to the second: `2026-01-01 00:00:00 UTC`. Any other text as it is.
pub fn in_utc(time: &str) -> String {
    match time.strip_suffix(['Z', 'z']).and_then(|time| time.split_at_checked(19)) {
        Some((date_and_time, _)) if unix_seconds(time).is_some() => {
            format!("{} UTC", date_and_time.replace(['T', 't'], " "))
        }
        _ => time.to_owned(),
    }
}

/// Milliseconds in the two largest units that matter: `1 min 23 s`, `15 min`, `2 d 3 h`.
pub fn span(ms: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)];
    let seconds = ms / 1000;
    match ms {
        0..1_000 => return format!("{ms} ms"),
        1_000..60_000 if ms % 1000 >= 100 => return format!("{seconds}.{} s", ms % 1000 / 100),
        _ => {}
    }
    let largest = UNITS.iter().position(|(_, unit)| seconds >= *unit).unwrap_or(UNITS.len() - 1);
    let (name, unit) = UNITS[largest];
    let whole = format!("{} {name}", seconds / unit);
    match UNITS.get(largest + 1).map(|(name, below)| (name, seconds % unit / below)) {
        Some((name, more)) if more > 0 => format!("{whole} {more} {name}"),
        _ => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_whatever_its_offset_and_fraction() {
        for (time, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-01-01T00:00:00Z", 1_767_225_600),
            ("2026-01-01T00:00:00.123456789Z", 1_767_225_600),
            ("2026-01-01t01:30:00+01:30", 1_767_225_600),
            ("2025-12-31 19:00:00-05:00", 1_767_225_600),
            ("2024-02-29T12:00:00Z", 1_709_208_000),
            ("2000-03-01T00:00:00Z", 951_868_800),
            ("1969-12-31T23:59:59Z", -1),
        ] {
            assert_eq!(unix_seconds(time), Some(seconds), "{time}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "yesterday",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+1:00",
            "2026-01-01T00:00:00Z ",
            "2026/01/01T00:00:00Z",
            "+026-01-01T00:00:00Z",
            "２026-01-01T00:00:00Z",
        ] {
            assert_eq!(unix_seconds(text), None, "{text}");
        }
    }

    #[test]
    fn people_read_utc_to_the_second() {
        assert_eq!(in_utc("2026-01-31T02:12:34.5Z"), "2026-01-31 02:12:34 UTC");
        for other in ["2026-01-31T02:12:34+01:00", "soon", "", "fizzZ"] {
            assert_eq!(in_utc(other), other);
        }
    }

    #[test]
    fn a_span_has_the_two_units_that_matter() {
        for (ms, text) in [
            (0, "0 ms"),
            (250, "250 ms"),
            (1_000, "1 s"),
            (1_540, "1.5 s"),
            (83_000, "1 min 23 s"),
            (900_000, "15 min"),
            (3_600_000, "1 h"),
            (3_605_000, "1 h"),
            (7_384_000, "2 h 3 min"),
            (183_600_000, "2 d 3 h"),
        ] {
            assert_eq!(span(ms), text);
        }
    }
}
