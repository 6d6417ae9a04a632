//! How attempts ended, many at once, fenced by the lease's number.

use std::collections::HashSet;

use alerts_domain::delivery::{Attempt, DeliveryStatus, ErrorText, Lease, Transition};
use sqlx::{AnyConnection, Row as _};

use crate::audit::{self, AuditEntry};
use crate::batch::Column::{Number, Text};
use crate::batch::{Batch, Query};
use crate::error::StoreError;
use crate::finished::{Ended, FinishOutcome, Finished};
use crate::gone::GoneCounts;
use crate::ledger::Ledger;
use crate::row::us;
use crate::tenant_lock;

static DELIVERIES: Batch = Batch::new(
    "WITH ended (tenant, id, host, fence, new_status, attempts, due_at, error, at) AS (",
    &[Text, Text, Text, Number, Text, Number, Number, Text, Number],
    ") UPDATE deliveries SET status = ended.new_status,
        attempt_count = COALESCE(ended.attempts, attempt_count),
        next_attempt_at = ended.due_at, last_error = ended.error, finished_at = ended.at,
        lease_host = NULL
     FROM ended
     WHERE deliveries.tenant = ended.tenant AND deliveries.id = ended.id
       AND status = 'leased' AND lease_host = ended.host AND lease_fence = ended.fence",
);

static ATTEMPTS: Batch = Batch::new(
    "INSERT INTO attempts (tenant, delivery_id, number, started_at, duration_ms, status_code, \
     verdict, error, note, plugin_digest, endpoint_version, exchanges)",
    &[Text, Text, Number, Number, Number, Number, Text, Text, Text, Text, Number, Text],
    "",
);

static HELD: Batch = Batch::new(
    "SELECT tenant, id, lease_host, lease_fence FROM deliveries
     WHERE status = 'leased' AND (tenant, id, lease_host, lease_fence) IN (",
    &[Text, Text, Text, Number],
    ")",
);

/// What is believed of the leases of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leases {
    /// All of them hold, as they nearly always do: it is not looked.
    Assumed,
    /// Some are lost, and it is looked which.
    Checked,
}

/// Writes several results, and answers for each. None when some of the leases that
/// were believed to hold are lost: then this transaction is of no use.
pub(crate) async fn write(
    connection: &mut AnyConnection,
    group: &[&Ended],
    leases: Leases,
    gone: &mut GoneCounts,
    ledger: &mut Ledger,
) -> Result<Option<Vec<FinishOutcome>>, StoreError> {
    // In the order of their rows, as every transaction takes them.
    let mut sorted: Vec<(usize, &Ended)> = group.iter().copied().enumerate().collect();
    sorted.sort_by_key(|(_, ended)| (&ended.finished().tenant, ended.finished().id));
    if leases == Leases::Checked {
        sorted = held(connection, sorted).await?;
    }
    let (places, rows): (Vec<usize>, Vec<&Ended>) = sorted.into_iter().unzip();
    let Some(recorded) = write_held(connection, &rows, gone, ledger).await? else {
        // Of one alone it is known which it is.
        return Ok((group.len() == 1).then(|| vec![FinishOutcome::LeaseLost]));
    };
    let mut outcomes = vec![FinishOutcome::LeaseLost; group.len()];
    for (place, outcome) in places.into_iter().zip(recorded) {
        outcomes[place] = outcome;
    }
    Ok(Some(outcomes))
}

/// Those whose leases hold; of several for one delivery the first.
async fn held<'e>(
    connection: &mut AnyConnection,
    group: Vec<(usize, &'e Ended)>,
) -> Result<Vec<(usize, &'e Ended)>, StoreError> {
    let rows = HELD.fetch(connection, &group, |query, (_, ended)| {
        let finished = ended.finished();
        query
            .bind(finished.tenant.as_str().to_owned())
            .bind(finished.id.to_string())
            .bind(finished.lease.host.to_string())
            .bind(finished.lease.fence)
    });
    // With the lease: a group may bring a delivery twice, under a lease that is lost
    // and under the one that followed it.
    let mut held: HashSet<(String, String, String, i64)> = HashSet::new();
    for row in rows.await? {
        let (tenant, id) = (row.try_get("tenant")?, row.try_get("id")?);
        held.insert((tenant, id, row.try_get("lease_host")?, row.try_get("lease_fence")?));
    }
    let mut is_held = |finished: &Finished| {
        let Lease { host, fence } = finished.lease;
        let (tenant, id) = (finished.tenant.as_str().to_owned(), finished.id.to_string());
        held.remove(&(tenant, id, host.to_string(), fence))
    };
    Ok(group.into_iter().filter(|(_, ended)| is_held(ended.finished())).collect())
}

