//! Answers kept for requests that may be repeated (`Idempotency-Key`).

use alerts_domain::Timestamp;
use alerts_domain::keyring::Sealed;
use alerts_domain::tenant::TenantId;
use sqlx::Row as _;

use crate::error::StoreError;
use crate::idempotency_key::Taken;
use crate::open::Store;
use crate::row::us;

/// An answer as it is kept. What is in it is the caller's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// What kind of answer it is, in numbers of the caller's own.
    pub kind: u16,
    /// The answer, encrypted by the caller.
    pub sealed_body: Sealed,
}

/// Where a request with a key stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idempotency {
    /// Nobody used the key yet, or who did is given up; it is taken for this
    /// request now.
    Fresh(Taken),
    /// The same request has this answer already.
    Answered(KeptAnswer),
    /// The same request is being worked on.
    InProgress,
    /// The same request was done: what it asked for is stored, under this id. Its
    /// answer was lost.
    Done(String),
    /// The key was used for another request.
    Mismatch,
}

impl Store {
    /// Takes a key for a request, of which `fingerprint` is a digest. A key that
    /// was taken before `stale` and has nothing to show is free again: its host died.
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
            "INSERT INTO idempotency_keys (tenant, key, fingerprint, created_at, fence)
             VALUES ($1, $2, $3, $4, 1)
             ON CONFLICT (tenant, key) DO UPDATE
                SET created_at = excluded.created_at, fence = idempotency_keys.fence + 1
                WHERE idempotency_keys.fingerprint = excluded.fingerprint
                  AND idempotency_keys.sealed_body IS NULL AND idempotency_keys.done IS NULL
                  AND idempotency_keys.created_at < $5
             RETURNING fence",
        )
        .bind(tenant.as_str())
        .bind(key)
        .bind(fingerprint)
        .bind(us(now))
        .bind(us(stale))
        .fetch_optional(&mut *transaction)
        .await?;
        let fence = taken.map(|row| row.try_get("fence")).transpose()?;
        transaction.commit().await?;
        if let Some(fence) = fence {
            return Ok(Idempotency::Fresh(Taken {
                tenant: tenant.clone(),
                key: key.to_owned(),
                fence,
            }));
        }
        let row = sqlx::query(
            "SELECT fingerprint, status, sealed_body, done FROM idempotency_keys
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
        let kind: Option<i64> = row.try_get("status")?;
        let body: Option<String> = row.try_get("sealed_body")?;
        let done: Option<String> = row.try_get("done")?;
        Ok(match (kind.and_then(|kind| u16::try_from(kind).ok()), body, done) {
            (Some(kind), Some(body), _) => {
                let sealed_body = Sealed::from_stored(body);
                Idempotency::Answered(KeptAnswer { kind, sealed_body })
            }
            (_, _, Some(resource)) => Idempotency::Done(resource),
            _ => Idempotency::InProgress,
        })
    }

    /// Keeps the answer to the request that took the key. Says whether the key was
    /// still that request's.
    pub async fn keep_idempotent_answer(
        &self,
        taken: &Taken,
        answer: &KeptAnswer,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let kept = sqlx::query(
            "UPDATE idempotency_keys SET status = $4, sealed_body = $5
             WHERE tenant = $1 AND key = $2 AND fence = $3",
        )
        .bind(taken.tenant.as_str())
        .bind(taken.key.as_str())
        .bind(taken.fence)
        .bind(i64::from(answer.kind))
        .bind(answer.sealed_body.as_str())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(kept.rows_affected() > 0)
    }

    /// Gives a key back whose request changed nothing. One whose change may be
    /// stored after all keeps it: see [`Idempotency::Done`].
    pub async fn release_idempotency_key(&self, taken: &Taken) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "DELETE FROM idempotency_keys
             WHERE tenant = $1 AND key = $2 AND fence = $3
               AND sealed_body IS NULL AND done IS NULL",
        )
        .bind(taken.tenant.as_str())
        .bind(taken.key.as_str())
        .bind(taken.fence)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
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
