//! The first start, at which nothing is compiled yet: the host is there at once, and
//! says what it waits for.

use std::process::Command;

use alerts_engine::EngineConfig;
use alerts_server::builtin;
use serde_json::json;

use crate::support::events::failed;
use crate::support::eventually;
use crate::support::host::TestHost;
use crate::support::process::{HostProcess, binary, command_of, ended, free_address};
use crate::support::receiver::Receiver;

#[tokio::test]
async fn a_host_whose_plugins_are_still_to_be_compiled_answers_and_says_what_it_waits_for() {
    let config = EngineConfig { builtin: builtin::FILES, ..EngineConfig::default() };
    let host = TestHost::configured(config).await;
    assert_eq!(host.api.get("/healthz").await.status, 200);
    let ready = host.api.get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(ready.body.to_string().contains("is being compiled"), "{}", ready.body);
    let receiver = Receiver::start().await;
    let endpoint = json!({"name": "early", "target": "http", "target_url": receiver.url("/hook")});
    let early = host.api.post("/v1/webhooks", endpoint.clone()).await;
    assert!(early.headers.contains_key("retry-after"));
    let detail = early.expect(503)["detail"].to_string();
    assert!(detail.contains("the plugin `http` is still being compiled"), "{detail}");

    eventually("all plugins are compiled", async || {
        (host.api.get("/readyz").await.status == 200).then_some(())
    })
    .await;
    host.api.post("/v1/webhooks", endpoint).await.expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_brings_its_plugins_compiled_compiles_none() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("alerts");
    let bundled = ended(Command::new(binary()).arg("bundle-plugins").arg(&program));
    assert!(bundled.status.success(), "{}", String::from_utf8_lossy(&bundled.stderr));
    let host = HostProcess::start_with(command_of(&program, folder.path()), free_address()).await;
    let (api, receiver) = (host.api("acme"), Receiver::start().await);
    let endpoint = api.endpoint(&receiver.url("/hook"), json!({})).await;
    api.rule(&endpoint, json!({})).await;
    api.event(failed("evt-1")).await;
    receiver.wait_for(1).await;
    let metrics = api.get("/metrics").await.text();
    assert!(metrics.contains("alerts_plugin_calls_total"), "{metrics}");
    assert!(!metrics.contains("alerts_plugin_compilations_total"), "{metrics}");
}
