//! The end of a breach: what is remembered for it to be told, and the event that the
//! host makes of it.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::group::Group;
use super::threshold::ThresholdTrigger;
use crate::event::{Event, EventTypePattern};
use crate::id::{EventId, RuleId};
use crate::tenant::TenantId;

/// The type of the event that the host makes when a threshold has recovered.
pub const RECOVERED: &str = "exosphere.alerts.recovered";

/// What a rule with a threshold counts, and in which group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Watched<'a> {
    /// What is too much.
    pub trigger: &'a ThresholdTrigger,
    /// The rule's own events.
    pub event_type: &'a EventTypePattern,
    /// [`Group::key`].
    pub group_key: &'a str,
}

impl Watched<'_> {
    /// The figures in the alert: those of a breach, and that it is over.
    pub(super) fn figures(&self, found: u32, total: u32, told: &Told) -> Value {
        let group = Group { key: self.group_key.to_owned(), values: told.group.clone() };
        let mut figures = self.trigger.figures(found, total, &group);
        figures["state"] = "recovered".into();
        figures["event_type"] = self.event_type.as_str().into();
        figures["since"] = told.since.to_string().into();
        figures
    }
}

/// A breach that was alerted, and whose end is to be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Told {
    /// When it was alerted first.
    pub(super) since: Timestamp,
    /// Of which group, for people.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    group: Map<String, Value>,
    /// How long events take to come in, in microseconds: the least of all since. A
    /// window goes by the times of the events, and what is waited for is waited for on
    /// the wall's clock.
    lag_us: i64,
    /// Whether it is over.
    #[serde(default)]
    pub(super) is_over: bool,
}

impl Told {
    pub(super) fn new(since: Timestamp, group: &Group) -> Self {
        Self { since, group: group.values.clone(), lag_us: i64::MAX, is_over: false }
    }

    /// An event that happened at `at` came in at `received_at`.
    pub(super) fn hear(&mut self, at: Timestamp, received_at: Timestamp) {
        let lag_us = received_at.as_microsecond().saturating_sub(at.as_microsecond());
        self.lag_us = self.lag_us.min(lag_us.max(0));
    }

    /// When it is this time among the events, on the wall.
    pub(super) fn on_the_wall(&self, at_us: i64) -> Timestamp {
        Timestamp::from_microsecond(at_us.saturating_add(self.lag_us)).unwrap_or(Timestamp::MAX)
    }

    /// What time it is among the events, in microseconds, when it is `now` on the wall.
    pub(super) fn in_events(&self, now: Timestamp) -> i64 {
        now.as_microsecond().saturating_sub(self.lag_us)
    }
}

/// The event that the host makes when a threshold has recovered.
pub(super) fn recovered(
    id: EventId,
    tenant: &TenantId,
    rule: RuleId,
    figures: &Value,
    at: Timestamp,
) -> Option<Event> {
    let event = json!({
        "specversion": "1.0",
        "id": id,
        "source": format!("/v0/namespace/{tenant}"),
        "type": RECOVERED,
        "subject": format!("alert-rule/{rule}"),
        "time": at,
        "namespace": tenant,
        "data": figures,
    });
    Event::from_structured(Bytes::from(event.to_string())).ok()
}
