//! Events that a watcher has made, from the commit of what they follow from until the
//! intake has them.

use alerts_domain::tenant::TenantId;

use super::lease::{SourceLease, hold};
use crate::batch::Batch;
use crate::batch::Column::{Number, Text};
use crate::error::StoreError;
use crate::open::Store;
use crate::row::Reader;
use crate::transaction::Transaction;

/// An event that waits for the intake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceEvent {
    /// Its place in the order in which they were made.
    pub number: i64,
    /// Whose it is.
    pub tenant: TenantId,
    /// A CloudEvent in JSON.
    pub body: String,
}

static PUT: Batch = Batch::new(
    "INSERT INTO source_events (source, number, tenant, body)",
    &[Text, Number, Text, Text],
    "",
);

/// Puts events behind those that wait. The transaction holds the source's row, so
/// nobody else does.
pub(super) async fn put(
    transaction: &mut Transaction,
    source: &str,
    events: &[(TenantId, String)],
) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let last: Option<i64> =
        sqlx::query_scalar("SELECT max(number) FROM source_events WHERE source = $1")
            .bind(source.to_owned())
            .fetch_one(&mut **transaction)
            .await?;
    let numbered: Vec<_> = (last.unwrap_or(0) + 1..).zip(events).collect();
    PUT.execute(transaction, &numbered, |query, (number, (tenant, body))| {
        query
            .bind(source.to_owned())
            .bind(*number)
            .bind(tenant.as_str().to_owned())
            .bind(body.clone())
    })
    .await?;
    Ok(())
}

impl Store {
    /// The events of a source that wait for the intake, the oldest first.
    pub async fn source_events(
        &self,
        source: &str,
        limit: u32,
    ) -> Result<Vec<SourceEvent>, StoreError> {
        let rows = sqlx::query(
            "SELECT source AS id, number, tenant, body FROM source_events
             WHERE source = $1 ORDER BY number LIMIT $2",
        )
        .bind(source.to_owned())
        .bind(i64::from(limit))
        .fetch_all(self.background())
        .await?;
        let read = |row| {
            let read = Reader::new(row, "source_events")?;
            let (number, tenant) = (read.get("number")?, read.tenant()?);
            Ok(SourceEvent { number, tenant, body: read.get("body")? })
        };
        rows.iter().map(read).collect()
    }

    /// Forgets events that the intake has, up to this number. False when it is another
    /// watcher's turn, who hands them over once more: by then the numbers may be those
    /// of other events.
    pub async fn forget_source_events(
        &self,
        lease: &SourceLease,
        last: i64,
    ) -> Result<bool, StoreError> {
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            if !hold(&mut transaction, lease, None).await? {
                return Ok(false);
            }
            sqlx::query("DELETE FROM source_events WHERE source = $1 AND number <= $2")
                .bind(lease.source.clone())
                .bind(last)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }
}
