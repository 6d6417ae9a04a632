//! Transactions: begun, committed or undone, and tried again where the database
//! says that two got into each other's way.
//!
//! Whatever writes takes its locks in one order: tenants, rules, deliveries, events,
//! memories of rules; several of a kind in the order of their keys. So transactions
//! wait for each other in a row and never in a ring.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};

use sqlx::{AnyConnection, Executor as _, raw_sql};
use tokio::time::timeout;

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::ledger::Ledger;
use crate::open::Store;
use crate::pool::{Held, Pool, silent};
use crate::tries::Tries;

tokio::task_local! {
    /// Whether the transaction that is tried has told the database to commit.
    static IS_COMMITTING: Cell<bool>;
}

/// A transaction that is under way. Dropped, it is undone.
pub(crate) struct Transaction {
    dialect: Dialect,
    /// Always there until its end.
    connection: Option<Held>,
}

impl Transaction {
    pub(crate) async fn begin(dialect: Dialect, pool: &Pool) -> Result<Self, StoreError> {
        let connection = Some(pool.acquire().await?);
        // Made before it is begun: a beginning that nobody waits for is undone too.
        let mut begun = Self { dialect, connection };
        begun.execute(raw_sql(dialect.begin())).await?;
        Ok(begun)
    }

    /// Commits it. A database that does not say whether it has leaves it
    /// [in doubt](StoreError::InDoubt).
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        // Outside of a try there is nobody to be told.
        let _ = IS_COMMITTING.try_with(|is_committing| is_committing.set(true));
        let deadline = self.dialect.deadline();
        let committed = timeout(deadline, self.execute(raw_sql("COMMIT"))).await;
        let Some(connection) = self.connection.take() else { return Ok(()) };
        match committed {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => {
                // Whatever state it is in, nobody else has anything to do with it.
                connection.give_up();
                Err(StoreError::of_commit(error))
            }
            Err(_) => Err(StoreError::of_commit(connection.lose(deadline))),
        }
    }

    /// Commits it with what it changes written down, and tells that to those who watch.
    pub(crate) async fn commit_with(mut self, mut ledger: Ledger) -> Result<(), StoreError> {
        ledger.write(&mut self).await?;
        self.commit().await?;
        ledger.tell();
        Ok(())
    }
}

impl Deref for Transaction {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        self.connection.as_ref().expect("it is taken out at the end only")
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        self.connection.as_mut().expect("it is taken out at the end only")
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let (dialect, deadline) = (self.dialect, self.dialect.deadline());
        tokio::spawn(async move {
            match timeout(deadline, connection.execute(raw_sql("ROLLBACK"))).await {
                Ok(Ok(_)) => {}
                // A full disk makes it end a transaction by itself.
                Ok(Err(_)) if dialect == Dialect::Sqlite => {}
                Ok(Err(_)) => connection.give_up(),
                Err(_) => drop(connection.lose(deadline)),
            }
        });
    }
}

impl Store {
    /// A transaction of its own, for what is too rare to be committed in groups. To
    /// be begun within [`Self::retried`].
    pub(crate) async fn begin(&self) -> Result<Transaction, StoreError> {
        Transaction::begin(self.dialect(), self.changes()).await
    }

    /// The same for what the host does by itself: what people change does not keep
    /// it waiting.
    pub(crate) async fn begin_background(&self) -> Result<Transaction, StoreError> {
        Transaction::begin(self.dialect(), self.background_writes()).await
    }

    /// Tries a transaction, from its beginning to its commit, until it got into
    /// nobody's way. With a deadline for each try: a database that went silent
    /// before the commit was sent has stored nothing.
    pub(crate) async fn retried<T, F>(&self, once: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut tries = Tries::default();
        loop {
            let outcome = IS_COMMITTING.scope(Cell::new(false), self.tried(once())).await;
            match outcome {
                Err(error) if tries.again(&error).await => {}
                outcome => return outcome.inspect_err(|error| self.heed(error)),
            }
        }
    }

    async fn tried<T>(
        &self,
        once: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let deadline = self.dialect().deadline();
        let mut once = std::pin::pin!(once);
        if let Ok(outcome) = timeout(deadline, &mut once).await {
            return outcome;
        }
        if IS_COMMITTING.with(Cell::get) {
            // It has a deadline of its own, and knows what it then means.
            return once.await;
        }
        self.trust().begin_anew();
        Err(silent(deadline).into())
    }

    /// Draws from an error what it says of the connections that there are.
    pub(crate) fn heed(&self, error: &StoreError) {
        if error.is_read_only() {
            self.trust().begin_anew();
        }
    }
}
