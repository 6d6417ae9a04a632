//! Backtests: a draft rule on stored events, and what it would have sent.
//!
//! Conditions are deterministic, so this is what it would have done, and not a
//! guess. Read page by page; nothing is written. Whoever drops a backtest has
//! canceled it.

mod replay;

use std::sync::Arc;

use alerts_domain::Timestamp;
use alerts_domain::id::{EventId, RuleId};
use alerts_domain::rule::{AlertRule, EventTypePattern};
use alerts_domain::tenant::TenantId;
use alerts_store::{ScannedEvent, Store};
use futures_util::{StreamExt as _, stream};
use tokio::sync::Semaphore;

pub use self::replay::BacktestMatch;
use self::replay::Replay;
use crate::actor::Actor;
use crate::catalog::{RuleDraft, Rules};
use crate::clock::Clock;
use crate::error::ChangeError;
use crate::intake::{ConditionAnswer, Matcher};
use crate::live::LiveRule;

/// Most events that one backtest looks at. A longer span is cut there.
const MAX_EVENTS: u64 = 1_000_000;
/// Events read at once: of the largest events, some 60 MiB.
const PAGE: u32 = 250;
/// Conditions that are waited for at once. The sandbox has a thread for each core,
/// and takes turns.
const AT_ONCE: usize = 4;

/// Backtests that run at once. They read much, and nobody is woken by them.
const BACKTESTS: usize = 2;

/// What begins backtests, and gives them their turns. Cheap to clone.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a clock has nothing to show")]
pub struct Backtests {
    store: Store,
    matcher: Matcher,
    rules: Rules,
    clock: Arc<dyn Clock>,
    turns: Arc<Semaphore>,
}

/// A backtest under way.
#[derive(Debug)]
pub struct Backtest {
    store: Store,
    matcher: Matcher,
    turns: Arc<Semaphore>,
    tenant: TenantId,
    rule: Arc<LiveRule>,
    /// The types it looks at, if they can be named to the database.
    types: Vec<String>,
    to: EventId,
    after: EventId,
    /// The page after that, if it was read already.
    ahead: Option<Vec<ScannedEvent>>,
    replay: Replay,
    scanned: u64,
    condition_errors: u64,
    last_condition_error: Option<String>,
    ends_at: Timestamp,
    is_cut: bool,
}

/// How far a backtest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BacktestProgress {
    /// Events looked at so far.
    pub scanned: u64,
    /// When the newest of them came in; none before the first.
    pub at: Option<Timestamp>,
    /// What would have been sent so far.
    pub total: u64,
}

/// What a rule would have sent.
#[derive(Debug, Clone, PartialEq)]
pub struct BacktestReport {
    /// How many alerts.
    pub total: u64,
    /// The first of them, up to [`Backtest::MAX_MATCHES`].
    pub matches: Vec<BacktestMatch>,
    /// Whether there are more matches than those, or more events in the span
    /// than were looked at.
    pub truncated: bool,
    /// Events of its types that were looked at.
    pub scanned: u64,
    /// Events on which its condition failed.
    pub condition_errors: u64,
    /// The newest of these errors.
    pub last_condition_error: Option<String>,
}

impl Backtests {
    pub(crate) fn new(store: Store, matcher: Matcher, rules: Rules, clock: Arc<dyn Clock>) -> Self {
        Self { store, matcher, rules, clock, turns: Arc::new(Semaphore::new(BACKTESTS)) }
    }

