//! `exosphere-alerts event`: a caller of the API, for trying things out.

use std::io::Read as _;
use std::time::Duration;

use alerts_domain::secret::Secret;

use super::{Failure, runtime};
use crate::say::say;

/// Longest wait for an answer.
const DEADLINE: Duration = Duration::from_secs(30);

/// Post events to a running host
#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Post a file: one CloudEvent as JSON, or a list of them
    ///
    /// Prints the answer. Ends with 0 if the events were accepted, else with 1.
    Send(Send),
}

#[derive(clap::Args)]
pub(super) struct Send {
    /// The file; `-` for standard input.
    file: std::path::PathBuf,
    /// Where the host is.
    #[arg(long, env = "ALERTS_URL", value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// A platform key, or an editor's. Better given by environment: flags show
    /// in the list of processes.
    #[arg(long, env = "ALERTS_KEY", value_name = "KEY", hide_env_values = true)]
    key: Secret,
    /// Whose events they are, where they do not say so themselves.
    #[arg(long, env = "ALERTS_NAMESPACE", value_name = "NAME")]
    namespace: Option<String>,
}

pub(super) fn run(command: Command) -> Result<(), Failure> {
    let Command::Send(send) = command;
    let body = read(&send.file).map_err(|error| {
        Failure::Other(format!("{} does not read: {error}", send.file.display()))
    })?;
    runtime()?.block_on(send.post(body))
}

fn read(file: &std::path::Path) -> std::io::Result<Vec<u8>> {
    if file.as_os_str() != "-" {
        return std::fs::read(file);
    }
    let mut body = Vec::new();
    std::io::stdin().lock().read_to_end(&mut body)?;
    Ok(body)
}

impl Send {
    async fn post(self, body: Vec<u8>) -> Result<(), Failure> {
        let is_batch = body.trim_ascii_start().starts_with(b"[");
        let media = if is_batch { "cloudevents-batch" } else { "cloudevents" };
        // Another part of the process may have chosen one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client =
            reqwest::Client::builder().timeout(DEADLINE).build().map_err(Failure::other)?;
        let mut request = client
            .post(format!("{}/v1/events", self.url.trim_end_matches('/')))
            .header("x-api-key", self.key.expose())
            .header("content-type", format!("application/{media}+json"))
            .body(body);
        if let Some(namespace) = self.namespace {
            request = request.header("x-exosphere-namespace", namespace);
        }
        let unreachable = |error: reqwest::Error| {
            Failure::Other(format!("{} did not answer: {error}; is the host running?", self.url))
        };
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let text = answer.text().await.map_err(unreachable)?;
        if status.is_success() {
            say(text);
            return Ok(());
        }
        Err(Failure::Other(format!("the host answered {status}: {text}")))
    }
}
