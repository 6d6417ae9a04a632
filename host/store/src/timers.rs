//! Timers of runs that are watched: found when they are due, fired once.

use alerts_domain::Timestamp;
use alerts_domain::id::{EventId, RuleId};
use alerts_domain::outcome::Reason;
use alerts_domain::tenant::TenantId;
use alerts_domain::trigger::{DurationTrigger, RunWatch};
use bytes::Bytes;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::accept::insert_made;
use crate::error::StoreError;
use crate::open::Store;
use crate::row::{Reader, json_text, us};
use crate::triggers::{Alert, forget_run_at, make_event, read_state};

/// A run that was still going when its time passed.
#[derive(Debug, Clone)]
pub struct DueTimer {
    /// Whose it is.
    pub tenant: TenantId,
    /// The rule that watches it.
    pub rule: RuleId,
    /// Which run.
    pub run: String,
    /// When its time passed.
    pub due_at: Timestamp,
    /// The event with which it started, as posted, and when that came in. None
    /// when it is no longer stored.
    pub started: Option<(EventId, Bytes, Timestamp)>,
}

/// What to do about it.
#[derive(Debug, Clone)]
pub enum TimerAction {
    /// Fire, if it is still due when it comes to it.
    Fire {
        /// How long a run may take.
        trigger: DurationTrigger,
        /// What is sent.
        alert: Box<Alert>,
    },
    /// Watch it no longer: its rule is gone, off, or does not hold.
    Drop,
}

impl Store {
    /// Timers that are due, the longest due first, those after `after` if it is given.
    pub async fn due_timers(
        &self,
        now: Timestamp,
        after: Option<&DueTimer>,
        limit: u32,
    ) -> Result<Vec<DueTimer>, StoreError> {
        let rows = sqlx::query(
            "SELECT due.tenant, due.rule_id AS id, due.key, due.due_at, due.event_id, events.body,
                events.received_at
             FROM trigger_states AS due
             LEFT JOIN events ON events.tenant = due.tenant AND events.id = due.event_id
             WHERE due.due_at <= $1 AND (due.due_at, due.rule_id, due.key) > ($2, $3, $4)
             ORDER BY due.due_at, due.rule_id, due.key LIMIT $5",
        )
        .bind(us(now))
        .bind(after.map_or(i64::MIN, |timer| us(timer.due_at)))
        .bind(after.map_or_else(String::new, |timer| timer.rule.to_string()))
        .bind(after.map_or_else(String::new, |timer| timer.run.clone()))
        .bind(i64::from(limit))
        .fetch_all(self.reader())
        .await?;
        let mut timers = Vec::with_capacity(rows.len());
        for row in &rows {
            let read = Reader::new(row, "trigger_states")?;
            let body: Option<Vec<u8>> = read.get("body")?;
            let received_at = read.time_optional("received_at")?;
            let event: Option<EventId> = read.parse_optional("event_id")?;
            timers.push(DueTimer {
                tenant: read.tenant()?,
                rule: read.parse("id")?,
                run: read.get("key")?,
                due_at: read.time("due_at")?,
                started: event
                    .zip(body)
                    .zip(received_at)
                    .map(|((event, body), at)| (event, body.into(), at)),
            });
        }
        Ok(timers)
    }

