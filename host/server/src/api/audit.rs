//! The audit log: who created, changed and deleted what, and whether the record
//! is whole.

use alerts_domain::Timestamp;
use alerts_domain::api_key::Role;
use alerts_domain::tenant::TenantId;
use alerts_store::{AuditCheck, AuditRecord};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Caller;
use super::page::{self, Listed, PageQuery};
use super::problem::Problem;
use super::query::Query;
use crate::state::AppState;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(list_audit)).routes(routes!(verify_audit))
}

/// Something that was done.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = AuditEntry)]
struct AuditEntryView {
    /// From 1, without gaps, for each namespace.
    seq: i64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who: a key's id, `system`, or `command_line`.
    actor: String,
    /// What was done.
    #[schema(example = "webhook.created")]
    action: String,
    /// The id of what was changed.
    resource: String,
    /// What was changed about it; never a secret.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
    /// SHA-256 over the hash before it and this entry's fields, in hex.
    hash: String,
}

impl From<AuditRecord> for AuditEntryView {
    fn from(record: AuditRecord) -> Self {
        let AuditRecord { seq, at, actor, action, resource, detail, hash } = record;
        Self { seq, at, actor, action, resource, detail, hash }
    }
}

/// Whose log is read. A key without a tenant is a platform key; when it names no
/// namespace it reads the host's own log: what operators did to plugins, platform keys and encryption keys.
fn owner(caller: &Caller) -> Result<TenantId, Problem> {
    caller.require(Role::Viewer)?;
    Ok(caller.tenant()?.cloned().unwrap_or_else(TenantId::host))
}

/// List the audit log
///
/// Newest entries first. With a platform key and without a namespace: what
/// operators did to plugins, to platform keys and to encryption keys.
#[utoipa::path(get, path = "/v1/audit", tag = "Audit log", params(PageQuery),
    responses((status = 200, description = "A page of entries.", body = Listed<AuditEntryView>)))]
async fn list_audit(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Listed<AuditEntryView>, Problem> {
    let before = page::cursor(query.cursor.as_deref())?;
    let limit = page::limit(query.limit)?;
    let page = state.store().list_audit(&owner(&caller)?, limit, before).await?;
    Ok(Listed::of(page, |record| record.seq, AuditEntryView::from))
}

/// What looking at the whole chain of hashes found.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AuditVerification {
    /// Whether every entry is as it was written.
    intact: bool,
    /// How many entries there are, when it is intact.
    entries: Option<i64>,
    /// The first entry that was altered or taken out, when it is not.
    broken_at: Option<i64>,
}

/// Verify the audit log
///
/// Computes every hash again. An entry that was altered or taken out is found.
/// With a platform key and without a namespace: in the host's own log.
#[utoipa::path(get, path = "/v1/audit/verify", tag = "Audit log",
    responses((status = 200, description = "What was found.", body = AuditVerification)))]
async fn verify_audit(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Json<AuditVerification>, Problem> {
    let tenant = owner(&caller)?;
    let found = match state.store().verify_audit(&tenant).await? {
        AuditCheck::Intact { entries } => {
            AuditVerification { intact: true, entries: Some(entries), broken_at: None }
        }
        AuditCheck::Broken { seq } => {
            tracing::error!(%tenant, seq, "the audit log was tampered with");
            AuditVerification { intact: false, entries: None, broken_at: Some(seq) }
        }
    };
    Ok(Json(found))
}
