//! A delivery as people look at it, and what people do to one.

use alerts_domain::Timestamp;
use alerts_domain::delivery::{Attempt, Delivery, DeliveryStatus};
use alerts_domain::id::DeliveryId;
use alerts_domain::tenant::TenantId;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use crate::audit::AuditEntry;
use crate::error::StoreError;
use crate::open::Store;
use crate::row::{Reader, us};

/// What became of a person's wish about one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryChange {
    /// It is done.
    Done,
    /// The tenant has no such delivery.
    NotFound,
    /// It is in this state, in which that cannot be done.
    WrongState(DeliveryStatus),
}

impl Store {
    /// One delivery with its attempts, the first one first.
    pub async fn get_delivery(
        &self,
        tenant: &TenantId,
        id: DeliveryId,
    ) -> Result<Option<(Delivery, Vec<Attempt>)>, StoreError> {
        let row = sqlx::query("SELECT * FROM deliveries WHERE tenant = $1 AND id = $2")
            .bind(tenant.as_str())
            .bind(id.to_string())
            .fetch_optional(self.reader())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let attempts = sqlx::query(
            "SELECT *, delivery_id AS id FROM attempts WHERE tenant = $1 AND delivery_id = $2
             ORDER BY number",
        )
        .bind(tenant.as_str())
        .bind(id.to_string())
        .fetch_all(self.reader())
        .await?;
        let attempts = attempts.iter().map(read_attempt).collect::<Result<_, _>>()?;
        Ok(Some((read_delivery(&row)?, attempts)))
    }

    /// Makes a scheduled delivery due now.
    pub async fn reschedule_now(
        &self,
        tenant: &TenantId,
        id: DeliveryId,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<DeliveryChange, StoreError> {
        self.change_scheduled(tenant, id, entry, now, "next_attempt_at = $3").await
    }

    /// Stops a scheduled delivery for good.
    pub async fn cancel_delivery(
        &self,
        tenant: &TenantId,
        id: DeliveryId,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<DeliveryChange, StoreError> {
        let set = "status = 'canceled', next_attempt_at = NULL, finished_at = $3";
        self.change_scheduled(tenant, id, entry, now, set).await
    }

    async fn change_scheduled(
        &self,
        tenant: &TenantId,
        id: DeliveryId,
        entry: &AuditEntry,
        now: Timestamp,
        set: &'static str,
    ) -> Result<DeliveryChange, StoreError> {
        self.retried(|| async {
            // The tenant's row first, as everything that writes takes it.
            let mut change = self.change(tenant).await?;
            let changed = sqlx::query(AssertSqlSafe(format!(
                "UPDATE deliveries SET {set}
                 WHERE tenant = $1 AND id = $2 AND status = 'scheduled' RETURNING *"
            )))
            .bind(tenant.as_str())
            .bind(id.to_string())
            .bind(us(now))
            .fetch_optional(change.connection())
            .await?;
            let Some(changed) = changed else {
                let row =
                    sqlx::query("SELECT status FROM deliveries WHERE tenant = $1 AND id = $2")
                        .bind(tenant.as_str())
                        .bind(id.to_string())
                        .fetch_optional(change.connection())
                        .await?;
                let Some(row) = row else { return Ok(DeliveryChange::NotFound) };
                let status: String = row.try_get("status")?;
                let status = status.parse();
                let status =
                    status.map_err(|error| StoreError::damaged("deliveries", id, error))?;
                return Ok(DeliveryChange::WrongState(status));
            };
            let mut ledger = self.ledger();
            if let Some(delivery) = self.readable("deliveries", &changed, read_delivery)? {
                ledger.changed(&delivery, now);
            }
            ledger.write(change.connection()).await?;
            change.commit(entry, now).await?;
            ledger.tell(self.dialect());
            Ok(DeliveryChange::Done)
        })
        .await
    }
}

pub(crate) fn read_delivery(row: &AnyRow) -> Result<Delivery, StoreError> {
    let read = Reader::new(row, "deliveries")?;
    Ok(Delivery {
        id: read.parse("id")?,
        tenant: read.tenant()?,
        event_id: read.parse("event_id")?,
        alert_rule_id: read.parse_optional("alert_rule_id")?,
        rule_name: read.get("rule_name")?,
        trigger: read.json("trigger_figures")?,
        webhook_endpoint_id: read.parse("webhook_endpoint_id")?,
        status: read.parse("status")?,
        attempt_count: read.count("attempt_count")?,
        next_attempt_at: read.time_optional("next_attempt_at")?,
        last_error: read.get("last_error")?,
        redrive_of: read.parse_optional("redrive_of")?,
        created_at: read.time("created_at")?,
        finished_at: read.time_optional("finished_at")?,
    })
}

fn read_attempt(row: &AnyRow) -> Result<Attempt, StoreError> {
    let read = Reader::new(row, "attempts")?;
    let status_code: Option<i64> = read.get("status_code")?;
    Ok(Attempt {
        number: read.count("number")?,
        started_at: read.time("started_at")?,
        duration_ms: read.count("duration_ms")?,
        status_code: status_code.and_then(|code| u16::try_from(code).ok()),
        verdict: read.get("verdict")?,
        error: read.get::<Option<String>>("error")?.map(Into::into),
        note: read.get("note")?,
        plugin_digest: read.get("plugin_digest")?,
        endpoint_version: read.get("endpoint_version")?,
        exchanges: read.json("exchanges")?,
    })
}
