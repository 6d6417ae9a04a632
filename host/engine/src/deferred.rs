//! Deferred matching: rules whose condition plugin could not answer when the
//! event came in. The event was accepted all the same; its rules are asked
//! again until the plugin answers.

use std::time::Duration;

use alerts_domain::event::Event;
use alerts_domain::id::RuleId;
use alerts_store::PendingEvent;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::intake::to_json;

/// How many events are matched between two looks at the shutdown signal.
const BATCH: u32 = 100;
/// How long to leave a plugin alone that could not answer.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

impl Engine {
    /// One round. Says whether anything is left to be asked again.
    pub(crate) async fn match_deferred(&self) -> Result<bool, EngineError> {
        let mut left = false;
        for pending in self.store().events_with_pending_rules(BATCH).await? {
            left |= !self.match_one(pending).await?;
        }
        self.pump();
        self.dispatcher().wake_at(self.clock().now());
        Ok(left)
    }

    /// Whether the event is done with.
    async fn match_one(&self, pending: PendingEvent) -> Result<bool, EngineError> {
        let PendingEvent { id, tenant, body, matches: known, pending_rules, .. } = pending;
        let now = self.clock().now();
        let Ok(event) = Event::from_structured(body) else {
            // Intake let it in, so this is a bug of ours or damage; do not loop on it.
            tracing::error!(event = %id, "a stored event does not read; its deferred rules are given up");
            self.store().complete_match(&tenant, id, &known, &[]).await?;
            return Ok(true);
        };
        let catalog = self.catalog().get(&tenant).await?;
        let rules = pending_rules.iter().filter_map(|rule| catalog.rule(*rule));
        let matches = self.matcher().matches(&tenant, &catalog, &event, rules).await;
        if !matches.pending().is_empty() {
            return Ok(false);
        }
        let mut deliveries = self.deliveries(&tenant, &catalog, id, now, &matches);
        for new in &mut deliveries {
            // Left to be claimed: the claim reads the event back with it.
            if new.lease.take().is_some() {
                new.delivery.status = alerts_domain::delivery::DeliveryStatus::Scheduled;
                new.delivery.next_attempt_at = Some(now);
            }
        }
        let merged = merge(&known, &pending_rules, &to_json(&matches));
        self.store().complete_match(&tenant, id, &merged, &deliveries).await?;
        Ok(true)
    }
}

/// The outcomes known from intake, with those of the pending rules replaced.
fn merge(known: &str, pending: &[RuleId], fresh: &str) -> String {
    let read =
        |text: &str| serde_json::from_str::<Vec<serde_json::Value>>(text).unwrap_or_default();
    let is_pending = |outcome: &serde_json::Value| {
        let id = outcome["alert_rule_id"].as_str().and_then(|id| id.parse::<RuleId>().ok());
        id.is_some_and(|id| pending.contains(&id))
    };
    let mut outcomes = read(known);
    outcomes.retain(|outcome| !is_pending(outcome));
    outcomes.extend(read(fresh));
    serde_json::Value::from(outcomes).to_string()
}
