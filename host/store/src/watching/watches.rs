//! Which tenants are watched on which host, for all hosts of a database.

use std::collections::HashSet;
use std::time::Instant;

use alerts_domain::Timestamp;
use alerts_domain::id::HostId;
use alerts_domain::tenant::TenantId;
use sqlx::Row as _;

use crate::batch::Batch;
use crate::batch::Column::{Number, Text};
use crate::error::StoreError;
use crate::news::News;
use crate::open::Store;
use crate::row::{Reader, us};

static WATCH: Batch = Batch::new(
    "INSERT INTO news_watches (tenant, host_id, until)",
    &[Text, Text, Number],
    "ON CONFLICT (tenant, host_id) DO UPDATE SET until = excluded.until",
);

static AUDITED: Batch = Batch::new(
    "WITH watched (tenant, seq) AS (",
    &[Text, Number],
    ") SELECT audit.tenant, audit.seq, audit.at, audit.action, audit.resource AS id
     FROM watched JOIN audit ON audit.tenant = watched.tenant AND audit.seq > watched.seq
     ORDER BY audit.tenant, audit.seq LIMIT 1000",
);

impl Store {
    /// These tenants are watched on this host from now on, and no others. What other
    /// hosts do to them is told once they know of it; see [`Self::keep_watching`].
    pub fn watch(&self, tenants: HashSet<TenantId>) {
        self.ledgers().watched.set_here(tenants);
    }

    /// Ends when something was committed here that is told.
    pub async fn told(&self) {
        self.ledgers().watched.committed.notified().await;
    }

    /// Where there are other hosts: lets them know until when these tenants are watched
    /// here.
    pub async fn keep_watching(
        &self,
        host: HostId,
        tenants: &HashSet<TenantId>,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tenants: Vec<&TenantId> = tenants.iter().collect();
        tenants.sort_unstable();
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            WATCH
                .execute(&mut transaction, &tenants, |query, tenant| {
                    query.bind(tenant.as_str().to_owned()).bind(host.to_string()).bind(us(until))
                })
                .await?;
            transaction.commit().await
        })
        .await
    }

    /// Where there are other hosts: asks which tenants they watch, so that nothing is
    /// told of others.
    pub async fn follow_watches(&self, now: Timestamp) -> Result<(), StoreError> {
        let asked_at = Instant::now();
        let rows = sqlx::query("SELECT DISTINCT tenant FROM news_watches WHERE until > $1")
            .bind(us(now))
            .fetch_all(self.background())
            .await?;
        let tenants = rows.iter().map(|row| row.try_get::<String, _>("tenant"));
        let tenants: Vec<String> = tenants.collect::<Result<_, sqlx::Error>>()?;
        let tenants = tenants.iter().filter_map(|name| TenantId::new(name).ok()).collect();
        self.ledgers().watched.set_elsewhere(tenants, asked_at);
        Ok(())
    }

    /// Forgets watches that have ended.
    pub async fn forget_watches(&self, now: Timestamp) -> Result<(), StoreError> {
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            sqlx::query("DELETE FROM news_watches WHERE until <= $1")
                .bind(us(now))
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await
        })
        .await
    }

    /// The number of a tenant's newest entry in the audit log.
    pub async fn newest_audit_entry(&self, tenant: &TenantId) -> Result<i64, StoreError> {
        let row = sqlx::query("SELECT max(seq) AS seq FROM audit WHERE tenant = $1")
            .bind(tenant.as_str())
            .fetch_one(self.background())
            .await?;
        Ok(row.try_get::<Option<i64>, _>("seq")?.unwrap_or(0))
    }

    /// Changes of rules and endpoints of these tenants after these entries of the audit
    /// log, each with the entry's number. At most a thousand entries at once.
    pub async fn audited_news(
        &self,
        after: &[(TenantId, i64)],
    ) -> Result<Vec<(TenantId, i64, Option<News>)>, StoreError> {
        let mut connection = self.background().acquire().await?;
        let rows = AUDITED
            .fetch(&mut connection, after, |query, (tenant, seq)| {
                query.bind(tenant.as_str().to_owned()).bind(*seq)
            })
            .await?;
        self.all_readable("audit", &rows, |row| {
            let read = Reader::new(row, "audit")?;
            let (action, updated_at): (String, Timestamp) = (read.get("action")?, read.time("at")?);
            let id = read.get("id")?;
            let news = match action.split_once('.').map_or("", |(kind, _)| kind) {
                "alert_rule" => Some(News::Rule { id, action, updated_at }),
                "webhook" => Some(News::Endpoint { id, action, updated_at }),
                _ => None,
            };
            Ok((read.tenant()?, read.get("seq")?, news))
        })
    }

    /// Forgets up to `limit` rows of what was told before then.
    pub async fn forget_news(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            let forgotten = sqlx::query(
                "DELETE FROM news WHERE seq IN (
                    SELECT seq FROM (SELECT seq, at FROM news ORDER BY seq LIMIT $2) AS oldest
                    WHERE at < $1)",
            )
            .bind(us(before))
            .bind(i64::from(limit))
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(forgotten.rows_affected())
        })
        .await
    }
}
