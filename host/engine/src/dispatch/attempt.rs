//! One attempt: ask the adapter, send, ask again, until there is a verdict.
//! Writes nothing down.

use std::sync::Arc;
use std::time::Duration;

use alerts_domain::alert;
use alerts_domain::delivery::{Attempt, Delivery, ErrorText, Transition, attempt_seed};
use alerts_domain::exchange::{Exchange, Outcome, Step, Verdict};
use alerts_domain::retry::RetryPolicy;
use alerts_package::Kind;
use alerts_sandbox::{CallError, Plugin, Sandbox, TargetDelivery, TargetEndpoint};
use bytes::Bytes;

use super::job::Job;
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::egress::Egress;
use crate::entropy::Entropy;
use crate::live::LiveEndpoint;
use crate::panics::{Panicked, caught};
use crate::plugins::Plugins;

/// How long a delivery rests when nothing could be tried: no plugin, or its
/// endpoint is switched off.
const REST: Duration = Duration::from_secs(60);
/// The same when the sandbox could not call the adapter just now.
const BUSY_REST: Duration = Duration::from_secs(1);

/// What makes attempts.
pub(crate) struct Attempts {
    pub(crate) catalog: Catalog,
    pub(crate) plugins: Plugins,
    pub(crate) sandbox: Sandbox,
    pub(crate) egress: Egress,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<Entropy>,
}

impl Attempts {
    /// Tries one delivery. Nothing is written yet. One that panics counts as none,
    /// and its delivery goes back.
    pub(super) async fn attempt(&self, job: &Job) -> (Option<Attempt>, Transition) {
        let ended = caught("attempt", self.try_once(job)).await;
        let ended = ended.unwrap_or_else(|Panicked(message)| {
            let (delivery, at) = (job.delivery.id, self.clock.after(REST));
            tracing::error!(%delivery, message, "an attempt panicked; its delivery is given back");
            // Whether something was sent is not known: then it is sent again.
            let reason = Some("the attempt failed inside the host; its log says why".into());
            (None, Transition::Release { at, reason })
        });
        if ended.1.status().is_terminal() {
            let waited = self.clock.now().duration_since(job.delivery.created_at);
            metrics::histogram!("alerts_delivery_seconds").record(waited.as_secs_f64());
        }
        ended
    }

    async fn try_once(&self, job: &Job) -> (Option<Attempt>, Transition) {
        let (started_at, began) = (self.clock.now(), self.clock.monotonic());
        let prepared = match self.prepare(job).await {
            Ok(prepared) => prepared,
            Err(transition) => return (None, transition),
        };
        let (verdict, exchanges) = match self.converse(&prepared).await {
            Err(error) if error.is_passing() => {
                let reason = Some(error.to_string().into());
                return (None, Transition::Release { at: self.clock.after(BUSY_REST), reason });
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
        let attempt = Attempt {
            number,
            started_at,
            duration_ms: self.clock.monotonic().saturating_sub(began).as_millis() as u64,
            status_code: last_status(&exchanges),
            verdict: verdict.word().to_owned(),
            error: ErrorText::of(&verdict),
            note: verdict.note().map(str::to_owned),
            plugin_digest: prepared.plugin.digest().to_string(),
            endpoint_version: prepared.endpoint.stored().version,
            exchanges,
        };
        (Some(attempt), transition)
    }

    /// All that the attempt needs, or where the delivery goes without it.
    async fn prepare(&self, job: &Job) -> Result<Prepared, Transition> {
        let release = |reason: String| Transition::Release {
            at: self.clock.after(REST),
            reason: Some(reason.into()),
        };
        let bury = |error: String| Transition::Bury { error: error.into(), disable_rule: false };
        let delivery = &job.delivery;
        let catalog = self.catalog.get(&delivery.tenant).await.map_err(|error| {
            tracing::error!(delivery = %delivery.id, %error, "the tenant's endpoints could not be read");
            Transition::Release { at: self.clock.after(BUSY_REST), reason: None }
        })?;
        if !catalog.is_open() {
            return Err(release("alerts are not open to this namespace yet; waiting".into()));
        }
        let endpoint = catalog.endpoint(delivery.webhook_endpoint_id).ok_or_else(|| {
            bury("the webhook endpoint was deleted, or its secrets do not open".into())
        })?;
        let spec = &endpoint.stored().spec;
        if !spec.is_active {
            return Err(release("the webhook endpoint is switched off; waiting".into()));
        }
        if job.event_body.is_empty() {
            return Err(bury("its event is no longer stored; retention has removed it".into()));
        }
        let include_data = spec.include_event_data;
        let alert = alert::build(delivery, &job.event_body, job.received_at, include_data)
            .map_err(|error| bury(format!("the stored event does not read: {error}")))?;
        let (plugin, target) = self
            .target_call(delivery, endpoint, alert)
            .map_err(|missing| release(format!("{missing}; waiting")))?;
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

    /// An endpoint's adapter and what it is told, or why that cannot be had.
    pub(crate) fn target_call(
        &self,
        delivery: &Delivery,
        endpoint: &LiveEndpoint,
        alert: Bytes,
    ) -> Result<(Arc<Plugin>, TargetDelivery), String> {
        let spec = &endpoint.stored().spec;
        let plugin = self
            .plugins
            .get(Kind::Target, &spec.target)
            .ok_or_else(|| format!("the target plugin `{}` is not loaded", spec.target))?;
        if !self.plugins.is_open_to(&spec.target, &delivery.tenant) {
            return Err(format!(
                "the target plugin `{}` was closed to this namespace",
                spec.target
            ));
        }
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
        let hosts = self.plugins.hosts_for(plugin.manifest(), tenant);
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
            let outcome = self.egress.perform(&request, endpoint, &hosts, &target.id, now).await;
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

/// The endpoint as its adapter sees it: references, never values.
pub fn target_endpoint(endpoint: &LiveEndpoint) -> TargetEndpoint {
    TargetEndpoint {
        url: endpoint.url().to_owned(),
        settings: Bytes::clone(endpoint.settings()),
        headers: endpoint.headers().clone(),
        secrets: endpoint
            .secret_references()
            .map(|(name, reference)| (name.to_owned(), reference.to_owned()))
            .collect(),
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
