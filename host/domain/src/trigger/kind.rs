//! How a rule fires, as a tenant writes it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::duration::DurationTrigger;
use super::run::run_types;
use super::threshold::{Breach, Ratio, ThresholdTrigger};
use crate::event::EventTypePattern;
use crate::problem::FieldError;

/// How a rule fires.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", try_from = "Written")]
pub enum Trigger {
    /// On each matching event.
    #[default]
    Event,
    /// When a run takes longer than it should, while it is still going.
    Duration(DurationTrigger),
    /// When too much of something happens within a time.
    Threshold(ThresholdTrigger),
    /// As a newer release wrote it: kept and shown as it is, and never fired here.
    #[serde(untagged)]
    Unknown(Value),
}

impl Trigger {
    /// The word in the API.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Duration(_) => "duration",
            Self::Threshold(_) => "threshold",
            Self::Unknown(_) => "unknown",
        }
    }

    /// Reads a trigger that is stored. One that a newer release wrote, with a type
    /// or a field that is not known here, is [`Self::Unknown`]: its rule is left
    /// alone, and no other suffers. What people send is read more strictly, by
    /// [`Deserialize`].
    ///
    /// # Errors
    /// When it is not a JSON object at all.
    pub fn from_stored(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
            .or_else(|_| serde_json::from_str(json).map(|kept| Self::Unknown(Value::Object(kept))))
    }

    /// What is wrong with it, with pointers into the trigger. `event_type` is
    /// the rule's own.
    pub fn problems(&self, event_type: &EventTypePattern) -> Vec<FieldError> {
        match self {
            // An unknown one is as it was stored, which is no fault of whoever changes
            // something else about its rule.
            Self::Event | Self::Unknown(_) => Vec::new(),
            Self::Duration(duration) => duration.problems(event_type),
            Self::Threshold(threshold) => threshold.problems(),
        }
    }

    /// The types of events that a rule with this trigger looks at.
    pub fn looks_at(&self, event_type: &EventTypePattern) -> Vec<EventTypePattern> {
        match self {
            Self::Event => vec![event_type.clone()],
            Self::Duration(_) => run_types(),
            Self::Threshold(threshold) => threshold.looks_at(event_type),
            Self::Unknown(_) => Vec::new(),
        }
    }
}

/// How a rule fires: `event` (the default) on each matching event; `duration`
/// when a run goes on for longer than `threshold_ms`; `threshold` when a window
/// holds more than `count` matching events, or a share of them above a `ratio`.
// One flat object, so that a wrong field is told by its own pointer, and a
// field of another kind of trigger by its name.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Trigger, example = json!({
    "type": "threshold", "window_ms": 600_000, "count": 3, "group_by": ["graph_name"]
}))]
struct Written {
    /// `event`, `duration` or `threshold`.
    #[schema(example = "event")]
    r#type: String,
    /// For `duration`: how long a run may take, in milliseconds.
    #[schema(minimum = 1, maximum = 2_592_000_000u64, example = 900_000)]
    threshold_ms: Option<u64>,
    /// For `threshold`: how far back events count, in milliseconds.
    #[schema(minimum = 1, maximum = 604_800_000, example = 600_000)]
    window_ms: Option<u64>,
    /// For `threshold`: more than this many events are too many.
    #[schema(minimum = 1, maximum = 10_000, example = 3)]
    count: Option<u32>,
    /// For `threshold`, instead of `count`.
    ratio: Option<Ratio>,
    /// For `threshold`: fields by whose values events are counted apart; names
    /// of fields in `data`, or of the event's attributes.
    #[schema(max_items = 5, example = json!(["graph_name"]))]
    group_by: Option<Vec<String>>,
    /// For `threshold`: while a breach goes on, alert again after this many
    /// milliseconds. Absent: not before it has recovered.
    #[schema(minimum = 1, maximum = 2_592_000_000u64, example = 3_600_000)]
    cooldown_ms: Option<u64>,
    /// For `threshold`: whether another alert tells that the breach is over. Absent:
    /// where the target wants it, as PagerDuty does, whose incident it resolves.
    #[schema(example = true)]
    recovery: Option<bool>,
}

impl utoipa::PartialSchema for Trigger {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        Written::schema()
    }
}

impl utoipa::ToSchema for Trigger {
    fn name() -> std::borrow::Cow<'static, str> {
        "Trigger".into()
    }

    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>) {
        Written::schemas(schemas);
    }
}

