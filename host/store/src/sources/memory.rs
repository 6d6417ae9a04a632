//! What a watcher remembers of namespaces and of their runs, written together with the
//! events that follow from it.

use alerts_domain::tenant::TenantId;
use sqlx::AssertSqlSafe;

use super::lease::{SourceLease, hold};
use super::outbox;
use crate::batch::Batch;
use crate::batch::Column::{Number, Text};
use crate::error::StoreError;
use crate::open::Store;
use crate::row::{Reader, json_text};

/// A run, as a watcher remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedRun {
    /// The platform's id.
    pub run_id: String,
    /// When the platform made it, by its wall clock, in microseconds.
    pub created_us: i64,
    /// Its number in the platform's list, counted from the end.
    pub ordinal: i64,
    /// How often it was not where it was looked for.
    pub misses: i64,
    /// Whether it is still looked at.
    pub is_open: bool,
    /// What else there is, in the watcher's own words.
    pub memory: String,
}

/// What one look at a namespace has brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looked {
    /// What is remembered of the namespace from now on; none where that has not changed.
    pub memory: Option<String>,
    /// Runs that are new, or of which something else is remembered from now on.
    pub runs: Vec<WatchedRun>,
    /// Runs that are looked at no more, and of which nothing is remembered.
    pub forgotten: Vec<String>,
    /// The events that follow, each as a CloudEvent in JSON, the oldest first.
    pub events: Vec<(TenantId, String)>,
}

static KEEP: Batch = Batch::new(
    "INSERT INTO watched_runs
        (source, namespace, run_id, created_us, ordinal, misses, is_open, memory)",
    &[Text, Text, Text, Number, Number, Number, Number, Text],
    "ON CONFLICT (source, namespace, run_id) DO UPDATE SET created_us = excluded.created_us,
        ordinal = excluded.ordinal, misses = excluded.misses, is_open = excluded.is_open,
        memory = excluded.memory",
);

impl Store {
    /// Writes what a look has brought, all or nothing. False when it is another
    /// watcher's turn: then nothing is.
    pub async fn save_looked(
        &self,
        lease: &SourceLease,
        namespace: &str,
        looked: &Looked,
    ) -> Result<bool, StoreError> {
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            if !hold(&mut transaction, lease, None).await? {
                return Ok(false);
            }
            if let Some(memory) = &looked.memory {
                sqlx::query(
                    "INSERT INTO watched_namespaces (source, name, memory) VALUES ($1, $2, $3)
                     ON CONFLICT (source, name) DO UPDATE SET memory = excluded.memory",
                )
                .bind(lease.source.clone())
                .bind(namespace.to_owned())
                .bind(memory.clone())
                .execute(&mut *transaction)
                .await?;
            }
            KEEP.execute(&mut transaction, &looked.runs, |query, run| {
                query
                    .bind(lease.source.clone())
                    .bind(namespace.to_owned())
                    .bind(run.run_id.clone())
                    .bind(run.created_us)
                    .bind(run.ordinal)
                    .bind(run.misses)
                    .bind(i64::from(run.is_open))
                    .bind(run.memory.clone())
            })
            .await?;
            if !looked.forgotten.is_empty() {
                sqlx::query(AssertSqlSafe(format!(
                    "DELETE FROM watched_runs
                     WHERE source = $1 AND namespace = $2 AND run_id IN ({})",
                    self.dialect().listed("$3")
                )))
                .bind(lease.source.clone())
                .bind(namespace.to_owned())
                .bind(json_text(&looked.forgotten))
                .execute(&mut *transaction)
                .await?;
            }
            outbox::put(&mut transaction, &lease.source, &looked.events).await?;
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }

