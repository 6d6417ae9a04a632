//! Of what statistics are kept beside the tenant's own.

/// What one row of statistics is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CountedBy {
    /// The tenant as a whole.
    All,
    /// One of its endpoints.
    WebhookEndpoint,
    /// One of its rules.
    AlertRule,
    /// Its events of one type.
    EventType,
}

impl CountedBy {
    /// The word in the API and in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::WebhookEndpoint => "webhook_endpoint_id",
            Self::AlertRule => "alert_rule_id",
            Self::EventType => "event_type",
        }
    }
}
