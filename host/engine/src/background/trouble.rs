//! The loop that tells of the host's own trouble: what was noted, and plugins that rest,
//! becomes events like any other.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::event::Event;
use alerts_domain::id::HostId;
use alerts_domain::own_event::{OwnEvent, PLUGIN_RESTING};
use alerts_domain::tenant::TenantId;
use bytes::Bytes;
use serde_json::json;

use super::supervisor::{BackgroundLoop, Pulse};
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::dispatch::Dispatcher;
use crate::error::EngineError;
use crate::intake::Intake;
use crate::plugins::Plugins;
use crate::trouble::{Due, TroubleNotes};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// A plugin that was told of is told of again once it has been well for so long.
const PLUGIN_GAP: Duration = Duration::from_secs(3600);
/// Events that wait for a database that is away, at most; the oldest go first.
const MAX_WAITING: usize = 10_000;

/// Tells of trouble.
pub(crate) struct TroubleLoop {
    pub(crate) host: HostId,
    pub(crate) notes: TroubleNotes,
    pub(crate) intake: Intake,
    pub(crate) catalog: Catalog,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) plugins: Plugins,
    pub(crate) clock: Arc<dyn Clock>,
    /// When plugins that were told of were last seen resting.
    pub(crate) resting: HashMap<String, Timestamp>,
    pub(crate) waiting: VecDeque<Due>,
}

impl BackgroundLoop for TroubleLoop {
    const NAME: &'static str = "own trouble";
    /// It stores an event at a time, and says so each time.
    const SILENT_AFTER: Duration = Duration::from_secs(60);
    const RESTS_FIRST: bool = true;

    async fn round(&mut self, pulse: &Pulse) {
        let now = self.clock.now();
        let due = self.notes.due(self.host, now, |endpoint| self.dispatcher.circuit(endpoint));
        self.waiting.extend(due);
        let resting = self.plugins_resting(now);
        self.waiting.extend(resting);
        let too_many = self.waiting.len().saturating_sub(MAX_WAITING);
        self.waiting.drain(..too_many);
        while let Some(due) = self.waiting.front() {
            match self.tell(due).await {
                Ok(()) => {}
                // It is refused for good: its tenant has too many rules that it fires.
                Err(error @ EngineError::TooManyDeliveries { .. }) => {
                    let id = &due.event.subject;
                    tracing::error!(%error, subject = %id, "an event about trouble is left out");
                }
                Err(error) => {
                    tracing::warn!(%error, "own trouble could not be told; trying again");
                    return;
                }
            }
            self.waiting.pop_front();
            pulse.beat();
        }
    }

    async fn rest(&mut self) {
        self.clock.sleep_until(self.clock.after(EVERY)).await;
    }
}

impl TroubleLoop {
    /// Stores the event, unless what it is about is gone by now.
    async fn tell(&self, due: &Due) -> Result<(), EngineError> {
        let Due { event, endpoint, rule } = due;
        let mut event = event.clone();
        let catalog = self.catalog.get(&event.namespace).await?;
        if let Some(id) = endpoint {
            let Some(endpoint) = catalog.endpoint(*id) else { return Ok(()) };
            event.data["webhook_endpoint_id"] = json!(id);
            event.data["webhook_endpoint_name"] = json!(endpoint.stored().spec.name);
        }
        if let Some(id) = rule {
            let Some(rule) = catalog.rule(*id) else { return Ok(()) };
            event.data["alert_rule_id"] = json!(id);
            event.data["alert_rule_name"] = json!(rule.stored.spec.name);
        }
        let read = Event::from_structured(Bytes::from(event.json().to_string()));
        match read {
            Ok(read) => self.intake.accept(vec![(event.namespace, read)]).await.map(drop),
            Err(problems) => {
                tracing::error!(subject = %event.subject, ?problems, "an event about trouble is left out");
                Ok(())
            }
        }
    }

    /// Plugins that rest and were not told of.
    fn plugins_resting(&mut self, now: Timestamp) -> Vec<Due> {
        let well_since = now.saturating_sub(PLUGIN_GAP).unwrap_or(Timestamp::MIN);
        self.resting.retain(|_, seen| *seen > well_since);
        let mut due = Vec::new();
        for plugin in self.plugins.all() {
            let Some(open) = plugin.in_use.as_ref().and_then(|in_use| in_use.circuit()) else {
                continue;
            };
            if self.resting.insert(plugin.id.clone(), now).is_none() {
                let event = OwnEvent {
                    namespace: TenantId::operators(),
                    event_type: PLUGIN_RESTING,
                    subject: format!("plugin/{}", plugin.id),
                    // Each host calls plugins by itself.
                    occasion: format!("{}/{}", self.host, open.since.as_microsecond()),
                    at: now,
                    data: json!({
                        "plugin": plugin.id,
                        "since": open.since,
                        "reason": open.reason.to_string(),
                    }),
                };
                due.push(Due { event, endpoint: None, rule: None });
            }
        }
        due
    }
}
