//! The demo company: its namespaces, and the endpoints, rules and keys in each. Only what
//! they are; `setup` makes them.

use alerts_domain::api_key::Role;

use super::targets::{ARCHIVED, LEDGER, PAGERDUTY, PARTNER, TERMINAL};

pub(super) const ANALYTICS: &str = "analytics";
pub(super) const PAYMENTS: &str = "payments";
pub(super) const MACHINE_LEARNING: &str = "machine-learning";

/// The graph of runs that are posted by hand.
pub(super) const BY_HAND: &str = "by-hand";
/// The endpoint that leads to the terminal.
pub(super) const TERMINAL_NAME: &str = "This terminal";
/// The rule that a person has switched off.
pub(super) const SWITCHED_OFF: &str = "Failures outside office hours";

/// One namespace.
pub(super) struct Namespace {
    pub(super) name: &'static str,
    pub(super) keys: &'static [KeySample],
    pub(super) endpoints: &'static [EndpointSample],
    pub(super) rules: &'static [RuleSample],
}

/// A key that somebody of the company holds.
pub(super) struct KeySample {
    pub(super) name: &'static str,
    pub(super) role: Role,
}

/// A webhook endpoint.
pub(super) struct EndpointSample {
    pub(super) name: &'static str,
    pub(super) target: &'static str,
    pub(super) path: &'static str,
    /// A JSON object.
    pub(super) settings: &'static str,
    /// Name and value of what the target keeps secret.
    pub(super) secret: Option<(&'static str, &'static str)>,
    pub(super) per_minute: Option<u32>,
    pub(super) is_active: bool,
}

/// An alert rule.
pub(super) struct RuleSample {
    pub(super) name: &'static str,
    pub(super) event_type: &'static str,
    /// Language and source.
    pub(super) condition: Option<(&'static str, &'static str)>,
    /// As JSON.
    pub(super) trigger: &'static str,
    /// Of which endpoint, by its name.
    pub(super) endpoint: &'static str,
    /// As JSON.
    pub(super) retries: &'static str,
    pub(super) per_minute: Option<u32>,
}

const EACH: &str = r#"{"type": "event"}"#;
const USUAL: &str = "{}";
const FAILED: &str = "workflow.failed";
const SUCCEEDED: &str = "workflow.succeeded";

const HTTP: EndpointSample = EndpointSample {
    name: "",
    target: "http",
    path: "",
    settings: "{}",
    secret: None,
    per_minute: None,
    is_active: true,
};

const ON_FAILURE: RuleSample = RuleSample {
    name: "Any failed run",
    event_type: FAILED,
    condition: None,
    trigger: EACH,
    endpoint: "",
    retries: USUAL,
    per_minute: None,
};