/// None when some of the leases are lost.
async fn write_held(
    connection: &mut AnyConnection,
    group: &[&Ended],
    gone: &mut GoneCounts,
    ledger: &mut Ledger,
) -> Result<Option<Vec<FinishOutcome>>, StoreError> {
    if group.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let finishes: Vec<&Finished> = group.iter().map(|ended| ended.finished()).collect();
    let ends = gone.count(connection, &finishes).await?;
    let ended: Vec<(&Finished, &Transition)> = finishes.into_iter().zip(&ends).collect();
    let held = DELIVERIES.execute(connection, &ended, |query, (f, end)| bind_end(query, f, end));
    // Which ones it were would be a row each to be read back, for what hardly ever is.
    if held.await? != group.len() as u64 {
        return Ok(None);
    }
    let attempts: Vec<(&Ended, &Attempt)> = group
        .iter()
        .filter_map(|ended| Some((*ended, ended.finished().attempt.as_ref()?)))
        .collect();
    let bind = |query, (row, attempt): &(&Ended, &Attempt)| bind_attempt(query, row, attempt);
    ATTEMPTS.execute(connection, &attempts, bind).await?;

    let mut outcomes = Vec::with_capacity(group.len());
    for (finished, end) in ended {
        ledger.ended(finished, end);
        let is_off = match end {
            Transition::Bury { error, disable_rule: true } => {
                disable_rule(connection, finished, error).await?
            }
            _ => false,
        };
        outcomes.push(if is_off { FinishOutcome::RuleDisabled } else { FinishOutcome::Recorded });
    }
    Ok(Some(outcomes))
}

fn bind_end(query: Query, finished: &Finished, end: &Transition) -> Query {
    let (due_at, error) = match end {
        Transition::Deliver => (None, None),
        Transition::Retry { at, error } => (Some(*at), Some(error.to_string())),
        Transition::Bury { error, .. } => (None, Some(error.to_string())),
        Transition::Release { at, reason } => (Some(*at), reason.as_ref().map(ToString::to_string)),
        Transition::Supersede { by } => {
            (None, Some(format!("superseded by {by}, which is about the same thing and newer")))
        }
        // Only of a lease that is lost: then nothing is written.
        Transition::Gone { error, .. } => (None, Some(error.to_string())),
    };
    let status: DeliveryStatus = end.status();
    query
        .bind(finished.tenant.as_str().to_owned())
        .bind(finished.id.to_string())
        .bind(finished.lease.host.to_string())
        .bind(finished.lease.fence)
        .bind(status.as_str())
        .bind(finished.attempt.as_ref().map(|attempt| i64::from(attempt.number)))
        .bind(due_at.map(us))
        .bind(error)
        .bind(status.is_terminal().then(|| us(finished.now)))
}

fn bind_attempt(query: Query, row: &Ended, attempt: &Attempt) -> Query {
    let finished = row.finished();
    query
        .bind(finished.tenant.as_str().to_owned())
        .bind(finished.id.to_string())
        .bind(i64::from(attempt.number))
        .bind(us(attempt.started_at))
        .bind(i64::try_from(attempt.duration_ms).unwrap_or(i64::MAX))
        .bind(attempt.status_code.map(i64::from))
        .bind(attempt.verdict.clone())
        .bind(attempt.error.as_ref().map(ToString::to_string))
        .bind(attempt.note.clone())
        .bind(attempt.plugin_digest.clone())
        .bind(attempt.endpoint_version)
        .bind(row.exchanges().map(str::to_owned))
}

/// Switches off the rule whose target is gone, and says so in the audit log. The
/// tenant's row is locked already: it comes before those of its rules. The rule's
/// version grows also where this host's clock is behind. Says whether it was on.
async fn disable_rule(
    connection: &mut AnyConnection,
    finished: &Finished,
    reason: &ErrorText,
) -> Result<bool, StoreError> {
    let Some(rule) = finished.alert_rule_id else { return Ok(false) };
    let disabled = sqlx::query_scalar::<_, String>(
        "UPDATE alert_rules SET is_active = 0, disabled_reason = $3,
            updated_at = CASE WHEN updated_at < $4 THEN $4 ELSE updated_at + 1 END
         WHERE tenant = $1 AND id = $2 AND is_active = 1 AND deleted_at IS NULL
         RETURNING name",
    )
    .bind(finished.tenant.as_str())
    .bind(rule.to_string())
    .bind(reason.as_str())
    .bind(us(finished.now))
    .fetch_optional(&mut *connection)
    .await?;
    let Some(name) = disabled else { return Ok(false) };
    let entry = AuditEntry {
        actor: "system".to_owned(),
        action: "alert_rule.disabled".to_owned(),
        resource: rule.to_string(),
        detail: serde_json::json!({
            "name": name,
            "reason": reason.as_str(),
            "delivery": finished.id,
        }),
    };
    tenant_lock::raise_revision(connection, &finished.tenant).await?;
    audit::append(connection, &finished.tenant, &entry, finished.now).await?;
    Ok(true)
}
