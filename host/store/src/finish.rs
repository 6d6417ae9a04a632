//! How attempts ended, many at once, fenced by the lease's number.

use std::collections::HashSet;

use alerts_domain::Timestamp;
use alerts_domain::delivery::{Attempt, DeliveryStatus, Lease, Transition};
use alerts_domain::id::DeliveryId;
use alerts_domain::tenant::TenantId;
use sqlx::{AnyConnection, Row as _};

use crate::audit::{self, AuditEntry};
use crate::batch::{Batch, Query};
use crate::error::StoreError;
use crate::open::Store;
use crate::row::{json_text, us};
use crate::tenants;

/// An attempt that has ended, or a delivery that is given back untried.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Which delivery.
    pub id: DeliveryId,
    /// Whose.
    pub tenant: TenantId,
    /// The right to say so.
    pub lease: Lease,
    /// What happened; none when nothing was tried.
    pub attempt: Option<Attempt>,
    /// Where the delivery goes.
    pub transition: Transition,
    /// When.
    pub now: Timestamp,
}

/// What became of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishOutcome {
    /// It is on the disk.
    Recorded,
    /// Somebody else holds the delivery now; nothing was written.
    LeaseLost,
}

impl Store {
    /// Writes down how an attempt ended, if its lease still holds.
    pub async fn finish(&self, finished: Finished) -> Result<FinishOutcome, StoreError> {
        self.writer().finish(finished).await
    }
}

static DELIVERIES: Batch = Batch::new(
    "WITH ended (tenant, id, host, fence, new_status, attempts, due_at, error, at) AS (",
    9,
    ") UPDATE deliveries SET status = ended.new_status,
        attempt_count = COALESCE(ended.attempts, attempt_count),
        next_attempt_at = ended.due_at, last_error = ended.error, finished_at = ended.at,
        lease_host = NULL
     FROM ended
     WHERE deliveries.tenant = ended.tenant AND deliveries.id = ended.id
       AND status = 'leased' AND lease_host = ended.host AND lease_fence = ended.fence
     RETURNING deliveries.id AS id",
);

static ATTEMPTS: Batch = Batch::new(
    "INSERT INTO attempts (tenant, delivery_id, number, started_at, duration_ms, status_code, \
     verdict, error, plugin_digest, endpoint_version, exchanges)",
    11,
    "",
);

/// Writes several results, and answers for each.
pub(crate) async fn write(
    connection: &mut AnyConnection,
    finishes: &[&Finished],
) -> Result<Vec<FinishOutcome>, StoreError> {
    if finishes.is_empty() {
        return Ok(Vec::new());
    }
    let recorded = DELIVERIES.run(connection, finishes, |query, f| bind_end(query, f)).await?;
    let recorded: HashSet<String> =
        recorded.iter().map(|row| row.try_get("id")).collect::<Result<_, _>>()?;
    let is_recorded = |finished: &Finished| recorded.contains(finished.id.to_string().as_str());

    let held = finishes.iter().copied().filter(|finished| is_recorded(finished));
    let attempts: Vec<(&Finished, &Attempt)> =
        held.clone().filter_map(|f| f.attempt.as_ref().map(|attempt| (f, attempt))).collect();
    ATTEMPTS.run(connection, &attempts, |query, (f, attempt)| bind(query, f, attempt)).await?;
    for finished in held {
        if let Transition::Bury { error, disable_rule: true } = &finished.transition {
            disable_rule(connection, finished, error).await?;
        }
    }
    let outcome = |finished: &&Finished| match is_recorded(finished) {
        true => FinishOutcome::Recorded,
        false => FinishOutcome::LeaseLost,
    };
    Ok(finishes.iter().map(outcome).collect())
}

fn bind_end<'q>(query: Query<'q>, finished: &Finished) -> Query<'q> {
    let (due_at, error) = match &finished.transition {
        Transition::Deliver => (None, None),
        Transition::Retry { at, error } => (Some(*at), Some(error.clone())),
        Transition::Bury { error, .. } => (None, Some(error.clone())),
        Transition::Release { at, reason } => (Some(*at), reason.clone()),
    };
    let status: DeliveryStatus = finished.transition.status();
    query
        .bind(finished.tenant.as_str().to_owned())
        .bind(finished.id.to_string())
        .bind(finished.lease.host.to_string())
        .bind(finished.lease.fence)
        .bind(status.as_str())
        .bind(finished.attempt.as_ref().map(|attempt| i64::from(attempt.number)))
        .bind(due_at.map(us))
        .bind(error)
        .bind(status.is_terminal().then(|| us(finished.now)))
}

fn bind<'q>(query: Query<'q>, finished: &Finished, attempt: &Attempt) -> Query<'q> {
    query
        .bind(finished.tenant.as_str().to_owned())
        .bind(finished.id.to_string())
        .bind(i64::from(attempt.number))
        .bind(us(attempt.started_at))
        .bind(i64::try_from(attempt.duration_ms).unwrap_or(i64::MAX))
        .bind(attempt.status_code.map(i64::from))
        .bind(attempt.verdict.clone())
        .bind(attempt.error.clone())
        .bind(attempt.plugin_digest.clone())
        .bind(attempt.endpoint_version)
        .bind(json_text(&attempt.exchanges))
}

/// Switches off the rule whose target is gone, and says so in the audit log.
async fn disable_rule(
    connection: &mut AnyConnection,
    finished: &Finished,
    reason: &str,
) -> Result<(), StoreError> {
    let row = sqlx::query(
        "UPDATE alert_rules SET is_active = 0, disabled_reason = $3, updated_at = $4
         WHERE tenant = $1 AND is_active = 1 AND deleted_at IS NULL
           AND id = (SELECT alert_rule_id FROM deliveries WHERE tenant = $1 AND id = $2)
         RETURNING id",
    )
    .bind(finished.tenant.as_str())
    .bind(finished.id.to_string())
    .bind(reason)
    .bind(us(finished.now))
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(()) };
    let entry = AuditEntry {
        actor: "system".to_owned(),
        action: "alert_rule.disabled".to_owned(),
        resource: row.try_get("id")?,
        detail: serde_json::json!({"reason": reason, "delivery": finished.id}),
    };
    tenants::raise_revision(connection, &finished.tenant).await?;
    audit::append(connection, &finished.tenant, &entry, finished.now).await
}
