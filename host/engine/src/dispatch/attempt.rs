//! One attempt: ask the adapter, send, ask again, until there is a verdict.
//! Writes nothing down.

use std::sync::Arc;
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::alert;
use alerts_domain::delivery::{Attempt, Delivery, ErrorText, Transition, attempt_seed};
use alerts_domain::exchange::{Exchange, Outcome, Step, Verdict};
use alerts_domain::retry::RetryPolicy;
use alerts_domain::run_url::LinkTemplate;
use alerts_sandbox::{CallError, Plugin, Sandbox, TargetDelivery};
use bytes::Bytes;

use super::job::Job;
use super::obstacle::{self, obstacle, waits_for};
use super::ordering::{Ordering, Turn};
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::egress::Egress;
use crate::entropy::Entropy;
use crate::live::{LiveEndpoint, target_endpoint};
use crate::panics::{Panicked, caught};
use crate::plugins::Plugins;

/// How long a delivery rests when the sandbox could not call the adapter just now.
const BUSY_REST: Duration = Duration::from_secs(1);
/// The same after an attempt that panicked: the next one is likely to do so too.
const PANIC_REST: Duration = Duration::from_secs(60);

/// What makes attempts.
pub(crate) struct Attempts {
    pub(crate) catalog: Catalog,
    pub(crate) plugins: Plugins,
    pub(crate) sandbox: Sandbox,
    pub(crate) egress: Egress,
    pub(crate) ordering: Ordering,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<Entropy>,
    pub(crate) run_link: Option<Arc<LinkTemplate>>,
}

/// What came of trying a delivery.
pub(super) struct Tried {
    /// What was sent and answered; none when nothing was tried.
    pub(super) attempt: Option<Attempt>,
    /// Where the delivery goes.
    pub(super) transition: Transition,
    /// Whether nothing can be sent to its endpoint for now, this delivery or another.
    pub(super) is_blocked: bool,
}

impl Tried {
    fn untried(transition: Transition) -> Self {
        Self { attempt: None, transition, is_blocked: false }
    }
}

impl Attempts {
    /// Tries one delivery. Nothing is written yet. One that panics counts as none,
    /// and its delivery goes back.
    pub(super) async fn attempt(&self, job: &Job) -> Tried {
        let ended = caught("attempt", self.try_once(job)).await;
        let ended = ended.unwrap_or_else(|Panicked(message)| {
            let (delivery, at) = (job.delivery.id, self.clock.after(PANIC_REST));
            tracing::error!(%delivery, message, "an attempt panicked; its delivery is given back");
            // Whether something was sent is not known: then it is sent again.
            let reason = Some("the attempt failed inside the host; its log says why".into());
            Tried::untried(Transition::Release { at, reason })
        });
        if ended.transition.status().is_terminal() {
            let waited = self.clock.now().duration_since(job.delivery.created_at);
            metrics::histogram!("alerts_delivery_seconds").record(waited.as_secs_f64());
        }
        ended
    }

    async fn try_once(&self, job: &Job) -> Tried {
        let (started_at, began) = (self.clock.now(), self.clock.monotonic());
        let prepared = match self.prepare(job).await {
            Ok(prepared) => prepared,
            Err(untried) => return untried,
        };
        let ended = match self.ordering.turn(job, &prepared.plugin, &prepared.target).await {
            Ok(Turn::Now) => self.converse(&prepared).await,
            Ok(Turn::NotNow(transition)) => return Tried::untried(transition),
            Err(error) => Err(error),
        };
        let (verdict, exchanges) = match ended {
            Err(error) if error.is_passing() => {
                let reason = Some(error.to_string().into());
                let at = self.clock.after(BUSY_REST);
                return Tried::untried(Transition::Release { at, reason });
            }
            Err(error) => (adapter_failed(&error), Vec::new()),
            Ok(ended) => ended,
        };
        let number = job.delivery.attempt_count + 1;
        let transition = Transition::after_attempt(
            &verdict,
            &prepared.policy,
            prepared.gone_after,
            number,
            job.delivery.created_at,
            self.clock.now(),
            self.entropy.unit(),
        );
        metrics::counter!("alerts_attempts_total", "verdict" => verdict.word()).increment(1);
        let took = self.clock.monotonic().saturating_sub(began);
        let attempt = prepared.attempt(number, started_at, took, &verdict, exchanges);
        Tried { attempt: Some(attempt), transition, is_blocked: false }
    }

