//! Plugins come and go while the host runs.

use alerts_test_support::postgres::fresh_database;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::events::failed;
use crate::support::eventually;
use crate::support::host::TestHost;
use crate::support::plugins::{renamed, renamed_from};
use crate::support::process::{HostProcess, command, free_address};
use crate::support::receiver::Receiver;

#[tokio::test]
async fn an_uploaded_plugin_delivers_and_is_there_after_a_restart() {
    let (mut host, receiver) = (TestHost::start().await, Receiver::start().await);
    let answer = host.api.upload("", renamed("mine", "1.0.0")).await;
    assert_eq!(answer.headers["location"], "/v1/plugins/mine");
    answer.expect(202);
    let ready = host.api.plugin_with("mine", "ready").await;
    assert_eq!((&ready["kind"], &ready["version"]), (&json!("target"), &json!("1.0.0")));

    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({"target": "mine"})).await;
    host.api.rule(&endpoint, json!({})).await;
    host.api.event(failed("evt-1")).await;
    let delivery = host.api.delivery_with("delivered").await;
    assert_eq!(delivery["attempts"][0]["plugin_digest"], ready["digest"]);
    host.restart().await;
    assert_eq!(host.api.plugin_with("mine", "ready").await["digest"], ready["digest"]);
    host.api.event(failed("evt-2")).await;
    receiver.wait_for(2).await;
}

