//! What conditions failed with: the newest error of each rule, kept until it is
//! shown on the rule.
//!
//! A tenant can make every rule fail on every event. So errors wait in memory,
//! bounded, and go to the database together, each only when it is news.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alerts_domain::Timestamp;
use alerts_domain::id::RuleId;
use alerts_domain::tenant::TenantId;
use alerts_domain::text;
use alerts_store::{ConditionError, Store};
use tokio::sync::Notify;

use crate::error::EngineError;
use crate::live::LiveRule;

/// Longest error that is shown on a rule, in bytes: a message and its place.
const MAX_ERROR_BYTES: usize = 1024;
/// Rules whose error waits to be written, at most; those beyond are noted the next
/// time they fail. And rules of which it is remembered what was written.
const MAX_WAITING: usize = 1_000;
const MAX_WRITTEN: usize = 10_000;

/// A rule as it was when its condition was asked: a changed one is another.
type RuleVersion = (RuleId, Timestamp);

/// The newest errors. Cheap to clone; all clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct ConditionErrors {
    store: Store,
    state: Arc<Mutex<State>>,
    news: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    waiting: HashMap<RuleVersion, (TenantId, String)>,
    /// What the database has, where it is not what the rule was loaded with.
    written: HashMap<RuleVersion, String>,
}

impl ConditionErrors {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, state: Arc::default(), news: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a rule's condition failed. Costs no transaction.
    pub(crate) fn note(&self, rule: &LiveRule, error: &str) {
        metrics::counter!("alerts_condition_errors_total").increment(1);
        let stored = &rule.stored;
        let (version, error) = ((stored.id, stored.updated_at), text::kept(error, MAX_ERROR_BYTES));
        let mut state = self.state();
        let known = state.waiting.get(&version).map(|(_, waiting)| waiting);
        let known = known.or_else(|| state.written.get(&version));
        if known.or(stored.last_condition_error.as_ref()) == Some(&error) {
            return;
        }
        if state.waiting.len() < MAX_WAITING || state.waiting.contains_key(&version) {
            state.waiting.insert(version, (stored.tenant.clone(), error));
            self.news.notify_one();
        }
    }

    /// Ends when there is something to write.
    pub(crate) async fn noted(&self) {
        self.news.notified().await;
    }

    /// Writes what waits, in one transaction.
    pub(crate) async fn write(&self) -> Result<(), EngineError> {
        let waiting: Vec<ConditionError> = {
            let waiting = std::mem::take(&mut self.state().waiting);
            let row = |((rule, rule_updated_at), (tenant, error))| ConditionError {
                tenant,
                rule,
                rule_updated_at,
                error,
            };
            waiting.into_iter().map(row).collect()
        };
        // What is lost here is noted again when its rule fails again.
        self.store.record_condition_errors(&waiting).await?;
        let mut state = self.state();
        if state.written.len() + waiting.len() > MAX_WRITTEN {
            state.written.clear();
        }
        let written = waiting.into_iter().map(|e| ((e.rule, e.rule_updated_at), e.error));
        state.written.extend(written);
        Ok(())
    }
}
