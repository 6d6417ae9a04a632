//! Statistics as they are shown.

use alerts_domain::Timestamp;
use alerts_domain::stats::{Figures, Step};
use alerts_domain::tenant::TenantId;

use crate::counted_by::CountedBy;
use crate::error::StoreError;
use crate::open::Store;
use crate::row::{Reader, us};
use crate::statement::Statement;

/// Which rows are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatsQuery {
    /// What each row is about.
    pub by: CountedBy,
    /// Only what is about this endpoint, rule or type.
    pub subject: Option<String>,
    /// How long a step is.
    pub step: Step,
    /// The steps that begin then or later.
    pub from: Timestamp,
    /// And before then.
    pub to: Timestamp,
}

/// The figures of one thing in one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatsRow {
    /// When the step begins.
    pub at: Timestamp,
    /// Which endpoint, rule or type; empty when the tenant's are asked for.
    pub subject: String,
    /// What was counted.
    pub figures: Figures,
}

impl Store {
    /// A tenant's statistics, the oldest step first, at most `limit` rows. What was
    /// committed in the last second or so may be missing; see [`Self::add_up_stats`].
    pub async fn stats(
        &self,
        tenant: &TenantId,
        query: &StatsQuery,
        limit: u32,
    ) -> Result<Vec<StatsRow>, StoreError> {
        let rows = rows(tenant, query, limit).build().fetch_all(self.reader()).await?;
        self.all_readable("stats", &rows, |row| {
            let read = Reader::new(row, "stats")?;
            Ok(StatsRow {
                at: read.time("at")?,
                subject: read.get("id")?,
                figures: read.json("figures")?,
            })
        })
    }
}

pub(crate) fn rows(tenant: &TenantId, query: &StatsQuery, limit: u32) -> Statement {
    let mut statement =
        Statement::new("SELECT at, subject AS id, figures FROM stats WHERE tenant = ");
    statement.bind(tenant.as_str().to_owned());
    statement.push(" AND counted_by = ").bind(query.by.as_str());
    statement.push(" AND step = ").bind(query.step.as_str());
    statement.push(" AND at >= ").bind(us(query.from));
    statement.push(" AND at < ").bind(us(query.to));
    if let Some(subject) = &query.subject {
        statement.push(" AND subject = ").bind(subject.clone());
    }
    statement.push(" ORDER BY at, subject LIMIT ").bind(i64::from(limit));
    statement
}
