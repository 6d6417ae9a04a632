//! The audit log as it is shown and verified.

use alerts_domain::Timestamp;
use alerts_domain::tenant::TenantId;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use crate::audit::{AuditEntry, AuditRecord, FIRST, hash, read};
use crate::batch::Query;
use crate::error::StoreError;
use crate::open::Store;
use crate::page::{List, Page};
use crate::statement::Statement;

/// What looking at a whole chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditCheck {
    /// Every entry is as it was written.
    Intact {
        /// How many there are.
        entries: i64,
    },
    /// The first entry that is not.
    Broken {
        /// Where.
        seq: i64,
    },
}

/// Entries that are verified at a time.
const VERIFY_PAGE: i64 = 1000;

impl Store {
    /// Writes down something that is not a change of the tenant's own rows.
    pub async fn note(
        &self,
        tenant: &TenantId,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.retried(|| async { self.change(tenant).await?.commit(entry, now).await }).await
    }

    /// A tenant's entries, newest first, older than entry `before`.
    pub async fn list_audit(
        &self,
        tenant: &TenantId,
        limit: u32,
        before: Option<i64>,
    ) -> Result<Page<AuditRecord>, StoreError> {
        let list = List {
            from: self.reader(),
            table: "audit",
            keys: |before: Option<&str>| {
                keys(tenant, before.and_then(|seq| seq.parse().ok()), limit)
            },
            rows: |ids: &[String]| rows_of(tenant, ids),
        };
        let before = before.map(|seq| seq.to_string());
        self.page(list, limit, before, |row| read(tenant, row)).await
    }

    /// Whether a tenant's chain is whole.
    pub async fn verify_audit(&self, tenant: &TenantId) -> Result<AuditCheck, StoreError> {
        let mut chain = Chain::of(tenant);
        loop {
            let rows = chain.next_page().fetch_all(self.reader()).await?;
            if let Some(found) = chain.follow(&rows)? {
                return Ok(found);
            }
        }
    }
}

/// All chains of a database, looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditLogs {
    /// How many tenants have one, the host's own included.
    pub logs: usize,
    /// Entries in all that are whole.
    pub entries: i64,
    /// The logs that are not, and their first entry that is not as it was written.
    pub broken: Vec<(TenantId, i64)>,
}

/// Follows the chain of every tenant, over one connection.
pub(crate) async fn verify_all(connection: &mut AnyConnection) -> Result<AuditLogs, StoreError> {
    let (mut found, mut last) = (AuditLogs::default(), String::new());
    loop {
        let next = sqlx::query("SELECT min(tenant) AS tenant FROM audit WHERE tenant > $1")
            .bind(last.clone())
            .fetch_one(&mut *connection)
            .await?;
        let Some(name) = next.try_get::<Option<String>, _>("tenant")? else { return Ok(found) };
        let tenant = named(&name)?;
        found.logs += 1;
        match verify(&mut *connection, &tenant).await? {
            AuditCheck::Intact { entries } => found.entries += entries,
            AuditCheck::Broken { seq } => found.broken.push((tenant, seq)),
        }
        last = name;
    }
}

async fn verify(
    connection: &mut AnyConnection,
    tenant: &TenantId,
) -> Result<AuditCheck, StoreError> {
    let mut chain = Chain::of(tenant);
    loop {
        let rows = chain.next_page().fetch_all(&mut *connection).await?;
        match chain.follow(&rows) {
            Ok(None) => {}
            Ok(Some(found)) => return Ok(found),
            Err(StoreError::Damaged { .. }) => {
                return Ok(AuditCheck::Broken { seq: chain.entries + 1 });
            }
            Err(error) => return Err(error),
        }
    }
}

fn named(tenant: &str) -> Result<TenantId, StoreError> {
    let host = TenantId::host();
    if tenant == host.as_str() {
        return Ok(host);
    }
    TenantId::new(tenant).map_err(|error| StoreError::damaged("audit", tenant, error.detail))
}

/// A tenant's chain, as far as it was followed.
struct Chain<'a> {
    tenant: &'a TenantId,
    entries: i64,
    last: String,
}

impl<'a> Chain<'a> {
    fn of(tenant: &'a TenantId) -> Self {
        Self { tenant, entries: 0, last: FIRST.to_owned() }
    }

    fn next_page(&self) -> Query {
        sqlx::query("SELECT * FROM audit WHERE tenant = $1 AND seq > $2 ORDER BY seq LIMIT $3")
            .bind(self.tenant.as_str().to_owned())
            .bind(self.entries)
            .bind(VERIFY_PAGE)
    }

    /// Goes on through its next entries. Says what it is once that is known.
    fn follow(&mut self, rows: &[AnyRow]) -> Result<Option<AuditCheck>, StoreError> {
        if rows.is_empty() {
            return Ok(Some(AuditCheck::Intact { entries: self.entries }));
        }
        for row in rows {
            let record = read(self.tenant, row)?;
            let is_next = record.seq == self.entries + 1;
            if !is_next || record.hash != hash(&self.last, self.tenant, &record) {
                return Ok(Some(AuditCheck::Broken { seq: self.entries + 1 }));
            }
            self.entries = record.seq;
            self.last = record.hash;
        }
        Ok(None)
    }
}

/// The numbers and sizes of up to `limit + 1` entries, newest first.
pub(crate) fn keys(tenant: &TenantId, before: Option<i64>, limit: u32) -> Statement {
    let mut query = Statement::new(
        "SELECT CAST(seq AS TEXT) AS id, CAST(octet_length(detail) AS BIGINT) AS bytes
         FROM audit WHERE tenant = ",
    );
    query.bind(tenant.as_str().to_owned());
    query.push(" AND seq < ").bind(before.unwrap_or(i64::MAX));
    query.push(" ORDER BY seq DESC LIMIT ").bind(i64::from(limit) + 1);
    query
}

/// These entries, which follow each other, newest first.
fn rows_of(tenant: &TenantId, ids: &[String]) -> Statement {
    let seq = |id: Option<&String>| id.and_then(|id| id.parse::<i64>().ok()).unwrap_or(0);
    let mut query = Statement::new("SELECT *, CAST(seq AS TEXT) AS id FROM audit WHERE tenant = ");
    query.bind(tenant.as_str().to_owned());
    query.push(" AND seq <= ").bind(seq(ids.first()));
    query.push(" AND seq >= ").bind(seq(ids.last()));
    query.push(" ORDER BY seq DESC");
    query
}
