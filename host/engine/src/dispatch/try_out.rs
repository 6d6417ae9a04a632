//! Trying an endpoint out: a test alert through the real path, and a preview
//! that sends nothing.

use std::sync::Arc;

use alerts_domain::delivery::{Attempt, Delivery, DeliveryStatus, Lease, Transition};
use alerts_domain::event::Event;
use alerts_domain::exchange::{Request, Step, Verdict};
use alerts_domain::id::{DeliveryId, EndpointId, EventId, HostId};
use alerts_sandbox::Sandbox;
use alerts_store::{NewDelivery, NewEvent, Store};

use super::attempt::{Attempts, Tried};
use super::dispatcher::Dispatcher;
use super::job::JobEvent;
use super::recording::Recorder;
use super::test_places::TestPlaces;
use crate::actor::Actor;
use crate::catalog::{Catalog, Draft, Endpoints, TenantCatalog};
use crate::clock::Clock;
use crate::egress::Egress;
use crate::entropy::Entropy;
use crate::error::{ChangeError, EngineError};
use crate::live::{LiveEndpoint, RateLimits};
use crate::plugins::Plugins;
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

/// What became of a test alert that was sent to a draft.
#[derive(Debug, Clone)]
pub struct DraftTest {
    /// Whether the target took it.
    pub is_delivered: bool,
    /// What was sent and answered.
    pub attempt: Attempt,
}

/// What tries endpoints out. Cheap to clone.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a clock has nothing to show")]
pub struct TryOut {
    pub(crate) host: HostId,
    pub(crate) store: Store,
    pub(crate) catalog: Catalog,
    pub(crate) endpoints: Endpoints,
    pub(crate) plugins: Plugins,
    pub(crate) sandbox: Sandbox,
    pub(crate) egress: Egress,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) attempts: Arc<Attempts>,
    pub(crate) recorder: Recorder,
    pub(crate) test_places: TestPlaces,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<Entropy>,
}

impl TryOut {
    /// Sends a test alert to an endpoint now, past the queue but else as every
    /// alert goes, and waits for what becomes of it. It is not retried.
    pub async fn send_test(
        &self,
        actor: &Actor,
        endpoint: EndpointId,
    ) -> Result<(Delivery, Attempt), ChangeError> {
        let catalog = self.catalog.get(&actor.tenant).await?;
        let live = catalog.endpoint(endpoint).ok_or(ChangeError::NotFound("webhook endpoint"))?;
        if !live.stored().spec.is_active {
            return Err(ChangeError::Conflict(format!(
                "endpoint {endpoint} is switched off; set `is_active` to true first"
            )));
        }
        refuse_unless_open(&catalog)?;
        let _place = self.test_places.take(&actor.tenant)?;
        let mut delivery = self.test_delivery(actor, endpoint);
        delivery.status = DeliveryStatus::Leased;
        let lease = Lease { host: self.host, fence: 1 };
        let event = sample::event(&delivery)?;
        let told = JobEvent {
            event_type: Some(event.event_type.clone()),
            body: event.body.clone(),
            received_at: delivery.created_at,
        };
        // A person waits for it: no limit holds it up.
        let limits = RateLimits::default();
        let job = self.dispatcher.hold(delivery.clone(), lease, told, limits);
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
        self.store.accept(vec![new]).await?;

        let Tried { attempt, mut transition, .. } = self.attempts.attempt(&job).await;
        if let Transition::Release { reason, .. } = transition {
            // Nobody waits for a test that comes later.
            let error = reason.unwrap_or_else(|| "nothing could be tried now".into());
            transition = Transition::Bury { error, disable_rule: false };
        }
        let (finished, _hold) = job.ended(attempt, transition, self.clock.now());
        delivery.status = finished.transition.status();
        delivery.finished_at = Some(finished.now);
        let attempt = finished.attempt.clone();
        if let Transition::Bury { error, .. } = &finished.transition {
            delivery.last_error = Some(error.to_string());
        }
        self.recorder.record(finished).await;
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
        let catalog = self.catalog.get(&actor.tenant).await?;
        let live = catalog.endpoint(endpoint).ok_or(ChangeError::NotFound("webhook endpoint"))?;
        self.preview_of(actor, live, event).await
    }

    /// The same for an endpoint as somebody is about to save it.
    pub async fn preview_draft(
        &self,
        actor: &Actor,
        draft: Draft,
        event: Option<Event>,
    ) -> Result<Preview, ChangeError> {
        let live = self.endpoints.drafted(actor, draft).await?;
        self.preview_of(actor, &live, event).await
    }

    /// Sends a test alert to an endpoint as somebody is about to save it. Neither the
    /// endpoint nor what became of the alert is stored; that it was tried is in the audit
    /// log.
    pub async fn test_draft(&self, actor: &Actor, draft: Draft) -> Result<DraftTest, ChangeError> {
        refuse_unless_open(&*self.catalog.get(&actor.tenant).await?)?;
        let _place = self.test_places.take(&actor.tenant)?;
        let live = Arc::new(self.endpoints.drafted(actor, draft).await?);
        self.endpoints.note_test_of(actor, &live).await?;
        let delivery = self.test_delivery(actor, live.stored().id);
        let event = sample::event(&delivery)?;
        let attempt = self.attempts.attempt_draft(&delivery, live, &event.body).await;
        let attempt = attempt.map_err(ChangeError::Conflict)?;
        Ok(DraftTest { is_delivered: attempt.verdict == "delivered", attempt })
    }

    async fn preview_of(
        &self,
        actor: &Actor,
        live: &LiveEndpoint,
        event: Option<Event>,
    ) -> Result<Preview, ChangeError> {
        let delivery = self.test_delivery(actor, live.stored().id);
        let event = match event {
            Some(event) => event,
            None => sample::event(&delivery)?,
        };
        let alert = self
            .attempts
            .alert(&delivery, live, &event.body, delivery.created_at)
            .map_err(|error| ChangeError::field("/event", error.to_string()))?;
        let (plugin, target) =
            self.attempts.target_call(&delivery, live, alert).map_err(ChangeError::Conflict)?;
        let step = self.sandbox.next(&plugin, &actor.tenant, &target, &[]).await;
        let step = step.map_err(EngineError::from)?;
        let (request, asks_again) = match step {
            Step::Done(verdict) => return Ok(Preview::Verdict(verdict)),
            Step::Send(request) => (request, true),
            Step::SendLast(request) => (request, false),
        };
        let granted = self.plugins.origins_for(plugin.manifest(), &actor.tenant);
        let signed = self.egress.preview(request, live, &granted, &target.id, self.clock.now());
        let request = signed.map_err(|refused| ChangeError::Conflict(refused.to_string()))?;
        Ok(Preview::Request { request, asks_again })
    }

    fn test_delivery(&self, actor: &Actor, endpoint: EndpointId) -> Delivery {
        let now = self.clock.now();
        let (id, event) =
            (self.entropy.id(now, DeliveryId::new), self.entropy.id(now, EventId::new));
        sample::delivery(&actor.tenant, id, event, endpoint, now)
    }
}

fn refuse_unless_open(catalog: &TenantCatalog) -> Result<(), ChangeError> {
    match catalog.is_open() {
        true => Ok(()),
        false => Err(ChangeError::Conflict(
            "alerts are not open to this namespace yet; ask the operator".to_owned(),
        )),
    }
}
