//! Deliveries: what was sent, what is waiting, what was given up, and what a
//! person does about it.

mod change;
mod counts;
mod delivery;
mod redrive;

use alerts_domain::Timestamp;
use alerts_domain::delivery::DeliveryStatus;
use alerts_domain::id::{DeliveryId, EndpointId, EventId, RuleId};
use alerts_engine::Actor;
use alerts_store::DeliveryFilter;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) use self::delivery::{AttemptView, DeliveryView};
use super::caller::Viewer;
use super::page::{self, Listed};
use super::path::PathId;
use super::problem::Problem;
use super::query::Query;
use crate::state::AppState;

/// The tag of this group in the document.
const TAG: &str = "Deliveries";
/// What is missing when there is none.
const KIND: &str = "delivery";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(list_deliveries))
        .routes(routes!(counts::count_deliveries))
        .routes(routes!(get_delivery))
        .routes(routes!(change::retry_delivery))
        .routes(routes!(change::cancel_delivery))
        .routes(routes!(list_dead_letters))
        .routes(routes!(redrive::redrive_dead_letters))
}

/// Which deliveries to list; what is absent does not matter.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeliveryQuery {
    /// Of this rule.
    alert_rule_id: Option<RuleId>,
    /// To this endpoint.
    webhook_endpoint_id: Option<EndpointId>,
    /// Of this event.
    event_id: Option<EventId>,
    /// In this state.
    status: Option<DeliveryStatus>,
    /// Made then or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Made before then.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Items on the page; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List deliveries
///
/// Newest first, without their attempts.
#[utoipa::path(get, path = "/v1/deliveries", tag = TAG, params(DeliveryQuery),
    responses((status = 200, description = "A page of deliveries.", body = Listed<DeliveryView>)))]
async fn list_deliveries(
    State(state): State<AppState>,
    Viewer(actor): Viewer,
    Query(query): Query<DeliveryQuery>,
) -> Result<Listed<DeliveryView>, Problem> {
    list(&state, &actor, query, None).await
}

async fn list(
    state: &AppState,
    actor: &Actor,
    query: DeliveryQuery,
    is_redriven: Option<bool>,
) -> Result<Listed<DeliveryView>, Problem> {
    let before = page::cursor(query.cursor.as_deref())?;
    let limit = page::limit(query.limit)?;
    let filter = DeliveryFilter {
        alert_rule_id: query.alert_rule_id,
        webhook_endpoint_id: query.webhook_endpoint_id,
        event_id: query.event_id,
        status: query.status,
        from: query.from,
        to: query.to,
        is_redriven,
    };
    let page = state.store().list_deliveries(&actor.tenant, &filter, limit, before).await?;
    let Listed { data, next_cursor } = Listed::of(page, |delivery| delivery.id, DeliveryView::from);
    let data = marked(state, actor, data).await?;
    Ok(Listed { data, next_cursor })
}

/// With what was sent again in its place.
async fn marked(
    state: &AppState,
    actor: &Actor,
    deliveries: Vec<DeliveryView>,
) -> Result<Vec<DeliveryView>, Problem> {
    let ids: Vec<DeliveryId> = deliveries.iter().filter_map(DeliveryView::redrivable).collect();
    let repeats = state.store().redriven_as(&actor.tenant, &ids).await?;
    Ok(deliveries.into_iter().map(|delivery| delivery.repeated(&repeats)).collect())
}

/// Get a delivery
///
/// With its attempts, and what was said in each: the exact requests, with
/// references in place of secrets, and the answers.
#[utoipa::path(get, path = "/v1/deliveries/{id}", tag = TAG,
    params(("id" = DeliveryId, Path)),
    responses((status = 200, description = "The delivery.", body = DeliveryView)))]
async fn get_delivery(
    State(state): State<AppState>,
    Viewer(actor): Viewer,
    PathId(id): PathId<DeliveryId>,
) -> Result<Json<DeliveryView>, Problem> {
    let found = state.store().get_delivery(&actor.tenant, id).await?;
    let (delivery, attempts) = found.ok_or_else(|| Problem::not_found(KIND, id))?;
    let shown = DeliveryView::with_attempts(delivery, attempts);
    let ids: Vec<DeliveryId> = shown.redrivable().into_iter().collect();
    let repeats = state.store().redriven_as(&actor.tenant, &ids).await?;
    Ok(Json(shown.repeated(&repeats)))
}

/// Which dead letters to list; what is absent does not matter.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeadLetterQuery {
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
    /// Whether they were sent again since.
    redriven: Option<bool>,
    /// Items on the page; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List dead letters
///
/// Deliveries that used up their retries or were rejected, newest first.
#[utoipa::path(get, path = "/v1/dead-letters", tag = TAG, params(DeadLetterQuery),
    responses((status = 200, description = "A page of deliveries.", body = Listed<DeliveryView>)))]
async fn list_dead_letters(
    State(state): State<AppState>,
    Viewer(actor): Viewer,
    Query(query): Query<DeadLetterQuery>,
) -> Result<Listed<DeliveryView>, Problem> {
    let dead = DeliveryQuery {
        alert_rule_id: query.alert_rule_id,
        webhook_endpoint_id: query.webhook_endpoint_id,
        event_id: query.event_id,
        status: Some(DeliveryStatus::Dead),
        from: query.from,
        to: query.to,
        limit: query.limit,
        cursor: query.cursor,
    };
    list(&state, &actor, dead, query.redriven).await
}
