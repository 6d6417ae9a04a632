//! `POST /v1/dead-letters/redrive`.

use std::collections::HashSet;

use alerts_domain::Timestamp;
use alerts_domain::delivery::DeliveryStatus;
use alerts_domain::id::{DeliveryId, RuleId};
use alerts_store::{RedriveOutcome, RedriveScope, Redriven, Store};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::TAG;
use crate::api::body::JsonBody;
use crate::api::caller::Editor;
use crate::api::idempotency::{Answer, Once};
use crate::api::problem::Problem;
use crate::state::AppState;

/// Which deliveries to send again: those with these ids, or the dead ones of a
/// rule or a time that were not redriven yet.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"alert_rule_id": "rule_01k0000000000000000000000a",
    "from": "2026-01-31T00:00:00Z"}))]
pub(super) struct RedriveRequest {
    /// At most 1000; nothing else beside it.
    ids: Option<Vec<DeliveryId>>,
    /// Of this rule.
    alert_rule_id: Option<RuleId>,
    /// Made then or later.
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Made before then.
    #[schema(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

impl RedriveRequest {
    fn scope(self) -> Result<RedriveScope, Problem> {
        let Self { ids, alert_rule_id, from, to } = self;
        let has_filter = alert_rule_id.is_some() || from.is_some() || to.is_some();
        match ids {
            Some(_) if has_filter => Err(Problem::field(
                "/ids",
                "excludes the other fields: send ids, or `alert_rule_id`, `from` and `to`",
            )),
            Some(ids) if ids.is_empty() => {
                Err(Problem::field("/ids", "is empty; name at least one delivery"))
            }
            Some(ids) if ids.len() > Store::MAX_REDRIVE => Err(Problem::field(
                "/ids",
                format!("holds {} ids; at most {} at once", ids.len(), Store::MAX_REDRIVE),
            )),
            Some(mut ids) => {
                // Named twice is meant once.
                let mut seen = HashSet::new();
                ids.retain(|id| seen.insert(*id));
                Ok(RedriveScope::Ids(ids))
            }
            None if from.zip(to).is_some_and(|(from, to)| from >= to) => {
                Err(Problem::field("/from", "must be before `to`"))
            }
            None if has_filter => Ok(RedriveScope::Dead { alert_rule_id, from, to }),
            None => Err(Problem::field(
                "",
                "say what to redrive: `ids`, or `alert_rule_id`, `from`, `to`, or several of these",
            )),
        }
    }
}

/// What became of them.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct RedriveResult {
    /// How many are sent again. After a thousand, ask again for the rest.
    redriven: usize,
    /// What became of each.
    results: Vec<RedrivenView>,
}

/// What became of one delivery.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Redriven)]
struct RedrivenView {
    /// The old delivery.
    id: DeliveryId,
    /// `redriven`, `not_found` or `wrong_state`.
    outcome: &'static str,
    /// The new delivery, when it is redriven.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_id: Option<DeliveryId>,
    /// Its state, when there is nothing to send again in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<DeliveryStatus>,
}

impl From<Redriven> for RedrivenView {
    fn from(Redriven { id, outcome }: Redriven) -> Self {
        let (outcome, delivery_id, status) = match outcome {
            RedriveOutcome::Redriven(new) => ("redriven", Some(new), None),
            RedriveOutcome::NotFound => ("not_found", None, None),
            RedriveOutcome::WrongState(status) => ("wrong_state", None, Some(status)),
        };
        Self { id, outcome, delivery_id, status }
    }
}

/// Redrive dead letters
///
/// Sends them again, as new deliveries that point to the old ones. By id,
/// skipped deliveries can be sent as well.
#[utoipa::path(post, path = "/v1/dead-letters/redrive", tag = TAG, request_body = RedriveRequest,
    params(("idempotency-key" = Option<String>, Header, description = "Makes repeating safe.")),
    responses((status = 200, description = "What became of them.", body = RedriveResult)))]
pub(super) async fn redrive_dead_letters(
    State(state): State<AppState>,
    Editor(actor): Editor,
    once: Once,
    body: JsonBody<RedriveRequest>,
) -> Result<Response, Problem> {
    let scope = body.value.scope()?;
    let (engine, as_actor) = (state.engine().clone(), actor.clone());
    let work = async move {
        let results = engine.deliveries().redrive(&as_actor, &scope).await?;
        let results: Vec<_> = results.into_iter().map(RedrivenView::from).collect();
        let redriven = results.iter().filter(|result| result.delivery_id.is_some()).count();
        Answer::json(StatusCode::OK, &RedriveResult { redriven, results })
    };
    once.answer(&state, &actor, &body.raw, work).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scope(json: &str) -> Result<RedriveScope, Problem> {
        serde_json::from_str::<RedriveRequest>(json).unwrap().scope()
    }

    #[test]
    fn everything_at_once_must_not_happen_by_mistake() {
        assert!(scope("{}").is_err());
        assert!(scope(r#"{"ids": []}"#).is_err());
        assert!(scope(r#"{"from": "2026-01-01T00:00:00Z"}"#).is_ok());
        let none = r#"{"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}"#;
        assert_eq!(scope(none).unwrap_err().errors()[0].pointer, "/from");
    }

    #[test]
    fn ids_and_filters_exclude_each_other() {
        let id = DeliveryId::new(Timestamp::UNIX_EPOCH, 1);
        assert!(scope(&json!({"ids": [id]}).to_string()).is_ok());
        let both = json!({"ids": [id], "from": "2026-01-01T00:00:00Z"});
        assert!(scope(&both.to_string()).is_err());
        assert!(scope(&json!({"ids": vec![id; 1001]}).to_string()).is_err());
        let twice = scope(&json!({"ids": [id, id]}).to_string()).unwrap();
        assert!(matches!(twice, RedriveScope::Ids(ids) if ids == [id]));
    }
}
