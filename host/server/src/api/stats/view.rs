//! Statistics as the API shows them.

use std::collections::BTreeMap;

use alerts_domain::Timestamp;
use alerts_domain::stats::Figures;
use alerts_store::{CountedBy, StatsRow};
use serde::Serialize;

/// Figures in steps of time, and their sum.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Stats)]
pub(super) struct StatsView {
    /// The oldest step first. Steps in which nothing happened are left out.
    data: Vec<StatsRowView>,
    /// All rows together; `p50_ms` and `p99_ms` are those of all that was delivered.
    total: FiguresView,
}

/// The figures of one step.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = StatsRow)]
struct StatsRowView {
    /// When the step begins.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// With `by=webhook_endpoint_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_endpoint_id: Option<String>,
    /// With `by=alert_rule_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    alert_rule_id: Option<String>,
    /// With `by=event_type`. `*` stands for all types of a step beyond its first hundred.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_type: Option<String>,
    #[serde(flatten)]
    figures: FiguresView,
}

/// What was counted.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = StatsFigures)]
struct FiguresView {
    /// Events that came in, repetitions left out, and those that the host made. Of an endpoint or
    /// a rule: alerts that were made for it, tests and redriven ones among them.
    events: u64,
    /// Deliveries that their target took.
    delivered: u64,
    /// Deliveries that were given up: dead letters.
    dead: u64,
    /// Attempts that ended.
    attempts: u64,
    /// Of these, the ones that did not deliver.
    failed_attempts: u64,
    /// Why they failed: `dns`, `connect`, `tls`, `timeout`, `forbidden`, `protocol`, `gone`,
    /// `rate_limited`, `status_3xx`, `status_4xx`, `status_5xx`, `answer` (a status that is no
    /// error, and an answer that says no) or `plugin` (nothing was sent).
    failure_reasons: BTreeMap<String, u64>,
    /// Attempts by the status that they were answered with; those that got no answer are in
    /// none. `*` stands for all codes of a step beyond its first 32.
    status_codes: BTreeMap<String, u64>,
    /// Of an endpoint or a rule: alerts that reached their end, by the type of their event. `*`
    /// stands for all types of a step beyond its first 20.
    event_types: BTreeMap<String, u64>,
    /// Half of what was delivered took no longer than this, in milliseconds; null when
    /// nothing was delivered.
    p50_ms: Option<u64>,
    /// 99% of what was delivered took no longer than this.
    p99_ms: Option<u64>,
}

impl From<Figures> for FiguresView {
    fn from(figures: Figures) -> Self {
        let (p50_ms, p99_ms) =
            (figures.latencies.percentile_ms(50), figures.latencies.percentile_ms(99));
        let Figures { events, delivered, dead, attempts, failed_attempts, .. } = figures;
        let Figures { failure_reasons, status_codes, event_types, .. } = figures;
        Self {
            events,
            delivered,
            dead,
            attempts,
            failed_attempts,
            failure_reasons,
            status_codes,
            event_types,
            p50_ms,
            p99_ms,
        }
    }
}

impl StatsView {
    pub(super) fn of(by: CountedBy, rows: Vec<StatsRow>) -> Self {
        let mut total = Figures::default();
        rows.iter().for_each(|row| total.add(&row.figures));
        let data = rows.into_iter().map(|row| {
            let StatsRow { at, subject, figures } = row;
            let when = |counted| (by == counted).then(|| subject.clone());
            StatsRowView {
                at,
                webhook_endpoint_id: when(CountedBy::WebhookEndpoint),
                alert_rule_id: when(CountedBy::AlertRule),
                event_type: when(CountedBy::EventType),
                figures: figures.into(),
            }
        });
        Self { data: data.collect(), total: total.into() }
    }
}
