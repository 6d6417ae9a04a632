//! The entries of the audit log: who changed what, each entry's hash covering the
//! one before, so that an entry taken out or altered later is seen.

use alerts_domain::Timestamp;
use alerts_domain::tenant::TenantId;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use crate::error::StoreError;
use crate::idempotency_key;
use crate::row::{json_text, us};

/// Something done, to be written down with the change itself.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// Who did it: a key's id, `system`, or `command_line`.
    pub actor: String,
    /// For example `webhook.created`.
    pub action: String,
    /// The id of what was changed.
    pub resource: String,
    /// What was changed about it. Never a secret.
    pub detail: Value,
}

/// A stored entry.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRecord {
    /// From 1, without gaps, for each tenant.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub resource: String,
    /// What was changed about it.
    pub detail: Value,
    /// SHA-256 over the hash before it and this entry's fields, in hex.
    pub hash: String,
}

/// In whose log it stands what is done to a key and to what it opens: the host's own
/// for a platform key.
pub(crate) fn log_of(tenant: Option<&TenantId>) -> TenantId {
    tenant.cloned().unwrap_or_else(TenantId::host)
}

/// A tenant's chain begins from this.
pub(crate) const FIRST: &str = "";

/// Writes an entry down. The caller holds the tenant's row in the same transaction,
/// so nobody else is at the end of this chain.
pub(crate) async fn append(
    connection: &mut AnyConnection,
    tenant: &TenantId,
    entry: &AuditEntry,
    at: Timestamp,
) -> Result<(), StoreError> {
    let last =
        sqlx::query("SELECT seq, hash FROM audit WHERE tenant = $1 ORDER BY seq DESC LIMIT 1")
            .bind(tenant.as_str())
            .fetch_optional(&mut *connection)
            .await?;
    let (seq, before) = match last {
        Some(row) => (row.try_get::<i64, _>("seq")?, row.try_get("hash")?),
        None => (0, FIRST.to_owned()),
    };
    let mut record = AuditRecord {
        seq: seq + 1,
        at,
        actor: entry.actor.clone(),
        action: entry.action.clone(),
        resource: entry.resource.clone(),
        detail: entry.detail.clone(),
        hash: String::new(),
    };
    record.hash = hash(&before, tenant, &record);
    sqlx::query(
        "INSERT INTO audit (tenant, seq, at, actor, action, resource, detail, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(tenant.as_str())
    .bind(record.seq)
    .bind(us(at))
    .bind(record.actor)
    .bind(record.action)
    .bind(record.resource)
    .bind(json_text(&record.detail))
    .bind(record.hash)
    .execute(&mut *connection)
    .await?;
    // What a person does is done once, and what is done by a person is audited.
    idempotency_key::mark_done(connection, &entry.resource).await
}

/// What covers an entry and, by the hash `before` it, all earlier ones.
pub(crate) fn hash(before: &str, tenant: &TenantId, record: &AuditRecord) -> String {
    // As JSON, so that no two different entries have the same bytes.
    let fields = serde_json::json!([
        before,
        tenant.as_str(),
        record.seq,
        us(record.at),
        record.actor,
        record.action,
        record.resource,
        json_text(&record.detail),
    ]);
    Sha256::digest(fields.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An entry from its row.
pub(crate) fn read(tenant: &TenantId, row: &AnyRow) -> Result<AuditRecord, StoreError> {
    let seq: i64 = row.try_get("seq")?;
    let damaged = |detail: String| StoreError::damaged("audit", format!("{tenant}/{seq}"), detail);
    let detail: String = row.try_get("detail")?;
    Ok(AuditRecord {
        seq,
        at: Timestamp::from_microsecond(row.try_get("at")?)
            .map_err(|error| damaged(error.to_string()))?,
        actor: row.try_get("actor")?,
        action: row.try_get("action")?,
        resource: row.try_get("resource")?,
        detail: serde_json::from_str(&detail).map_err(|error| damaged(error.to_string()))?,
        hash: row.try_get("hash")?,
    })
}
