//! The host as a process of its own, with the settings of a test machine.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::Outcome;
use crate::client::Post;

/// The platform key that hosts are started with.
pub const KEY: &str = "exo_bench_key_of_sufficient_length";
/// The namespace that is spoken for when none is named.
pub const NAMESPACE: &str = "bench";

/// How long a start may take: a first one compiles the built-in plugins, perhaps
/// beside other work of the machine.
const START: Duration = Duration::from_secs(60);

/// A running host.
pub struct Host {
    /// `127.0.0.1:port`.
    pub address: String,
    process: Child,
    http: reqwest::Client,
    _folder: Option<tempfile::TempDir>,
}

/// A folder on the disk that the build is on: temporary ones are often memory.
///
/// # Errors
/// When it cannot be made.
pub fn folder() -> Outcome<tempfile::TempDir> {
    let program = std::env::current_exe()?;
    Ok(tempfile::tempdir_in(program.parent().ok_or("no folder")?)?)
}

/// An address that nobody listens on.
///
/// # Errors
/// When the machine has none left.
pub fn free_address() -> Outcome<String> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// The host's program, built into the same folder as the one that runs.
fn binary() -> Outcome<PathBuf> {
    let binary = std::env::current_exe()?.with_file_name("exosphere-alerts");
    if binary.exists() {
        return Ok(binary);
    }
    Err(format!("{} is not there: `cargo xtask` builds it", binary.display()).into())
}

/// `serve` on the database in `folder`, with the settings of a test machine.
///
/// # Errors
/// When the program has not been built.
pub fn command(folder: &Path, address: &str) -> Outcome<Command> {
    let mut command = Command::new(binary()?);
    command
        .arg("serve")
        .env("ALERTS_LISTEN", address)
        .env("ALERTS_DATABASE_URL", format!("sqlite://{}", folder.join("alerts.db").display()))
        .env("ALERTS_ALLOW_TARGETS", "127.0.0.0/8")
        .env("ALERTS_BOOTSTRAP_KEY", KEY)
        .env("ALERTS_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    Ok(command)
}

impl Host {
    /// Starts one on a SQLite file of its own, gone with it.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn start() -> Outcome<Self> {
        let folder = folder()?;
        let address = free_address()?;
        let host = Self::run(command(folder.path(), &address)?, address).await?;
        Ok(Self { _folder: Some(folder), ..host })
    }

    /// Runs a command made of [`command`], and waits until the host is ready.
    ///
    /// # Errors
    /// When it ends, or is not ready in time.
    pub async fn run(command: Command, address: String) -> Outcome<Self> {
        let mut host = Self::spawn(command, address)?;
        let give_up = Instant::now() + START;
        loop {
            let ready = host.http.get(format!("http://{}/readyz", host.address)).send().await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(host);
            }
            if let Some(status) = host.process.try_wait()? {
                return Err(format!("the host ended at its start with {status}").into());
            }
            if Instant::now() > give_up {
                return Err(format!("the host was not ready after {START:?}").into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The same, and waits for nothing.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn spawn(mut command: Command, address: String) -> Outcome<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(START).build()?;
        Ok(Self { address, process: command.spawn()?, http, _folder: None })
    }

    /// SIGKILL, to it and to the processes that it has started: no handler runs,
    /// nothing is flushed.
    ///
    /// # Errors
    /// When the system does not let it.
    pub async fn kill(mut self) -> Outcome {
        let id = self.process.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        if let Some(group) = id {
            kill_process_group(group, Signal::KILL)?;
        }
        self.process.wait().await?;
        Ok(())
    }

    /// What posting an event looks like.
    #[must_use]
    pub fn post() -> Post {
        Self::post_of("application/cloudevents+json")
    }

    /// What posting a batch of events looks like.
    #[must_use]
    pub fn post_batch() -> Post {
        Self::post_of("application/cloudevents-batch+json")
    }

    fn post_of(content_type: &str) -> Post {
        let headers = [("x-api-key", KEY), ("x-exosphere-namespace", NAMESPACE)];
        Post::new("/v1/events", &[&headers[..], &[("content-type", content_type)]].concat())
    }

    /// Makes endpoints to `target`, each with a rule on an event type of its
    /// own, and answers with the types.
    ///
    /// # Errors
    /// When the host refuses one.
    pub async fn make_rules(&self, target: &str, count: usize) -> Outcome<Vec<String>> {
        self.make_rules_named("failed", target, count).await
    }

    /// The same, with this word in the types.
    ///
    /// # Errors
    /// When the host refuses one.
    pub async fn make_rules_named(
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
    ///
    /// # Errors
    /// When the answer is not 2xx.
    pub async fn create(&self, what: &str, body: Value) -> Outcome<Value> {
        self.call(NAMESPACE, Method::POST, &format!("/v1/{what}"), Some(body)).await
    }

    /// Any call for a namespace; answers with what came back.
    ///
    /// # Errors
    /// When the answer is not 2xx.
    pub async fn call(
        &self,
        namespace: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Outcome<Value> {
        call(&self.http, &self.address, namespace, method, path, body).await
    }

    /// Memory in use, in bytes: the resident set.
    ///
    /// # Errors
    /// When the host has ended.
    pub fn resident_bytes(&self) -> Outcome<u64> {
        let id = self.process.id().ok_or("the host has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
        let kib: u64 = line.split_whitespace().nth(1).ok_or("no figure")?.parse()?;
        Ok(kib * 1024)
    }
}

/// An answer that is not 2xx.
#[derive(Debug, thiserror::Error)]
#[error("{call} was answered {status}: {text}")]
pub struct Refused {
    call: String,
    /// The answer's status.
    pub status: StatusCode,
    text: String,
}

/// A call of the API of the host at `address`, which may not be there.
///
/// # Errors
/// When there is no answer, or one that is not 2xx.
pub async fn call(
    http: &reqwest::Client,
    address: &str,
    namespace: &str,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Outcome<Value> {
    let mut request = http
        .request(method.clone(), format!("http://{address}{path}"))
        .header("x-api-key", KEY)
        .header("x-exosphere-namespace", namespace);
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let answer = request.send().await?;
    let (status, text) = (answer.status(), answer.text().await?);
    if !status.is_success() {
        return Err(Refused { call: format!("{method} {path}"), status, text }.into());
    }
    Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
}
