//! The audit log as it is shown and verified.

use alerts_domain::Timestamp;
use alerts_domain::tenant::TenantId;

use crate::audit::{AuditEntry, AuditRecord, FIRST, hash, read};
use crate::error::StoreError;
use crate::open::Store;
use crate::page::{List, Page};
use crate::statement::Statement;

/// What looking at a whole chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditCheck {
    /// Every entry is as it was written.
    Intact {
        /// How many there are.
        entries: i64,
    },
    /// The first entry that is not.
    Broken {
        /// Where.
        seq: i64,
    },
}

/// Entries that are verified at a time.
const VERIFY_PAGE: i64 = 1000;

impl Store {
    /// Writes down something that is not a change of the tenant's own rows.
    pub async fn note(
        &self,
        tenant: &TenantId,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.retried(|| async { self.change(tenant).await?.commit(entry, now).await }).await
    }

    /// A tenant's entries, newest first, older than entry `before`.
    pub async fn list_audit(
        &self,
        tenant: &TenantId,
        limit: u32,
        before: Option<i64>,
    ) -> Result<Page<AuditRecord>, StoreError> {
        let list = List {
            from: self.reader(),
            table: "audit",
            keys: |before: Option<&str>| {
                keys(tenant, before.and_then(|seq| seq.parse().ok()), limit)
            },
            rows: |ids: &[String]| rows_of(tenant, ids),
        };
        let before = before.map(|seq| seq.to_string());
        self.page(list, limit, before, |row| read(tenant, row)).await
    }

    /// Whether a tenant's chain is whole.
    pub async fn verify_audit(&self, tenant: &TenantId) -> Result<AuditCheck, StoreError> {
        let (mut entries, mut last) = (0, FIRST.to_owned());
        loop {
            let rows = sqlx::query(
                "SELECT * FROM audit WHERE tenant = $1 AND seq > $2 ORDER BY seq LIMIT $3",
            )
            .bind(tenant.as_str())
            .bind(entries)
            .bind(VERIFY_PAGE)
            .fetch_all(self.reader())
            .await?;
            for row in &rows {
                let record = read(tenant, row)?;
                if record.seq != entries + 1 || record.hash != hash(&last, tenant, &record) {
                    return Ok(AuditCheck::Broken { seq: entries + 1 });
                }
                entries = record.seq;
                last = record.hash;
            }
            if rows.is_empty() {
                return Ok(AuditCheck::Intact { entries });
            }
        }
    }
}

/// The numbers and sizes of up to `limit + 1` entries, newest first.
pub(crate) fn keys(tenant: &TenantId, before: Option<i64>, limit: u32) -> Statement {
    let mut query = Statement::new(
        "SELECT CAST(seq AS TEXT) AS id, CAST(octet_length(detail) AS BIGINT) AS bytes
         FROM audit WHERE tenant = ",
    );
    query.bind(tenant.as_str().to_owned());
    query.push(" AND seq < ").bind(before.unwrap_or(i64::MAX));
    query.push(" ORDER BY seq DESC LIMIT ").bind(i64::from(limit) + 1);
    query
}

/// These entries, which follow each other, newest first.
fn rows_of(tenant: &TenantId, ids: &[String]) -> Statement {
    let seq = |id: Option<&String>| id.and_then(|id| id.parse::<i64>().ok()).unwrap_or(0);
    let mut query = Statement::new("SELECT *, CAST(seq AS TEXT) AS id FROM audit WHERE tenant = ");
    query.bind(tenant.as_str().to_owned());
    query.push(" AND seq <= ").bind(seq(ids.first()));
    query.push(" AND seq >= ").bind(seq(ids.last()));
    query.push(" ORDER BY seq DESC");
    query
}