    /// One attempt at an endpoint that is stored nowhere: in nobody's lane, and of no
    /// consequence. Says why where the adapter could not be asked.
    pub(super) async fn attempt_draft(
        &self,
        delivery: &Delivery,
        endpoint: Arc<LiveEndpoint>,
        event: &[u8],
    ) -> Result<Attempt, String> {
        let (started_at, began) = (self.clock.now(), self.clock.monotonic());
        let alert = self.alert(delivery, &endpoint, event, delivery.created_at);
        let alert = alert.map_err(|error| error.to_string())?;
        let (plugin, target) = self.target_call(delivery, &endpoint, alert)?;
        let (policy, gone_after) = (RetryPolicy::default(), 1);
        let prepared = Prepared { endpoint, plugin, policy, gone_after, target };
        let ended = caught("attempt", self.converse(&prepared)).await;
        let ended = ended.map_err(|Panicked(message)| {
            tracing::error!(tenant = %delivery.tenant, message, "a test of a draft panicked");
            "the attempt failed inside the host; its log says why".to_owned()
        })?;
        let (verdict, exchanges) = ended.map_err(|error| error.to_string())?;
        let took = self.clock.monotonic().saturating_sub(began);
        Ok(prepared.attempt(1, started_at, took, &verdict, exchanges))
    }

    /// All that the attempt needs, or where the delivery goes without it.
    async fn prepare(&self, job: &Job) -> Result<Prepared, Tried> {
        let blocked = |reason: String| Tried {
            attempt: None,
            transition: job.released_as_it_was(Some(waits_for(&reason))),
            is_blocked: true,
        };
        let bury = |error: String| {
            Tried::untried(Transition::Bury { error: error.into(), disable_rule: false })
        };
        let delivery = &job.delivery;
        let catalog = self.catalog.get(&delivery.tenant).await.map_err(|error| {
            tracing::error!(delivery = %delivery.id, %error, "the tenant's endpoints could not be read");
            let at = self.clock.after(BUSY_REST);
            Tried::untried(Transition::Release { at, reason: None })
        })?;
        let id = delivery.webhook_endpoint_id;
        if let Some(reason) = obstacle(&catalog, &self.plugins, &delivery.tenant, id) {
            return Err(blocked(reason));
        }
        let endpoint = catalog
            .endpoint(id)
            .ok_or_else(|| bury("the webhook endpoint was deleted".to_owned()))?;
        let spec = &endpoint.stored().spec;
        if job.event.body.is_empty() {
            return Err(bury("its event is no longer stored; retention has removed it".into()));
        }
        let alert = self
            .alert(delivery, endpoint, &job.event.body, job.event.received_at)
            .map_err(|error| bury(format!("the stored event does not read: {error}")))?;
        let (plugin, target) = self.target_call(delivery, endpoint, alert).map_err(blocked)?;
        let policy = match delivery.alert_rule_id {
            Some(id) => catalog.rule(id).map(|rule| rule.stored.spec.retry_policy),
            // A test is for the person who waits for its answer.
            None => Some(RetryPolicy { max_retries: 0, ..RetryPolicy::default() }),
        };
        let policy = policy.unwrap_or_default();
        // A test says nothing about a rule: there is nothing to count.
        let gone_after = delivery.alert_rule_id.map_or(1, |_| spec.gone_after);
        Ok(Prepared { endpoint: endpoint.clone(), plugin, policy, gone_after, target })
    }