pub(super) const COMPANY: [Namespace; 3] = [
    Namespace {
        name: ANALYTICS,
        keys: &[
            KeySample { name: "Dana, data platform", role: Role::Admin },
            KeySample { name: "terraform", role: Role::Editor },
            KeySample { name: "grafana", role: Role::Viewer },
        ],
        endpoints: &[
            EndpointSample {
                name: "#data-oncall",
                target: "slack",
                path: "/slack/services/T02NW4KQX/B07DATAONCALL/kQ2vX9mPzR4wLs8T",
                settings: r#"{"mention": "here"}"#,
                ..HTTP
            },
            EndpointSample {
                name: "Data platform pager",
                target: "pagerduty",
                path: PAGERDUTY,
                settings: r#"{"severity": "critical", "severity_by_type": {"workflow.duration_exceeded": "warning"}}"#,
                secret: Some(("routing_key", "R03DEMOKEYDATAPLATFORMPAGER00001")),
                ..HTTP
            },
            EndpointSample {
                name: "Event bus",
                path: "/bus/analytics",
                settings: r#"{"auth": {"type": "bearer"}, "query": {"source": "alerts"}}"#,
                secret: Some(("token", "demo-token-of-the-event-bus")),
                per_minute: Some(600),
                ..HTTP
            },
            EndpointSample { name: "Partner: Fabrikam", path: PARTNER, ..HTTP },
            EndpointSample { name: "Finance ledger", path: LEDGER, ..HTTP },
            EndpointSample { name: "#etl-legacy", target: "slack", path: ARCHIVED, ..HTTP },
            EndpointSample { name: "Staging sink", path: "/bus/staging", is_active: false, ..HTTP },
            EndpointSample { name: TERMINAL_NAME, path: TERMINAL, ..HTTP },
        ],
        rules: &[
            RuleSample { endpoint: "#data-oncall", per_minute: Some(20), ..ON_FAILURE },
            RuleSample {
                name: "Warehouse load lost steps",
                condition: Some((
                    "cel",
                    "event.data.graph_name == \"warehouse-load\" && event.data.errored_count > 3",
                )),
                endpoint: "Data platform pager",
                ..ON_FAILURE
            },
            RuleSample {
                name: "One graph fails again and again",
                trigger: r#"{"type": "threshold", "window_ms": 600000, "count": 3, "group_by": ["graph_name"]}"#,
                endpoint: "Data platform pager",
                ..ON_FAILURE
            },
            RuleSample {
                name: "One run in five fails",
                trigger: r#"{"type": "threshold", "window_ms": 1800000, "ratio": {"above": 0.2, "last": 60}, "recovery": true}"#,
                endpoint: "#data-oncall",
                ..ON_FAILURE
            },
            RuleSample {
                name: "Models run too long",
                event_type: "workflow.duration_exceeded",
                condition: Some((
                    "cel",
                    "event.data.graph_name in [\"dbt-models\", \"customer-360\"]",
                )),
                trigger: r#"{"type": "duration", "threshold_ms": 900000}"#,
                endpoint: "#data-oncall",
                ..ON_FAILURE
            },
            RuleSample {
                name: "Large failures",
                condition: Some((
                    "jsonlogic",
                    r#"{">": [{"var": "event.data.errored_count"}, 4]}"#,
                )),
                endpoint: "Event bus",
                ..ON_FAILURE
            },
            RuleSample {
                name: "Finished runs, for the event bus",
                event_type: SUCCEEDED,
                condition: Some(("cel", "!event.data.graph_name.startsWith(\"export-\")")),
                endpoint: "Event bus",
                retries: r#"{"max_retries": 2, "strategy": "FIXED", "backoff_factor": 15000}"#,
                ..ON_FAILURE
            },
            RuleSample {
                name: "Exports for Fabrikam",
                event_type: SUCCEEDED,
                condition: Some(("cel", "event.data.graph_name == \"export-fabrikam\"")),
                endpoint: "Partner: Fabrikam",
                retries: r#"{"max_retries": 4, "strategy": "EXPONENTIAL_EQUAL_JITTER", "backoff_factor": 20000, "exponent": 3, "max_delay": 900000}"#,
                ..ON_FAILURE
            },
            RuleSample {
                name: "Stock is in sync",
                event_type: SUCCEEDED,
                condition: Some(("cel", "event.data.graph_name == \"inventory-sync\"")),
                endpoint: "Finance ledger",
                retries: r#"{"max_retries": 3, "strategy": "LINEAR", "backoff_factor": 30000}"#,
                ..ON_FAILURE
            },
            RuleSample {
                name: "Failures, for the old channel",
                endpoint: "#etl-legacy",
                ..ON_FAILURE
            },
            RuleSample {
                name: "Late against the agreement",
                // What it asks for is in no event: a condition that fails, to look at.
                condition: Some((
                    "cel",
                    "event.data.graph_name == \"warehouse-load\" && event.data.sla.late_minutes > 30",
                )),
                endpoint: "Data platform pager",
                ..ON_FAILURE
            },
            RuleSample {
                name: SWITCHED_OFF,
                condition: Some(("cel", "timestamp(event.time).getHours() < 7")),
                endpoint: "Data platform pager",
                ..ON_FAILURE
            },
            RuleSample {
                name: "Runs posted by hand",
                condition: Some(("cel", "event.data.graph_name == \"by-hand\"")),
                endpoint: TERMINAL_NAME,
                ..ON_FAILURE
            },
        ],
    },
    Namespace {
        name: PAYMENTS,
        keys: &[
            KeySample { name: "Priya, payments", role: Role::Admin },
            KeySample { name: "deploy pipeline", role: Role::Editor },
        ],
        endpoints: &[
            EndpointSample {
                name: "#payments-alerts",
                target: "slack",
                path: "/slack/services/T02NW4KQX/B08PAYMENTS/aV7cJ3nYhU1eQd6F",
                ..HTTP
            },
            EndpointSample {
                name: "Payments pager",
                target: "pagerduty",
                path: PAGERDUTY,
                secret: Some(("routing_key", "R03DEMOKEYPAYMENTSPAGER000000001")),
                ..HTTP
            },
        ],
        rules: &[
            RuleSample { endpoint: "#payments-alerts", ..ON_FAILURE },
            RuleSample {
                name: "Payouts are stuck",
                event_type: "workflow.duration_exceeded",
                condition: Some(("cel", "event.data.graph_name == \"payout-batch\"")),
                trigger: r#"{"type": "duration", "threshold_ms": 300000}"#,
                endpoint: "Payments pager",
                ..ON_FAILURE
            },
        ],
    },
    Namespace {
        name: MACHINE_LEARNING,
        keys: &[KeySample { name: "notebooks", role: Role::Viewer }],
        endpoints: &[EndpointSample {
            name: "#ml-runs",
            target: "slack",
            path: "/slack/services/T02NW4KQX/B09MLRUNS/tG5bK8sWoN2iXr0C",
            ..HTTP
        }],
        rules: &[RuleSample { endpoint: "#ml-runs", ..ON_FAILURE }],
    },
];
