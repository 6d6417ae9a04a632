//! A person's change of what a tenant has: first the tenant's row is taken, last
//! the change is written into the audit log, all in one transaction.

use alerts_domain::Timestamp;
use alerts_domain::tenant::TenantId;
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::audit::{self, AuditEntry};
use crate::error::StoreError;
use crate::ledger::Ledger;
use crate::open::Store;
use crate::row::us;
use crate::tenant_lock;
use crate::transaction::Transaction;

/// A change that is under way. Dropped, it is undone.
pub(crate) struct Change<'a> {
    tenant: &'a TenantId,
    transaction: Transaction,
}

impl Store {
    /// Begins a change of what hosts do not keep in memory. It holds the tenant's
    /// row until its end, so that the changes of one tenant come one after another.
    pub(crate) async fn change<'a>(&self, tenant: &'a TenantId) -> Result<Change<'a>, StoreError> {
        let mut transaction = self.begin().await?;
        tenant_lock::hold(&mut transaction, tenant).await?;
        Ok(Change { tenant, transaction })
    }

    /// The same for a change of the tenant's catalog, which every host then reads
    /// anew.
    pub(crate) async fn change_catalog<'a>(
        &self,
        tenant: &'a TenantId,
    ) -> Result<Change<'a>, StoreError> {
        let mut transaction = self.begin().await?;
        tenant_lock::raise_revision(&mut transaction, tenant).await?;
        Ok(Change { tenant, transaction })
    }
}

impl Change<'_> {
    /// Where its statements run.
    pub(crate) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }

    /// Marks a row of the tenant's as deleted, perhaps only if a column still has the
    /// value that was `read`. Says whether there was one.
    pub(crate) async fn mark_deleted(
        &mut self,
        table: &'static str,
        id: impl ToString,
        read: (&'static str, Option<i64>),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (version, read) = read;
        let marked = sqlx::query(AssertSqlSafe(format!(
            "UPDATE {table} SET deleted_at = $3, updated_at = $3
             WHERE tenant = $1 AND id = $2 AND deleted_at IS NULL
                AND {version} = COALESCE($4, {version})"
        )))
        .bind(self.tenant.as_str())
        .bind(id.to_string())
        .bind(us(now))
        .bind(read)
        .execute(self.connection())
        .await?;
        Ok(marked.rows_affected() > 0)
    }

    /// Ends it with its entry in the tenant's audit log.
    pub(crate) async fn commit(
        mut self,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        audit::append(&mut self.transaction, self.tenant, entry, now).await?;
        self.transaction.commit().await
    }

    /// The same for a change of deliveries, which is told to those who watch.
    pub(crate) async fn commit_with(
        mut self,
        ledger: Ledger,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        audit::append(&mut self.transaction, self.tenant, entry, now).await?;
        self.transaction.commit_with(ledger).await
    }
}
