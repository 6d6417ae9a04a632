//! `exosphere-alerts event`: posts events, for trying things out.

use std::io::Read as _;

use alerts_domain::json::without_byte_order_mark;
use http::Method;

use super::client::{Client, Request};
use super::{Failure, runtime};
use crate::api::caller::NAMESPACE_HEADER;
use crate::say::say;

/// Post events to a running host
#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Post a file: one CloudEvent as JSON, or a list of them
    ///
    /// The key is a platform key, or an editor's. Prints the answer. Ends with 0
    /// if the events were accepted, else with 1.
    Send(Send),
}

#[derive(clap::Args)]
pub(super) struct Send {
    /// The file; `-` for standard input.
    file: std::path::PathBuf,
    #[command(flatten)]
    host: Client,
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
        let text = without_byte_order_mark(&body).trim_ascii_start();
        let media = match text.starts_with(b"[") {
            true => "application/cloudevents-batch+json",
            false => "application/cloudevents+json",
        };
        let mut headers = vec![("content-type", media)];
        headers.extend(self.namespace.as_deref().map(|name| (NAMESPACE_HEADER, name)));
        let request = Request {
            method: Method::POST,
            path: &["v1", "events"],
            query: &[],
            headers: &headers,
            body,
        };
        say(self.host.ask(request).await?);
        Ok(())
    }
}
