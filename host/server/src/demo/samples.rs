//! The demo's endpoint, rules and events.

use alerts_domain::Timestamp;
use alerts_domain::condition::Condition;
use alerts_domain::endpoint::EndpointSpec;
use alerts_domain::event::Event;
use alerts_domain::header::Headers;
use alerts_domain::id::EndpointId;
use alerts_domain::retry::RetryPolicy;
use alerts_domain::rule::{EventTypePattern, RuleSpec};
use alerts_domain::secret::Secret;
use alerts_domain::trigger::Trigger;
use alerts_engine::{Actor, EndpointDraft, EndpointPatch, Engine, Expected, RulePatch};
use serde_json::json;

/// Where the demo's resources are.
pub(super) const NAMESPACE: &str = "demo";
/// The endpoint's name, by which it is found again at the next start.
const ENDPOINT: &str = "Demo receiver";
/// Most endpoints and rules that are looked through for the demo's own.
const LOOK_THROUGH: u32 = 200;
/// The type that the rules look at.
pub(super) const FAILED: &str = "workflow.failed";

/// The demo could not be set up.
pub(super) type DemoError = Box<dyn std::error::Error + Send + Sync>;

/// A sample rule.
pub(super) struct SampleRule {
    pub(super) name: &'static str,
    pub(super) condition: Option<&'static str>,
}

pub(super) const RULES: [SampleRule; 2] = [
    SampleRule { name: "Any failed run", condition: None },
    SampleRule { name: "Many errors in one run", condition: Some("event.data.errored_count > 3") },
];

/// The demo's endpoint, made or found, leading to this process's receiver.
pub(super) async fn endpoint(
    engine: &Engine,
    actor: &Actor,
    url: String,
    secret: Secret,
) -> Result<EndpointId, DemoError> {
    let known = engine.store().list_endpoints(&actor.tenant, LOOK_THROUGH, None).await?;
    if let Some(found) = known.items.iter().find(|endpoint| endpoint.spec.name == ENDPOINT) {
        let patch = EndpointPatch {
            target_url: Some(url),
            signing_secret: Some(secret),
            is_active: Some(true),
            ..EndpointPatch::default()
        };
        engine.endpoints().update(actor, found.id, &Expected::Whatever, patch).await?;
        return Ok(found.id);
    }
    let spec = EndpointSpec {
        name: ENDPOINT.to_owned(),
        target_url: url,
        target: EndpointSpec::DEFAULT_TARGET.to_owned(),
        settings: serde_json::Map::new(),
        headers: Headers::default(),
        is_active: true,
        include_event_data: false,
        rate_limit: None,
        gone_after: EndpointSpec::DEFAULT_GONE_AFTER,
    };
    let secrets = std::collections::BTreeMap::new();
    let draft = EndpointDraft { spec, signing_secret: Some(secret), secrets };
    Ok(engine.endpoints().create(actor, draft).await?.endpoint.id)
}

/// The demo's rules, made or found.
pub(super) async fn rules(
    engine: &Engine,
    actor: &Actor,
    endpoint: EndpointId,
) -> Result<(), DemoError> {
    let known = engine.store().list_rules(&actor.tenant, LOOK_THROUGH, None).await?;
    for rule in RULES {
        let found = known.items.iter().find(|known| known.spec.name == rule.name);
        if let Some(found) = found {
            // The host switched it off if an earlier receiver was gone.
            let patch = RulePatch {
                webhook_endpoint_id: Some(endpoint),
                is_active: Some(true),
                ..RulePatch::default()
            };
            engine.rules().update(actor, found.id, &Expected::Whatever, patch).await?;
            continue;
        }
        let condition = rule.condition.map(|source| Condition {
            language: Condition::DEFAULT_LANGUAGE.to_owned(),
            source: source.to_owned(),
        });
        let spec = RuleSpec {
            name: rule.name.to_owned(),
            event_type: EventTypePattern::new(FAILED).map_err(|error| error.detail)?,
            condition,
            webhook_endpoint_id: endpoint,
            trigger: Trigger::default(),
            retry_policy: RetryPolicy::default(),
            rate_limit: None,
            is_active: true,
        };
        engine.rules().create(actor, spec).await?;
    }
    Ok(())
}

/// A run that the platform tells of.
pub(super) struct SampleRun {
    event_type: &'static str,
    graph: &'static str,
    run_id: &'static str,
    errored: u32,
    total: u32,
}

pub(super) const EVENTS: [SampleRun; 3] = [
    SampleRun {
        event_type: FAILED,
        graph: "nightly-etl",
        run_id: "5f0c1f5e-1d0b-4a46-a1f5-4b7d3f6a2c11",
        errored: 1,
        total: 15,
    },
    SampleRun {
        event_type: "workflow.succeeded",
        graph: "invoice-export",
        run_id: "0b7ac7a4-52a0-4c4e-9a39-2f6f7c1f8f02",
        errored: 0,
        total: 4,
    },
    SampleRun {
        event_type: FAILED,
        graph: "model-training",
        run_id: "c1e0b0de-7a55-4f0e-8f6e-6f1d2b9a4d37",
        errored: 7,
        total: 20,
    },
];

impl SampleRun {
    /// For people.
    pub(super) fn told(&self) -> String {
        let Self { event_type, graph, errored, total, .. } = self;
        format!("{event_type:<19} {graph}, {errored} of {total} states errored")
    }

    /// As the platform posts it. Another start is another event.
    pub(super) fn event(&self, now: Timestamp) -> Result<Event, DemoError> {
        let Self { event_type, graph, run_id, errored, total } = self;
        let status = if *errored > 0 { "FAILED" } else { "SUCCESS" };
        let mut data = json!({
            "namespace": NAMESPACE,
            "graph_name": graph,
            "run_id": run_id,
            "status": status,
            "created_at": now,
            "finished_at": now,
            "duration_ms": 61_000,
            "success_count": total - errored,
            "pending_count": 0,
            "errored_count": errored,
            "retried_count": 0,
            "total_count": total,
        });
        if *errored > 0 {
            data["failed_state_id"] = json!("65f1a0c2d4e5f60718293a4b");
            data["node_name"] = json!("load-warehouse");
            data["identifier"] = json!("load");
        }
        let event = json!({
            "specversion": "1.0",
            "id": format!("{run_id}/{}", now.as_microsecond()),
            "source": format!("/v0/namespace/{NAMESPACE}"),
            "type": event_type,
            "subject": format!("graph/{graph}/run/{run_id}"),
            "time": now,
            "data": data,
        });
        let read = Event::from_structured(event.to_string().into());
        read.map_err(|errors| format!("a sample event is wrong: {errors:?}").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_events_are_events() {
        for sample in EVENTS {
            let event = sample.event(Timestamp::UNIX_EPOCH).unwrap();
            assert_eq!(event.event_type, sample.event_type);
        }
    }
}
