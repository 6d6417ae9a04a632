//! Timers of runs that are watched, and of breaches whose end is to be told: found when
//! they are due, fired once.

use std::collections::BTreeMap;

use alerts_domain::Timestamp;
use alerts_domain::event::EventTypePattern;
use alerts_domain::id::{EventId, RuleId};
use alerts_domain::outcome::Reason;
use alerts_domain::tenant::TenantId;
use alerts_domain::trigger::{
    DurationTrigger, Memory, Occasion, PreparedAlert, ThresholdTrigger, Watched, evaluate,
};
use bytes::Bytes;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::error::StoreError;
use crate::new_event::{NewEvent, insert_made};
use crate::open::Store;
use crate::row::{Reader, us};
use crate::triggers::{move_in, of_stored};

const TABLE: &str = "trigger_states";

/// A run that was still going when its time passed, or a group of which there may be no
/// longer too much.
#[derive(Debug, Clone)]
pub struct DueTimer {
    /// Whose it is.
    pub tenant: TenantId,
    /// The rule that watches it.
    pub rule: RuleId,
    /// Which run, as a [`RunKey`](alerts_domain::trigger::RunKey) is kept, or which group.
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
        alert: Box<PreparedAlert>,
    },
    /// Tell that there is no longer too much, if it is so when it comes to it.
    Recover {
        /// What is too much.
        trigger: Box<ThresholdTrigger>,
        /// The rule's own events.
        event_type: EventTypePattern,
        /// What is sent.
        alert: Box<PreparedAlert>,
    },
    /// Watch it no longer: its rule is gone, off, or does not hold.
    Drop,
}

impl Store {
    /// Timers that are due, the longest due first, those after `after` if it is
    /// given. A damaged one is put aside on the way: it stands before no other.
    pub async fn due_timers(
        &self,
        now: Timestamp,
        after: Option<&DueTimer>,
        limit: u32,
    ) -> Result<Vec<DueTimer>, StoreError> {
        loop {
            let rows = self.due_rows(now, after, limit).await?;
            let (mut timers, mut damaged) = (Vec::with_capacity(rows.len()), Vec::new());
            for row in &rows {
                match self.readable(TABLE, row, read_due)? {
                    Some(timer) => timers.push(timer),
                    None => damaged.push(RawKey::of(row)?),
                }
            }
            if !damaged.is_empty() {
                self.put_aside(damaged, now).await?;
            }
            // A page of nothing but damaged ones says nothing about what comes after.
            if !timers.is_empty() || rows.is_empty() {
                return Ok(timers);
            }
        }
    }

    async fn due_rows(
        &self,
        now: Timestamp,
        after: Option<&DueTimer>,
        limit: u32,
    ) -> Result<Vec<AnyRow>, StoreError> {
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
        Ok(rows)
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
        // One that no clock reaches is never due.
        Ok(Some(Timestamp::from_microsecond(row.try_get("at")?).unwrap_or(Timestamp::MAX)))
    }