    /// Forgets all that is remembered of a namespace's runs, and remembers this of the
    /// namespace. False when it is another watcher's turn.
    pub async fn begin_watch_anew(
        &self,
        lease: &SourceLease,
        namespace: &str,
        memory: &str,
    ) -> Result<bool, StoreError> {
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            if !hold(&mut transaction, lease, None).await? {
                return Ok(false);
            }
            sqlx::query("DELETE FROM watched_runs WHERE source = $1 AND namespace = $2")
                .bind(lease.source.clone())
                .bind(namespace.to_owned())
                .execute(&mut *transaction)
                .await?;
            sqlx::query(
                "UPDATE watched_namespaces SET memory = $3 WHERE source = $1 AND name = $2",
            )
            .bind(lease.source.clone())
            .bind(namespace.to_owned())
            .bind(memory.to_owned())
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }

    /// What is remembered of a namespace.
    pub async fn watched_namespace(
        &self,
        source: &str,
        name: &str,
    ) -> Result<Option<String>, StoreError> {
        let row = sqlx::query(
            "SELECT name AS id, memory FROM watched_namespaces WHERE source = $1 AND name = $2",
        )
        .bind(source.to_owned())
        .bind(name.to_owned())
        .fetch_optional(self.background())
        .await?;
        row.map(|row| Reader::new(&row, "watched_namespaces")?.get("memory")).transpose()
    }

    /// Those of these runs of which something is remembered.
    pub async fn watched_runs(
        &self,
        source: &str,
        namespace: &str,
        run_ids: &[&str],
    ) -> Result<Vec<WatchedRun>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT run_id AS id, created_us, ordinal, misses, is_open, memory FROM watched_runs
             WHERE source = $1 AND namespace = $2 AND run_id IN ({})",
            self.dialect().listed("$3")
        )))
        .bind(source.to_owned())
        .bind(namespace.to_owned())
        .bind(json_text(&run_ids))
        .fetch_all(self.background())
        .await?;
        rows.iter().map(run).collect()
    }

    /// Runs that are still looked at, of those with numbers up to this one: the highest
    /// first.
    pub async fn open_runs(
        &self,
        source: &str,
        namespace: &str,
        up_to: i64,
        limit: u32,
    ) -> Result<Vec<WatchedRun>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT run_id AS id, created_us, ordinal, misses, is_open, memory
             FROM watched_runs{}
             WHERE source = $1 AND namespace = $2 AND is_open = 1 AND ordinal <= $3
             ORDER BY ordinal DESC LIMIT $4",
            self.dialect().through("watched_runs_open")
        )))
        .bind(source.to_owned())
        .bind(namespace.to_owned())
        .bind(up_to)
        .bind(i64::from(limit))
        .fetch_all(self.background())
        .await?;
        rows.iter().map(run).collect()
    }

    /// The oldest runs that are not looked at any more: when the platform made each, in
    /// microseconds, and its id.
    pub async fn oldest_closed_runs(
        &self,
        source: &str,
        namespace: &str,
        before_us: i64,
        limit: u32,
    ) -> Result<Vec<(i64, String)>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT run_id AS id, created_us FROM watched_runs{}
             WHERE source = $1 AND namespace = $2 AND is_open = 0 AND created_us < $3
             ORDER BY created_us LIMIT $4",
            self.dialect().through("watched_runs_closed")
        )))
        .bind(source.to_owned())
        .bind(namespace.to_owned())
        .bind(before_us)
        .bind(i64::from(limit))
        .fetch_all(self.background())
        .await?;
        let read = |row| {
            let read = Reader::new(row, "watched_runs")?;
            Ok((read.get("created_us")?, read.get("id")?))
        };
        rows.iter().map(read).collect()
    }
}

fn run(row: &sqlx::any::AnyRow) -> Result<WatchedRun, StoreError> {
    let read = Reader::new(row, "watched_runs")?;
    Ok(WatchedRun {
        run_id: read.get("id")?,
        created_us: read.get("created_us")?,
        ordinal: read.get("ordinal")?,
        misses: read.get("misses")?,
        is_open: read.bool("is_open")?,
        memory: read.get("memory")?,
    })
}
