//! Too much of something within a time: what a tenant may ask for, and how it is
//! told.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::group::Group;
use super::limits::milliseconds;
use super::run::ENDED;
use crate::event::EventTypePattern;
use crate::problem::FieldError;

/// Fires when a window holds too many events, once for each breach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdTrigger {
    /// How far back events count, in milliseconds.
    pub window_ms: u64,
    /// What is too much.
    #[serde(flatten)]
    pub breach: Breach,
    /// Fields by whose values events are counted apart: names of fields in
    /// `data`, or of the event's attributes. Empty: all together.
    #[serde(default)]
    pub group_by: Vec<String>,
    /// While a breach goes on, alert again after this many milliseconds. Absent:
    /// not before it has recovered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown_ms: Option<u64>,
    /// Whether the end of a breach is told too. Absent: where the target wants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<bool>,
}

/// What is too much.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Breach {
    /// More than this many events.
    Count(u32),
    /// A share of events, among others, above this.
    Ratio(Ratio),
}

/// Of the events of some types, the share that the rule's own are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    /// The share above which it is too much, from 0 up to but not including 1.
    #[schema(minimum = 0, maximum = 1, example = 0.2)]
    pub above: f64,
    /// The types of all events that are counted, the rule's own among them.
    #[serde(default = "both_ends")]
    #[schema(value_type = Vec<String>, max_items = 10)]
    pub of: Vec<EventTypePattern>,
    /// Only the newest so many events in the window.
    #[serde(default = "Ratio::default_last")]
    #[schema(minimum = 1, maximum = 10_000, default = 1000)]
    pub last: u32,
    /// How many there must be before a share means anything.
    #[serde(default = "Ratio::default_min_total")]
    #[schema(minimum = 1, maximum = 10_000, default = 10)]
    pub min_total: u32,
}

fn both_ends() -> Vec<EventTypePattern> {
    ENDED.iter().filter_map(|ended| EventTypePattern::new(ended).ok()).collect()
}

impl Ratio {
    fn default_last() -> u32 {
        1000
    }

    fn default_min_total() -> u32 {
        10
    }

    fn problems(&self) -> Vec<FieldError> {
        let mut problems = Vec::new();
        let mut refuse = |pointer: &str, detail: String| {
            problems.push(FieldError::new(pointer, detail));
        };
        if !(0.0..1.0).contains(&self.above) {
            refuse("/ratio/above", "must be from 0 up to but not including 1".to_owned());
        }
        if self.of.is_empty() || self.of.len() > 10 {
            refuse("/ratio/of", "must name from 1 to 10 types of events".to_owned());
        }
        let most = ThresholdTrigger::MAX_EVENTS;
        if self.last == 0 || self.last > most {
            refuse("/ratio/last", format!("must be from 1 to {most}"));
        }
        if self.min_total == 0 || self.min_total > self.last {
            refuse("/ratio/min_total", format!("must be from 1 to `last`, which is {}", self.last));
        }
        problems
    }
}

impl ThresholdTrigger {
    /// Most events that a window may have to remember.
    pub const MAX_EVENTS: u32 = 10_000;
    /// Longest window: 7 days.
    const MAX_WINDOW_MS: u64 = 7 * 24 * 60 * 60 * 1000;
    /// Longest cooldown: 30 days.
    const MAX_COOLDOWN_MS: u64 = 30 * 24 * 60 * 60 * 1000;
    /// Kept beyond what is needed, so that events out of order find their place.
    const SPARE: usize = 16;

    pub(super) fn problems(&self) -> Vec<FieldError> {
        let mut problems = Vec::new();
        milliseconds("/window_ms", self.window_ms, Self::MAX_WINDOW_MS, &mut problems);
        if let Some(cooldown_ms) = self.cooldown_ms {
            milliseconds("/cooldown_ms", cooldown_ms, Self::MAX_COOLDOWN_MS, &mut problems);
        }
        match &self.breach {
            Breach::Count(count) if *count == 0 || *count > Self::MAX_EVENTS => {
                let detail = format!("must be from 1 to {}", Self::MAX_EVENTS);
                problems.push(FieldError::new("/count", detail));
            }
            Breach::Count(_) => {}
            Breach::Ratio(ratio) => problems.extend(ratio.problems()),
        }
        problems.extend(Group::problems(&self.group_by));
        problems
    }

    pub(super) fn looks_at(&self, event_type: &EventTypePattern) -> Vec<EventTypePattern> {
        let mut types = vec![event_type.clone()];
        if let Breach::Ratio(ratio) = &self.breach {
            types.extend(ratio.of.iter().cloned());
        }
        types
    }

    pub(super) fn window(&self) -> SignedDuration {
        SignedDuration::from_millis(i64::try_from(self.window_ms).unwrap_or(i64::MAX))
    }

    /// How many events a window must remember.
    pub(super) fn kept(&self) -> usize {
        let needed = match &self.breach {
            Breach::Count(count) => *count as usize + 1,
            Breach::Ratio(ratio) => ratio.last as usize,
        };
        needed.min(Self::MAX_EVENTS as usize + 1) + Self::SPARE
    }

    /// After this long without an event a group's memory says nothing any more.
    pub(super) fn forgotten_after(&self) -> SignedDuration {
        let cooldown = SignedDuration::from_millis(
            i64::try_from(self.cooldown_ms.unwrap_or(0)).unwrap_or(i64::MAX),
        );
        self.window().saturating_add(cooldown)
    }

    /// The figures in the alert.
    pub(super) fn figures(&self, found: u32, total: u32, group: &Group) -> Value {
        let mut figures = json!({"type": "threshold", "window_ms": self.window_ms});
        match &self.breach {
            Breach::Count(limit) => {
                figures["count"] = found.into();
                figures["limit"] = (*limit).into();
                // No more than these are remembered: there may have been others.
                if found as usize >= self.kept() {
                    figures["at_least"] = true.into();
                }
            }
            Breach::Ratio(ratio) => {
                figures["ratio"] = share(found, total).into();
                figures["above"] = ratio.above.into();
                figures["count"] = found.into();
                figures["total"] = total.into();
            }
        }
        if !group.values.is_empty() {
            figures["group"] = group.values.clone().into();
            figures["group_key"] = group.key.clone().into();
        }
        figures
    }

    /// What was found, for the person who asks why.
    pub(super) fn explain(&self, found: u32, total: u32) -> String {
        let window = self.window();
        match &self.breach {
            Breach::Count(limit) => {
                format!("{found} in the last {window:#}; fires at more than {limit}")
            }
            Breach::Ratio(ratio) => format!(
                "{found} of {total} in the last {window:#}, a share of {:.3}; fires above {} of at \
                 least {}",
                share(found, total),
                ratio.above,
                ratio.min_total
            ),
        }
    }

    pub(super) fn is_breached(&self, found: u32, total: u32) -> bool {
        match &self.breach {
            Breach::Count(limit) => found > *limit,
            Breach::Ratio(ratio) => total >= ratio.min_total && share(found, total) > ratio.above,
        }
    }
}

fn share(found: u32, total: u32) -> f64 {
    if total == 0 { 0.0 } else { f64::from(found) / f64::from(total) }
}

#[cfg(test)]
mod tests;
