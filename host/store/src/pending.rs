//! Events with rules that are still to be asked: their condition plugin could not
//! answer when they came in. They are asked again until it does, or it is too late.

use alerts_domain::Timestamp;
use alerts_domain::id::{EventId, RuleId};
use alerts_domain::outcome::{Reason, RuleOutcome};
use alerts_domain::tenant::TenantId;
use bytes::Bytes;
use jiff::SignedDuration;
use serde_json::Value;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::accept::{NewDelivery, NewEvent, insert_deliveries};
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::events::{BYTES, StoredEvent, read_event};
use crate::open::Store;
use crate::page::List;
use crate::row::{Reader, json_text};
use crate::statement::Statement;
use crate::triggers;

/// An event with rules that are still to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingEvent {
    /// The id it has here.
    pub id: EventId,
    /// Whose it is.
    pub tenant: TenantId,
    /// As it was posted.
    pub body: Bytes,
    /// When.
    pub received_at: Timestamp,
    /// What is known so far.
    pub outcomes: Vec<RuleOutcome>,
    /// The rules to be asked.
    pub pending_rules: Vec<RuleId>,
}

impl Store {
    /// How long a rule is asked about an event. A week, as long as an alert may be
    /// old: what would be sent later, nobody could act on.
    pub const ASK_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

    /// Events of any tenant with rules that are still to be asked, the oldest first,
    /// those after `after` if it is given. Empty only when there are no more.
    pub async fn events_with_pending_rules(
        &self,
        after: Option<&PendingEvent>,
        limit: u32,
    ) -> Result<Vec<PendingEvent>, StoreError> {
        let list = List {
            from: self.background(),
            table: "events",
            keys: |passed: Option<&str>| keys(passed, limit),
            rows: |ids: &[String]| rows_of(self.dialect(), ids),
        };
        let after = after.map(|event| event.id.to_string());
        Ok(self.page(list, limit, after, read_pending).await?.items)
    }

    /// Stores what became of an event's pending rules, which were `asked`: `matched`
    /// is the event with all its outcomes, what these rules send and see, and those
    /// that are still pending. Says whether this did it, and not another host before.
    pub async fn complete_match(
        &self,
        matched: &NewEvent,
        asked: &[RuleId],
    ) -> Result<bool, StoreError> {
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            let completed = sqlx::query(
                "UPDATE events SET matches = $3, pending_rules = $4
                 WHERE tenant = $1 AND id = $2 AND pending_rules = $5",
            )
            .bind(matched.tenant.as_str())
            .bind(matched.id.to_string())
            .bind(json_text(&matched.outcomes))
            .bind(matched.pending_rules.as_ref().map(json_text))
            .bind(json_text(&asked))
            .execute(&mut *transaction)
            .await?;
            if completed.rows_affected() == 0 {
                return Ok(false);
            }
            let deliveries: Vec<&NewDelivery> = matched.deliveries.iter().collect();
            // The event itself was counted as it came in.
            let mut ledger = self.ledger();
            insert_deliveries(&mut transaction, &deliveries, &mut ledger).await?;
            triggers::observe(&mut transaction, &[matched], &mut ledger).await?;
            ledger.write(&mut transaction).await?;
            transaction.commit().await?;
            ledger.tell(self.dialect());
            Ok(true)
        })
        .await
    }

    /// Asks an event's pending rules no more, and says so with the event.
    pub async fn give_up_match(&self, tenant: &TenantId, id: EventId) -> Result<(), StoreError> {
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            let mut query = Statement::new(
                "SELECT tenant, id, matches, pending_rules FROM events
                 WHERE pending_rules IS NOT NULL AND tenant = ",
            );
            query.bind(tenant.as_str().to_owned());
            query.push(" AND id = ").bind(id.to_string()).push(self.dialect().for_update());
            for row in query.build().fetch_all(&mut *transaction).await? {
                give_up(&mut transaction, &row, "the stored event does not read").await?;
            }
            transaction.commit().await
        })
        .await
    }

    /// Asks no more about events that came in more than [`Self::ASK_FOR`] ago, the
    /// oldest first, `limit` at most, and says so with each. Says how many.
    pub async fn give_up_old_matches(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let before = now.saturating_sub(Self::ASK_FOR).unwrap_or(Timestamp::MIN);
        // The usual answer is none, which needs no transaction.
        if old(before, 1).build().fetch_optional(self.background()).await?.is_none() {
            return Ok(0);
        }
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            let mut query = old(before, limit);
            query.push(self.dialect().skip_locked());
            let rows = query.build().fetch_all(&mut *transaction).await?;
            for row in &rows {
                let why = "the condition language gave no answer for a week";
                give_up(&mut transaction, row, why).await?;
            }
            transaction.commit().await?;
            Ok(rows.len() as u64)
        })
        .await
    }
}

