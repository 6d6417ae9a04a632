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

    let mine = host.api.plugin_with("mine", "ready").await;
    assert_eq!(mine["version"], "1.0.0");
    let nonsense = host.api.plugin("nonsense").await;
    assert_eq!(nonsense["state"], "refused");
    assert!(reason(&nonsense).contains("truncated or malformed"), "{nonsense}");
    let unreadable = host.api.plugin("unreadable").await;
    assert!(reason(&unreadable).contains("it cannot be read: it is a folder"), "{unreadable}");
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
    host.api.plugin_with("before", "ready").await;
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

#[tokio::test]
async fn what_is_no_regular_file_is_never_opened_and_keeps_no_file_away() {
    let plugins = tempfile::tempdir().unwrap();
    let file = |name: &str| plugins.path().join(name);
    // Opening it would wait until somebody writes, for ever.
    let made = std::process::Command::new("mkfifo").arg(file("a-pipe.wasm")).status().unwrap();
    assert!(made.success());
    std::os::unix::fs::symlink("/dev/zero", file("b-device.wasm")).unwrap();
    std::fs::write(plugins.path().join("real"), renamed("linked", "1.0.0")).unwrap();
    std::os::unix::fs::symlink("real", file("linked.wasm")).unwrap();
    let host = host_on(plugins.path()).await;
    for (id, what) in [("a-pipe", "it is a pipe"), ("b-device", "it is a device")] {
        let refused = host.api.plugin(id).await;
        assert!(reason(&refused).contains(what), "{refused}");
    }
    plugin(&host, "linked", |plugin| plugin["state"] == "ready").await;

    std::fs::write(file("later.wasm"), renamed("later", "1.0.0")).unwrap();
    plugin(&host, "later", |plugin| plugin["state"] == "ready").await;
    std::fs::remove_file(file("a-pipe.wasm")).unwrap();
    plugin(&host, "a-pipe", |answer| answer["status"] == 404).await;
}

#[tokio::test]
async fn a_file_whose_id_was_taken_has_it_once_the_other_file_is_gone() {
    let plugins = tempfile::tempdir().unwrap();
    let file = |name: &str| plugins.path().join(name);
    std::fs::write(file("a.wasm"), renamed("mine", "1.0.0")).unwrap();
    std::fs::write(file("b.wasm"), renamed("mine", "2.0.0")).unwrap();
    let host = host_on(plugins.path()).await;
    plugin(&host, "mine", |mine| mine["version"] == "1.0.0" && mine["state"] == "ready").await;
    assert_eq!(host.api.plugin("b").await["state"], "refused");
    std::fs::remove_file(file("a.wasm")).unwrap();
    plugin(&host, "mine", |mine| mine["version"] == "2.0.0" && mine["state"] == "ready").await;
    plugin(&host, "b", |answer| answer["status"] == 404).await;
}

#[tokio::test]
async fn a_file_whose_manifest_leads_to_a_forbidden_address_is_refused_by_the_fields_name() {
    let plugins = tempfile::tempdir().unwrap();
    let wasm = renamed("leaky", "1.0.0");
    let mut manifest = alerts_package::read_manifest(&wasm).unwrap();
    manifest.default_url = Some("http://169.254.169.254/".to_owned());
    let wasm = alerts_package::pack(&wasm, &manifest).unwrap();
    std::fs::write(plugins.path().join("leaky.wasm"), &wasm).unwrap();
    let host = host_on(plugins.path()).await;
    let refused = plugin(&host, "leaky", |plugin| plugin["state"] == "refused").await;
    assert!(
        reason(&refused).contains("`default_url` must be a URL that may be sent to"),
        "{refused}"
    );
    assert!(reason(&refused).contains("169.254.169.254"), "{refused}");
    // Uploads are held to the same.
    host.api.upload("?replace=true", wasm).await.expect(202);
    let refused = plugin(&host, "leaky", |plugin| plugin["state"] == "refused").await;
    assert!(reason(&refused).contains("`default_url`"), "{refused}");
}
