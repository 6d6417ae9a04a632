//! `PATCH /v1/alert-rules/{id}`.

use alerts_domain::condition::Condition;
use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::retry::RetryPolicy;
use alerts_domain::rule::EventTypePattern;
use alerts_domain::trigger::Trigger;
use alerts_engine::RulePatch;
use axum::extract::State;
use serde::Deserialize;

use super::rule::{AlertRuleView, ConditionView};
use super::{TAG, refused};
use crate::api::body::JsonBody;
use crate::api::caller::Editor;
use crate::api::patch::{nullable, present};
use crate::api::path::PathId;
use crate::api::problem::{Problem, ProblemBody};
use crate::api::version::{IfMatch, Shown};
use crate::state::AppState;

/// A change of an alert rule. What is absent stays as it is.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"condition": "event.data.errored_count > 10", "rate_limit": null}))]
pub(super) struct AlertRulePatch {
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, nullable = false)]
    event_type: Option<EventTypePattern>,
    /// Null takes the condition away: then the rule always fires.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<ConditionView>)]
    condition: Option<Option<Condition>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    webhook_endpoint_id: Option<EndpointId>,
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    trigger: Option<Trigger>,
    /// Replaces the whole policy. What is absent in it has its default.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    retry_policy: Option<RetryPolicy>,
    /// Null takes the limit away.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<RateLimit>)]
    rate_limit: Option<Option<RateLimit>>,
    /// Switching it on forgets why the host switched it off.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    is_active: Option<bool>,
}

impl From<AlertRulePatch> for RulePatch {
    fn from(patch: AlertRulePatch) -> Self {
        Self {
            name: patch.name,
            event_type: patch.event_type,
            condition: patch.condition,
            webhook_endpoint_id: patch.webhook_endpoint_id,
            trigger: patch.trigger,
            retry_policy: patch.retry_policy,
            rate_limit: patch.rate_limit,
            is_active: patch.is_active,
        }
    }
}

/// Change an alert rule
///
/// Holds for the next event.
#[utoipa::path(patch, path = "/v1/alert-rules/{id}", tag = TAG,
    params(("id" = RuleId, Path),
        ("if-match" = Option<String>, Header, description = "An ETag: changes that version only.")),
    request_body = AlertRulePatch,
    responses((status = 200, description = "The rule.", body = AlertRuleView,
            headers(("etag" = String, description = "Of its new version, for If-Match."))),
        (status = 412, description = "It has changed since; `current` is what is stored now.",
            body = ProblemBody, content_type = "application/problem+json")))]
pub(super) async fn update_alert_rule(
    State(state): State<AppState>,
    Editor(actor): Editor,
    PathId(id): PathId<RuleId>,
    IfMatch(expected): IfMatch,
    body: JsonBody<AlertRulePatch>,
) -> Result<Shown<AlertRuleView>, Problem> {
    let patch = body.value.into();
    match state.engine().rules().update(&actor, id, &expected, patch).await {
        Ok(changed) => Ok(Shown(changed.into())),
        Err(error) => Err(refused(&state, &actor, id, error).await),
    }
}
