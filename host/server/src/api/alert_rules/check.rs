//! `POST /v1/alert-rules/check`: a rule that is not saved yet.

use alerts_domain::id::RuleId;
use alerts_domain::rule::RuleSpec;
use alerts_engine::ChangeError;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::create::NewAlertRule;
use super::update::AlertRulePatch;
use super::{KIND, TAG};
use crate::api::body::JsonBody;
use crate::api::caller::Editor;
use crate::api::checked::Checked;
use crate::api::problem::Problem;
use crate::state::AppState;

/// An alert rule that is not saved: a new one, or one that is stored with a change.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"alert_rule_id": "rule_01k0000000000000000000000a",
    "changes": {"condition": "event.data.errored_count > 10"}}))]
pub(super) struct AlertRuleDraft {
    /// A new one, as on create. Nothing of the next two beside it.
    rule: Option<NewAlertRule>,
    /// One that is stored. What `changes` does not name is as it is stored.
    alert_rule_id: Option<RuleId>,
    /// What would be changed about it, as on change.
    changes: Option<AlertRulePatch>,
}

/// Check an alert rule before it is saved
///
/// As if it were saved now: what would keep it from being saved is told in the same way. Of a
/// change, the answer names the fields that it would make different. Stores nothing.
#[utoipa::path(post, path = "/v1/alert-rules/check", tag = TAG, request_body = AlertRuleDraft,
    responses((status = 200, description = "It can be saved.", body = Checked)))]
pub(super) async fn check_alert_rule(
    State(state): State<AppState>,
    Editor(actor): Editor,
    body: JsonBody<AlertRuleDraft>,
) -> Result<Json<Checked>, Problem> {
    let rules = state.engine().rules();
    let AlertRuleDraft { rule, alert_rule_id, changes } = body.value;
    let changed = match (rule, alert_rule_id, changes) {
        (Some(rule), None, None) => {
            let checked = rules.check(&actor, &RuleSpec::from(rule)).await;
            checked.map_err(|error| error.under("/rule"))?;
            Vec::new()
        }
        (None, Some(id), Some(changes)) => {
            let checked = rules.check_change(&actor, id, changes.into()).await;
            checked.map_err(|error| match error {
                ChangeError::NotFound(_) => Problem::not_found(KIND, id),
                error => error.under("/changes").into(),
            })?
        }
        _ => {
            let both = "name either a new `rule`, or a stored one with `alert_rule_id` and the \
                        `changes` to it";
            return Err(Problem::field("", both));
        }
    };
    Ok(Json(Checked { changed }))
}