    /// Begins a backtest of `draft` over the events that came in from `from` up
    /// to, but not including, `to`.
    ///
    /// # Errors
    /// What would be wrong with the rule if it were created, with pointers under
    /// `/rule`; a span that holds no time.
    pub async fn begin(
        &self,
        actor: &Actor,
        draft: RuleDraft,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Backtest, ChangeError> {
        if from >= to {
            let detail = format!("must be before `to`, which is {to}");
            return Err(ChangeError::field("/from", detail));
        }
        self.rules.check(actor, &draft).await.map_err(|error| match error {
            ChangeError::Invalid(problems) => {
                ChangeError::Invalid(problems.into_iter().map(|p| p.under("/rule")).collect())
            }
            other => other,
        })?;
        let now = self.clock.now();
        let rule = LiveRule::new(AlertRule {
            id: RuleId::new(now, 0),
            tenant: actor.tenant.clone(),
            // Whether it is on already does not matter here.
            spec: RuleDraft { is_active: true, ..draft },
            disabled_reason: None,
            last_condition_error: None,
            managed_by: None,
            created_by: actor.name.clone(),
            created_at: now,
            updated_at: now,
            deleted_at: None,
        });
        let types = match rule.patterns().iter().all(EventTypePattern::is_exact) {
            true => rule.patterns().iter().map(|exact| exact.as_str().to_owned()).collect(),
            false => Vec::new(),
        };
        Ok(Backtest {
            store: self.store.clone(),
            matcher: self.matcher.clone(),
            turns: self.turns.clone(),
            tenant: actor.tenant.clone(),
            replay: Replay::new(rule.stored.spec.clone()),
            rule: Arc::new(rule),
            types,
            // An id begins with the time at which its event came in.
            after: EventId::new(from, 0),
            ahead: None,
            to: EventId::new(to, 0),
            scanned: 0,
            condition_errors: 0,
            last_condition_error: None,
            ends_at: to.min(now),
            is_cut: false,
        })
    }
}

impl Backtest {
    /// Most matches that are told one by one.
    pub const MAX_MATCHES: usize = replay::MAX_MATCHES;

    /// Looks at some more events. None when there are no more. Waits for a turn,
    /// since only a few backtests are at it at once; between two steps it has none,
    /// so that one whose caller is slow keeps no other waiting.
    ///
    /// # Errors
    /// The database, or a condition plugin that gives no answer.
    pub async fn step(&mut self) -> Result<Option<BacktestProgress>, ChangeError> {
        if self.is_cut {
            return Ok(None);
        }
        let turns = self.turns.clone();
        let _turn = turns.acquire().await;
        let page = match self.ahead.take() {
            Some(page) => page,
            None => self.read(self.after).await?,
        };
        let Some(last) = page.last() else { return Ok(None) };
        let (after, at) = (last.id, last.received_at);
        // The next page is read while this one is judged.
        let (ahead, judged) = tokio::join!(self.read(after), self.judge(page));
        self.after = after;
        self.ahead = Some(ahead?);
        for (scanned, answer) in judged {
            self.scanned += 1;
            let holds = match answer {
                ConditionAnswer::Pending(why) => return Err(ChangeError::Conflict(why)),
                ConditionAnswer::Fails(error) => {
                    self.condition_errors += 1;
                    self.last_condition_error = Some(error);
                    false
                }
                ConditionAnswer::Holds => true,
                ConditionAnswer::DoesNot => false,
            };
            self.replay.see(&scanned, holds);
        }
        self.is_cut = self.scanned >= MAX_EVENTS;
        let total = self.replay.total();
        Ok(Some(BacktestProgress { scanned: self.scanned, at: Some(at), total }))
    }

    async fn read(&self, after: EventId) -> Result<Vec<ScannedEvent>, ChangeError> {
        Ok(self.store.scan_events(&self.tenant, &self.types, after, self.to, PAGE).await?)
    }

    /// What the condition says about each event that the rule looks at.
    async fn judge(&self, page: Vec<ScannedEvent>) -> Vec<(ScannedEvent, ConditionAnswer)> {
        let asked = page.into_iter().filter(|scanned| self.rule.looks_at(&scanned.event_type));
        let asked = asked.map(|scanned| async {
            let answer = self.matcher.answer(&self.tenant, &self.rule, &scanned.body).await;
            (scanned, answer)
        });
        stream::iter(asked).buffered(AT_ONCE).collect().await
    }

    /// All steps that are left, and what came of it.
    ///
    /// # Errors
    /// As for [`Self::step`].
    pub async fn finish(mut self) -> Result<BacktestReport, ChangeError> {
        while self.step().await?.is_some() {}
        Ok(self.report())
    }

    /// What came of it, once there are no more steps.
    pub fn report(mut self) -> BacktestReport {
        if !self.is_cut {
            self.replay.end(self.ends_at);
        }
        let total = self.replay.total();
        let matches = self.replay.into_matches();
        BacktestReport {
            truncated: self.is_cut || total > matches.len() as u64,
            total,
            matches,
            scanned: self.scanned,
            condition_errors: self.condition_errors,
            last_condition_error: self.last_condition_error,
        }
    }
}
