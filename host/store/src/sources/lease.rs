//! Which host watches a source.
//!
//! A lease is held by beating: whoever wants to take it over watches the beats by a
//! clock of his own, so hosts need not agree about the time.

use alerts_domain::id::HostId;

use crate::error::StoreError;
use crate::open::Store;
use crate::row::Reader;
use crate::transaction::Transaction;

/// Most sources that are listed; there is one for each platform that is configured.
const MOST_LISTED: i64 = 100;

/// The right to watch a source and to write what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLease {
    /// Which source.
    pub source: String,
    /// Who holds it.
    pub host: HostId,
    /// Which watch this is.
    pub fence: i64,
}

/// Whose turn it is at a source, as another host sees it. Two that are the same, with
/// time between them, mean that nobody watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceTurn {
    /// Who watches it; nobody when it was let go.
    pub host: Option<HostId>,
    /// Which watch it is.
    pub fence: i64,
    /// Goes on while the watcher lives.
    pub beats: i64,
}

/// A source as people are shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedSource {
    /// For example `exosphere`.
    pub id: String,
    /// Where it is.
    pub url: String,
    /// Who watches it.
    pub host: Option<HostId>,
    /// How the watch goes, in the watcher's words.
    pub status: Option<String>,
    /// How many runs are still looked at.
    pub open_runs: u64,
    /// How many events wait for the intake.
    pub waiting_events: u64,
}

impl Store {
    /// Whose turn it is at a source; nobody has ever watched it when there is none.
    pub async fn source_turn(&self, source: &str) -> Result<Option<SourceTurn>, StoreError> {
        let row = sqlx::query("SELECT id, host, fence, beats FROM sources WHERE id = $1")
            .bind(source.to_owned())
            .fetch_optional(self.background())
            .await?;
        row.map(|row| {
            let read = Reader::new(&row, "sources")?;
            Ok(SourceTurn {
                host: read.parse_optional("host")?,
                fence: read.get("fence")?,
                beats: read.get("beats")?,
            })
        })
        .transpose()
    }

    /// Takes a source whose turn is still the one that was `seen`. None when another
    /// host was faster, or its watcher lives. What is remembered of another `url` is
    /// forgotten; events that were made of it are not.
    pub async fn take_source(
        &self,
        source: &str,
        url: &str,
        host: HostId,
        seen: Option<&SourceTurn>,
    ) -> Result<Option<SourceLease>, StoreError> {
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            let fence = seen.map_or(1, |seen| seen.fence.saturating_add(1));
            let taken = match seen {
                None => {
                    sqlx::query(
                        "INSERT INTO sources (id, url, host, fence, beats)
                         VALUES ($1, $2, $3, $4, 0) ON CONFLICT (id) DO NOTHING",
                    )
                    .bind(source.to_owned())
                    .bind(url.to_owned())
                    .bind(host.to_string())
                    .bind(fence)
                    .execute(&mut *transaction)
                    .await?
                }
                Some(seen) => {
                    sqlx::query(
                        "UPDATE sources SET host = $2, fence = $3, beats = 0
                         WHERE id = $1 AND fence = $4 AND beats = $5",
                    )
                    .bind(source.to_owned())
                    .bind(host.to_string())
                    .bind(fence)
                    .bind(seen.fence)
                    .bind(seen.beats)
                    .execute(&mut *transaction)
                    .await?
                }
            };
            if taken.rows_affected() == 0 {
                return Ok(None);
            }
            let moved = sqlx::query(
                "UPDATE sources SET url = $2, status = NULL WHERE id = $1 AND url <> $2",
            )
            .bind(source.to_owned())
            .bind(url.to_owned())
            .execute(&mut *transaction)
            .await?;
            if moved.rows_affected() > 0 {
                for forget in [
                    "DELETE FROM watched_runs WHERE source = $1",
                    "DELETE FROM watched_namespaces WHERE source = $1",
                ] {
                    sqlx::query(forget).bind(source.to_owned()).execute(&mut *transaction).await?;
                }
            }
            transaction.commit().await?;
            Ok(Some(SourceLease { source: source.to_owned(), host, fence }))
        })
        .await
    }

    /// The watcher lives, and perhaps says how the watch goes. False when it is
    /// another's turn by now.
    pub async fn beat_source(
        &self,
        lease: &SourceLease,
        status: Option<&str>,
    ) -> Result<bool, StoreError> {
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            if !hold(&mut transaction, lease, status).await? {
                return Ok(false);
            }
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }

    /// Lets a source go, so that another host need not wait.
    pub async fn release_source(&self, lease: &SourceLease) -> Result<(), StoreError> {
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            sqlx::query(
                "UPDATE sources SET host = NULL WHERE id = $1 AND host = $2 AND fence = $3",
            )
            .bind(lease.source.clone())
            .bind(lease.host.to_string())
            .bind(lease.fence)
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await
        })
        .await
    }

    /// All sources that were ever watched, for people.
    pub async fn list_sources(&self) -> Result<Vec<WatchedSource>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, url, host, status,
                (SELECT count(*) FROM watched_runs
                 WHERE source = sources.id AND is_open = 1) AS open_runs,
                (SELECT count(*) FROM source_events
                 WHERE source = sources.id) AS waiting_events
             FROM sources ORDER BY id LIMIT $1",
        )
        .bind(MOST_LISTED)
        .fetch_all(self.reader())
        .await?;
        self.all_readable("sources", &rows, |row| {
            let read = Reader::new(row, "sources")?;
            Ok(WatchedSource {
                id: read.get("id")?,
                url: read.get("url")?,
                host: read.parse_optional("host")?,
                status: read.get("status")?,
                open_runs: read.count("open_runs")?,
                waiting_events: read.count("waiting_events")?,
            })
        })
    }
}

/// Takes the source's row for the rest of the transaction, if the lease is in force.
pub(super) async fn hold(
    transaction: &mut Transaction,
    lease: &SourceLease,
    status: Option<&str>,
) -> Result<bool, StoreError> {
    let held = sqlx::query(
        "UPDATE sources SET beats = beats + 1, status = COALESCE($4, status)
         WHERE id = $1 AND host = $2 AND fence = $3",
    )
    .bind(lease.source.clone())
    .bind(lease.host.to_string())
    .bind(lease.fence)
    .bind(status.map(str::to_owned))
    .execute(&mut **transaction)
    .await?;
    Ok(held.rows_affected() > 0)
}
