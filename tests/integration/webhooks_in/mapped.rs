//! Sources of which a mapping in CEL makes events.

use serde_json::{Value, json};

use super::{SECRET, events, hub_signature, mapped, path, post, sender, standard_signature};
use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

/// A mapping for what a workflow engine might post.
fn mapping() -> Value {
    json!({
        "type": "{'Failed': 'workflow.failed', 'Succeeded': 'workflow.succeeded'}[?request.body.phase]",
        "id": "request.body.uid + '/' + request.body.phase",
        "source": "'/argo/' + request.query.cluster",
        "subject": "'graph/' + request.body.name + '/run/' + request.body.uid",
        "time": "request.body.finishedAt",
        "data": "{'graph_name': request.body.name, 'run_id': request.body.uid, \
                 'duration_ms': 1000 * (timestamp(request.body.finishedAt) - \
                 timestamp(request.body.startedAt)).getSeconds(), \
                 'cluster': request.headers['x-cluster']}",
    })
}

fn body(phase: &str) -> Value {
    json!({"uid": "u-1", "name": "nightly", "phase": phase,
        "startedAt": "2026-11-28T08:00:00Z", "finishedAt": "2026-11-28T08:01:00Z"})
}

#[tokio::test]
async fn what_any_program_posts_becomes_an_alert() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/"), json!({})).await;
    host.api.rule(&endpoint, json!({"condition": "event.data.cluster == 'eu'"})).await;
    let source = mapped(&host.api, mapping()).await;
    let sender =
        sender(&host).with("x-exosphere-token", Some(SECRET)).with("x-cluster", Some("eu"));
    let at = path(&source, "/events?cluster=eu-1");
    let posted = sender.post(&at, body("Failed")).await.expect(202);
    assert_eq!(posted["duplicate"], false);
    assert_eq!(sender.post(&at, body("Failed")).await.expect(202)["duplicate"], true);
    let ignored = sender.post(&at, body("Running")).await.expect(202);
    assert!(ignored["ignored"].as_str().unwrap().contains("null"), "{ignored}");

    let alert = receiver.wait_for(1).await[0].json();
    assert_eq!(alert["workflow"]["duration_ms"], 60_000);
    let stored = events(&host.api).await;
    let expected = json!({
        "specversion": "1.0", "id": "u-1/Failed", "source": "/argo/eu-1",
        "type": "workflow.failed", "subject": "graph/nightly/run/u-1",
        "time": "2026-11-28T08:01:00Z", "namespace": "payments",
        "datacontenttype": "application/json",
        "data": {"graph_name": "nightly", "run_id": "u-1", "duration_ms": 60_000,
            "cluster": "eu"},
    });
    assert_eq!(stored, [expected]);
}

#[tokio::test]
async fn without_an_id_the_same_body_is_the_same_event() {
    let host = TestHost::start().await;
    let source = mapped(&host.api, json!({"type": "'build.ended'"})).await;
    for (body, duplicate) in
        [(json!({"n": 1}), false), (json!({"n": 1}), true), (json!({"n": 2}), false)]
    {
        let posted = post(&host, &source, &body).await.expect(202);
        assert_eq!(posted["duplicate"], duplicate, "{body}");
    }
    let stored = events(&host.api).await;
    assert_eq!(stored.len(), 2);
    assert_eq!(stored[0]["data"], json!({"n": 2}), "the body itself");
    assert_eq!(stored[0]["source"], path(&source, ""));
    assert_eq!(stored[0]["time"], json!(host.now()));
}

#[tokio::test]
async fn a_sender_may_sign_in_either_of_the_usual_ways_or_send_the_secret() {
    let host = TestHost::start().await;
    let source = mapped(&host.api, json!({"type": "'build.ended'"})).await;
    let at = path(&source, "/events");
    let body = json!({"n": 1}).to_string();
    let hub = hub_signature(SECRET, body.as_bytes());
    let bearer = format!("Bearer {SECRET}");
    for (name, value) in [("x-hub-signature-256", &hub), ("authorization", &bearer)] {
        let sender = sender(&host).with(name, Some(value));
        let sent = sender.send(reqwest::Method::POST, &at, Some(body.clone().into())).await;
        sent.expect(202);
    }
    let mut signed = sender(&host);
    for (name, value) in standard_signature(&host, SECRET, body.as_bytes()) {
        let name = ["webhook-id", "webhook-timestamp", "webhook-signature"]
            .into_iter()
            .find(|known| *known == name);
        if let Some(name) = name {
            signed = signed.with(name, Some(&value));
        }
    }
    signed.send(reqwest::Method::POST, &at, Some(body.clone().into())).await.expect(202);
    // The signature is of this body and no other.
    signed.send(reqwest::Method::POST, &at, Some(b"{}".to_vec())).await.problem(401);
    // What was signed long ago may have been overheard.
    host.later(std::time::Duration::from_secs(301));
    signed.send(reqwest::Method::POST, &at, Some(body.into())).await.problem(401);
}

#[tokio::test]
async fn a_mapping_is_tried_without_a_signature_and_nothing_is_stored() {
    let host = TestHost::start().await;
    let source = mapped(&host.api, mapping()).await;
    let at = path(&source, "/try");
    let sample = json!({"body": body("Failed"), "headers": {"X-Cluster": "eu"},
        "query": {"cluster": "eu-1"}});
    let tried = host.api.post(&at, sample.clone()).await.expect(200);
    assert_eq!(tried["event"]["id"], "u-1/Failed");
    assert_eq!(tried["event"]["data"]["cluster"], "eu");
    let mut other = sample.clone();
    other["mapping"] = json!({"type": "request.body.phase == 'Failed' ? null : 'x.y'"});
    let tried = host.api.post(&at, other).await.expect(200);
    assert_eq!((&tried["event"], tried["ignored"].is_string()), (&Value::Null, true));
    let mut wrong = sample;
    wrong["mapping"] = json!({"type": "request.body.phase +"});
    assert_eq!(host.api.post(&at, wrong).await.problem(400), ["/mapping/type"]);
    assert_eq!(events(&host.api).await, [] as [Value; 0]);
    let shown = host.api.get(&path(&source, "")).await.expect(200);
    assert_eq!(shown["state"], "waiting", "a try is no request of its sender's");
}
