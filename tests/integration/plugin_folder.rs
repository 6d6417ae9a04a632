//! What lies in the operator's folder of plugins when the host starts, and what
//! becomes of it while the host runs.

use std::path::Path;

use alerts_engine::EngineConfig;
use serde_json::{Value, json};

use crate::support::eventually;
use crate::support::host::TestHost;
use crate::support::plugins::renamed;

async fn host_on(plugins: &Path) -> TestHost {
    let plugins_dir = Some(plugins.to_owned());
    TestHost::configured(EngineConfig { plugins_dir, ..EngineConfig::default() }).await
}

/// The plugin, once it is like this.
async fn plugin(host: &TestHost, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually(&format!("plugin {id} is as wanted"), async || {
        let answer = host.api.get(&format!("/v1/plugins/{id}")).await;
        wanted(&answer.body).then_some(answer.body)
    })
    .await
}

fn reason(plugin: &Value) -> &str {
    plugin["reason"].as_str().unwrap()
}

#[tokio::test]
async fn a_file_that_is_no_plugin_is_refused_under_its_name_and_keeps_no_other_away() {
    let plugins = tempfile::tempdir().unwrap();
    let file = |name: &str| plugins.path().join(name);
    std::fs::write(file("good.wasm"), renamed("mine", "1.0.0")).unwrap();
    std::fs::write(file("nonsense.wasm"), b"\0asm nonsense").unwrap();
    std::fs::write(file("read-me.txt"), b"not looked at").unwrap();
    // A folder, which no file's bytes can be read from.
    std::fs::create_dir(file("unreadable.wasm")).unwrap();
    // Comes after `good.wasm`, and has its id.
    std::fs::write(file("second.wasm"), renamed("mine", "2.0.0")).unwrap();
    let host = host_on(plugins.path()).await;

    assert_eq!(host.api.plugin("mine").await["version"], "1.0.0");
    let nonsense = host.api.plugin("nonsense").await;
    assert_eq!(nonsense["state"], "refused");
    assert!(reason(&nonsense).contains("truncated or malformed"), "{nonsense}");
    let unreadable = host.api.plugin("unreadable").await;
    assert!(reason(&unreadable).contains("it cannot be read"), "{unreadable}");
    let second = host.api.plugin("second").await;
    assert!(reason(&second).contains("the id `mine` is taken by"), "{second}");
    assert!(reason(&second).contains("good.wasm; keep one of the two files"), "{second}");
    host.api.get("/v1/plugins/read-me").await.problem(404);

    // Which limits it may have, nobody can say; and it is not the API's to delete.
    let limits = host.api.put("/v1/plugins/nonsense/limits", &json!({"fuel": 1})).await;
    assert!(limits.text().contains("has no manifest that reads"), "{}", limits.body);
    limits.problem(409);
    let deleted = host.api.delete("/v1/plugins/mine").await;
    assert!(deleted.text().contains("good.wasm away"), "{}", deleted.body);
    deleted.problem(409);
}

#[tokio::test]
async fn a_file_that_changes_its_id_takes_its_old_plugin_away() {
    let plugins = tempfile::tempdir().unwrap();
    let file = plugins.path().join("plugin.wasm");
    std::fs::write(&file, renamed("before", "1.0.0")).unwrap();
    let host = host_on(plugins.path()).await;
    assert_eq!(host.api.plugin("before").await["state"], "ready");
    std::fs::write(&file, renamed("after-it", "1.0.0")).unwrap();
    plugin(&host, "after-it", |plugin| plugin["state"] == "ready").await;
    plugin(&host, "before", |answer| answer["status"] == 404).await;
}

#[tokio::test]
async fn a_folder_that_is_not_there_stops_nothing_and_is_looked_for_again() {
    let parent = tempfile::tempdir().unwrap();
    let plugins = parent.path().join("later");
    let host = host_on(&plugins).await;
    assert_eq!(host.api.plugin("http").await["state"], "ready");
    std::fs::create_dir(&plugins).unwrap();
    std::fs::write(plugins.join("mine.wasm"), renamed("mine", "1.0.0")).unwrap();
    plugin(&host, "mine", |plugin| plugin["state"] == "ready").await;
}
