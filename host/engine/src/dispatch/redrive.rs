//! What a person does with deliveries: send again, try now, cancel.

use std::sync::Arc;

use alerts_domain::id::DeliveryId;
use alerts_store::{DeliveryChange, RedriveScope, Redriven, Store, StoreError};
use serde_json::json;

use crate::actor::Actor;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::wakes::Wakes;

/// The deliveries of all tenants, as people change them.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a clock has nothing to show")]
pub struct Deliveries {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<Entropy>,
    pub(crate) wakes: Wakes,
}

impl Deliveries {
    /// Sends dead or skipped deliveries again, as new ones that point to the
    /// old. Says for each what became of it.
    pub async fn redrive(
        &self,
        actor: &Actor,
        scope: &RedriveScope,
    ) -> Result<Vec<Redriven>, StoreError> {
        let now = self.clock.now();
        let detail = match scope {
            RedriveScope::Ids(ids) => json!({"ids": ids}),
            RedriveScope::Dead { alert_rule_id, from, to } => {
                json!({"alert_rule_id": alert_rule_id, "from": from, "to": to})
            }
        };
        let entry = actor.does("deliveries.redriven", "", detail);
        let new_id = || self.entropy.id(now, DeliveryId::new);
        let redriven = self.store.redrive(&actor.tenant, scope, now, new_id, &entry).await?;
        self.wakes.claims.set(now);
        Ok(redriven)
    }

    /// Has a scheduled delivery tried at once.
    pub async fn retry_now(
        &self,
        actor: &Actor,
        id: DeliveryId,
    ) -> Result<DeliveryChange, StoreError> {
        let now = self.clock.now();
        let entry = actor.does("delivery.retried", id, json!({}));
        let changed = self.store.reschedule_now(&actor.tenant, id, &entry, now).await?;
        self.wakes.claims.set(now);
        Ok(changed)
    }

    /// Stops a scheduled delivery for good.
    pub async fn cancel(
        &self,
        actor: &Actor,
        id: DeliveryId,
    ) -> Result<DeliveryChange, StoreError> {
        let entry = actor.does("delivery.canceled", id, json!({}));
        self.store.cancel_delivery(&actor.tenant, id, &entry, self.clock.now()).await
    }
}
