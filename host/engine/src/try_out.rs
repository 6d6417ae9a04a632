//! Trying an endpoint out: a test alert through the real path, and a preview
//! that sends nothing.

use alerts_domain::alert;
use alerts_domain::delivery::{Attempt, Delivery, DeliveryStatus, Lease, Transition};
use alerts_domain::event::Event;
use alerts_domain::exchange::{Request, Step, Verdict};
use alerts_domain::id::{DeliveryId, EndpointId, EventId};
use alerts_store::{NewDelivery, NewEvent};

use crate::Actor;
use crate::dispatch::Job;
use crate::engine::Engine;
use crate::error::{ChangeError, EngineError};
use crate::sample;

/// What an adapter would do first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preview {
    /// Send this: references in place of secrets, signed as it would be now.
    Request {
        /// As it would leave.
        request: Request,
        /// Whether the adapter looks at the answer and may send more.
        asks_again: bool,
    },
    /// End the attempt without a request.
    Verdict(Verdict),
}

impl Engine {
    /// Sends a test alert to an endpoint now, past the queue but else as every
    /// alert goes, and waits for what becomes of it. It is not retried.
    pub async fn send_test(
        &self,
        actor: &Actor,
        endpoint: EndpointId,
    ) -> Result<(Delivery, Attempt), ChangeError> {
        let catalog = self.catalog().get(&actor.tenant).await?;
        let live = catalog.endpoint(endpoint).ok_or(ChangeError::NotFound("webhook endpoint"))?;
        if !live.stored().spec.is_active {
            return Err(ChangeError::Conflict(format!(
                "endpoint {endpoint} is switched off; set `is_active` to true first"
            )));
        }
        if !self.is_open_to(&catalog) {
            return Err(ChangeError::Conflict(
                "alerts are not open to this namespace yet; ask the operator".to_owned(),
            ));
        }
        let mut delivery = self.test_delivery(actor, endpoint);
        delivery.status = DeliveryStatus::Leased;
        let lease = Lease { host: self.host_id(), fence: 1 };
        let event = sample::event(&delivery)?;
        let job = Job {
            delivery: delivery.clone(),
            lease,
            event_body: event.body.clone(),
            received_at: delivery.created_at,
        };
        let new = NewEvent {
            id: delivery.event_id,
            tenant: actor.tenant.clone(),
            event,
            received_at: delivery.created_at,
            outcomes: Vec::new(),
            pending_rules: None,
            deliveries: vec![NewDelivery { delivery: delivery.clone(), lease: Some(lease) }],
            observations: Vec::new(),
        };
        self.store().accept(vec![new]).await?;

        let mut finished = self.attempt(job).await;
        if let Transition::Release { reason, .. } = &finished.transition {
            // Nobody waits for a test that comes later.
            let error = reason.clone().unwrap_or_else(|| "nothing could be tried now".to_owned());
            finished.transition = Transition::Bury { error, disable_rule: false };
        }
        delivery.status = finished.transition.status();
        delivery.finished_at = Some(finished.now);
        let attempt = finished.attempt.clone();
        if let Transition::Bury { error, .. } = &finished.transition {
            delivery.last_error = Some(error.clone());
        }
        self.record(finished).await;
        let attempt = attempt.ok_or_else(|| {
            ChangeError::Conflict(delivery.last_error.clone().unwrap_or_default())
        })?;
        delivery.attempt_count = attempt.number;
        Ok((delivery, attempt))
    }

    /// The request that an endpoint's adapter would send for this event, or for
    /// a sample. Sends nothing and stores nothing.
    pub async fn preview(
        &self,
        actor: &Actor,
        endpoint: EndpointId,
        event: Option<Event>,
    ) -> Result<Preview, ChangeError> {
        let catalog = self.catalog().get(&actor.tenant).await?;
        let live = catalog.endpoint(endpoint).ok_or(ChangeError::NotFound("webhook endpoint"))?;
        let delivery = self.test_delivery(actor, endpoint);
        let event = match event {
            Some(event) => event,
            None => sample::event(&delivery)?,
        };
        let include_data = live.stored().spec.include_event_data;
        let alert = alert::build(&delivery, &event.body, delivery.created_at, include_data)
            .map_err(|error| ChangeError::field("/event", error.to_string()))?;
        let (plugin, target) =
            self.target_call(&delivery, live, alert).map_err(ChangeError::Conflict)?;
        let step = self.sandbox().next(&plugin, &target, &[]).await.map_err(EngineError::from)?;
        let (request, asks_again) = match step {
            Step::Done(verdict) => return Ok(Preview::Verdict(verdict)),
            Step::Send(request) => (request, true),
            Step::SendLast(request) => (request, false),
        };
        let granted = self.plugins().origins_for(plugin.manifest(), &actor.tenant);
        let signed = self.egress().preview(request, live, &granted, &target.id, self.clock().now());
        let request = signed.map_err(|refused| ChangeError::Conflict(refused.to_string()))?;
        Ok(Preview::Request { request, asks_again })
    }

    fn test_delivery(&self, actor: &Actor, endpoint: EndpointId) -> Delivery {
        let now = self.clock().now();
        let (id, event) =
            (self.entropy().id(now, DeliveryId::new), self.entropy().id(now, EventId::new));
        sample::delivery(&actor.tenant, id, event, endpoint, now)
    }
}
