//! `POST /v1/deliveries/{id}/retry` and `…/cancel`.

use alerts_domain::id::DeliveryId;
use alerts_store::{DeliveryChange, StoreError};
use axum::Json;
use axum::extract::State;

use super::{DeliveryView, KIND, TAG, get_delivery};
use crate::api::caller::{Editor, Viewer};
use crate::api::path::PathId;
use crate::api::problem::{Kind, Problem};
use crate::state::AppState;

/// Retry a delivery now
///
/// Brings the next attempt of a scheduled delivery forward. A dead one is
/// redriven instead.
#[utoipa::path(post, path = "/v1/deliveries/{id}/retry", tag = TAG,
    params(("id" = DeliveryId, Path)),
    responses((status = 200, description = "The delivery, due now.", body = DeliveryView)))]
pub(super) async fn retry_delivery(
    State(state): State<AppState>,
    Editor(actor): Editor,
    PathId(id): PathId<DeliveryId>,
) -> Result<Json<DeliveryView>, Problem> {
    let changed = state.engine().deliveries().retry_now(&actor, id).await;
    done(changed, id, "tried now; redrive it through /v1/dead-letters/redrive if it is dead")?;
    get_delivery(State(state), Viewer(actor), PathId(id)).await
}

/// Cancel a delivery
///
/// Stops a scheduled delivery for good.
#[utoipa::path(post, path = "/v1/deliveries/{id}/cancel", tag = TAG,
    params(("id" = DeliveryId, Path)),
    responses((status = 200, description = "The canceled delivery.", body = DeliveryView)))]
pub(super) async fn cancel_delivery(
    State(state): State<AppState>,
    Editor(actor): Editor,
    PathId(id): PathId<DeliveryId>,
) -> Result<Json<DeliveryView>, Problem> {
    let changed = state.engine().deliveries().cancel(&actor, id).await;
    done(changed, id, "canceled")?;
    get_delivery(State(state), Viewer(actor), PathId(id)).await
}

fn done(
    changed: Result<DeliveryChange, StoreError>,
    id: DeliveryId,
    wanted: &str,
) -> Result<(), Problem> {
    match changed? {
        DeliveryChange::Done => Ok(()),
        DeliveryChange::NotFound => Err(Problem::not_found(KIND, id)),
        DeliveryChange::WrongState(status) => Err(Problem::new(
            Kind::Conflict,
            format!("delivery {id} is `{status}`; only one that is `scheduled` can be {wanted}"),
        )),
    }
}
