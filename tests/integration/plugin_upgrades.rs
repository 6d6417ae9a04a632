//! Plugins that are replaced, and large ones that are compiled, while alerts flow.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::guest::Target;
use crate::support::api::Api;
use crate::support::events::failed;
use crate::support::eventually;
use crate::support::plugins::renamed;
use crate::support::process::{HostProcess, command, free_address};
use crate::support::receiver::Receiver;

/// Posts events one after the other until it is stopped; each must be accepted.
struct Flow {
    posted: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Flow {
    fn start(api: &Api) -> Self {
        let (posted, stop) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (api, count, stopped) = (api.clone(), posted.clone(), stop.clone());
        let task = tokio::spawn(async move {
            while !stopped.load(Ordering::Relaxed) {
                let number = count.load(Ordering::Relaxed);
                assert!(!api.event(failed(&format!("evt-{number}"))).await);
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { posted, stop, task }
    }

    fn count(&self) -> usize {
        self.posted.load(Ordering::Relaxed)
    }

    async fn wait_for_more(&self, more: usize) {
        let wanted = self.count() + more;
        eventually("more events", async || (self.count() >= wanted).then_some(())).await;
    }

    async fn end(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
        self.posted.load(Ordering::Relaxed)
    }
}

/// Every event came to this path once, and no other.
fn arrived_once(receiver: &Receiver, path: &str, events: usize) {
    let received = receiver.at(path);
    let ids: BTreeSet<String> =
        received.iter().map(|r| r.json()["event"]["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((received.len(), ids.len()), (events, events), "{path}");
}

/// The digests that decided the deliveries of an endpoint, one for each.
async fn digests(api: &Api, endpoint: &Value) -> Vec<String> {
    let id = endpoint["id"].as_str().unwrap();
    let (mut digests, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/deliveries?limit=200&webhook_endpoint_id={id}{cursor}");
        let page = api.get(&path).await.expect(200);
        for delivery in page["data"].as_array().unwrap() {
            let path = format!("/v1/deliveries/{}", delivery["id"].as_str().unwrap());
            let delivery = api.get(&path).await.expect(200);
            let attempts = delivery["attempts"].as_array().unwrap();
            assert_eq!(attempts.len(), 1, "{delivery}");
            digests.push(attempts[0]["plugin_digest"].as_str().unwrap().to_owned());
        }
        match page["next_cursor"].as_str() {
            None => return digests,
            Some(next) => cursor = format!("&cursor={next}"),
        }
    }
}

/// As `plugin pack` does: never half a file.
fn put_file(folder: &Path, name: &str, wasm: &[u8]) {
    std::fs::write(folder.join("new"), wasm).unwrap();
    std::fs::rename(folder.join("new"), folder.join(name)).unwrap();
}

#[tokio::test]
async fn a_plugin_replaced_under_load_loses_and_repeats_nothing_and_each_attempt_tells_the_file() {
    let (folder, plugins) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let receiver = Receiver::start().await;
    let mut settings = command(folder.path());
    settings.env("ALERTS_PLUGINS_DIR", plugins.path());
    put_file(plugins.path(), "dropped.wasm", &renamed("dropped", "1.0.0"));
    let host = HostProcess::start_with(settings, free_address()).await;
    let api = host.api("payments");
    api.install(renamed("sent", "1.0.0")).await;
    api.plugin_with("dropped", "ready").await;
    let mut endpoints = Vec::new();
    for id in ["sent", "dropped"] {
        let url = receiver.url(&format!("/{id}"));
        let endpoint = api.endpoint(&url, json!({"target": id})).await;
        api.rule(&endpoint, json!({"name": id})).await;
        endpoints.push(endpoint);
    }
    let flow = Flow::start(&api);
    for version in ["2.0.0", "1.0.0", "2.0.0"] {
        flow.wait_for_more(40).await;
        api.install(renamed("sent", version)).await;
        put_file(plugins.path(), "dropped.wasm", &renamed("dropped", version));
        eventually("the file in the folder is in use", async || {
            let plugin = api.plugin("dropped").await;
            (plugin["state"] == "ready" && plugin["version"] == version).then_some(())
        })
        .await;
    }
    flow.wait_for_more(40).await;
    let events = flow.end().await;
    assert!(events >= 160);
    eventually("all arrive", async || (receiver.received().len() >= 2 * events).then_some(()))
        .await;
    eventually("all are written down", async || {
        let open = api.get("/v1/deliveries?status=scheduled").await.expect(200);
        let sending = api.get("/v1/deliveries?status=in_flight").await;
        let none = |list: &Value| list["data"].as_array().is_none_or(Vec::is_empty);
        (none(&open) && none(&sending.body)).then_some(())
    })
    .await;
    for (endpoint, id) in endpoints.iter().zip(["sent", "dropped"]) {
        arrived_once(&receiver, &format!("/{id}"), events);
        let decided = digests(&api, endpoint).await;
        assert_eq!(decided.len(), events);
        let known = ["1.0.0", "2.0.0"].map(|v| alerts_package::digest(&renamed(id, v)).to_string());
        let seen: BTreeSet<&String> = decided.iter().collect();
        assert_eq!(seen, known.iter().collect(), "both files, and no other");
    }
}

/// A file of more than a megabyte, of which every function takes the compiler its time.
fn large(functions: usize) -> Vec<u8> {
    let mut fields = String::new();
    for function in 0..functions {
        fields.push_str("(func (param i64) (result i64)");
        for step in 0..200 {
            let odd = (function * 200 + step) * 2 + 1;
            fields.push_str(&format!(
                "(local.set 0 (i64.xor (i64.mul (local.get 0) (i64.const {odd})) (i64.const {step})))"
            ));
        }
        fields.push_str("(local.get 0))");
    }
    Target::new().id("large").with(&fields).pack()
}

#[tokio::test]
async fn a_large_plugin_is_compiled_beside_the_flow_and_not_again_after_a_restart() {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start().await);
    let host = HostProcess::start(folder.path(), None).await;
    let api = host.api("payments");
    let endpoint = api.endpoint(&receiver.url("/hook"), json!({})).await;
    api.rule(&endpoint, json!({"condition": "event.id != ''"})).await;
    let flow = Flow::start(&api);
    flow.wait_for_more(1).await;
    let wasm = large(700);
    assert!(wasm.len() > 1 << 20, "{} bytes", wasm.len());
    let before = flow.count();
    let taken = api.upload("", wasm).await.expect(202);
    assert_eq!(taken["state"], "compiling", "it is answered at once");
    api.plugin_with("large", "ready").await;
    let meanwhile = flow.count() - before;
    flow.wait_for_more(1).await;
    let events = flow.end().await;
    assert!(meanwhile > 0, "intake stood still while it was compiled");
    receiver.wait_for(events).await;
    arrived_once(&receiver, "/hook", events);
    let compiled = "alerts_plugin_compilations_total{plugin=\"large\"} 1";
    let metrics = async |api: &Api| match api.get("/metrics").await.body {
        Value::String(text) => text,
        other => panic!("{other}"),
    };
    assert!(metrics(&api).await.contains(compiled));
    assert_eq!(host.terminate(), Some(0));

    let host = HostProcess::start(folder.path(), None).await;
    let api = host.api("payments");
    assert_eq!(api.plugin("large").await["state"], "ready", "from the first moment");
    assert!(!metrics(&api).await.contains("alerts_plugin_compilations_total{plugin=\"large\"}"));
    let endpoint = api.endpoint(&receiver.url("/large"), json!({"target": "large"})).await;
    let path = format!("/v1/webhooks/{}/preview", endpoint["id"].as_str().unwrap());
    assert_eq!(api.post(&path, json!({})).await.expect(200)["verdict"], "delivered");
}
