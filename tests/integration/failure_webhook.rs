//! The webhook that the platform sent on a failed run, taken as the event that it is.

use serde_json::{Value, json};

use crate::support::events::failed_with;
use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

fn sent() -> Value {
    json!({"event": "GRAPH_FAILED", "namespace": "payments", "graph_name": "nightly-etl",
        "run_id": "5f0c1e1e-4b1e-4f5e-9a52-7a1d3b8f0c11",
        "failed_state_id": "65a1b2c3d4e5f60718293a4b", "node_name": "load-warehouse",
        "error": "password=hunter2", "timestamp": "2025-12-16T07:48:32.123456"})
}

#[tokio::test]
async fn it_is_alerted_as_a_failed_workflow_and_its_time_is_utc() {
    let (host, receiver) = (TestHost::in_real_time().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api
        .rule(&endpoint, json!({"condition": "event.data.node_name == 'load-warehouse'"}))
        .await;
    assert!(!host.api.event(sent()).await);
    let alert = receiver.wait_for(1).await[0].json();
    assert_eq!(alert["type"], "workflow.failed");
    assert_eq!(alert["occurred_at"], "2025-12-16T07:48:32.123456Z");
    let workflow = json!({"graph_name": "nightly-etl", "status": "FAILED",
        "run_id": "5f0c1e1e-4b1e-4f5e-9a52-7a1d3b8f0c11",
        "failed_state_id": "65a1b2c3d4e5f60718293a4b", "node_name": "load-warehouse"});
    assert_eq!(alert["workflow"], workflow);
    assert_eq!(alert["event"]["source"], "/v0/namespace/payments");
    assert!(!alert.to_string().contains("hunter2"), "error text of user code never leaves");

    assert!(host.api.event(sent()).await, "told again, it is a duplicate");
    let mut other = sent();
    other["failed_state_id"] = "65a1b2c3d4e5f60718293a4c".into();
    assert!(!host.api.event(other).await, "another state that failed is another event");
}

#[tokio::test]
async fn it_ends_the_run_that_it_is_about() {
    let (host, _receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint("https://example.com/", json!({})).await;
    let trigger = json!({"type": "duration", "threshold_ms": 900_000});
    host.api
        .rule(&endpoint, json!({"event_type": "workflow.duration_exceeded", "trigger": trigger}))
        .await;
    let mut started = failed_with("started", "type", "workflow.started".into());
    started["time"] = host.now().to_string().into();
    host.api.event(started).await;
    let mut end = sent();
    end["timestamp"] = host.now().to_string().trim_end_matches('Z').into();
    host.later(std::time::Duration::from_secs(1));
    host.api.event(end).await;
    host.later(std::time::Duration::from_secs(1000));
    host.settled().await;
    assert!(host.api.deliveries().await.is_empty());
}

#[tokio::test]
async fn its_namespace_is_the_one_of_key_and_header() {
    let host = TestHost::start().await;
    let no_header = host.api.with("x-exosphere-namespace", None);
    no_header.post("/v1/events", sent()).await.expect(202);
    assert_eq!(host.api.get("/v1/events").await.expect(200)["data"].as_array().unwrap().len(), 1);
    let other = host.tenant("orders");
    assert_eq!(other.post("/v1/events", sent()).await.problem(400), ["/namespace"]);
    let made = other.post("/v1/api-keys", json!({"name": "n", "role": "editor"})).await.expect(201);
    let own = no_header.with("x-api-key", made["key"].as_str());
    assert_eq!(own.post("/v1/events", sent()).await.problem(403), ["/namespace"]);
    assert_eq!(other.get("/v1/events").await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn what_is_wrong_with_it_is_pointed_to_and_no_other_event_may_leave_its_offset_out() {
    let host = TestHost::start().await;
    for name in ["namespace", "failed_state_id", "timestamp"] {
        let mut sent = sent();
        sent.as_object_mut().unwrap().remove(name);
        let answer = host.api.post("/v1/events", sent).await;
        assert_eq!(answer.problem(400), [format!("/{name}")]);
    }
    let mut wrong = sent();
    wrong["timestamp"] = "16.12.2025 07:48".into();
    assert_eq!(host.api.post("/v1/events", wrong).await.problem(400), ["/timestamp"]);
    let local = failed_with("evt-1", "time", sent()["timestamp"].clone());
    assert_eq!(host.api.post("/v1/events", local).await.problem(400), ["/time"]);
    assert_eq!(host.api.get("/v1/events").await.expect(200)["data"], json!([]));
}
