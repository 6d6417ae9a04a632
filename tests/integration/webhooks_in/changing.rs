//! Webhooks in as people make and change them.

use alerts_domain::quota::Quotas;
use alerts_engine::EngineConfig;
use serde_json::{Value, json};

use super::{SECRET, mapped, path, post, sender, source};
use crate::support::host::TestHost;

#[tokio::test]
async fn the_secret_is_shown_once_and_never_again() {
    let host = TestHost::start().await;
    let body = json!({"name": "Ours", "kind": "gitlab"});
    let made = host.api.post("/v1/sources", body).await.expect(201);
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"), "{made}");
    for answer in [
        host.api.get(&path(&made, "")).await,
        host.api.get("/v1/sources").await,
        host.api.patch(&path(&made, ""), json!({"name": "New"})).await,
        host.api.get("/v1/audit").await,
    ] {
        assert_eq!(answer.status, 200);
        assert!(!answer.text().contains(secret));
    }
    for file in std::fs::read_dir(host.folder()).unwrap().map(|entry| entry.unwrap().path()) {
        let bytes = std::fs::read(&file).unwrap_or_default();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
    let sender = sender(&host).with("x-gitlab-token", Some(secret));
    sender.post(&path(&made, "/events"), json!({"object_kind": "push"})).await.expect(202);
}

#[tokio::test]
async fn a_source_is_changed_in_parts_and_its_new_secret_holds_at_once() {
    let host = TestHost::start().await;
    let made = mapped(&host.api, json!({"type": "'a.b'"})).await;
    let at = path(&made, "");
    let changed = host.api.patch(&at, json!({"mapping": {"type": "'c.d'"}})).await.expect(200);
    assert_eq!(
        (&changed["name"], &changed["mapping"]),
        (&json!("Ours"), &json!({"type": "'c.d'"}))
    );
    post(&host, &made, &json!({})).await.expect(202);
    let secret = "another-secret-of-ours";
    host.api.patch(&at, json!({"secret": secret})).await.expect(200);
    post(&host, &made, &json!({})).await.problem(401);
    let sender = sender(&host).with("x-exosphere-token", Some(secret));
    sender.post(&path(&made, "/events"), json!({})).await.expect(202);
    for (wrong, pointer) in [
        (json!({"kind": "github"}), "/kind"),
        (json!({"secret": "short"}), "/secret"),
        (json!({"secret": null}), "/secret"),
        (json!({"name": ""}), "/name"),
        (json!({"mapping": {"type": "("}}), "/mapping/type"),
    ] {
        assert_eq!(host.api.patch(&at, wrong.clone()).await.problem(400), [pointer], "{wrong}");
    }
    host.api.delete(&at).await.expect(204);
    host.api.get(&at).await.problem(404);
    sender.post(&path(&made, "/events"), json!({})).await.problem(404);

    let audit = host.api.get("/v1/audit").await.expect(200);
    let entries = audit["data"].as_array().unwrap();
    let of_source = |entry: &&Value| entry["resource"] == made["id"];
    let actions: Vec<_> =
        entries.iter().filter(of_source).map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions, ["source.deleted", "source.updated", "source.updated", "source.created"]);
    let secret_changed =
        entries.iter().find(|entry| entry["detail"]["changed"] == json!(["secret"]));
    assert!(secret_changed.is_some(), "{audit}");
}

#[tokio::test]
async fn a_change_of_a_version_that_was_not_seen_is_refused_with_the_newest() {
    let host = TestHost::start().await;
    let made = source(&host.api, json!({})).await;
    let at = path(&made, "");
    let first = host.api.with("if-match", made["etag"].as_str());
    let changed = first.patch(&at, json!({"name": "Second"})).await;
    assert_eq!(changed.headers["etag"], "\"2\"");
    changed.expect(200);
    let stale = first.patch(&at, json!({"name": "Third"})).await;
    assert_eq!(stale.body["current"]["name"], "Second");
    stale.problem(412);
    first.delete(&at).await.problem(412);
    host.api.with("if-match", Some("\"2\"")).delete(&at).await.expect(204);
}