    /// When the next timer is due.
    pub async fn next_timer(&self) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query(
            "SELECT due_at AS at FROM trigger_states WHERE due_at IS NOT NULL
             ORDER BY due_at LIMIT 1",
        )
        .fetch_optional(self.reader())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let at = Timestamp::from_microsecond(row.try_get("at")?);
        at.map(Some).map_err(|error| StoreError::damaged("trigger_states", "due_at", error))
    }

    /// Fires or drops timers, all or none. Says what became of each that fired: one
    /// that another host was faster with, or whose run has ended meanwhile, does not.
    pub async fn settle_timers(
        &self,
        timers: &[(DueTimer, TimerAction)],
        now: Timestamp,
    ) -> Result<Vec<Reason>, StoreError> {
        let mut transaction = self.begin().await?;
        let mut made = Vec::new();
        for (timer, action) in timers {
            let Some(mut watch) = self.lock_due(&mut transaction, timer, now).await? else {
                continue;
            };
            let due_at = match action {
                TimerAction::Drop => None,
                TimerAction::Fire { trigger, alert } => {
                    if let Some(elapsed_ms) = watch.fire(trigger, now) {
                        let body = timer.started.as_ref().map(|(_, body, _)| body.as_ref());
                        let original = body.and_then(|body| serde_json::from_slice(body).ok());
                        let original = original.unwrap_or_default();
                        made.push(make_event(
                            &timer.tenant,
                            timer.rule,
                            alert,
                            trigger,
                            &original,
                            now,
                            elapsed_ms,
                        ));
                    }
                    watch.due_at(trigger)
                }
            };
            keep(&mut transaction, timer, &watch, due_at, now).await?;
        }
        insert_made(&mut transaction, &made).await?;
        transaction.commit().await?;
        let outcomes = made.iter().flat_map(|event| &event.outcomes);
        Ok(outcomes.map(|told| told.reason).collect())
    }

    async fn lock_due(
        &self,
        connection: &mut AnyConnection,
        timer: &DueTimer,
        now: Timestamp,
    ) -> Result<Option<RunWatch>, StoreError> {
        let row = sqlx::query(AssertSqlSafe(format!(
            "SELECT state FROM trigger_states
             WHERE tenant = $1 AND rule_id = $2 AND key = $3 AND due_at <= $4{}",
            self.dialect().for_update()
        )))
        .bind(timer.tenant.as_str().to_owned())
        .bind(timer.rule.to_string())
        .bind(timer.run.clone())
        .bind(us(now))
        .fetch_optional(connection)
        .await?;
        row.map(|row| read_state(&row.try_get::<String, _>("state")?, &timer.run)).transpose()
    }

    /// Forgets up to `limit` memories that say nothing any more. Says how many.
    pub async fn forget_trigger_states(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let forgotten = sqlx::query(
            "DELETE FROM trigger_states WHERE (tenant, rule_id, key) IN (
                SELECT tenant, rule_id, key FROM trigger_states
                WHERE forget_at <= $1 ORDER BY forget_at LIMIT $2)",
        )
        .bind(us(now))
        .bind(i64::from(limit))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(forgotten.rows_affected())
    }
}

async fn keep(
    connection: &mut AnyConnection,
    timer: &DueTimer,
    watch: &RunWatch,
    due_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE trigger_states SET state = $4, due_at = $5, forget_at = $6
         WHERE tenant = $1 AND rule_id = $2 AND key = $3",
    )
    .bind(timer.tenant.as_str().to_owned())
    .bind(timer.rule.to_string())
    .bind(timer.run.clone())
    .bind(json_text(watch))
    .bind(due_at.map(us))
    .bind(due_at.is_none().then(|| us(forget_run_at(now))))
    .execute(connection)
    .await?;
    Ok(())
}

/// A rule was changed: what it watches is due earlier or later by this much, or
/// what it remembers is of no more use.
pub(crate) async fn follow_rule(
    connection: &mut AnyConnection,
    tenant: &TenantId,
    rule: RuleId,
    change: TriggerChange,
) -> Result<(), StoreError> {
    let query = match change {
        TriggerChange::None => return Ok(()),
        TriggerChange::Forget => {
            sqlx::query("DELETE FROM trigger_states WHERE tenant = $1 AND rule_id = $2")
                .bind(tenant.as_str().to_owned())
                .bind(rule.to_string())
        }
        TriggerChange::Shift { by_us } => sqlx::query(
            "UPDATE trigger_states SET due_at = due_at + $3
             WHERE tenant = $1 AND rule_id = $2 AND due_at IS NOT NULL",
        )
        .bind(tenant.as_str().to_owned())
        .bind(rule.to_string())
        .bind(by_us),
    };
    query.execute(connection).await?;
    Ok(())
}

/// What a change of a rule means for what it remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriggerChange {
    /// Nothing.
    None,
    /// It is another kind of trigger now, or groups by other fields.
    Forget,
    /// Runs may take longer or shorter.
    Shift {
        /// By this many microseconds.
        by_us: i64,
    },
}
