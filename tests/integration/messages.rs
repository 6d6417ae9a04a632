//! What alerts look like: the messages that the adapters send for each trigger, kept
//! with the documentation as JSON and as pages, whose pictures `cargo xtask images` takes.

mod mrkdwn;
mod page;
mod pagerduty;
mod slack;

use std::path::PathBuf;
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::run_url::LinkTemplate;
use alerts_engine::EngineConfig;
use serde_json::{Value, json};

use crate::support::events::failed;
use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

const MINUTE: Duration = Duration::from_secs(60);
const SLACK: &str = "/services/T0001/B0001/picture";
const PAGERDUTY: &str = "/v2/enqueue";
/// Whoever sets it wants the files written anew, and not compared.
const UPDATE: &str = "ALERTS_UPDATE_IMAGES";

/// When the scenes begin: a night in January, so that the files are always the same.
fn begin() -> Timestamp {
    "2026-01-31T02:00:00Z".parse().unwrap()
}

/// A host with an endpoint in Slack and one in PagerDuty, and a rule for each.
struct Scene {
    host: TestHost,
    receiver: Receiver,
}

impl Scene {
    async fn set(rule: Value) -> Self {
        let template = "https://exosphere.example.com/graph/{namespace}/{run_id}";
        let run_link = Some(LinkTemplate::parse(template).unwrap());
        let config = EngineConfig { run_link, ..EngineConfig::default() };
        let host = TestHost::configured_at(config, begin()).await;
        let receiver = Receiver::start().await;
        receiver.script(SLACK, |_| axum::response::IntoResponse::into_response("ok"));
        for (target, path, settings, secrets) in [
            ("slack", SLACK, json!({"mention": "S0614TZR7"}), json!({})),
            (
                "pagerduty",
                PAGERDUTY,
                json!({"severity_by_type": {"workflow.duration_exceeded": "warning"}}),
                json!({"routing_key": "0123456789abcdef0123456789abcdef"}),
            ),
        ] {
            let more = json!({"target": target, "settings": settings, "secrets": secrets,
                // The error in Slack; in PagerDuty as it comes.
                "include_event_data": target == "slack"});
            let endpoint = host.api.endpoint(&receiver.url(path), more).await;
            host.api.rule(&endpoint, rule.clone()).await;
        }
        Self { host, receiver }
    }

    /// All that came to Slack and to PagerDuty, once there are so many messages in all.
    async fn sent(&self, count: usize) -> (Vec<Value>, Vec<Value>) {
        self.receiver.wait_for(count).await;
        let of = |path| self.receiver.at(path).iter().map(|sent| settled(&sent.json())).collect();
        (of(SLACK), of(PAGERDUTY))
    }
}

/// The message with ids that are the same each time.
fn settled(message: &Value) -> Value {
    match message {
        Value::String(text) => {
            let mut text = text.clone();
            for prefix in ["dlv_", "rule_", "evt_"] {
                while let Some(at) = text.find(&format!("{prefix}0")) {
                    text.replace_range(at..at + prefix.len() + 26, &format!("{prefix}…"));
                }
            }
            // The digest that tells groups apart.
            Value::String(text)
        }
        Value::Array(items) => items.iter().map(settled).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), settled(value))).collect()
        }
        other => other.clone(),
    }
}

fn run(id: &str, event_type: &str, time: Timestamp) -> Value {
    let mut event = failed(id);
    event["type"] = json!(event_type);
    event["time"] = json!(time);
    event["data"]["error"] = json!(
        "Traceback (most recent call last):\n  File \"/app/load.py\", line 41, in run\n    \
         cursor.copy_from(batch, \"orders\")\npsycopg.errors.DiskFull: could not extend file \
         \"base/16401/24576\": No space left on device"
    );
    event
}

/// Each trigger with what it sends to Slack and to PagerDuty.
async fn messages() -> Vec<(&'static str, Vec<Value>, Vec<Value>)> {
    let mut all = Vec::new();

    let scene = Scene::set(json!({"name": "Nightly runs must not fail"})).await;
    scene.host.later(15 * MINUTE);
    let at = "2026-01-31T02:12:34Z".parse().unwrap();
    scene.host.api.event(run("failed", "workflow.failed", at)).await;
    let (slack, pagerduty) = scene.sent(2).await;
    all.push(("event", slack, pagerduty));

    let duration = json!({"name": "Nightly runs end within 15 minutes",
        "event_type": "workflow.duration_exceeded",
        "trigger": {"type": "duration", "threshold_ms": 900_000}});
    let scene = Scene::set(duration).await;
    let mut started = run("started", "workflow.started", begin());
    let data = started["data"].as_object_mut().unwrap();
    data.retain(|name, _| ["namespace", "graph_name", "run_id", "created_at"].contains(&&**name));
    data.extend([("status".to_owned(), json!("PENDING")), ("total_count".to_owned(), json!(46))]);
    scene.host.api.event(started).await;
    scene.host.later(15 * MINUTE + Duration::from_secs(1));
    scene.host.settled().await;
    let (slack, pagerduty) = scene.sent(2).await;
    all.push(("duration", slack, pagerduty));

    let threshold = json!({"name": "A graph that fails again and again",
        "trigger": {"type": "threshold", "window_ms": 600_000, "count": 3,
            "group_by": ["graph_name"], "recovery": true}});
    let scene = Scene::set(threshold).await;
    for minute in 0..4 {
        let mut event = run(&format!("{minute}"), "workflow.failed", scene.host.now());
        event["data"]["run_id"] = json!(format!("5f0c1e1e-4b1e-4f5e-9a52-7a1d3b8f0c1{minute}"));
        event["data"].as_object_mut().unwrap().remove("error");
        scene.host.api.event(event).await;
        scene.host.later(2 * MINUTE);
    }
    let (slack, pagerduty) = scene.sent(2).await;
    all.push(("threshold", slack, pagerduty));
    scene.host.later(6 * MINUTE);
    scene.host.settled().await;
    let (slack, pagerduty) = scene.sent(4).await;
    // Of an incident both are shown, since its end is part of it.
    all.push(("recovery", slack[1..].to_vec(), pagerduty));
    all
}

/// Compares a file with what it should be, or writes it.
fn keep(name: &str, text: &str) -> Option<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/images/source");
    let file = folder.join(name);
    if std::env::var_os(UPDATE).is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(&file, text).unwrap();
        return None;
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    (kept != text).then(|| name.to_owned())
}

#[tokio::test]
async fn the_messages_in_the_documentation_are_those_that_are_sent() {
    let mut stale = Vec::new();
    for (trigger, slack, pagerduty) in messages().await {
        for (target, messages, html) in [
            ("slack", &slack, slack::page(&slack)),
            ("pagerduty", &pagerduty, pagerduty::page(&pagerduty)),
        ] {
            let json = serde_json::to_string_pretty(messages).unwrap() + "\n";
            stale.extend(keep(&format!("{target}-{trigger}.json"), &json));
            stale.extend(keep(&format!("{target}-{trigger}.html"), &html));
        }
    }
    assert!(stale.is_empty(), "run `cargo xtask images` and look at them: {stale:?}");
}
