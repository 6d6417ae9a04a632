//! What one commit counts, by what it is about.

use std::collections::BTreeMap;

use alerts_domain::Timestamp;
use alerts_domain::delivery::{Delivery, Transition};
use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::stats::{FailureReason, Figures, Step};
use alerts_domain::tenant::TenantId;
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;

use crate::counted_by::CountedBy;
use crate::error::StoreError;
use crate::finished::Finished;
use crate::new_event::NewEvent;
use crate::row::{json_text, us};

/// What something that is counted is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct About {
    pub(crate) tenant: TenantId,
    /// The minute's beginning, in microseconds.
    pub(crate) minute: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_type: Option<String>,
    /// None of an event as such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    webhook_endpoint_id: Option<EndpointId>,
    /// None of a test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alert_rule_id: Option<RuleId>,
}

impl About {
    /// The rows in which it is counted: what they are about, and of what.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = (CountedBy, String)> {
        let endpoint = self.webhook_endpoint_id.map(|id| id.to_string());
        let rule = self.alert_rule_id.map(|id| id.to_string());
        [
            (CountedBy::All, Some(String::new())),
            (CountedBy::WebhookEndpoint, endpoint),
            (CountedBy::AlertRule, rule),
            (CountedBy::EventType, self.event_type.clone()),
        ]
        .into_iter()
        .filter_map(|(by, subject)| Some((by, subject?)))
    }

    /// Of these figures, what counts in a row of this kind: events come to a tenant and
    /// have a type; to an endpoint and a rule, the alerts that were made for them are
    /// what events are to the tenant, and what ended is told apart by its event's type.
    pub(crate) fn part_of(&self, figures: &Figures, by: CountedBy) -> Figures {
        let is_alert = self.webhook_endpoint_id.is_some();
        let is_of_alerts = matches!(by, CountedBy::WebhookEndpoint | CountedBy::AlertRule);
        let events = if is_alert == is_of_alerts { figures.events } else { 0 };
        let ended = figures.delivered + figures.dead;
        let event_types = match &self.event_type {
            Some(event_type) if is_of_alerts && ended > 0 => {
                BTreeMap::from([(event_type.clone(), ended)])
            }
            _ => BTreeMap::new(),
        };
        Figures { events, event_types, ..figures.clone() }
    }
}

/// What a transaction counts. Whoever stores an event or a delivery, or ends one, is
/// given it; it is written last.
#[derive(Debug, Default)]
pub(crate) struct Tally(BTreeMap<About, Figures>);

impl Tally {
    fn figures(&mut self, about: About) -> &mut Figures {
        self.0.entry(about).or_default()
    }

    /// An event that is stored and was not before.
    pub(crate) fn event(&mut self, new: &NewEvent) {
        let about = About {
            tenant: new.tenant.clone(),
            minute: minute(new.received_at),
            event_type: Some(new.event.event_type.clone()),
            webhook_endpoint_id: None,
            alert_rule_id: None,
        };
        self.figures(about).events += 1;
    }

    /// A delivery that is stored, in whatever state.
    pub(crate) fn delivery(&mut self, delivery: &Delivery) {
        let about = About {
            tenant: delivery.tenant.clone(),
            minute: minute(delivery.created_at),
            event_type: None,
            webhook_endpoint_id: Some(delivery.webhook_endpoint_id),
            alert_rule_id: delivery.alert_rule_id,
        };
        self.figures(about).events += 1;
    }

    /// A result that is written down, and where its delivery goes.
    pub(crate) fn ended(&mut self, finished: &Finished, end: &Transition) {
        let is_counted = matches!(end, Transition::Deliver | Transition::Bury { .. });
        if finished.attempt.is_none() && !is_counted {
            return;
        }
        let about = About {
            tenant: finished.tenant.clone(),
            minute: minute(finished.now),
            event_type: finished.event_type.clone(),
            webhook_endpoint_id: Some(finished.webhook_endpoint_id),
            alert_rule_id: finished.alert_rule_id,
        };
        let figures = self.figures(about);
        if let Some(attempt) = &finished.attempt {
            figures.record_attempt(FailureReason::of(attempt), attempt.status_code);
        }
        match end {
            Transition::Deliver => {
                // Two hosts' clocks may differ: what seems to end before it began took no time.
                let waited = finished.now.duration_since(finished.created_at).as_millis();
                figures.record_delivered(u64::try_from(waited).unwrap_or(0));
            }
            Transition::Bury { .. } => figures.dead += 1,
            Transition::Retry { .. }
            | Transition::Gone { .. }
            | Transition::Supersede { .. }
            | Transition::Release { .. } => {}
        }
    }

    /// A delivery that is given up without an attempt, because it is too old.
    pub(crate) fn expired(
        &mut self,
        delivery: &Delivery,
        event_type: Option<String>,
        now: Timestamp,
    ) {
        let about = About {
            tenant: delivery.tenant.clone(),
            minute: minute(now),
            event_type,
            webhook_endpoint_id: Some(delivery.webhook_endpoint_id),
            alert_rule_id: delivery.alert_rule_id,
        };
        self.figures(about).dead += 1;
    }

    /// Writes it down, as a part of the transaction that it counts.
    pub(crate) async fn write(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let counted: Vec<(&About, &Figures)> = self.0.iter().collect();
        sqlx::query("INSERT INTO stats_tallies (tally) VALUES ($1)")
            .bind(json_text(&counted))
            .execute(connection)
            .await?;
        Ok(())
    }

    /// As it was written.
    pub(crate) fn read(text: &str) -> Result<Vec<(About, Figures)>, serde_json::Error> {
        serde_json::from_str(text)
    }
}

fn minute(at: Timestamp) -> i64 {
    us(Step::Minute.beginning(at))
}
