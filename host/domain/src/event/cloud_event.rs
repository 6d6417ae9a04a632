//! An event, once it is read.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::tenant::TenantId;

/// How far an emitter's clock may be ahead of the host's.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_hours(1);

/// A checked CloudEvent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The emitter's id; unique within `source` and tenant.
    pub id: String,
    /// Where it happened, for example `/v0/namespace/payments`.
    pub source: String,
    /// For example `workflow.failed`.
    pub event_type: String,
    /// For example `graph/{graph_name}/run/{run_id}`.
    pub subject: Option<String>,
    /// When it happened, if the emitter said so.
    pub time: Option<Timestamp>,
    /// The tenant that the event itself names.
    pub namespace: Option<TenantId>,
    /// The whole event as a JSON object, as posted.
    pub body: Bytes,
    /// What [`Self::shown`] gives, where that is not the body.
    pub(crate) shown: Option<Bytes>,
}

impl Event {
    /// The event as conditions, runs and alerts see it: as posted, but with JSON in
    /// `data` also where it came in `data_base64`, and without a `time` that was
    /// never set.
    pub fn shown(&self) -> Bytes {
        self.shown.as_ref().unwrap_or(&self.body).clone()
    }

    /// Its `data`; null when it has none.
    pub fn data(&self) -> Value {
        #[derive(serde::Deserialize)]
        struct Data {
            #[serde(default)]
            data: Value,
        }
        serde_json::from_slice::<Data>(&self.shown()).map(|event| event.data).unwrap_or_default()
    }

    /// When it happened, for all that is counted or waited for: by its own `time`,
    /// but never later than it came in. A clock that is ahead must not hide what
    /// other emitters tell meanwhile.
    pub fn happened_at(&self, received_at: Timestamp) -> Timestamp {
        as_stored(self.time.map_or(received_at, |time| time.min(received_at)))
    }

    /// When it happened by its emitter's own clock: in which order the events of
    /// one run happened, since one clock orders them rightly also where it is
    /// wrong. Held to an hour ahead, so that a wrong clock has no
    /// effect once it was set right.
    pub fn claimed_at(&self, received_at: Timestamp) -> Timestamp {
        let latest = received_at.saturating_add(MAX_CLOCK_SKEW).unwrap_or(Timestamp::MAX);
        as_stored(self.time.map_or(received_at, |time| time.min(latest)))
    }
}

/// No finer than what is stored, or a time read back would be another one.
fn as_stored(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_happened_after_it_came_in_and_a_clock_ahead_still_orders_its_own_events() {
        let event = |time: &str| {
            let json = format!(
                r#"{{"specversion":"1.0","id":"1","source":"/a","type":"t","time":"{time}"}}"#
            );
            Event::from_structured(Bytes::from(json)).unwrap()
        };
        let received_at: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
        let time = |minutes: i64| received_at + SignedDuration::from_mins(minutes);
        for (minutes, happened, claimed) in [(-5, -5, -5), (59, 0, 59), (600, 0, 60)] {
            let event = event(&time(minutes).to_string());
            assert_eq!(event.happened_at(received_at), time(happened), "{minutes}");
            assert_eq!(event.claimed_at(received_at), time(claimed), "{minutes}");
        }
    }
}
