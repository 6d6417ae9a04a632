//! When rules fired last, and how often they did of late.

use std::collections::HashMap;

use alerts_domain::Timestamp;
use alerts_domain::id::RuleId;
use alerts_domain::stats::{Figures, Step};
use alerts_domain::tenant::TenantId;
use sqlx::any::AnyRow;

use crate::counted_by::CountedBy;
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::open::Store;
use crate::row::{Reader, us};
use crate::statement::Statement;

/// What a rule has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuleFirings {
    /// When its newest alert was made, of those that are stored. On Postgres one that a host
    /// is just sending is seen when that has ended.
    pub last_fired_at: Option<Timestamp>,
    /// How many alerts were made for it since the time that was asked for, redriven ones
    /// among them.
    pub since: u64,
}

impl Store {
    /// What these rules of a tenant have done, counted from the hour in which `since` lies.
    pub async fn rule_firings(
        &self,
        tenant: &TenantId,
        rules: &[RuleId],
        since: Timestamp,
    ) -> Result<HashMap<RuleId, RuleFirings>, StoreError> {
        let mut firings: HashMap<RuleId, RuleFirings> = HashMap::new();
        if rules.is_empty() {
            return Ok(firings);
        }
        let ids: Vec<String> = rules.iter().map(RuleId::to_string).collect();
        let dialect = self.dialect();
        let mut found = newest(dialect, tenant, &ids).build().fetch_all(self.reader()).await?;
        if dialect == Dialect::Sqlite {
            let unlisted = newest_unlisted(dialect, tenant, &ids);
            found.extend(unlisted.build().fetch_all(self.reader()).await?);
        }
        let read = |row: &AnyRow| {
            let read = Reader::new(row, "deliveries")?;
            Ok((read.parse("id")?, read.time_optional("last_fired_at")?))
        };
        for (rule, at) in self.all_readable("deliveries", &found, read)? {
            let last = &mut firings.entry(rule).or_default().last_fired_at;
            *last = at.max(*last);
        }
        let counted = counted(self.dialect(), tenant, &ids, since);
        let counted = counted.build().fetch_all(self.reader()).await?;
        let read = |row: &AnyRow| {
            let read = Reader::new(row, "stats")?;
            Ok((read.parse("id")?, read.json::<Figures>("figures")?))
        };
        for (rule, figures) in self.all_readable("stats", &counted, read)? {
            let since = &mut firings.entry(rule).or_default().since;
            *since = since.saturating_add(figures.events);
        }
        Ok(firings)
    }
}

/// Of each rule one look into the index of its deliveries. On Postgres that leaves out what
/// a host holds, on SQLite what is [unlisted](crate::unlisted).
pub(crate) fn newest(dialect: Dialect, tenant: &TenantId, rules: &[String]) -> Statement {
    let through = dialect.through("deliveries_by_rule");
    let indexed = match dialect {
        Dialect::Sqlite => "is_listed = 1",
        Dialect::Postgres => "status <> 'leased'",
    };
    let mut query = Statement::new(&format!(
        "SELECT id, (SELECT created_at FROM deliveries{through}
                     WHERE deliveries.tenant = alert_rules.tenant
                        AND alert_rule_id = alert_rules.id AND {indexed}
                     ORDER BY deliveries.id DESC LIMIT 1) AS last_fired_at
         FROM alert_rules WHERE tenant = "
    ));
    query.bind(tenant.as_str().to_owned());
    query.push(" AND id IN ").bind_texts(dialect, rules);
    query
}

/// What is not in that index yet: little, and walked over once for all rules.
pub(crate) fn newest_unlisted(dialect: Dialect, tenant: &TenantId, rules: &[String]) -> Statement {
    let mut query = Statement::new(&format!(
        "SELECT alert_rule_id AS id, max(created_at) AS last_fired_at FROM deliveries{}
         WHERE is_listed = 0 AND tenant = ",
        dialect.through("deliveries_unlisted")
    ));
    query.bind(tenant.as_str().to_owned());
    query.push(" AND alert_rule_id IN ").bind_texts(dialect, rules);
    query.push(" GROUP BY alert_rule_id");
    query
}

fn counted(dialect: Dialect, tenant: &TenantId, rules: &[String], since: Timestamp) -> Statement {
    let mut query = Statement::new("SELECT subject AS id, figures FROM stats WHERE tenant = ");
    query.bind(tenant.as_str().to_owned());
    query.push(" AND counted_by = ").bind(CountedBy::AlertRule.as_str());
    query.push(" AND step = ").bind(Step::Hour.as_str());
    query.push(" AND at >= ").bind(us(Step::Hour.beginning(since)));
    query.push(" AND subject IN ").bind_texts(dialect, rules);
    query
}
