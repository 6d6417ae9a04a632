//! `exosphere-alerts health`: asks a running host how it is, for container images and
//! service managers that have nothing else to ask with.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Failure, runtime};
use crate::say::say;
use crate::server::url_of;
use crate::settings::DEFAULT_LISTEN;

/// Longest wait for an answer. Shorter than the five seconds after which container
/// engines kill a check, which would leave no message.
const DEADLINE: Duration = Duration::from_secs(4);

#[derive(clap::Args)]
pub(super) struct Health {
    /// Where the host listens, as `serve` was told [default: 127.0.0.1:8080]
    #[arg(long, env = "ALERTS_LISTEN", value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// The certificate that `serve` was told, if any: then TLS is asked for
    #[arg(long, env = "ALERTS_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<String>,
    /// Ask only whether the process lives, not whether it does its work
    #[arg(long)]
    live: bool,
}

pub(super) fn run(health: Health) -> Result<(), Failure> {
    runtime()?.block_on(health.ask())
}

impl Health {
    async fn ask(&self) -> Result<(), Failure> {
        let (path, word) = if self.live { ("/healthz", "alive") } else { ("/readyz", "ready") };
        // Compose files give an empty text for a variable that is not set.
        let listen = self.listen.as_deref().filter(|listen| !listen.is_empty());
        let has_tls = self.tls_cert.as_deref().is_some_and(|file| !file.is_empty());
        let scheme = if has_tls { "https" } else { "http" };
        let url = url(scheme, listen.unwrap_or(DEFAULT_LISTEN)) + path;
        // Another part of the process may have chosen one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // The host is on this machine, whatever proxy leads out of it, and its certificate
        // is for another name than this address.
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(DEADLINE)
            .tls_danger_accept_invalid_certs(true)
            .build();
        let unreachable =
            |error| Failure::Other(format!("{url} did not answer: {error}; is the host running?"));
        let asked = client.map_err(Failure::other)?.get(&url).send().await;
        let answer = asked.map_err(unreachable)?;
        let status = answer.status();
        if status.is_success() {
            say(word);
            return Ok(());
        }
        let text = answer.text().await.map_err(unreachable)?;
        Err(Failure::Other(format!("{url} answered {status}: {text}")))
    }
}

/// Where a host that listens there answers: on all addresses means also on loopback.
fn url(scheme: &str, listen: &str) -> String {
    match listen.parse::<SocketAddr>() {
        Ok(address) => url_of(scheme, address),
        // A name, which `serve` takes too.
        Err(_) => format!("{scheme}://{listen}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_asked_where_it_listens() {
        for (listen, asked) in [
            ("0.0.0.0:8080", "http://127.0.0.1:8080"),
            ("[::]:80", "http://127.0.0.1:80"),
            ("10.0.0.7:8080", "http://10.0.0.7:8080"),
            ("localhost:8080", "http://localhost:8080"),
        ] {
            assert_eq!(url("http", listen), asked);
        }
    }
}
