//! `GET /v1/deliveries/counts`.

use std::collections::BTreeMap;

use alerts_domain::Timestamp;
use alerts_domain::id::{EndpointId, EventId, RuleId};
use alerts_store::{DeliveryCounts, DeliveryFilter, Store};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::TAG;
use crate::api::caller::Viewer;
use crate::api::problem::Problem;
use crate::api::query::Query;
use crate::state::AppState;

/// Which deliveries to count; what is absent does not matter.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CountQuery {
    /// Of this rule.
    alert_rule_id: Option<RuleId>,
    /// To this endpoint.
    webhook_endpoint_id: Option<EndpointId>,
    /// Of this event.
    event_id: Option<EventId>,
    /// Made then or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Made before then.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

/// How many deliveries there are.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = DeliveryCounts)]
pub(super) struct DeliveryCountsView {
    /// In each state.
    #[schema(example = json!({"delivered": 1204, "dead": 3}))]
    by_status: BTreeMap<&'static str, u64>,
    /// Dead ones that were not redriven yet.
    to_redrive: u64,
    /// Counting ends there: a figure that is as large may be larger.
    most_counted: u64,
}

impl From<DeliveryCounts> for DeliveryCountsView {
    fn from(counts: DeliveryCounts) -> Self {
        let by_status = counts.by_status.map(|(status, count)| (status.as_str(), count));
        Self {
            by_status: by_status.into_iter().collect(),
            to_redrive: counts.to_redrive,
            most_counted: Store::MOST_COUNTED,
        }
    }
}

/// Count deliveries
///
/// By state, up to ten thousand of each.
#[utoipa::path(get, path = "/v1/deliveries/counts", tag = TAG, params(CountQuery),
    responses((status = 200, description = "How many.", body = DeliveryCountsView)))]
pub(super) async fn count_deliveries(
    State(state): State<AppState>,
    Viewer(actor): Viewer,
    Query(query): Query<CountQuery>,
) -> Result<Json<DeliveryCountsView>, Problem> {
    let filter = DeliveryFilter {
        alert_rule_id: query.alert_rule_id,
        webhook_endpoint_id: query.webhook_endpoint_id,
        event_id: query.event_id,
        from: query.from,
        to: query.to,
        ..DeliveryFilter::default()
    };
    Ok(Json(state.store().count_deliveries(&actor.tenant, &filter).await?.into()))
}
