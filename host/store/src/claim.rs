//! Claiming what is due: endpoint by endpoint, so that one with a long queue
//! cannot fill the claim, under a lease whose number every claim raises.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::delivery::{Delivery, Lease};
use alerts_domain::id::{EndpointId, EventId, HostId};
use alerts_domain::tenant::TenantId;
use bytes::Bytes;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::batch::Batch;
use crate::batch::Column::{Number, Text};
use crate::deliveries::read_delivery;
use crate::error::StoreError;
use crate::open::Store;
use crate::row::{Reader, json_text, us};

/// A delivery that this host may now work on.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// As it is stored now, leased.
    pub delivery: Delivery,
    /// The right to finish it.
    pub lease: Lease,
    /// The event's type; none where the event is no longer stored.
    pub event_type: Option<String>,
    /// The event's bytes.
    pub event_body: Bytes,
    /// When the event came in.
    pub received_at: Timestamp,
    /// The answer to the commit was lost. It is leased, or it is not: it must be
    /// given back, and nothing may be sent.
    pub in_doubt: bool,
}

/// What a sender needs of an event: its type, its bytes, and when it came in.
type ClaimedEvent = (Option<String>, Bytes, Timestamp);

/// How long a delivery that does not read is left alone. Mended, or met by a host
/// of the release that wrote it, it is sent within this time.
const ASIDE_FOR: Duration = Duration::from_secs(60 * 60);

/// The endpoints with scheduled work. Walks the index from one endpoint to the
/// next instead of over all their work, of which a dead target may have much.
const ENDPOINTS_WITH_WORK: &str = "endpoint (id) AS (
    SELECT min(webhook_endpoint_id) FROM deliveries WHERE status = 'scheduled'
    UNION ALL
    SELECT (SELECT min(webhook_endpoint_id) FROM deliveries
            WHERE status = 'scheduled' AND webhook_endpoint_id > endpoint.id)
    FROM endpoint WHERE endpoint.id IS NOT NULL)";

impl Store {
    /// Takes up to `limit` deliveries that are due, the longest due first, at
    /// most `per_endpoint` for each endpoint and none for those in `except`.
    pub async fn claim_due(
        &self,
        now: Timestamp,
        host: HostId,
        except: &[EndpointId],
        per_endpoint: u32,
        limit: u32,
    ) -> Result<Vec<Claimed>, StoreError> {
        self.claim(now, host, ("NOT IN", except), per_endpoint, limit).await
    }

    /// The same for these endpoints alone.
    pub async fn claim_due_to(
        &self,
        now: Timestamp,
        host: HostId,
        endpoints: &[EndpointId],
        per_endpoint: u32,
        limit: u32,
    ) -> Result<Vec<Claimed>, StoreError> {
        self.claim(now, host, ("IN", endpoints), per_endpoint, limit).await
    }

