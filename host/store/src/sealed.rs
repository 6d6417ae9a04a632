//! What is stored encrypted, read and replaced as it is when the keys change.
//! What it means, and what it opens with, is known above.

use alerts_domain::keyring::Sealed;
use alerts_domain::tenant::TenantId;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use crate::error::StoreError;
use crate::open::Store;
use crate::row::Reader;

/// What a sealed value holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedKind {
    /// The secrets of a webhook endpoint.
    EndpointSecrets,
    /// The answer kept for an `Idempotency-Key`.
    IdempotentAnswer,
    /// The secret of a webhook in.
    SourceSecret,
}

impl SealedKind {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::EndpointSecrets, Self::IdempotentAnswer, Self::SourceSecret];

    /// Table, the column that names a tenant's row, and the sealed column.
    fn place(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::EndpointSecrets => ("webhook_endpoints", "id", "sealed_secrets"),
            Self::IdempotentAnswer => ("idempotency_keys", "key", "sealed_body"),
            Self::SourceSecret => ("webhook_sources", "id", "sealed_secret"),
        }
    }
}

/// A sealed value and the row that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRow {
    /// Whose it is.
    pub tenant: TenantId,
    /// The endpoint's or the source's id, or the key of the kept answer.
    pub id: String,
    /// The value.
    pub sealed: Sealed,
}

impl Store {
    /// Sealed values in the order of their rows, after the row `after`. Those of
    /// deleted endpoints too: their rows stay.
    pub async fn list_sealed(
        &self,
        kind: SealedKind,
        after: Option<&SealedRow>,
        limit: u32,
    ) -> Result<Vec<SealedRow>, StoreError> {
        let (table, id, sealed) = kind.place();
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT tenant, {id} AS id, {sealed} AS sealed FROM {table}
             WHERE {sealed} IS NOT NULL AND (tenant, {id}) > ($1, $2)
             ORDER BY tenant, {id} LIMIT $3"
        )))
        .bind(after.map_or("", |row| row.tenant.as_str()).to_owned())
        .bind(after.map_or("", |row| row.id.as_str()).to_owned())
        .bind(i64::from(limit))
        .fetch_all(self.reader())
        .await?;
        let read = |row: &AnyRow| {
            let read = Reader::new(row, table)?;
            Ok(SealedRow {
                tenant: read.tenant()?,
                id: read.get("id")?,
                sealed: Sealed::from_stored(read.get("sealed")?),
            })
        };
        rows.iter().map(read).collect()
    }

    /// Puts values in the place of those that were read, in one transaction. What
    /// was changed or removed since is left alone. Says how many were replaced.
    pub async fn replace_sealed(
        &self,
        kind: SealedKind,
        replacements: &[(SealedRow, Sealed)],
    ) -> Result<u64, StoreError> {
        let (table, id, sealed) = kind.place();
        let update = format!(
            "UPDATE {table} SET {sealed} = $4 WHERE tenant = $1 AND {id} = $2 AND {sealed} = $3"
        );
        // In the order in which every transaction takes its rows.
        let mut replacements: Vec<_> = replacements.iter().collect();
        replacements.sort_by_key(|(read, _)| (read.tenant.as_str(), read.id.as_str()));
        self.retried(|| async {
            let (mut transaction, mut replaced) = (self.begin().await?, 0);
            for (read, new) in &replacements {
                let updated = sqlx::query(AssertSqlSafe(update.clone()))
                    .bind(read.tenant.as_str())
                    .bind(read.id.as_str())
                    .bind(read.sealed.as_str())
                    .bind(new.as_str())
                    .execute(&mut *transaction)
                    .await?;
                replaced += updated.rows_affected();
            }
            transaction.commit().await?;
            Ok(replaced)
        })
        .await
    }
}
