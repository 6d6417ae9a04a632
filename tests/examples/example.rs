//! A built example, and what the host would ask it.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use alerts_domain::exchange::{
    Exchange, Outcome, Request, Response, Step, TransportError, Verdict,
};
use alerts_domain::header::Headers;
use alerts_domain::problem::FieldError;
use alerts_domain::tenant::TenantId;
use alerts_sandbox::{Plugin, Sandbox, SandboxConfig, TargetDelivery, TargetEndpoint};
use bytes::Bytes;
use serde_json::{Value, json};

/// 2026-01-01T00:00:00Z.
const NOW_MS: u64 = 1_767_225_600_000;

pub(crate) struct Example {
    sandbox: Sandbox,
    plugin: Arc<Plugin>,
    pub(crate) delivery: TargetDelivery,
}

impl Example {
    /// Loads it, and prepares a delivery to `url` with one secret under each of
    /// these names. Its reference is `ref-` and the name.
    pub(crate) fn load(id: &str, url: &str, secrets: &[&str]) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../plugins/examples/dist")
            .join(format!("{id}.wasm"));
        let wasm = std::fs::read(&file).unwrap_or_else(|error| {
            panic!(
                "{}: {error}; run `cargo xtask examples`, which builds it or says what it needs",
                file.display()
            )
        });
        let compiled = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples-compiled");
        let config =
            SandboxConfig { cache_dir: Some(compiled.clone()), ..SandboxConfig::default() };
        let sandbox = Sandbox::new(config).unwrap();
        // An interpreter takes seconds to compile: the first test that needs it
        // does so, and the others find it in the folder.
        let alone = File::create(compiled.join(format!("{id}.lock"))).unwrap();
        alone.lock().unwrap();
        let plugin = sandbox.load(&wasm).unwrap_or_else(|error| panic!("{error}"));
        drop(alone);
        assert_eq!(plugin.manifest().id, id);
        let endpoint = TargetEndpoint {
            url: url.to_owned(),
            settings: Bytes::from_static(b"{}"),
            headers: Headers::from_iter([("X-Team", "data")]),
            secrets: secrets
                .iter()
                .map(|name| ((*name).to_owned(), format!("ref-{name}")))
                .collect(),
        };
        let delivery = TargetDelivery {
            id: "dlv_01".to_owned(),
            attempt: 1,
            now_ms: NOW_MS,
            seed: 7,
            alert: alert("workflow.failed").to_string().into(),
            endpoint,
        };
        Self { sandbox, plugin, delivery }
    }

    pub(crate) fn settings(&mut self, settings: &Value) {
        self.delivery.endpoint.settings = settings.to_string().into();
    }

    pub(crate) fn alert(&mut self, alert: &Value) {
        self.delivery.alert = alert.to_string().into();
    }

    pub(crate) async fn problems(&self, settings: &Value) -> Vec<FieldError> {
        let answer = self.sandbox.check(&self.plugin, &tenant(), settings.to_string().into()).await;
        answer.unwrap().err().unwrap_or_default()
    }

    /// What it sends first. Asked twice: an adapter is a pure function.
    pub(crate) async fn sent(&self) -> Request {
        let step = self.next(&[]).await;
        assert_eq!(step, self.next(&[]).await);
        match step {
            Step::Send(request) => request,
            other => panic!("expected a request, got {other:?}"),
        }
    }

    /// The verdict after this answer to its request.
    pub(crate) async fn verdict(
        &self,
        status: u16,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Verdict {
        let headers = headers.iter().copied().collect();
        let body = Bytes::copy_from_slice(body.as_bytes());
        self.after(Outcome::Response(Response {
            status,
            headers,
            body,
            truncated: false,
            incomplete: None,
        }))
        .await
    }

    /// The answers that mean the same for every vendor here.
    pub(crate) async fn takes_what_any_server_may_answer(&self) {
        for status in [400, 413, 422] {
            // Also what is not JSON, or not what the vendor would write.
            for body in ["", "<html>", "[1]", "null", r#"{"message":["#, r#"{"error":7}"#, "\u{85}"]
            {
                let verdict = self.verdict(status, &[], body).await;
                assert!(matches!(verdict, Verdict::Rejected(_)), "{status} {body}: {verdict:?}");
            }
        }
        for status in [302, 408, 429, 500, 503] {
            for wait in ["", "soon", "-1", "1e999", "Thu, 00 Xxx 2026 00:01:00 GMT"] {
                let verdict = self.verdict(status, &[("retry-after", wait)], "").await;
                let unknown = matches!(verdict, Verdict::Retry { after_ms: None, .. });
                assert!(unknown, "{status} {wait}: {verdict:?}");
            }
        }
        for status in [429, 503] {
            // It is 2026-01-01T00:00:00Z.
            for (wait, ms) in [
                ("7", 7_000),
                ("Thu, 01 Jan 2026 00:01:30 GMT", 90_000),
                ("Wed, 31 Dec 2025 23:59:59 GMT", 0),
            ] {
                let verdict = self.verdict(status, &[("retry-after", wait)], "").await;
                let Verdict::Retry { after_ms: Some(after_ms), .. } = verdict else {
                    panic!("{status} {wait}: {verdict:?}");
                };
                assert_eq!(after_ms, ms, "{status} {wait}");
            }
        }
        let failed = Outcome::Failed(TransportError::Timeout("after 10 s".into()));
        let Verdict::Retry { after_ms: None, reason } = self.after(failed).await else {
            panic!("expected a retry");
        };
        assert!(reason.contains("after 10 s"), "{reason}");
    }

    /// Alerts as any tenant may have them.
    pub(crate) async fn sends_whatever_an_event_holds(&mut self) {
        let mut deep = Value::Null;
        for _ in 0..100 {
            deep = json!([deep]);
        }
        // The most values that an event's 256 KiB hold.
        let objects = vec![json!({"": []}); 30_000];
        for data in
            [json!({}), json!(vec![1; 7_500]), json!(vec![1; 125_000]), json!(objects), deep]
        {
            for event_type in ["workflow.failed", "constructor", "__proto__", "ü\"\n"] {
                let mut alert = alert(event_type);
                alert["data"] = data.clone();
                alert["workflow"] = json!({"run_id": u64::MAX, "status": "\u{0}\u{202e}"});
                self.alert(&alert);
                self.sent().await;
            }
        }
    }

    async fn after(&self, outcome: Outcome) -> Verdict {
        let request = self.sent_once().await;
        match self.next(&[Exchange { request, outcome }]).await {
            Step::Done(verdict) => verdict,
            other => panic!("expected a verdict, got {other:?}"),
        }
    }

    async fn sent_once(&self) -> Request {
        match self.next(&[]).await {
            Step::Send(request) => request,
            other => panic!("expected a request, got {other:?}"),
        }
    }

    async fn next(&self, exchanges: &[Exchange]) -> Step {
        self.sandbox.next(&self.plugin, &tenant(), &self.delivery, exchanges).await.unwrap()
    }
}

/// Whoever it is called for.
fn tenant() -> TenantId {
    TenantId::new("prod").unwrap()
}

/// What an event may hold: quotes, other scripts, a vendor's markup, and a
/// number with more digits than a number type has.
pub(crate) fn alert(event_type: &str) -> Value {
    let alert = r#"{
        "version": "1", "id": "dlv_01", "type": "",
        "occurred_at": "2026-01-01T00:00:00Z", "namespace": "prod",
        "rule": {"id": "rule_01", "name": "Failed \"runs\""}, "trigger": {"type": "event"},
        "workflow": {
            "graph_name": "étl\t@everyone [x](https://example.com) \ud83d\ude00",
            "run_id": 12345678901234567890, "status": "FAILED", "errored_count": 3
        },
        "event": {"id": "e-1", "source": "/v0/namespace/prod", "subject": "graph/etl/run/7b2f"}
    }"#;
    let mut alert: Value = serde_json::from_str(alert).unwrap();
    alert["type"] = json!(event_type);
    alert
}

pub(crate) fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}