    async fn claim(
        &self,
        now: Timestamp,
        host: HostId,
        (is_in, endpoints): (&'static str, &[EndpointId]),
        per_endpoint: u32,
        limit: u32,
    ) -> Result<Vec<Claimed>, StoreError> {
        let endpoints = json_text(&endpoints);
        let listed = self.dialect().listed("$2");
        // The usual answer is nothing, which needs no transaction.
        let any = sqlx::query(AssertSqlSafe(format!(
            "WITH RECURSIVE {ENDPOINTS_WITH_WORK}
             SELECT id FROM endpoint
             WHERE id IS NOT NULL AND id {is_in} ({listed}) AND EXISTS (
                SELECT 1 FROM deliveries
                WHERE webhook_endpoint_id = endpoint.id
                  AND status = 'scheduled' AND next_attempt_at <= $1)
             LIMIT 1"
        )))
        .bind(us(now))
        .bind(endpoints.clone())
        .fetch_optional(self.background())
        .await?;
        if any.is_none() {
            return Ok(Vec::new());
        }
        let statement = format!(
            "WITH RECURSIVE {ENDPOINTS_WITH_WORK}, due (tenant, id) AS (
                SELECT deliveries.tenant, deliveries.id
                FROM endpoint JOIN deliveries ON (deliveries.tenant, deliveries.id) IN (
                    SELECT first.tenant, first.id FROM deliveries AS first
                    WHERE first.webhook_endpoint_id = endpoint.id
                      AND first.status = 'scheduled' AND first.next_attempt_at <= $1
                    ORDER BY first.next_attempt_at LIMIT $3)
                WHERE endpoint.id IS NOT NULL AND endpoint.id {is_in} ({listed})
                ORDER BY deliveries.next_attempt_at LIMIT $4
             ), taken (tenant, id) AS (
                SELECT tenant, id FROM deliveries
                WHERE (tenant, id) IN (SELECT tenant, id FROM due) AND status = 'scheduled'{}
             )
             UPDATE deliveries SET status = 'leased', next_attempt_at = NULL, lease_host = $5,
                lease_fence = lease_fence + 1
             WHERE (tenant, id) IN (SELECT tenant, id FROM taken)
             RETURNING *",
            self.dialect().skip_locked()
        );
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            let rows = sqlx::query(AssertSqlSafe(statement.clone()))
                .bind(us(now))
                .bind(endpoints.clone())
                .bind(i64::from(per_endpoint))
                .bind(i64::from(limit))
                .bind(host.to_string())
                .fetch_all(&mut *transaction)
                .await?;
            let mut claimed = self.with_events(&mut transaction, &rows, host, now).await?;
            match transaction.commit().await {
                Err(error) if error.is_in_doubt() => {
                    claimed.iter_mut().for_each(|claimed| claimed.in_doubt = true);
                }
                ended => ended?,
            }
            Ok(claimed)
        })
        .await
    }

    /// What was claimed, with its events. A delivery that does not read is put aside
    /// for a while: claimed again at every turn, it would take the place of others.
    async fn with_events(
        &self,
        connection: &mut AnyConnection,
        rows: &[AnyRow],
        host: HostId,
        now: Timestamp,
    ) -> Result<Vec<Claimed>, StoreError> {
        let (mut leased, mut unreadable) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in rows {
            match self.readable("deliveries", row, |row| read_leased(row, host))? {
                Some(delivery) => leased.push(delivery),
                None => unreadable.push(row),
            }
        }
        set_aside(connection, &unreadable, now).await?;
        let events = self.events_of(connection, &leased).await?;
        let mut claimed = Vec::with_capacity(leased.len());
        for (delivery, lease) in leased {
            // Retention may have taken the event of a delivery that was redriven late.
            // Without its bytes the attempt says so, and the others are not held up.
            let (event_type, event_body, received_at) = match events.get(&delivery.event_id) {
                Some(event) => event.clone(),
                None => (None, Bytes::new(), delivery.created_at),
            };
            let in_doubt = false;
            claimed.push(Claimed {
                delivery,
                lease,
                event_type,
                event_body,
                received_at,
                in_doubt,
            });
        }
        claimed.sort_by_key(|claimed| claimed.delivery.id);
        Ok(claimed)
    }

    async fn events_of(
        &self,
        connection: &mut AnyConnection,
        leased: &[(Delivery, Lease)],
    ) -> Result<HashMap<EventId, ClaimedEvent>, StoreError> {
        let wanted: HashSet<(&TenantId, EventId)> =
            leased.iter().map(|(delivery, _)| (&delivery.tenant, delivery.event_id)).collect();
        let wanted: Vec<_> = wanted.into_iter().collect();
        let found = EVENTS
            .fetch(connection, &wanted, |query, (tenant, id)| {
                query.bind(tenant.as_str().to_owned()).bind(id.to_string())
            })
            .await?;
        let events = self.all_readable("events", &found, |row| {
            let read = Reader::new(row, "events")?;
            let body: Vec<u8> = read.get("body")?;
            let event = (Some(read.get("event_type")?), body.into(), read.time("received_at")?);
            Ok((read.parse("id")?, event))
        })?;
        Ok(events.into_iter().collect())
    }

    /// When the next delivery is due that is not due yet.
    pub async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query(
            "SELECT next_attempt_at AS at FROM deliveries
             WHERE status = 'scheduled' AND next_attempt_at > $1
             ORDER BY next_attempt_at LIMIT 1",
        )
        .bind(us(now))
        .fetch_optional(self.background())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let at: i64 = row.try_get("at")?;
        let at = Timestamp::from_microsecond(at);
        at.map(Some).map_err(|error| StoreError::damaged("deliveries", "next_attempt_at", error))
    }
}

static EVENTS: Batch = Batch::new(
    "SELECT id, event_type, body, received_at FROM events WHERE (tenant, id) IN (",
    &[Text, Text],
    ")",
);

static ASIDE: Batch = Batch::new(
    "WITH aside (tenant, id, until) AS (",
    &[Text, Text, Number],
    ") UPDATE deliveries SET status = 'scheduled', next_attempt_at = aside.until, lease_host = NULL
     FROM aside WHERE deliveries.tenant = aside.tenant AND deliveries.id = aside.id",
);

/// Gives deliveries that do not read back to the queue, for much later.
async fn set_aside(
    connection: &mut AnyConnection,
    rows: &[&AnyRow],
    now: Timestamp,
) -> Result<(), StoreError> {
    let until = us(now.saturating_add(ASIDE_FOR).unwrap_or(Timestamp::MAX));
    let keys = rows.iter().map(|row| Ok((row.try_get("tenant")?, row.try_get("id")?)));
    let keys: Vec<(String, String)> = keys.collect::<Result<_, sqlx::Error>>()?;
    ASIDE
        .execute(connection, &keys, |query, (tenant, id)| {
            query.bind(tenant.clone()).bind(id.clone()).bind(until)
        })
        .await?;
    Ok(())
}

fn read_leased(row: &AnyRow, host: HostId) -> Result<(Delivery, Lease), StoreError> {
    let fence = Reader::new(row, "deliveries")?.get("lease_fence")?;
    Ok((read_delivery(row)?, Lease { host, fence }))
}
