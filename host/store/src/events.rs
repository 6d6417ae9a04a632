//! Stored events: shown to people, and matched later where that was not
//! possible at once.

use alerts_domain::Timestamp;
use alerts_domain::id::{EventId, RuleId};
use alerts_domain::outcome::RuleOutcome;
use alerts_domain::tenant::TenantId;
use bytes::Bytes;
use sqlx::any::AnyRow;

use crate::accept::{NewDelivery, NewEvent, insert_deliveries};
use crate::error::StoreError;
use crate::open::Store;
use crate::page::Page;
use crate::row::{Reader, json_text, us};
use crate::statement::Statement;
use crate::triggers;

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// The id it has here.
    pub id: EventId,
    /// As it was posted, byte for byte.
    pub body: Bytes,
    /// When.
    pub received_at: Timestamp,
    /// What became of each rule that looked at it: a JSON array.
    pub matches: String,
}

/// An event with rules that are still to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingEvent {
    /// The id it has here.
    pub id: EventId,
    /// Whose it is.
    pub tenant: TenantId,
    /// As it was posted.
    pub body: Bytes,
    /// When.
    pub received_at: Timestamp,
    /// What is known so far.
    pub outcomes: Vec<RuleOutcome>,
    /// The rules to be asked.
    pub pending_rules: Vec<RuleId>,
}

/// An event as it is read in bulk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedEvent {
    /// The id it has here.
    pub id: EventId,
    /// Its type.
    pub event_type: String,
    /// As it was posted.
    pub body: Bytes,
    /// When.
    pub received_at: Timestamp,
}

/// Which of a tenant's events to list; what is absent does not matter.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Of exactly this type.
    pub event_type: Option<String>,
    /// Received then or later.
    pub from: Option<Timestamp>,
    /// Received before then.
    pub to: Option<Timestamp>,
}

impl Store {
    /// A tenant's events, newest first, older than `before`.
    pub async fn list_events(
        &self,
        tenant: &TenantId,
        filter: &EventFilter,
        limit: u32,
        before: Option<EventId>,
    ) -> Result<Page<StoredEvent>, StoreError> {
        let mut query = Statement::new("SELECT * FROM events WHERE tenant = ");
        query.bind(tenant.as_str().to_owned());
        if let Some(event_type) = &filter.event_type {
            query.push(" AND event_type = ").bind(event_type.clone());
        }
        if let Some(from) = filter.from {
            query.push(" AND received_at >= ").bind(us(from));
        }
        if let Some(to) = filter.to {
            query.push(" AND received_at < ").bind(us(to));
        }
        if let Some(before) = before {
            query.push(" AND id < ").bind(before.to_string());
        }
        query.push(" ORDER BY id DESC LIMIT ").bind(i64::from(limit) + 1);
        let rows = query.build().fetch_all(self.reader()).await?;
        Page::of(rows, limit, |row| read(&row))
    }

    /// A tenant's events in the order in which they came in, after the id `after`
    /// and before the id `before`; of these types, or of all when none is given.
    pub async fn scan_events(
        &self,
        tenant: &TenantId,
        types: &[String],
        after: EventId,
        before: EventId,
        limit: u32,
    ) -> Result<Vec<ScannedEvent>, StoreError> {
        let mut query =
            Statement::new("SELECT id, event_type, body, received_at FROM events WHERE tenant = ");
        query.bind(tenant.as_str().to_owned());
        query.push(" AND id > ").bind(after.to_string());
        query.push(" AND id < ").bind(before.to_string());
        for (index, event_type) in types.iter().enumerate() {
            query.push(if index == 0 { " AND event_type IN (" } else { ", " });
            query.bind(event_type.clone());
        }
        query.push(if types.is_empty() { "" } else { ")" });
        query.push(" ORDER BY id LIMIT ").bind(i64::from(limit));
        let rows = query.build().fetch_all(self.reader()).await?;
        let scanned = rows.iter().map(|row| {
            let read = Reader::new(row, "events")?;
            let body: Vec<u8> = read.get("body")?;
            let (id, received_at) = (read.parse("id")?, read.time("received_at")?);
            let event_type = read.get("event_type")?;
            Ok(ScannedEvent { id, event_type, body: body.into(), received_at })
        });
        scanned.collect()
    }

    /// One event.
    pub async fn get_event(
        &self,
        tenant: &TenantId,
        id: EventId,
    ) -> Result<Option<StoredEvent>, StoreError> {
        let row = sqlx::query("SELECT * FROM events WHERE tenant = $1 AND id = $2")
            .bind(tenant.as_str())
            .bind(id.to_string())
            .fetch_optional(self.reader())
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// Events of any tenant with rules that are still to be asked, the oldest first,
    /// those after `after` if it is given.
    pub async fn events_with_pending_rules(
        &self,
        after: Option<&PendingEvent>,
        limit: u32,
    ) -> Result<Vec<PendingEvent>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM events WHERE pending_rules IS NOT NULL AND (received_at, id) > ($1, $2)
             ORDER BY received_at, id LIMIT $3",
        )
        .bind(after.map_or(i64::MIN, |event| us(event.received_at)))
        .bind(after.map_or_else(String::new, |event| event.id.to_string()))
        .bind(i64::from(limit))
        .fetch_all(self.reader())
        .await?;
        let pending = rows.iter().map(|row| {
            let reader = Reader::new(row, "events")?;
            let StoredEvent { id, body, received_at, .. } = read(row)?;
            Ok(PendingEvent {
                id,
                tenant: reader.tenant()?,
                body,
                received_at,
                outcomes: reader.json("matches")?,
                pending_rules: reader.json("pending_rules")?,
            })
        });
        pending.collect()
    }

    /// Stores what became of an event's pending rules, which were `asked`: `matched`
    /// is the event with all its outcomes, what these rules send and see, and those
    /// that are still pending. Says whether this did it, and not another host before.
    pub async fn complete_match(
        &self,
        matched: &NewEvent,
        asked: &[RuleId],
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let completed = sqlx::query(
            "UPDATE events SET matches = $3, pending_rules = $4
             WHERE tenant = $1 AND id = $2 AND pending_rules = $5",
        )
        .bind(matched.tenant.as_str())
        .bind(matched.id.to_string())
        .bind(json_text(&matched.outcomes))
        .bind(matched.pending_rules.as_ref().map(json_text))
        .bind(json_text(&asked))
        .execute(&mut *transaction)
        .await?;
        if completed.rows_affected() == 0 {
            return Ok(false);
        }
        let deliveries: Vec<&NewDelivery> = matched.deliveries.iter().collect();
        insert_deliveries(&mut transaction, &deliveries).await?;
        triggers::observe(&mut transaction, &[matched]).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Asks an event's pending rules no more.
    pub async fn give_up_match(&self, tenant: &TenantId, id: EventId) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE events SET pending_rules = NULL WHERE tenant = $1 AND id = $2")
            .bind(tenant.as_str())
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }
}

fn read(row: &AnyRow) -> Result<StoredEvent, StoreError> {
    let read = Reader::new(row, "events")?;
    let body: Vec<u8> = read.get("body")?;
    Ok(StoredEvent {
        id: read.parse("id")?,
        body: body.into(),
        received_at: read.time("received_at")?,
        matches: read.get("matches")?,
    })
}
