//! Plugins from outside: made, uploaded, looked at.

use std::path::Path;

use reqwest::Method;
use serde_json::Value;

use crate::support::api::{Answer, Api};
use crate::support::eventually;

/// A built-in plugin's file.
pub(crate) fn builtin(name: &str) -> Vec<u8> {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/dist");
    std::fs::read(dist.join(format!("{name}.wasm"))).unwrap()
}

/// The built-in `http` under another id: a plugin from outside.
pub(crate) fn renamed(id: &str, version: &str) -> Vec<u8> {
    renamed_from("http", id, version)
}

/// A built-in plugin under another id.
pub(crate) fn renamed_from(builtin_id: &str, id: &str, version: &str) -> Vec<u8> {
    let wasm = builtin(builtin_id);
    let mut manifest = alerts_package::read_manifest(&wasm).unwrap();
    manifest.id = id.to_owned();
    manifest.version = version.to_owned();
    alerts_package::pack(&wasm, &manifest).unwrap()
}

impl Api {
    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body.to_string().into())).await
    }

    pub(crate) async fn upload(&self, query: &str, wasm: Vec<u8>) -> Answer {
        let api = self.with("content-type", Some("application/wasm"));
        api.send(Method::POST, &format!("/v1/plugins{query}"), Some(wasm)).await
    }

    /// Uploads a file, and waits until it is in use.
    pub(crate) async fn install(&self, wasm: Vec<u8>) -> Value {
        let uploaded = self.upload("?replace=true", wasm).await.expect(202);
        let (id, digest) = (uploaded["id"].as_str().unwrap(), &uploaded["digest"]);
        eventually(&format!("plugin {id} is ready"), async || {
            let plugin = self.plugin(id).await;
            assert_ne!(plugin["state"], "refused", "{plugin}");
            (plugin["state"] == "ready" && plugin["digest"] == *digest).then_some(plugin)
        })
        .await
    }

    pub(crate) async fn plugin(&self, id: &str) -> Value {
        self.get(&format!("/v1/plugins/{id}")).await.expect(200)
    }

    pub(crate) async fn plugin_with(&self, id: &str, state: &str) -> Value {
        eventually(&format!("plugin {id} is {state}"), async || {
            let answer = self.get(&format!("/v1/plugins/{id}")).await;
            (answer.body["state"] == state).then_some(answer.body)
        })
        .await
    }
}