    /// Fires or drops timers, all or none. Says what became of each that fired: one
    /// that another host was faster with, or whose run has ended meanwhile, does not.
    pub async fn settle_timers(
        &self,
        timers: &[(DueTimer, TimerAction)],
        now: Timestamp,
    ) -> Result<Vec<Reason>, StoreError> {
        // Memories are locked in the order of their keys, as when events come in.
        let mut in_order: Vec<&(DueTimer, TimerAction)> = timers.iter().collect();
        in_order.sort_unstable_by_key(|(timer, _)| (&timer.tenant, timer.rule, &timer.run));
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            let mut made: Vec<NewEvent> = Vec::new();
            for (timer, action) in &in_order {
                let Some(memory) = self.lock_due(&mut transaction, timer, now).await? else {
                    continue;
                };
                let mut memory = with_older(&mut transaction, timer, memory).await?;
                match action {
                    TimerAction::Drop => {
                        evaluate(&mut memory, Occasion::Dropped { now });
                    }
                    TimerAction::Fire { trigger, alert } => {
                        let DueTimer { tenant, rule, started, .. } = timer;
                        let told_by = started.as_ref().map(|(_, body, _)| body);
                        let passed =
                            alert.time_passed(&mut memory, tenant, *rule, *trigger, told_by, now);
                        made.extend(passed.map(NewEvent::from));
                    }
                    TimerAction::Recover { trigger, event_type, alert } => {
                        let DueTimer { tenant, rule, run, .. } = timer;
                        let watched = Watched { trigger, event_type, group_key: run };
                        let over = alert.recovered(&mut memory, tenant, *rule, watched, now);
                        made.extend(over.map(NewEvent::from));
                    }
                }
                keep(&mut transaction, timer, &memory).await?;
            }
            let mut ledger = self.ledger();
            insert_made(&mut transaction, &made, &mut ledger).await?;
            ledger.write(&mut transaction).await?;
            transaction.commit().await?;
            ledger.tell(self.dialect());
            let outcomes = made.into_iter().flat_map(|event| event.outcomes);
            Ok(outcomes.map(|told| told.reason).collect())
        })
        .await
    }

    /// None where it is no longer due, or cannot be: what a damaged memory says of
    /// its run is lost, and to fire for it again and again would be worse.
    async fn lock_due(
        &self,
        connection: &mut AnyConnection,
        timer: &DueTimer,
        now: Timestamp,
    ) -> Result<Option<Memory>, StoreError> {
        let row = sqlx::query(AssertSqlSafe(format!(
            "SELECT state, rule_id AS id,
                (SELECT times FROM trigger_windows AS windows WHERE windows.tenant = $1
                    AND windows.rule_id = $2 AND windows.key = $3) AS times
             FROM trigger_states
             WHERE tenant = $1 AND rule_id = $2 AND key = $3 AND due_at <= $4{}",
            self.dialect().for_update()
        )))
        .bind(timer.tenant.as_str().to_owned())
        .bind(timer.rule.to_string())
        .bind(timer.run.clone())
        .bind(us(now))
        .fetch_optional(&mut *connection)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let read = |row: &AnyRow| {
            let state: String = row.try_get("state")?;
            let times: Option<Vec<u8>> = row.try_get("times")?;
            Memory::read(&state, times.as_deref())
                .map_err(|error| StoreError::damaged(TABLE, &timer.run, error))
        };
        let memory = self.readable(TABLE, &row, read)?;
        if memory.is_none() {
            RawKey::of_timer(timer).put_aside(connection, now).await?;
        }
        Ok(memory)
    }

    /// They are due no more, and stay to be looked at until they are forgotten like
    /// runs that have ended.
    async fn put_aside(&self, mut damaged: Vec<RawKey>, now: Timestamp) -> Result<(), StoreError> {
        damaged.sort_unstable();
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            for key in &damaged {
                key.put_aside(&mut transaction, now).await?;
            }
            transaction.commit().await
        })
        .await
    }

    /// Forgets up to `limit` memories that say nothing any more. Says how many.
    pub async fn forget_trigger_states(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            // One that is in use at this moment is not to be forgotten.
            let forgotten = sqlx::query(AssertSqlSafe(format!(
                "DELETE FROM trigger_states WHERE (tenant, rule_id, key) IN (
                    SELECT tenant, rule_id, key FROM trigger_states
                    WHERE forget_at <= $1 ORDER BY forget_at LIMIT $2{})",
                self.dialect().skip_locked()
            )))
            .bind(us(now))
            .bind(i64::from(limit))
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(forgotten.rows_affected())
        })
        .await
    }
}

/// The memory with what a host of an older release was told of the same run.
async fn with_older(
    connection: &mut AnyConnection,
    timer: &DueTimer,
    memory: Memory,
) -> Result<Memory, StoreError> {
    let key = (timer.tenant.clone(), timer.rule, timer.run.clone());
    let older = of_stored(&key);
    let mut memories = BTreeMap::from([(key.clone(), memory)]);
    if !older.is_empty() {
        move_in(connection, &older, &mut memories).await?;
    }
    Ok(memories.remove(&key).unwrap_or_default())
}

fn read_due(row: &AnyRow) -> Result<DueTimer, StoreError> {
    let read = Reader::new(row, TABLE)?;
    let body: Option<Vec<u8>> = read.get("body")?;
    let received_at = read.time_optional("received_at")?;
    let event: Option<EventId> = read.parse_optional("event_id")?;
    Ok(DueTimer {
        tenant: read.tenant()?,
        rule: read.parse("id")?,
        run: read.get("key")?,
        due_at: read.time("due_at")?,
        started: event
            .zip(body)
            .zip(received_at)
            .map(|((event, body), at)| (event, body.into(), at)),
    })
}

/// The key of a timer as its row has it, whether that reads or not.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct RawKey {
    tenant: String,
    rule: String,
    key: String,
}

impl RawKey {
    fn of(row: &AnyRow) -> Result<Self, StoreError> {
        let (tenant, rule) = (row.try_get("tenant")?, row.try_get("id")?);
        Ok(Self { tenant, rule, key: row.try_get("key")? })
    }

    fn of_timer(timer: &DueTimer) -> Self {
        let (tenant, rule) = (timer.tenant.as_str().to_owned(), timer.rule.to_string());
        Self { tenant, rule, key: timer.run.clone() }
    }

    async fn put_aside(
        &self,
        connection: &mut AnyConnection,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut ended = Memory::default();
        evaluate(&mut ended, Occasion::Dropped { now });
        sqlx::query(
            "UPDATE trigger_states SET due_at = NULL, forget_at = $4
             WHERE tenant = $1 AND rule_id = $2 AND key = $3",
        )
        .bind(self.tenant.clone())
        .bind(self.rule.clone())
        .bind(self.key.clone())
        .bind(ended.forget_at.map(us))
        .execute(connection)
        .await?;
        Ok(())
    }
}

async fn keep(
    connection: &mut AnyConnection,
    timer: &DueTimer,
    memory: &Memory,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE trigger_states SET state = $4, due_at = $5, forget_at = $6
         WHERE tenant = $1 AND rule_id = $2 AND key = $3",
    )
    .bind(timer.tenant.as_str().to_owned())
    .bind(timer.rule.to_string())
    .bind(timer.run.clone())
    .bind(memory.written().state)
    .bind(memory.due_at.map(us))
    .bind(memory.forget_at.map(us))
    .execute(connection)
    .await?;
    Ok(())
}
