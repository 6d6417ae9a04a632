//! The hosts that work on this database, for whoever looks after them.

use alerts_domain::Timestamp;
use alerts_domain::api_key::Role;
use alerts_domain::id::HostId;
use alerts_store::HostOfDatabase;
use axum::extract::State;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Caller;
use super::page::Listed;
use super::problem::Problem;
use crate::readiness;
use crate::state::AppState;
use crate::trouble::Trouble;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(list_hosts))
}

/// A host of this database.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Host)]
struct HostView {
    id: HostId,
    /// Its release; null of one that does not say.
    #[schema(example = "0.1.0")]
    version: Option<String>,
    /// Since when it runs.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// Until when it holds what it works on. It renews that every few seconds; when it no longer
    /// does, others take its work over then.
    #[schema(value_type = String, format = DateTime)]
    lease_until: Timestamp,
    /// Whether its lease is in force.
    is_alive: bool,
    /// How many deliveries it has in its hands.
    deliveries_held: u64,
    /// What this host says of itself, when it is the one that was asked; null of the others.
    own: Option<OwnWord>,
}

/// What a host says of itself.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct OwnWord {
    /// Parts that do not work, as `/readyz` has them; none when it is ready.
    troubles: Vec<TroubleView>,
    /// What somebody should look at, and does not keep it from its work.
    remarks: Vec<String>,
}

/// A part of a host that does not work.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Trouble)]
struct TroubleView {
    #[schema(example = "database")]
    part: &'static str,
    detail: String,
}

impl From<Trouble> for TroubleView {
    fn from(Trouble { part, detail }: Trouble) -> Self {
        Self { part, detail }
    }
}

impl HostView {
    fn of(host: HostOfDatabase, now: Timestamp) -> Self {
        Self {
            id: host.id,
            version: host.version,
            started_at: host.id.made_at(),
            lease_until: host.lease_until,
            is_alive: host.lease_until > now,
            deliveries_held: host.deliveries_held,
            own: None,
        }
    }
}

/// List hosts
///
/// Those that work on this database, the oldest first. Needs a platform key.
#[utoipa::path(get, path = "/v1/hosts", tag = "Hosts",
    responses((status = 200, description = "All of them.", body = Listed<HostView>)))]
async fn list_hosts(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Listed<HostView>, Problem> {
    caller.require(Role::Platform)?;
    let (now, asked) = (state.now(), state.engine().host_id());
    let hosts = state.store().list_hosts().await?;
    let mut data: Vec<HostView> = hosts.into_iter().map(|host| HostView::of(host, now)).collect();
    if let Some(own) = data.iter_mut().find(|host| host.id == asked) {
        let troubles = readiness::troubles(&state).await;
        let troubles = troubles.into_iter().map(TroubleView::from).collect();
        own.own = Some(OwnWord { troubles, remarks: readiness::remarks(&state) });
    }
    Ok(Listed { data, next_cursor: None })
}
