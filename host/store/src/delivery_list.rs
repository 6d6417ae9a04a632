//! Which deliveries a list shows, and how each filter is answered from an index.
//!
//! The indexes by event and by state leave out what a host holds, so that a delivery is
//! written into each of them once. What is held is found by its holders, of which there
//! are few. So do those by rule and by endpoint on Postgres; on SQLite they leave out what
//! is [unlisted](crate::unlisted), which is walked over.

use alerts_domain::Timestamp;
use alerts_domain::delivery::{Delivery, DeliveryStatus};
use alerts_domain::id::{DeliveryId, EndpointId, EventId, RuleId};
use alerts_domain::tenant::TenantId;

use crate::deliveries::read_delivery;
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::hosts::HOLDERS;
use crate::open::Store;
use crate::page::{List, Order, Page, Span};
use crate::row::us;
use crate::statement::Statement;

/// Which of a tenant's deliveries to list; what is absent does not matter.
#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    /// Of this rule.
    pub alert_rule_id: Option<RuleId>,
    /// To this endpoint.
    pub webhook_endpoint_id: Option<EndpointId>,
    /// Of this event.
    pub event_id: Option<EventId>,
    /// In this state.
    pub status: Option<DeliveryStatus>,
    /// Made then or later.
    pub from: Option<Timestamp>,
    /// Made before then.
    pub to: Option<Timestamp>,
    /// Whether it was sent again since.
    pub is_redriven: Option<bool>,
}

/// Deliveries that one index leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// All of a tenant's.
    All,
    /// Those that no host holds.
    Free,
    /// Those that a host holds.
    Held,
    /// Those that have entered the indexes by rule and by endpoint.
    Listed,
    /// Those that have not.
    Unlisted,
}

const BY_RULE: &str = "deliveries_by_rule";
const BY_ENDPOINT: &str = "deliveries_by_endpoint";

/// What no host holds, in the words of the indexes.
const FREE: &str = " AND status <> 'leased'";

/// What is large in a row, in bytes.
const BYTES: &str = "octet_length(rule_name) + octet_length(trigger_figures)
    + COALESCE(octet_length(last_error), 0)";

impl Store {
    /// A tenant's deliveries, newest first, older than `before`.
    pub async fn list_deliveries(
        &self,
        tenant: &TenantId,
        filter: &DeliveryFilter,
        limit: u32,
        before: Option<DeliveryId>,
    ) -> Result<Page<Delivery>, StoreError> {
        let list = List {
            from: self.reader(),
            table: "deliveries",
            keys: |before: Option<&str>| {
                filter.keys(self.dialect(), tenant, before.and_then(|id| id.parse().ok()), limit)
            },
            rows: |ids: &[String]| self.rows_of("deliveries", tenant, Order::NewestFirst, ids),
        };
        self.page(list, limit, before.map(|id| id.to_string()), read_delivery).await
    }
}

impl DeliveryFilter {
    /// The ids and sizes of up to `limit + 1` deliveries, newest first.
    pub(crate) fn keys(
        &self,
        dialect: Dialect,
        tenant: &TenantId,
        before: Option<DeliveryId>,
        limit: u32,
    ) -> Statement {
        let parts = self.parts(dialect);
        let mut query = Statement::new("");
        if parts.contains(&Part::Held) {
            query.push(&format!("WITH RECURSIVE {HOLDERS} "));
        }
        for (number, part) in parts.iter().enumerate() {
            query.push(if number == 0 { "" } else { " UNION ALL " });
            query.push("SELECT id, bytes FROM (");
            let columns = format!("id, CAST({BYTES} AS BIGINT) AS bytes");
            self.push_part(&mut query, dialect, *part, &columns, tenant, before);
            query.push(" ORDER BY id DESC LIMIT ").bind(i64::from(limit) + 1);
            query.push(&format!(") AS part{number}"));
        }
        query.push(" ORDER BY id DESC LIMIT ").bind(i64::from(limit) + 1);
        query
    }

    /// How many deliveries there are, up to `most`, as `count` of one row.
    pub(crate) fn push_count(
        &self,
        query: &mut Statement,
        dialect: Dialect,
        tenant: &TenantId,
        most: u64,
    ) {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        query.push("SELECT count(*) AS count FROM (");
        for (number, part) in self.parts(dialect).iter().enumerate() {
            query.push(if number == 0 { "" } else { " UNION ALL " });
            // In order, or Postgres would rather walk over the table until it has found so many.
            query.push("SELECT 1 AS one FROM (");
            self.push_part(query, dialect, *part, "id", tenant, None);
            query.push(" ORDER BY id DESC LIMIT ").bind(most);
            query.push(&format!(") AS part{number}"));
        }
        query.push(" LIMIT ").bind(most).push(") AS counted");
    }

