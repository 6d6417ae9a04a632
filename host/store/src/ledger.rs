//! What a transaction changes, as it is counted and told: given to whoever stores an
//! event or a delivery, or ends one, written with the transaction, and told after it.

use alerts_domain::Timestamp;
use alerts_domain::delivery::{Delivery, Transition};
use alerts_domain::tenant::TenantId;
use sqlx::AnyConnection;

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::finished::Finished;
use crate::new_event::NewEvent;
use crate::news::{self, HandedOver, News, Watched};
use crate::tally::Tally;

/// Most changes of one transaction that are told one by one: some hundred KiB. One
/// request may make ten thousand deliveries.
const MOST_TOLD: usize = 1_000;

/// What ledgers of a store are made from. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Ledgers {
    pub(crate) watched: Watched,
    pub(crate) handed_over: HandedOver,
}

impl Ledgers {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self { watched: Watched::new(dialect), handed_over: HandedOver::default() }
    }

    /// For one transaction.
    pub(crate) fn begin(&self) -> Ledger {
        let (tally, news) = (Tally::default(), Vec::new());
        Ledger { tally, news, newest: Timestamp::MIN, ledgers: self.clone() }
    }
}

/// What one transaction changes.
#[derive(Debug)]
pub(crate) struct Ledger {
    tally: Tally,
    news: Vec<(TenantId, News)>,
    /// The latest time at which something was changed.
    newest: Timestamp,
    ledgers: Ledgers,
}

impl Ledger {
    /// An event that is stored and was not before.
    pub(crate) fn event(&mut self, new: &NewEvent) {
        self.tally.event(new);
        self.note(&new.tenant, new.received_at, || News::event(new));
    }

    /// A delivery that is stored, in whatever state.
    pub(crate) fn made(&mut self, delivery: &Delivery) {
        self.tally.delivery(delivery);
        let at = delivery.created_at;
        self.note(&delivery.tenant, at, || News::delivery(delivery, at));
    }

    /// A result that is written down, and where its delivery goes.
    pub(crate) fn ended(&mut self, finished: &Finished, end: &Transition) {
        self.tally.ended(finished, end);
        self.note(&finished.tenant, finished.now, || News::ended(finished, end));
    }

    /// A delivery that is given up without an attempt, because it is too old.
    pub(crate) fn expired(
        &mut self,
        delivery: &Delivery,
        event_type: Option<String>,
        now: Timestamp,
    ) {
        self.tally.expired(delivery, event_type, now);
        self.note(&delivery.tenant, now, || News::delivery(delivery, now));
    }

    /// A delivery that a person has rescheduled or canceled.
    pub(crate) fn changed(&mut self, delivery: &Delivery, now: Timestamp) {
        self.note(&delivery.tenant, now, || News::delivery(delivery, now));
    }

    fn note(&mut self, tenant: &TenantId, at: Timestamp, news: impl FnOnce() -> News) {
        if self.ledgers.watched.has(tenant) {
            self.newest = self.newest.max(at);
            self.news.push((tenant.clone(), news()));
        }
    }

    /// Writes it down, as a part of the transaction.
    pub(crate) async fn write(&mut self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        self.tally.write(connection).await?;
        if self.news.len() > MOST_TOLD {
            let mut tenants: Vec<TenantId> =
                self.news.drain(..).map(|(tenant, _)| tenant).collect();
            tenants.sort_unstable();
            tenants.dedup();
            self.news = tenants.into_iter().map(|tenant| (tenant, News::TooMany)).collect();
        }
        if !self.news.is_empty() && Dialect::of_connection(connection) == Dialect::Postgres {
            news::write(connection, &self.news, self.newest).await?;
        }
        Ok(())
    }

    /// Tells it: the transaction is committed.
    pub(crate) fn tell(self, dialect: Dialect) {
        if self.news.is_empty() {
            return;
        }
        if dialect == Dialect::Sqlite {
            self.ledgers.handed_over.give(self.news);
        }
        self.ledgers.watched.committed();
    }
}
