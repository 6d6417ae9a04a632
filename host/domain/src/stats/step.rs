//! Steps of time: minutes, hours and days, in UTC.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a step of time is. Steps begin where minutes, hours and days of UTC do.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[schema(as = StatsStep)]
pub enum Step {
    /// 60 s.
    Minute,
    /// 3600 s.
    Hour,
    /// 86,400 s: UTC as it is told here has no leap seconds.
    Day,
}

impl Step {
    /// All of them, the shortest first.
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// The word in the API and in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// Its length in seconds.
    pub fn seconds(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 60 * 60,
            Self::Day => 24 * 60 * 60,
        }
    }

    /// How long its rows are kept. Minutes are for a look at what happened just now or
    /// last night; they are most of the rows, and what they say is in the hours too.
    pub fn kept_for(self) -> SignedDuration {
        let days = match self {
            Self::Minute => 2,
            Self::Hour | Self::Day => 90,
        };
        SignedDuration::from_hours(24 * days)
    }

    /// Where the step begins in which `at` lies.
    pub fn beginning(self, at: Timestamp) -> Timestamp {
        let second = at.as_second();
        // A time before 1970 rounds down as well.
        let second = if at.subsec_nanosecond() < 0 { second - 1 } else { second };
        let first = second.div_euclid(self.seconds()) * self.seconds();
        Timestamp::from_second(first).unwrap_or(Timestamp::MIN)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|step| step.as_str() == text).ok_or_else(|| {
            format!("`{text}` is not a step; use {}", Self::ALL.map(Self::as_str).join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_begins_where_its_minute_hour_or_day_does() {
        let begins = |step: Step, at: &str| step.beginning(at.parse().unwrap()).to_string();
        let at = "2026-02-28T23:59:59.999999Z";
        assert_eq!(begins(Step::Minute, at), "2026-02-28T23:59:00Z");
        assert_eq!(begins(Step::Hour, at), "2026-02-28T23:00:00Z");
        assert_eq!(begins(Step::Day, at), "2026-02-28T00:00:00Z");
        assert_eq!(begins(Step::Day, "1969-12-31T23:59:59.5Z"), "1969-12-31T00:00:00Z");
        let beginning = "2026-03-01T00:00:00Z";
        assert!(Step::ALL.iter().all(|step| begins(*step, beginning) == beginning));
    }

    #[test]
    fn steps_read_back_as_written() {
        assert!(Step::ALL.iter().all(|step| step.as_str().parse() == Ok(*step)));
        assert!("week".parse::<Step>().unwrap_err().contains("minute, hour, day"));
    }
}
