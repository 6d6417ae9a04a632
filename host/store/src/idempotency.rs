//! Answers kept for requests that may be repeated (`Idempotency-Key`).

use alerts_domain::Timestamp;
use alerts_domain::keyring::Sealed;
use alerts_domain::tenant::TenantId;
use sqlx::Row as _;

use crate::error::StoreError;
use crate::open::Store;
use crate::row::us;

/// Where a request with a key stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idempotency {
    /// Nobody used the key yet; it is taken for this request now.
    Fresh,
    /// The same request has this answer already.
    Answered {
        /// HTTP status.
        status: u16,
        /// The body, encrypted by the caller.
        sealed_body: Sealed,
    },
    /// The same request is being worked on.
    InProgress,
    /// The key was used for another request.
    Mismatch,
}

impl Store {
    /// Takes a key for a request, of which `fingerprint` is a digest. An
    /// unanswered key that was taken before `stale` is free again: its host died.
    pub async fn take_idempotency_key(
        &self,
        tenant: &TenantId,
        key: &str,
        fingerprint: &str,
        now: Timestamp,
        stale: Timestamp,
    ) -> Result<Idempotency, StoreError> {
        let mut transaction = self.begin().await?;
        let taken = sqlx::query(
            "INSERT INTO idempotency_keys (tenant, key, fingerprint, created_at)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant, key) DO UPDATE
                SET fingerprint = excluded.fingerprint, created_at = excluded.created_at
                WHERE idempotency_keys.status IS NULL AND idempotency_keys.created_at < $5",
        )
        .bind(tenant.as_str())
        .bind(key)
        .bind(fingerprint)
        .bind(us(now))
        .bind(us(stale))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        if taken.rows_affected() > 0 {
            return Ok(Idempotency::Fresh);
        }
        let row = sqlx::query(
            "SELECT fingerprint, status, sealed_body FROM idempotency_keys
             WHERE tenant = $1 AND key = $2",
        )
        .bind(tenant.as_str())
        .bind(key)
        .fetch_optional(self.reader())
        .await?;
        // Given up between the two statements: the caller comes again.
        let Some(row) = row else { return Ok(Idempotency::InProgress) };
        if row.try_get::<String, _>("fingerprint")? != fingerprint {
            return Ok(Idempotency::Mismatch);
        }
        let status: Option<i64> = row.try_get("status")?;
        let body: Option<String> = row.try_get("sealed_body")?;
        match (status.and_then(|status| u16::try_from(status).ok()), body) {
            (Some(status), Some(body)) => {
                Ok(Idempotency::Answered { status, sealed_body: Sealed::from_stored(body) })
            }
            _ => Ok(Idempotency::InProgress),
        }
    }

    /// Keeps the answer to the request that took the key.
    pub async fn keep_idempotent_answer(
        &self,
        tenant: &TenantId,
        key: &str,
        status: u16,
        sealed_body: &Sealed,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "UPDATE idempotency_keys SET status = $3, sealed_body = $4
             WHERE tenant = $1 AND key = $2",
        )
        .bind(tenant.as_str())
        .bind(key)
        .bind(i64::from(status))
        .bind(sealed_body.as_str())
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// Gives a key back whose request changed nothing.
    pub async fn release_idempotency_key(
        &self,
        tenant: &TenantId,
        key: &str,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "DELETE FROM idempotency_keys WHERE tenant = $1 AND key = $2 AND status IS NULL",
        )
        .bind(tenant.as_str())
        .bind(key)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// Forgets keys that were taken before `before`. Says how many.
    pub async fn forget_idempotency_keys(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let gone = sqlx::query("DELETE FROM idempotency_keys WHERE created_at < $1")
            .bind(us(before))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(gone.rows_affected())
    }
}