    /// The alert's bytes for an endpoint. `event` is the body as stored.
    pub(crate) fn alert(
        &self,
        delivery: &Delivery,
        endpoint: &LiveEndpoint,
        event: &[u8],
        received_at: Timestamp,
    ) -> Result<Bytes, serde_json::Error> {
        let include_data = endpoint.stored().spec.include_event_data;
        alert::build(delivery, event, received_at, include_data, self.run_link.as_deref())
    }

    /// An endpoint's adapter and what it is told, or why that cannot be had.
    pub(crate) fn target_call(
        &self,
        delivery: &Delivery,
        endpoint: &LiveEndpoint,
        alert: Bytes,
    ) -> Result<(Arc<Plugin>, TargetDelivery), String> {
        let id = &endpoint.stored().spec.target;
        let plugin = obstacle::usable(&self.plugins, id, &delivery.tenant)?;
        let target = TargetDelivery {
            id: delivery.id.to_string(),
            attempt: delivery.attempt_count + 1,
            now_ms: self.clock.now().as_millisecond().max(0) as u64,
            seed: attempt_seed(delivery.id, delivery.attempt_count + 1),
            alert,
            endpoint: target_endpoint(endpoint),
        };
        Ok((plugin, target))
    }

    /// Asks and sends until a verdict.
    async fn converse(&self, prepared: &Prepared) -> Result<(Verdict, Vec<Exchange>), CallError> {
        let Prepared { endpoint, plugin, target, .. } = prepared;
        let tenant = &endpoint.stored().tenant;
        let granted = self.plugins.origins_for(plugin.manifest(), tenant);
        let mut exchanges: Vec<Exchange> = Vec::new();
        loop {
            let step = match self.sandbox.next(plugin, tenant, target, &exchanges).await {
                Ok(step) => step,
                // What was sent already must stay on record.
                Err(error) if !exchanges.is_empty() => {
                    return Ok((adapter_failed(&error), exchanges));
                }
                Err(error) => return Err(error),
            };
            let (request, is_last) = match step {
                Step::Done(verdict) => return Ok((verdict, exchanges)),
                Step::Send(request) => (request, false),
                Step::SendLast(request) => (request, true),
            };
            let now = self.clock.now();
            let outcome = self.egress.perform(&request, endpoint, &granted, &target.id, now).await;
            let verdict = is_last.then(|| Verdict::standard(&outcome, self.clock.now()));
            exchanges.push(Exchange { request, outcome });
            if let Some(verdict) = verdict {
                return Ok((verdict, exchanges));
            }
        }
    }
}

struct Prepared {
    endpoint: Arc<LiveEndpoint>,
    plugin: Arc<Plugin>,
    policy: RetryPolicy,
    gone_after: u32,
    target: TargetDelivery,
}

impl Prepared {
    /// What is told of the attempt.
    fn attempt(
        &self,
        number: u32,
        started_at: Timestamp,
        took: Duration,
        verdict: &Verdict,
        exchanges: Vec<Exchange>,
    ) -> Attempt {
        Attempt {
            number,
            started_at,
            duration_ms: took.as_millis() as u64,
            status_code: last_status(&exchanges),
            verdict: verdict.word().to_owned(),
            error: ErrorText::of(verdict),
            note: verdict.note().map(str::to_owned),
            plugin_digest: self.plugin.digest().to_string(),
            endpoint_version: self.endpoint.stored().version,
            exchanges,
        }
    }
}

/// A broken adapter is the operator's to mend, so the delivery waits for that
/// by its retry policy. One that never finishes would send its requests again
/// and again.
fn adapter_failed(error: &CallError) -> Verdict {
    match error {
        CallError::Exchanges { .. } => Verdict::Rejected(error.to_string()),
        _ => Verdict::Retry { after_ms: None, reason: error.to_string() },
    }
}

fn last_status(exchanges: &[Exchange]) -> Option<u16> {
    match &exchanges.last()?.outcome {
        Outcome::Response(response) => Some(response.status),
        Outcome::Failed(_) => None,
    }
}