    /// Where what it names can be.
    fn parts(&self, dialect: Dialect) -> &'static [Part] {
        let enters_behind = matches!(self.index(), BY_RULE | BY_ENDPOINT);
        let is_named = self.alert_rule_id.is_some()
            || self.webhook_endpoint_id.is_some()
            || self.event_id.is_some();
        match self.status {
            Some(DeliveryStatus::Leased) => &[Part::Held],
            _ if dialect == Dialect::Sqlite && enters_behind => &[Part::Listed, Part::Unlisted],
            Some(_) => &[Part::Free],
            None if is_named => &[Part::Free, Part::Held],
            None => &[Part::All],
        }
    }

    /// The index that leads to the least of what is in it. Few deliveries are in any
    /// state but delivered.
    pub(crate) fn index(&self) -> &'static str {
        let is_rare = self.status.is_some_and(|status| status != DeliveryStatus::Delivered);
        if self.event_id.is_some() {
            "deliveries_by_event"
        } else if is_rare {
            "deliveries_by_status"
        } else if self.alert_rule_id.is_some() {
            BY_RULE
        } else if self.webhook_endpoint_id.is_some() {
            BY_ENDPOINT
        } else {
            "deliveries_by_status"
        }
    }

    fn push_part(
        &self,
        query: &mut Statement,
        dialect: Dialect,
        part: Part,
        columns: &str,
        tenant: &TenantId,
        before: Option<DeliveryId>,
    ) {
        query.push(&format!("SELECT {columns} FROM "));
        let through = match part {
            Part::All => String::new(),
            Part::Free | Part::Listed => dialect.through(self.index()),
            Part::Held => dialect.through("deliveries_leased"),
            Part::Unlisted => dialect.through("deliveries_unlisted"),
        };
        query.push(&match part {
            Part::All | Part::Free | Part::Listed | Part::Unlisted => {
                format!("deliveries{through} WHERE tenant = ")
            }
            // From one holder to the next, and in the index to what it holds of the
            // tenant's.
            Part::Held => format!(
                "(SELECT id AS held_by FROM holder WHERE id IS NOT NULL) AS holding
                 CROSS JOIN deliveries{through}
                 WHERE status = 'leased' AND lease_host = held_by AND tenant = "
            ),
        });
        query.bind(tenant.as_str().to_owned());
        query.push(match part {
            Part::All | Part::Held => "",
            Part::Free => FREE,
            Part::Listed => " AND is_listed = 1",
            Part::Unlisted => " AND is_listed = 0",
        });
        self.push(query, dialect, before);
    }

    /// Adds its conditions on deliveries that no host holds to a query that has a
    /// WHERE already.
    pub(crate) fn push_free(
        &self,
        query: &mut Statement,
        dialect: Dialect,
        before: Option<DeliveryId>,
    ) {
        query.push(FREE);
        self.push(query, dialect, before);
    }

    fn push(&self, query: &mut Statement, dialect: Dialect, before: Option<DeliveryId>) {
        let ids = [
            (" AND alert_rule_id = ", self.alert_rule_id.map(|id| id.to_string())),
            (" AND webhook_endpoint_id = ", self.webhook_endpoint_id.map(|id| id.to_string())),
            (" AND event_id = ", self.event_id.map(|id| id.to_string())),
        ];
        for (condition, id) in ids {
            if let Some(id) = id {
                query.push(condition).bind(id);
            }
        }
        if let Some(status) = self.status {
            query.push(" AND status = ").bind(status.as_str());
        }
        let span = Span {
            first: self.from.map(|from| DeliveryId::new(from, 0)),
            last: self.to.map(|to| DeliveryId::new(to, u128::MAX)),
            before,
        };
        span.push(query);
        // An id knows the millisecond; this is about what is within it.
        for (condition, at) in [(" AND created_at >= ", self.from), (" AND created_at < ", self.to)]
        {
            if let Some(at) = at {
                query.push(condition).bind(us(at));
            }
        }
        if let Some(is_redriven) = self.is_redriven {
            query.push(if is_redriven { " AND" } else { " AND NOT" }).push(&format!(
                " EXISTS (SELECT 1 FROM deliveries AS again{}
                    WHERE again.tenant = deliveries.tenant AND again.redrive_of = deliveries.id)",
                dialect.through("deliveries_redriven")
            ));
        }
    }
}
