//! The hosts that work on this database, and what a host that died has left.

use alerts_domain::Timestamp;
use alerts_domain::id::HostId;
use sqlx::AssertSqlSafe;

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::open::Store;
use crate::row::{Reader, us};

/// The release that this host is of.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Most hosts that are listed; more on one database are none.
const MOST_LISTED: i64 = 1_000;

/// A host that works on this database, or did so until lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostOfDatabase {
    /// `host_…`.
    pub id: HostId,
    /// Its release; none of one that is older than this was written down.
    pub version: Option<String>,
    /// Until when it holds what it has leased.
    pub lease_until: Timestamp,
    /// How many deliveries it holds.
    pub deliveries_held: u64,
}

/// The hosts with leased work. Walks the index from one host to the next instead
/// of over all that they hold.
pub(crate) const HOLDERS: &str = "holder (id) AS (
    SELECT min(lease_host) FROM deliveries WHERE status = 'leased'
    UNION ALL
    SELECT (SELECT min(lease_host) FROM deliveries
            WHERE status = 'leased' AND lease_host > holder.id)
    FROM holder WHERE holder.id IS NOT NULL)";

impl Store {
    /// This host lives, and holds what it has leased, until then. False when the
    /// database did not know it: it is new, or was forgotten, and what it held then
    /// is others' by now.
    pub async fn heartbeat(&self, host: HostId, until: Timestamp) -> Result<bool, StoreError> {
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            let known = sqlx::query("UPDATE hosts SET lease_until = $2 WHERE id = $1")
                .bind(host.to_string())
                .bind(us(until))
                .execute(&mut *transaction)
                .await?;
            let is_known = known.rows_affected() > 0;
            if !is_known {
                sqlx::query(
                    "INSERT INTO hosts (id, lease_until, version) VALUES ($1, $2, $3)
                     ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until",
                )
                .bind(host.to_string())
                .bind(us(until))
                .bind(VERSION)
                .execute(&mut *transaction)
                .await?;
            }
            transaction.commit().await?;
            Ok(is_known)
        })
        .await
    }

    /// The hosts of this database, the oldest first.
    pub async fn list_hosts(&self) -> Result<Vec<HostOfDatabase>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT id, version, lease_until,
                (SELECT count(*) FROM deliveries{}
                 WHERE status = 'leased' AND lease_host = hosts.id) AS held
             FROM hosts ORDER BY id LIMIT $1",
            self.dialect().through("deliveries_leased")
        )))
        .bind(MOST_LISTED)
        .fetch_all(self.reader())
        .await?;
        self.all_readable("hosts", &rows, |row| {
            let read = Reader::new(row, "hosts")?;
            Ok(HostOfDatabase {
                id: read.parse("id")?,
                version: read.get("version")?,
                lease_until: read.time("lease_until")?,
                deliveries_held: u64::try_from(read.get::<i64>("held")?).unwrap_or(0),
            })
        })
    }

    /// Makes due what hosts hold whose time is over, and forgets those hosts. Also
    /// what hosts hold that were forgotten: one that stood still for long goes on
    /// to claim before its next heartbeat, and may die before it. Says how many
    /// deliveries that were.
    pub async fn release_dead_hosts(&self, now: Timestamp) -> Result<u64, StoreError> {
        // The usual answer is none, which needs no transaction.
        let dead = sqlx::query(AssertSqlSafe(format!(
            "WITH RECURSIVE {HOLDERS}
             SELECT id FROM holder WHERE id IS NOT NULL
               AND id NOT IN (SELECT id FROM hosts WHERE lease_until > $1)
             UNION ALL
             SELECT id FROM hosts WHERE lease_until <= $1
             LIMIT 1"
        )))
        .bind(us(now))
        .fetch_optional(self.background())
        .await?;
        if dead.is_none() {
            return Ok(0);
        }
        // What a host that is not so dead is writing in this moment is left to it.
        let free = format!(
            "UPDATE deliveries SET status = 'scheduled', next_attempt_at = $1, lease_host = NULL
             WHERE (tenant, id) IN (
                SELECT tenant, id FROM deliveries
                WHERE status = 'leased'
                  AND lease_host NOT IN (SELECT id FROM hosts WHERE lease_until > $1){})",
            self.dialect().skip_locked()
        );
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            let freed = sqlx::query(AssertSqlSafe(free.clone()))
                .bind(us(now))
                .execute(&mut *transaction)
                .await?;
            sqlx::query("DELETE FROM hosts WHERE lease_until <= $1")
                .bind(us(now))
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(freed.rows_affected())
        })
        .await
    }

    /// At the start of a host: makes due what nobody can be working on. Says how
    /// many deliveries that were.
    pub async fn take_over(&self, now: Timestamp, host: HostId) -> Result<u64, StoreError> {
        if self.dialect() == Dialect::Postgres {
            // Other hosts may be at work; only their leases tell.
            return self.release_dead_hosts(now).await;
        }
        // The file is locked by this process, so whoever held them is gone.
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            let freed = sqlx::query(
                "UPDATE deliveries SET status = 'scheduled', next_attempt_at = $1,
                    lease_host = NULL
                 WHERE status = 'leased' AND lease_host <> $2",
            )
            .bind(us(now))
            .bind(host.to_string())
            .execute(&mut *transaction)
            .await?;
            sqlx::query("DELETE FROM hosts WHERE id <> $1")
                .bind(host.to_string())
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(freed.rows_affected())
        })
        .await
    }
}
