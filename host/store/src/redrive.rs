//! Redriving: dead and skipped deliveries sent again, as new ones that point to
//! the old.

use std::collections::HashMap;

use alerts_domain::Timestamp;
use alerts_domain::delivery::{Delivery, DeliveryStatus};
use alerts_domain::id::{DeliveryId, RuleId};
use alerts_domain::tenant::TenantId;
use sqlx::any::AnyRow;

use crate::audit::{self, AuditEntry};
use crate::deliveries::read_delivery;
use crate::delivery_list::DeliveryFilter;
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::insert::insert_deliveries;
use crate::new_event::NewDelivery;
use crate::open::Store;
use crate::row::Reader;
use crate::statement::Statement;
use crate::tenant_lock;

/// Which deliveries to send again.
#[derive(Debug, Clone)]
pub enum RedriveScope {
    /// Exactly these; each gets an answer.
    Ids(Vec<DeliveryId>),
    /// Dead ones that were not redriven yet.
    Dead {
        /// Of this rule.
        alert_rule_id: Option<RuleId>,
        /// Made then or later.
        from: Option<Timestamp>,
        /// Made before then.
        to: Option<Timestamp>,
    },
}

/// What became of one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedriveOutcome {
    /// It is sent again under this id.
    Redriven(DeliveryId),
    /// The tenant has no such delivery.
    NotFound,
    /// It is in this state, in which there is nothing to send again.
    WrongState(DeliveryStatus),
}

/// One of them, with what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redriven {
    /// The old delivery.
    pub id: DeliveryId,
    /// What became of it.
    pub outcome: RedriveOutcome,
}

impl Store {
    /// Of these deliveries, those that were sent again, each with the newest delivery that
    /// repeats it.
    pub async fn redriven_as(
        &self,
        tenant: &TenantId,
        ids: &[DeliveryId],
    ) -> Result<HashMap<DeliveryId, DeliveryId>, StoreError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<String> = ids.iter().map(DeliveryId::to_string).collect();
        let rows = repeats(self.dialect(), tenant, &ids).build().fetch_all(self.reader()).await?;
        let read = |row: &AnyRow| {
            let read = Reader::new(row, "deliveries")?;
            Ok((read.parse("id")?, read.parse("newest")?))
        };
        Ok(self.all_readable("deliveries", &rows, read)?.into_iter().collect())
    }

    /// Most deliveries redriven at once: one commit must not hold up intake.
    pub const MAX_REDRIVE: usize = 1000;

    /// Sends deliveries again. Of a scope that is not a list of ids, takes the
    /// oldest [`Self::MAX_REDRIVE`]; asking again takes the next.
    pub async fn redrive(
        &self,
        tenant: &TenantId,
        scope: &RedriveScope,
        now: Timestamp,
        new_id: impl Fn() -> DeliveryId + Send + Sync,
        entry: &AuditEntry,
    ) -> Result<Vec<Redriven>, StoreError> {
        let redriven = self.retried(|| async {
            let mut transaction = self.begin().await?;
            tenant_lock::hold(&mut transaction, tenant).await?;
            let rows = find(self.dialect(), tenant, scope).build().fetch_all(&mut *transaction);
            let found = self.all_readable("deliveries", &rows.await?, read_delivery)?;
            let again: Vec<NewDelivery> = found
                .iter()
                .filter(|old| old.status.can_be_redriven())
                .map(|old| NewDelivery { delivery: again(old, new_id(), now), lease: None })
                .collect();
            let new: Vec<&NewDelivery> = again.iter().collect();
            let mut ledger = self.ledger();
            insert_deliveries(&mut transaction, &new, &mut ledger).await?;
            if !again.is_empty() {
                audit::append(&mut transaction, tenant, entry, now).await?;
            }
            transaction.commit_with(ledger).await?;
            Ok((found, again))
        });
        let (found, again) = redriven.await?;

        let outcome = |id: &DeliveryId| {
            let new = again.iter().find(|new| new.delivery.redrive_of == Some(*id));
            match (new, found.iter().find(|old| old.id == *id)) {
                (Some(new), _) => RedriveOutcome::Redriven(new.delivery.id),
                (None, Some(old)) => RedriveOutcome::WrongState(old.status),
                (None, None) => RedriveOutcome::NotFound,
            }
        };
        let asked = match scope {
            RedriveScope::Ids(ids) => ids.clone(),
            RedriveScope::Dead { .. } => found.iter().map(|old| old.id).collect(),
        };
        Ok(asked.iter().map(|id| Redriven { id: *id, outcome: outcome(id) }).collect())
    }
}

/// Of these deliveries, those that were sent again, each with the newest that repeats it.
pub(crate) fn repeats(dialect: Dialect, tenant: &TenantId, ids: &[String]) -> Statement {
    let mut query = Statement::new(&format!(
        "SELECT redrive_of AS id, max(id) AS newest FROM deliveries{}
         WHERE redrive_of IS NOT NULL AND tenant = ",
        dialect.through("deliveries_redriven")
    ));
    query.bind(tenant.as_str().to_owned());
    query.push(" AND redrive_of IN ").bind_texts(dialect, ids).push(" GROUP BY redrive_of");
    query
}

/// The deliveries that there are in a scope, locked.
pub(crate) fn find(dialect: Dialect, tenant: &TenantId, scope: &RedriveScope) -> Statement {
    let mut query = Statement::new("SELECT * FROM deliveries");
    match scope {
        RedriveScope::Ids(ids) => {
            let ids: Vec<String> = ids.iter().map(DeliveryId::to_string).collect();
            query.push(" WHERE tenant = ").bind(tenant.as_str().to_owned());
            query.push(" AND id IN ").bind_texts(dialect, &ids).push(" ORDER BY id");
        }
        RedriveScope::Dead { alert_rule_id, from, to } => {
            let filter = DeliveryFilter {
                alert_rule_id: *alert_rule_id,
                status: Some(DeliveryStatus::Dead),
                from: *from,
                to: *to,
                is_redriven: Some(false),
                ..DeliveryFilter::default()
            };
            query.push(&dialect.through(filter.index()));
            query.push(" WHERE tenant = ").bind(tenant.as_str().to_owned());
            filter.push_free(&mut query, dialect, None);
            query.push(" ORDER BY id LIMIT ").bind(Store::MAX_REDRIVE as i64);
        }
    }
    query.push(dialect.for_update());
    query
}

fn again(old: &Delivery, id: DeliveryId, now: Timestamp) -> Delivery {
    Delivery {
        id,
        status: DeliveryStatus::Scheduled,
        attempt_count: 0,
        next_attempt_at: Some(now),
        last_error: None,
        redrive_of: Some(old.id),
        created_at: now,
        finished_at: None,
        ..old.clone()
    }
}
