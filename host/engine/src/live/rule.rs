//! A rule with its condition shared and its event types at hand.

use std::sync::Arc;

use alerts_domain::rule::{AlertRule, EventTypePattern};
use alerts_domain::trigger::Trigger;

/// A rule that looks at events.
#[derive(Debug)]
pub struct LiveRule {
    /// As stored.
    pub stored: AlertRule,
    /// The condition's source, shared with the sandbox's program cache.
    pub(crate) source: Option<Arc<str>>,
    /// The types of events that it looks at.
    looks_at: Vec<EventTypePattern>,
}

impl LiveRule {
    /// Makes a stored rule ready to be asked.
    pub fn new(stored: AlertRule) -> Self {
        let source = stored.spec.condition.as_ref().map(|c| Arc::from(c.source.as_str()));
        let looks_at = stored.spec.trigger.looks_at(&stored.spec.event_type);
        Self { stored, source, looks_at }
    }

    /// The types of events that it looks at.
    pub(crate) fn patterns(&self) -> &[EventTypePattern] {
        &self.looks_at
    }

    /// Whether it looks at events of this type.
    pub(crate) fn looks_at(&self, event_type: &str) -> bool {
        self.looks_at.iter().any(|pattern| pattern.matches(event_type))
    }

    /// Whether it is asked about events: it is on, or watches runs, of whose end
    /// it must know even while it is off.
    pub(crate) fn is_asked(&self) -> bool {
        self.stored.spec.is_active || matches!(self.stored.spec.trigger, Trigger::Duration(_))
    }

    /// What its texts take in memory, about.
    pub(crate) fn content_bytes(&self) -> usize {
        // The source is there as stored and as it is shared.
        self.source.as_ref().map_or(0, |source| source.len() * 2)
    }
}
