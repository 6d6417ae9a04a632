//! How many deliveries there are in each state, for whoever is about to act on them.

use alerts_domain::delivery::DeliveryStatus;
use alerts_domain::tenant::TenantId;
use sqlx::Row as _;

use crate::delivery_list::DeliveryFilter;
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::hosts::HOLDERS;
use crate::open::Store;
use crate::statement::Statement;

/// How many deliveries there are, none of the figures above [`Store::MOST_COUNTED`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryCounts {
    /// In each state.
    pub by_status: [(DeliveryStatus, u64); 6],
    /// Dead ones that were not redriven yet.
    pub to_redrive: u64,
}

impl Store {
    /// Counting ends there: a page that shows counts asks again with every change, and more
    /// than ten thousand are told as "many" by whoever reads them.
    pub const MOST_COUNTED: u64 = 10_000;

    /// How many of a tenant's deliveries a filter lets through, by their state. The filter's
    /// own `status` and `is_redriven` do not matter.
    pub async fn count_deliveries(
        &self,
        tenant: &TenantId,
        filter: &DeliveryFilter,
    ) -> Result<DeliveryCounts, StoreError> {
        let rows = counts(self.dialect(), tenant, filter, Self::MOST_COUNTED);
        let rows = rows.build().fetch_all(self.reader()).await?;
        let mut by_status = DeliveryStatus::ALL.map(|status| (status, 0));
        let mut to_redrive = 0;
        for row in &rows {
            let (what, count): (String, i64) = (row.try_get("what")?, row.try_get("count")?);
            let count = u64::try_from(count).unwrap_or(0);
            match by_status.iter_mut().find(|(status, _)| status.as_str() == what) {
                Some((_, counted)) => *counted = count,
                None => to_redrive = count,
            }
        }
        Ok(DeliveryCounts { by_status, to_redrive })
    }
}

/// A row for each state and one for what can be redriven, in one statement: so they are
/// of one moment.
pub(crate) fn counts(
    dialect: Dialect,
    tenant: &TenantId,
    filter: &DeliveryFilter,
    most: u64,
) -> Statement {
    let of = |status, is_redriven| DeliveryFilter {
        status: Some(status),
        is_redriven,
        ..filter.clone()
    };
    let states = DeliveryStatus::ALL.map(|status| (status.as_str(), of(status, None)));
    let to_redrive = ("to_redrive", of(DeliveryStatus::Dead, Some(false)));
    let mut query = Statement::new(&format!("WITH RECURSIVE {HOLDERS}"));
    for (number, (what, filter)) in states.into_iter().chain([to_redrive]).enumerate() {
        query.push(if number == 0 { " " } else { " UNION ALL " });
        query.push(&format!("SELECT '{what}' AS what, count FROM ("));
        filter.push_count(&mut query, dialect, tenant, most);
        query.push(&format!(") AS part{number}"));
    }
    query
}
