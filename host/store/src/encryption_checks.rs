//! The check values that show with which keys a database's secrets are sealed. What
//! a value says, and whether a key opens it, is known above.

use std::collections::BTreeMap;

use alerts_domain::keyring::Sealed;
use alerts_domain::tenant::TenantId;
use sqlx::any::AnyRow;

use crate::error::StoreError;
use crate::open::Store;
use crate::row::{Reader, json_text};
use crate::sealed::SealedRow;

/// One check value for each key that something may be sealed with, by the key's id.
pub type EncryptionChecks = BTreeMap<String, Sealed>;

impl Store {
    /// The check values; none before a host has first been started.
    pub async fn encryption_checks(&self) -> Result<EncryptionChecks, StoreError> {
        let checks = self.encryption_checks_text().await?;
        let texts: BTreeMap<String, String> = serde_json::from_str(&checks)
            .map_err(|error| StoreError::damaged("encryption_checks", 1, error))?;
        Ok(texts.into_iter().map(|(id, text)| (id, Sealed::from_stored(text))).collect())
    }

    async fn encryption_checks_text(&self) -> Result<String, StoreError> {
        let row = sqlx::query("SELECT 'checks' AS id, checks FROM encryption_checks")
            .fetch_one(self.reader())
            .await?;
        Reader::new(&row, "encryption_checks")?.get("checks")
    }

    /// Puts check values in the place of those that were read, unless another host
    /// was faster. Says whether they stand now.
    pub async fn replace_encryption_checks(
        &self,
        read: &EncryptionChecks,
        new: &EncryptionChecks,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let replaced = sqlx::query("UPDATE encryption_checks SET checks = $2 WHERE checks = $1")
            .bind(text_of(read))
            .bind(text_of(new))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(replaced.rows_affected() > 0)
    }

    /// The sealed secrets of endpoints that are not deleted, after the row `after`.
    pub async fn list_sealed_in_use(
        &self,
        after: Option<&SealedRow>,
        limit: u32,
    ) -> Result<Vec<SealedRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT tenant, id, sealed_secrets FROM webhook_endpoints
             WHERE deleted_at IS NULL AND (tenant, id) > ($1, $2)
             ORDER BY tenant, id LIMIT $3",
        )
        .bind(after.map_or("", |row| row.tenant.as_str()).to_owned())
        .bind(after.map_or("", |row| row.id.as_str()).to_owned())
        .bind(i64::from(limit))
        .fetch_all(self.reader())
        .await?;
        let read = |row: &AnyRow| {
            let read = Reader::new(row, "webhook_endpoints")?;
            let tenant: TenantId = read.tenant()?;
            let sealed = Sealed::from_stored(read.get("sealed_secrets")?);
            Ok(SealedRow { tenant, id: read.get("id")?, sealed })
        };
        rows.iter().map(read).collect()
    }
}

/// As it is stored: in the order of the ids, so that equal values have equal texts.
fn text_of(checks: &EncryptionChecks) -> String {
    let texts: BTreeMap<&str, &str> =
        checks.iter().map(|(id, sealed)| (id.as_str(), sealed.as_str())).collect();
    json_text(&texts)
}
