//! The host under test: the released binary, with SQLite on this machine's disk.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::Outcome;
use crate::client::Post;

const KEY: &str = "exo_bench_key_of_sufficient_length";
const NAMESPACE: &str = "bench";

/// A running host, its folder gone with it.
pub(crate) struct Host {
    pub(crate) address: String,
    process: Child,
    _folder: tempfile::TempDir,
}

/// A folder on the disk that the build is on: temporary ones are often memory.
pub(crate) fn folder() -> Outcome<tempfile::TempDir> {
    let target = std::env::current_exe()?;
    Ok(tempfile::tempdir_in(target.parent().ok_or("no folder")?)?)
}

impl Host {
    pub(crate) async fn start() -> Outcome<Self> {
        let folder = folder()?;
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        drop(listener);
        let binary = std::env::current_exe()?.with_file_name("exosphere-alerts");
        let process = Command::new(binary)
            .arg("serve")
            .env("ALERTS_LISTEN", &address)
            .env(
                "ALERTS_DATABASE_URL",
                format!("sqlite://{}", folder.path().join("alerts.db").display()),
            )
            .env("ALERTS_ALLOW_TARGETS", "127.0.0.0/8")
            .env("ALERTS_BOOTSTRAP_KEY", KEY)
            .env("ALERTS_LOG", "warn")
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let host = Self { address, process, _folder: folder };
        for _ in 0..600 {
            let ready = reqwest::get(format!("http://{}/readyz", host.address)).await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(host);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err("the host did not become ready".into())
    }

    /// What posting an event looks like.
    pub(crate) fn post() -> Post {
        Post::new(
            "/v1/events",
            &[
                ("content-type", "application/cloudevents+json"),
                ("x-api-key", KEY),
                ("x-exosphere-namespace", NAMESPACE),
            ],
        )
    }

    /// Makes endpoints to `target`, each with a rule on an event type of its
    /// own, and answers with the types.
    pub(crate) async fn make_rules(&self, target: &str, count: usize) -> Outcome<Vec<String>> {
        self.make_rules_named("failed", target, count).await
    }

    /// The same, with this word in the types.
    pub(crate) async fn make_rules_named(
        &self,
        name: &str,
        target: &str,
        count: usize,
    ) -> Outcome<Vec<String>> {
        let mut types = Vec::new();
        for number in 0..count {
            let endpoint = json!({"name": "Bench", "target_url": format!("http://{target}/")});
            let endpoint = self.create("webhooks", endpoint).await?;
            let event_type = format!("workflow.{name}.{target}.{number}");
            let rule = json!({
                "name": "Bench",
                "event_type": event_type,
                "condition": "event.data.errored_count > 2 && event.data.graph_name == 'nightly-etl'",
                "webhook_endpoint_id": endpoint["id"],
            });
            self.create("alert-rules", rule).await?;
            types.push(event_type);
        }
        Ok(types)
    }

    /// Posts to a resource and answers with what came back.
    pub(crate) async fn create(&self, what: &str, body: Value) -> Outcome<Value> {
        let answer = reqwest::Client::new()
            .post(format!("http://{}/v1/{what}", self.address))
            .header("content-type", "application/json")
            .header("x-api-key", KEY)
            .header("x-exosphere-namespace", NAMESPACE)
            .body(body.to_string())
            .send()
            .await?;
        let (status, text) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            return Err(format!("{what} was answered {status}: {text}").into());
        }
        Ok(serde_json::from_str(&text)?)
    }

    /// Memory in use, in bytes: the resident set.
    pub(crate) fn resident_bytes(&self) -> Outcome<u64> {
        let id = self.process.id().ok_or("the host has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
        let kib: u64 = line.split_whitespace().nth(1).ok_or("no figure")?.parse()?;
        Ok(kib * 1024)
    }
}