#[tokio::test]
async fn another_tenants_source_is_not_there() {
    let host = TestHost::start().await;
    let made = mapped(&host.api, json!({"type": "'a.b'"})).await;
    let (other, at) = (host.tenant("other"), path(&made, ""));
    other.get(&at).await.problem(404);
    other.patch(&at, json!({"name": "mine"})).await.problem(404);
    other.delete(&at).await.problem(404);
    other.post(&path(&made, "/try"), json!({"body": {}})).await.problem(404);
    assert_eq!(other.get("/v1/sources").await.expect(200)["data"], json!([]));
    // Whoever posts to it, its events are its owner's.
    let sender = sender(&host)
        .with("x-exosphere-token", Some(SECRET))
        .with("x-exosphere-namespace", Some("other"));
    sender.post(&path(&made, "/events"), json!({"namespace": "other"})).await.expect(202);
    assert_eq!(other.get("/v1/events").await.expect(200)["data"], json!([]));
    let own = host.api.get("/v1/events").await.expect(200);
    assert_eq!(own["data"][0]["event"]["namespace"], "payments");
}

#[tokio::test]
async fn a_mapping_cannot_give_an_event_to_another_namespace() {
    let host = TestHost::start().await;
    let mapping = json!({"type": "'a.b'", "namespace": "'other'"});
    let body = json!({"name": "x", "kind": "mapped", "mapping": mapping});
    assert_eq!(host.api.post("/v1/sources", body).await.problem(400), ["/mapping/namespace"]);
}

#[tokio::test]
async fn a_key_reaches_as_far_as_its_role() {
    let host = TestHost::start().await;
    let made = source(&host.api, json!({})).await;
    let key = async |role: &str| {
        let key = host.api.post("/v1/api-keys", json!({"name": role, "role": role})).await;
        let key = key.expect(201)["key"].as_str().unwrap().to_owned();
        host.api.with("x-api-key", Some(&key)).with("x-exosphere-namespace", None)
    };
    let (viewer, editor, at) = (key("viewer").await, key("editor").await, path(&made, ""));
    viewer.get(&at).await.expect(200);
    assert_eq!(viewer.get("/v1/sources").await.expect(200)["data"].as_array().unwrap().len(), 1);
    viewer.post("/v1/sources", json!({"name": "x", "kind": "github"})).await.problem(403);
    viewer.patch(&at, json!({"name": "x"})).await.problem(403);
    viewer.delete(&at).await.problem(403);
    viewer.post(&path(&made, "/try"), json!({"body": {}})).await.problem(403);
    editor.post("/v1/sources", json!({"name": "x", "kind": "github"})).await.expect(201);
    editor.patch(&at, json!({"name": "x"})).await.expect(200);
    sender(&host).get(&at).await.problem(401);
}

#[tokio::test]
async fn a_namespace_may_have_so_many_and_repeating_makes_no_second_one() {
    let quotas = Quotas { sources: 2, ..Quotas::default() };
    let host = TestHost::configured(EngineConfig { quotas, ..EngineConfig::default() }).await;
    let body = json!({"name": "Ours", "kind": "github"});
    let once = host.api.with("idempotency-key", Some("k-1"));
    let first = once.post("/v1/sources", body.clone()).await.expect(201);
    let again = once.post("/v1/sources", body.clone()).await.expect(201);
    assert_eq!((&first["id"], &first["secret"]), (&again["id"], &again["secret"]));
    host.api.post("/v1/sources", body.clone()).await.expect(201);
    let refused = host.api.post("/v1/sources", body.clone()).await;
    assert!(refused.text().contains("2 sources"), "{}", refused.text());
    refused.problem(409);
    host.api.delete(&path(&first, "")).await.expect(204);
    host.api.post("/v1/sources", body.clone()).await.expect(201);
    host.tenant("other").post("/v1/sources", body).await.expect(201);
}
