//! GitHub's and GitLab's webhooks, from what they post to the alert.

use std::time::Duration;

use serde_json::{Value, json};

use super::{SECRET, counted, events, path, post_signed, sender, source};
use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

/// What GitHub posts on a run of a workflow.
fn workflow_run(action: &str, conclusion: Option<&str>, attempt: u32) -> Value {
    json!({
        "action": action,
        "workflow_run": {
            "id": 30_433_642, "name": "Build", "node_id": "MDEyOldvcmtmbG93", "run_number": 562,
            "run_attempt": attempt, "event": "push", "workflow_id": 159_038,
            "status": if action == "completed" { "completed" } else { "in_progress" },
            "conclusion": conclusion, "head_branch": "main", "head_sha": "acb5820ced9479c074f6",
            "html_url": "https://github.com/ada/engine/actions/runs/30433642",
            "created_at": "2026-11-28T08:00:00Z", "run_started_at": "2026-11-28T08:00:00Z",
            "updated_at": "2026-11-28T08:03:00Z",
            "triggering_actor": {"login": "ada", "id": 1},
        },
        "workflow": {"id": 159_038, "name": "Build", "path": ".github/workflows/build.yml"},
        "repository": {"id": 1, "full_name": "ada/engine", "private": true,
            "html_url": "https://github.com/ada/engine"},
        "sender": {"login": "ada", "id": 1},
    })
}

#[tokio::test]
async fn a_run_that_fails_at_github_makes_one_alert_however_often_it_is_posted() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/"), json!({})).await;
    host.api.rule(&endpoint, json!({})).await;
    let source = source(&host.api, json!({})).await;
    assert_eq!((&source["state"], &source["secret"]), (&json!("waiting"), &json!(SECRET)));

    let ping = json!({"zen": "Keep it logically awesome.", "hook_id": 1});
    let pinged = post_signed(&host, &source, "ping", &ping).await.expect(202);
    assert_eq!(pinged["ignored"], "the webhook works");
    let failed = workflow_run("completed", Some("failure"), 1);
    for duplicate in [false, true] {
        let posted = post_signed(&host, &source, "workflow_run", &failed).await.expect(202);
        assert_eq!(posted["duplicate"], duplicate);
    }
    let alert = receiver.wait_for(1).await[0].json();
    assert_eq!(alert["type"], "workflow.failed");
    let workflow = &alert["workflow"];
    assert_eq!(
        (&workflow["graph_name"], &workflow["run_id"]),
        (&json!("Build"), &json!("30433642"))
    );
    assert_eq!(workflow["duration_ms"], 180_000);
    let stored = events(&host.api).await;
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0]["namespace"], "payments");
    assert_eq!(stored[0]["data"]["url"], "https://github.com/ada/engine/actions/runs/30433642");

    assert_eq!(host.api.deliveries().await.len(), 1);
    for (result, count) in [("accepted", 1), ("duplicate", 1), ("ignored", 1)] {
        assert_eq!(counted(&host, "github", result).await, count, "{result}");
    }
    let shown = host.api.get(&path(&source, "")).await.expect(200);
    assert_eq!((&shown["state"], &shown["trouble"]), (&json!("receiving"), &Value::Null));
    assert_eq!(shown["last_success_at"], json!(host.now()));
}

#[tokio::test]
async fn other_events_of_github_are_taken_and_ignored() {
    let host = TestHost::start().await;
    let source = source(&host.api, json!({})).await;
    for event in ["push", "workflow_job", "issues"] {
        let posted = post_signed(&host, &source, event, &json!({"action": "x"})).await.expect(202);
        assert!(posted["ignored"].as_str().unwrap().contains(event), "{posted}");
    }
    assert_eq!(counted(&host, "github", "ignored").await, 3);
    assert_eq!(events(&host.api).await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_run_at_github_that_is_stuck_again_after_it_was_run_again_is_told_again() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/"), json!({})).await;
    let stuck = json!({"event_type": "workflow.duration_exceeded",
        "trigger": {"type": "duration", "threshold_ms": 60_000}});
    host.api.rule(&endpoint, stuck).await;
    let source = source(&host.api, json!({})).await;
    let run = |action: &str, conclusion, attempt| {
        let mut run = workflow_run(action, conclusion, attempt);
        // By GitHub's clock it is now.
        for name in ["created_at", "run_started_at", "updated_at"] {
            run["workflow_run"][name] = json!(host.now());
        }
        run
    };
    let tell = async |body: Value| {
        post_signed(&host, &source, "workflow_run", &body).await.expect(202);
    };
    tell(run("in_progress", None, 1)).await;
    host.later(Duration::from_secs(61));
    host.settled().await;
    assert_eq!(receiver.wait_for(1).await.len(), 1);
    tell(run("completed", Some("failure"), 1)).await;
    host.later(Duration::from_secs(61));
    host.settled().await;
    tell(run("in_progress", None, 2)).await;
    host.later(Duration::from_secs(61));
    host.settled().await;
    let alerts = receiver.wait_for(2).await;
    assert_eq!(alerts.len(), 2);
    assert_eq!(alerts[1].json()["type"], "workflow.duration_exceeded");
}

#[tokio::test]
async fn a_pipeline_at_gitlab_is_known_by_its_token() {
    let host = TestHost::start().await;
    let source = source(&host.api, json!({"kind": "gitlab"})).await;
    let pipeline = json!({
        "object_kind": "pipeline",
        "object_attributes": {"id": 31, "iid": 3, "ref": "main", "sha": "bcbb5ec396a2c0f8",
            "source": "merge_request_event", "status": "failed", "detailed_status": "failed",
            "stages": ["build"], "created_at": "2026-11-28 08:00:00 UTC",
            "finished_at": "2026-11-28 08:01:03 UTC", "duration": 63,
            "url": "https://gitlab.example/ada/engine/-/pipelines/31"},
        "user": {"id": 1, "name": "Ada", "username": "ada"},
        "project": {"id": 1, "name": "engine", "path_with_namespace": "ada/engine",
            "web_url": "https://gitlab.example/ada/engine"},
        "builds": [{"id": 380, "stage": "build", "name": "compile", "status": "failed",
            "allow_failure": false}],
    });
    let wrong = sender(&host).with("x-gitlab-token", Some("another-secret-of-16"));
    wrong.post(&path(&source, "/events"), pipeline.clone()).await.problem(401);
    sender(&host).post(&path(&source, "/events"), pipeline.clone()).await.problem(401);
    let right = sender(&host).with("x-gitlab-token", Some(SECRET));
    right.post(&path(&source, "/events"), pipeline).await.expect(202);
    right.post(&path(&source, "/events"), json!({"object_kind": "push"})).await.expect(202);
    let stored = events(&host.api).await;
    assert_eq!(stored.len(), 1);
    assert_eq!(
        (&stored[0]["type"], &stored[0]["id"]),
        (&json!("workflow.failed"), &json!("31/failed/1795852863"))
    );
    assert_eq!(stored[0]["data"]["node_name"], "compile");
}
