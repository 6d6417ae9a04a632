//! Where a delivery stands.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// Waits for its time.
    Scheduled,
    /// In the hands of a host.
    Leased,
    /// The target has it.
    Delivered,
    /// Used up its retries or was rejected: a dead letter.
    Dead,
    /// Stopped by a person, or superseded by a newer one about the same thing.
    Canceled,
    /// Never meant to be sent: its endpoint was off when the rule matched.
    Skipped,
}

impl DeliveryStatus {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Scheduled, Self::Leased, Self::Delivered, Self::Dead, Self::Canceled, Self::Skipped];

    /// The word in the API and in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Leased => "leased",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Canceled => "canceled",
            Self::Skipped => "skipped",
        }
    }

    /// Whether it is never left.
    pub fn is_terminal(self) -> bool {
        !matches!(self, Self::Scheduled | Self::Leased)
    }

    /// Whether a person may have it sent again, as a new delivery.
    pub fn can_be_redriven(self) -> bool {
        matches!(self, Self::Dead | Self::Skipped)
    }
}

impl fmt::Display for DeliveryStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DeliveryStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or_else(|| {
            format!(
                "`{text}` is not a delivery status; use {}",
                Self::ALL.map(Self::as_str).join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_read_back_as_written() {
        for status in DeliveryStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
    }

    #[test]
    fn an_unknown_status_is_refused_with_those_there_are() {
        let refused = "lost".parse::<DeliveryStatus>().unwrap_err();
        for status in DeliveryStatus::ALL {
            assert!(refused.contains(&status.to_string()), "{refused}");
        }
    }
}
