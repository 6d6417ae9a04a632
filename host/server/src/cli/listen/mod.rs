//! `exosphere-alerts listen`: a receiver at the terminal, for whoever writes one.

mod inbox;
mod setup;

use std::net::SocketAddr;
use std::sync::Arc;

use alerts_domain::secret::Secret;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use url::Url;

use self::inbox::Inbox;
use self::setup::{Setup, Wanted};
use super::client::Client;
use super::signals::Signals;
use super::{Failure, runtime};
use crate::say::say;

/// See alerts as they arrive, and forward them to the receiver that you are writing
///
/// Makes a webhook endpoint and a rule of its own in the namespace, and removes both again at
/// its end, also at Ctrl-C. Each alert that arrives is checked against the endpoint's signing
/// secret (Standard Webhooks), printed, and forwarded with the same headers and bytes; what
/// your receiver answers is answered to the host, so retries happen as they would later.
///
/// While it runs, type a letter and Enter:
///   r   send the last alert to your receiver once more, byte for byte
///   q   end
///
/// With a host on this machine:
///   export ALERTS_KEY=…  ALERTS_NAMESPACE=payments
///   export ALERTS_SECRET=…  # what your receiver verifies with
///   exosphere-alerts listen --forward http://localhost:3000/hook
///
/// The host must be able to reach this program. For one on this machine it must have been
/// started with ALERTS_ALLOW_TARGETS=127.0.0.0/8. For one elsewhere, give `--public-url`, an
/// address that leads here.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Listen {
    /// Your receiver; without one, alerts are only printed.
    #[arg(long, value_name = "URL")]
    forward: Option<Url>,
    #[command(flatten)]
    host: Client,
    /// The namespace; a tenant's key has one of its own.
    #[arg(long, env = "ALERTS_NAMESPACE", value_name = "NAME")]
    namespace: Option<String>,
    /// The signing secret that your receiver verifies with; made and printed when absent.
    #[arg(long, env = "ALERTS_SECRET", value_name = "SECRET", hide_env_values = true)]
    secret: Option<Secret>,
    /// Which events become alerts: a type, or a pattern with `*`.
    #[arg(long, value_name = "TYPE", default_value = "*")]
    event_type: String,
    /// A condition in CEL that they must meet.
    #[arg(long, value_name = "CEL")]
    condition: Option<String>,
    /// Where to listen; port 0 is any that is free.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where the host reaches this program; the address that it listens at when absent.
    #[arg(long, value_name = "URL")]
    public_url: Option<Url>,
}

pub(super) fn run(listen: Listen) -> Result<(), Failure> {
    runtime()?.block_on(listen.until_told())
}

impl Listen {
    async fn until_told(self) -> Result<(), Failure> {
        let mut signals = Signals::listen()?;
        let listener = TcpListener::bind(self.listen).await.map_err(|error| {
            Failure::Other(format!("{} cannot be listened at: {error}", self.listen))
        })?;
        let address = listener.local_addr().map_err(Failure::other)?;
        let target_url = match &self.public_url {
            Some(url) => url.to_string(),
            None => format!("http://{address}/"),
        };
        let wanted = Wanted {
            target_url: &target_url,
            event_type: &self.event_type,
            condition: self.condition.as_deref(),
            secret: self.secret.as_ref(),
        };
        let setup = Setup::make(&self.host, self.namespace.as_deref(), &wanted).await?;
        let inbox = Inbox::new(setup.secret.clone(), self.forward.clone());
        let inbox = Arc::new(inbox.map_err(Failure::other)?);
        match &self.forward {
            Some(url) => say(format_args!("listening at {target_url}, forwarding to {url}")),
            None => say(format_args!("listening at {target_url}")),
        }
        if self.secret.is_none() {
            say(format_args!("signing secret, for your receiver: {}", setup.secret.expose()));
        }
        say("r and Enter sends the last alert once more; Ctrl-C ends");
        let ended = tokio::select! {
            served = axum::serve(listener, inbox::router(inbox.clone())) => {
                served.map_err(|error| Failure::Other(format!("listening failed: {error}")))
            }
            () = obey(&inbox) => Ok(()),
            () = signals.next() => Ok(()),
        };
        signals.exit_at_next();
        setup.remove(&self.host, self.namespace.as_deref()).await?;
        say("the endpoint and its rule are removed");
        ended
    }
}

/// The lines of standard input. They are read on a thread that ends with the process: there
/// is no way to stop waiting for a line.
fn typed() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Does what is typed, until that is to end. Without a terminal nothing is typed, and this
/// never ends.
async fn obey(inbox: &Inbox) {
    let mut lines = typed();
    while let Some(line) = lines.recv().await {
        match line.trim() {
            "r" => inbox.replay().await,
            "q" => return,
            "" => {}
            other => say(format_args!("`{other}` means nothing here: r replays, q ends")),
        }
    }
    std::future::pending().await
}