#[tokio::test]
async fn another_file_takes_an_id_only_when_asked_to_replace_it() {
    let host = TestHost::start().await;
    host.api.upload("", renamed("mine", "1.0.0")).await.expect(202);
    let first = host.api.plugin_with("mine", "ready").await;
    host.api.upload("", renamed("mine", "1.0.1")).await.problem(409);
    host.api.upload("", renamed("http", "9.9.9")).await.problem(409);
    host.api.upload("?replace=true", renamed("mine", "1.0.1")).await.expect(202);
    eventually("the new one is in use", async || {
        let plugin = host.api.plugin_with("mine", "ready").await;
        (plugin["digest"] != first["digest"] && plugin["version"] == "1.0.1").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_no_plugin_is_refused_and_changes_nothing() {
    let host = TestHost::start().await;
    let whole = renamed("mine", "1.0.0");
    let cut = whole[..whole.len() / 2].to_vec();
    for wasm in [b"".to_vec(), b"(component)".to_vec(), b"\0asm\x01\0\0\0".to_vec(), cut] {
        host.api.upload("", wasm).await.problem(400);
    }
    let text = host.api.with("content-type", Some("text/plain"));
    text.send(Method::POST, "/v1/plugins", Some(whole)).await.problem(415);
    let plugins = host.api.get("/v1/plugins").await.expect(200);
    let ids: Vec<_> = plugins["data"].as_array().unwrap().iter().map(|p| &p["id"]).collect();
    assert!(ids.contains(&&json!("http")) && !ids.contains(&&json!("mine")));
}

#[tokio::test]
async fn a_plugin_in_use_goes_only_by_force_and_then_its_deliveries_wait() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    host.api.upload("", renamed("mine", "1.0.0")).await.expect(202);
    host.api.plugin_with("mine", "ready").await;
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({"target": "mine"})).await;
    host.api.rule(&endpoint, json!({})).await;
    host.api.delete("/v1/plugins/mine").await.problem(409);
    host.api.delete("/v1/plugins/http").await.problem(409);
    host.api.delete("/v1/plugins/none").await.problem(404);
    host.api.delete("/v1/plugins/mine?force=true").await.expect(204);

    host.api.event(failed("evt-1")).await;
    eventually("the delivery says what it waits for", async || {
        let delivery = host.api.deliveries().await.into_iter().next()?;
        let error = delivery["last_error"].as_str()?;
        (delivery["status"] == "scheduled" && error.contains("`mine` is not loaded")).then_some(())
    })
    .await;
    host.api.upload("", renamed("mine", "1.0.0")).await.expect(202);
    host.api.plugin_with("mine", "ready").await;
    host.later(std::time::Duration::from_secs(120));
    let delivery = host.api.delivery_with("delivered").await;
    assert_eq!(delivery["attempt_count"], 1, "waiting is no attempt");
}

#[tokio::test]
async fn what_waits_for_a_language_that_is_gone_holds_up_nothing_else() {
    let (host, receiver) = (TestHost::in_real_time().await, Receiver::start().await);
    for id in ["gone", "away"] {
        host.api.install(renamed_from("jsonlogic", id, "1.0.0")).await;
    }
    let condition = |language: &str| json!({"language": language, "source": "{\"==\": [1, 1]}"});
    let stuck = host.tenant("stuck");
    let endpoint = stuck.endpoint(&receiver.url("/stuck"), json!({})).await;
    stuck.rule(&endpoint, json!({"condition": condition("gone")})).await;
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    for language in ["gone", "away"] {
        host.api.rule(&endpoint, json!({"condition": condition(language)})).await;
    }
    for id in ["gone", "away"] {
        host.api.delete(&format!("/v1/plugins/{id}?force=true")).await.expect(204);
    }
    // More than are read at once, all older than the one that can be answered.
    for number in 0..150 {
        stuck.event(failed(&number.to_string())).await;
    }
    host.api.event(failed("1")).await;
    assert!(receiver.received().is_empty());

    host.api.install(renamed_from("jsonlogic", "away", "1.0.0")).await;
    let received = receiver.wait_for(1).await;
    assert_eq!(received[0].json()["namespace"], "payments");
    let listed = host.api.get("/v1/events").await.expect(200);
    let rules = listed["data"][0]["rules"].as_array().unwrap();
    let mut reasons: Vec<_> = rules.iter().map(|told| told["reason"].as_str().unwrap()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["fired", "pending"]);
    assert_eq!(host.api.deliveries().await.len(), 1);
}

#[tokio::test]
async fn a_plugin_that_is_granted_to_some_is_closed_to_others() {
    let host = TestHost::start().await;
    let only_other = json!({"grants": [{"tenant": "other"}]});
    let path = "/v1/plugins/slack/grants";
    let put = async |body: &Value| host.api.put(path, body).await;
    put(&only_other).await.expect(200);
    assert_eq!(host.api.get(path).await.expect(200), only_other);
    let slack = json!({"name": "x", "target": "slack", "target_url": "https://hooks.slack.com/services/T0/B0/x"});
    let problem = host.api.post("/v1/webhooks", slack.clone()).await.problem(400);
    assert_eq!(problem, ["/target"]);
    host.tenant("other").post("/v1/webhooks", slack.clone()).await.expect(201);
    put(&json!({"grants": []})).await.expect(200);
    host.api.post("/v1/webhooks", slack).await.expect(201);
    put(&json!({"grants": [{"tenant": "a", "hosts": ["not a host"]}]})).await.problem(400);
    let twice = put(&json!({"grants": [{"tenant": "a"}, {"tenant": "a", "hosts": []}]})).await;
    assert_eq!(twice.problem(400), ["/grants/1/tenant"]);
}

#[tokio::test]
async fn a_secret_url_is_used_and_shown_nowhere() {
    let (host, receiver) = (TestHost::in_real_time().await, Receiver::start().await);
    receiver.script("/services/T0/B0/verysecret", |_| {
        axum::response::IntoResponse::into_response("ok")
    });
    let bare = receiver.url("?token=verysecret");
    let in_query = host.api.endpoint(&bare, json!({"target": "slack"})).await;
    assert_eq!(in_query["target_url"], receiver.url("/…"));
    let url = receiver.url("/services/T0/B0/verysecret");
    let endpoint = host.api.endpoint(&url, json!({"target": "slack"})).await;
    assert_eq!(endpoint["target_url"], receiver.url("/…"));
    host.api.rule(&endpoint, json!({})).await;
    host.api.event(failed("evt-1")).await;
    let received = &receiver.wait_for(1).await[0];
    assert_eq!(received.uri.path(), "/services/T0/B0/verysecret");
    let delivery = host.api.delivery_with("delivered").await;
    assert!(!delivery.to_string().contains("verysecret"), "{delivery}");
    let path = format!("/v1/webhooks/{}", endpoint["id"].as_str().unwrap());
    let renamed = host.api.patch(&path, json!({"name": "New"})).await;
    assert!(!renamed.text().contains("verysecret"));
    renamed.expect(200);
    host.api.event(failed("evt-2")).await;
    receiver.wait_for(2).await;
    for file in std::fs::read_dir(host.folder()).unwrap().map(|entry| entry.unwrap().path()) {
        if file.is_file() {
            let bytes = std::fs::read(&file).unwrap();
            let found = bytes.windows(10).any(|window| window == b"verysecret");
            assert!(!found, "{} holds it in the clear", file.display());
        }
    }
}

#[tokio::test]
async fn files_in_the_folder_are_loaded_replaced_and_unloaded_while_the_host_runs() {
    let (folder, plugins) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let address = free_address();
    let mut settings = command(folder.path());
    settings.env("ALERTS_PLUGINS_DIR", plugins.path());
    let host = HostProcess::start_with(settings, address).await;
    let api = host.api("payments");
    let state = async |what: &str, id: &str, wanted: fn(&Value) -> bool| {
        eventually(what, async || {
            let answer = api.get(&format!("/v1/plugins/{id}")).await;
            wanted(&answer.body).then_some(answer.body)
        })
        .await
    };
    let file = plugins.path().join("mine.wasm");
    std::fs::write(&file, renamed("mine", "1.0.0")).unwrap();
    let first = state("it is loaded", "mine", |plugin| plugin["state"] == "ready").await;
    // Broken: the last good one stays in use.
    std::fs::write(&file, b"\0asm nonsense").unwrap();
    let broken = state("it is refused", "mine", |plugin| plugin["state"] == "refused").await;
    assert!(broken["reason"].is_string() && broken["stats"].is_object(), "{broken}");
    std::fs::write(&file, renamed("mine", "2.0.0")).unwrap();
    let second = state("it is replaced", "mine", |plugin| plugin["version"] == "2.0.0").await;
    assert_ne!(first["digest"], second["digest"]);
    std::fs::remove_file(&file).unwrap();
    state("it is gone", "mine", |answer| answer["status"] == 404).await;
}

#[tokio::test]
async fn what_is_done_to_plugins_on_one_host_holds_on_every_host_of_the_database() {
    let url = fresh_database().await;
    let (one, two) = (TestHost::on(&url).await, TestHost::on(&url).await);
    let seen = async |what: &str, wanted: fn(&Value) -> bool| {
        eventually(what, async || {
            let answer = two.api.get("/v1/plugins/mine").await;
            wanted(&answer.body).then_some(answer.body)
        })
        .await
    };
    let first = one.api.install(renamed("mine", "1.0.0")).await;
    let followed = seen("an upload", |plugin| plugin["state"] == "ready").await;
    assert_eq!(followed["digest"], first["digest"]);
    one.api.install(renamed("mine", "2.0.0")).await;
    seen("a replacement", |plugin| plugin["version"] == "2.0.0").await;
    let grants = json!({"grants": [{"tenant": "other", "hosts": ["api.example.com"]}]});
    one.api.put("/v1/plugins/mine/grants", &grants).await.expect(200);
    eventually("the grants", async || {
        let known = two.api.get("/v1/plugins/mine/grants").await.expect(200);
        (known == grants).then_some(())
    })
    .await;
    one.api.delete("/v1/plugins/mine").await.expect(204);
    seen("its removal", |answer| answer["status"] == 404).await;
}