impl TryFrom<Written> for Trigger {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let given = [
            ("threshold_ms", written.threshold_ms.is_some(), "duration"),
            ("window_ms", written.window_ms.is_some(), "threshold"),
            ("count", written.count.is_some(), "threshold"),
            ("ratio", written.ratio.is_some(), "threshold"),
            ("group_by", written.group_by.is_some(), "threshold"),
            ("cooldown_ms", written.cooldown_ms.is_some(), "threshold"),
            ("recovery", written.recovery.is_some(), "threshold"),
        ];
        let kind = written.r#type.as_str();
        if let Some((field, _, of)) = given.iter().find(|(_, given, of)| *given && *of != kind) {
            return Err(format!("`{field}` belongs to a trigger of type `{of}`, not `{kind}`"));
        }
        let needed = |field: &str| format!("a trigger of type `{kind}` needs `{field}`");
        match kind {
            "event" => Ok(Self::Event),
            "duration" => {
                let threshold_ms = written.threshold_ms.ok_or_else(|| needed("threshold_ms"))?;
                Ok(Self::Duration(DurationTrigger { threshold_ms }))
            }
            "threshold" => Ok(Self::Threshold(ThresholdTrigger {
                window_ms: written.window_ms.ok_or_else(|| needed("window_ms"))?,
                breach: match (written.count, written.ratio) {
                    (Some(count), None) => Breach::Count(count),
                    (None, Some(ratio)) => Breach::Ratio(ratio),
                    _ => return Err(needed("count` or `ratio") + ", and not both"),
                },
                group_by: written.group_by.unwrap_or_default(),
                cooldown_ms: written.cooldown_ms,
                recovery: written.recovery,
            })),
            other => {
                Err(format!("there is no trigger `{other}`; use event, duration or threshold"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(json: Value) -> Result<Trigger, String> {
        serde_json::from_value(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_trigger_reads_back_as_it_was_written() {
        for written in [
            json!({"type": "event"}),
            json!({"type": "duration", "threshold_ms": 900_000}),
            json!({"type": "threshold", "window_ms": 600_000, "count": 3,
                "group_by": ["graph_name"], "cooldown_ms": 60_000, "recovery": true}),
            json!({"type": "threshold", "window_ms": 3_600_000, "group_by": [],
                "ratio": {"above": 0.2, "of": ["workflow.succeeded", "workflow.failed"],
                    "last": 50, "min_total": 10}}),
        ] {
            let trigger = read(written.clone()).unwrap();
            assert_eq!(serde_json::to_value(&trigger).unwrap(), written);
        }
    }

    #[test]
    fn a_field_of_another_kind_is_refused_by_name() {
        let wrong = read(json!({"type": "duration", "threshold_ms": 1, "count": 3})).unwrap_err();
        assert!(wrong.contains("`count` belongs to a trigger of type `threshold`"), "{wrong}");
        assert!(read(json!({"type": "event", "window_ms": 1})).is_err());
        assert!(read(json!({"type": "duration"})).unwrap_err().contains("needs `threshold_ms`"));
        assert!(read(json!({"type": "threshold", "window_ms": 1})).is_err(), "neither");
        let both =
            json!({"type": "threshold", "window_ms": 1, "count": 1, "ratio": {"above": 0.5}});
        assert!(read(both).unwrap_err().contains("not both"));
        assert!(read(json!({"type": "cron"})).unwrap_err().contains("there is no trigger `cron`"));
    }

    #[test]
    fn what_a_newer_release_wrote_is_kept_as_it_is_and_looks_at_nothing() {
        let newer = [
            json!({"type": "anomaly", "sigma": 3.0}),
            json!({"type": "threshold", "window_ms": 1, "count": 1, "quiet_hours": "22-06"}),
        ];
        let own = EventTypePattern::new("*").unwrap();
        for written in newer {
            let read_back = Trigger::from_stored(&written.to_string()).unwrap();
            assert_eq!(read_back, Trigger::Unknown(written.clone()));
            assert_eq!(serde_json::to_value(&read_back).unwrap(), written);
            assert!(read_back.looks_at(&own).is_empty() && read_back.problems(&own).is_empty());
            assert!(read(written).is_err(), "nobody can make such a rule here");
        }
        let known = json!({"type": "duration", "threshold_ms": 5});
        assert_eq!(Trigger::from_stored(&known.to_string()).unwrap(), read(known).unwrap());
        assert!(Trigger::from_stored("[]").is_err() && Trigger::from_stored("{").is_err());
    }
}
