//! A tenant's row: its catalog's revision, and what the operator decided about it.

use alerts_domain::Timestamp;
use alerts_domain::endpoint::WebhookEndpoint;
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::rule::AlertRule;
use alerts_domain::tenant::TenantId;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::audit::AuditEntry;
use crate::error::StoreError;
use crate::open::Store;
use crate::row::{Reader, json_text};
use crate::{endpoints, rules};

/// What a tenant has, at one revision.
#[derive(Debug, Clone)]
pub struct ActiveTenant {
    /// Raised by every change of what is in here, and by nothing else; zero for a
    /// tenant that never changed anything.
    pub revision: i64,
    /// All that are not deleted, switched off ones too. One that does not read is
    /// left out.
    pub endpoints: Vec<WebhookEndpoint>,
    /// All that are not deleted, switched off ones too. One that does not read is
    /// left out.
    pub rules: Vec<AlertRule>,
    /// What the operator decided about it.
    pub mark: TenantMark,
}

/// What the operator decides about a tenant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TenantMark {
    /// Whether alerts are open to it while they are not open to all.
    pub is_beta: bool,
    /// How many deliveries may start for it; none means the host's default.
    pub rate_limit: Option<RateLimit>,
}

/// A change of what the operator decided; what is absent stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TenantPatch {
    /// See [`TenantMark::is_beta`].
    pub is_beta: Option<bool>,
    /// See [`TenantMark::rate_limit`]; `Some(None)` takes the limit away.
    pub rate_limit: Option<Option<RateLimit>>,
}

impl TenantPatch {
    /// The mark after this change.
    pub fn apply(&self, mark: TenantMark) -> TenantMark {
        TenantMark {
            is_beta: self.is_beta.unwrap_or(mark.is_beta),
            rate_limit: self.rate_limit.unwrap_or(mark.rate_limit),
        }
    }
}

impl Store {
    /// The tenant's endpoints and rules.
    pub async fn active_tenant(&self, tenant: &TenantId) -> Result<ActiveTenant, StoreError> {
        // The revision is read first: a change in between is then seen as news
        // and read again, never missed.
        let row = sqlx::query("SELECT *, tenant AS id FROM tenants WHERE tenant = $1")
            .bind(tenant.as_str())
            .fetch_optional(self.reader())
            .await?;
        let (revision, mark) = match &row {
            Some(row) => (row.try_get("revision")?, read_mark(row)?),
            None => (0, TenantMark::default()),
        };
        Ok(ActiveTenant {
            revision,
            mark,
            endpoints: endpoints::undeleted(self, tenant).await?,
            rules: rules::undeleted(self, tenant).await?,
        })
    }

    /// Tenants by name, after `after`: those that ever changed something.
    pub async fn list_tenants(
        &self,
        limit: u32,
        after: Option<&TenantId>,
    ) -> Result<Vec<(TenantId, TenantMark)>, StoreError> {
        let rows = sqlx::query(
            "SELECT *, tenant AS id FROM tenants WHERE tenant > $1 AND tenant <> '*'
             ORDER BY tenant LIMIT $2",
        )
        .bind(after.map_or("", TenantId::as_str).to_owned())
        .bind(i64::from(limit))
        .fetch_all(self.reader())
        .await?;
        let read = |row: &AnyRow| Ok((Reader::new(row, "tenants")?.tenant()?, read_mark(row)?));
        self.all_readable("tenants", &rows, read)
    }

    /// Changes what the operator decided about a tenant, and says what that is now.
    /// Read and written under the lock of its row, so that of two changes at once
    /// neither undoes the other. `entry` is told the mark as it was and as it is then.
    pub async fn mark_tenant(
        &self,
        tenant: &TenantId,
        patch: &TenantPatch,
        entry: impl Fn(&TenantMark, &TenantMark) -> AuditEntry,
        now: Timestamp,
    ) -> Result<TenantMark, StoreError> {
        self.retried(|| async {
            let mut change = self.change_catalog(tenant).await?;
            let row = sqlx::query("SELECT *, tenant AS id FROM tenants WHERE tenant = $1")
                .bind(tenant.as_str())
                .fetch_one(change.connection())
                .await?;
            let before = read_mark(&row)?;
            let mark = patch.apply(before);
            sqlx::query("UPDATE tenants SET is_beta = $2, rate_limit = $3 WHERE tenant = $1")
                .bind(tenant.as_str())
                .bind(i64::from(mark.is_beta))
                .bind(mark.rate_limit.as_ref().map(json_text))
                .execute(change.connection())
                .await?;
            change.commit(&entry(&before, &mark), now).await?;
            Ok(mark)
        })
        .await
    }

    /// The revision of every tenant's catalog, to see what other hosts have changed.
    /// Without the host's own row, which is there for its audit log.
    pub async fn revisions(&self) -> Result<Vec<(TenantId, i64)>, StoreError> {
        let rows =
            sqlx::query("SELECT tenant, tenant AS id, revision FROM tenants WHERE tenant <> '*'")
                .fetch_all(self.reader())
                .await?;
        let read = |row: &AnyRow| {
            let read = Reader::new(row, "tenants")?;
            Ok((read.tenant()?, read.get("revision")?))
        };
        self.all_readable("tenants", &rows, read)
    }
}

fn read_mark(row: &AnyRow) -> Result<TenantMark, StoreError> {
    let read = Reader::new(row, "tenants")?;
    Ok(TenantMark { is_beta: read.bool("is_beta")?, rate_limit: read.json_optional("rate_limit")? })
}
