//! Timestamps, durations and time zones.

use super::*;

#[test]
fn an_events_time_is_computed_with() {
    for source in [
        "timestamp(event.time) == timestamp('2026-01-01T01:00:00+01:00')",
        "timestamp(event.time) - timestamp('2025-12-31T23:00:00Z') == duration('1h')",
        "timestamp(event.time) + duration('90s') > timestamp(event.time)",
        "duration('1h') - duration('59m') == duration('60s')",
        "timestamp(event.time).getFullYear() == 2026",
        "timestamp(event.time).getMonth() == 0 && timestamp(event.time).getDate() == 1",
        "timestamp(event.time).getDayOfMonth() == 0 && timestamp(event.time).getDayOfYear() == 0",
        "timestamp(event.time).getDayOfWeek() == 4",
        "timestamp('2026-01-01T02:03:04.567Z').getMilliseconds() == 567",
        "duration('3.5s').getSeconds() == 3 && duration('3.5s').getMilliseconds() == 500",
        "duration('90m').getHours() == 1 && duration('90m').getMinutes() == 90",
        "string(timestamp(event.time)) == '2026-01-01T00:00:00Z' && string(duration('90s')) == '90s'",
        "int(timestamp(event.time)) == 1767225600 && timestamp(1767225600) == timestamp(event.time)",
        "type(timestamp(event.time)) == google.protobuf.Timestamp",
    ] {
        assert_eq!(evaluate(source), Ok(true), "{source}");
    }
}

#[test]
fn the_hour_is_that_of_the_place_summer_and_winter() {
    for source in [
        "timestamp(event.time).getHours('Europe/Berlin') < 8",
        "timestamp(event.time).getHours('Europe/Berlin') == 1",
        "timestamp('2026-07-01T00:00:00Z').getHours('Europe/Berlin') == 2",
        "timestamp(event.time).getHours('America/New_York') == 19",
        "timestamp(event.time).getDayOfWeek('America/New_York') == 3",
        "timestamp(event.time).getMinutes('Asia/Kolkata') == 30",
        "timestamp(event.time).getHours('-02:30') == 21",
        "timestamp(event.time).getFullYear('UTC') == 2026",
    ] {
        assert_eq!(evaluate(source), Ok(true), "{source}");
    }
    let zone = "timestamp(event.time).getHours(event.data.name) == 1";
    let message = evaluate(zone).unwrap_err();
    assert!(message.contains("unknown time zone"), "{message}");
}

#[test]
fn a_time_that_is_written_out_and_wrong_is_refused_at_its_place() {
    for (source, at, part) in [
        ("timestamp(event.time) > timestamp('yesterday')", 34, "2026-01-31T08:00:00Z"),
        ("duration('1 hour') > duration('1s')", 9, "`1h30m`"),
        ("timestamp(event.time).getHours('Europe/Berln') == 1", 31, "Europe/Berln"),
    ] {
        let found = diagnostics(source);
        assert_eq!((found.len(), found[0].offset), (1, at), "{source}: {found:?}");
        assert!(found[0].message.contains(part), "{source}: {found:?}");
    }
}

#[test]
fn there_is_no_clock() {
    let found = diagnostics("now() - timestamp(event.time) > duration('1h')");
    assert_eq!((found[0].offset, found[0].length), (0, 3), "{found:?}");
    assert!(found[0].message.contains("timestamp(event.time)"), "{found:?}");
}
