//! The order of what is about one thing at a target: an incident that is resolved must
//! not be opened again by the alert that was to open it and is still being retried.

use std::sync::Arc;
use std::time::Duration;

use alerts_domain::delivery::Transition;
use alerts_sandbox::{CallError, Plugin, Sandbox, TargetDelivery};
use alerts_store::{Order, Ordered, Store};

use super::job::Job;
use crate::clock::Clock;

/// How long a delivery waits until it is looked whether the one before it has come to
/// an end: an exchange seldom takes longer.
const BEFORE: Duration = Duration::from_secs(1);

/// Asks for a delivery's turn.
pub(crate) struct Ordering {
    pub(crate) store: Store,
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Whether a delivery may be sent.
#[derive(Debug)]
pub(super) enum Turn {
    /// It may.
    Now,
    /// Nothing is sent now: it waits for another, or is superseded, as this says.
    NotNow(Transition),
}

impl Ordering {
    /// Whether it is this delivery's turn among those that are about the same thing.
    /// A test is about nothing: it is for the person who waits for its answer.
    pub(super) async fn turn(
        &self,
        job: &Job,
        plugin: &Arc<Plugin>,
        target: &TargetDelivery,
    ) -> Result<Turn, CallError> {
        let delivery = &job.delivery;
        if delivery.alert_rule_id.is_none() {
            return Ok(Turn::Now);
        }
        let Some(key) = self.sandbox.ordering_key(plugin, &delivery.tenant, target).await? else {
            return Ok(Turn::Now);
        };
        let ordered = Ordered {
            tenant: delivery.tenant.clone(),
            endpoint: delivery.webhook_endpoint_id,
            key,
            id: delivery.id,
            lease: job.lease,
        };
        let wait = |reason: String| Transition::Release {
            at: self.clock.after(BEFORE),
            reason: Some(reason.into()),
        };
        Ok(match self.store.take_order(&ordered).await {
            Ok(Order::Next) => Turn::Now,
            Ok(Order::Superseded(by)) => Turn::NotNow(Transition::Supersede { by }),
            Ok(Order::After(before)) => Turn::NotNow(wait(format!(
                "waits for {before}, which is about the same thing and on its way"
            ))),
            Err(error) => {
                tracing::error!(delivery = %delivery.id, %error, "its order could not be looked up");
                Turn::NotNow(wait("its order could not be looked up; it is tried again".to_owned()))
            }
        })
    }
}
