//! Stored events, as people look at them and as a draft rule is tried on them.

use alerts_domain::Timestamp;
use alerts_domain::id::EventId;
use alerts_domain::tenant::TenantId;
use alerts_domain::text::is_storable;
use bytes::Bytes;
use sqlx::any::AnyRow;

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::open::Store;
use crate::page::{List, Order, Page, Span};
use crate::row::{Reader, us};
use crate::statement::Statement;

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

/// What is large in a row, in bytes.
pub(crate) const BYTES: &str = "CAST(octet_length(body) + octet_length(matches) AS BIGINT)";

impl EventFilter {
    /// The ids and sizes of up to `limit + 1` events, newest first.
    pub(crate) fn keys(
        &self,
        dialect: Dialect,
        tenant: &TenantId,
        before: Option<EventId>,
        limit: u32,
    ) -> Statement {
        let through = by_type(dialect, self.event_type.is_some());
        let mut query = Statement::new(&format!(
            "SELECT id, {BYTES} AS bytes FROM events{through} WHERE tenant = "
        ));
        query.bind(tenant.as_str().to_owned());
        if let Some(event_type) = &self.event_type {
            query.push(" AND event_type = ").bind(event_type.clone());
        }
        let span = Span {
            first: self.from.map(|from| EventId::new(from, 0)),
            last: self.to.map(|to| EventId::new(to, u128::MAX)),
            before,
        };
        span.push(&mut query);
        // An id knows the millisecond; this is about what is within it.
        if let Some(from) = self.from {
            query.push(" AND received_at >= ").bind(us(from));
        }
        if let Some(to) = self.to {
            query.push(" AND received_at < ").bind(us(to));
        }
        query.push(" ORDER BY id DESC LIMIT ").bind(i64::from(limit) + 1);
        query
    }
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
        if filter.event_type.as_deref().is_some_and(|name| !is_storable(name)) {
            return Ok(Page::empty());
        }
        let list = List {
            from: self.reader(),
            table: "events",
            keys: |before: Option<&str>| {
                filter.keys(self.dialect(), tenant, before.and_then(|id| id.parse().ok()), limit)
            },
            rows: |ids: &[String]| self.rows_of("events", tenant, Order::NewestFirst, ids),
        };
        self.page(list, limit, before.map(|id| id.to_string()), read_event).await
    }

    /// A tenant's events in the order in which they came in, after the id `after`
    /// and before the id `before`; of these types, or of all when none is given. Empty
    /// only when there are no more.
    pub async fn scan_events(
        &self,
        tenant: &TenantId,
        types: &[String],
        after: EventId,
        before: EventId,
        limit: u32,
    ) -> Result<Vec<ScannedEvent>, StoreError> {
        let list = List {
            from: self.reader(),
            table: "events",
            keys: |passed: Option<&str>| {
                let after = passed.and_then(|id| id.parse().ok()).unwrap_or(after);
                scan_keys(self.dialect(), tenant, types, after, before, limit)
            },
            rows: |ids: &[String]| self.rows_of("events", tenant, Order::OldestFirst, ids),
        };
        let page = self.page(list, limit, None, |row| {
            let StoredEvent { id, body, received_at, .. } = read_event(row)?;
            let event_type = Reader::new(row, "events")?.get("event_type")?;
            Ok(ScannedEvent { id, event_type, body, received_at })
        });
        Ok(page.await?.items)
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
        row.as_ref().map(read_event).transpose()
    }
}

/// The ids and sizes of events from old to new. Each type has a part of its own: of
/// several at once, neither database would find the first ones without sorting all.
pub(crate) fn scan_keys(
    dialect: Dialect,
    tenant: &TenantId,
    types: &[String],
    after: EventId,
    before: EventId,
    limit: u32,
) -> Statement {
    let through = by_type(dialect, !types.is_empty());
    let mut query = Statement::new("");
    for number in 0..types.len().max(1) {
        query.push(if number == 0 { "" } else { " UNION ALL " });
        query.push("SELECT id, bytes FROM (");
        query.push(&format!("SELECT id, {BYTES} AS bytes FROM events{through}"));
        query.push(" WHERE tenant = ").bind(tenant.as_str().to_owned());
        if let Some(event_type) = types.get(number) {
            query.push(" AND event_type = ").bind(event_type.clone());
        }
        query.push(" AND id > ").bind(after.to_string());
        query.push(" AND id < ").bind(before.to_string());
        query.push(" ORDER BY id LIMIT ").bind(i64::from(limit) + 1);
        query.push(&format!(") AS part{number}"));
    }
    query.push(" ORDER BY id LIMIT ").bind(i64::from(limit) + 1);
    query
}

/// Through which index events are read, if it is told.
fn by_type(dialect: Dialect, has_type: bool) -> String {
    if has_type { dialect.through("events_by_type") } else { String::new() }
}

pub(crate) fn read_event(row: &AnyRow) -> Result<StoredEvent, StoreError> {
    let read = Reader::new(row, "events")?;
    let body: Vec<u8> = read.get("body")?;
    Ok(StoredEvent {
        id: read.parse("id")?,
        body: body.into(),
        received_at: read.time("received_at")?,
        matches: read.get("matches")?,
    })
}
