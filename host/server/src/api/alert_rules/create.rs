//! `POST /v1/alert-rules`.

use alerts_domain::condition::Condition;
use alerts_domain::id::EndpointId;
use alerts_domain::label::Label;
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::retry::RetryPolicy;
use alerts_domain::rule::{EventTypePattern, RuleSpec};
use alerts_domain::trigger::Trigger;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use super::TAG;
use super::rule::{AlertRuleView, ConditionView};
use crate::api::body::JsonBody;
use crate::api::caller::Editor;
use crate::api::idempotency::{Answer, Once};
use crate::api::problem::Problem;
use crate::state::AppState;

/// A new alert rule.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Many errors in one run",
    "event_type": "workflow.failed",
    "condition": "event.data.errored_count > 3",
    "webhook_endpoint_id": "wh_01k0000000000000000000000a",
    "retry_policy": {"max_retries": 5, "strategy": "EXPONENTIAL_FULL_JITTER"}
}))]
pub(super) struct NewAlertRule {
    /// For people.
    name: String,
    /// Which events it looks at: a type, with `*` for any run of characters.
    #[schema(value_type = String)]
    event_type: EventTypePattern,
    /// When it fires; absent means always.
    #[schema(value_type = Option<ConditionView>)]
    condition: Option<Condition>,
    /// Where its alerts go.
    webhook_endpoint_id: EndpointId,
    /// How it fires; on each matching event when absent.
    trigger: Option<Trigger>,
    /// How its deliveries are retried. What is absent in it has its default.
    retry_policy: Option<RetryPolicy>,
    /// How many of its deliveries may start; over the limit a delivery waits.
    rate_limit: Option<RateLimit>,
    /// Whether it looks at events at all; true when absent.
    is_active: Option<bool>,
    /// The configuration that makes it, when one does (see `exosphere-alerts apply`). Cannot
    /// be changed.
    #[schema(value_type = Option<String>, max_length = 100)]
    managed_by: Option<Label>,
}

impl From<NewAlertRule> for RuleSpec {
    fn from(new: NewAlertRule) -> Self {
        Self {
            name: new.name,
            event_type: new.event_type,
            condition: new.condition,
            webhook_endpoint_id: new.webhook_endpoint_id,
            trigger: new.trigger.unwrap_or_default(),
            retry_policy: new.retry_policy.unwrap_or_default(),
            rate_limit: new.rate_limit,
            is_active: new.is_active.unwrap_or(true),
        }
    }
}

/// Create an alert rule
///
/// A condition that does not compile is refused with its line and column.
#[utoipa::path(post, path = "/v1/alert-rules", tag = TAG, request_body = NewAlertRule,
    params(("idempotency-key" = Option<String>, Header, description = "Makes repeating safe.")),
    responses((status = 201, description = "The rule.", body = AlertRuleView,
        headers(("etag" = String, description = "Of its version, for If-Match.")))))]
pub(super) async fn create_alert_rule(
    State(state): State<AppState>,
    Editor(actor): Editor,
    once: Once,
    body: JsonBody<NewAlertRule>,
) -> Result<Response, Problem> {
    let managed_by = body.value.managed_by.clone();
    let spec = RuleSpec::from(body.value);
    let work = async {
        let made = state.engine().rules().create(&actor, spec, managed_by).await?;
        Answer::json(StatusCode::CREATED, &AlertRuleView::from(made))
    };
    let find = async |id: &str| {
        let Ok(id) = id.parse() else { return Ok(None) };
        let found = state.store().get_rule(&actor.tenant, id).await?;
        let made = found.filter(|rule| rule.deleted_at.is_none()).map(AlertRuleView::from);
        made.map(|made| Answer::json(StatusCode::CREATED, &made)).transpose()
    };
    once.answer_or_find(&state, &actor, &body.raw, work, find).await
}