/// The ids and sizes of up to `limit + 1` pending events after an id.
pub(crate) fn keys(after: Option<&str>, limit: u32) -> Statement {
    let mut query = Statement::new(&format!(
        "SELECT id, {BYTES} AS bytes FROM events WHERE pending_rules IS NOT NULL AND id > "
    ));
    query.bind(after.unwrap_or_default().to_owned());
    query.push(" ORDER BY id LIMIT ").bind(i64::from(limit) + 1);
    query
}

fn rows_of(dialect: Dialect, ids: &[String]) -> Statement {
    let mut query =
        Statement::new("SELECT * FROM events WHERE pending_rules IS NOT NULL AND id IN ");
    query.bind_texts(dialect, ids).push(" ORDER BY id");
    query
}

/// Pending events that came in before then, the oldest first.
pub(crate) fn old(before: Timestamp, limit: u32) -> Statement {
    let mut query = Statement::new(
        "SELECT tenant, id, matches, pending_rules FROM events
         WHERE pending_rules IS NOT NULL AND id < ",
    );
    query.bind(EventId::new(before, 0).to_string());
    query.push(" ORDER BY id LIMIT ").bind(i64::from(limit));
    query
}

fn read_pending(row: &AnyRow) -> Result<PendingEvent, StoreError> {
    let reader = Reader::new(row, "events")?;
    let StoredEvent { id, body, received_at, .. } = read_event(row)?;
    Ok(PendingEvent {
        id,
        tenant: reader.tenant()?,
        body,
        received_at,
        outcomes: reader.json("matches")?,
        pending_rules: reader.json("pending_rules")?,
    })
}

async fn give_up(
    connection: &mut AnyConnection,
    row: &AnyRow,
    why: &str,
) -> Result<(), StoreError> {
    let read = Reader::new(row, "events")?;
    let (matches, pending): (String, String) = (read.get("matches")?, read.get("pending_rules")?);
    sqlx::query(
        "UPDATE events SET matches = $3, pending_rules = NULL WHERE tenant = $1 AND id = $2",
    )
    .bind(read.get::<String>("tenant")?)
    .bind(read.get::<String>("id")?)
    .bind(given_up(&matches, &pending, why).unwrap_or(matches))
    .execute(connection)
    .await?;
    Ok(())
}

/// What became of an event's rules, with the pending ones given up. Outcomes of
/// other rules stay as they are, also in words that this release does not know;
/// none when there is nothing to be read.
fn given_up(matches: &str, pending: &str, why: &str) -> Option<String> {
    let mut outcomes: Vec<Value> = serde_json::from_str(matches).ok()?;
    let pending: Vec<RuleId> = serde_json::from_str(pending).ok()?;
    let names: Vec<String> = pending.iter().map(RuleId::to_string).collect();
    outcomes.retain(|outcome| {
        let rule = outcome["alert_rule_id"].as_str();
        !rule.is_some_and(|rule| names.iter().any(|name| name == rule))
    });
    let told = pending.into_iter().map(|rule| {
        let outcome = RuleOutcome::new(rule, Reason::GivenUp).with_detail(why);
        serde_json::to_value(outcome).unwrap_or_default()
    });
    outcomes.extend(told);
    Some(json_text(&outcomes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_other_rules_stays_in_whatever_words() {
        let rule = RuleId::new(Timestamp::UNIX_EPOCH, 1);
        let matches = format!(
            r#"[{{"alert_rule_id":"{rule}","fired":false,"reason":"pending"}},
                {{"alert_rule_id":"rule_x","fired":false,"reason":"a_word_of_tomorrow"}}]"#
        );
        let told = given_up(&matches, &json_text(&[rule]), "too late").unwrap();
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told[0]["reason"], "a_word_of_tomorrow");
        assert_eq!(
            (&told[1]["reason"], &told[1]["detail"]),
            (&"given_up".into(), &"too late".into())
        );
        assert_eq!(told.as_array().unwrap().len(), 2);
        assert_eq!(given_up("no list", "[]", "too late"), None);
    }
}
